"""Ratios of two mean gains over the same starts, with Fieller's set, which may be unbounded."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.student import CONFIDENCE, mean_interval, t_quantile

FloatArray = npt.NDArray[np.float64]
SAME = 1e-12  # of a mean: below it, differences between starts are rounding
SHAPES = ("interval", "ray", "complement", "line")


@dataclass(frozen=True)
class Region:
    """Values of a ratio that the data do not exclude.

    Attributes:
        shape: "interval" [low, high]; "ray" with one end None; "complement": everything but (low, high); "line": all.
        low, high: ends; None where there is none.
    """

    shape: str
    low: float | None = None
    high: float | None = None

    def holds(self, ratio: float) -> bool:
        """Return whether a ratio is in the set."""
        low, high = (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)
        return ratio <= low or ratio >= high if self.shape == "complement" else low <= ratio <= high


@dataclass(frozen=True)
class Ratio:
    """A ratio of means; ``estimate`` is None, with the reason, where it must not be reported, ``region`` where unknown.

    Never clipped: a value below 0 or above 1 stays what it is.
    """

    estimate: float | None
    region: Region | None
    starts: int
    reason: str = ""


def fieller(above: npt.ArrayLike, below: npt.ArrayLike, *, confidence: float = CONFIDENCE) -> Region:
    """Return {rho : |mean(a - rho b)| <= t s(a - rho b) / sqrt(R)} for paired (R,) values a and b.

    Fieller (1954); ``method.md`` 1.9. The set is where a quadratic in rho is at most 0, and always holds the ratio of
    the means. Both arrays without NaN.

    Raises:
        ValueError: shapes differ, or fewer than two starts.
    """
    a, b = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or a.size < 2:
        raise ValueError(f"shapes {a.shape} and {b.shape}: expected two (R,) arrays of the same starts, R at least 2")
    scale = t_quantile(0.5 + confidence / 2, a.size - 1) ** 2 / a.size
    cov = np.cov(np.stack([a, b]), ddof=1)
    square = float(b.mean() ** 2 - scale * cov[1, 1])
    linear = float(a.mean() * b.mean() - scale * cov[0, 1])
    constant = float(a.mean() ** 2 - scale * cov[0, 0])
    return _at_most_zero(square, linear, constant)


def _at_most_zero(square: float, linear: float, constant: float) -> Region:
    """Return where square rho^2 - 2 linear rho + constant <= 0."""
    if square == 0.0:
        if linear == 0.0:
            return Region("line")
        end = constant / (2 * linear)
        return Region("ray", low=end) if linear > 0 else Region("ray", high=end)
    inside = linear**2 - square * constant
    if square < 0 and inside <= 0:
        return Region("line")
    root = math.sqrt(max(inside, 0.0))
    ends = sorted(((linear - root) / square, (linear + root) / square))
    return Region("interval" if square > 0 else "complement", *ends)


def ratio_of_means(above: npt.ArrayLike, below: npt.ArrayLike, *, confidence: float = CONFIDENCE) -> Ratio:
    """Return mean(a) / mean(b) over the starts that have both, or why it is not reported.

    Not reported unless the lower bound of the denominator's mean is above 0: a share of a gain that is not shown means
    nothing.
    """
    a, b = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    found = mean_interval(b, confidence=confidence)
    if found.low is None or found.mean is None:
        return Ratio(None, None, int(a.size), f"{a.size} starts with both gains, and no spread that could be bounded")
    if found.low <= 0.0:
        return Ratio(None, None, int(a.size), f"the lower bound of the denominator, {found.low:+.3f}, is not above 0")
    ratio = float(a.mean()) / found.mean
    if np.ptp(a - ratio * b) <= SAME * found.mean:  # no spread is no certainty
        why = "no set: it is the same in all starts"
        return Ratio(ratio, None, int(a.size), why)
    return Ratio(ratio, fieller(a, b, confidence=confidence), int(a.size))


def one_minus(ratio: Ratio) -> Ratio:
    """Return 1 - ratio, as in the share that a guard has in a gain: the ends change places."""
    if ratio.estimate is None:
        return ratio
    if ratio.region is None:
        return Ratio(1.0 - ratio.estimate, None, ratio.starts, ratio.reason)
    low, high = (None if end is None else 1.0 - end for end in (ratio.region.high, ratio.region.low))
    return Ratio(1.0 - ratio.estimate, Region(ratio.region.shape, low, high), ratio.starts)
