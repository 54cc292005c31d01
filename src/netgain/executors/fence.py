"""A process that can write into one folder only, by Landlock: no root, no package, no namespace.

Source: linux/landlock.h and Documentation/userspace-api/landlock.rst; system calls 444 to 446 on every architecture.
Also closed, where the kernel knows how (version 6): sockets without a file, and signals to processes outside.

Not covered: reading; the network; System V memory and message queues; files that were open before.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable

CREATE, ADD, RESTRICT = 444, 445, 446
VERSION = 1  # flag of CREATE: which version the kernel knows
BENEATH = 1  # rule type
PR_SET_NO_NEW_PRIVS = 38
WRITE, REFER, TRUNCATE = 1 << 1, 1 << 13, 1 << 14
MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
SCOPED = 0b11  # abstract sockets, signals
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")  # of /dev, which keep nothing


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Rule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def version() -> int:
    """The version of Landlock that the kernel knows; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(CREATE, None, 0, VERSION)))


def fence(folder: str) -> bool:
    """From now on this process, and all that it starts, writes into the folder only; whether the kernel knows how.

    Raises:
        OSError: the kernel knows how, and did not do it.
    """
    known = version()
    if not known:
        return False
    rights = WRITE | MAKE_AND_REMOVE | (REFER if known >= 2 else 0) | (TRUNCATE if known >= 3 else 0)
    ruleset = _Ruleset(rights, 0, SCOPED if known >= 6 else 0)
    held = _done(CREATE, ctypes.byref(ruleset), 8 if known < 4 else 16 if known < 6 else 24, 0)
    try:
        _allow(held, [folder, *(f"/dev/{name}" for name in DEVICES)], rights)
        if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError("no new privileges: refused")
        _done(RESTRICT, held, 0)
    finally:
        os.close(held)
    return True


def _allow(held: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        if not os.path.exists(path):
            continue
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        folder = stat.S_ISDIR(os.fstat(place).st_mode)
        try:
            rule = _Rule(rights if folder else rights & (WRITE | TRUNCATE), place)
            _done(ADD, held, BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(place)


def _done(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
