"""Limits that hold for all processes of a job together: control groups for memory and for the number of processes.

Version 2 where its controllers can be had below our own group, else version 1, else the limit is named as missing. A
thread of ours steps into the new group, starts the job, and steps out again: what it starts is born inside. Moving a
process later would take the kernel's lock of all groups, 10 to 20 ms here against 0.1 ms.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import count
from pathlib import Path

from netgain.errors import SandboxError
from netgain.sandbox.seam import Ending

CONTROLLERS = ("memory", "pids")
CLOCK = "cpuacct"  # only counts: nothing is missing without it but the CPU time in the record
_numbers = count()


@dataclass(frozen=True)
class Place:
    """Where groups for one controller can be made: our own group's folder, its version, or why there is none."""

    controller: str
    folder: Path | None
    version: int = 0
    reason: str = ""


def places(proc: Path = Path("/proc/self")) -> list[Place]:
    """Where memory and processes can be limited on this machine, looked up anew when mounts or our group changed."""
    try:
        mounted = (proc / "mountinfo").read_text()
        groups = (proc / "cgroup").read_text()
    except OSError:
        return [Place(name, None, reason="there are no control groups here") for name in CONTROLLERS]
    return list(_places(mounted, groups, os.geteuid()))


@lru_cache(maxsize=4)
def _places(mounted: str, groups: str, user: int) -> tuple[Place, ...]:
    """The same from what the kernel says; what may be written depends on the user as well."""
    return tuple(_place(name, mounted, groups) for name in (*CONTROLLERS, CLOCK))


def _place(controller: str, mounted: str, groups: str) -> Place:
    reason = "no hierarchy of control groups has it"
    for version in (2, 1):
        folder = _own(controller, version, mounted, groups)
        if folder is None:
            continue
        if version == 2 and not _delegated(controller, folder):
            reason = f"version 2 does not hand it on below {folder.name or 'the root group'}"
            continue
        if not os.access(folder, os.W_OK) or not os.access(folder / _joined(version), os.W_OK):
            reason = "no right to make a group below our own"
            continue
        return Place(controller, folder, version)
    return Place(controller, None, reason=reason)


def _joined(version: int) -> str:
    return "cgroup.procs" if version == 2 else "tasks"


def _own(controller: str, version: int, mounted: str, groups: str) -> Path | None:
    """Folder of our own group in the hierarchy of a controller."""
    own = None
    for line in groups.splitlines():
        _, names, path = line.split(":", 2)
        if (version == 2 and not names) or (version == 1 and controller in names.split(",")):
            own = path
    for line in mounted.splitlines():
        left, _, right = line.partition(" - ")
        kind, options = right.split()[0], right.split()[-1].split(",")
        if own is None or kind != ("cgroup2" if version == 2 else "cgroup"):
            continue
        if version == 2 or controller in options:
            root, point = (re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), part) for part in left.split()[3:5])
            inner = own.removeprefix(root) if root != "/" else own
            return Path(point) / inner.lstrip("/")
    return None


def _delegated(controller: str, folder: Path) -> bool:
    """Whether groups below a group of version 2 have the controller; switched on where the kernel lets us."""
    control = folder / "cgroup.subtree_control"
    with contextlib.suppress(OSError):
        if controller in control.read_text().split():
            return True
        if controller in (folder / "cgroup.controllers").read_text().split():
            control.write_text(f"+{controller}")
            return True
    return False


@dataclass
class Group:
    """The control groups of one job. `missing` says which limits nobody keeps here, and why."""

    memory: int
    processes: int
    found: list[Place] = field(default_factory=places)
    missing: list[str] = field(init=False)
    _folders: dict[str, tuple[Path, int]] = field(init=False, default_factory=dict)
    _ends: dict[str, int] = field(init=False, default_factory=dict)
    _marked: tuple[int, int] = field(init=False, default=(0, 0))

    def __post_init__(self) -> None:
        self.missing = []
        name = f"netgain-{os.getpid()}-{next(_numbers)}"
        for place in self.found:
            if place.folder is None:
                if place.controller != CLOCK:
                    self.missing.append(f"{place.controller}: {place.reason}")
                continue
            folder = place.folder / name
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
            self._folders[place.controller] = folder, place.version
        self.limit(self.memory, self.processes)

    @property
    def keeps_memory(self) -> bool:
        """Whether the memory of all processes together is limited by the kernel."""
        return "memory" in self._folders

    @property
    def keeps_processes(self) -> bool:
        """Whether the number of processes and threads together is limited by the kernel."""
        return "pids" in self._folders

    def limit(self, memory: int, processes: int) -> None:
        """Set both limits, in bytes and in processes; swap counts as memory where the kernel can tell."""
        if self.keeps_memory:
            folder, version = self._folders["memory"]
            if version == 2:
                _write(folder / "memory.max", str(memory))
                with contextlib.suppress(OSError):
                    _write(folder / "memory.swap.max", "0")
            else:
                self._limit_first_version(folder, memory)
        if self.keeps_processes:
            _write(self._folders["pids"][0] / "pids.max", str(processes))

    @staticmethod
    def _limit_first_version(folder: Path, memory: int) -> None:
        both = folder / "memory.memsw.limit_in_bytes"  # memory and swap, never below memory alone
        names = [folder / "memory.limit_in_bytes", *([both] if both.exists() else [])]
        try:
            for path in names:
                _write(path, str(memory))
        except OSError:  # the old limit of one is below the new one of the other
            for path in reversed(names):
                _write(path, str(memory))

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """While this lasts, what the calling thread starts is born in the group (version 1) or moved there (2)."""
        stepped = [folder for folder, version in self._folders.values() if version == 1]
        try:
            for folder in stepped:
                _write(folder / "tasks", "0")
            yield
        finally:
            for folder in stepped:
                self._step_out(folder)

    @staticmethod
    def _step_out(folder: Path) -> None:
        try:
            _write(folder.parent / "tasks", "0")
        except OSError as error:
            raise SandboxError(f"our own thread cannot leave {folder}: {error}", fix="start netgain again") from None

    def move(self, pids: list[int]) -> None:
        """Move processes into the groups of version 2, where a thread cannot step in alone."""
        for folder, version in self._folders.values():
            if version == 2:
                for pid in pids:
                    _write(folder / "cgroup.procs", str(pid))

    def mark(self) -> None:
        """From here on `broken` tells of what happens next: for a group that serves one job after the other."""
        self._marked = self._killed(), self._refused()

    def broken(self) -> Ending | None:
        """The limit that was hit since the mark: "memory", "processes" or None."""
        if self._killed() > self._marked[0]:
            return "memory"
        return "processes" if self._refused() > self._marked[1] else None

    def _killed(self) -> int:
        return self._count("memory", {2: "memory.events", 1: "memory.oom_control"}, "oom_kill")

    def _refused(self) -> int:
        return self._count("pids", {2: "pids.events", 1: "pids.events"}, "max")

    def _count(self, controller: str, files: dict[int, str], name: str) -> int:
        """A counter of the kernel that is asked often, so its file stays open; 0 where there is none."""
        if controller not in self._folders:
            return 0
        with contextlib.suppress(OSError):
            if controller not in self._ends:
                folder, version = self._folders[controller]
                self._ends[controller] = os.open(folder / files[version], os.O_RDONLY | os.O_CLOEXEC)
            return _counter(os.pread(self._ends[controller], 4096, 0).decode(), name)
        return 0

    def used(self) -> tuple[int, int]:
        """Bytes and processes that the group holds now; 0 where nobody counts."""
        now = [0, 0]
        if self.keeps_memory:
            folder, version = self._folders["memory"]
            now[0] = int(_read(folder / ("memory.current" if version == 2 else "memory.usage_in_bytes")))
        if self.keeps_processes:
            now[1] = int(_read(self._folders["pids"][0] / "pids.current"))
        return now[0], now[1]

    def peak(self) -> int | None:
        """Largest memory of all processes together, bytes; None where the kernel does not say."""
        if not self.keeps_memory:
            return None
        folder, version = self._folders["memory"]
        try:
            return int(_read(folder / ("memory.peak" if version == 2 else "memory.max_usage_in_bytes")))
        except OSError:
            return None

    def cpu_s(self) -> float | None:
        """CPU seconds of all processes that were ever in the group; None where no group counts them."""
        try:
            if CLOCK in self._folders:
                return int(_read(self._folders[CLOCK][0] / "cpuacct.usage")) / 1e9
            second = next(folder for folder, version in self._folders.values() if version == 2)
            return _counter(_read(second / "cpu.stat"), "usage_usec") / 1e6
        except (OSError, StopIteration):
            return None

    def alive(self) -> list[int]:
        """Processes in the groups, as this process numbers them."""
        found: set[int] = set()
        for folder, _ in self._folders.values():
            with contextlib.suppress(OSError):
                found |= {int(line) for line in _read(folder / "cgroup.procs").split()}
        return sorted(found)

    def close(self) -> None:
        """Remove the groups.

        Raises:
            SandboxError: something in them is still alive after a second.
        """
        while self._ends:
            os.close(self._ends.popitem()[1])
        for folder, _ in self._folders.values():
            _removed(folder)
        self._folders = {}


def _counter(text: str, name: str) -> int:
    words = text.split()
    return int(words[words.index(name) + 1]) if name in words[::2] else 0


def _read(path: Path) -> str:
    """What a file of the kernel says, by three calls: `read_text` makes eleven, and a job has its group asked often."""
    end = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(end, 1 << 16).decode()
    finally:
        os.close(end)


def _write(path: Path, text: str) -> None:
    end = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(end, text.encode())
    finally:
        os.close(end)


def _removed(folder: Path) -> None:
    until = time.monotonic() + 1.0
    while True:
        try:
            return folder.rmdir()
        except FileNotFoundError:
            return None
        except OSError as error:
            if time.monotonic() > until:
                what = f"processes of a job are still alive in {folder}: {error.strerror}"
                raise SandboxError(what, fix="end them by hand, and tell us how they got out") from None
            time.sleep(0.002)


@cache
def swept(folder: Path) -> int:
    """Remove the groups that dead processes of ours left below a folder, once; returns how many."""
    gone = 0
    for old in folder.glob("netgain-*-*"):
        owner = old.name.split("-")[1]
        if owner.isdigit() and not Path("/proc", owner).exists():
            with contextlib.suppress(OSError):
                old.rmdir()
                gone += 1
    return gone
