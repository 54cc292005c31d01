"""Twins of items: perturbed, repeated, impossible, placebo, marked and unmarked. Each is made of one original alone.

Twins are dealt with their originals: an axis on a source and one on its twins are asked about the same originals, and
the twin of a development item is never a gate item. How an item is changed follows from its content, so it is the same
wherever it is made.

Not covered: whether a change really leaves the answer as it was. Spaces or the case of a letter can be what a question
asks about; that is for whoever chooses the way to know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from netgain.canonical import digest
from netgain.errors import ConfigError
from netgain.suite import Given, Item, Source, Twins, named_code, source_of

Json = Any
Change = Callable[[Json, int], Json]  # (input, seed in [0, 2^63)) -> input
Lots = Iterator[float]  # numbers in [0, 1), without end


def perturbed(
    source: Given, how: str | Change, *, copies: int = 1, rate: float = 0.1, names: Mapping[str, str] | None = None,
    original: bool = True,
) -> Twins:  # fmt: skip
    """The same questions in another dress: the answer must not change.

    Args:
        how: "whitespace", "case", "typos", "order", "renaming", or a function (input, seed) -> input.
        copies: perturbed twins per original.
        rate: expected share of places that are changed: gaps between words, letters, neighbouring letters; "order" and
            "renaming" change all of theirs.
        names: for "renaming", name -> other name, in every text of the input.
        original: whether the unchanged question is among its twins; a cluster is then 1 + `copies` items.

    Raises:
        ConfigError: an unknown way, or a number that cannot be.
    """
    _at_least_one("copies", copies)
    if not 0.0 < rate <= 1.0:
        raise ConfigError(f"rate {rate!r} of perturbed twins", fix="give a share above 0 and up to 1")
    change = _change(how, rate, names)

    def make(item: Item) -> list[Item]:
        seeds = [_seed(item, copy) for copy in range(copies)]
        asked = [*([item["input"]] if original else []), *(change(item["input"], seed) for seed in seeds)]
        return [{**item, "input": one} for one in asked]

    told = {"twins": "perturbed", "rate": rate, "original": original, "names": dict(names or {})}
    return Twins(source_of(source), make, copies + original, {**told, **_way(how)})


def repeated(source: Given, times: int) -> Twins:
    """The same question several times: for axes of reliability, whose clusters are the repeats.

    Raises:
        ConfigError: fewer than two times.
    """
    if times < 2:
        raise ConfigError(f"times {times!r} of repeated twins", fix="ask at least twice")
    return Twins(source_of(source), lambda item: [item] * times, times, {"twins": "repeated"})


def impossible(source: Given, how: str | Callable[[Json, int], Json] = "token") -> Twins:
    """The same questions with a target that they contradict: any answer that passes was not found by answering.

    Args:
        how: "token", a text that no question determines; or a function (target, seed) -> another target, which should
            be one that no honest mistake hits.

    Raises:
        ConfigError: an unknown way; when items are dealt, a target that the way leaves as it was.
    """
    if isinstance(how, str) and how != "token":
        raise ConfigError.unknown("way of impossible twins", how, ["token"])

    def make(item: Item) -> list[Item]:
        seed = _seed(item, 0)
        target = how(item["target"], seed) if callable(how) else f"impossible-{seed:015x}"
        if target == item["target"]:
            raise ConfigError(f"impossible twin with the target {target!r} of its original", fix="change it always")
        return [{**item, "target": target}]

    return Twins(source_of(source), make, 1, {"twins": "impossible", **_way(how)})


def placebo(source: Given) -> Twins:
    """The same questions with a token as target, which scores answers by lot (metric `lot`): nothing can raise it."""

    def make(item: Item) -> list[Item]:
        return [{**item, "target": f"placebo-{_seed(item, 0):015x}"}]

    return Twins(source_of(source), make, 1, {"twins": "placebo"})


def marked(source: Given, mark: str | Callable[[Json], Json]) -> Twins:
    """The same questions with a sign that they are a test.

    Args:
        mark: text that is put before every question, which is then a text; or a function input -> input.
    """

    def make(item: Item) -> list[Item]:
        if callable(mark):
            return [{**item, "input": mark(item["input"])}]
        if not isinstance(item["input"], str):
            raise ConfigError(f"mark {mark!r} before {item['input']!r}", fix="give a function input -> input")
        return [{**item, "input": mark + item["input"]}]

    return Twins(source_of(source), make, 1, {"twins": "marked", **_way(mark)})


def unmarked(source: Given, how: Callable[[Json], Json] | None = None) -> Source:
    """The same questions as the working channel would put them, without any sign of a test.

    Args:
        source: what `marked` gave; or, with `how`, any source whose questions carry signs of their own.
        how: input -> input without the signs.

    Raises:
        ConfigError: no `how`, and a source that `marked` did not make.
    """
    if how is not None:
        told = {"twins": "unmarked", **_way(how)}
        return Twins(source_of(source), lambda item: [{**item, "input": how(item["input"])}], 1, told)
    if not isinstance(source, Twins) or source.how.get("twins") != "marked":
        raise ConfigError("unmarked twins of a source that was not marked", fix="give how= to take the signs off")
    return source.base


def _change(how: str | Change, rate: float, names: Mapping[str, str] | None) -> Change:
    if callable(how):
        return how
    if how not in WAYS:
        raise ConfigError.unknown("way of perturbed twins", how, WAYS)
    if how == "renaming":
        if not names:
            raise ConfigError("renaming without names", fix="give names={'name': 'other name'}")
        return lambda value, seed: _texts(value, lambda text: _renamed(text, names))
    if how == "order":
        return lambda value, seed: _shuffled(value, _lots(seed))
    way = WAYS[how]

    def change(value: Json, seed: int) -> Json:
        lots = _lots(seed)
        return _texts(value, lambda text: way(text, rate, lots))

    return change


def _spaced(text: str, rate: float, lots: Lots) -> str:
    """A second space beside some of the spaces; without any, one behind the text."""
    wider = "".join(one + one if one == " " and next(lots) < rate else one for one in text)
    return wider if wider != text else text + " "


def _cased(text: str, rate: float, lots: Lots) -> str:
    """Some letters in the other case."""
    return "".join(one.swapcase() if one.isalpha() and next(lots) < rate else one for one in text)


def _typed(text: str, rate: float, lots: Lots) -> str:
    """Some letters changed places with the letter behind them."""
    found, place = list(text), 0
    while place < len(found) - 1:
        swaps = found[place].isalpha() and found[place + 1].isalpha() and next(lots) < rate
        if swaps:
            found[place], found[place + 1] = found[place + 1], found[place]
        place += 1 + swaps
    return "".join(found)


WAYS: dict[str, Callable[[str, float, Lots], str]] = {
    "whitespace": _spaced, "case": _cased, "typos": _typed, "order": lambda text, rate, lots: text,
    "renaming": lambda text, rate, lots: text,
}  # fmt: skip


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Names replaced in one pass, longer ones first, so that two may change places."""
    import re

    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(pattern, lambda found: names[found[0]], text)


def _shuffled(value: Json, lots: Lots) -> Json:
    """Entries of a list, lines of a text or keys of a mapping in another order."""
    if isinstance(value, str):
        return "\n".join(_drawn(value.split("\n"), lots))
    if isinstance(value, Mapping):
        return {name: value[name] for name in _drawn(list(value), lots)}
    return _drawn(list(value), lots) if isinstance(value, list | tuple) else value


def _drawn(entries: Sequence[Any], lots: Lots) -> list[Any]:
    rest, found = list(entries), []
    while rest:
        found.append(rest.pop(int(next(lots) * len(rest))))
    return found


def _texts(value: Json, change: Callable[[str], str]) -> Json:
    """The value with every text in it changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _texts(one, change) for name, one in value.items()}
    return [_texts(one, change) for one in value] if isinstance(value, list | tuple) else value


def _seed(item: Item, copy: int) -> int:
    """A number in [0, 2^63) from the original's content."""
    return int(digest([item["input"], item["target"], copy])[:16], 16) >> 1


def _lots(seed: int) -> Lots:
    """SHA-256(seed | 0), SHA-256(seed | 1), … as numbers."""
    place = 0
    while True:
        yield int.from_bytes(hashlib.sha256(f"{seed}|{place}".encode("ascii")).digest()[:6], "big") / 2**48
        place += 1


def _way(how: str | Callable[..., Any]) -> dict[str, Json]:
    return named_code(how) if callable(how) else {"name": how}


def _at_least_one(name: str, count: int) -> None:
    if count < 1:
        raise ConfigError(f"{name} {count!r} of perturbed twins", fix="give at least 1")
