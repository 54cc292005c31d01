"""Exact tests of 0/1 answers under a capped number of pairs: McNemar's test, once or at scheduled looks.

Differences are -1, 0 or 1. Given which pairs differ, the number of wins is binomial with chance at most 1/2 under the
null "the mean difference is at most 0" (McNemar 1947, in its exact form). At several looks the walk of wins is followed
exactly (Armitage, McPherson & Rowe 1969), and each look may spend what the function of Lan & DeMets (1983) of the
O'Brien-Fleming type allows at its share of the pairs, so all looks together err with at most the level: no
asymptotics. A larger chance of loss only lowers every crossing chance, so the whole composite null is covered.

Not covered: graded scores. Their mean difference may be 0 while wins are far more frequent than losses, so a test that
counts signs is wrong for them; a t test is no way out either (``statistics.md`` 2.4). They need a betting form.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from netgain.evidence.betting import FloatArray, checked_differences

SMALLEST = 1e-300
"""What is left of a level at the first looks is never rounded to 0: its logarithm is written down."""


@dataclass(frozen=True)
class ExactState:
    """An exact test at its latest look, or at the look where it first rejected.

    ``p``: stage-wise p-value, the chance under the null of having rejected earlier or of at least so many wins now.
    ``spendable``: what the looks so far may spend; the null is rejected where ``p <= spendable``.
    ``pairs``: pairs asked up to that look, 0 before the first.
    """

    p: float
    spendable: float
    pairs: int

    @property
    def rejected(self) -> bool:
        """True when the null is rejected."""
        return self.pairs > 0 and self.p <= self.spendable


def scheduled_looks(max_pairs: int, analyses: int) -> tuple[int, ...]:
    """Return the pairs asked at which an exact test is looked at: even steps, the last at ``max_pairs``."""
    if max_pairs < 1 or analyses < 1:
        raise ValueError(f"max_pairs {max_pairs!r} and analyses {analyses!r} must be at least 1")
    return tuple(sorted({max(1, round(max_pairs * j / analyses)) for j in range(1, analyses + 1)}))


def spendable(level: float, share: float) -> float:
    """Return what looks up to a ``share`` of the pairs may spend: 2 - 2 Phi(z_{level/2} / sqrt(share)), all at 1."""
    if share >= 1.0:
        return level
    normal = NormalDist()
    return max(SMALLEST, 2.0 * normal.cdf(normal.inv_cdf(level / 2.0) / math.sqrt(share)))


def exact_sequential(
    differences: npt.ArrayLike, *, looks: Sequence[int], level: float, ended: bool = False
) -> ExactState:
    """Test "the mean difference is at most 0" at the scheduled looks that the data have come to.

    Args:
        differences: (n,) of -1, 0, 1; NaN is a missing pair, which counts towards the schedule and says nothing.
        looks: rising numbers of pairs asked; the last is the cap.
        level: error level of all looks together, in (0, 1).
        ended: no further pair can be had (for a reason other than the scores): what is there is the last look, which
            may spend all that is left.

    Raises:
        ValueError: a difference that is neither -1, 0 nor 1.
    """
    d = checked_differences(differences)
    if (graded := ~np.isnan(d) & (np.abs(d) != 1.0) & (d != 0.0)).any():
        value = float(d[graded][0])
        raise ValueError(f"difference {value!r} is graded: an exact test needs scores of 0 or 1, take a betting form")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level!r} is outside (0, 1)")
    won, lost = np.cumsum(d == 1.0), np.cumsum(d == -1.0)
    state, walk, before, spent = ExactState(1.0, level, 0), np.ones(1), 0, 0.0
    for at in _reached(d.size, looks, ended):
        share = 1.0 if ended and at == d.size else at / looks[-1]
        may, wins, steps = spendable(level, share), int(won[at - 1]), int(won[at - 1] + lost[at - 1])
        walk, before = _stepped(walk, steps - before), steps
        state = ExactState(min(1.0, spent + float(walk[wins:].sum())), may, at)
        if state.rejected:
            return state
        tails = np.cumsum(walk[::-1])  # tails[i]: the chance of one of the i + 1 largest numbers of wins
        bound = walk.size - int((tails <= may - spent).sum())
        spent += float(walk[bound:].sum())
        walk = walk[:bound]
    return state


def _reached(size: int, looks: Sequence[int], ended: bool) -> list[int]:
    """Return the looks that ``size`` pairs have come to; data that ended early are a last look of their own."""
    reached = [at for at in looks if at <= size]
    return [*reached, size] if ended and 0 < size < looks[-1] and size not in reached else reached


def _stepped(walk: FloatArray, steps: int) -> FloatArray:
    """Return the chances of every number of wins after ``steps`` more fair tosses, given those that went on so far."""
    return np.convolve(walk, _tosses(steps)) if steps else walk


@lru_cache(maxsize=1024)
def _tosses(steps: int) -> FloatArray:
    """Return the chances of 0 to ``steps`` wins in fair tosses: exact integers, divided once."""
    row = [1]
    for k in range(steps):
        row.append(row[-1] * (steps - k) // (k + 1))
    return np.array([chance / 2**steps for chance in row])
