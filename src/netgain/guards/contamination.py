"""Protected items looked for in self-made data, prompts, memories and skills.

    exact        a whole question, as it stands
    normalised   a whole question, but for spelling, white space and punctuation (`netgain.guards.duplicates`)
    block        `BLOCK` words in a row of an item
    canary       a canary string, whoever made it (`netgain.guards.canaries`)
    review       `RARE` rare runs of `REVIEW` words of one item, or the only one that it has; a run is rare that stands
                 in no other item and not in the stated background

The thresholds are the project's own, for text in words; measured recall, and what stays unseen, in
docs/contamination.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from netgain.errors import ConfigError
from netgain.guards.canaries import first_line
from netgain.guards.duplicates import Questions
from netgain.guards.findings import RULES, Finding, Hit, Protected, Scan
from netgain.guards.grams import (
    Bools,
    Collision,
    Held,
    RunTable,
    run_hashes,
    run_table,
    spread,
    word_hashes,
    word_ids,
)
from netgain.guards.words import PADDING, Ints, Words, prose_of, spaced, text_of, windows

Json = Any
BLOCK, REVIEW, RARE = 13, 8, 2
BUFFER = 1 << 20  # bytes of documents that are looked at together
SALTS = 16


class _Document(NamedTuple):
    name: str
    content: Json
    prose: str
    words: bytes  # `spaced`


class _Runs(NamedTuple):
    """Runs found in some documents, (k,) each: number of the document, number of the run, byte at which it begins."""

    documents: Ints
    runs: Ints
    bytes: Ints

    def once(self, count: int) -> _Runs:
        """Return each of `count` runs once per document, where it stands first; sorted by document."""
        _, first = np.unique(self.documents * max(count, 1) + self.runs, return_index=True)
        return _Runs(*(column[first] for column in self))

    def of(self, document: int) -> _Runs:
        """Return those of one document."""
        begin, end = np.searchsorted(self.documents, [document, document + 1])
        return _Runs(*(column[begin:end] for column in self))


@dataclass(frozen=True)
class Index:
    """Protected items, ready to be looked for; made by `index_of`.

    Attributes:
        items: what is protected.
        questions: their questions as wholes.
        known: word -> id, of all words in them.
        long, short: their runs of `BLOCK` and of `REVIEW` words.
        rare: (runs of `short`,) True where at most one item holds a run and no background does.
        salt: of the hashes.
    """

    items: tuple[Protected, ...]
    questions: Questions
    known: dict[bytes, int]
    long: RunTable
    short: RunTable
    rare: Bools
    salt: int

    def with_background(self, documents: Iterable[tuple[str, Json]]) -> Index:
        """Return an index to which the runs of 8 words in these documents are not rare. What blocks stays as it is."""
        rare = self.rare.copy()
        for batch in _batches(documents):
            rare[self._runs(batch)[1].runs] = False
        return replace(self, rare=rare)

    def scan(self, documents: Iterable[tuple[str, Json]]) -> Scan:
        """Look at documents.

        Args:
            documents: (id, text or JSON) each; read once, about a megabyte at a time.

        Raises:
            ConfigError: a document that is neither text nor JSON.
        """
        findings: list[Finding] = []
        count = characters = 0
        for batch in _batches(documents):
            count, characters = count + len(batch), characters + sum(len(one.prose) for one in batch)
            findings += self._findings(batch)
        return Scan(count, characters, tuple(findings))

    @cached_property
    def _needed(self) -> Ints:
        """(items,) how many rare runs of an item make a review; 0 where it has none."""
        often = self.short.edges[1:] - self.short.edges[:-1]
        rare = np.bincount(self.short.items[np.repeat(self.rare, often)], minlength=len(self.items))
        return np.minimum(rare, RARE)

    def _findings(self, batch: Sequence[_Document]) -> Iterator[Finding]:
        long, short = self._runs(batch)
        held = set(short.documents.tolist())
        for number, document in enumerate(batch):
            hits = [*self._copies(document), *_canary(document)]
            if number in held:  # whoever shares 13 words shares 8
                hits += self._held(document, long.of(number), short.of(number))
            if hits:
                yield Finding(document.name, tuple(sorted(hits, key=lambda hit: RULES.index(hit.rule))))

    def _copies(self, document: _Document) -> list[Hit]:
        found: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
        for copy in self.questions.copies(document.content, document.prose, document.words):
            found[copy.rule].append((copy.item, copy.line))
        return [Hit(rule, self._names(item for item, _ in copies),
                    line=min((line for _, line in copies if line is not None), default=None))
                for rule, copies in found.items()]  # fmt: skip

    def _held(self, document: _Document, long: _Runs, short: _Runs) -> list[Hit]:
        """What the runs in a document are worth: a block, and a review for items that do not block."""
        blocked = np.unique(self.long.owners(long.runs)[1])
        rare = np.flatnonzero(self.rare[short.runs])
        position, item = self.short.owners(short.runs[rare])
        enough = (np.bincount(item, minlength=len(self.items)) >= self._needed) & (self._needed > 0)
        enough[blocked] = False
        shown = np.unique(rare[position[enough[item]]])
        hits = [("block", blocked, long.bytes), ("review", np.flatnonzero(enough), short.bytes[shown])]
        return [Hit(rule, self._names(items.tolist()), len(places), _line(document, int(places.min())))
                for rule, items, places in hits if len(places)]  # fmt: skip

    def _names(self, items: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted({self.items[item].id for item in items}))

    def _runs(self, batch: Sequence[_Document]) -> tuple[_Runs, _Runs]:
        """Return the long and the short runs of protected items in documents."""
        data, begins = _joined([one.words for one in batch])
        parts = [self._window(data, words, begins) for words in windows(data, keep=BLOCK - 1)]
        long, short = (_Runs(*map(np.concatenate, zip(*kind, strict=True))) for kind in zip(*parts, strict=True))
        return long.once(len(self.long.hashes)), short.once(len(self.short.hashes))

    def _window(self, data: bytes, words: Words, begins: Ints) -> tuple[_Runs, _Runs]:
        hashes = word_hashes(data, words, self.salt)
        short = self.short.find(run_hashes(hashes, REVIEW))
        ids = word_ids(data, words, spread(short.places, REVIEW), self.known)
        short = self.short.confirmed(short, ids)
        # A long run begins where short ones begin at once and BLOCK - REVIEW words later.
        places = np.intersect1d(short.places, short.places - (BLOCK - REVIEW))
        found = self.long.find(run_hashes(hashes, BLOCK)[places] if len(places) else hashes[:0])
        long = self.long.confirmed(Held(places[found.places], found.runs), ids)
        return _inside(long, BLOCK, words, begins), _inside(short, REVIEW, words, begins)


def index_of(items: Iterable[Protected]) -> Index:
    """Make protected items ready to be looked for.

    Raises:
        ConfigError: no item, two with one id, or one that is neither text nor JSON.
    """
    items = tuple(items)
    if not items:
        raise ConfigError("there are no items to look for", fix="give the gate, report or sealed items")
    if len({item.id for item in items}) < len(items):
        double = next(item.id for item in items if sum(other.id == item.id for other in items) > 1)
        raise ConfigError(f"two items have the id {double!r}", fix="give every item an id of its own")
    for salt in range(SALTS):
        try:
            return _indexed(items, salt)
        except Collision:
            continue
    raise ConfigError(f"runs of words with equal hashes under {SALTS} salts", fix="leave out the item that was made so")


def _indexed(items: tuple[Protected, ...], salt: int) -> Index:
    texts = [(number, spaced(prose_of(part))) for number, item in enumerate(items)
             for part in (item.question, item.answer)]  # fmt: skip
    data, begins = _joined([words for _, words in texts])
    words = Words(*map(np.concatenate, zip(*windows(data, keep=0), strict=True)))
    spans = zip(words.starts.tolist(), words.ends.tolist(), strict=True)
    known: dict[bytes, int] = {}
    ids = np.array([known.setdefault(data[start:end], len(known)) for start, end in spans], np.int64)
    stands = np.searchsorted(begins, words.starts, "right") - 1  # the text of each word
    owner = np.array([number for number, _ in texts], np.int64)[stands]
    hashes = word_hashes(data, words, salt)
    long, short = (run_table(length, ids, hashes, stands, owner) for length in (BLOCK, REVIEW))
    questions = Questions.of([text_of(item.question) for item in items])
    return Index(items, questions, known, long, short, _rare(short, items), salt)


def _rare(short: RunTable, items: Sequence[Protected]) -> Bools:
    """Return (runs,) True where one item holds a run; items of the same words count as one."""
    kinds: dict[tuple[bytes, ...], int] = {}
    kind = [kinds.setdefault(tuple(b" ".join(spaced(prose_of(part)).split()) for part in (item.question, item.answer)),
                             len(kinds)) for item in items]  # fmt: skip
    often = short.edges[1:] - short.edges[:-1]
    runs = np.repeat(np.arange(len(often)), often)
    pairs = np.unique(np.stack([runs, np.array(kind, np.int64)[short.items]], axis=1), axis=0)
    rare: Bools = np.bincount(pairs[:, 0], minlength=len(often)) <= 1
    return rare


def _batches(documents: Iterable[tuple[str, Json]]) -> Iterator[list[_Document]]:
    batch: list[_Document] = []
    size = 0
    for name, content in documents:
        batch.append(_document(name, content))
        size += len(batch[-1].words)
        if size >= BUFFER:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _document(name: str, content: Json) -> _Document:
    try:
        text_of(content)  # refuses what is not JSON anywhere, keys included
    except ConfigError as error:
        raise ConfigError(f"document {name!r} is {error.what}", fix=error.fix) from None
    prose = prose_of(content)
    return _Document(name, content, prose, spaced(prose))


def _joined(texts: Sequence[bytes]) -> tuple[bytes, Ints]:
    """Return texts in a row with a blank between them and padding behind, and (n,) where each begins."""
    sizes = np.array([len(text) + 1 for text in texts], np.int64)
    return b" ".join(texts) + PADDING, np.cumsum(sizes) - sizes


def _inside(held: Held, length: int, words: Words, begins: Ints) -> _Runs:
    """Return the runs that lie inside one document, with the byte of the document at which they begin."""
    first, last = (words.starts[held.places + more] for more in (0, length - 1))
    document = np.searchsorted(begins, first, "right") - 1
    one = document == np.searchsorted(begins, last, "right") - 1
    return _Runs(document[one], held.runs[one], (first - begins[document])[one])


def _canary(document: _Document) -> list[Hit]:
    line = first_line(document.prose)
    return [] if line is None else [Hit("canary", (), line=line if isinstance(document.content, str) else None)]


def _line(document: _Document, byte: int) -> int | None:
    """The line of a text document in which a byte of its words stands."""
    return document.words.count(b"\n", 0, byte) + 1 if isinstance(document.content, str) else None
