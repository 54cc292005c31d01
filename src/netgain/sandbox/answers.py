"""A program's answers as they come out of a sandbox: a complete set with the run's nonce, or not valid at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netgain.sandbox.strict import ALLOWED, Caps, NotStrict, strict_json

Json = Any
FRAME = 3  # lists and objects around each answer
KINDS = ("value", "raised", "untyped")


@dataclass(frozen=True)
class Answers:
    """What a program said, input by input.

    Attributes:
        outputs: (n,) plain JSON values; None where there is no answer.
        faults: place -> "raised" or "untyped": why there is none.
        said: place -> what the program said of it; its word, and text from outside.
    """

    outputs: tuple[Json, ...]
    faults: Mapping[int, str] = field(default_factory=dict)
    said: Mapping[int, str] = field(default_factory=dict)


def read_answers(data: bytes, nonce: str, count: int, caps: Caps = ALLOWED) -> Answers:
    """Read {"nonce": …, "answers": [[place, kind, value], …]}, one entry for each of `count` places.

    Raises:
        NotStrict: anything else: no JSON, another run's nonce, a place missing, twice or unknown, more keys.
    """
    frame = strict_json(data, Caps(size=caps.size, depth=caps.depth + FRAME, values=caps.values, text=caps.text))
    if type(frame) is not dict or set(frame) != {"nonce", "answers"}:
        raise NotStrict("not an object of nonce and answers")
    if type(frame["nonce"]) is not str or frame["nonce"] != nonce:
        raise NotStrict("the nonce of another run, or none")
    if type(frame["answers"]) is not list or len(frame["answers"]) != count:
        raise NotStrict(f"not a list of {count} answers")
    found: dict[int, tuple[str, Json]] = {}
    for entry in frame["answers"]:
        place, kind, value = _entry(entry, count)
        if place in found:
            raise NotStrict(f"two answers to input {place}")
        found[place] = kind, value
    faults = {place: kind for place, (kind, _) in sorted(found.items()) if kind != "value"}
    outputs = tuple(None if place in faults else found[place][1] for place in range(count))
    return Answers(outputs, faults, {place: found[place][1] for place in faults})


def _entry(entry: Json, count: int) -> tuple[int, str, Json]:
    if type(entry) is not list or len(entry) != 3:
        raise NotStrict("an answer that is not [place, kind, value]")
    place, kind, value = entry
    if type(place) is not int or not 0 <= place < count:
        raise NotStrict("an answer to no input")
    if type(kind) is not str or kind not in KINDS or (kind != "value" and type(value) is not str):
        raise NotStrict(f"an answer of no known kind, expected one of {', '.join(KINDS)}")
    return place, kind, value
