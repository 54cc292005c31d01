"""A crash file system: what a disk may hold after a power loss at any moment, by four models of what it forgets.

`Recording` notes every operation on files below a folder while they are really done. `images` then builds, for every
prefix of the record, four disks: what was flushed; that and all the rest; that and a random half of the rest; that and
a random half of the rest's sectors. A file's bytes are flushed by a flush of the file, its name by a flush of its
folder, and nothing else is promised: a name may reach the disk before the bytes and the other way round.

Deviation from real disks: a sector is written whole or not at all, and what was flushed is never damaged.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

SECTOR = 512  # bytes that reach the disk together
MODELS = ("flushed", "all", "half", "torn")
FOLDER = -1  # stands for a folder where a file has its number


@dataclass(frozen=True)
class Op:
    """One operation: "name" or "unname" a path, "write" or "truncate" a file, "sync" a file, "sync_folder" a folder."""

    kind: str
    path: str = ""
    file: int = 0
    offset: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """What is safe after some operations, and what may or may not be there."""

    names: dict[str, int] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    pending: list[Op] = field(default_factory=list)

    def do(self, op: Op) -> None:
        """Take in the next operation."""
        if op.kind not in ("sync", "sync_folder"):
            self.pending.append(op)
            return
        flushed = [one for one in self.pending if _flushes(op, one)]
        self.pending = [one for one in self.pending if not _flushes(op, one)]
        for one in flushed:
            self._apply(one)

    def after(self, kept: list[Op]) -> Disk:
        """The disk with some of what may be there."""
        other = Disk(dict(self.names), dict(self.files))
        for one in kept:
            other._apply(one)
        return other

    def _apply(self, op: Op) -> None:
        if op.kind == "name":
            self.names[op.path] = op.file
        elif op.kind == "unname":
            self.names.pop(op.path, None)
        else:
            held = self.files.get(op.file, b"")
            end = op.offset + len(op.data)
            padded = held.ljust(op.offset, b"\0")
            cut = op.kind == "truncate"
            self.files[op.file] = padded[: op.offset] if cut else padded[: op.offset] + op.data + padded[end:]

    def tree(self) -> dict[str, bytes | None]:
        """Path -> bytes, None for a folder; what lies in a folder that has no name is lost."""
        found: dict[str, bytes | None] = {}
        for path, file in sorted(self.names.items()):
            parent = os.path.dirname(path)
            if not parent or found.get(parent, b"") is None:
                found[path] = None if file == FOLDER else self.files.get(file, b"")
        return found


def _flushes(sync: Op, op: Op) -> bool:
    if sync.kind == "sync":
        return op.kind in ("write", "truncate") and op.file == sync.file
    return op.kind in ("name", "unname") and os.path.dirname(op.path) == sync.path


def _sectors(op: Op) -> list[Op]:
    """A write, sector by sector."""
    if op.kind != "write":
        return [op]
    cuts = [0, *range(SECTOR - op.offset % SECTOR, len(op.data), SECTOR), len(op.data)]
    return [
        Op("write", file=op.file, offset=op.offset + start, data=op.data[start:end]) for start, end in pairwise(cuts)
    ]


@dataclass
class Recording:
    """Everything that was done below a folder, in order, with what was acknowledged in between.

    Attributes:
        root: the folder; its own name is safe.
        ops: the operations.
        marks: (operations before it, what was acknowledged then).
        before: called before each operation is done, with its number; may raise, or kill the process.
    """

    root: Path
    ops: list[Op] = field(default_factory=list)
    marks: list[tuple[int, Any]] = field(default_factory=list)
    before: Callable[[int], None] = lambda number: None
    _count: int = 0
    _paths: dict[str, int] = field(default_factory=dict)

    def acknowledge(self, what: Any) -> None:
        """Note that somebody was told that something is safe."""
        self.marks.append((len(self.ops), what))

    def acknowledged(self, place: int) -> list[Any]:
        """What had been acknowledged when the first `place` operations were done."""
        return [what for at, what in self.marks if at <= place]

    def inside(self, path: str | os.PathLike[str]) -> str | None:
        """A path relative to the root; None for one outside, which is not recorded."""
        try:
            return Path(os.path.abspath(path)).relative_to(self.root).as_posix()
        except ValueError:
            return None

    def add(self, op: Op) -> None:
        """Note an operation that is about to be done."""
        self.before(len(self.ops))
        self.ops.append(op)

    def opened(self, path: str, *, create: bool, truncate: bool = False) -> int:
        """The number of a file that is being opened, with its creation or truncation noted."""
        if path not in self._paths and create:
            self._count += 1
            self.add(Op("name", path, self._count))
            self._paths[path] = self._count
        elif truncate:
            self.add(Op("truncate", file=self._paths[path]))
        return self._paths.setdefault(path, 0)

    def renamed(self, old: str, new: str) -> None:
        """A file has another name from now on."""
        file = self._paths.pop(old)
        self.add(Op("name", new, file))
        self.add(Op("unname", old))
        self._paths[new] = file

    def removed(self, path: str) -> None:
        """A name is gone."""
        self._paths.pop(path, None)
        self.add(Op("unname", path))


class RecordedOs:
    """Stands in for the module `os` where files are written: does the same and notes it.

    Args:
        recording: where it is noted.
        short: draws how many of so many bytes a write takes, at least 1; all without it.
    """

    def __init__(self, recording: Recording, short: Callable[[int], int] = lambda size: size) -> None:
        self._recording = recording
        self._short = short
        self._handles: dict[int, tuple[str, int]] = {}  # handle -> path, file; (path, FOLDER) for a folder
        self._ends: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: str | os.PathLike[str], flags: int, mode: int = 0o777) -> int:
        """As `os.open`."""
        inside = self._recording.inside(path)
        folder = os.path.isdir(path)
        file = FOLDER
        if inside is not None and not folder:
            truncate = bool(flags & os.O_TRUNC)
            file = self._recording.opened(inside, create=bool(flags & os.O_CREAT), truncate=truncate)
        handle = os.open(path, flags, mode)
        if inside is not None:
            self._handles[handle] = ("" if inside == "." else inside), file
            self._ends[handle] = 0
        return handle

    def write(self, handle: int, data: bytes | memoryview) -> int:
        """As `os.write`."""
        taken = bytes(data[: self._short(len(data))])
        if handle in self._handles:
            self._recording.add(Op("write", file=self._handles[handle][1], offset=self._ends[handle], data=taken))
            self._ends[handle] += len(taken)
        return os.write(handle, taken)

    def fsync(self, handle: int) -> None:
        """As `os.fsync`; the real disk need not flush what is only simulated."""
        path, file = self._handles.get(handle, ("", 0))
        if handle in self._handles:
            self._recording.add(Op("sync_folder", path) if file == FOLDER else Op("sync", file=file))

    def close(self, handle: int) -> None:
        """As `os.close`."""
        self._handles.pop(handle, None)
        os.close(handle)

    def replace(self, old: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
        """As `os.replace`."""
        pair = self._recording.inside(old), self._recording.inside(new)
        if pair[0] is not None and pair[1] is not None:
            self._recording.renamed(pair[0], pair[1])
        os.replace(old, new)

    def unlink(self, path: str | os.PathLike[str]) -> None:
        """As `os.unlink`."""
        if (inside := self._recording.inside(path)) is not None and os.path.exists(path):
            self._recording.removed(inside)
        os.unlink(path)

    def mkdir(self, path: str | os.PathLike[str], mode: int = 0o777) -> None:
        """As `os.mkdir`."""
        if (inside := self._recording.inside(path)) not in (None, ".") and not os.path.exists(path):
            self._recording.add(Op("name", inside, FOLDER))
        os.mkdir(path, mode)


@dataclass(frozen=True)
class Image:
    """One disk after a power loss.

    Attributes:
        place: how many operations had been begun.
        model: what the disk forgot, one of `MODELS`.
        tree: path -> bytes, None for a folder.
    """

    place: int
    model: str
    tree: dict[str, bytes | None]

    def write(self, folder: Path) -> Path:
        """Put it into an empty folder."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path, data in self.tree.items():
            if data is None:
                (folder / path).mkdir()
            else:
                (folder / path).write_bytes(data)
        return folder


def images(ops: list[Op], chance: Random) -> Iterator[Image]:
    """Four disks for every prefix of a record, and for the whole of it."""
    disk = Disk()
    for place in range(len(ops) + 1):
        half = [one for one in disk.pending if chance.random() < 0.5]
        torn = [one for whole in disk.pending for one in _sectors(whole) if chance.random() < 0.5]
        for model, kept in zip(MODELS, ([], list(disk.pending), half, torn), strict=True):
            yield Image(place, model, disk.after(kept).tree())
        if place < len(ops):
            disk.do(ops[place])


@contextmanager
def swapped(*places: tuple[Any, str, Any]) -> Iterator[None]:
    """Put values in the place of others while the block runs.

    Args:
        places: (object, name of its attribute, value).
    """
    held = [(place, name, getattr(place, name)) for place, name, _ in places]
    for place, name, value in places:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in held:
            setattr(place, name, value)


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder, in memory where there is such a disk: for what is killed or simulated."""
    memory = Path("/dev/shm")
    free = memory.is_dir() and shutil.disk_usage(memory).free > 1 << 26
    with tempfile.TemporaryDirectory(prefix="netgain-scratch-", dir=memory if free else None) as folder:
        yield Path(folder)
