"""Items of which many words were replaced: half of the words that are their own, close together in one document.

No run of words survives where a third of them is new; the words themselves do, and what an item does not share with
others of its list is rare elsewhere. The thresholds are the project's own; what they find and what they find wrongly is
in docs/contamination.md.

Not covered: items with fewer than `LEAST` own words; rewording that keeps less than half of them, or a translation.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netgain.guards.findings import Protected
from netgain.guards.words import prose_of, spaced

Json = Any
LEAST = 12  # own words of an item that is looked for
SHARE = 0.5  # of them that a document has to hold
SPREAD = 2.0  # of the item's length in words, within which it has to hold them
FEW = 3, 0.01  # a word is an item's own that stands in no more items than this, or this share of them


@dataclass(frozen=True)
class Reworded:
    """Protected items, ready to be looked for by their own words.

    Attributes:
        owners: own word -> items that have it.
        needed: item -> how many of its own words make a finding.
        within: item -> in how many words in a row.
    """

    owners: Mapping[bytes, Sequence[str]]
    needed: Mapping[str, int]
    within: Mapping[str, int]

    @classmethod
    def of(cls, items: Iterable[Protected], free: Iterable[Json] = ()) -> Reworded:
        """Make items ready; those with too few own words are left out.

        Args:
            free: texts that a loop may use, such as development items: no word in them is an item's own.
        """
        asked = {item.id: words_of(item.question) for item in items}
        often = Counter(word for words in asked.values() for word in set(words))
        often.update({word: len(asked) for text in free for word in words_of(text)})
        most = max(FEW[0], FEW[1] * len(asked))
        own = {name: {word for word in words if often[word] <= most} for name, words in asked.items()}
        told = {name: words for name, words in own.items() if len(words) >= LEAST}
        owners: dict[bytes, list[str]] = defaultdict(list)
        for name, words in told.items():
            for word in words:
                owners[word].append(name)
        needed = {name: -int(-len(words) * SHARE // 1) for name, words in told.items()}
        return cls(dict(owners), needed, {name: int(SPREAD * len(asked[name])) for name in told})

    def found(self, document: Json) -> frozenset[str]:
        """Ids of the items whose words a document holds.

        Raises:
            ConfigError: the document is neither text nor JSON.
        """
        words = words_of(document)
        often = Counter(name for word in self.owners.keys() & set(words) for name in self.owners[word])
        held: dict[str, list[tuple[int, bytes]]] = {name: [] for name, n in often.items() if n >= self.needed[name]}
        for place, word in enumerate(words if held else ()):
            for name in self.owners.get(word, ()):
                if name in held:
                    held[name].append((place, word))
        return frozenset(name for name, places in held.items() if self._close(name, places))

    def _close(self, name: str, places: Sequence[tuple[int, bytes]]) -> bool:
        """Whether enough different words stand within the item's reach of each other."""
        needed, within = self.needed[name], self.within[name]
        seen: Counter[bytes] = Counter()
        begin = 0
        for place, word in places:
            seen[word] += 1
            while place - places[begin][0] >= within:
                seen[places[begin][1]] -= 1
                begin += 1
            if sum(count > 0 for count in seen.values()) >= needed:
                return True
        return False


def words_of(content: Json) -> list[bytes]:
    """Words of text or JSON, as the other rules see them."""
    return spaced(prose_of(content)).split()
