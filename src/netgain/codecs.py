"""Codecs: systems as bytes and back, for systems that need no extra package. Nothing here runs what it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from netgain.canonical import canonical
from netgain.errors import IntegrityError
from netgain.wire import pack, unpack

PICKLE = re.compile(rb"\x80[\x01-\x05]|(?:c|\(i)[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")  # protocols 2 to 5; 0 and 1
NUMPY_OBJECTS = re.compile(rb"\x93NUMPY[^}]*?'descr'[^}]*?'[|<>=]?O")
YAML_TAG = re.compile(rb"^%TAG |(?:^|[\s\[{,])!!(?:python|java|ruby|perl|php)/", re.MULTILINE)


def running_format(data: bytes) -> str | None:
    """Name of the format of these bytes, if it is one that runs code or makes objects when it is loaded.

    Asked only of what is not the plain data that it should be: sound data may begin as a pickle does. Safety rests on
    what loads them, which knows no such format; the name is for whoever reads the refusal.
    """
    if PICKLE.match(data):
        return "a pickle"
    if NUMPY_OBJECTS.match(data):
        return "a NumPy file of objects"
    if data[:4] == b"PK\x03\x04" and (b".pkl" in data or b".pickle" in data):
        return "a torch zip with a pickle"
    if data[:4] == b"PK\x03\x04" and NUMPY_OBJECTS.search(data):
        return "a NumPy archive of objects"
    return "YAML with a tag that makes objects" if YAML_TAG.search(data[: 1 << 20]) else None


def _named(load: Callable[[bytes], Any], data: bytes) -> Any:
    """What plain data say; what is refused is refused by the name of its format, where that runs code."""
    try:
        return load(data)
    except (IntegrityError, ValueError):
        if kind := running_format(data):
            fix = "store it as JSON, arrays or safetensors"
            raise IntegrityError(f"a system as {kind}, expected plain data", fix=fix) from None
        raise


class PlainCodec:
    """JSON values and numpy arrays, nested; the default."""

    def encode(self, system: Any) -> bytes:
        return pack(system)

    def decode(self, data: bytes) -> Any:
        return _named(unpack, data)


class JsonCodec:
    """JSON values, readable in the object store."""

    def encode(self, system: Any) -> bytes:
        return canonical(system)

    def decode(self, data: bytes) -> Any:
        return _named(json.loads, data)


class TextCodec:
    """Text: code, prompts."""

    def encode(self, system: str) -> bytes:
        return system.encode()

    def decode(self, data: bytes) -> str:
        return data.decode()
