"""One coordinator per study folder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from netgain.errors import Busy, ConfigError

NAME = "lock"
ATTEMPTS = 5
PAUSE_SECONDS = 0.03


class FolderLock:
    """Exclusive hold on a study folder while the `with` block runs; the kernel lets go when the process dies.

    The hold belongs to the open file: a child made by `fork` shares and keeps it, a spawned or executed one does not.
    Does not cover: other machines on a network file system without locks.
    """

    def __init__(self, folder: Path) -> None:
        self._path = Path(folder) / NAME
        self._file: int | None = None

    def __enter__(self) -> FolderLock:
        """Take the lock.

        Raises:
            Busy: another process (or another holder here) has it.
            ConfigError: the folder is missing or may not be written.
        """
        file = _open(self._path)
        if not _taken(file):
            holder = os.pread(file, 64, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise Busy(
                f"another run holds this study (process {holder})",
                where=str(self._path.parent),
                fix="wait for it, or stop it with `netgain stop`",
            )
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)  # lets go; the file stays, since removing it would let two holders in
            self._file = None


def held(folder: Path) -> bool:
    """Whether some process holds the folder now. Writes nothing."""
    try:
        file = os.open(Path(folder) / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def _taken(file: int) -> bool:
    # `held` takes the lock for an instant to look at it: one refusal is not yet another run.
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            time.sleep(PAUSE_SECONDS)
    return False


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigError(
            f"cannot open {path.name!r} ({error.strerror})", where=str(path.parent), fix="use a folder you may write to"
        ) from None
