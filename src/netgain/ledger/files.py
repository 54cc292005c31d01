"""The folder of a study on disk: durable writes, and the digest of every file of a finished one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from netgain.errors import ConfigError, DiskFull, LedgerError, NetgainError
from netgain.ledger import lock

DIGESTS = "study.sha256"
STOP = "STOP"  # a file by which people keep a study from going on; it is no part of the record
TEMPORARY = ".tmp-"  # prefix of files that are not yet what their name says


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file so that after a power cut it is the old one or the new one: temp, flush, rename, flush folder.

    Raises:
        DiskFull: no room; the old file is kept.
        ConfigError: no permission.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{threading.get_native_id()}-{path.name}")
    try:
        _write_flushed(temporary, data)
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):  # the first error is the one to report
            os.unlink(temporary)
        raise translate(error, path.parent) from error


def _write_flushed(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        left = memoryview(data)
        while left:  # a disk may take less than it is given, and says so only here
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, so that all their names survive a power cut."""
    missing = []
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another thread made it, and may not have flushed its name yet
            os.mkdir(one)
        sync_folder(one.parent)


def sweep(folder: Path) -> None:
    """Remove half-written files that a killed process left. Only for who holds the folder's lock."""
    for path in folder.rglob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_digests(folder: Path) -> Path:
    """Write `study.sha256` (the format of `sha256sum`, sorted by path) over all but itself, the lock and `STOP`."""
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in listed(folder)]
    write_durably(folder / DIGESTS, "".join(lines).encode())
    return folder / DIGESTS


def listed(folder: Path) -> list[str]:
    """Paths that `study.sha256` names, relative, sorted."""
    return sorted(name for name in _walk(folder) if name not in (DIGESTS, lock.NAME, STOP))


def translate(error: OSError, folder: Path) -> NetgainError:
    """The system's error about a folder, as ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT):
        return ConfigError(f"cannot write ({error.strerror})", where=str(folder), fix="use a folder you may write to")
    return LedgerError(f"{error.strerror or error}", where=str(folder), fix="look at the disk, then run again")


def disk_full(folder: Path) -> DiskFull:
    """What is raised when there is no room."""
    return DiskFull(
        "disk full; everything recorded so far is kept",
        where=str(folder),
        fix="make room, then run the same command again",
    )


def _walk(folder: Path) -> Iterator[str]:
    for root, _, names in os.walk(folder):
        for name in names:
            yield (Path(root) / name).relative_to(folder).as_posix()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
