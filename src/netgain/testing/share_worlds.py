"""Factorial studies of known shares: three surfaces, all eight arms of every start, items drawn, arms that are missing.

Public: an estimator of a third party can be run on the same studies. What a surface adds differs from start to start;
its mean is known, and with it the Shapley value of every surface, by a formula that the estimator does not use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from netgain.evidence.shapley import shapley
from netgain.evidence.student import CONFIDENCE, mean_interval

FloatArray = npt.NDArray[np.float64]
PLAYERS = 3
PAIRS = tuple(combinations(range(PLAYERS), 2))
LOWEST, HIGHEST = 0.10, 0.25  # scores of starts with nothing open, evenly


@dataclass(frozen=True, kw_only=True)
class ShareWorld:
    """What is true; scores are in [0, 1].

    Attributes:
        adds: mean of what each surface adds alone.
        pairs: mean of what two add together beyond that, in the order of `PAIRS`.
        triple: mean of what all three add beyond their pairs.
        uneven: what one surface or pair adds in one start is its mean times a number that is even in 1 - uneven to
            1 + uneven.
        stalled: share of starts in which nothing adds anything; the others add so much more that the means stay.
        missing: chance that an arm of a start has no score, whatever its score would have been.
        items: sealed items of a start, which all its arms answer independently.
    """

    adds: tuple[float, float, float]
    pairs: tuple[float, float, float] = (0.0, 0.0, 0.0)
    triple: float = 0.0
    uneven: float = 1.0
    stalled: float = 0.0
    missing: float = 0.0
    items: int = 120

    def __post_init__(self) -> None:
        means, sides = (
            np.array([*self.adds, *self.pairs, self.triple]),
            np.array([[1 - self.uneven], [1 + self.uneven]]),
        )
        least, most = ((one(means * sides, axis=0) / (1 - self.stalled)) @ _terms() for one in (np.min, np.max))
        if LOWEST + least.min() < 0 or HIGHEST + most.max() > 1:
            raise ValueError(f"{self!r}: scores could leave [0, 1]; let the surfaces add less, or less unevenly")

    @property
    def shares(self) -> FloatArray:
        """(3,) mean Shapley value of each surface: its own part, half of each of its pairs, a third of the triple."""
        halves = [
            sum(one for pair, one in zip(PAIRS, self.pairs, strict=True) if at in pair) / 2 for at in range(PLAYERS)
        ]
        found: FloatArray = np.array(self.adds) + np.array(halves) + self.triple / 3
        return found


@dataclass(frozen=True)
class Coverage:
    """What the intervals of simulated studies did.

    Attributes:
        covered: (4,) share of studies whose interval holds the truth: three surfaces, and the gain that they share.
        without: (4,) share of studies with no interval, which do not cover.
    """

    covered: FloatArray
    without: FloatArray


def worlds() -> Mapping[str, ShareWorld]:
    """Worlds by name: additive ones and such with interactions, starts that stall, arms that are missing."""
    plain = ShareWorld(adds=(0.10, 0.06, 0.04))
    meeting = replace(plain, pairs=(0.05, 0.03, -0.02), triple=0.02)
    return {
        "additive": plain,
        "nothing to share": ShareWorld(adds=(0.0, 0.0, 0.0)),
        "surfaces that meet": meeting,
        "surfaces in each other's way": ShareWorld(adds=(0.15, 0.10, 0.05), pairs=(-0.10, -0.03, 0.0), uneven=0.5),
        "a tenth of starts stalled": replace(meeting, stalled=0.1),
        "arms missing": replace(meeting, missing=0.03),
        "stalled, arms missing": replace(meeting, stalled=0.1, missing=0.03),
        "few items": replace(meeting, items=30),
    }


def scores(world: ShareWorld, studies: int, starts: int, rng: np.random.Generator) -> FloatArray:
    """(studies, starts, 8) measured scores in the order of `evidence.shapley.mask_of`; NaN where an arm is missing."""
    shape = (studies, starts)
    means = np.array([*world.adds, *world.pairs, world.triple])
    each = means * (1 + world.uneven * rng.uniform(-1, 1, (*shape, len(means))))
    going = (rng.random(shape) >= world.stalled) / (1 - world.stalled)
    true = rng.uniform(LOWEST, HIGHEST, shape)[..., None] + going[..., None] * (each @ _terms())
    measured = rng.binomial(world.items, np.clip(true, 0.0, 1.0)) / world.items
    measured[rng.random(measured.shape) < world.missing] = np.nan
    return np.asarray(measured, dtype=np.float64)


def _terms() -> FloatArray:
    """(7, 8): which surfaces, pairs and triple count in which subset."""
    inside = np.array([[mask >> at & 1 for mask in range(1 << PLAYERS)] for at in range(PLAYERS)], dtype=np.float64)
    rows = [*inside, *(inside[one] * inside[two] for one, two in PAIRS), inside.prod(axis=0)]
    return np.array(rows)


def coverage(
    world: ShareWorld, studies: int, starts: int, rng: np.random.Generator, *, confidence: float = CONFIDENCE
) -> Coverage:
    """How often the report's intervals of shares hold the truth: Shapley values of starts, t intervals of means."""
    values = scores(world, studies, starts, rng)
    found = shapley(values.reshape(-1, 1 << PLAYERS)).reshape(studies, starts, PLAYERS)
    ends = intervals(np.concatenate([found, found.sum(axis=2, keepdims=True)], axis=2), confidence)
    truth = np.append(world.shares, world.shares.sum())
    known = np.isfinite(ends).all(axis=2)
    held = known & (ends[..., 0] <= truth) & (truth <= ends[..., 1])
    return Coverage(held.mean(axis=0), 1.0 - known.mean(axis=0))


def intervals(values: FloatArray, confidence: float = CONFIDENCE) -> FloatArray:
    """(studies, columns, 2) ends of the interval of each column's mean over (studies, starts, columns); NaN: none."""
    rows = np.moveaxis(values, 1, 2).reshape(-1, values.shape[1])
    found = [mean_interval(row, confidence=confidence) for row in rows]
    ends = [[np.nan if end is None else end for end in (one.low, one.high)] for one in found]
    return np.array(ends).reshape(len(values), values.shape[2], 2)


def table(found: Mapping[str, Coverage], columns: Sequence[str]) -> str:
    """Coverages as rows of text, a world each."""
    width = max(map(len, found))
    head = f"{'world':{width}}  " + "  ".join(f"{one:>8}" for one in columns) + "  no interval"
    rows = [f"{name:{width}}  " + "  ".join(f"{share:8.3f}" for share in one.covered) + f"  {one.without.max():11.3f}"
            for name, one in found.items()]  # fmt: skip
    return "\n".join([head, *rows])
