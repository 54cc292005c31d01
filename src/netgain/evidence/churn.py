"""What a change did item by item: what was lost and what was won; and how far a gain is aimed at its own axis.

A mean that stands still can hide that every second ability was exchanged for another. Nothing here decides a verdict.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.ratios import Ratio, one_minus, ratio_of_means

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Churn:
    """Shares of the items that both systems have a score on; all None without any.

    Attributes:
        lost, won: items whose score is lower, and higher, than before.
        churn: their sum; the change of the mean is their difference where scores are 0 or 1.
        items: how many have both scores.
        missing: how many have not.
    """

    lost: float | None
    won: float | None
    churn: float | None
    items: int
    missing: int


def churn(first: npt.ArrayLike, last: npt.ArrayLike) -> Churn:
    """Return what was lost and won between two systems on the same items.

    Args:
        first, last: (n,) scores in [0, 1], NaN where there is none.

    Raises:
        ValueError: shapes differ.
    """
    before, after = np.asarray(first, dtype=np.float64), np.asarray(last, dtype=np.float64)
    if before.ndim != 1 or before.shape != after.shape:
        raise ValueError(f"shapes {before.shape} and {after.shape}: expected two (n,) arrays over the same items")
    step = (after - before)[~(np.isnan(before) | np.isnan(after))]
    missing = int(before.size - step.size)
    if not step.size:
        return Churn(None, None, None, 0, missing)
    lost, won = float(np.mean(step < 0)), float(np.mean(step > 0))
    return Churn(lost, won, lost + won, int(step.size), missing)


@dataclass(frozen=True)
class Targeting:
    """(gain - gain on the sibling axis) / gain: 0 for a gain that carries over whole, 1 for one that stays.

    Attributes:
        by_start: (R,) NaN where a gain is unknown, or the one on the claimed axis is not above 0.
        overall: the same of the mean gains, with Fieller's set, or why it is not reported.
    """

    by_start: FloatArray
    overall: Ratio


def targeting(gains: npt.ArrayLike, near: npt.ArrayLike) -> Targeting:
    """Return the targeting index, start by start and of the means. Above 1: the sibling got worse. Never clipped.

    Args:
        gains, near: (R,) gain on the claimed axis and on its sibling, NaN where unknown.

    Raises:
        ValueError: shapes differ.
    """
    own, sibling = np.asarray(gains, dtype=np.float64), np.asarray(near, dtype=np.float64)
    if own.ndim != 1 or own.shape != sibling.shape:
        raise ValueError(f"shapes {own.shape} and {sibling.shape}: expected two (R,) arrays of the same starts")
    above = np.where(own > 0, own, np.nan)  # NaN stays NaN
    return Targeting((own - sibling) / above, one_minus(ratio_of_means(sibling, own)))
