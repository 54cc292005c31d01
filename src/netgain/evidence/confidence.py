"""Whether stated confidence fits: binned and smooth calibration error, and the risk of answering only when sure.

Figures over a block, for tables: none of them is the mean of a score per item, so none can be gated on.
"""

import math

import numpy as np
import numpy.typing as npt

from netgain.metric import FLOOR

FloatArray = npt.NDArray[np.float64]
BINS = 15
CELLS = 100  # of [0, 1], in which the smooth error is computed
IMAGES = np.arange(-2, 3)  # reflections of the kernel at 0 and 1 that are summed
HALVINGS = 20  # of the width: 1e-6


def stated(scores: npt.ArrayLike, right: npt.ArrayLike, rule: str) -> FloatArray:
    """Return the confidences that scores were made from, given which answers were right.

    Scores have six decimals, so a confidence near 0 or 1 comes back to within .001; all are rounded to that, so that
    equal ones come back as equal, whether the answer was right or wrong.

    Args:
        scores: (n,) values of the metric `rule`, "brier" or "log_score" (clipped at `FLOOR`).
        right: (n,) 0 or 1.

    Raises:
        ValueError: another rule.
    """
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if rule not in ("brier", "log_score"):
        raise ValueError(f"rule {rule!r}: confidences come back from 'brier' and 'log_score'")
    happened = 1.0 - np.sqrt(np.clip(1.0 - values, 0.0, 1.0)) if rule == "brier" else FLOOR ** (1.0 - values)
    return np.asarray(np.round(np.where(truth == 1.0, happened, 1.0 - happened), 3))


def equal_mass_ece(confidence: npt.ArrayLike, right: npt.ArrayLike, *, bins: int = BINS) -> float | None:
    """Return sum over bins of n_b / n |mean right - mean confidence|, bins of equal numbers of items; None without any.

    Nguyen and O'Connor (2015); equal mass as in Roelofs et al. (2022). Items of equal confidence share their mean, so
    that their order cannot matter. Biased upwards on few items: a well calibrated system does not have 0.

    Args:
        confidence, right: (n,) in [0, 1], and 0 or 1.
    """
    sure, truth = _checked(confidence, right)
    if not sure.size:
        return None
    order = np.argsort(sure, kind="stable")
    gaps = (_shared(sure, truth) - sure)[order]
    count = min(bins, sure.size)
    starts = np.arange(count) * sure.size // count
    return float(np.abs(np.add.reduceat(gaps, starts)).sum() / sure.size)


def smooth_ece(confidence: npt.ArrayLike, right: npt.ArrayLike) -> float | None:
    """Return the smooth calibration error: the width s at which the smoothed error equals s; None without items.

    Błasiok and Nakkiran (2023), section 3: the error at width s is the integral over t of |mean of (right - confidence)
    K(t, confidence)|, K a Gaussian of width s reflected at 0 and 1. It falls with s, so there is one such s. Deviation:
    [0, 1] is cut into `CELLS` cells, whose items stand at its middle.

    Args:
        confidence, right: (n,) in [0, 1], and 0 or 1.
    """
    sure, truth = _checked(confidence, right)
    if not sure.size:
        return None
    cells = np.minimum((sure * CELLS).astype(np.intp), CELLS - 1)
    gaps = np.bincount(cells, weights=truth - sure, minlength=CELLS) / sure.size
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        width = (low + high) / 2
        low, high = (width, high) if _smoothed(gaps, width) > width else (low, width)
    return (low + high) / 2


def _smoothed(gaps: FloatArray, width: float) -> float:
    """The error at one width: the integral of the absolute smoothed gap."""
    apart = np.arange(1 - CELLS, 2 * CELLS) / CELLS
    near = np.exp(-0.5 * ((apart[:, None] - 2.0 * IMAGES) / width) ** 2).sum(axis=1)
    cell = np.arange(CELLS)
    kernel = near[cell[:, None] - cell + CELLS - 1] + near[cell[:, None] + cell + CELLS]  # itself, and reflected
    mass = kernel.sum(axis=0, keepdims=True)  # a width below a cell keeps its mass: it stays in its own cell
    return float(np.abs((kernel / mass) @ gaps).sum())


def selective_risk(confidence: npt.ArrayLike, right: npt.ArrayLike, *, coverage: float = 0.8) -> float | None:
    """Return the share of wrong answers among the most confident `coverage` of the items; None without any.

    El-Yaniv and Wiener (2010). Items of equal confidence share their mean.

    Args:
        confidence, right: (n,) in [0, 1], and 0 or 1.
        coverage: share of items in (0, 1]; at least one item is taken.

    Raises:
        ValueError: a coverage outside (0, 1].
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"coverage {coverage!r}: expected a share above 0 and up to 1")
    sure, truth = _checked(confidence, right)
    if not sure.size:
        return None
    taken = np.argsort(-sure, kind="stable")[: max(1, math.ceil(coverage * sure.size))]
    return float(1.0 - _shared(sure, truth)[taken].mean())


def _shared(sure: FloatArray, truth: FloatArray) -> FloatArray:
    """Right answers, averaged over items of the same confidence."""
    _, place, count = np.unique(sure, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(place, weights=truth) / count)[place], dtype=np.float64)


def _checked(confidence: npt.ArrayLike, right: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    sure, truth = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if sure.ndim != 1 or sure.shape != truth.shape:
        raise ValueError(f"shapes {sure.shape} and {truth.shape}: expected two (n,) arrays over the same items")
    if not (np.all((sure >= 0) & (sure <= 1)) and np.all((truth == 0) | (truth == 1))):
        raise ValueError("a confidence outside [0, 1], or an answer that is neither right (1) nor wrong (0)")
    return sure, truth
