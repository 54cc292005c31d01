"""SQLite on the crash file system: a virtual file system that notes every write and flush, and a connection over it.

Needs apsw (extra `test`), which brings an SQLite of its own. The connection has the shape of the standard library's, so
that the ledger runs on it unchanged: `recorded(recording)` puts it in place of `ledger.store._connect`.

Deviation: without shared memory, which such a file system cannot offer, SQLite keeps the index of its write-ahead log
in the process (locking mode EXCLUSIVE). What it writes and flushes, and in which order, is the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from netgain.errors import ConfigError
from netgain.ledger import files, store
from netgain.stores import objects
from netgain.testing.crashfs import Op, RecordedOs, Recording, swapped

_NAMES = count()
SETTINGS = ("journal_mode = WAL", "synchronous = FULL")  # those of `ledger.store._connect`; a test compares them


def driver() -> Any:
    """The module apsw.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import apsw
    except ImportError:
        raise ConfigError("crash tests of SQLite need apsw", fix="pip install 'netgain[test]'") from None
    return apsw


class Connection:
    """As much of `sqlite3.Connection` as the ledger uses, over apsw; its errors are those of `sqlite3`."""

    def __init__(self, path: Path, vfs: str) -> None:
        self._apsw = driver()
        self._db = self._told(lambda: self._apsw.Connection(str(path), vfs=vfs))

    def execute(self, query: str, values: Sequence[Any] = ()) -> Rows:
        """Run one statement and fetch all that it gives."""
        rows = self._told(lambda: list(self._db.execute(query, tuple(values))))
        return Rows(rows, self._db.changes())

    def executemany(self, query: str, table: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        self._told(lambda: self._db.executemany(query, [tuple(row) for row in table]))

    def executescript(self, text: str) -> None:
        """Run several statements."""
        self._told(lambda: list(self._db.execute(text)))

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._db.in_transaction)

    def close(self) -> None:
        """Let go of the files."""
        self._told(self._db.close)

    def _told(self, call: Any) -> Any:
        try:
            return call()
        except self._apsw.Error as error:
            translated = sqlite3.OperationalError(str(error))
            translated.sqlite_errorcode = getattr(error, "extendedresult", 1)
            raise translated from error


class Rows:
    """The result of a statement."""

    def __init__(self, rows: list[tuple[Any, ...]], rowcount: int) -> None:
        self._rows = iter(rows)
        self.rowcount = rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        return list(self._rows)


def file_system(recording: Recording) -> Any:
    """A registered apsw file system that notes what SQLite does below the recording's root."""
    apsw = driver()
    plain, systems = apsw.VFSFile, apsw.VFS
    journals = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL

    class File(plain):  # type: ignore[misc, valid-type]
        def __init__(self, base: str, name: Any, flags: list[int]) -> None:
            path = name.filename() if isinstance(name, apsw.URIFilename) else name
            self._path = recording.inside(path) if path else None
            self._file = 0
            if self._path is not None:
                self._file = recording.opened(self._path, create=bool(flags[0] & apsw.SQLITE_OPEN_CREATE))
            self._names_folder = bool(flags[0] & journals)  # os_unix.c flushes the folder of a new journal once
            super().__init__(base, name, flags)

        def xWrite(self, data: bytes, offset: int) -> None:
            if self._path is not None:
                recording.add(Op("write", file=self._file, offset=offset, data=bytes(data)))
            super().xWrite(data, offset)

        def xTruncate(self, size: int) -> None:
            if self._path is not None:
                recording.add(Op("truncate", file=self._file, offset=size))
            super().xTruncate(size)

        def xSync(self, flags: int) -> None:
            if self._path is not None:
                recording.add(Op("sync", file=self._file))
                if self._names_folder:
                    recording.add(Op("sync_folder", _folder(self._path)))
                    self._names_folder = False

    class FileSystem(systems):  # type: ignore[misc, valid-type]
        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__(name, "")

        def xOpen(self, name: Any, flags: list[int]) -> Any:
            return File("", name, flags)

        def xDelete(self, name: str, sync: bool) -> None:
            path = recording.inside(name)
            super().xDelete(name, False)
            if path is not None:
                recording.removed(path)
                if sync:
                    recording.add(Op("sync_folder", _folder(path)))

    return FileSystem(f"crash{next(_NAMES)}")


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


@contextmanager
def recorded(recording: Recording, system: RecordedOs | None = None) -> Iterator[None]:
    """Ledger and object store note everything that they do to files while the block runs."""
    made, names = file_system(recording), system or RecordedOs(recording)

    def connect(folder: Path, *, readonly: bool) -> Any:
        db = Connection(Path(folder).absolute() / store.DATABASE, made.name)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        for line in ("mmap_size = 0", "foreign_keys = ON", *([] if readonly else SETTINGS)):
            db.execute(f"PRAGMA {line}")
        return db

    try:
        with swapped((store, "_connect", connect), (files, "os", names), (objects, "os", names)):
            yield
    finally:
        made.unregister()
