"""What is true of a world: its highest true rung and its true net gain, from many starts without item noise.

True scores are abilities, not answers. Controls are as they should be: a placebo without residue and without harm,
plain training run well and at full spend, nobody fed from elsewhere, every start its own. The gate is part of the loop,
so it runs on items as in a study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from netgain.gauntlet.answers import true_score
from netgain.gauntlet.improvers import true_accelerations, true_advantage
from netgain.gauntlet.lineage import GUARDS, SKILL, Bools, Floats, Ran, Starts, draw_starts, required, run_arms, suite
from netgain.gauntlet.world import CLAIMED, RECURSIVE, Conduct, Faults, World

STARTS = 10_000


@dataclass(frozen=True)
class Truth:
    """`rung`: highest true rung up to the claimed one, None below R1. `gain`: what the claim is about at its rung, as a
    rule the median over starts of the net gain (`claimed_gain`). `error`: standard error of that median."""

    rung: str | None
    gain: float
    error: float

    def bears(self, world: World) -> bool:
        """Whether the claim is true: its rung holds, and the net gain is above the claimed effect."""
        held = self.rung is not None and CLAIMED.index(self.rung) >= CLAIMED.index(world.asked.rung)
        return held and self.gain > world.asked.by


def truth_of(world: World, *, starts: int = STARTS) -> Truth:
    """The truth of a world. Equal where only measurements differ that no decision in the loop rests on."""
    return _truth(_really(world), starts)


def _really(world: World) -> World:
    """The world without everything that no system really has; hashable, so that equal truths are computed once."""
    gain = replace(world.gain, residual=0.0, harm_ordinary=0.0, harm_placebo=0.0, transfer=1.0)
    shown = world.faults
    faults = Faults(
        gate=shown.gate, route=shown.route, challenger=shown.challenger, unanswered=shown.unanswered,
        unscorable=shown.unscorable, cluster=shown.cluster, scorer=shown.scorer, second=shown.second,
        exploit=shown.exploit, leak=shown.leak, reworded=shown.reworded, carrier=shown.carrier,
    )  # fmt: skip
    conduct = Conduct(start_luck=world.conduct.start_luck, studies_before=world.conduct.studies_before)
    return World(gain=gain, faults=faults, conduct=conduct, asked=world.asked, improver=world.improver)


@lru_cache(maxsize=4096)
def _truth(world: World, starts: int) -> Truth:
    root = np.random.SeedSequence([20261128, starts])
    drawn, seed = root.spawn(2)
    begun = draw_starts(world, np.random.default_rng(drawn), starts, 1)
    ran = run_arms(world, begun, seed)
    held = None
    for rung in CLAIMED[: CLAIMED.index(world.asked.rung) + 1]:
        if not _holds(world, begun, ran, rung):
            break
        held = rung
    gains = net_gains(world, ran, world.asked.rung)
    error = 1.2533 * float(gains.std()) / starts**0.5  # of a median, as for a normal spread
    return Truth(held, claimed_gain(world, ran, world.asked.rung), error)


def claimed_gain(world: World, ran: Mapping[str, Ran], rung: str) -> float:
    """The number that a claim at a rung is about.

    The net gain of the typical start; with a share q, what all but the lowest 1 - q of starts exceed; with the analysis
    "mean" the smallest mean difference to a control. Of a version, whose world has no luck, it is that of any start.
    """
    if world.asked.analysis == "mean":
        return float(min(one.mean() for one in _differences(world, ran, rung)))
    return float(np.quantile(net_gains(world, ran, rung), 1.0 - world.asked.share))


def net_gains(world: World, ran: Mapping[str, Ran], rung: str) -> Floats:
    """(starts,) smallest true difference between the loop and the controls of a rung."""
    return np.asarray(np.min(_differences(world, ran, rung), axis=0))


def _differences(world: World, ran: Mapping[str, Ran], rung: str) -> list[Floats]:
    names = [*required(rung, moves=world.improver.moves)]
    names += [one for one in world.asked.beats if rung == world.asked.rung and one not in names]
    own = true_score(ran["self"].served[:, SKILL])
    return [np.asarray(own - true_score(ran[name].served[:, SKILL])) for name in names]


def _holds(world: World, starts: Starts, ran: Mapping[str, Ran], rung: str) -> bool:
    if claimed_gain(world, ran, rung) <= world.asked.by:
        return False
    if rung in RECURSIVE:
        return _recursive(world, starts, ran, rung)
    return rung != "R4" or all(float(kept.mean()) > 0.5 for kept in _kept(world, ran["self"]))


def _recursive(world: World, starts: Starts, ran: Mapping[str, Ran], rung: str) -> bool:
    """Whether in more than half of starts the last improver is worth more than its nulls; for R7, ever more."""
    rng = np.random.default_rng([20261128, starts.size])
    ahead = float(np.median(true_advantage(world, starts, ran, rng))) > world.asked.transplant_by
    if rung == "R6" or not ahead:
        return ahead
    return all(float(np.median(one)) > 0.0 for one in true_accelerations(world, starts, ran, rng))


def _kept(world: World, own: Ran) -> list[Bools]:
    """Per requirement of R4, (starts,) whether it holds: every guard within its margin, the late value kept."""
    axes: Any = suite(world.gain.guards)
    before = world.conduct.studies_before * world.gain.guard
    change = true_score(own.served[:, GUARDS:] + before) - true_score(own.served[:, GUARDS:] * 0 + 0.9)
    late = true_score(own.served[:, SKILL]) - true_score(own.half[:, SKILL])
    return [*(change[:, j] > -one.margin for j, one in enumerate(axes.guards)), late > -axes.gate_axis.margin]
