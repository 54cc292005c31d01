"""Takes files out of a folder that a stranger wrote in, or takes nothing.

Every name is opened beneath a descriptor of the folder, with `openat2` (Linux 5.6; flags from linux/openat2.h): no link
of any kind is followed, also not in the middle of a path, no step leads above the folder or onto another mount. Where
the kernel has no `openat2`, the path is walked one component at a time without following links, and devices are
compared: that knows a mount of another file system, and not one of the same.
What is opened is not waited for, so that a FIFO cannot hold us; it has to be a regular file with one link, within its
caps, and with about as many bytes on the disk as it says to have.

One thing that is not as it should be refuses the whole folder: half of a hostile output is not evidence. A folder is
collected after its writer has ended; a file that changes meanwhile is refused.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netgain.errors import EvaluateError

MIB = 1 << 20
OPENAT2 = 437  # the number of the system call, the same on every architecture since 5.6
NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH = 0x01, 0x02, 0x04, 0x08
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
SPARSE_FROM = 1 << 16  # bytes; below it file systems keep files in odd places
SPARSE = 4  # times as large as what it has on the disk


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much a folder or an archive may hold: bytes of one file and of all, files and folders, depth, and name."""

    file: int = 16 * MIB
    total: int = 64 * MIB
    files: int = 1000
    folders: int = 200
    depth: int = 8
    name: int = 200


ROOM = Room()


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def collect(folder: Path, room: Room = ROOM) -> dict[str, bytes]:
    """All files below a folder: relative name -> content.

    Raises:
        EvaluateError: something in it is no plain file or folder, or there is too much.
    """
    with _folder(folder) as top:
        found: dict[str, bytes] = {}
        left = [room.total, room.folders]
        for name in _names(top, top, "", room, left):
            found[name] = _content(top, name, min(room.file, left[0]))
            left[0] -= len(found[name])
            if len(found) > room.files:
                raise refused(f"more than {room.files} files")
        return found


def take(folder: Path, name: str, room: Room = ROOM) -> bytes:
    """The content of one named file below a folder; the name may come from a stranger.

    Raises:
        EvaluateError: the name leads elsewhere, there is no such file, or it is not a plain one.
    """
    with _folder(folder) as top:
        return _content(top, plain_name(name, room), room.file)


def plain_name(name: str, room: Room = ROOM) -> str:
    """A relative path of printable components, or EvaluateError: none is empty, `.` or `..`, none has a backslash."""
    parts = name.split("/")
    if len(parts) > room.depth or any(not part or part in (".", "..") or len(part) > room.name for part in parts):
        raise refused(f"a name that is absolute, too long or leads upwards: {shown(name)}")
    if "\\" in name or not name.isprintable():
        raise refused(f"a name with odd characters: {shown(name)}")
    return name


def refused(what: str) -> EvaluateError:
    """The one error of hostile output: it is the program's failure, and never a score."""
    return EvaluateError(f"output refused: {what}", fix="only plain files below the output folder are taken")


def shown(name: str) -> str:
    """A stranger's name as it may be printed."""
    return ascii(name[:60])


@contextmanager
def _folder(folder: Path) -> Iterator[int]:
    """A descriptor of the output folder itself, which is ours and may not have been put elsewhere either."""
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise refused(f"no output folder ({errno.errorcode.get(error.errno or 0, error)})") from None
    try:
        yield top
    finally:
        os.close(top)


def _names(top: int, here: int, path: str, room: Room, left: list[int]) -> Iterator[str]:
    """Relative names of the files below a descriptor; folders are gone into, anything else is refused by opening it."""
    with os.scandir(here) as entries:
        for count, entry in enumerate(entries):
            if count >= room.files + room.folders:
                raise refused(f"more than {room.files + room.folders} entries in one folder")
            name = plain_name(f"{path}{entry.name}", room)
            if not entry.is_dir(follow_symlinks=False):
                yield name
                continue
            left[1] -= 1
            if left[1] < 0:
                raise refused(f"more than {room.folders} folders")
            inner = open_beneath(top, name, READ | os.O_DIRECTORY)
            try:
                yield from _names(top, inner, f"{name}/", room, left)
            finally:
                os.close(inner)


def _content(top: int, name: str, most: int) -> bytes:
    file = open_beneath(top, name, READ)
    try:
        before = _regular(file, name, most)
        data = _read(file, most + 1)
        after = os.fstat(file)
        if len(data) != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise refused(f"{shown(name)} changed while it was read")
        return data
    finally:
        os.close(file)


def _regular(file: int, name: str, most: int) -> os.stat_result:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        raise refused(f"{shown(name)} is no regular file")
    if found.st_nlink != 1:
        raise refused(f"{shown(name)} has {found.st_nlink} links, expected 1")
    if found.st_size > most:
        raise refused(f"{shown(name)} has {found.st_size} bytes, allowed are {most}")
    if found.st_size > SPARSE_FROM and found.st_blocks * 512 * SPARSE < found.st_size:
        raise refused(f"{shown(name)} is sparse: {found.st_size} bytes, {found.st_blocks * 512} on the disk")
    return found


def _read(file: int, most: int) -> bytes:
    pieces = []
    while most > 0 and (piece := os.read(file, min(most, MIB))):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def open_beneath(top: int, name: str, flags: int) -> int:
    """A descriptor of a name below another one, over no link and no mount.

    Raises:
        EvaluateError: it cannot be opened like that.
    """
    try:
        return _openat2(top, name, flags)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM):  # no such call, or a filter that does not know it
            raise _unopened(name, error) from None
    try:
        return walked(top, name, flags)
    except OSError as error:
        raise _unopened(name, error) from None


def _unopened(name: str, error: OSError) -> EvaluateError:
    return refused(f"{shown(name)} cannot be opened below its folder ({errno.errorcode.get(error.errno or 0, error)})")


def _openat2(top: int, name: str, flags: int) -> int:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "no openat2 here")
    how = _How(flags, 0, BENEATH | NO_SYMLINKS | NO_MAGICLINKS | NO_XDEV)
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    path = ctypes.c_char_p(os.fsencode(name))
    number, size = ctypes.c_long(OPENAT2), ctypes.c_size_t(ctypes.sizeof(how))
    while (file := int(call(number, ctypes.c_int(top), path, ctypes.byref(how), size))) < 0:
        if (code := ctypes.get_errno()) not in (errno.EAGAIN, errno.EINTR):
            raise OSError(code, os.strerror(code))
    return file


def walked(top: int, name: str, flags: int) -> int:
    """The same without `openat2`: component by component, comparing the mount by its device."""
    *folders, last = name.split("/")
    mount, here = os.fstat(top).st_dev, os.dup(top)
    try:
        for part in folders:
            here, before = _same_mount(os.open(part, READ | os.O_DIRECTORY, dir_fd=here), mount), here
            os.close(before)
        return _same_mount(os.open(last, flags, dir_fd=here), mount)
    finally:
        os.close(here)


def _same_mount(file: int, mount: int) -> int:
    if os.fstat(file).st_dev != mount:
        os.close(file)
        raise OSError(errno.EXDEV, "another mount")
    return file
