"""Effects in plain numbers: paired differences per control, net gains, the telescoping chain, mean beside median.

No number here is a share of another, and differences to several controls do not add up: only a chain does
(``method.md`` 1.10). All arrays are per start (replica), in id order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """Self minus one control, per start: ``differences`` in score points, NaN where either is missing.

    ``median``, ``smallest`` and ``largest`` are over the starts that have both; None without any.
    """

    control: str
    differences: tuple[float, ...]
    median: float | None
    smallest: float | None
    largest: float | None
    starts: int


@dataclass(frozen=True)
class ChainStep:
    """One step of the waterfall: what ``after`` adds to ``before``, per start and as a mean over complete starts."""

    before: str
    after: str
    differences: tuple[float, ...]
    mean: float


@dataclass(frozen=True)
class Chain:
    """A telescoping chain of arms: the steps sum to ``total`` in every start, and so do their means."""

    steps: tuple[ChainStep, ...]
    total: float
    starts: int


@dataclass(frozen=True)
class MeanBesideMedian:
    """Mean and median net gain; ``agree``: both on one side of the claimed effect, None when on it or unknown."""

    mean: float | None
    median: float | None
    agree: bool | None


def contrast(own: npt.ArrayLike, control_scores: npt.ArrayLike, *, control: str) -> Contrast:
    """Return the paired differences self - control.

    Args:
        own: (R,) sealed scores of the claimed arm.
        control_scores: (R,) sealed scores of the control on the same blocks.
        control: Its name.
    """
    differences = _paired(own, control_scores, control)
    present = differences[~np.isnan(differences)]
    each = tuple(differences.tolist())
    if not present.size:
        return Contrast(control, each, None, None, None, 0)
    middle, smallest, largest = float(np.median(present)), float(present.min()), float(present.max())
    return Contrast(control, each, middle, smallest, largest, int(present.size))


def net_gains(own: npt.ArrayLike, controls: Mapping[str, npt.ArrayLike]) -> FloatArray:
    """Return (R,) g = min over controls of (self - control); -inf where a control has no score.

    A failed control may not help the claim. A start whose own score is missing is NaN: score the system it serves, or
    mark the start lost.

    Raises:
        ValueError: No control, or shapes differ.
    """
    if not controls:
        raise ValueError("no control: the net gain of a start needs at least one")
    scores = np.asarray(own, dtype=np.float64)
    each = np.stack([_paired(scores, control, name) for name, control in controls.items()])
    gains = np.where(np.isnan(each), -np.inf, each).min(axis=0)
    return np.asarray(np.where(np.isnan(scores), np.nan, gains))


def closest_controls(own: npt.ArrayLike, controls: Mapping[str, npt.ArrayLike]) -> tuple[str | None, ...]:
    """Return, per start, the control that fixes the net gain (the first of equals); None where one is missing."""
    each = np.stack([_paired(own, control, name) for name, control in controls.items()])
    names = list(controls)
    return tuple(None if np.isnan(column).any() else names[int(column.argmin())] for column in each.T)


def chain(scores: Mapping[str, npt.ArrayLike], order: Sequence[str]) -> Chain:
    """Return the waterfall of ``order``, for example frozen, ordinary, stacked with random keeping, stacked, self.

    Means are over the starts in which every arm of the chain has a score, so that steps sum to the total exactly (to
    rounding). Medians of steps would not sum.

    Raises:
        ValueError: Fewer than two arms, an arm without scores, or no start in which all have one.
    """
    if missing := [arm for arm in order if arm not in scores]:
        raise ValueError(f"chain arms {missing!r} have no scores: known are {sorted(scores)!r}")
    if len(order) < 2:
        raise ValueError(f"a chain needs at least two arms, got {list(order)!r}")
    columns = np.stack([np.asarray(scores[arm], dtype=np.float64) for arm in order])
    complete = ~np.isnan(columns).any(axis=0)
    if not complete.any():
        raise ValueError(f"no start has a score in all arms of the chain {list(order)!r}")
    moves = np.diff(columns, axis=0)
    steps = tuple(
        ChainStep(before, after, tuple(move.tolist()), float(move[complete].mean()))
        for before, after, move in zip(order, order[1:], moves, strict=False)
    )
    total = float((columns[-1] - columns[0])[complete].mean())
    return Chain(steps, total, int(complete.sum()))


def chain_gap(result: Chain) -> float:
    """Return |sum of the steps - total|: rounding only, above 1e-9 the chain is not one."""
    return abs(sum(step.mean for step in result.steps) - result.total)


def mean_beside_median(net_gain: npt.ArrayLike, *, delta: float) -> MeanBesideMedian:
    """Return whether mean and median of (g - delta) have one sign; disagreement is a limit of a SUPPORTED word.

    Starts without a finite gain are left out: they are named elsewhere (failed control, lost start).
    """
    excess = np.asarray(net_gain, dtype=np.float64) - delta
    present = excess[np.isfinite(excess)]
    if not present.size:
        return MeanBesideMedian(None, None, None)
    mean, median = float(present.mean()), float(np.median(present))
    return MeanBesideMedian(mean + delta, median + delta, None if mean * median == 0.0 else mean * median > 0.0)


def _paired(own: npt.ArrayLike, control: npt.ArrayLike, name: str) -> FloatArray:
    """Return own - control per start, or raise naming the control."""
    left, right = np.asarray(own, dtype=np.float64), np.asarray(control, dtype=np.float64)
    if left.ndim != 1 or left.shape != right.shape:
        raise ValueError(f"control {name!r} has shape {right.shape}, self has {left.shape}: expected one per start")
    return left - right
