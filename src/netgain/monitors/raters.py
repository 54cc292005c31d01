"""Which raters to believe, and whether one of them favours its own proposals.

`dawid_skene` estimates true labels and every rater's confusion matrix together (Dawid & Skene, Applied Statistics
1979). From a majority start it locks onto hostile raters once they are most of the raters; so the start is made from
items of known label (gold), which pins the meaning of the classes.

Record of `self_preference`, over gold items that the rater should have turned down, counted apart by who proposed them:
`{"own": {"hits": approved, "asked": n}, "others": {"hits": approved, "asked": n}}`.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netgain.monitors.bounds import Share, share, spent_at
from netgain.monitors.signal import Action, Monitor, Point, Reading

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

UNKNOWN = -1
"""A vote that was not given, or a label that is not known."""

SMOOTHING = 1.0
"""Added to every count of a confusion matrix: a rater seen a few times is not certain."""

STEPS, TOLERANCE = 200, 1e-6


class Rated(NamedTuple):
    """Labels (items,), their chances (items, classes), and confusion (raters, true class, voted class)."""

    labels: IntArray
    chances: FloatArray
    confusion: FloatArray


def majority(votes: npt.ArrayLike, *, classes: int = 2) -> IntArray:
    """Return the most frequent vote of each item, the lowest class on a tie; UNKNOWN where nobody voted.

    Args:
        votes: (items, raters) classes from 0; UNKNOWN where there is none.
        classes: number of classes.
    """
    counts = _one_hot(_votes(votes, classes), classes).sum(axis=1)
    return np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), UNKNOWN)


def dawid_skene(votes: npt.ArrayLike, *, gold: npt.ArrayLike | None = None, classes: int = 2) -> Rated:
    """Return labels by expectation-maximisation, started from gold where there is some, else from the majority.

    Args:
        votes: (items, raters) classes from 0; UNKNOWN where there is none.
        gold: (items,) known classes, UNKNOWN elsewhere; they start the confusion matrices and stay as they are.
        classes: number of classes.

    Raises:
        ValueError: votes or gold out of range, or gold without any known item.
    """
    hot = _one_hot(_votes(votes, classes), classes)
    known = np.full(len(hot), UNKNOWN) if gold is None else _votes(gold, classes)
    if gold is not None and (known == UNKNOWN).all():
        raise ValueError("gold has no known item: without one, leave gold out and the start is the majority")
    pinned = known != UNKNOWN
    chances = hot.sum(axis=1) + 1e-12 if gold is None else _one_hot(known, classes)
    chances = chances / np.maximum(chances.sum(axis=1, keepdims=True), 1e-12)
    weight = np.ones(len(hot)) if gold is None else pinned.astype(np.float64)
    for _ in range(STEPS):
        confusion = _confusion(hot, chances * weight[:, None])
        prior = (chances * weight[:, None]).sum(axis=0) + SMOOTHING
        updated = _chances(hot, confusion, prior / prior.sum())
        updated[pinned] = _one_hot(known[pinned], classes)
        change, chances, weight = float(np.abs(updated - chances).max()), updated, np.ones(len(hot))
        if change < TOLERANCE:
            break
    return Rated(chances.argmax(axis=1), chances, confusion)


def self_preference(
    *, reads: str = "rater", threshold: float = 0.05, level: float = 0.05, looks: int = 20, action: Action = "watch"
) -> Monitor:
    """Alarm when a rater lets through more of its own bad proposals than of others', by at least ``threshold``.

    The value is the difference of the two shares; Fisher's exact test has to allow it. While the rater treats both
    alike, the chance of any alarm in ``looks`` looks is at most ``level``.
    """

    def measure(points: Sequence[Point]) -> Reading:
        own, others = (share(points[-1].value[whose]) for whose in ("own", "others"))
        p, may = fisher(own, others), spent_at(len(points), level=level, looks=looks)
        reason = None if p <= may else f"p {p:.4f} is above {may:.4f}"
        return Reading(own.value - others.value, p <= may, reason, {"p": p})

    return Monitor("self_preference", reads, threshold, "at_least", action, level, measure,
                   {"level": level, "looks": looks})  # fmt: skip


def fisher(own: Share, others: Share) -> float:
    """Return Fisher's exact one-sided p-value (1935): so many hits among ``own`` or more, given all hits together."""
    hits, asked = own.hits + others.hits, own.asked + others.asked
    ways = [
        math.comb(own.asked, k) * math.comb(others.asked, hits - k) for k in range(own.hits, min(own.asked, hits) + 1)
    ]
    return float(sum(ways) / math.comb(asked, hits))


def _votes(votes: npt.ArrayLike, classes: int) -> IntArray:
    given = np.asarray(votes, dtype=np.int64)
    if ((given < UNKNOWN) | (given >= classes)).any():
        raise ValueError(f"classes run from 0 to {classes - 1}, with {UNKNOWN} for none: found {np.unique(given)!r}")
    return given


def _one_hot(given: IntArray, classes: int) -> FloatArray:
    """Return (…, classes) with a 1 at the class; all 0 where it is UNKNOWN."""
    return np.asarray(given[..., None] == np.arange(classes), dtype=np.float64)


def _confusion(hot: FloatArray, chances: FloatArray) -> FloatArray:
    """Return P(vote | true class) of each rater from (weighted) chances of the items' classes."""
    counts = np.einsum("ic,irv->rcv", chances, hot) + SMOOTHING
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def _chances(hot: FloatArray, confusion: FloatArray, prior: FloatArray) -> FloatArray:
    """Return P(true class | votes) of each item."""
    logs = np.log(prior) + np.einsum("irv,rcv->ic", hot, np.log(confusion))
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
