"""The claim analysis "mean": the mean net gain of a start exceeds the claimed effect. From ten starts on.

Per control, from the paired differences of the starts: a one-sided t bound (Student 1908) and a one-sided bound by
exact sign flips (Fisher 1935; inverted as in Hartigan, JASA 1969). SUPPORTED when both lower bounds of every control
exceed the effect (intersection-union: no correction); REFUTED when both upper bounds of some control, at the level
divided by the number of controls, fall below it. With several looks each gets an equal part of the level. Source:
``method.md`` 3.1, "Means".

Neither bound holds against starts that fail rarely and badly: the mean of R clean starts says nothing of a failure
mode in up to ``hidden_failure_share(R)`` of them, which is why the verdict prints that sentence with the word.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from netgain.claim import MEAN_STARTS
from netgain.evidence.looks import LookWord, hidden_failure_share, share_lower_bound
from netgain.evidence.student import t_quantile

FloatArray = npt.NDArray[np.float64]

ROUNDING = 1e-9
"""Bounds closer to the effect than this neither exceed it nor fall below it: scores are stored to six decimals."""

LISTED = 12
"""Starts up to which the means of all subsets are listed, which is quicker there."""

CHUNK = 1 << 18
"""Subset sums that are held at once, 2 MB: more of them leave the caches and take longer."""


@dataclass(frozen=True)
class ControlMean:
    """One control: mean difference over the starts that have one, and the bounds at this look, in score points.

    ``low`` is the smaller of the two lower bounds, ``high`` the larger of the two upper ones.
    """

    control: str
    mean: float | None
    low: float
    high: float


@dataclass(frozen=True)
class MeanGain:
    """The analysis at the last usable look; names as in ``TypicalStart``, effects are means over starts.

    ``bounds`` holds a row per control; estimate, low and high are the smallest over controls.
    """

    word: LookWord | None
    look: int | None
    starts: int
    successes: int
    lost: int
    failed_controls: int
    estimate: float | None
    low: float | None
    high: float | None
    confidence: float
    level: float
    share_low: float
    hidden_failure: float
    next_look: int | None
    reason: str
    bounds: tuple[ControlMean, ...] = ()


def mean_gain(
    differences: Mapping[str, npt.ArrayLike],
    *,
    delta: float,
    sizes: Sequence[int],
    level: float = 0.05,
    lost: npt.ArrayLike | None = None,
) -> MeanGain:
    """Return word, estimate and bounds of "the mean net gain of a start exceeds delta".

    Args:
        differences: Control -> (R,) self minus control of each enrolled start in id order, in [-1, 1]; NaN unknown. An
            unknown difference is -1 in every lower bound and 1 in every upper one: it helps no word.
        delta: The claimed effect.
        sizes: Registered looks, increasing, each from 10 to 20 starts.
        level: One-sided level of both words over all looks.
        lost: (R,) True where infrastructure failed for good; more than one such start allows no look.

    Raises:
        ValueError: No control, a look outside 10 to 20, or shapes differ.
    """
    columns, gone = _checked(differences, lost, sizes)
    usable = [n for n in sizes if n <= gone.size and int(gone[:n].sum()) <= 1]
    word, look, bounds = None, None, tuple[ControlMean, ...]()
    for n in usable:
        each = level / len(sizes)
        look, bounds = n, tuple(_bounds(name, column[:n], each, len(columns)) for name, column in columns.items())
        word = _word(bounds, delta)
        if word is not None:
            break
    return _summary(columns, gone, delta, sizes, level, word=word, look=look, bounds=bounds)


def mean_words(differences: npt.ArrayLike, *, delta: float, level: float = 0.05) -> npt.NDArray[np.int64]:
    """Return the word of many studies at once, at one look: 1 SUPPORTED, -1 REFUTED, 0 neither.

    Args:
        differences: (studies, controls, R) self minus control.
        delta: The claimed effect.
        level: One-sided level of both words.
    """
    d = np.asarray(differences, dtype=np.float64)
    each = level / d.shape[1]
    up = (t_lower(d, level) - delta > ROUNDING) & exceeds_by_flips(d, delta, level)
    down = (t_lower(-d, each) + delta > ROUNDING) & exceeds_by_flips(-d, -delta, each)
    return np.where(up.all(axis=1), 1, np.where(down.any(axis=1), -1, 0))


def _checked(
    differences: Mapping[str, npt.ArrayLike], lost: npt.ArrayLike | None, sizes: Sequence[int]
) -> tuple[dict[str, FloatArray], npt.NDArray[np.bool_]]:
    if not differences:
        raise ValueError("no control: a mean net gain needs at least one")
    least, most = MEAN_STARTS
    if not sizes or not all(least <= n <= most for n in sizes):
        raise ValueError(f"looks {list(sizes)!r}: a mean is looked at from {least} to {most} starts")
    columns = {name: np.asarray(one, dtype=np.float64) for name, one in differences.items()}
    first = next(iter(columns.values()))
    gone = np.zeros(first.shape, dtype=np.bool_) if lost is None else np.asarray(lost, dtype=np.bool_)
    for name, one in columns.items():
        if one.ndim != 1 or one.shape != gone.shape:
            raise ValueError(f"control {name!r} has shape {one.shape}, expected one difference per start {gone.shape}")
        if (np.abs(one) > 1.0).any():
            raise ValueError(f"control {name!r} has a difference outside [-1, 1]: scores must lie in [0, 1]")
    return {name: np.where(gone, np.nan, one) for name, one in columns.items()}, gone


def _bounds(name: str, column: FloatArray, level: float, controls: int) -> ControlMean:
    """Bounds of one control: the lower ones at ``level``, the upper ones at its share of it."""
    worst, best = (np.where(np.isnan(column), fill, column) for fill in (-1.0, 1.0))
    low = min(float(t_lower(worst, level)), _flip_bound(worst.tobytes(), level))
    each = level / controls
    high = -min(float(t_lower(-best, each)), _flip_bound((-best).tobytes(), each))
    present = column[~np.isnan(column)]
    return ControlMean(name, float(present.mean()) if present.size else None, low, high)


@lru_cache(maxsize=4096)
def _flip_bound(differences: bytes, level: float) -> float:
    """Return ``sign_flip_lower`` of one control; kept, because a report asks for it under many assumptions."""
    return float(sign_flip_lower(np.frombuffer(differences, dtype=np.float64), level))


def _word(bounds: Sequence[ControlMean], delta: float) -> LookWord | None:
    if all(one.low - delta > ROUNDING for one in bounds):
        return "SUPPORTED"
    return "REFUTED" if any(delta - one.high > ROUNDING for one in bounds) else None


def _summary(
    columns: Mapping[str, FloatArray], gone: npt.NDArray[np.bool_], delta: float, sizes: Sequence[int], level: float,
    *, word: LookWord | None, look: int | None, bounds: tuple[ControlMean, ...],
) -> MeanGain:  # fmt: skip
    n = look if look is not None else gone.size
    stacked = np.stack([column[:n] for column in columns.values()])
    unknown = np.isnan(stacked).any(axis=0)
    successes = int((np.where(unknown, -np.inf, stacked.min(axis=0)) > delta).sum())
    means = [one.mean for one in bounds if one.mean is not None]
    later = [size for size in sizes if size > gone.size]
    return MeanGain(
        word=word,
        look=look,
        starts=n,
        successes=successes,
        lost=int(gone[:n].sum()),
        failed_controls=int((unknown & ~gone[:n]).sum()),
        estimate=min(means) if means else None,
        low=min((one.low for one in bounds), default=None),
        high=min((one.high for one in bounds), default=None),
        confidence=1.0 - 2.0 * level,
        level=level,
        share_low=share_lower_bound(successes, n),
        hidden_failure=hidden_failure_share(n),
        next_look=later[0] if word is None and later else None,
        reason=_reason(word, look, bounds, delta, gone, sizes),
        bounds=bounds,
    )


def _reason(
    word: LookWord | None, look: int | None, bounds: Sequence[ControlMean], delta: float,
    gone: npt.NDArray[np.bool_], sizes: Sequence[int],
) -> str:  # fmt: skip
    if look is None and gone.size >= sizes[0]:
        return f"no look at {sizes[0]} starts: {int(gone.sum())} were lost to infrastructure, at most 1 is allowed"
    if look is None:
        return f"{gone.size} starts are too few: the first look is at {sizes[0]}"
    lowest = min(bounds, key=lambda one: one.low)
    highest = min(bounds, key=lambda one: one.high)
    if word == "SUPPORTED":
        return f"mean of {look} starts: every lower bound, by t and by sign flips, is at least {lowest.low:+.4f}"
    if word == "REFUTED":
        return f"mean of {look} starts: at most {highest.high:+.4f} over `{highest.control}`, by t and by sign flips"
    return (
        f"mean of {look} starts: between {lowest.low:+.4f} (over `{lowest.control}`) and {highest.high:+.4f} "
        f"(over `{highest.control}`), neither side of the claimed {delta:g} is excluded"
    )


# --- Student's t -----------------------------------------------------------------------------------------------------


def t_lower(differences: npt.ArrayLike, level: float) -> FloatArray:
    """Return the one-sided lower t bound of the mean over the last axis; without any spread it is the mean itself.

    Args:
        differences: (..., R), R at least 2.
        level: One-sided level, in (0, 1/2).
    """
    d = np.asarray(differences, dtype=np.float64)
    starts = d.shape[-1]
    if starts < 2:
        raise ValueError(f"{starts} starts have no spread: a t bound needs at least 2")
    error = d.std(axis=-1, ddof=1) / math.sqrt(starts)
    return np.asarray(d.mean(axis=-1) - t_quantile(1.0 - level, starts - 1) * error)


# --- sign flips ------------------------------------------------------------------------------------------------------


def sign_flip_lower(differences: npt.ArrayLike, level: float) -> FloatArray:
    """Return the one-sided lower bound of the mean by exact sign flips, over the last axis of (..., R).

    The test of "the mean is at most m" counts the 2^R sign patterns whose sum of ``s_i (d_i - m)`` is at least the one
    seen; a pattern that flips the set F is among them exactly when the mean of d over F is at most m. So with
    k = floor(level 2^R) the bound is the k-th smallest of the means of all non-empty subsets. Exact when differences
    are symmetric about their mean; -inf when 2^-R exceeds the level.

    Up to ``LISTED`` starts all subsets are listed; for more they are counted by meeting in the middle (2^(R/2) sums of
    each half) while the mean is bisected to rounding.
    """
    d = np.asarray(differences, dtype=np.float64)
    starts = d.shape[-1]
    if not 1 <= starts <= MEAN_STARTS[1]:
        raise ValueError(f"{starts} starts: sign flips are exact for 1 to {MEAN_STARTS[1]}")
    place = math.floor(level * 2**starts) - 1
    if place < 0:
        return np.full(d.shape[:-1], -np.inf)
    rows = d.reshape(-1, starts)
    if starts > LISTED:
        return np.array([_kth_by_counting(row, place) for row in rows]).reshape(d.shape[:-1])
    step = max(1, CHUNK >> starts)
    parts = [_kth_subset_mean(rows[i : i + step], place) for i in range(0, len(rows), step)]
    return np.concatenate(parts).reshape(d.shape[:-1])


def exceeds_by_flips(differences: npt.ArrayLike, delta: float, level: float) -> npt.NDArray[np.bool_]:
    """Return whether ``sign_flip_lower`` exceeds ``delta``, over the last axis of (..., R), without finding it.

    Subsets with a mean of at most delta are counted by meeting in the middle.
    """
    d = np.asarray(differences, dtype=np.float64)
    counts = _subsets_at_most(d.reshape(-1, d.shape[-1]), delta + ROUNDING)
    return np.asarray(counts < math.floor(level * 2 ** d.shape[-1])).reshape(d.shape[:-1])


def _subsets_at_most(rows: FloatArray, mean: float) -> npt.NDArray[np.int64]:
    """Return, per row, how many non-empty subsets of its entries have a mean of at most ``mean``."""
    half, excess = rows.shape[1] // 2, rows - mean
    left, right = _subset_sums(excess[:, :half]), _subset_sums(excess[:, half:])
    right.sort(axis=1)
    counts = [np.searchsorted(ahead, -own, side="right").sum() - 1 for own, ahead in zip(left, right, strict=True)]
    return np.array(counts, dtype=np.int64)


def _kth_by_counting(row: FloatArray, place: int) -> float:
    """Return the (place + 1)-th smallest mean over the non-empty subsets of a row, by bisection."""
    low, high = float(row.min()) - 1e-12, float(row.max()) + 1e-12
    for _ in range(56):
        middle = (low + high) / 2.0
        low, high = (low, middle) if _subsets_at_most(row[None], middle)[0] > place else (middle, high)
    return high


def _subset_sums(rows: FloatArray) -> FloatArray:
    """Return (rows, 2^columns) sums over all subsets of each row's entries, the empty one first."""
    sums = np.zeros((len(rows), 1))
    for column in rows.T:
        sums = np.concatenate([sums, sums + column[:, None]], axis=1)
    return sums


def _kth_subset_mean(rows: FloatArray, place: int) -> FloatArray:
    """Return, per row, the (place + 1)-th smallest mean over the non-empty subsets of its entries."""
    counts = _subset_sums(np.ones((1, rows.shape[1])))
    means = _subset_sums(rows)[:, 1:] / counts[:, 1:]
    means.partition(place, axis=1)
    return np.asarray(means[:, place])
