"""G10: a fork, a memory, a disk and an output bomb run together in sandboxes, and the host still starts processes."""

from __future__ import annotations

import shutil
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from netgain.sandbox import Finished, Job, Limits
from netgain.sandbox.bubblewrap import Bubblewrap
from netgain.testing.trials import record

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap: apt-get install bubblewrap")
COMMAND = "pytest tests/reliability/test_bombs.py"
MIB = 1 << 20
CAPS = Limits(wall_s=2.0, cpu_s=2.0, memory=96 * MIB, processes=16, disk=8 * MIB, result=64 << 10, logs=4096)
PING_S = 0.25
BOMBS = {
    "fork": b"import os\nwhile True:\n try: os.fork()\n except OSError: pass",
    "memory": b"held = []\nwhile True: held.append(b'x' * (1 << 20))",
    "disk": b"while True:\n try: open('big', 'ab').write(bytes(1 << 16))\n except OSError: pass",
    "output": b"import os\nwhile True: os.write(1, bytes(1 << 16)); os.write(2, bytes(1 << 16))",
}
STOPPED = {"fork": ("processes", "deadline"), "memory": ("memory",), "disk": ("disk", "deadline"),
           "output": ("output", "deadline")}  # fmt: skip


def pinged() -> float:
    """Seconds from asking the host for a small process, outside of any sandbox, to its end."""
    began = time.monotonic()
    subprocess.run(["true"], check=True)
    return time.monotonic() - began


def together(backend: Bubblewrap) -> tuple[dict[str, Finished], list[float]]:
    """All four at once, and pings for as long as any of them runs."""
    with ThreadPoolExecutor(len(BOMBS)) as pool:
        running: dict[str, Future[Finished]] = {
            name: pool.submit(backend.run, Job(source=source, limits=CAPS)) for name, source in BOMBS.items()
        }
        pings: list[float] = []
        while not all(one.done() for one in running.values()):
            pings.append(pinged())
            time.sleep(0.02)
        return {name: one.result() for name, one in running.items()}, pings


@pytest.mark.parametrize("times", [1, pytest.param(50, marks=pytest.mark.nightly)])
def test_four_bombs_are_ended_and_jobs_beside_them_answer(times: int) -> None:
    backend = Bubblewrap()
    wrong: list[str] = []
    pings: list[float] = []
    for _ in range(times):
        ended, seen = together(backend)
        pings += seen
        wrong += [f"{name}: {one.ending}" for name, one in ended.items() if one.ending not in STOPPED[name]]
        wrong += [name for name, one in ended.items() if len(one.out) > CAPS.logs or len(one.err) > CAPS.logs]
        after = backend.run(Job(source=b"import os\nos.write(3, b'pong')", limits=CAPS))
        wrong += [] if after.result == b"pong" else [f"afterwards: {after.ending}"]
    slow = sum(one > PING_S for one in pings)
    record("G10", "bombs, four at a time, ended by their limits", trials=4 * times, failures=len(wrong), seed=None,
           command=COMMAND, pings=len(pings), pings_over_250_ms=slow,
           p99_ping_seconds=round(sorted(pings)[int(0.99 * len(pings))], 4))  # fmt: skip
    assert wrong == [] and pings  # how fast a ping was is kept, and depends on who else works here
