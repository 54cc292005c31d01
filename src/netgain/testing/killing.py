"""Kill -9: child processes that end at an enumerated write or at a random moment, and what has to hold afterwards.

A small server process forks the children, so that each costs milliseconds. With `at`, a child kills itself before its
operation of that number on files or SQLite (which needs apsw); with `after`, it is killed from outside.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from netgain.ledger import Ledger, fold
from netgain.result import result_digest
from netgain.testing import cycle
from netgain.testing.crashfs import Recording

ACKED = "acked"  # beside the study: the log's size whenever a stage had been done
SERVER = "from netgain.testing.killing import serve; serve()"


class Ended(NamedTuple):
    """How a child ended: killed or by itself; the operations that it did if it counted them and was not killed."""

    killed: bool
    ops: int | None


class Children:
    """The server. Use it in a `with` block."""

    def __enter__(self) -> Children:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate(timeout=60)

    def run(self, target: Callable[..., None], *args: Any, at: int | None = None, after: float | None = None) -> Ended:
        """Run a function of a module in a child, which is killed before its operation `at`, or `after` seconds.

        Raises:
            RuntimeError: the child failed by itself; its message is on standard error.
        """
        assert self._server.stdin is not None and self._server.stdout is not None
        asked = {"target": [target.__module__, target.__qualname__], "args": [str(one) for one in args], "at": at}
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        child = int(self._server.stdout.readline())
        if after is not None:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        self._server.stdin.write("\n")  # until then the server does not wait for it, so its number stays its own
        self._server.stdin.flush()
        status, ops = json.loads(self._server.stdout.readline())
        if status not in (0, -signal.SIGKILL):
            raise RuntimeError(f"a child of {target.__qualname__} ended with status {status}")
        return Ended(status != 0, ops)


def serve() -> None:
    """Fork a child for each line of standard input."""
    for line in sys.stdin:
        asked = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _child(asked, writer)
        os.close(writer)
        print(child, flush=True)  # noqa: T201  the answer to who asked
        sys.stdin.readline()
        _, status = os.waitpid(child, 0)
        with os.fdopen(reader) as told:
            ops = told.read()
        print(json.dumps([os.waitstatus_to_exitcode(status), int(ops) if ops else None]), flush=True)  # noqa: T201


def _child(asked: dict[str, Any], writer: int) -> None:
    code = 1
    try:
        module, name = asked["target"]
        run = getattr(importlib.import_module(module), name)
        if asked["at"] is None:
            run(*asked["args"])
        else:
            os.write(writer, str(_counted(run, asked["args"], asked["at"])).encode())
        code = 0
    except BaseException:  # noqa: BLE001  broad: the child must end here, and say why
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _counted(run: Callable[..., None], args: list[str], at: int) -> int:
    """Run it on the recording file system up to an operation; how many it did."""
    from netgain.testing.crashdb import recorded

    def kill(number: int) -> None:
        if number == at:
            os.kill(os.getpid(), signal.SIGKILL)

    recording = Recording(Path(args[0]), before=kill)
    with recorded(recording):
        run(*args)
    return len(recording.ops)


def run_cycle(root: str) -> None:
    """Begin or continue the reference cycle in a folder, to its end; what was acknowledged stands in a file."""
    folder = Path(root)
    world = cycle.world_in(folder / "study", cycle.Counted(folder / cycle.EFFECTS))
    log = world.log
    assert isinstance(log, Ledger)
    with open(folder / ACKED, "a", buffering=1) as acked:

        def acknowledge(run: str = "") -> None:
            acked.write(f"{log.size}\n")

        acknowledge()
        cycle.finish(world, acknowledge)
    log.close()


def broken(root: Path, kills: int, *, whole: str | None = None) -> list[str]:
    """What does not hold of a reference cycle that was killed so often.

    Args:
        root: the folder that `run_cycle` was given.
        kills: children that were killed in it.
        whole: result digest of a cycle that nobody disturbed, if this one has come to its end.
    """
    effects, acked = _lines(root / cycle.EFFECTS), _lines(root / ACKED)
    wrong = [f"{task!r} was done {n} times" for task, n in Counter(effects).items() if n > kills + 1]
    if not Ledger.begun(root / "study"):
        return wrong + (["an acknowledged study is gone"] if acked else [])
    with Ledger.open(root / "study") as log:
        entries = list(log.events())
        keys = Counter(entry.data["key"] for entry in entries if entry.kind == "stage_done")
        wrong += [f"stage {key[:12]} is recorded {n} times" for key, n in keys.items() if n > 1]
        if acked and len(entries) < int(acked[-1]):
            wrong.append(f"{acked[-1]} entries were acknowledged, {len(entries)} are there")
        if log.rows() != fold(entries):
            wrong.append("the rows are not those of the log")
        wrong += decided_twice(entries)
    if whole is not None and result_digest(entries) != whole:
        wrong.append("another result than undisturbed")
    return wrong


def decided_twice(entries: list[Any]) -> list[str]:
    """Rounds of runs with more than one decision."""
    found = Counter((one.run, one.data["round"]) for one in entries if one.kind == "gate_decision")
    return [f"{run}, round {round}: decided {n} times" for (run, round), n in found.items() if n > 1]


def _lines(path: Path) -> list[str]:
    """Whole lines of a file that a killed process may have been writing."""
    if not path.exists():
        return []
    return [line for line in path.read_text().split("\n")[:-1] if line]
