"""A quantity that a study identifies, with its values by start; or what is missing for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.student import MeanInterval, mean_interval

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Unknown:
    """A quantity that this study does not identify, and what is missing."""

    reason: str


@dataclass(frozen=True)
class Mean:
    """A quantity of each start, None where a start has none, and its mean over starts."""

    each: tuple[float | None, ...]
    over: MeanInterval


def mean_of(values: Sequence[float | None] | Array) -> Mean:
    """A column of one value per start; None or NaN is a start without one."""
    column = array(values)
    return Mean(tuple(float(one) if np.isfinite(one) else None for one in column), mean_interval(column))


def array(values: Sequence[float | None] | Array) -> Array:
    """(R,) with NaN for what is missing."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def no_spread(found: MeanInterval) -> str:
    """Why a mean has no interval."""
    if found.starts < 2:
        return f"{found.starts} starts have a value, and an interval needs two"
    return f"all {found.starts} starts are equal: no spread was seen"
