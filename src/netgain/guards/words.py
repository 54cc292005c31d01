"""What a word is: text or JSON as bytes of plain words, and where in those bytes each word begins and ends.

A word is a longest run of letters, digits and marks, after Unicode normalisation NFKC, case folding and removal of
characters that nobody sees (category Cf: soft hyphens, zero-width spaces). Scripts without spaces (Han, kana, Thai,
Lao, Khmer, Burmese) have one word per character. All else, underscores too, only separates words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netgain.canonical import canonical
from netgain.errors import ConfigError

Json = Any
Ints = npt.NDArray[np.int64]
WINDOW = 1 << 18  # bytes looked at together: their arrays stay in the processor's cache
PADDING = b" " * 16  # behind the last word, so that 16 bytes can be read from the beginning of every word
LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789") | frozenset(range(0x80, 0x100))
LOWER = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in range(256))
SPACED = bytes(byte if byte in LETTERS or byte == 10 else 32 for byte in LOWER)  # separators to blanks, lines kept
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
FEW = 24  # distinct characters that are replaced one after the other; more go through one table


class Words(NamedTuple):
    """Places of words in bytes: `starts` and `ends` are (n,) offsets, ends exclusive."""

    starts: Ints
    ends: Ints


def text_of(value: Json) -> str:
    """Return the one text of a question or document: text is itself, other JSON its canonical form, as `[3,1,2]`.

    Raises:
        ConfigError: neither text nor JSON, as bytes or NaN.
    """
    if isinstance(value, str):
        return value
    try:
        return canonical(value).decode()
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise ConfigError(
            f"a {kind} that is neither text nor JSON ({error})", fix="decode it or leave it out"
        ) from None


def prose_of(value: Json) -> str:
    """Return the words of a question or document: text is itself, other JSON one leaf a line, keys left out."""
    return value if isinstance(value, str) else "\n".join(map(_leaf_text, leaves(value)))


def leaves(value: Json) -> Iterator[Json]:
    """Yield what a JSON value holds at its ends, in the order in which it stands there."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        yield value
        return
    for inner in value:
        yield from leaves(inner)


def folded(text: str) -> str:
    """Return text in one spelling: NFKC, case folded, unseen characters gone. Punctuation stays."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _replaced(text, {char: "" for char in _strange(text) if unicodedata.category(char) == "Cf"})


def spaced(text: str) -> bytes:
    """Return the words of a text in UTF-8, with blanks between them; line feeds stay where they were."""
    if not text.isascii():
        lines = text.split("\n")  # most lines of most texts are ASCII, which the table at the end does for
        odd = [place for place, line in enumerate(lines) if not line.isascii()]
        plain = _separated(folded("\n".join([lines[place] for place in odd]))).split("\n")
        for place, line in zip(odd, plain, strict=True):
            lines[place] = line
        text = "\n".join(lines)
    return text.encode("utf-8", "surrogatepass").translate(SPACED)


def normal(text: str) -> str:
    """Return the form of a normalised duplicate: folded, one blank between two words and no other white space."""
    parts = folded(text).split()
    kept = parts[:1]
    for part in parts[1:]:
        kept += [" ", part] if _in_word(kept[-1][-1]) and _in_word(part[0]) else [part]
    return "".join(kept)


def windows(data: bytes, keep: int) -> Iterator[Words]:
    """Yield the words of `spaced` bytes in windows of bounded size.

    Args:
        data: ends with `PADDING`.
        keep: words at the end of a window that begin the next one again, so that no run of keep + 1 words is cut.

    Yields:
        Words with offsets into all of the data.
    """
    begin = cut = 0
    while cut < len(data):
        cut = _cut(data, cut)
        words = _words_between(data, begin, cut)
        yield words
        kept = min(keep, len(words.starts))
        begin = int(words.starts[-kept]) if kept else cut


def _cut(data: bytes, after: int) -> int:
    """Return the end of the next window: a place at which no word is cut."""
    if after + WINDOW >= len(data):
        return len(data)
    found = data.rfind(b" ", after + 1, after + WINDOW)
    return found if found > 0 else data.find(b" ", after + WINDOW)  # a word longer than a window; padding ends it


def _words_between(data: bytes, begin: int, end: int) -> Words:
    gap = np.frombuffer(data, np.uint8, end - begin, begin) <= 32
    edges = np.flatnonzero(gap[1:] != gap[:-1]) + (begin + 1)
    if len(gap) and not gap[0]:
        edges = np.concatenate([[begin], edges])
    if len(gap) and not gap[-1]:
        edges = np.concatenate([edges, [end]])
    return Words(edges[0::2], edges[1::2])


def _strange(text: str) -> set[str]:
    """Return the distinct characters outside ASCII."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return {chr(code) for code in np.unique(codes[codes > 127]).tolist()}


def _separated(text: str) -> str:
    """Return folded text with blanks for separators outside ASCII and around words of one character."""
    strange = _strange(text)
    text = _replaced(text, {char: " " for char in strange if not _in_word(char)})
    return UNSPACED.sub(r" \g<0> ", text) if UNSPACED.search("".join(strange)) else text


def _leaf_text(leaf: Json) -> str:
    if isinstance(leaf, str):
        return leaf
    return str(leaf) if type(leaf) is int else text_of(leaf)


def _replaced(text: str, table: dict[str, str]) -> str:
    if len(table) > FEW:
        return text.translate({ord(char): instead for char, instead in table.items()})
    for char, instead in table.items():
        text = text.replace(char, instead)
    return text


def _in_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"
