"""Canaries in a study's protected items: who carries one, and what a search of something that a loop made finds.

Which texts they are, and which of those that are met are ours, says the rim (`netgain.planting`): it knows the secret.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from netgain.suite import Axis, bank_of

Json = Any


class Met(NamedTuple):
    """A canary of this study in a document: the short digest of the item's question, and "live" or "expired"."""

    item: str
    state: str


class Canaries(Protocol):
    """The canaries of one study."""

    @property
    def asked(self) -> bool:
        """Whether a question is asked with its canary as a last line."""

    @property
    def answers_of(self) -> str:
        """The arm whose answers to report and canary items are kept; "" where none are."""

    def today(self) -> str: ...

    def expired(self) -> bool: ...

    def line(self, item: str) -> str: ...

    def met(self, document: Json) -> tuple[Met, ...]: ...


@dataclass(frozen=True)
class Found:
    """What a search gave.

    Attributes:
        searched: documents; None where the canaries had expired, which is no search.
        met: canaries in them, each item once, in order.
        documents: those that hold one.
    """

    searched: int | None = 0
    met: tuple[Met, ...] = ()
    documents: tuple[Json, ...] = ()

    @property
    def live(self) -> frozenset[str]:
        """Items whose canary was still a test."""
        return frozenset(one.item for one in self.met if one.state == "live")

    def __add__(self, other: Found) -> Found:
        met = tuple(sorted({*self.met, *other.met}))
        counts = (self.searched, other.searched)
        return Found(None if None in counts else sum(map(int, counts)), met, self.documents + other.documents)  # type: ignore[arg-type]


NOTHING = Found()


def carries(axis: Axis) -> bool:
    """Whether the items of an axis carry canaries: those of a list, which must not be trained on."""
    return bank_of(axis.source) is not None and not axis.overlap


def search(canaries: Canaries | None, documents: Sequence[Json], asked: Collection[str] = ()) -> Found:
    """Look into what a loop made.

    Args:
        documents: JSON, arrays or bytes each.
        asked: items whose canary was just shown: who repeats that has leaked nothing.
    """
    if canaries is None:
        return NOTHING
    each = [(one, [met for met in canaries.met(one) if met.item not in asked]) for one in documents]
    held = [(one, met) for one, met in each if met]
    met = tuple(sorted({one for _, found in held for one in found}))
    return Found(None if canaries.expired() else len(documents), met, tuple(one for one, _ in held))
