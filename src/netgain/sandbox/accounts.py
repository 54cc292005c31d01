"""Accounts for sandboxes that root starts: numbers that nobody else has, one for each job that runs now.

Limits per account do not bind root, and two jobs under one account could signal each other wherever they meet. The
number is made of our process and a free place in it, at the top of what this machine maps, so nothing is written down
and nothing has to be created.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

PLACES = 64  # jobs of one process at the same time
_lock = threading.Lock()
_taken: set[int] = set()


@contextlib.contextmanager
def account() -> Iterator[int | None]:
    """A number for user and group of one job, free again afterwards; None where we are not root."""
    if os.geteuid() != 0:
        yield None
        return
    with _lock:
        place = next(number for number in range(len(_taken) + 1) if number not in _taken)
        _taken.add(place)
    try:
        yield number(place)
    finally:
        with _lock:
            _taken.discard(place)


def number(place: int, mapped: int | None = None) -> int:
    """The account of a place: far above the accounts that people and services have."""
    top = mapped if mapped is not None else _mapped()
    span = min(1 << 28, top // 2)
    found = top - 2 - (os.getpid() * PLACES + place) % (span - 2)
    return found if not _known(found) else found - span // 2


@lru_cache(maxsize=PLACES)
def _known(number: int) -> bool:
    """Whether somebody has this account, asked once: the answer takes up to a millisecond, for every job."""
    try:
        pwd.getpwuid(number)
    except KeyError:
        return False
    return True


def _mapped(path: Path = Path("/proc/self/uid_map")) -> int:
    """One more than the largest account that exists in our user namespace."""
    try:
        rows = [[int(word) for word in line.split()] for line in path.read_text().splitlines()]
    except OSError:
        return 65535
    return min(max((first + length for first, _, length in rows), default=65535), (1 << 31) - 1)
