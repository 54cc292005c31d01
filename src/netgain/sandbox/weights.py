"""Weights of strangers: safetensors with a sound header, and nothing else.

The header is checked before any library sees the bytes (the format: 8 bytes of length, a JSON object, the raw tensors;
https://github.com/huggingface/safetensors#format). Formats that run code when loaded are refused by their names.

Not covered: what the numbers do. Weights may hold any function of their inputs, NaN too.
"""

from __future__ import annotations

from math import prod
from typing import Any

from netgain.codecs import running_format
from netgain.errors import IntegrityError
from netgain.sandbox.strict import Caps, NotStrict, strict_json

Json = Any
LENGTH = 8  # bytes of the header's length
BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
HEADER = Caps(size=16 << 20, depth=4, values=2_000_000, text=1000)
AXES = 16  # of one tensor
LARGEST = 1 << 34  # bytes


def check_weights(data: bytes, *, largest: int = LARGEST) -> bytes:
    """The same bytes, if they are safetensors whose header accounts for every byte once.

    Raises:
        IntegrityError: they are not; formats that run code are named.
    """
    if len(data) > largest:
        raise _wrong(f"{len(data)} bytes, allowed are {largest}")
    try:
        _check_header(data)
    except IntegrityError:
        if kind := running_format(data):
            fix = "write them with safetensors: nothing runs when they are read"
            raise IntegrityError(f"weights as {kind}, expected safetensors", fix=fix) from None
        raise
    return data


def _check_header(data: bytes) -> None:
    size = int.from_bytes(data[:LENGTH], "little")
    if len(data) < LENGTH or not 2 <= size <= min(HEADER.size, len(data) - LENGTH):
        raise _wrong(f"a header of {size} bytes in {len(data)}")
    try:
        header = strict_json(data[LENGTH : LENGTH + size].rstrip(b" "), HEADER)
    except NotStrict as error:
        raise _wrong(f"a header that is {error}") from None
    if data[LENGTH : LENGTH + 1] != b"{" or type(header) is not dict:
        raise _wrong("a header that is no object")
    notes = header.pop("__metadata__", {})
    if type(notes) is not dict or any(type(one) is not str for one in notes.values()):
        raise _wrong("metadata that is no object of texts")
    _placed([_tensor(one) for one in header.values()], len(data) - LENGTH - size)


def _tensor(entry: Json) -> tuple[int, int]:
    """Begin and end of one tensor, which are as far apart as its type and shape say."""
    if type(entry) is not dict or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _wrong("a tensor that is not dtype, shape and data_offsets")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(kind) is not str or kind not in BYTES:
        raise _wrong(f"an unknown type, expected one of {', '.join(BYTES)}")
    if not _counts(shape) or len(shape) > AXES or not _counts(offsets) or len(offsets) != 2:
        raise _wrong("a shape or offsets that are not whole numbers of at least 0")
    begin, end = offsets
    if end - begin != prod(shape) * BYTES[kind]:
        raise _wrong(f"a tensor of {end - begin} bytes, expected {prod(shape) * BYTES[kind]} by its type and shape")
    return begin, end


def _counts(numbers: Json) -> bool:
    return type(numbers) is list and all(type(one) is int and one >= 0 for one in numbers)


def _placed(spans: list[tuple[int, int]], size: int) -> None:
    """Tensors one after the other, without holes or overlaps, up to the last byte."""
    place = 0
    for begin, end in sorted(spans):
        if begin != place:
            raise _wrong(f"a tensor that begins at byte {begin}, expected {place}: a hole or an overlap")
        place = end
    if place != size:
        raise _wrong(f"tensors of {place} bytes, and {size} bytes of data")


def _wrong(what: str) -> IntegrityError:
    return IntegrityError(f"not sound safetensors: {what}", fix="take the weights from their maker again")
