"""Codecs: systems as bytes and back, for systems that need no extra package."""

from __future__ import annotations

import json
from typing import Any

from netgain.canonical import canonical
from netgain.wire import pack, unpack


class PlainCodec:
    """JSON values and numpy arrays, nested; the default."""

    def encode(self, system: Any) -> bytes:
        return pack(system)

    def decode(self, data: bytes) -> Any:
        return unpack(data)


class JsonCodec:
    """JSON values, readable in the object store."""

    def encode(self, system: Any) -> bytes:
        return canonical(system)

    def decode(self, data: bytes) -> Any:
        return json.loads(data)


class TextCodec:
    """Text: code, prompts."""

    def encode(self, system: str) -> bytes:
        return system.encode()

    def decode(self, data: bytes) -> str:
        return data.decode()
