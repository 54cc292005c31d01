"""A plain process: for code that is trusted (`none`, S0), or with limits and an empty environment (`process`, S1).

Neither keeps a program away from anything that its account may read, send to or signal. What a program starts in a
session of its own outlives it: nobody can find that without namespaces. Both work on every POSIX system.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from netgain.errors import SandboxError
from netgain.sandbox.channels import Channels
from netgain.sandbox.handing import checked_name, readable
from netgain.sandbox.seam import Ending, Finished, Job, Level, Limits

DESCRIPTORS = 256


@dataclass
class Bare:
    """No sandbox: the job sees all that we see. The clock and the caps of the pipes are kept; nothing else is."""

    name: str = field(init=False, default="none")
    level: Level = field(init=False, default=Level.S0)

    def run(self, job: Job) -> Finished:
        """Run a job as a plain process; see `netgain.sandbox.seam.Backend`."""
        return _ran(job, self.name, self.level, dict(os.environ), "-")


@dataclass
class Limited:
    """A process with an empty environment and limits per process, which do not bind root's number of processes."""

    name: str = field(init=False, default="process")
    level: Level = field(init=False, default=Level.S1)

    def run(self, job: Job) -> Finished:
        """Run a job with limits; see `netgain.sandbox.seam.Backend`."""
        return _ran(job, self.name, self.level, {}, ",".join(f"{name}={value}" for name, value in _belts(job.limits)))


def _belts(limits: Limits) -> list[tuple[str, int]]:
    seconds = max(1, -int(-limits.cpu_s // 1))
    found = [("RLIMIT_CPU", seconds), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", limits.disk), ("RLIMIT_NOFILE", DESCRIPTORS)]
    # macOS refuses a limit of addresses, and counts all processes of the account
    return found + ([("RLIMIT_AS", limits.memory)] if sys.platform == "linux" else [])


def _ran(job: Job, name: str, level: Level, environment: dict[str, str], limits: str) -> Finished:
    with _folder(job) as folder, Channels(job.limits, marked=True) as channels:
        began = time.monotonic()
        process = _started(job, folder, channels, environment, limits)
        try:
            ending = channels.wait(lambda: _gone(process), began + job.limits.wall_s, lambda: None)
            wall = time.monotonic() - began
        finally:
            used = _ended(process)
        ending = channels.rest() or ending or _ending_of(process.returncode)
        if ending == "ended" and not channels.begun:
            said = channels.kept["err"][-300:].decode(errors="replace")
            raise SandboxError(f"the interpreter did not reach the program: {said!r}", fix="look at the job's limits")
    return Finished(
        ending=ending, code=process.returncode if ending == "ended" else None, result=channels.result,
        out=bytes(channels.kept["out"]), err=bytes(channels.kept["err"]), wall_s=wall, cpu_s=used, peak_memory=None,
        backend=name, level=level,
    )  # fmt: skip


@contextlib.contextmanager
def _folder(job: Job) -> Iterator[Path]:
    """A private folder with the program and its files; removed afterwards, whatever is in it."""
    with tempfile.TemporaryDirectory(prefix="netgain-", ignore_cleanup_errors=True) as name:
        given = {checked_name(relative): content for relative, content in job.files.items()}
        for relative, content in {**given, "main.py": job.source}.items():
            path = Path(name, relative)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o444)
        yield Path(name)


def _started(
    job: Job, folder: Path, channels: Channels, environment: dict[str, str], limits: str
) -> subprocess.Popen[bytes]:
    words = [str(channels.theirs["result"]), str(DESCRIPTORS), "-", limits, "-", *map(os.path.realpath, job.site)]
    command = [os.path.realpath(sys.executable), "-I", "-S", str(Path(__file__).with_name("boot.py")), *words]
    stdin = readable(job.stdin)
    try:
        return subprocess.Popen(
            command, env=environment, cwd=folder, stdin=stdin, stdout=channels.theirs["out"],
            stderr=channels.theirs["err"], pass_fds=[channels.theirs["result"]], start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise SandboxError(f"{command[0]!r} cannot be started: {error.strerror}", fix="see netgain doctor") from None
    finally:
        os.close(stdin)
        channels.handed_over()


def _gone(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended, without taking its status: its number stays its own until then."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _ended(process: subprocess.Popen[bytes]) -> float:
    """End the process and its session; return the CPU seconds that it and what it waited for have taken."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def _ending_of(code: int) -> Ending:
    if code >= 0:
        return "ended"
    return {signal.SIGXCPU: "deadline", signal.SIGXFSZ: "disk"}.get(-code, "killed")  # type: ignore[call-overload, no-any-return]
