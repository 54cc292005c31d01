"""Worker processes on this machine, one thread each."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from netgain.errors import SandboxError, StageError
from netgain.executors.frames import receive, send
from netgain.executors.reference import Reference

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CUDA_VISIBLE_DEVICES",
)


def cpu_seconds(process: int) -> float | None:
    """Seconds of computing of a process and of its children that have ended, as the system counts them.

    In steps of a hundredth on most machines; None where the system has no /proc.
    """
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime, cutime, cstime


@dataclass
class _Worker:
    reference: Reference
    folder: str
    process: subprocess.Popen[bytes] = field(init=False)
    fresh: bool = field(init=False)  # has done nothing yet: what it used so far went into getting ready

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= dict.fromkeys(ONE_THREAD, "1")
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # a loop's file may lie in the study, which is sealed file by file
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        where = {"target": self.reference.target, "options": self.reference.options, "device": self.reference.device}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "netgain.executors.worker", json.dumps(where)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder, env=environment, start_new_session=True,
        )  # fmt: skip
        self.fresh = True

    def call(self, task: Mapping[str, Any]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        before = None if self.fresh else cpu_seconds(self.process.pid)
        try:
            send(self.process.stdin, task)
            answer = receive(self.process.stdout)
        except OSError as error:
            raise SandboxError(f"the worker's pipe broke: {error}", fix="run again: the step is repeated") from None
        if answer is None:
            code = self.process.wait()
            raise SandboxError(f"a worker ended with status {code} during {task['op']!r}", fix="see its messages above")
        self.fresh, after = False, cpu_seconds(self.process.pid)
        if answer["ok"] and before is not None and after is not None:  # a worker's clock can be turned back by its loop
            answer["device_seconds"] = max(answer["device_seconds"], after - before)
        return answer

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]


class LocalWorkers:
    """A fixed number of worker processes; a call takes the next free one.

    A dead worker is replaced and its call repeated once: that the process died says something about the machine. When
    it dies twice, `SandboxError` is raised and nothing is scored.
    """

    def __init__(self, reference: Reference, count: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="netgain-")
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        self._lock = threading.Lock()
        self.count = count
        self._reference = reference
        for _ in range(count):
            self._free.put(self._new())

    def _new(self) -> _Worker:
        worker = _Worker(self._reference, self._folder.name)
        with self._lock:
            self._all.append(worker)
        return worker

    @contextlib.contextmanager
    def _borrow(self) -> Iterator[_Worker]:
        worker = self._free.get()
        try:
            yield worker
        finally:
            self._free.put(worker)

    def call(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Do one task of loop code.

        Returns:
            {"value": …, "spent": {unit: amount}, "device_seconds": s}

        Raises:
            StageError: the loop's own code raised; `what` quotes its message.
            SandboxError: the worker died twice.
        """
        with self._borrow() as worker:
            answer = self._call_twice(worker, task)
        if not answer["ok"]:
            raise StageError(f"{answer['type']} in {task['op']}: {answer['message']}", where=answer["where"])
        return dict(answer)

    def _call_twice(self, worker: _Worker, task: Mapping[str, Any]) -> Any:
        try:
            return worker.call(task)
        except SandboxError:
            worker.stop()
            worker.start()
            return worker.call(task)

    def close(self) -> None:
        """End all workers."""
        for worker in self._all:
            worker.stop()
        self._folder.cleanup()

    def __enter__(self) -> LocalWorkers:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
