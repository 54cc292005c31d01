"""The gate: decisions on a 2,000-item loop of 100 candidates, and its test against ville's on the same streams."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np

from netgain.bench.measurement import Measurement, Scale, in_turn
from netgain.evidence.betting import FloatArray, log_capital, log_capital_grid
from netgain.gates.judge import decide
from netgain.gates.plan import GatePlan
from netgain.testing.gate_worlds import three_systems

CANDIDATES, ITEMS = 100, 2000


def measure(scale: Scale) -> list[Measurement]:
    """Whole decisions, one test on one stream, and the tests of all candidates at once."""
    candidates, rng = scale.of(CANDIDATES, 2), np.random.default_rng(7)
    scores = [three_systems(rng, ITEMS, candidate=0.02, released=0.0) for _ in range(candidates)]
    plan = GatePlan(
        axis="gate", mode="strict", design_gain=0.04, planned_second_moment=0.1, step_margin=0.04, total_margin=0.1,
        confirmations=CANDIDATES, block=200, max_pairs=ITEMS,
    )  # fmt: skip
    made = in_turn(scale.repeats, lambda: [decide(plan, k, {"gate": s}) for k, s in enumerate(scores, start=1)])
    whole = Measurement(
        name="gate.loop", what=f"{candidates} decisions, each with all its tests on {ITEMS} pairs", unit="s of CPU",
        values=[seconds for (seconds,) in made], at_most=1.0, judged=scale.share == 1.0,
        notes={"decisions_per_second": candidates / sorted(seconds for (seconds,) in made)[len(made) // 2]},
    )  # fmt: skip
    streams = np.array([np.asarray(s.candidate) - np.asarray(s.released) for s in scores])
    return [whole, *_against_ville(scale, streams)]


def _against_ville(scale: Scale, streams: FloatArray) -> list[Measurement]:
    setting = {"null": 0.0, "gain": 0.04, "planned_second_moment": 0.1}
    ours: dict[str, Callable[[], object]] = {
        "one by one": lambda: [log_capital(stream, **setting) for stream in streams],
        "at once": lambda: log_capital(streams, **setting),
        "grid, at once": lambda: log_capital_grid(streams, null=0.0),
    }
    rival = _ville(streams)
    taken = in_turn(scale.repeats, *ours.values(), *([rival] if rival else []))
    count = len(streams)
    return [
        Measurement(
            name=f"gate.test {name}", what=f"the betting test of {count} streams of {ITEMS}, {name}", unit="streams/s",
            values=[count / row[place] for row in taken], rival="ville.BettingTest" if rival else None,
            ratios=[row[-1] / row[place] for row in taken] if rival else (), no_rival="ville: not installed",
        )
        for place, name in enumerate(ours)
    ]  # fmt: skip


def _ville(streams: FloatArray) -> Callable[[], object] | None:
    if importlib.util.find_spec("ville") is None:
        return None
    from ville import BettingTest

    return lambda: [BettingTest(0.0, (-1.0, 1.0), "greater").fit(stream) for stream in streams]
