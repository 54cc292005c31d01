"""G9: nothing of a worker is left after its deadline, nor after a coordinator that was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from netgain.errors import WorkerDied
from netgain.executors import LocalWorkers, Reference
from netgain.testing.trials import record
from netgain.wire import pack

COMMAND = "pytest tests/reliability/test_survivors.py"
ENDED_WITHIN = 1.0  # seconds after the deadline
DEADLINE = 0.3
HOSTILE = """
import os, signal, sys, time
from netgain import records, stages


def ignore():
    for number in range(1, 32):
        if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)


def answer(system, inputs, budget, rng):
    ignore()
    (way,) = inputs
    if way in ("children", "detached", "stopped child"):
        for _ in range(3):
            if os.fork() == 0:
                if way == "detached":
                    os.setsid()
                    if os.fork():
                        os._exit(0)
                if way == "stopped child":
                    os.kill(os.getpid(), signal.SIGSTOP)
                time.sleep(600)
    if way == "stopped":
        os.kill(os.getpid(), signal.SIGSTOP)
    while way == "spins":
        pass
    time.sleep(600)


loop = stages.Loop(lambda rng: 0, lambda view: records.Change([]), answer)
kept = stages.Loop(lambda rng: 0, lambda view: records.Change([]), answer, apart=False)
"""
LOOPS = ("loop", "kept")  # each task in a copy of the worker, and task after task in the worker itself
WAYS = ("sleeps", "spins", "children", "detached", "stopped", "stopped child")


def task(way: str, **more: object) -> dict[str, object]:
    system = {"digest": "d", "data": pack(None)}
    return {
        "op": "answer", "seed": "1", "budget": {}, "sampled": False, "system": system, "inputs": [way], **more
    }  # fmt: skip


def running(file: Path, *but: int) -> list[int]:
    """Processes that were started with the name of a loop's file: keeper, worker, and whatever these began."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(file).encode() in path.read_bytes() and int(path.parent.name) not in but:
                found.append(int(path.parent.name))
    return found


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "hostile.py"
    path.write_text(HOSTILE)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return path


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("times", [6, pytest.param(1000, marks=pytest.mark.nightly)])
def test_nothing_is_left_after_hostile_deadlines(hostile: Path, times: int) -> None:
    handles, slow, left = len(os.listdir("/proc/self/fd")), 0, 0
    for number in range(times):
        with LocalWorkers(Reference(f"{hostile}:{LOOPS[number // len(WAYS) % 2]}"), 1) as workers:
            workers._all[0]._ready()  # its start is no part of the task
            assert len(running(hostile)) == 2
            began = time.monotonic()
            with pytest.raises(WorkerDied, match="no answer"):
                workers.call(task(WAYS[number % len(WAYS)], deadline_seconds=DEADLINE))
            slow += time.monotonic() - began > DEADLINE + ENDED_WITHIN
            left += len(running(hostile))
    left += len(os.listdir(hostile.parent / "temporary"))
    record("G9", "hostile deadlines of workers", trials=times, failures=left, seed=None, command=COMMAND,
           ended_after_more_than_limit_plus_1_second=slow)  # fmt: skip
    assert left == 0
    assert len(os.listdir("/proc/self/fd")) == handles


IN_SANDBOX = {
    "spins": b"while True: pass",
    "ignores": b"import signal, time\n[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]\ntime.sleep(600)",
    "children": b"import os, time\nfor _ in range(3):\n if os.fork() == 0: break\ntime.sleep(600)",
    "detached": b"import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork(): os._exit(0)\ntime.sleep(600)",
    "stopped": b"import os, signal, time\nif os.fork() == 0: os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(600)",
    "threads": b"import threading, time\n[threading.Thread(target=time.sleep, args=(600,)).start() for _ in range(4)]",
}
SHORT = 0.15  # seconds that a hostile program may run


def mounts(own: Path) -> int:
    """Mounts of this machine without those that another test made in a folder of its own."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return sum("pytest" not in line or str(own) in line for line in lines)


def groups() -> set[str]:
    """Control groups that this process made and that are there now."""
    from netgain.sandbox.cgroups import places

    folders = [place.folder for place in places() if place.folder is not None]
    return {str(one) for folder in folders for one in folder.glob(f"netgain-{os.getpid()}-*")}


def children() -> set[int]:
    """Processes of ours, dead ones that nobody waited for among them."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(path.parent.name))
    return found


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap: apt-get install bubblewrap")
@pytest.mark.parametrize("times", [24, pytest.param(1000, marks=pytest.mark.nightly)])
def test_nothing_is_left_after_hostile_deadlines_in_a_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    from netgain.sandbox import Job, Limits
    from netgain.sandbox.bubblewrap import Bubblewrap

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    backend, slow, wrong = Bubblewrap(), 0, list[str]()
    backend.run(Job(source=b""))  # what is made once stays

    def there() -> tuple[object, ...]:
        return mounts(tmp_path), groups(), children(), len(os.listdir("/proc/self/fd")), len(os.listdir(tmp_path))

    before = there()
    for number in range(times):
        way = [*IN_SANDBOX][number % len(IN_SANDBOX)]
        began = time.monotonic()
        done = backend.run(Job(source=IN_SANDBOX[way], limits=Limits(wall_s=SHORT, cpu_s=600.0)))
        slow += time.monotonic() - began > SHORT + ENDED_WITHIN
        wrong += [] if done.ending == "deadline" else [f"{way}: {done.ending}"]
        wrong += [] if there() == before else [f"{way} left something: {before} became {there()}"]
    record("G9", "hostile deadlines in a sandbox", trials=times, failures=len(wrong), seed=None, command=COMMAND,
           ended_after_more_than_limit_plus_1_second=slow)  # fmt: skip
    assert wrong == []


COORDINATOR = """
import sys
from netgain.executors import LocalWorkers, Reference
sys.path.insert(0, sys.argv[2])
from test_survivors import task
workers = LocalWorkers(Reference(sys.argv[1]), 1)
workers.call(task(sys.argv[3]))
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("way", ["spins", "detached"])
def test_nothing_is_left_after_a_coordinator_that_was_killed(hostile: Path, way: str, loop: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", COORDINATOR, f"{hostile}:{loop}", str(Path(__file__).parent), way]
    coordinator = subprocess.Popen(command, env=environment)
    wanted = 2 + (loop == "loop") + 3 * (way == "detached")  # keeper, worker, its copy, what that began
    end = time.monotonic() + 60
    while len(running(hostile, coordinator.pid)) < wanted and time.monotonic() < end:
        time.sleep(0.02)
    assert len(running(hostile, coordinator.pid)) == wanted
    coordinator.send_signal(signal.SIGKILL)
    coordinator.wait()
    end = time.monotonic() + 20
    while running(hostile) and time.monotonic() < end:
        time.sleep(0.02)
    assert not running(hostile)
