"""Frames on a pipe: an 8-byte length and a packed value."""

from __future__ import annotations

import os
import select
import time
from typing import Any, Protocol

from netgain.errors import SandboxError
from netgain.wire import pack, unpack

LARGEST = 1 << 31


class Pipe(Protocol):
    """What frames go through: a binary file, or an end of a pipe that is waited for up to a moment (`Timed`)."""

    def read(self, size: int, /) -> bytes: ...

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Timed:
    """Both ends of a worker's pipes, waited for no longer than a limit: a stopped worker answers nothing for ever.

    Args:
        source: descriptor that is read, made non-blocking.
        sink: descriptor that is written, made non-blocking.
    """

    def __init__(self, source: int, sink: int) -> None:
        self._source, self._sink = source, sink
        self._until: float | None = None
        os.set_blocking(source, False)
        os.set_blocking(sink, False)

    def limit(self, seconds: float | None) -> None:
        """From now on wait so long in all, by the monotonic clock; None: for ever."""
        self._until = None if seconds is None else time.monotonic() + seconds

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end of the pipe.

        Raises:
            TimeoutError: the limit has passed.
        """
        parts: list[bytes] = []
        while size:
            self._wait(self._source, select.POLLIN)
            part = os.read(self._source, min(size, 1 << 20))
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def write(self, data: bytes, /) -> None:
        """All of it.

        Raises:
            TimeoutError: the limit has passed.
        """
        left = memoryview(data)
        while left:
            self._wait(self._sink, select.POLLOUT)
            left = left[os.write(self._sink, left[: 1 << 16]) :]

    def flush(self) -> None:
        """Nothing is held back."""

    def _wait(self, handle: int, what: int) -> None:
        poll = select.poll()
        poll.register(handle, what)
        while True:
            left = None if self._until is None else self._until - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            if poll.poll(None if left is None else 1000 * left + 1):
                return


def send(pipe: Pipe, value: Any) -> None:
    """Write one value and flush."""
    data = pack(value)
    pipe.write(len(data).to_bytes(8, "little") + data)
    pipe.flush()


def receive(pipe: Pipe) -> Any | None:
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
