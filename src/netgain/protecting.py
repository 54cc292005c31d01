"""What a study protects of its banks, looked for in what its loop makes: examples, prompts, memories, skills.

Generated items are fresh for every decision, and equal questions are found by their digest (`netgain.proposal`). Text
items of a bank lie still, so they are looked for as `netgain scan` does (`netgain.guards.contamination`), with one
exception: words in a row that stand in many items are a form that the items share, not one of them. What was reworded
is looked for by the words that are an item's own (`netgain.guards.reworded`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from netgain.errors import ConfigError
from netgain.guards import Hit, Index, Protected, Reworded, index_of
from netgain.items import fingerprint, split_of
from netgain.suite import Bank, Suite, Twins

Json = Any
FORM = 3  # items that share 13 words in a row, above which these are a form


class Scanner:
    """Looks for the protected items of a suite's banks.

    Args:
        suite: whose banks; axes that may overlap with training material are left out.
    """

    def __init__(self, suite: Suite) -> None:
        self._banks = [bank for axis in suite.axes if not axis.overlap and (bank := _bank(axis.source)) is not None]

    def __call__(self, documents: Sequence[Json]) -> Mapping[int, frozenset[str]]:
        """Documents that hold something protected -> short digests of the questions in them.

        Args:
            documents: text or JSON each; what is neither (arrays, weights) cannot hold words and is passed over.
        """
        if self._index is None or not documents:
            return {}
        found = {}
        for place, document in enumerate(documents):
            try:
                scan = self._index.scan([(str(place), _opened(document))])
                reworded = self._reworded.found(_opened(document))
            except ConfigError:
                continue
            hits = [hit for finding in scan.findings for hit in finding.hits if _tells(hit)]
            if hits or reworded:
                found[place] = frozenset(item for hit in hits for item in hit.items) | reworded
        return found

    @cached_property
    def _index(self) -> Index | None:
        return index_of(self._held.values()) if self._held else None

    @cached_property
    def _reworded(self) -> Reworded:
        items = [one for bank in self._banks for one in bank.items if isinstance(one["input"], str)]
        free = [one["input"] for one in items if fingerprint(one["input"]) not in self._held]
        return Reworded.of(self._held.values(), free)

    @cached_property
    def _held(self) -> dict[str, Protected]:
        """Protected items of text, by the short digest of their question."""
        return {
            fingerprint(item["input"]): Protected(fingerprint(item["input"]), split, item["input"], item["target"])
            for bank in self._banks for item in bank.items
            if isinstance(item["input"], str) and (split := split_of(item, bank.shares)) is not None and split != "dev"
        }  # fmt: skip


def _opened(document: Json) -> Json:
    """JSON with every object as a list of its pairs: a memory may hold the question as the key of its answer."""
    if isinstance(document, Mapping):
        return [[key, _opened(value)] for key, value in document.items()]
    return [_opened(one) for one in document] if isinstance(document, list | tuple) else document


def _tells(hit: Hit) -> bool:
    """Whether a hit is of protected items, and not of the form of many."""
    return hit.rule in ("exact", "normalised", "canary") or (hit.rule == "block" and len(hit.items) <= FORM)


def _bank(source: Any) -> Bank | None:
    """The bank behind a source: twins are found by their originals."""
    while isinstance(source, Twins):
        source = source.base
    return source if isinstance(source, Bank) else None
