"""What is protected, and what a scan found: records that name items and lines and never quote them.

Who may read what a scan found could otherwise read gate items in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = Any
RULES = ("exact", "normalised", "block", "canary", "review")  # all but the last block


@dataclass(frozen=True)
class Protected:
    """An item that must not be found in what a loop makes or reads.

    Attributes:
        id: unique among the items.
        split: gate, report, anchor, sealed or canary.
        question: text or JSON; looked for as a whole and in runs of words.
        answer: text or JSON, looked for in runs of words only: "yes" is no leak.
    """

    id: str
    split: str
    question: Json
    answer: Json = ""


@dataclass(frozen=True)
class Hit:
    """One rule that a document meets.

    Attributes:
        rule: one of `RULES`.
        items: ids of the items, sorted; none for a canary, which stands for all that was released with it.
        runs: distinct runs of words found; 0 where the rule counts none.
        line: of a text document, from 1, where it begins first; None where that is not known.
    """

    rule: str
    items: tuple[str, ...]
    runs: int = 0
    line: int | None = None


@dataclass(frozen=True)
class Finding:
    """A document that holds something, and what, in the order of `RULES`."""

    document: str
    hits: tuple[Hit, ...]

    @property
    def blocked(self) -> bool:
        """Whether it must not be used; else it goes to review."""
        return any(hit.rule != "review" for hit in self.hits)


@dataclass(frozen=True)
class Scan:
    """What a scan found.

    Attributes:
        documents, characters: how much was looked at.
        findings: the documents that hold something, in the order in which they came.
    """

    documents: int
    characters: int
    findings: tuple[Finding, ...]

    @property
    def blocked(self) -> tuple[str, ...]:
        """Documents that must not be used."""
        return tuple(one.document for one in self.findings if one.blocked)

    @property
    def review(self) -> tuple[str, ...]:
        """Documents that a person should look at, and nothing in them blocks."""
        return tuple(one.document for one in self.findings if not one.blocked)

    @property
    def affected(self) -> frozenset[str]:
        """Items that are in a blocked document: no gain should rest on them (`netgain.evidence.quarantine`)."""
        return self._items(review=False)

    @property
    def doubtful(self) -> frozenset[str]:
        """Items that only a review may clear."""
        return self._items(review=True) - self.affected

    @property
    def clean(self) -> bool:
        """Whether nothing was found; where nothing was looked at, that is not known and therefore False."""
        return self.documents > 0 and not self.findings

    def _items(self, *, review: bool) -> frozenset[str]:
        hits = (hit for one in self.findings for hit in one.hits if (hit.rule == "review") is review)
        return frozenset(item for hit in hits for item in hit.items)
