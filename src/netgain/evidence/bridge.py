"""What a change of the contract did to the measuring: one system, the same items, asked under the old and the new one.

The bridge of an epoch is the mean paired difference new - old. Its interval takes items as independent and nothing else
about them (`version.bounded_lower`; Waudby-Smith & Ramdas 2024, section 4). An item that several systems were asked
counts once, with the mean of their differences: what the contract did to it, it did to all of them.

A drift is taken off a score as the movement of a frozen system on its own items since its first measurement. The two
intervals are added end to end, each at half of the error: that holds however score and movement depend on each other.
The verdict needs none of this: it compares scores of one time under one contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netgain.evidence.version import bounded_lower

Json = Any
Sheet = Mapping[str, Json]  # data of a `scores` event
LEVEL = 0.05
MISSING = 0.05  # share of items scored under the old contract only, above which nothing is bridged
FIRST, RELEASED = "generation 0", "released"


@dataclass(frozen=True)
class Pair:
    """One system asked twice: run, axis, which of its systems, and the two `scores` events."""

    run: str
    axis: str
    of: str
    old: Sheet
    new: Sheet


@dataclass(frozen=True)
class Change:
    """A mean paired difference in points of [0, 1] with its interval; None where no item has both scores."""

    mean: float | None
    low: float | None
    high: float | None
    items: int
    paired: int

    def to_json(self) -> dict[str, Json]:
        """Plain JSON; a null has its reason beside it."""
        told: dict[str, Json] = dict(vars(self))
        return told if self.paired else {**told, "mean_reason": "no item has a score under both contracts"}


def change(pairs: Iterable[tuple[Sheet, Sheet]], level: float = LEVEL) -> Change:
    """Mean of new - old over items, with an interval of confidence 1 - level.

    Args:
        pairs: (old, new) `scores` events on the same items each; pairs of one block are averaged item by item.

    Raises:
        ValueError: the two of a pair were asked other items.
    """
    blocks: dict[str, dict[str, list[float]]] = {}
    for old, new in pairs:
        if old["items"] != new["items"]:
            raise ValueError(f"items {old['items'][:12]!r} and {new['items'][:12]!r}: expected the same block twice")
        blocks.setdefault(old["items"], {})[new["system"]] = [_minus(b, a) for a, b in _columns(old, new)]
    means = [_mean_by_item(list(systems.values())) for systems in blocks.values()]
    every = np.concatenate(means) if means else np.empty(0)
    return bounded(every, level)


def bounded(differences: Sequence[float] | np.ndarray[Any, np.dtype[np.float64]], level: float = LEVEL) -> Change:
    """Mean of independent differences in [-1, 1], NaN missing, with an interval of confidence 1 - level."""
    every = np.asarray(differences, dtype=np.float64)
    d = every[~np.isnan(every)]
    if not d.size:
        return Change(None, None, None, int(every.size), 0)
    low, high = bounded_lower(d, level / 2.0), -bounded_lower(-d, level / 2.0)
    return Change(float(d.mean()), low, high, int(every.size), int(d.size))


def less(score: Change, moved: Change) -> Change:
    """A score without a movement: the difference of the means, the intervals added end to end.

    Of two intervals of confidence 1 - a each, the result has 1 - 2a, whatever the dependence (Bonferroni).
    """
    if score.mean is None or moved.mean is None:
        return Change(None, None, None, score.items, 0)
    assert score.low is not None and score.high is not None and moved.low is not None and moved.high is not None
    low, high = score.low - moved.high, score.high - moved.low
    return Change(score.mean - moved.mean, low, high, score.items, min(score.paired, moved.paired))


def gap(old: Sheet, new: Sheet) -> str:
    """Why one system is not bridged; "" when it is."""
    there = [(a, b, str(new["status"].get(str(i), ""))) for i, (a, b) in enumerate(_columns(old, new)) if a is not None]
    paired = sum(b is not None for _, b, _ in there)
    lost = sum(b is None and not why.startswith("quarantined") for _, b, why in there)
    if lost > MISSING * len(there):
        return f"{lost} of {len(there)} items have a score under the old contract only"
    return "" if paired >= 2 else f"{paired} items have a score under both contracts, at least 2 are needed"


def stated(pairs: Sequence[Pair]) -> list[dict[str, Json]]:
    """The bridge of an epoch: for every axis and kind of system what the new contract did to the score."""
    kinds = sorted({(one.axis, one.of) for one in pairs})
    return [
        {"axis": axis, "of": of, **change((p.old, p.new) for p in pairs if (p.axis, p.of) == (axis, of)).to_json()}
        for axis, of in kinds
    ]


def gaps(pairs: Sequence[Pair]) -> dict[str, str]:
    """ "RUN, AXIS, WHICH" -> why it is not bridged."""
    found = {f"{one.run}, {one.axis}, {one.of}": gap(one.old, one.new) for one in pairs}
    return {name: why for name, why in sorted(found.items()) if why}


def _columns(old: Sheet, new: Sheet) -> list[tuple[float | None, float | None]]:
    return list(zip(old["values"], new["values"], strict=True))


def _minus(one: float | None, other: float | None) -> float:
    return float("nan") if one is None or other is None else one - other


def _mean_by_item(columns: Sequence[Sequence[float]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(n,) mean over systems of what is there; NaN where none has both scores."""
    table = np.asarray(columns, dtype=np.float64)
    there = ~np.isnan(table)
    counts = there.sum(axis=0)
    sums = np.where(there, table, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
