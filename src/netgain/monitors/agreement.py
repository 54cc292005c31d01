"""Do several seeds, or several votes, still give the same answer? Needs no label.

Record: `{"hits": items answered alike, "asked": items}`, made by `alike`. Not covered: seeds that are wrong in the same
way agree; see `netgain.monitors.audit`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from netgain.monitors.bounds import shown_below
from netgain.monitors.signal import Action, Monitor, Point, Reading


def alike(votes: Sequence[Sequence[Any]]) -> dict[str, int]:
    """Return how many items all voters answer alike.

    Args:
        votes: (voters, items) answers, anything that can be compared; None is no answer, and such an item is not alike:
            silence is no agreement.

    Raises:
        ValueError: fewer than two voters, or voters with different numbers of items.
    """
    if len(votes) < 2 or len({len(each) for each in votes}) != 1:
        raise ValueError(f"votes of lengths {[len(each) for each in votes]!r}: expected two or more, equally long")
    same = [each[0] is not None and all(one == each[0] for one in each) for each in zip(*votes, strict=True)]
    return {"hits": int(np.sum(same)), "asked": len(same)}


def majority_share(votes: Sequence[Sequence[Any]]) -> float:
    """Return the mean share of voters, over items, that gave the item's most frequent answer; in (0, 1].

    Args:
        votes: (voters, items) answers; None counts as an answer that nobody else gave.
    """
    shares = []
    for each in zip(*votes, strict=True):
        given = [one for one in each if one is not None]
        shares.append(max((given.count(one) for one in given), default=1) / len(each))
    return float(np.mean(shares))


def agreement(
    *, reads: str = "agreement", threshold: float = 0.8, level: float = 0.05, looks: int = 20, action: Action = "pause"
) -> Monitor:
    """Alarm when the share of items answered alike is shown to be below ``threshold``.

    While the true share stays at or above it, the chance of any alarm in ``looks`` rounds is at most ``level``.
    """

    def measure(points: Sequence[Point]) -> Reading:
        return shown_below(points, level=level, looks=looks)

    return Monitor("agreement", reads, threshold, "below", action, level, measure, {"level": level, "looks": looks})
