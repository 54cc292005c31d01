"""Items lost, won and churned against generation 0: the same mean can hide many items that changed sides.

Record, made by `flips` from 0/1 scores of both systems on the same anchor items:
`{"lost": n, "won": n, "both": n, "neither": n}`. lost: generation 0 was right and the system is wrong.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from netgain.evidence.version import mcnemar_tail
from netgain.monitors.bounds import lower_bound, spent_at
from netgain.monitors.signal import Action, Monitor, Point, Reading


def flips(first: npt.ArrayLike, now: npt.ArrayLike) -> dict[str, int]:
    """Return the four counts of (items,) scores 0 or 1; an item that either side left unscored (NaN) is not counted.

    Raises:
        ValueError: other scores than 0 and 1, or different items.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(now, dtype=np.float64)
    if a.shape != b.shape or not all(np.isin(x[~np.isnan(x)], (0.0, 1.0)).all() for x in (a, b)):
        raise ValueError("flips need scores of 0 or 1 of the same items: give graded scores a threshold first")
    counted = {"lost": (a == 1) & (b == 0), "won": (a == 0) & (b == 1), "both": (a == 1) & (b == 1)}
    return {name: int(which.sum()) for name, which in counted.items()} | {"neither": int(((a == 0) & (b == 0)).sum())}


def net_loss(
    *, reads: str = "flips", threshold: float = 0.01, level: float = 0.05, looks: int = 20, action: Action = "roll_back"
) -> Monitor:
    """Alarm when (lost - won) / items is at least ``threshold`` and McNemar's exact test says that more are lost.

    While the system is no worse than generation 0, the chance of any alarm in ``looks`` looks is at most ``level``.
    """

    def measure(points: Sequence[Point]) -> Reading:
        now = points[-1].value
        p = mcnemar_tail(now["lost"], now["won"])
        may = spent_at(len(points), level=level, looks=looks)
        reason = None if p <= may else f"p {p:.4f} is above {may:.4f}"
        return Reading((now["lost"] - now["won"]) / _items(now), p <= may, reason, {"p": p, "churn": churn(now)})

    return Monitor("net_loss", reads, threshold, "at_least", action, level, measure, {"level": level, "looks": looks})


def negative_flips(
    *, reads: str = "flips", threshold: float = 0.1, level: float = 0.05, looks: int = 20, action: Action = "watch"
) -> Monitor:
    """Alarm when, of what generation 0 had right, at least ``threshold`` is shown to be wrong now, whatever was won.

    The value is the exact lower bound of lost / (lost + both). While the true share stays below the threshold, the
    chance of any alarm in ``looks`` looks is at most ``level``. Asking generation 0 twice flips items too: put the
    threshold above what that gives.
    """

    def measure(points: Sequence[Point]) -> Reading:
        now = points[-1].value
        right = now["lost"] + now["both"]
        if not right:
            raise ValueError("generation 0 had no item right: nothing can be lost")
        value = lower_bound(now["lost"], right, spent_at(len(points), level=level, looks=looks))
        return Reading(value, numbers={"share": now["lost"] / right, "churn": churn(now)})

    return Monitor("negative_flips", reads, threshold, "at_least", action, level, measure,
                   {"level": level, "looks": looks})  # fmt: skip


def churn(counts: Mapping[str, int]) -> float:
    """Return (lost + won) / items."""
    return (counts["lost"] + counts["won"]) / _items(counts)


def _items(counts: Mapping[str, int]) -> int:
    """Return how many items were counted, or raise: no item is no flip rate."""
    items = sum(counts[name] for name in ("lost", "won", "both", "neither"))
    if not items:
        raise ValueError("no item was scored on both sides")
    return items
