"""Confidence sequences: an interval for a mean difference that holds at every stopping time at once.

A value m is out when the capital against "the mean is at most m" or against "the mean is at least m" has ever reached
2 / alpha (Waudby-Smith & Ramdas, JRSS-B 2024, section 4.2, on the bets of ``betting.py``). Ville's bound is over all
times, so the interval may be read when a gate stops, which a point estimate may not: it is the larger for having been
promoted (``statistics.md`` 2.7).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.betting import FloatArray, checked_differences, log_capital

GRID = 401
"""Values of m that are tried, evenly over [-1, 1]: steps of half a point."""


@dataclass(frozen=True)
class Bounds:
    """Where a mean difference lies, with ``confidence`` at all times at once; in score points of [-1, 1]."""

    low: float
    high: float
    confidence: float
    pairs: int


def confidence_sequence(
    differences: npt.ArrayLike, *, alpha: float, gain: float, planned_second_moment: float, grid: int = GRID
) -> Bounds:
    """Return the interval after the differences so far, the intersection of those at all earlier times.

    Both ends are rounded outwards to the grid, so the interval is never too narrow by it. It is [-1, 1] without data.

    Args:
        differences: (n,) in [-1, 1], NaN where a pair is missing.
        alpha: chance of ever leaving the truth out, both sides together, in (0, 1).
        gain, planned_second_moment: what the bets are tuned for, as in ``log_capital``; they move the width, not the
            coverage.
        grid: values of m tried.

    Raises:
        ValueError: a number out of range.
    """
    if not 0.0 < alpha < 1.0 or grid < 3:
        raise ValueError(f"alpha {alpha!r} must lie in (0, 1) and grid {grid!r} be at least 3")
    d = checked_differences(differences)
    m = np.linspace(-1.0, 1.0, grid)[1:-1]
    design = {"gain": gain, "planned_second_moment": planned_second_moment}
    low = _lower(d, m, np.log(2.0 / alpha), design)
    high = -_lower(-d, m, np.log(2.0 / alpha), design)
    return Bounds(low, max(low, high), 1.0 - alpha, int((~np.isnan(d)).sum()))


def _lower(d: FloatArray, m: FloatArray, threshold: float, design: dict[str, float]) -> float:
    """Return the largest value of the grid up to which every mean is excluded from below; -1 where none is.

    The capital against "at most m" falls with m, so the excluded values are a beginning of the grid: bisection, a few
    rows of capital instead of all of them.
    """
    first, last = -1, m.size  # m[first] is excluded, m[last] is not
    while last - first > 1:
        middle = (first + last) // 2
        path = log_capital(d, null=float(m[middle]), **design)
        first, last = (middle, last) if path.size and path.max() >= threshold else (first, middle)
    return float(m[first]) if first >= 0 else -1.0
