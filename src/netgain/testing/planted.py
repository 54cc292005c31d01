"""Protected items planted in documents, with a share of their words replaced: what does a rule find again?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netgain.guards import Protected, Reworded, index_of

ITEMS, WORDS, DOCUMENT, VOCABULARY = 500, 60, 360, 20_000
RATES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


@dataclass(frozen=True)
class Recall:
    """Share of planted items that each rule finds, at one rate of replaced words.

    Attributes:
        any_13, any_8: at least one run of so many words in common.
        blocked: the scan blocks the document for this item.
        found: it blocks or sends to review for this item.
        own_words: half of the words that are the item's own stand together (`netgain.guards.reworded`).
        wrong: documents that the scan connects with another item.
    """

    rate: float
    any_13: float
    any_8: float
    blocked: float
    found: float
    own_words: float
    wrong: int


def vocabulary(rng: np.random.Generator, size: int = VOCABULARY) -> list[str]:
    """Return made-up words of 2 to 9 letters."""
    ends = np.cumsum(rng.integers(2, 10, size)).tolist()
    letters = "".join(rng.choice(LETTERS, ends[-1]))
    return [letters[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def plain_text(rng: np.random.Generator, words: list[str], count: int) -> list[str]:
    """Return words drawn as in plain text: the k-th most frequent one about 1 / k times as often as the first."""
    shares = 1.0 / np.arange(1, len(words) + 1)
    return [words[place] for place in rng.choice(len(words), count, p=shares / shares.sum())]


def recall(rate: float, *, seed: int, items: int = ITEMS) -> Recall:
    """Plant items of 60 words in documents of 360, each word replaced with the chance `rate`, and look for them."""
    rng = np.random.default_rng([seed, round(1000 * rate)])
    words = vocabulary(rng)
    asked = [_drawn(rng, words, WORDS) for _ in range(items)]
    documents = [planted_in(rng, words, one, rate) for one in asked]
    blocked, found, wrong = set(), set(), 0
    protected = [Protected(str(number), "gate", " ".join(one)) for number, one in enumerate(asked)]
    index, reworded = index_of(protected), Reworded.of(protected)
    own = [reworded.found(" ".join(one)) for one in documents]
    wrong += sum(bool(names - {str(number)}) for number, names in enumerate(own))
    for finding in index.scan((str(number), " ".join(one)) for number, one in enumerate(documents)).findings:
        named = {hit.rule: hit.items for hit in finding.hits}
        wrong += any(names != (finding.document,) for names in named.values())
        found |= {finding.document}
        blocked |= {finding.document} if "block" in named else set()
    pairs = list(zip(asked, documents, strict=True))
    shared = [np.mean([bool(_runs(one, length) & _runs(other, length)) for one, other in pairs]) for length in (13, 8)]
    return Recall(rate, float(shared[0]), float(shared[1]), len(blocked) / items, len(found) / items,
                  sum(map(bool, own)) / items, wrong)  # fmt: skip


def _drawn(rng: np.random.Generator, words: list[str], count: int) -> list[str]:
    return [words[place] for place in rng.integers(0, len(words), count)]


def planted_in(rng: np.random.Generator, words: list[str], item: list[str], rate: float) -> list[str]:
    """Return a document of 360 words that holds an item, each word of it replaced with the chance `rate`."""
    other, swap = _drawn(rng, words, len(item)), rng.random(len(item)) < rate
    copy = [new if new_one else old for old, new, new_one in zip(item, other, swap, strict=True)]
    around = _drawn(rng, words, DOCUMENT - len(item))
    place = int(rng.integers(0, len(around) + 1))
    return around[:place] + copy + around[place:]


def _runs(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[place : place + length]) for place in range(len(words) - length + 1)}
