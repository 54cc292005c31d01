"""Scans for protected items in plain text, against MinHash of datasketch and of rensa over the same documents.

The rivals shingle as is usual, into the set of runs of five words, in Python, and sketch with 128 permutations; they
look nothing up. Ours is the whole scan.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence

import numpy as np

from netgain.bench.measurement import Measurement, Scale, in_turn
from netgain.guards import Protected, index_of
from netgain.testing.planted import plain_text, vocabulary

ITEMS, WORDS = 2000, 60
DOCUMENTS, LENGTH = 4000, 400  # of ours; words in each
RIVALS, SHARE = ("datasketch", "rensa"), 10  # the slow rivals sketch every tenth document
SHINGLE, HASHES = 5, 128
MEGABYTE = 1e6

Document = tuple[str, str]


def measure(scale: Scale) -> list[Measurement]:
    """Megabytes of text per second of CPU."""
    rng = np.random.default_rng(7)
    words = vocabulary(rng)
    index = index_of(Protected(str(k), "gate", " ".join(plain_text(rng, words, WORDS))) for k in range(scale.of(ITEMS)))
    documents = [(str(k), " ".join(plain_text(rng, words, LENGTH))) for k in range(scale.of(DOCUMENTS, 2))]
    few = documents[:: SHARE if len(documents) > SHARE else 1]
    size, part = _megabytes(documents), _megabytes(few)
    rivals = {name: call for name in RIVALS if (call := _rival(name, few))}
    taken = in_turn(scale.repeats, lambda: index.scan(documents), *rivals.values())
    return [
        Measurement(
            name=f"contamination.scan {name}", what=f"{size:.2g} MB of text, {len(index.items)} items, beside {name}",
            unit="MB/s", values=[size / row[0] for row in taken], at_least=25.0, judged=scale.share == 1.0,
            rival=f"{name}, MinHash" if name in rivals else None, no_rival=f"{name}: not installed",
            ratios=[size / row[0] * row[place] / part for row in taken] if name in rivals else (),
        )
        for name in RIVALS
        for place in [list(rivals).index(name) + 1 if name in rivals else 0]
    ]  # fmt: skip


def _megabytes(documents: Sequence[Document]) -> float:
    return sum(len(text) for _, text in documents) / MEGABYTE


def _rival(name: str, documents: Sequence[Document]) -> Callable[[], object] | None:
    if importlib.util.find_spec(name) is None:
        return None
    return _datasketch(documents) if name == "datasketch" else _rensa(documents)


def _shingles(text: str) -> list[str]:
    words = text.lower().split()
    return list({" ".join(words[place : place + SHINGLE]) for place in range(len(words) - SHINGLE + 1)})


def _datasketch(documents: Sequence[Document]) -> Callable[[], object]:
    from datasketch import MinHash

    def sketch() -> object:  # `bulk` draws its permutations once: the fastest of the ways that it offers
        return MinHash.bulk([[one.encode() for one in _shingles(text)] for _, text in documents], num_perm=HASHES)

    return sketch


def _rensa(documents: Sequence[Document]) -> Callable[[], object]:
    from rensa import RMinHash

    def sketched(text: str) -> object:
        made = RMinHash(num_perm=HASHES, seed=1)
        made.update(_shingles(text))
        return made.digest()

    return lambda: [sketched(text) for _, text in documents]
