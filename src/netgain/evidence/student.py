"""Student's t without scipy: distribution, quantile, and the interval of a mean over starts."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

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


def t_cdf(x: float, df: int) -> float:
    """Return P(T <= x) for a whole number of degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4: finite sums).

    Raises:
        ValueError: df below 1, or no whole number.
    """
    _whole(df)
    tail = _tail(math.atan(abs(x) / math.sqrt(df)), df)
    return 1.0 - tail if x > 0 else tail


@lru_cache(maxsize=256)
def t_quantile(p: float, df: int) -> float:
    """Return the x with P(T <= x) = ``p``, to rounding: bisection of the angle arctan(x / sqrt(df)).

    Raises:
        ValueError: p outside (0, 1), or df below 1 or no whole number.
    """
    _whole(df)
    if not 0.0 < p < 1.0:
        raise ValueError(f"p {p!r}: expected a probability between 0 and 1, ends excluded")
    level, low, high = min(p, 1.0 - p), 0.0, math.pi / 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _tail(middle, df) > level else (low, middle)
    return math.copysign(math.sqrt(df) * math.tan(low), p - 0.5)


def _whole(df: int) -> None:
    if df != int(df) or df < 1:
        raise ValueError(f"df {df!r}: expected a whole number of at least 1")


def _tail(angle: float, df: int) -> float:
    """P(T > t) at the angle arctan(t / sqrt(df)), 0 or above."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = df % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for k in range(1 + odd, df, 2):  # 1, 3, 5, ... for even df; 2, 4, ... for odd
        total += term
        term *= cosine**2 * k / (k + 1.0)
    inside = 2.0 / math.pi * (angle + sine * total) if odd else sine * total
    return (1.0 - inside) / 2.0
