"""A (1+1) evolution strategy with four numbers of its own, run on many functions at once.

Rechenberg (1973); a success lengthens the step and a failure shortens it. The same strategy edits its own four numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.recipes.improver.tasks import DECADES, STEPS, Batch, Floats, values

NAMES = ("log10 of the first step", "log of growth after success", "log of shrinkage after failure",
         "logit of the share of coordinates moved")  # fmt: skip
LOW = np.array([-4.0, 0.0, -1.5, -2.0])
HIGH = np.array([1.0, 1.5, 0.0, 4.0])
UNIT = (HIGH - LOW) / 4.0  # what a step of 1 means for each of its own numbers
POOR = np.array([-2.0, 0.0, 0.0, 4.0])  # generation 0: a step of .01 that never changes
SHORTEST, LONGEST = 1e-12, 1e6
EDITS = 8  # of a try
FURTHEST = 1e3  # to which success and failure stretch a first step

Edits = Callable[[Floats, float], Floats]


def admissible(numbers: Floats) -> Floats:
    """Into the boxes."""
    return np.clip(numbers, LOW, HIGH)


def solved(numbers: Floats, given: Batch) -> tuple[Floats, Floats]:
    """Run strategies on functions, 120 evaluations each.

    Args:
        numbers: (m, 4) strategies.
        given: t functions.

    Returns:
        (m, t, 12) best points, and (m, t) scores in [0, 1].
    """
    points = np.repeat(given.first[:, None, :], len(numbers), axis=1)  # (t, m, 12): one matrix product a function
    first = values(given.family, given.matrix, given.used, points)
    best, tried = first.copy(), np.empty_like(points)
    step = np.repeat(10.0 ** numbers[None, :, 0], len(points), axis=0)
    grow, shrink = np.exp(numbers[None, :, 1]), np.exp(numbers[None, :, 2])
    lots = given.lots[:, :, None] < 1.0 / (1.0 + np.exp(-numbers[:, 3]))[:, None]
    moves = lots * given.steps[:, :, None]  # (steps, t, m, 12)
    for at in range(STEPS):
        np.add(points, np.multiply(step[..., None], moves[at], out=tried), out=tried)
        found = values(given.family, given.matrix, given.used, tried)
        better = found < best
        np.copyto(best, found, where=better)
        np.copyto(points, tried, where=better[..., None])
        step *= np.where(better, grow, shrink)
        np.minimum(LONGEST, np.maximum(SHORTEST, step, out=step), out=step)
    fallen = (np.log10(first) - np.log10(np.maximum(best, 1e-300))) / DECADES
    return points.swapaxes(0, 1), np.clip(fallen, 0.0, 1.0).T


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
        found = solved(np.vstack([numbers, made]), functions)[1].mean(axis=1)
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
