"""Sealed scores of many starts: every arm of a start on the start's own block, as the seal asks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netgain.gauntlet.answers import difficulties, luck, right
from netgain.gauntlet.lineage import (
    AXIS,
    GUARDS,
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
        for name, own in ran.items():
            shift = world.faults.drift_pass * rng.standard_normal(starts.size) if axis.name == AXIS else 0.0
            roles = {"served": (own.served, own.changed)}
            if name == "self" and axis.name == AXIS:
                roles["listed"] = (own.half, own.half_changed)
            for role, (traits, changed) in roles.items():
                system = np.where(changed[:, None], traits, first)
                noise = np.where(changed[:, None], luck(rng, *size, cluster), plain)
                answers = right(_ability(system, axis.name, place) + shift, hard, noise)
                found[name, role, axis.name] = _sheets(world, answers, system, once, rng)
    return found


def _ability(traits: Floats, axis: str, place: int) -> Floats:
    if axis == AXIS:
        return np.asarray(traits[:, SKILL] + traits[:, SEALED])
    return np.asarray(traits[:, SIBLING] if axis == "sibling" else traits[:, GUARDS + place - 1])


def _sheets(world: World, answers: Bools, traits: Floats, once: Floats | None, rng: np.random.Generator) -> Sheets:
    """What stands in the log: items met in training are answered right and quarantined; others can be missing."""
    faults, missing = world.faults, {}
    if once is not None and faults.met:
        met = once < traits[:, MET, None]
        answers, missing[TRAINED_ON] = answers | met, met
    if once is not None and (faults.unanswered or faults.unscorable):
        fate = rng.random(answers.shape)
        missing[NO_ANSWER] = ~answers & (fate < traits[:, SILENT, None])
        missing[NOT_FINITE] = ~answers & (fate > 1.0 - traits[:, UNSCORABLE, None])
    return Sheets(answers, missing)
