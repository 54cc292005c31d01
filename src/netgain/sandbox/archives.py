"""Archives of strangers, unpacked into memory by the collector's rules: nothing touches the disk while it is read.

Zip and tar, plain or by gzip. Every member is a regular file or a folder with a name that leads nowhere else; links of
both kinds, devices, FIFOs, sparse and encrypted members, names that come twice and members that lie over each other
are refused, and so is what grows by more than `RATIO` or beyond its room. As nothing is written before all is read,
there is no link to write through. `lay_out` writes the result into a new folder of ours.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from netgain.sandbox.collector import ROOM, Room, plain_name, refused, shown

RATIO = 200  # bytes made of one byte, at most
FREE = 1 << 16  # bytes that a member may have at any ratio
PLAIN_TAR = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1


def unpack_archive(data: bytes, room: Room = ROOM) -> dict[str, bytes]:
    """Files of an archive: relative name -> content.

    Raises:
        EvaluateError: it is no zip or tar, it is damaged, or a member breaks a rule.
    """
    found: dict[str, bytes] = {}
    left = room.total
    for name, content in _members(data, room):
        if name in found:
            raise refused(f"{shown(name)} comes twice")
        if len(content) > room.file or len(content) > left:
            raise refused(f"{shown(name)} has {len(content)} bytes, allowed are {min(room.file, left)}")
        found[name] = content
        left -= len(content)
        if len(found) > room.files:
            raise refused(f"more than {room.files} files")
    if inside := [name for name in found if any(name.startswith(f"{other}/") for other in found)]:
        raise refused(f"{shown(inside[0])} lies below a file")
    return found


def lay_out(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files below a folder that does not exist yet; each is made anew, through no link.

    Raises:
        FileExistsError: the folder is there already.
    """
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        path = folder / plain_name(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as sink:
            sink.write(content)


def _members(data: bytes, room: Room) -> Iterator[tuple[str, bytes]]:
    try:
        if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            yield from _zipped(data, room)
        else:
            yield from _tarred(_inflated(data, room), room)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise refused(f"no sound zip or tar archive ({type(error).__name__})") from None


def _zipped(data: bytes, room: Room) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        if len(listed) > room.files + room.folders:
            raise refused(f"{len(listed)} members, allowed are {room.files + room.folders}")
        if sum(one.compress_size for one in listed) > len(data):
            raise refused("members that lie over each other")
        if sum(one.file_size for one in listed) > room.total:
            raise refused(f"{sum(one.file_size for one in listed)} bytes in all, allowed are {room.total}")
        for one in listed:
            name, kind = _named(one.filename, room), stat.S_IFMT(one.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise refused(f"{shown(name)} is a link or a special file")
            if one.flag_bits & ENCRYPTED or one.compress_type not in METHODS:
                raise refused(f"{shown(name)} is encrypted, or packed in an unknown way")
            _in_proportion(name, one.file_size, one.compress_size)
            if not one.is_dir():
                with archive.open(one) as member:  # it gives as many bytes as it has declared, or fails its checksum
                    yield name, member.read(room.file + 1)


def _tarred(data: bytes, room: Room) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for count, one in enumerate(archive):
            if count >= room.files + room.folders:
                raise refused(f"more than {room.files + room.folders} members")
            name = _named(one.name, room)
            if one.type not in (*PLAIN_TAR, tarfile.DIRTYPE) or one.issparse():
                raise refused(f"{shown(name)} is a link, a special file or sparse")
            if one.isdir():
                continue
            member = archive.extractfile(one)
            yield name, b"" if member is None else member.read(room.file + 1)


def _named(name: str, room: Room) -> str:
    return plain_name(name.removesuffix("/").removeprefix("./"), room) if name not in (".", "./") else "."


def _inflated(data: bytes, room: Room) -> bytes:
    """A tar file out of gzip, no further than its room; other data as it is."""
    if data[:2] != b"\x1f\x8b":
        return data
    most = room.total + room.files * 2048 + FREE  # a header and a filling of each member
    reader = zlib.decompressobj(wbits=31)
    made = reader.decompress(data, most + 1)
    if len(made) > most:
        raise refused(f"more than {most} bytes inside gzip")
    _in_proportion("the archive", len(made), len(data))
    if not reader.eof or reader.unused_data:
        raise refused("gzip data that ends too early or too late")
    return made


def _in_proportion(name: str, size: int, packed: int) -> None:
    if size > FREE and size > RATIO * packed:
        raise refused(f"{shown(name)} grows from {packed} to {size} bytes, allowed is {RATIO} times")
