"""Exact bounds of a share: Clopper & Pearson (Biometrika 1934), one-sided, and the level that one look may spend.

A share is recorded as `{"hits": k, "asked": n}`. Bounds hold for items that are independent given the round; several
items from one template or passage are one item, which these bounds cannot see.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netgain.monitors.signal import Point, Reading

HALVINGS = 50
"""Bisections of a bound: to 1e-15."""


class Share(NamedTuple):
    """``hits`` of ``asked``."""

    hits: int
    asked: int

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.hits / self.asked


def share(record: Mapping[str, Any]) -> Share:
    """Return the share of a record, or raise saying what is wrong with it.

    Raises:
        ValueError: counts that are no whole numbers, hits outside [0, asked], or nothing asked: no data is no share.
    """
    hits, asked = record["hits"], record["asked"]
    if not (isinstance(hits, int) and isinstance(asked, int) and 0 <= hits <= asked and asked > 0):
        raise ValueError(f"hits {hits!r} of asked {asked!r}: expected whole numbers, 0 <= hits <= asked, asked > 0")
    return Share(hits, asked)


def lower_bound(hits: int, asked: int, level: float) -> float:
    """Return the largest p with P(Bin(asked, p) >= hits) <= level; 0 without hits."""
    if hits <= 0:
        return 0.0
    low, high = 0.0, hits / asked
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _at_least(hits, asked, middle) <= level else (low, middle)
    return low


def upper_bound(hits: int, asked: int, level: float) -> float:
    """Return the smallest p with P(Bin(asked, p) <= hits) <= level; 1 where all hit."""
    return 1.0 - lower_bound(asked - hits, asked, level)


def spent_at(look: int, *, level: float, looks: int) -> float:
    """Return the level of one of ``looks`` registered looks: equal parts, so all together err with at most ``level``.

    Raises:
        ValueError: a look beyond the registered ones: their level is used up.
    """
    if look > looks:
        raise ValueError(f"look {look} is beyond the {looks} registered looks: register more before the run")
    return level / looks


def shown_below(points: Sequence[Point], *, level: float, looks: int) -> Reading:
    """Read the latest share by its upper bound: below the threshold means that the true share is, at the level."""
    last = share(points[-1].value)
    value = upper_bound(*last, spent_at(len(points), level=level, looks=looks))
    return Reading(value, numbers={"share": last.value, "asked": last.asked})


def shown_above(points: Sequence[Point], *, level: float, looks: int) -> Reading:
    """Read the latest share by its lower bound, for thresholds that it should stay below."""
    last = share(points[-1].value)
    value = lower_bound(*last, spent_at(len(points), level=level, looks=looks))
    return Reading(value, numbers={"share": last.value, "asked": last.asked})


def _at_least(hits: int, asked: int, p: float) -> float:
    """P(Bin(asked, p) >= hits) for 0 < p < 1, from the side with fewer terms."""
    low = hits <= asked // 2
    k = np.arange(hits) if low else np.arange(hits, asked + 1)
    mass = float(np.exp(_log_choose(asked, k) + k * math.log(p) + (asked - k) * math.log1p(-p)).sum())
    return 1.0 - mass if low else mass


def _log_choose(n: int, k: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Log of the binomial coefficients."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.asarray(logs[n] - logs[k] - logs[n - k])
