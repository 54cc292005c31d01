"""Whole questions found again: a document, lines of it or a value in it that are a protected question.

Looked up by letters and digits alone, which costs little, and then compared: the same text is an exact duplicate; the
same `normal` form, or the same words where there are at least `ENOUGH` of them, a normalised one. Few words can differ
in their punctuation and mean another thing: 3+4 is not 3-4. Questions made of symbols alone are compared by those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from netgain.guards.words import folded, normal, spaced, text_of

Json = Any
ENOUGH = 4  # words
HEAD = 1 << 12  # bytes; a document with more letters at its beginning than any question has is no question


class Question(NamedTuple):
    """A protected question in the forms that are compared, and how many lines it has."""

    item: int
    text: str
    normal: str
    words: tuple[bytes, ...]
    lines: int


class Copy(NamedTuple):
    """A duplicate: the number of the item, how alike, and the line of a text document (None elsewhere)."""

    item: int
    rule: str
    line: int | None


@dataclass(frozen=True)
class Questions:
    """Protected questions by the keys of their whole text and of their first line."""

    whole: dict[bytes, list[Question]]
    begun: dict[bytes, list[Question]]
    symbols: bool  # whether the first line of one has neither letters nor digits
    boxed: bool  # whether one looks like a JSON list or object
    longest: int  # bytes of the longest key of a whole text

    @classmethod
    def of(cls, texts: Sequence[str]) -> Questions:
        """Index the texts of items; an empty one is no question."""
        whole: dict[bytes, list[Question]] = {}
        begun: dict[bytes, list[Question]] = {}
        symbols = False
        for item, text in enumerate(texts):
            if text := text.strip():
                lines, words = text.split("\n"), tuple(spaced(text).split())
                question = Question(item, text, normal(text), words, len(lines))
                whole.setdefault(_key(text), []).append(question)
                begun.setdefault(_key(lines[0]), []).append(question)
                symbols |= not _letters(spaced(lines[0]))
        boxed = any(one.text[0] in "[{" for same in whole.values() for one in same)
        return cls(whole, begun, symbols, boxed, max(map(len, whole), default=0))

    def copies(self, content: Json, prose: str, words: bytes) -> Iterator[Copy]:
        """Yield the duplicates in a document.

        Args:
            content: the document, text or JSON.
            prose: its `prose_of`.
            words: the `spaced` bytes of the prose.
        """
        keys, is_text = words.translate(None, b" ").split(b"\n"), isinstance(content, str)
        if self.symbols or not self.begun.keys().isdisjoint(keys):
            yield from self._lines(prose.split("\n"), keys, numbered=is_text)
        if is_text and len(keys) > 1 and len(_letters(words[: HEAD + 2 * self.longest])) <= self.longest:
            yield from self._same(prose, _letters(words))
        elif not is_text:
            for unit in _units(content, boxed=self.boxed):
                yield from self._same(unit, _letters(spaced(unit)))

    def _lines(self, lines: Sequence[str], keys: Sequence[bytes], *, numbered: bool) -> Iterator[Copy]:
        for place, key in enumerate(keys):
            for one in self.begun.get(key or _symbols(lines[place]), ()):
                if rule := _alike(one, "\n".join(lines[place : place + one.lines])):
                    yield Copy(one.item, rule, place + 1 if numbered else None)

    def _same(self, unit: str, key: bytes) -> Iterator[Copy]:
        for one in self.whole.get(key or _symbols(unit), ()):
            if rule := _alike(one, unit):
                yield Copy(one.item, rule, None)


def _alike(question: Question, unit: str) -> str | None:
    if unit.strip() == question.text:
        return "exact"
    if normal(unit) == question.normal:
        return "normalised"
    enough = len(question.words) >= ENOUGH and tuple(spaced(unit).split()) == question.words
    return "normalised" if enough else None


def _units(content: Json, *, boxed: bool) -> Iterator[str]:
    """Yield the texts of a JSON value that are no single line: longer strings, and if asked lists and objects."""
    if isinstance(content, dict | list | tuple):
        if boxed:
            yield text_of(content)
        for inner in content.values() if isinstance(content, dict) else content:
            yield from _units(inner, boxed=boxed)
    elif isinstance(content, str) and "\n" in content:
        yield content


def _key(text: str) -> bytes:
    return _letters(spaced(text)) or _symbols(text)


def _letters(words: bytes) -> bytes:
    return words.translate(None, b" \n")


def _symbols(text: str) -> bytes:
    """What stands for a text without letters: itself, without white space. Never equal to a key of letters."""
    return "".join(folded(text).split()).encode("utf-8", "surrogatepass")
