"""Landlock and a list of refused system calls by the package `sandlock`: for where namespaces are forbidden.

The program may open only the files named here, connect nowhere and signal nobody outside. What it writes goes to a
layer on the disk of the host that is thrown away. Memory is counted by the package from what the program asks for; the
package does not tell an end for memory from another kill, so both are `killed`. As root an account has to be able to
read the interpreter.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from netgain.errors import SandboxError
from netgain.sandbox.accounts import account
from netgain.sandbox.channels import Channels
from netgain.sandbox.handing import checked_name, readable
from netgain.sandbox.interpreter import Interpreter, interpreter
from netgain.sandbox.seam import Ending, Finished, Job, Level, Limits
from netgain.sandbox.seccomp import assembled

DESCRIPTORS = 256
SPARE_S = 10.0  # seconds that the process between may take beyond the deadline
FULL_WITHIN = 64 << 10  # bytes below the limit at which the folder counts as full
INSTALL = "pip install 'netgain[sandbox]'"


@dataclass
class Landlock:
    """`sandlock` around each job.

    Args:
        packages: The folder that holds the package; where this interpreter finds it when not given.
        python: What of the interpreter may be read; this process's own when not given.

    Raises:
        SandboxError: not on Linux, or the package is not installed.
    """

    packages: str | None = None
    python: Interpreter = field(default_factory=interpreter)
    name: str = field(init=False, default="sandlock")
    level: Level = field(init=False, default=Level.S1)

    def __post_init__(self) -> None:
        if sys.platform != "linux":
            raise SandboxError(f"Landlock is Linux, this is {sys.platform!r}", fix="use the backend 'wasm'")
        if self.packages is None:
            found = find_spec("sandlock")
            if found is None or found.origin is None:
                raise SandboxError("the package 'sandlock' is not installed", fix=INSTALL)
            self.packages = str(Path(found.origin).parents[1])

    def run(self, job: Job) -> Finished:
        """Run a job; see `netgain.sandbox.seam.Backend`.

        Raises:
            SandboxError: the package could not confine the program, or something survived.
        """
        with account() as number, _folders(job, number) as folder, Channels(job.limits, marked=True) as channels:
            _answer_by_name(channels, folder / "result", number)
            began = time.monotonic()
            process, status = self._started(job, folder, channels, number)
            ended: dict[str, Any] = {}
            try:
                until = began + job.limits.wall_s + SPARE_S
                broken = channels.wait(lambda: process.poll() is not None, until, lambda: _full(folder, job.limits))
            finally:
                _stopped(process, status, ended)
            wall = time.monotonic() - began
            broken = channels.rest() or broken
        return self._finished(ended, broken, wall, channels)

    def _started(
        self, job: Job, folder: Path, channels: Channels, number: int | None
    ) -> tuple[subprocess.Popen[bytes], int]:
        status, status_in = os.pipe()
        spec = self._spec(job, folder, number, status_in)
        command = [self.python.program, "-I", "-S", str(Path(__file__).with_name("confine.py"))]
        stdin = readable(job.stdin)
        try:
            process = subprocess.Popen(
                [*command, str(self.packages), json.dumps(spec)], stdin=stdin, stdout=channels.theirs["out"],
                stderr=channels.theirs["err"], env={}, cwd="/", pass_fds=[status_in], start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            os.close(status)
            raise SandboxError(
                f"{command[0]!r} cannot be started: {error.strerror}", fix="see netgain doctor"
            ) from None
        finally:
            for end in (stdin, status_in):
                os.close(end)
            channels.handed_over()
        return process, status

    def _spec(self, job: Job, folder: Path, number: int | None, status: int) -> dict[str, Any]:
        limits, python = job.limits, self.python
        limited = f"RLIMIT_CPU={max(1, -int(-limits.cpu_s // 1))},RLIMIT_FSIZE={limits.disk},RLIMIT_CORE=0"
        site = [os.path.realpath(path) for path in job.site]
        words = [str(folder / "result"), str(DESCRIPTORS), "-", limited, str(folder / "given/.rules"), *site]
        links = [path for _, path in python.links]
        return {
            "status": status, "account": number, "wall_s": limits.wall_s, "memory": limits.memory,
            "disk": limits.disk, "storage": str(folder / "layer"), "processes": limits.processes,
            "descriptors": DESCRIPTORS, "folder": str(folder / "work"),
            "readable": [*python.shown, *links, *site, str(folder / "given"), "/dev/urandom"],
            "writable": [str(folder / "work"), str(folder / "result"), "/dev/null"],
            "command": [python.program, "-I", "-S", str(folder / "given" / ".boot.py"), *words],
        }  # fmt: skip

    def _finished(self, ended: dict[str, Any], broken: Ending | None, wall: float, channels: Channels) -> Finished:
        if "error" in ended or (not ended and broken is None):
            said = ended.get("error") or channels.kept["err"][-300:].decode(errors="replace") or "it said nothing"
            raise SandboxError(f"sandlock could not confine the program: {said}", fix="see netgain doctor --sandbox")
        if ended.get("left"):
            raise SandboxError(f"{ended['left']} processes of a job survived their end", fix="end them by hand")
        ending = broken or _ending_of(ended)
        if ending == "ended" and not channels.begun:
            said = channels.kept["err"][-300:].decode(errors="replace")
            raise SandboxError(f"the interpreter did not reach the program: {said!r}", fix="look at the job's limits")
        return Finished(
            ending=ending, code=ended["code"] if ending == "ended" else None, result=channels.result,
            out=bytes(channels.kept["out"]), err=bytes(channels.kept["err"]), wall_s=wall, cpu_s=None, peak_memory=None,
            backend=self.name, level=self.level,
        )  # fmt: skip


def _ending_of(ended: dict[str, Any]) -> Ending:
    known: dict[str, Ending] = {"TIMEOUT": "deadline", "EXITED": "ended"}
    signals: dict[int, Ending] = {signal.SIGXCPU: "deadline", signal.SIGXFSZ: "disk"}
    return known.get(ended.get("reason", "")) or signals.get(ended.get("signal", 0), "killed")


@contextlib.contextmanager
def _folders(job: Job, number: int | None) -> Iterator[Path]:
    """`given`, which it may read; `work`, its own, with links to what it was given; `layer`, where its writes go."""
    folder = Path(tempfile.mkdtemp(prefix="netgain-"))
    try:
        os.chmod(folder, 0o711)
        given = {**{checked_name(name): data for name, data in job.files.items()}, "main.py": job.source}
        given[".rules"] = assembled(alone=False)
        given[".boot.py"] = Path(__file__).with_name("boot.py").read_bytes()
        for part in ("given", "work", "layer"):
            (folder / part).mkdir(mode=0o755)
        for name, data in given.items():
            path, link = folder / "given" / name, folder / "work" / name
            for above in (path.parent, link.parent):
                above.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o444)
            if name not in (".boot.py", ".rules"):
                link.symlink_to(path)
        if number is not None:
            for part in ("work", "layer"):
                os.chown(folder / part, number, number)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answer_by_name(channels: Channels, path: Path, number: int | None) -> None:
    """Let the result come through a named pipe: sandlock closes all descriptors but the first three."""
    os.mkfifo(path, 0o600)
    if number is not None:
        os.chown(path, number, number)
    old = next(end for end, name in channels.ours.items() if name == "result")
    os.close(old)
    os.close(channels.theirs.pop("result"))
    del channels.ours[old]
    channels.ours[os.open(path, os.O_RDWR | os.O_NONBLOCK)] = "result"  # ours for writing too: no end before the end


def _full(folder: Path, limits: Limits) -> Ending | None:
    """The package refuses what is too much; here only so that the end can be told."""
    used = FULL_WITHIN
    for where, _, names in os.walk(folder / "layer"):
        for name in names:
            with contextlib.suppress(OSError):
                used += os.lstat(os.path.join(where, name)).st_blocks * 512
    return "disk" if used > limits.disk else None


def _stopped(process: subprocess.Popen[bytes], status: int, ended: dict[str, Any]) -> None:
    """Wait for the process between, or end it and the program; take what it said."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SPARE_S)
        if process.poll() is None:
            process.kill()
            process.wait()
    with os.fdopen(status, "rb") as file:
        for line in file.read().splitlines():
            ended |= json.loads(line)
