"""The three pipes of a job, read with caps by the parent while it waits for the end, the deadline or a broken limit."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable

from netgain.sandbox.seam import Ending, Limits

FLOOD = 16 << 20  # bytes of logs that are thrown away before the job is ended for it
CHUNK = 1 << 16
LOOK_S = 0.05  # seconds between two looks at what no pipe tells
Look = Callable[[], Ending | None]


class Channels:
    """Pipes for the result, standard output and standard error; our ends read, the job's ends go to the job."""

    def __init__(self, limits: Limits, *, marked: bool = False) -> None:
        self._marked = marked
        self._caps = {"result": limits.result + marked, "out": limits.logs, "err": limits.logs}
        self.kept = {name: bytearray() for name in self._caps}
        self._dropped = 0
        self.ours: dict[int, str] = {}
        self.theirs: dict[str, int] = {}
        for name in self._caps:
            reading, self.theirs[name] = os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
            os.set_blocking(reading, False)
            self.ours[reading] = name

    @property
    def result(self) -> bytes:
        """What the job has answered."""
        return bytes(self.kept["result"][self._marked :])

    @property
    def begun(self) -> bool:
        """Whether the first program inside (boot.py) says, by a byte of its own, that the job's program was reached."""
        return not self._marked or self.kept["result"][:1] == b"\0"

    def handed_over(self) -> None:
        """Close the job's ends here, once the job has them."""
        for end in self.theirs.values():
            os.close(end)
        self.theirs = {}

    def close(self) -> None:
        """Close what is open."""
        self.handed_over()
        for end in self.ours:
            os.close(end)
        self.ours = {}

    def __enter__(self) -> Channels:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def wait(self, ended: Callable[[], bool], until: float, look: Look, wake: int | None = None) -> Ending | None:
        """Read until the job has ended, the clock says `until`, or a limit is broken.

        Args:
            ended: Whether the job has ended.
            until: Deadline on the monotonic clock, seconds.
            look: Says which limit is broken, asked every 50 ms.
            wake: A descriptor that becomes readable at the end; without one, the end is noticed within 10 ms.

        Returns:
            None when the job ended by itself, otherwise why it has to be ended now.
        """
        looked = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= until:
                return None if ended() else "deadline"
            pause = min(until - now, LOOK_S if wake is not None else 0.01)
            asked = [*self.ours, *([wake] if wake is not None else [])]
            ready = _readable(asked, pause)
            if self._read(ready):
                return "output"
            if (wake in ready or wake is None) and ended():
                return None
            if time.monotonic() - looked >= LOOK_S:
                looked = time.monotonic()
                if (broken := look()) is not None:
                    return broken

    def rest(self) -> Ending | None:
        """Read what the pipes still hold, after the end of the job."""
        broken: Ending | None = None
        while self.ours:
            ready = _readable(list(self.ours), 0.0)
            if not ready:
                break
            broken = "output" if self._read(ready) else broken
            if broken:
                break
        return broken

    def _read(self, ready: set[int]) -> bool:
        """Read once from each; whether more came than may come."""
        for end in ready & set(self.ours):
            with contextlib.suppress(BlockingIOError):
                data = os.read(end, CHUNK)
                if not data:
                    os.close(end)
                    del self.ours[end]
                elif self._keep(self.ours[end], data):
                    return True
        return False

    def _keep(self, name: str, data: bytes) -> bool:
        room = self._caps[name] - len(self.kept[name])
        self.kept[name] += data[: max(0, room)]
        lost = max(0, len(data) - room)
        self._dropped += lost if name != "result" else 0
        return (name == "result" and lost > 0) or self._dropped > FLOOD


def _readable(ends: list[int], seconds: float) -> set[int]:
    if hasattr(select, "poll"):
        asking = select.poll()
        for end in ends:
            asking.register(end, select.POLLIN)
        return {end for end, _ in asking.poll(max(0, seconds) * 1000)}
    return set(select.select(ends, [], [], max(0.0, seconds))[0])
