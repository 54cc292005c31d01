"""Typed values across a boundary: JSON and raw arrays, never pickle.

A packed value is an 8-byte little-endian header length, a JSON header and the raw bytes of its arrays in turn.
The same bytes always mean the same value, so the SHA-256 of a packed value names it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from netgain.errors import IntegrityError

if TYPE_CHECKING:
    import numpy as np

Value = Any  # None, bool, int, float, str, bytes, list, dict with str keys, numpy.ndarray of a plain dtype

DTYPES = frozenset({"bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"})
SCALARS = {type(None), bool, int, float, str}
ESCAPE = "~"  # a dict with this one key stands for an array, bytes, or a dict that itself has the key


def pack(value: Value) -> bytes:
    """Bytes of a value: equal values give equal bytes.

    Raises:
        IntegrityError: a type that has no plain form (an object, a function, a NaN).
    """
    buffers: list[bytes] = []
    try:
        plain = _plain(value, buffers)
        head = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise IntegrityError(
            f"value of type {type(value).__name__} cannot cross the boundary: {error}",
            fix="pass JSON values (finite numbers) and numpy arrays only",
        ) from None
    return len(head).to_bytes(8, "little") + head + b"".join(buffers)


def unpack(data: bytes) -> Value:
    """The value of packed bytes; arrays come back read-only.

    Raises:
        IntegrityError: bytes that `pack` did not make.
    """
    try:
        size = int.from_bytes(data[:8], "little")
        head = json.loads(data[8 : 8 + size])
        return _restore(head, memoryview(data)[8 + size :])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise IntegrityError(f"not a packed value ({error})", fix="restore the object from a copy") from None


def _plain(value: Value, buffers: list[bytes]) -> Value:
    if type(value) in SCALARS or isinstance(value, (int, float, str)):
        return value
    if isinstance(value, bytes):
        return {ESCAPE: ["bytes", _append(value, buffers), len(value)]}
    if isinstance(value, Mapping):
        if any(not isinstance(key, str) for key in value):
            raise TypeError("a mapping needs text keys")
        inner = {key: _plain(value[key], buffers) for key in sorted(value)}
        return {ESCAPE: ["dict", inner]} if ESCAPE in inner else inner
    if isinstance(value, (list, tuple)):
        if SCALARS.issuperset(map(type, value)):  # a column is looked through at once
            return list(value)
        return [_plain(item, buffers) for item in value]
    return _plain_array(value, buffers)


def _plain_array(value: Value, buffers: list[bytes]) -> Value:
    import numpy as np

    if isinstance(value, np.generic):
        return _plain(value.item(), buffers)
    if not isinstance(value, np.ndarray) or value.dtype.name not in DTYPES:
        raise TypeError(f"{type(value).__name__} has no plain form")
    array = np.ascontiguousarray(value)
    raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return {ESCAPE: ["array", array.dtype.name, list(value.shape), _append(raw, buffers)]}


def _append(raw: bytes, buffers: list[bytes]) -> int:
    offset = sum(len(buffer) for buffer in buffers)
    buffers.append(raw)
    return offset


def _restore(head: Value, body: memoryview) -> Value:
    if isinstance(head, list):
        return head if SCALARS.issuperset(map(type, head)) else [_restore(item, body) for item in head]
    if not isinstance(head, dict):
        return head
    if set(head) != {ESCAPE}:
        return {key: _restore(item, body) for key, item in head.items()}
    kind, *rest = head[ESCAPE]
    if kind == "dict":
        return {key: _restore(item, body) for key, item in rest[0].items()}
    if kind == "bytes":
        return bytes(body[rest[0] : rest[0] + rest[1]])
    return _restore_array(*rest, body=body)


def _restore_array(name: str, shape: list[int], offset: int, *, body: memoryview) -> np.ndarray[Any, Any]:
    import numpy as np

    if name not in DTYPES:
        raise ValueError(f"unknown dtype {name!r}")
    count = int(np.prod(shape, dtype=np.int64))
    dtype = np.dtype(name).newbyteorder("<")
    array = np.frombuffer(body, dtype=dtype, count=count, offset=offset).reshape(shape)
    array.flags.writeable = False
    return array
