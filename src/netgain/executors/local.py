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
from pathlib import Path
from typing import Any

from netgain.errors import SandboxError, WorkerDied
from netgain.executors.frames import Timed, receive, send
from netgain.executors.keeper import PATIENCE_SECONDS
from netgain.executors.reference import Reference
from netgain.inert import loop_error
from netgain.leases import Lease, Leases

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


START_SECONDS = 300.0  # in which a worker has to have loaded the loop
STALE = 1000  # refused results after which a worker is not listened to any more
KEEPER = Path(__file__).with_name("keeper.py")


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


class _Worker:
    """One worker process behind its keeper, started when it is needed; whoever calls it has it to himself."""

    def __init__(self, reference: Reference, folder: str, leases: Leases, name: str) -> None:
        self._reference = reference
        self._folder = folder
        self._leases = leases
        self._name = name
        self.pid = 0  # of the worker itself, 0 before it has said that it is ready
        self._closed = False
        self._turn = threading.Lock()  # between the thread that has the worker and the one that closes all of them
        self.process: subprocess.Popen[bytes] | None = None
        self._start()

    def _start(self) -> None:
        passed_on = (*PASSED_ON, *self._reference.environment)
        environment = {name: os.environ[name] for name in passed_on if name in os.environ}
        environment |= dict.fromkeys(ONE_THREAD, "1")
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # a loop's file may lie in the study, which is sealed file by file
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        of = self._reference
        where = {"target": of.target, "options": of.options, "device": of.device, "given": list(of.environment)}
        held, self._control = os.pipe()
        worker = [sys.executable, "-m", "netgain.executors.worker", json.dumps(where)]
        self.pid = 0
        self.fresh = True  # has done nothing yet: what it used so far went into getting ready
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), str(held), *worker],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd=self._folder, env=environment,
            start_new_session=True, pass_fds=(held,),
        )  # fmt: skip
        os.close(held)
        assert self.process.stdin is not None and self.process.stdout is not None
        self._pipe = Timed(self.process.stdout.fileno(), self.process.stdin.fileno())

    def call(self, task: Mapping[str, Any], seconds: float | None) -> dict[str, Any]:
        """The answer to one task.

        Raises:
            SandboxError: no worker could be started.
            WorkerDied: it ended during the task, or was ended because it had not answered in time.
        """
        self._ready()
        lease = self._leases.grant(self._name)
        try:
            return self._answer(task, lease, seconds)
        except (SandboxError, OSError, ValueError, TypeError) as error:  # the last two: no frame of ours
            self._leases.revoke(self._name)
            self.stop()
            if self._closed:
                raise SandboxError("the workers were ended by us") from None
            late = isinstance(error, TimeoutError)
            told = f"a worker was ended: no answer to {task['op']!r} within {seconds} s" if late else str(error)
            raise WorkerDied(told, fix="see its messages above") from None

    def _ready(self) -> None:
        if self._closed:
            raise SandboxError("the workers were ended by us")
        if self.process is None or self.process.poll() is not None:
            self.stop()
            self._start()
        if not self.pid:
            try:
                self._pipe.limit(START_SECONDS)
                self.pid = int((receive(self._pipe) or {})["ready"])
            except (SandboxError, OSError, ValueError, KeyError, TypeError) as error:
                self.stop()
                raise SandboxError(f"a worker did not start ({error!r})", fix="see its messages above") from None

    def _answer(self, task: Mapping[str, Any], lease: Lease, seconds: float | None) -> dict[str, Any]:
        self._pipe.limit(seconds)
        before = None if self.fresh else cpu_seconds(self.pid)
        send(self._pipe, {**task, "lease": list(lease)})
        answer = self._leases.first(self._name, lease, self._results(task))
        if answer is None:
            raise WorkerDied(f"a worker gave {STALE} results that nobody had asked for during {task['op']!r}")
        self.fresh, after = False, cpu_seconds(self.pid)
        if answer["ok"] and before is not None and after is not None:  # a worker's clock can be turned back by its loop
            answer["device_seconds"] = max(answer["device_seconds"], after - before)
        return answer

    def _results(self, task: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for _ in range(STALE):
            answer = receive(self._pipe)
            if answer is None:
                assert self.process is not None
                code = self.process.wait()
                raise WorkerDied(f"a worker ended with status {code} during {task['op']!r}")
            yield dict(answer)

    def stop(self) -> None:
        """End the worker and all that it started."""
        with self._turn:
            if self.process is not None:
                os.close(self._control)
                _waited(self.process)
                self.process = None

    def close(self) -> None:
        """End it for good. A thread that still waits for its answer is told so."""
        self._closed = True
        self.stop()


def _waited(keeper: subprocess.Popen[bytes]) -> None:
    """Let a keeper end, close our ends of its pipes."""
    try:
        keeper.wait(timeout=2 * PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
    for pipe in (keeper.stdin, keeper.stdout):
        with contextlib.suppress(OSError):
            pipe.close()  # type: ignore[union-attr]


class LocalWorkers:
    """A fixed number of worker processes; a call takes the next free one.

    A dead worker is replaced for the next call. Whether its task is given out again is for the caller to say
    (`netgain.poison`). Every call holds a lease: a result that comes late, twice or unasked is refused.

    Args:
        reference: how workers find the loop.
        count: workers.
    """

    def __init__(self, reference: Reference, count: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="netgain-")
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        self._lock = threading.Lock()
        self.count = count
        self._reference = reference
        self._leases = Leases()  # their pipes are private: no worker of another coordinator can answer here
        for _ in range(count):
            self._free.put(self._new())

    def _new(self) -> _Worker:
        worker = _Worker(self._reference, self._folder.name, self._leases, f"worker {len(self._all)}")
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

        Args:
            task: with `deadline_seconds` in it, a worker that takes longer, by the monotonic clock, is ended.

        Returns:
            {"value": …, "spent": {unit: amount}, "device_seconds": s}

        Raises:
            StageError: the loop's own code raised; `what` quotes its message.
            WorkerDied: the worker ended during the task, or was ended at its deadline.
            SandboxError: no worker could be started.
        """
        with self._borrow() as worker:
            answer = worker.call(task, task.get("deadline_seconds"))
        if not answer["ok"]:
            raise loop_error(answer, task["op"])
        return answer

    def close(self) -> None:
        """End all workers."""
        for worker in self._all:
            worker.close()
        self._folder.cleanup()

    def __enter__(self) -> LocalWorkers:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
