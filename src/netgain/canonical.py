"""Canonical JSON: equal values give equal bytes, so the SHA-256 of the bytes names the value."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Json = Any
TEXT = {str}
PLAIN = {str, int, float, bool, type(None)}
ENCODER = json.JSONEncoder(  # circles do not come this far: `_refuse_odd_keys` goes round in them to its end
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


def canonical(value: Json) -> bytes:
    """UTF-8 bytes of a JSON value: keys sorted, no spaces, finite numbers as Python writes them.

    Tuples become lists. Not RFC 8785: numbers keep Python's shortest form (1.0 stays "1.0"), which `verify.py` shares.

    Raises:
        ValueError: a value without one JSON form: NaN, infinity, a key that is not text, half a surrogate pair.
        TypeError: a type that JSON does not have.
    """
    _refuse_odd_keys(value)
    return ENCODER.encode(value).encode()  # UnicodeEncodeError, a ValueError, for half a surrogate pair


def digest(value: Json) -> str:
    """SHA-256 of the canonical bytes, 64 lower-case hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _refuse_odd_keys(value: Json) -> None:
    # json.dumps would write the keys 1 and "1" alike: two values, one digest.
    if isinstance(value, dict):
        if not TEXT.issuperset(map(type, value)):
            for key in value:
                if not isinstance(key, str):
                    raise ValueError(f"JSON keys are text, not {key!r}; use str(key)")
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    if not PLAIN.issuperset(map(type, value)):  # a column of scores is looked through at once
        for inner in value:
            if type(inner) not in PLAIN:
                _refuse_odd_keys(inner)
