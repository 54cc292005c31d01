"""Axes on which a cluster is taken together: its worst item, or how many of its answers agree.

Every item of a cluster is given the cluster's value, so that a cluster bets once, with that value. One item without a
score leaves its whole cluster without: the worst of what happens to be there is not the worst.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netgain.metric import DECIMALS
from netgain.suite import NO_ANSWER

Scores = tuple[list[float | None], dict[str, str]]  # values in item order, index (as text) -> why one is None
ALONE = "one answer agrees with nothing: a cluster needs two"


@dataclass(frozen=True)
class Single:
    """What each item got by itself, before its cluster is taken together.

    Attributes:
        values: (n,) scores, None where there is none.
        status: (n,) why a value is None, "" beside a score.
        answers: (n,) digests of the answers.
    """

    values: tuple[float | None, ...]
    status: tuple[str, ...]
    answers: tuple[str, ...]

    def then(self, later: Single) -> Single:
        """These items followed by the next ones."""
        return Single(self.values + later.values, self.status + later.status, self.answers + later.answers)


def taken(rule: str, single: Single, clusters: Sequence[str] | None) -> Scores:
    """The values of the clusters, at each of their items.

    Args:
        rule: "worst" or "agree".
        clusters: (n,) label of each item's cluster; None where every item is its own.
    """
    labels = clusters or [str(index) for index in range(len(single.values))]
    members: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        members.setdefault(label, []).append(index)
    told = {label: _one(rule, single, places) for label, places in members.items()}
    values = [told[label][0] for label in labels]
    return values, {str(i): told[label][1] for i, label in enumerate(labels) if told[label][0] is None}


def _one(rule: str, single: Single, places: Sequence[int]) -> tuple[float | None, str]:
    """Value of a cluster, or None and why."""
    missing = [single.status[i] for i in places if single.values[i] is None]
    if missing:
        return None, min(missing, key=_rank)
    if rule == "worst":
        return min(value for i in places if (value := single.values[i]) is not None), ""
    if len(places) < 2:
        return None, ALONE
    [(_, most)] = Counter(single.answers[i] for i in places).most_common(1)
    return round(most / len(places), DECIMALS), ""


def _rank(why: str) -> int:
    """Which reason stands for a cluster: what was trained on is nobody's, silence is the system's, the rest is ours."""
    return 0 if why.startswith("quarantined") else 1 if why == NO_ANSWER else 2


def singles_of(scores: Scores, answers: Sequence[str]) -> Single:
    """The scores of a block, with digests of its answers."""
    values, status = scores
    return Single(tuple(values), tuple(status.get(str(i), "") for i in range(len(values))), tuple(answers))


def pooled(draws: Sequence[Scores]) -> Scores:
    """The mean over several draws of the same items, inside the item; no score where a draw has none."""
    if len(draws) == 1:
        return draws[0]
    status: Mapping[str, str] = {index: why for _, one in reversed(draws) for index, why in one.items()}
    values: list[float | None] = [
        None if str(index) in status else round(sum(float(one or 0) for one in same) / len(same), DECIMALS)
        for index, same in enumerate(zip(*(values for values, _ in draws), strict=True))
    ]
    return values, dict(status)
