"""What runs code that nobody trusts: the one method that a backend has, and what goes in and comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, Protocol

MIB = 1 << 20
Ending = Literal["ended", "deadline", "memory", "processes", "disk", "output", "killed", "broken"]


class Level(IntEnum):
    """How far a process is kept apart; recorded with everything that is measured in it."""

    S0 = 0  # not at all: trusted code only
    S1 = 1  # a process of its own with limits and an empty environment
    S2 = 2  # namespaces or Landlock, a list of refused system calls, limits on memory, processes and disk
    S3 = 3  # another kernel, another machine, or an interpreter without system calls (WebAssembly)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one job may use; the wall clock is kept from outside."""

    wall_s: float = 10.0
    cpu_s: float = 10.0
    memory: int = 512 * MIB  # bytes, all processes of the job together
    processes: int = 32  # processes and threads together
    disk: int = 64 * MIB  # bytes below the job's own folder
    result: int = MIB  # bytes on the private pipe
    logs: int = 64 << 10  # bytes kept of standard output, and of standard error


@dataclass(frozen=True, kw_only=True)
class Job:
    """A program for a sandbox: Python source, files beside it, and bytes for its standard input.

    The program runs as `python -I -S main.py` in an empty, writable, private folder. It answers by writing bytes to
    the file descriptor named in RESULT_FD; standard output and error are kept as untrusted logs and never parsed.
    """

    source: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)  # relative name -> content, readable and not writable
    stdin: bytes = b""
    limits: Limits = Limits()
    site: tuple[str, ...] = ()  # folders of installed packages that the program may import, mounted read-only


RESULT_FD = 3


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a job ended, and what it left. Everything in `result`, `out` and `err` is the program's word, never ours."""

    ending: Ending
    code: int | None  # exit code; None where a signal or the sandbox ended it
    result: bytes  # what came through the private pipe, at most `limits.result` bytes
    out: bytes
    err: bytes
    wall_s: float  # monotonic clock of the parent
    cpu_s: float | None  # None: the backend cannot tell
    peak_memory: int | None  # bytes; None: the backend cannot tell
    backend: str
    level: Level


class Backend(Protocol):
    """One way of keeping a process apart. A backend that cannot keep a limit says so by its level, never in silence."""

    name: str
    level: Level

    def run(self, job: Job) -> Finished:
        """Run a job to its end or to its first broken limit; when this returns, nothing of it is alive any more.

        Raises `netgain.errors.SandboxError` when the job could not be started as asked: there is no weaker fallback.
        """
        ...
