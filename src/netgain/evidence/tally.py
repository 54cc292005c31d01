"""Scores of a block in one line each: means that skip what is missing, and sealed scores that can be compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from netgain.suite import NO_ANSWER

Json = Any
Key = TypeVar("Key")
SILENT_LIMIT = 0.05  # share of a block that may be left unanswered


@dataclass(frozen=True)
class Tally:
    """Scores of one system on one axis over one block, in points of [0, 1].

    Attributes:
        mean: of the complete scores, None when there is none.
        n: complete scores.
        missing: scores that are not there.
        quarantined: of these, dropped because the run trained on the question; on a sealed block, any run of the start.
    """

    mean: float | None
    n: int
    missing: int
    quarantined: int

    @property
    def silent(self) -> bool:
        """Whether too much was left unanswered."""
        return self.missing - self.quarantined > SILENT_LIMIT * (self.n + self.missing)

    @property
    def score(self) -> float | None:
        """The mean; None when too much of the block was left unanswered: silence must not raise a score."""
        return None if self.silent else self.mean


def tally(data: Mapping[str, Json], quarantined: frozenset[int] = frozenset()) -> Tally:
    """The summary of a `scores` event; `quarantined` names further items to leave out."""
    gone = quarantined | quarantined_items(data)
    values = [value for index, value in enumerate(data["values"]) if value is not None and index not in gone]
    return Tally(_mean(values), len(values), len(data["values"]) - len(values), len(gone))


def quarantined_items(data: Mapping[str, Json]) -> frozenset[int]:
    """Items of a `scores` event that the run had trained on."""
    return frozenset(int(index) for index, why in data["status"].items() if why.startswith("quarantined"))


def unanswered_is_wrong(data: Mapping[str, Json]) -> dict[str, Json]:
    """A `scores` event in which silence is wrong: how what a claim is about, or a candidate, is taken.

    Left out instead, its silence on what it cannot do would raise its mean (`method.md` 3.3). An error of the metric
    stays without a score.
    """
    wrong = {int(index) for index, why in data["status"].items() if why == NO_ANSWER}
    values = [0 if index in wrong else value for index, value in enumerate(data["values"])]
    return {**data, "values": values, "status": {i: why for i, why in data["status"].items() if int(i) not in wrong}}


def side_by_side(sheets: Mapping[Key, Mapping[str, Json]], strict: Collection[Key], *keys: Key) -> list[list[Json]]:
    """Scores by item of some `scores` events on one sealed block, None where an item is left out; rules of `paired`.

    Empty when one of them is not there or left too much unanswered.
    """
    found = paired(sheets, strict)
    if any(key not in found or found[key].silent for key in keys):
        return [[] for _ in keys]
    taken = {key: unanswered_is_wrong(data) if key in strict else data for key, data in sheets.items()}
    gone = frozenset[int]().union(*map(quarantined_items, taken.values()))
    heard = [taken[key]["values"] for key, one in found.items() if not one.silent]
    left = [index in gone or None in one for index, one in enumerate(zip(*heard, strict=True))]
    return [[None if out else one for one, out in zip(taken[key]["values"], left, strict=True)] for key in keys]


def paired(sheets: Mapping[Key, Mapping[str, Json]], strict: Collection[Key] = ()) -> dict[Key, Tally]:
    """Tallies of all `scores` events on one sealed block, their means over the same items.

    An item that one arm of the start had trained on is left out for all of them, and so is an item that one of them did
    not answer. An arm that left too much unanswered has no score, and takes no item away from the others. For those of
    `strict`, which the claim is about, no answer is a wrong one.
    """
    found, columns = _compared(sheets, strict)
    return {
        key: Tally(None if one.silent else _mean(columns[key]), one.n, one.missing, one.quarantined)
        for key, one in found.items()
    }


def columns(sheets: Mapping[Key, Mapping[str, Json]], strict: Collection[Key] = ()) -> dict[Key, list[float] | None]:
    """Scores over the same items, as `paired` compares them; None for one that left too much unanswered."""
    found, compared = _compared(sheets, strict)
    return {key: None if one.silent else compared[key] for key, one in found.items()}


def _compared(
    sheets: Mapping[Key, Mapping[str, Json]], strict: Collection[Key]
) -> tuple[dict[Key, Tally], dict[Key, list[float]]]:
    """Each sheet's own tally, and its scores on the items that all who were not silent have a score on."""
    sheets = {key: unanswered_is_wrong(data) if key in strict else data for key, data in sheets.items()}
    gone = frozenset[int]().union(*map(quarantined_items, sheets.values()))
    found = {key: tally(data, gone) for key, data in sheets.items()}
    heard = [sheets[key]["values"] for key, one in found.items() if not one.silent]
    same = [index for index, one in enumerate(zip(*heard, strict=True)) if index not in gone and None not in one]
    return found, {key: _at(data["values"], same) for key, data in sheets.items()}


def _at(values: Sequence[float | None], places: Iterable[int]) -> list[float]:
    return [value for place in places if (value := values[place]) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
