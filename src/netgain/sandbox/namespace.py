"""A running bwrap from outside: its status pipe, its first process, its folder, its end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from netgain.errors import SandboxError
from netgain.sandbox.cgroups import Group
from netgain.sandbox.channels import Look
from netgain.sandbox.seam import Ending, Limits

FOLDER = "/netgain-job"  # of the job inside: no name that a folder of this machine would have
GONE_S = 5.0  # seconds until what was killed has to be gone
INODES_PER_MIB = 256
FEW_INODES = 4096


class Namespace:
    """bwrap outside (`pid`) and the first process inside (`inside`), as this machine numbers them."""

    def __init__(self, process: subprocess.Popen[bytes], status: int, go: int, group: Group) -> None:
        self._process = process
        self._status, self._go = status, go
        self._group = group
        self._said = b""
        self._folder: int | None = None
        self._inside: int | None = None
        self.pid = process.pid
        self.inside = 0
        self.wake = os.pidfd_open(process.pid)
        self.cpu_s: float | None = None

    def is_ready(self, seconds: float) -> bool:
        """Wait until everything is mounted; False when bwrap ended before, having said why on its standard error."""
        until = time.monotonic() + seconds
        while b"\n" not in self._said and self._more(until):
            pass
        with contextlib.suppress(ValueError, KeyError, IndexError, OSError):
            self.inside = int(json.loads(self._said.splitlines()[0])["child-pid"])
            self._inside = os.pidfd_open(self.inside)
        return self._inside is not None and self._mounted(until)

    def _more(self, until: float) -> bool:
        if not select.select([self._status], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        data = os.read(self._status, 4096)
        self._said += data
        return bool(data)

    def _mounted(self, until: float) -> bool:
        """Wait for the folder of the job, which is the last thing that bwrap makes before it waits for us."""
        while time.monotonic() < until and not self.has_ended():
            with contextlib.suppress(OSError):
                self._folder = os.open(f"/proc/{self.inside}/root{FOLDER}", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
                if _is_own_mount(self._folder, self.inside):
                    return True
                os.close(self._folder)
                self._folder = None
            time.sleep(0.0002)
        return False

    def go(self) -> None:
        """Let bwrap start the command."""
        with contextlib.suppress(BrokenPipeError):  # it ended meanwhile: its code says how
            os.write(self._go, b"x")

    def has_ended(self) -> bool:
        """Whether bwrap has ended, and with it everything inside."""
        return bool(select.select([self.wake], [], [], 0)[0])

    def looking(self, limits: Limits, group: Group) -> Look:
        """A look at what no pipe tells, about everything inside."""
        return looking(self._folder, self.inside, limits, group, self.has_ended, spare=1)

    def kill(self) -> None:
        """End everything inside and bwrap itself, and wait until it is gone.

        Raises:
            SandboxError: something survived.
        """
        if self._inside is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._inside, signal.SIGKILL)
            _waited(self._inside)
        elif not self.has_ended():
            self._process.kill()
        if not _waited(self.wake):
            self._process.kill()
        self._reap()
        left = self._group.alive()
        if left:
            raise SandboxError(f"processes {left} of a job are still alive after its end", fix="end them by hand")

    def _reap(self) -> None:
        if self._process.returncode is None:
            self._process.wait()
            self.cpu_s = self._group.cpu_s()

    def code(self) -> int | None:
        """The exit code that bwrap reported for the command; None when it reported none."""
        while self._more(time.monotonic()):
            pass
        for line in self._said.splitlines()[1:]:
            with contextlib.suppress(ValueError, KeyError):
                return int(json.loads(line)["exit-code"])
        return None

    def close(self) -> None:
        """End what runs and close all descriptors."""
        try:
            self.kill()
        finally:
            ends = [self._status, self._go, self.wake, self._folder, self._inside]
            for end in ends:
                if end is not None:
                    os.close(end)


def inodes_of(disk: int) -> int:
    """How many files a folder of so many bytes may hold: names cost memory that no size counts."""
    return max(FEW_INODES, INODES_PER_MIB * (disk >> 20))


def looking(
    folder: int | None, first: int, limits: Limits, group: Group, ended: Callable[[], bool], *, spare: int
) -> Look:
    """A look at what no pipe tells: folder full, memory or processes past their limit.

    Args:
        folder: Descriptor of the job's own folder.
        first: Its first process, with everything below it.
        limits: What it may use.
        group: What the kernel counts; the rest is added up here.
        ended: Whether it has ended: its number may be somebody else's then.
        spare: How many of the processes below the first, with it, are not the job's.
    """

    def look() -> Ending | None:
        if folder is not None:
            room = os.fstatvfs(folder)
            if room.f_bfree == 0 or room.f_ffree == 0 or room.f_files - room.f_ffree > inodes_of(limits.disk):
                return "disk"
        if (broken := group.broken()) is not None:
            return broken
        return _counted(first, limits, group, spare) if group.missing and not ended() else None

    return look


def _is_own_mount(folder: int, inside: int) -> bool:
    """Whether a folder is a file system of its own, unlike the root above it."""
    root = os.stat(f"/proc/{inside}/root")
    return os.fstat(folder).st_dev != root.st_dev


def _waited(end: int) -> bool:
    return bool(select.select([end], [], [], GONE_S)[0])


def _counted(first: int, limits: Limits, group: Group, spare: int) -> Ending | None:
    """Memory and processes of everything below the first process, added up where no control group does it."""
    threads = memory = 0
    for pid in _below(first):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{pid}/statm").read_text().split()
            memory += (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGESIZE")
            threads += len(os.listdir(f"/proc/{pid}/task"))
    if not group.keeps_memory and memory > limits.memory and _own_memory(first) > limits.memory:
        return "memory"
    return "processes" if not group.keeps_processes and threads > limits.processes + spare else None


def _below(first: int) -> list[int]:
    found = [first]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def _own_memory(first: int) -> int:
    """Bytes, pages shared between processes counted once; asked only when the quick sum is too large."""
    total = 0
    for pid in _below(first):
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total
