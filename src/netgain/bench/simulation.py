"""How fast known worlds are simulated: whole studies of the claim's analysis, and rounds of gated loops."""

from __future__ import annotations

import numpy as np

from netgain.bench.measurement import Measurement, Scale, in_turn
from netgain.gates.plan import GatePlan
from netgain.testing.claim_worlds import ClaimWorld, draw_studies
from netgain.testing.gate_worlds import run_gated

STUDIES, STARTS, ROUNDS = 20_000, 12, 200
CONTROLS = (0.35, 0.30, 0.32, 0.34)


def measure(scale: Scale) -> list[Measurement]:
    """Studies with their arms and starts, net gains included; rounds of a loop behind the real gate."""
    studies, rounds = scale.of(STUDIES, 10), scale.of(ROUNDS, 3)
    world = ClaimWorld(level=0.5, controls=CONTROLS, starve=0.1, spread=0.03)
    plan = GatePlan(
        axis="gate", mode="advance", design_gain=0.04, planned_second_moment=0.1, step_margin=0.04, total_margin=0.1,
        confirmations=rounds, block=200, max_pairs=1000,
    )  # fmt: skip
    taken = in_turn(
        scale.repeats,
        lambda: draw_studies(world, np.random.default_rng(7), studies=studies, starts=STARTS).net_gains,
        lambda: run_gated(plan, [0.01] * rounds, np.random.default_rng(7)),
    )
    arms = 1 + len(CONTROLS)
    return [
        Measurement(name="simulation.studies", what=f"{studies} studies of {arms} arms and {STARTS} starts",
                    unit="studies/s", values=[studies / row[0] for row in taken]),
        Measurement(name="simulation.rounds", what=f"{rounds} rounds behind the gate, up to 1,000 pairs each",
                    unit="rounds/s", values=[rounds / row[1] for row in taken]),
    ]  # fmt: skip
