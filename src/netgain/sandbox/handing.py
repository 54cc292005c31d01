"""Bytes for a process without a file on the disk: sealed memory that reads like a file."""

from __future__ import annotations

import fcntl
import os
import tempfile

from netgain.errors import SandboxError


def readable(content: bytes) -> int:
    """A descriptor at the start of these bytes, that nobody can change any more; the caller closes it."""
    if not hasattr(os, "memfd_create"):
        return _unlinked(content)
    end = os.memfd_create("netgain", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    _written(end, content)
    shut = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(end, fcntl.F_ADD_SEALS, shut)
    return end


def _written(end: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(end, left) :]
    os.lseek(end, 0, os.SEEK_SET)


def _unlinked(content: bytes) -> int:
    """Where there is no sealed memory (macOS): a file that has no name any more, opened for reading."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return os.open(file.name, os.O_RDONLY)


def checked_name(name: str) -> str:
    """The relative name of a job's file.

    Raises:
        SandboxError: it leads out of the job's folder, or is the program's own.
    """
    parts = name.split("/")
    if not name or name == "main.py" or name.startswith("/") or "\0" in name or {"", ".", ".."} & set(parts):
        fix = "give a relative name without '..', other than 'main.py'"
        raise SandboxError(f"file name {name!r}, expected one inside the job's folder", fix=fix)
    return name
