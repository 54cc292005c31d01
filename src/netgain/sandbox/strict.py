"""JSON of strangers: plain values of exact types, with caps on everything, or a reason why not.

What `strict_json` gives was made by this module's own reader, so no value of it can be of a subclass, compare in a way
of its own or stand for more than it says. What it refuses: bytes that are no UTF-8, two keys alike, NaN and infinities
(also as 1e999), halves of surrogate pairs, whole numbers of more than 64 bits, and whatever is deeper, longer or more
than allowed. The text is looked through before it is read, so that reading cannot exhaust the stack.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn

Json = Any
WHOLE = 1 << 63  # whole numbers are below it in size
DIGITS = 400  # characters of one number
STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)  # an open string goes to the end: linear on any bytes
BRACKETS = re.compile(rb"[\[\]{}]")


class NotStrict(ValueError):
    """Bytes that are not the JSON that was allowed; the message is ours and quotes none of them."""


@dataclass(frozen=True, kw_only=True)
class Caps:
    """How much one document may hold.

    Attributes:
        size: bytes.
        depth: lists and objects inside each other.
        values: scalars, lists and objects together.
        text: characters of one string or key.
    """

    size: int = 1 << 20
    depth: int = 32
    values: int = 200_000
    text: int = 1 << 18


ALLOWED = Caps()


def strict_json(data: bytes, caps: Caps = ALLOWED) -> Json:
    """The value of a JSON document.

    Raises:
        NotStrict: it is not JSON, or not of this kind.
    """
    if len(data) > caps.size:
        raise NotStrict(f"{len(data)} bytes, allowed are {caps.size}")
    if deepest(data) > caps.depth:
        raise NotStrict(f"nested deeper than {caps.depth}")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_once, parse_int=_whole, parse_float=_finite, parse_constant=_constant
        )
    except NotStrict:
        raise
    except UnicodeDecodeError as error:
        raise NotStrict(f"byte {error.start} is no UTF-8") from None
    except (ValueError, RecursionError) as error:
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotStrict(f"not JSON{place}") from None
    _counted(value, caps)
    return value


def deepest(data: bytes) -> int:
    """How deep lists and objects of a document are nested at most, without reading it; of what is no JSON, a bound."""
    depth = most = 0
    for bracket in BRACKETS.findall(STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        most = max(most, depth)
    return most


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrict("an object has a key twice")
    return found


def _whole(text: str) -> int:
    if len(text) > len(str(WHOLE)) + 1 or abs(number := int(text)) >= WHOLE:
        raise NotStrict("a whole number of more than 64 bits")
    return number


def _finite(text: str) -> float:
    if len(text) > DIGITS or not math.isfinite(number := float(text)):
        raise NotStrict("a number that is not finite, or too long")
    return number


def _constant(text: str) -> NoReturn:
    raise NotStrict(f"{text}, expected a finite number")


def _counted(value: Json, caps: Caps) -> None:
    """Refuse too many values, long texts and halves of surrogate pairs."""
    left, held = caps.values, [value]
    while held:
        one = held.pop()
        left -= 1
        if left < 0:
            raise NotStrict(f"more than {caps.values} values")
        if type(one) is dict:
            held += [*one, *one.values()]
        elif type(one) is list:
            held += one
        elif type(one) is str:
            _text(one, caps)


def _text(text: str, caps: Caps) -> None:
    if len(text) > caps.text:
        raise NotStrict(f"a text of {len(text)} characters, allowed are {caps.text}")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise NotStrict("half a surrogate pair")
