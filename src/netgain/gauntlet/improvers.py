"""Improvers of many starts, each moved alone onto generation 0 of other starts of its study for one round.

What R6 and R7 rest on (`netgain.transplant`, `evidence.transplant`): the last improver, the one at half of the horizon,
and three nulls, all tried on the same foreign starts and the same sealed items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.transplant import DRIFTED, FIRST, HALF, LAST, SHUFFLED
from netgain.gauntlet.answers import difficulties, luck, right, true_score
from netgain.gauntlet.lineage import AXIS, Bools, Floats, Ran, Starts, suite
from netgain.gauntlet.world import World
from netgain.run import half_of

Ints = npt.NDArray[np.int64]
FOREIGN = 2  # starts that every improver is tried on, as `stages.Transplant` has it


@dataclass(frozen=True)
class Moves:
    """Answers after one moved round: `scores` improver -> (starts, FOREIGN, items); `onto` (starts, FOREIGN) places."""

    scores: Mapping[str, Bools]
    onto: Ints


def onto(starts: int, group: int) -> Ints:
    """(starts, FOREIGN) places of foreign starts: the next ones of the same study, in a circle."""
    place = np.arange(starts)
    first, own = place - place % group, place % group
    return np.stack([first + (own + step) % group for step in range(1, min(FOREIGN, group - 1) + 1)], axis=1)


def worths(
    world: World, ran: Mapping[str, Ran], rng: np.random.Generator, *, grown_null: bool = False
) -> dict[str, Floats]:
    """Improver -> (starts,) what one round by it really adds to a foreign start.

    An improver is the system that was served: where nothing was released, it is that of generation 0.

    Args:
        grown_null: take the null `shuffled` as it should be, grown over the whole horizon whatever a gate said.
    """
    own, rounds, improver = ran["self"], world.asked.rounds, world.improver
    told = improver.content + improver.feedback
    grown = {LAST: np.where(own.changed, _curve(world, own.steps / rounds), 0.0),
             HALF: np.where(own.half_changed, _curve(world, np.asarray(half_of(rounds) / rounds)), 0.0)}  # fmt: skip
    found: dict[str, Floats] = {name: np.asarray(improver.worth + told * share) for name, share in grown.items()}
    found[FIRST] = np.full(own.steps.size, improver.worth)
    found[DRIFTED] = improver.worth + improver.change * grown[LAST]
    kept = ran["placebo"].changed | ran["placebo"].ahead  # what it works with, released or not
    found[SHUFFLED] = improver.worth + np.where(kept | grown_null, improver.feedback, 0.0)
    return {name: one + improver.scatter * rng.standard_normal(one.size) for name, one in found.items()}


def _curve(world: World, x: Floats) -> Floats:
    """Share of what an improver gains that it has after a share x of the horizon."""
    return np.asarray({"steady": x, "late": x**2, "early": np.sqrt(x)}[world.improver.curve])


def moved(world: World, starts: Starts, ran: Mapping[str, Ran], group: int, rng: np.random.Generator) -> Moves:
    """Move the improvers of starts that were run together, and ask what they made the block of their own start.

    Args:
        group: starts of one study.
    """
    places, items = onto(starts.size, group), suite(world.gain.guards)[AXIS].sealed_items
    hard = difficulties(rng, starts.size, items)
    scores = {
        name: np.stack([right(starts.base[place] + worth, hard, luck(rng, starts.size, items))
                        for place in places.T], axis=1)
        for name, worth in worths(world, ran, rng).items()
    }  # fmt: skip
    return Moves(scores, places)


def true_advantage(world: World, starts: Starts, ran: Mapping[str, Ran], rng: np.random.Generator) -> Floats:
    """(starts,) by how much a round by the last improver exceeds one by its best null, without item noise."""
    found = _true(world, starts, ran, rng)
    return np.asarray(found[LAST] - np.max([found[FIRST], found[DRIFTED], found[SHUFFLED]], axis=0))


def true_accelerations(world: World, starts: Starts, ran: Mapping[str, Ran], rng: np.random.Generator) -> list[Floats]:
    """Per scale, (starts,) second difference of what the improver is worth: last - 2 half + first."""
    found = _true(world, starts, ran, rng)
    logits = {name: np.log(one / (1.0 - one)) for name, one in found.items()}
    return [np.asarray(scale[LAST] - 2.0 * scale[HALF] + scale[FIRST]) for scale in (found, logits)]


def _true(world: World, starts: Starts, ran: Mapping[str, Ran], rng: np.random.Generator) -> dict[str, Floats]:
    foreign = np.roll(starts.base, 1)
    worth = worths(world, ran, rng, grown_null=True)
    return {name: true_score(foreign + one) for name, one in worth.items()}
