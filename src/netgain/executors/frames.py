"""Frames on a pipe: an 8-byte length and a packed value."""

from __future__ import annotations

from typing import IO, Any

from netgain.errors import SandboxError
from netgain.wire import pack, unpack

LARGEST = 1 << 31


def send(pipe: IO[bytes], value: Any) -> None:
    """Write one value and flush."""
    data = pack(value)
    pipe.write(len(data).to_bytes(8, "little") + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any | None:
    """The next value, or None at a clean end.

    Raises:
        SandboxError: the pipe broke inside a frame, or a frame is impossibly long.
    """
    head = pipe.read(8)
    if not head:
        return None
    size = int.from_bytes(head, "little")
    if len(head) < 8 or size > LARGEST:
        raise SandboxError(f"broken frame of {size} bytes", fix="run again: the step is repeated")
    data = pipe.read(size)
    if len(data) < size:
        raise SandboxError("the worker ended inside an answer", fix="run again: the step is repeated")
    return unpack(data)
