"""Student's t without scipy: distribution, quantile, and the interval of a mean over starts."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

TINY = 1e-300
CONFIDENCE = 0.95
ROUNDING = 1e-12  # scores are of the order of 1: what differs by less is equal


@dataclass(frozen=True)
class MeanInterval:
    """Mean over starts with its two-sided t interval, in the unit of the values.

    ``low`` and ``high`` are None where the spread is not known: fewer than two starts, or starts that are all equal.
    Rests on starts being independent and their values roughly normal; a rare failing start may not be among them.
    """

    mean: float | None
    low: float | None
    high: float | None
    starts: int


def mean_interval(values: npt.ArrayLike, *, confidence: float = CONFIDENCE) -> MeanInterval:
    """Return mean and t interval of (R,) values, one per start; NaN is a start without one and is left out."""
    each = np.asarray(values, dtype=np.float64)
    there = each[np.isfinite(each)]
    if not there.size:
        return MeanInterval(None, None, None, 0)
    mean = float(there.mean())
    if there.size < 2 or np.ptp(there) <= ROUNDING * max(1.0, float(np.abs(there).max())):  # no spread is no certainty
        return MeanInterval(mean, None, None, int(there.size))
    half = t_quantile(0.5 + confidence / 2, there.size - 1) * float(there.std(ddof=1)) / math.sqrt(there.size)
    return MeanInterval(mean, mean - half, mean + half, int(there.size))


def t_cdf(x: float, df: float) -> float:
    """Return P(T <= x) for ``df`` > 0 degrees of freedom: half an incomplete beta function on each side of 0.

    Raises:
        ValueError: df is not above 0.
    """
    if not df > 0:
        raise ValueError(f"df {df!r}: expected a number above 0")
    if math.isinf(x):
        return 1.0 if x > 0 else 0.0
    whole = df + x * x
    tail = 0.5 * _beta(df / whole, x * x / whole, df / 2, 0.5)
    return 1.0 - tail if x > 0 else tail


@lru_cache(maxsize=256)
def t_quantile(p: float, df: float) -> float:
    """Return the x with P(T <= x) = ``p``, by bisection to the last digit.

    Raises:
        ValueError: p outside (0, 1), or df not above 0.
    """
    if not 0.0 < p < 1.0:
        raise ValueError(f"p {p!r}: expected a probability between 0 and 1, ends excluded")
    if p < 0.5:
        return -t_quantile(1.0 - p, df)
    high = 1.0
    while t_cdf(high, df) < p:
        high *= 2.0
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_cdf(middle, df) < p else (low, middle)
    return high if p > 0.5 else 0.0


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b) (DLMF 8.17.22), by Lentz's continued fraction; rest = 1 - x."""
    if x <= 0.0 or rest <= 0.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):  # converges fast on the other side only
        return 1.0 - _beta(rest, x, b, a)
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    return math.exp(logs) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    value, ahead, behind = 1.0, 1.0, 0.0
    for step in range(1, 1000):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        behind = 1.0 / (1.0 + term * behind or TINY)
        ahead = 1.0 + term / ahead or TINY
        value *= ahead * behind
        if abs(ahead * behind - 1.0) < 1e-15:
            break
    return value
