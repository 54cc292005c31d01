"""A (1+1) evolution strategy with four numbers of its own, run on many functions at once.

Rechenberg (1973); a success lengthens the step and a failure shortens it. The same strategy edits its own four numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.recipes.improver.tasks import DECADES, MOST, STEPS, Batch, Floats, values

NAMES = ("log10 of the first step", "log of growth after success", "log of shrinkage after failure",
         "logit of the share of coordinates moved")  # fmt: skip
LOW = np.array([-4.0, 0.0, -1.5, -2.0])
HIGH = np.array([1.0, 1.5, 0.0, 4.0])
UNIT = (HIGH - LOW) / 4.0  # what a step of 1 means for each of its own numbers
POOR = np.array([-2.0, 0.0, 0.0, 4.0])  # generation 0: a step of .01 that never changes
SHORTEST = 1e-12  # step; one that is much too long never succeeds, so that nothing has to hold it
TOGETHER = 30  # evaluations that are prepared at once
EDITS = 8  # of a try
FURTHEST = 1e3  # to which success and failure stretch a first step

Edits = Callable[[Floats, float], Floats]


def admissible(numbers: Floats) -> Floats:
    """Into the boxes."""
    return np.clip(numbers, LOW, HIGH)


def solved(numbers: Floats, given: Batch) -> tuple[Floats, Floats]:
    """Run strategies on functions, 120 evaluations each, in single precision.

    Args:
        numbers: (m, 4) strategies.
        given: t functions.

    Returns:
        (m, t, 12) best points, and (m, t) scores in [0, 1].
    """
    points = np.repeat(given.first[:, :, None], len(numbers), axis=2)
    scores = scored(numbers, given, points)
    return points.transpose(2, 0, 1), scores


def scored(numbers: Floats, given: Batch, points: Floats | None = None) -> Floats:
    """The (m, t) scores of `solved`; `points`, (t, 12, m), are moved along where they are given.

    All strategies and functions are one row of numbers, and only turned points are followed: no product of matrices is
    left in the steps. A few evaluations at a time are drawn and turned, so that they stay in the processor's cache.
    """
    several, many = len(numbers), len(given.first)
    begun = np.einsum("ti,tij->jt", given.first, given.matrix).astype(np.float32)
    at = np.repeat(begun, several, axis=1)
    first, turn = values(given.family, at), given.matrix.astype(np.float32).swapaxes(1, 2)
    best, tried, spare = first.copy(), np.empty_like(at), np.empty_like(at)
    step, grow, shrink = (np.tile(one.astype(np.float32), many) for one in _steps(numbers))
    share = (1.0 / (1.0 + np.exp(-numbers[:, 3]))).astype(np.float32)
    for begin in range(0, STEPS, TOGETHER):
        some = slice(begin, begin + TOGETHER)
        moves = (given.lots[:, :, some, None] < share) * given.steps[:, :, some, None]  # (t, 12, TOGETHER, m)
        ways = (turn @ moves.reshape(many, MOST, -1)).reshape(moves.shape)
        gone = np.empty((TOGETHER, many * several), dtype=np.float32)
        for now, way in enumerate(np.ascontiguousarray(ways.transpose(2, 1, 0, 3)).reshape(TOGETHER, MOST, -1)):
            np.add(at, np.multiply(step, way, out=tried), out=tried)
            found = values(given.family, tried, spare)
            better = found < best
            np.copyto(at, tried, where=better)
            np.minimum(best, found, out=best)
            if points is not None:
                np.multiply(step, better, out=gone[now])
            np.maximum(SHORTEST, np.multiply(step, np.where(better, grow, shrink), out=step), out=step)
        if points is not None:
            taken = gone.reshape(TOGETHER, many, several)
            points += np.einsum("ticm,ctm->tim", moves, taken, dtype=np.float64)  # so a sum's order shows nowhere
    fell = np.log10(first.astype(np.float64)) - np.log10(np.maximum(best.astype(np.float64), 1e-300))
    return np.clip(fell / DECADES, 0.0, 1.0).reshape(many, several).T


def _steps(numbers: Floats) -> tuple[Floats, Floats, Floats]:
    """First steps, growth after a success and shrinkage after a failure, (m,) each."""
    return 10.0 ** numbers[:, 0], np.exp(numbers[:, 1]), np.exp(numbers[:, 2])


@dataclass(frozen=True)
class Climb:
    """What a chain of tries was.

    Attributes:
        steps: (tries * 8, 4) every edit that was tried, as a difference from what it was tried on.
        taken: (tries * 8,) whether it was the best of its try and better than what it was tried on.
        stretch: what success and failure have made of the first step.
        before, after: mean score of what a try began with and of its best edit, means over tries.
        ran: runs of a strategy on a function.
    """

    steps: Floats
    taken: npt.NDArray[np.bool_]
    stretch: float
    before: float
    after: float
    ran: int


def climb(numbers: Floats, edits: Edits, stretch: float, improver: Floats, given: Iterable[Batch]) -> Climb:
    """Try edits, take the best one where it is better, and go on from there; one try for each batch of functions.

    Args:
        numbers: (4,) what is edited.
        edits: (numbers, stretch) -> (8, 4) edited numbers.
        stretch: of the improver's first step.
        improver: (4,) whose growth and shrinkage change the stretch.
        given: functions of each try.
    """
    steps, taken, scores, ran = [], [], [], 0
    for functions in given:
        made = edits(numbers, stretch)
        found = scored(np.vstack([numbers, made]), functions).mean(axis=1)
        best = 1 + int(np.argmax(found[1:]))
        better = bool(found[best] > found[0])
        steps.append(made - numbers)
        taken.append(np.arange(1, len(found)) == (best if better else 0))
        scores.append((found[0], found[best]))
        ran += len(found) * len(functions.first)
        numbers = made[best - 1] if better else numbers
        stretch = min(FURTHEST, max(1.0 / FURTHEST, stretch * float(np.exp(improver[1 if better else 2]))))
    before, after = np.mean(scores, axis=0).tolist()
    return Climb(np.vstack(steps).astype(np.float64), np.concatenate(taken), stretch, before, after, ran)


def stepping(improver: Floats, rng: np.random.Generator) -> Edits:
    """Edits as a strategy would step: with its first step, times the stretch, and its share of coordinates."""
    share = 1.0 / (1.0 + np.exp(-improver[3]))

    def edits(numbers: Floats, stretch: float) -> Floats:
        moved = rng.standard_normal((EDITS, 4)) * (rng.random((EDITS, 4)) < share)
        return admissible(numbers + UNIT * 10.0 ** improver[0] * stretch * moved)

    return edits


def anywhere(rng: np.random.Generator) -> Edits:
    """Strategies drawn evenly from the boxes, wherever one stands."""
    return lambda numbers, stretch: LOW + (HIGH - LOW) * rng.random((EDITS, 4))


def first_step_alone(edits: Edits) -> Edits:
    """Edits of which only the first number counts."""

    def alone(numbers: Floats, stretch: float) -> Floats:
        made = np.tile(numbers, (EDITS, 1))
        made[:, 0] = edits(numbers, stretch)[:, 0]
        return made

    return alone


def as_numbers(stored: Sequence[float]) -> Floats:
    """A system's numbers as an array."""
    return np.asarray(stored, dtype=np.float64)
