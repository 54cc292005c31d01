"""The claim about one version: on the items' distribution this system scores higher than generation 0 by an effect.

Unit: items, answered by both systems in one run. Nothing here says anything about the loop that made the version: that
claim has starts as its unit (``design.md`` 6, ``statistics.md`` 1.7).

Bounds: for fixed bets lam the product of ``1 + lam (D_i - m)`` over independent items has an expectation of at most 1
when the mean of E[D_i] is at most m (independence, then the inequality of arithmetic and geometric means), whatever
the order, the kind of scores and the spread of difficulty; so has its mean over a grid of lam. Markov's inequality
gives the level at one look (Waudby-Smith & Ramdas, JRSS-B 2024, section 4, without the sequential part). The bound is
the m at which that mean is 1/level. For 0/1 scores and a claimed effect of 0 half of the level goes to the exact
McNemar test (binomial on the items that only one of the two solved), which is the sharper one there.

Not covered: items that depend on each other (several of one template or passage are one item).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.betting import BET_CAP, GRID, checked_differences
from netgain.evidence.looks import LookWord

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VersionGain:
    """The analysis of one version; effects are mean differences over items, in score points.

    ``look`` is the number of items compared, None without any. ``wins`` and ``losses`` count items on which the version
    scored higher and lower. ``mcnemar`` is the one-sided exact p, None for scores other than 0 and 1.
    """

    word: LookWord | None
    look: int | None
    starts: int
    missing: int
    wins: int
    losses: int
    mcnemar: float | None
    estimate: float | None
    low: float | None
    high: float | None
    confidence: float
    level: float
    reason: str

    @property
    def successes(self) -> int:
        """Items on which the version scored higher."""
        return self.wins

    @property
    def next_look(self) -> None:
        """A version is looked at once."""
        return None


def version_gain(own: npt.ArrayLike, first: npt.ArrayLike, *, delta: float, level: float = 0.05) -> VersionGain:
    """Return word, estimate and interval of "this version scores more than delta above generation 0".

    Args:
        own: (n,) scores of the version in [0, 1], NaN missing.
        first: (n,) scores of generation 0 on the same items.
        delta: The claimed effect.
        level: One-sided level of each word; the interval has confidence 1 - 2 level.

    Raises:
        ValueError: Shapes differ, or a score is out of range.
    """
    left, right = np.asarray(own, dtype=np.float64), np.asarray(first, dtype=np.float64)
    if left.ndim != 1 or left.shape != right.shape:
        raise ValueError(f"scores {left.shape} and {right.shape} must be two arrays of one shape (n,)")
    differences = checked_differences(left - right)
    d = differences[~np.isnan(differences)]
    wins, losses = int((d > 0).sum()), int((d < 0).sum())
    yes_no = bool(d.size) and bool(np.isin(d, (-1.0, 0.0, 1.0)).all())
    both = mcnemar_tail(wins, losses), mcnemar_tail(losses, wins)
    exact = yes_no and delta == 0.0
    each = level / 2.0 if exact else level
    low, high = (bounded_lower(d, each), -bounded_lower(-d, each)) if d.size else (None, None)
    if exact and low is not None and high is not None:
        low = max(low, 0.0) if both[0] <= each else low
        high = min(high, 0.0) if both[1] <= each else high
    up = low is not None and (low > delta or (exact and both[0] <= each))
    down = high is not None and (high < delta or (exact and both[1] <= each))
    word: LookWord | None = "SUPPORTED" if up else "REFUTED" if down else None
    return VersionGain(
        word=word,
        look=int(d.size) or None,
        starts=int(d.size),
        missing=int(left.size - d.size),
        wins=wins,
        losses=losses,
        mcnemar=both[0] if yes_no else None,
        estimate=float(d.mean()) if d.size else None,
        low=low,
        high=high,
        confidence=1.0 - 2.0 * level,
        level=level,
        reason=_reason(word, int(d.size), wins, losses, delta, low, high),
    )


def _reason(
    word: LookWord | None, items: int, wins: int, losses: int, delta: float, low: float | None, high: float | None
) -> str:
    if low is None or high is None:
        return "no sealed item was answered by both the version and generation 0"
    where = {"SUPPORTED": "above", "REFUTED": "not above", None: "on neither side of"}[word]
    return (
        f"over {items} items ({wins} better, {losses} worse) the gain lies in [{low:+.4f}, {high:+.4f}], "
        f"{where} the claimed {delta:g}"
    )


def mcnemar_tail(wins: int, losses: int) -> float:
    """Return P(Bin(wins + losses, 1/2) >= wins): the exact one-sided McNemar test (1947), in whole numbers."""
    n = wins + losses
    term, total = math.comb(n, wins), 0
    for i in range(wins, n + 1):
        total += term
        term = term * (n - i) // (i + 1)
    return float(total / 2**n)


def bounded_lower(differences: FloatArray, level: float) -> float:
    """Return the lower bound at ``level`` of the mean of independent differences in [-1, 1]; bisection to rounding.

    -1 when no smaller mean is excluded.
    """
    values, counts = np.unique(differences, return_counts=True)
    low, high = -1.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _log_e(values, counts, middle) >= math.log(1.0 / level) else (low, middle)
    return low


def _log_e(values: FloatArray, counts: npt.NDArray[np.int64], null: float) -> float:
    """Return log of the mean, over the grid of fixed bets, of the product over items; decreasing in the null."""
    bets = np.minimum(np.array(GRID), BET_CAP / (1.0 + null))
    logs = np.log1p(bets[:, None] * (values - null)) @ counts
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).mean()))
