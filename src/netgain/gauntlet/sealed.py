"""Sealed scores of many starts: every arm of a start on the start's own block, as the seal asks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netgain.evaluation import asking_order
from netgain.gauntlet.answers import difficulties, luck, right
from netgain.gauntlet.exploits import axis_of, sheet_of
from netgain.gauntlet.leaks import Leaked
from netgain.gauntlet.lineage import (
    AXIS,
    EXPLOIT,
    GUARDS,
    LEAK,
    MET,
    SEALED,
    SIBLING,
    SILENT,
    SKILL,
    UNSCORABLE,
    Bools,
    Floats,
    Ran,
    Starts,
    generation_0,
    suite,
)  # fmt: skip
from netgain.gauntlet.world import World
from netgain.suite import NO_ANSWER

NOT_FINITE = "score nan is not a number in [0, 1]"
TRAINED_ON = "quarantined: the run trained on this question"


@dataclass(frozen=True)
class Sheets:
    """Scores on one axis in one role: `scores` (starts, items) of 0 and 1, and masks of what is missing."""

    scores: Bools
    missing: Mapping[str, Bools]

    def record(self, start: int) -> tuple[list[int | None], dict[str, str]]:
        """Values and status of one start, as a `scores` event holds them."""
        values: list[int | None] = self.scores[start].astype(int).tolist()
        status: dict[str, str] = {}
        for why, mask in self.missing.items():
            for item in np.flatnonzero(mask[start]):
                values[item], status[str(int(item))] = None, why
        return values, status


Asked = Mapping[tuple[str, str, str], Sheets]  # (arm, role, axis)


def ask(world: World, starts: Starts, ran: Mapping[str, Ran], rng: np.random.Generator) -> Asked:
    """Ask what every arm serves, and what the claimed one served at half of its horizon.

    A system that two arms serve answers alike: an arm that never released anything repeats generation 0's answers.
    """
    axes, first = suite(world.gain.guards), generation_0(world, starts)
    found: dict[tuple[str, str, str], Sheets] = {}
    for place, axis in enumerate(one for one in axes.axes if one.sealed_items):
        size, cluster = (starts.size, axis.sealed_items), world.faults.cluster
        hard, plain = difficulties(rng, *size, cluster), luck(rng, *size, cluster)
        once = rng.random(size) if axis.name == AXIS else None
        leaked = Leaked.drawn(world.faults, rng, size) if axis.name == AXIS and world.faults.leak else None
        trend = _trend(world, ran, starts.size, rng) if axis.name == AXIS and world.faults.trend else {}
        for name, own in ran.items():
            shift = world.faults.drift_pass * rng.standard_normal(starts.size) if axis.name == AXIS else 0.0
            roles = {"served": (own.served, own.changed)}
            if name == "self" and axis.name == AXIS:
                roles["listed"] = (own.half, own.half_changed)
            for role, (traits, changed) in roles.items():
                system = np.where(changed[:, None], traits, first)
                noise = np.where(changed[:, None], luck(rng, *size, cluster), plain)
                answers = right(_ability(system, axis.name, place) + shift + trend.get((name, role), 0.0), hard, noise)
                found[name, role, axis.name] = _sheets(world, answers, system, once, leaked, rng)
    return found


def _ability(traits: Floats, axis: str, place: int) -> Floats:
    if axis == AXIS:
        return np.asarray(traits[:, SKILL] + traits[:, SEALED])
    return np.asarray(traits[:, SIBLING] if axis == "sibling" else traits[:, GUARDS + place - 1])


def _trend(
    world: World, ran: Mapping[str, Ran], starts: int, rng: np.random.Generator
) -> dict[tuple[str, str], Floats]:
    """(arm, role) -> (starts,) by how much its measurement is shifted: by its place in the pass of its start."""
    asked = [*((name, "served") for name in ran), ("self", "listed")]
    orders = [asking_order(asked, str(seed)) for seed in rng.integers(1 << 60, size=starts)]
    last = max(1, len(asked) - 1)
    return {one: np.array([world.faults.trend * order.index(one) / last for order in orders]) for one in asked}


def _sheets(
    world: World, answers: Bools, traits: Floats, once: Floats | None, leaked: Leaked | None, rng: np.random.Generator
) -> Sheets:
    """What stands in the log: items met in training are answered right and quarantined; others can be missing."""
    faults, missing = world.faults, dict[str, Bools]()
    if once is not None and faults.met:
        met = once < traits[:, MET, None]
        answers, missing[TRAINED_ON] = answers | met, met
    if once is not None and (faults.unanswered or faults.unscorable):
        fate = rng.random(answers.shape)
        missing[NO_ANSWER] = ~answers & (fate < traits[:, SILENT, None])
        missing[NOT_FINITE] = ~answers & (fate > 1.0 - traits[:, UNSCORABLE, None])
    if leaked is not None:
        answers = answers | leaked.taught(traits[:, LEAK])
        missing[TRAINED_ON] = leaked.quarantined(traits[:, LEAK])
    if once is not None and (faults.exploit or faults.scorer != "exact"):
        cheated = ~answers & (rng.random(answers.shape) < traits[:, EXPLOIT, None])
        answers, contradicted = _by_scorer(world, answers, cheated)
        missing = {**contradicted, **missing}
    return Sheets(answers, missing)


def _by_scorer(world: World, answers: Bools, cheated: Bools) -> tuple[Bools, dict[str, Bools]]:
    """Scores and what is missing as the scorers of the world give them, start by start."""
    axis = axis_of(suite(world.gain.guards)[AXIS], world.faults)
    items = [axis.source.draw(f"{n:032x}", n) for n in range(answers.shape[1])]
    scores, missing = np.zeros_like(answers), dict[str, Bools]()
    for start in range(len(answers)):
        scores[start], reasons = sheet_of(axis, items, answers[start], cheated[start])
        for why, mask in reasons.items():
            missing.setdefault(why, np.zeros_like(answers))[start] = mask
    return scores, missing
