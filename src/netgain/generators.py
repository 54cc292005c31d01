"""The declared item generator `strings/1`: items that a stranger re-derives from a seed, without our code.

The rule is small and written out here, so that `verify.py` can hold an independent twin in plain Python. A change of
the rule is a new name (`strings/2`): old studies must verify for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

from netgain.canonical import digest
from netgain.errors import ConfigError

Json = Any

TASKS = ("reverse", "copy", "addition")
FORMS = ("plain", "doubled", "malformed", "dice")
DIGITS = "0123456789"
REFUSAL = "!"
FOREIGN = "#"


@dataclass(frozen=True)
class Strings:
    """Short string problems; item i of a block has length `lengths[i % len(lengths)]`.

    Attributes:
        task: "reverse", "copy" or "addition" (operands and sum with the least significant digit first).
        lengths: symbols of the string, or digits of each operand; at least one, each at least 1.
        form: "plain"; "doubled" (a string is the same half twice; even lengths); "malformed" (no separator, or one
            foreign symbol; the target is a refusal); "dice" (the target is one random symbol: nothing to learn).
        symbols: 2 to 256 different characters; addition needs "0123456789".
        separator: what ends a question; not a symbol.
    """

    task: str
    lengths: tuple[int, ...]
    form: str = "plain"
    symbols: str = DIGITS
    separator: str = ">"

    def __post_init__(self) -> None:
        object.__setattr__(self, "lengths", tuple(self.lengths))
        _require(self.task in TASKS, f"task {self.task!r}", f"use one of {', '.join(TASKS)}")
        _require(self.form in FORMS, f"form {self.form!r}", f"use one of {', '.join(FORMS)}")
        whole = all(type(length) is int and length >= 1 for length in self.lengths)
        _require(bool(self.lengths) and whole, f"lengths {self.lengths!r}", "give at least one length, each 1 or more")
        even = self.form != "doubled" or all(length % 2 == 0 for length in self.lengths)
        _require(even, f"lengths {self.lengths!r}", "form 'doubled' needs even lengths")
        self._check_symbols()

    def _check_symbols(self) -> None:
        different = len(set(self.symbols)) == len(self.symbols) and 2 <= len(self.symbols) <= 256
        _require(different, f"symbols {self.symbols!r}", "give 2 to 256 different characters")
        digits = self.task != "addition" or self.symbols == DIGITS
        _require(digits, f"symbols {self.symbols!r}", f"task 'addition' needs {DIGITS!r}")
        free = bool(self.separator) and not set(self.separator) & (set(self.symbols) | {FOREIGN, "+"})
        _require(free, f"separator {self.separator!r}", "give at least one character that is no symbol, '#' or '+'")
        apart = not set(self.symbols) & {FOREIGN, REFUSAL, "+"}
        _require(apart, f"symbols {self.symbols!r}", "leave out '#', '!' and '+': they have a meaning")

    def spec(self) -> dict[str, Json]:
        """The generator as JSON: `from_spec` gives an equal one back."""
        return {
            "generator": "strings/1",
            "task": self.task,
            "symbols": self.symbols,
            "separator": self.separator,
            "lengths": list(self.lengths),
            "form": self.form,
        }

    def draw(self, seed: str, index: int) -> dict[str, str]:
        """Item `index` of a block: {"input", "target"}.

        Args:
            seed: hex text that names the item (`seeding.item_seed`).
            index: position in the block, which sets the length.
        """
        length = self.lengths[index % len(self.lengths)]
        operands = 2 if self.task == "addition" else 1
        if self.form == "malformed":
            return self._malformed(_bytes(seed), operands, length)
        each = length // 2 if self.form == "doubled" else length
        drawn = self._symbols(seed, operands * each + (self.form == "dice"))
        words = [drawn[start : start + each] * (length // each) for start in range(0, operands * each, each)]
        return {
            "input": "+".join(words) + self.separator,
            "target": drawn[-1] if self.form == "dice" else self._truth(words),
        }

    def _symbols(self, seed: str, count: int) -> str:
        """The first symbols of an item's bytes, whole digests at a time."""
        table, dropped = _places(len(self.symbols))
        found, digests = b"", _digests(seed)
        while len(found) < count:
            found += next(digests).translate(table, dropped)
        return "".join([self.symbols[place] for place in found[:count]])

    def _malformed(self, stream: Iterator[int], operands: int, length: int) -> dict[str, str]:
        words = [
            "".join(self.symbols[_below(stream, len(self.symbols))] for _ in range(length)) for _ in range(operands)
        ]
        return {"input": self._broken(stream, words, length), "target": REFUSAL}

    def _truth(self, operands: list[str]) -> str:
        if self.task == "addition":
            # Written least significant digit first: turn round, add, pad to one digit more, turn back.
            total = sum(int(operand[::-1]) for operand in operands)
            return str(total).zfill(len(operands[0]) + 1)[::-1]
        return operands[0][::-1] if self.task == "reverse" else operands[0]

    def _broken(self, stream: Iterator[int], operands: list[str], length: int) -> str:
        byte = next(stream)
        if byte % 2 == 0:
            return "+".join(operands)
        place = byte % length
        first = operands[0][:place] + FOREIGN + operands[0][place + 1 :]
        return "+".join([first, *operands[1:]]) + self.separator


def from_spec(spec: Mapping[str, Json]) -> Strings:
    """The generator that a spec names.

    Raises:
        ConfigError: another generator, or a value that `Strings` refuses.
    """
    name = spec.get("generator")
    _require(name == "strings/1", f"generator {name!r}", "this version draws 'strings/1'")
    known = {"task", "symbols", "separator", "lengths", "form"}
    odd = sorted(set(spec) - known - {"generator"})
    _require(not odd, f"unknown keys {odd!r} in a generator", f"known keys are {', '.join(sorted(known))}")
    missing = sorted({"task", "lengths"} - set(spec))
    _require(not missing, f"generator without {missing!r}", "add them")
    return Strings(**{key: spec[key] for key in spec if key != "generator"})


def items_digest(items: Iterable[Mapping[str, Json]]) -> str:
    """What a `scores` event records of its items: digest of [[input, target], …]."""
    return digest([[item["input"], item["target"]] for item in items])


def _digests(seed: str) -> Iterator[bytes]:
    """SHA-256(seed | 0), SHA-256(seed | 1), …"""
    for counter in count():
        yield hashlib.sha256(f"{seed}|{counter}".encode("ascii")).digest()


def _bytes(seed: str) -> Iterator[int]:
    """The digests of a seed as one stream of bytes."""
    for digested in _digests(seed):
        yield from digested


@lru_cache
def _places(symbols: int) -> tuple[bytes, bytes]:
    """What `_below` does to every byte: the table of its result, and the bytes that it drops."""
    limit = 256 - 256 % symbols
    return bytes(byte % symbols for byte in range(256)), bytes(range(limit, 256))


def _below(stream: Iterator[int], count: int) -> int:
    """A number below `count` (at most 256), without bias: bytes from the incomplete last cycle are dropped."""
    limit = 256 - 256 % count
    return next(byte for byte in stream if byte < limit) % count


def _require(fine: bool, what: str, fix: str) -> None:
    if not fine:
        raise ConfigError(what, fix=fix)
