"""The append-only log of a study in one SQLite file: entry, tree head and pointer move are one transaction.

Write-ahead log where the disk allows it (`mounts.journal_for`), full sync, one writer (`lock.FolderLock`, taken by the
caller); readers open read-only. The table `rows` is a fold of the events (`events.fold`), kept beside them so that a
resume need not read all of it.

A fence beside the folder's lock: whoever opens the ledger for writing draws the next epoch, and every write presents
the writer's own. A coordinator that lost the folder and wakes up again is refused by the counter, not by a clock.

Group commit: a flush costs more than a hundred entries, so threads that append while another one flushes are written
together by the next flush. Each call stays whole, and returns only when what it recorded is on the disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, overload

from netgain.canonical import canonical
from netgain.errors import Busy, ConfigError, DiskFull, LedgerError, NetgainError
from netgain.ledger import files
from netgain.ledger.events import Event, Stored, body_of, fold, read
from netgain.ledger.merkle import Frontier, leaf_hash
from netgain.ledger.mounts import journal_for

Json = Any
Row = dict[str, Json]

DATABASE = "ledger.db"
SCHEMA = "netgain.ledger/1"
TABLES = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, run TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, leaf BLOB NOT NULL);
CREATE INDEX events_run ON events (run, seq);
CREATE INDEX events_kind ON events (kind, seq);
CREATE TABLE rows (run TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 0), size INTEGER NOT NULL, root TEXT NOT NULL, schema TEXT NOT NULL);
"""
FENCE = "CREATE TABLE IF NOT EXISTS fence (id INTEGER PRIMARY KEY CHECK (id = 0), epoch INTEGER NOT NULL)"
ANY = "SELECT count(*) FROM sqlite_master"
PAGE = 500  # events fetched at a time
SPARE_BYTES = 1 << 16  # less free space than this turns an I/O error into "disk full"


def utc_now() -> str:
    """The clock of a real study: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Entry(NamedTuple):
    """An event at its place in the log, as bytes."""

    seq: int
    event: Event
    body: bytes
    leaf: bytes


@dataclass
class _Call:
    """One call of `append` that waits for a flush: its events, then what became of them."""

    events: Sequence[Event]
    entries: list[_Entry] = field(default_factory=list)
    error: BaseException | None = None
    over: bool = False


@dataclass(frozen=True)
class _Batch:
    """Everything that one transaction will write, and the ends of tree and chains after it."""

    entries: list[_Entry]
    frontier: Frontier
    last: dict[str | None, str]


class _Appended(Sequence[Stored]):
    """What a call of `append` stored: most callers never look, and reading back costs as much as writing."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._bodies = [(entry.seq, entry.body) for entry in entries]

    def __len__(self) -> int:
        return len(self._bodies)

    @overload
    def __getitem__(self, place: int) -> Stored: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Stored]: ...

    def __getitem__(self, place: int | slice) -> Stored | Sequence[Stored]:
        if isinstance(place, slice):
            return [read(*one) for one in self._bodies[place]]
        return read(*self._bodies[place])


class Ledger:
    """One open ledger. Safe to share between threads; every method does one short thing under a lock."""

    def __init__(self, folder: Path, *, readonly: bool, clock: Callable[[], str]) -> None:
        self.folder = Path(folder)
        self.readonly = readonly
        self._clock = clock
        self._lock = threading.RLock()
        self._db = _connect(self.folder, readonly=readonly)
        self._frontier = Frontier()
        self._last: dict[str | None, str] = {}  # run -> leaf of its last event, hex
        self._waiting: deque[_Call] = deque()
        self.epoch = 0  # of this writer; 0 for a reader

    @classmethod
    def create(cls, folder: Path, *, clock: Callable[[], str] = utc_now) -> Ledger:
        """Make the folder, if need be, and an empty ledger in it.

        Raises:
            ConfigError: there is a ledger already, or the folder cannot be written.
            DiskFull: no room.
        """
        folder = Path(folder)
        with _translated(folder):
            files.make_folder(folder)
            ledger = cls(folder, readonly=False, clock=clock)
            if ledger._db.execute(ANY).fetchone()[0]:
                ledger.close()
                raise ConfigError(f"{DATABASE} exists", where=str(folder), fix="continue it with `netgain run`")
            ledger._db.executescript(f"BEGIN IMMEDIATE;{TABLES}")
            empty = (0, Frontier().root().hex(), SCHEMA)
            ledger._db.execute("INSERT INTO head (id, size, root, schema) VALUES (0, ?, ?, ?)", empty)
            ledger._db.execute("COMMIT")
            ledger._take_over()
            files.sync_folder(folder)
        return ledger

    @classmethod
    def open(
        cls, folder: Path, *, readonly: bool = False, reopen: bool = False, clock: Callable[[], str] = utc_now
    ) -> Ledger:
        """Open the ledger of a study.

        Args:
            folder: the study.
            readonly: changes nothing, needs no lock; a finished study is read as immutable.
            reopen: a finished study may be written again (its `study.sha256` is removed); for an extension.
            clock: gives the time of new entries.

        Raises:
            ConfigError: no ledger, a newer one, a finished one without `reopen`, or no permission.
            LedgerError: the stored tree head does not fit the entries.
        """
        folder = Path(folder)
        _require_ledger(folder)
        if not readonly and (folder / files.DIGESTS).exists():
            _unseal(folder, reopen=reopen)
        with _translated(folder):
            ledger = cls(folder, readonly=readonly, clock=clock)
            try:
                ledger._require_schema()
                if not readonly:
                    ledger._take_over()
                    ledger._load()
            except BaseException:
                ledger.close()
                raise
        return ledger

    @staticmethod
    def begun(folder: Path) -> bool:
        """Whether the folder holds a ledger with its tables: False also after a kill in the middle of `create`."""
        if not (Path(folder) / DATABASE).exists():
            return False
        with _translated(Path(folder)), closing(_connect(Path(folder), readonly=True)) as db:
            return bool(db.execute(ANY).fetchone()[0])

    def append(self, events: Sequence[Event]) -> Sequence[Stored]:
        """Record events, in order, in one durable transaction together with the rows that they move (`events.fold`).

        Args:
            events: what happened; an empty sequence changes nothing.

        Returns:
            The entries as stored, read when they are looked at.

        Raises:
            DiskFull: nothing of this call was recorded; everything before it is kept.
            LedgerError: data that JSON cannot hold, or a second writer; a later one has drawn a higher epoch.
        """
        if self.readonly:
            raise LedgerError("opened read-only", where=str(self.folder), fix="open it with readonly=False")
        if not events:
            return []
        call = _Call(events)
        self._waiting.append(call)
        with self._lock:  # who waited here may find that another call has written its events together with its own
            if not call.over:
                self._commit_waiting()
        if call.error is not None:
            raise call.error
        return _Appended(call.entries)

    def events(self, kind: str | None = None, run: str | None = None, after: int = -1) -> Iterator[Stored]:
        """Entries in log order, as they stand when each page is read.

        Args:
            kind: only this kind.
            run: only this run.
            after: only entries with a larger seq.
        """
        # The plus keeps SQLite from the index by kind where a run is named: it has tens of events, a kind thousands.
        tests = [("kind = ?" if run is None else "+kind = ?", kind), ("run = ?", run)]
        asked = [(text, value) for text, value in tests if value is not None]
        where = " AND ".join(["seq > ?", *(text for text, _ in asked)])
        while True:
            query = f"SELECT seq, body FROM events WHERE {where} ORDER BY seq LIMIT {PAGE}"
            page = self._all(query, after, *(value for _, value in asked))
            yield from (read(seq, body.encode()) for seq, body in page)
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def row(self, run: str) -> Row | None:
        """Where a run stands, or None before its first row."""
        found = self._all("SELECT row FROM rows WHERE run = ?", run)
        return json.loads(found[0][0]) if found else None

    def rows(self) -> dict[str, Row]:
        """Where every run stands."""
        return {run: json.loads(row) for run, row in self._all("SELECT run, row FROM rows ORDER BY run")}

    @property
    def size(self) -> int:
        """Entries in the log."""
        return int(self._all("SELECT size FROM head")[0][0])

    def head(self) -> tuple[int, str]:
        """Entries and tree head (64 hex digits) of one moment, whatever other threads append."""
        size, root = self._all("SELECT size, root FROM head")[0]
        return int(size), str(root)

    def root(self, size: int | None = None) -> str:
        """Tree head of the first `size` entries (all without it), 64 hex digits."""
        if size is None:
            return str(self._all("SELECT root FROM head")[0][0])
        if not 0 <= size <= self.size:
            raise LedgerError(f"no tree of size {size!r}", where=str(self.folder), fix=f"ask for 0 to {self.size}")
        leaves = self._all("SELECT leaf FROM events WHERE seq < ? ORDER BY seq", size)
        return Frontier(leaf for (leaf,) in leaves).root().hex()

    def seal_files(self) -> Path:
        """Finish: everything into one database file, then `study.sha256` over the folder. Closes the ledger.

        Returns:
            The file of digests. `lock` and the file itself are not in it; everything else is.
        """
        with self._lock, _translated(self.folder):
            self._require_epoch()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            mode = self._db.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
            if mode != "delete":
                raise Busy("a reader holds the ledger", where=str(self.folder), fix="close `netgain status`, run again")
            self.close()
            return files.write_digests(self.folder)

    def close(self) -> None:
        """Let go of the file; nothing else works after it."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _all(self, query: str, *values: Json) -> list[tuple[Any, ...]]:
        with self._lock, _translated(self.folder):
            return self._db.execute(query, values).fetchall()

    def _commit_waiting(self) -> None:
        """Write the events of all calls that wait in one transaction; calls that JSON cannot hold are left out."""
        calls = [self._waiting.popleft() for _ in range(len(self._waiting))]
        batch = _Batch([], self._frontier.copy(), {})
        try:
            for call in calls:
                try:
                    batch = self._prepare(call, batch)
                except LedgerError as error:
                    call.error = error
            if batch.entries:
                self._commit(batch)
                self._frontier = batch.frontier
                self._last |= batch.last
        except BaseException as error:  # noqa: BLE001  broad: whoever waits for this flush must hear of it too
            for call in calls:
                call.error = call.error or error
        finally:
            for call in calls:
                call.over = True

    def _prepare(self, call: _Call, before: _Batch) -> _Batch:
        frontier, last = before.frontier.copy(), dict(before.last)
        entries = []
        for event in call.events:
            prev = last.get(event.run) or self._last.get(event.run)
            body = body_of(event, prev=prev, time=self._clock())
            entries.append(_Entry(frontier.size, event, body, leaf_hash(body)))
            frontier.append(entries[-1].leaf)
            last[event.run] = entries[-1].leaf.hex()
        call.entries = entries
        return _Batch([*before.entries, *entries], frontier, last)

    def _commit(self, batch: _Batch) -> None:
        try:
            self._write(batch)
        except sqlite3.Error as error:
            # An error at commit is an unknown outcome (`reference/operations.md` 4.2, rule 7): look before deciding.
            failure = _translate(error, self.folder)
            if not self._landed(batch, reconnect=not isinstance(failure, DiskFull)):
                raise failure from error

    def _write(self, batch: _Batch) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        table = [(seq, event.run or "", event.kind, body.decode(), leaf) for seq, event, body, leaf in batch.entries]
        before, after = batch.entries[0].seq, batch.frontier
        self._require_epoch()
        head = (after.size, after.root().hex(), before)
        if self._db.execute("UPDATE head SET size = ?, root = ? WHERE id = 0 AND size = ?", head).rowcount != 1:
            self._db.execute("ROLLBACK")
            raise LedgerError("another writer appended", where=str(self.folder), fix="hold the folder's lock to write")
        self._db.executemany("INSERT INTO events (seq, run, kind, body, leaf) VALUES (?, ?, ?, ?, ?)", table)
        moved = fold(entry.event for entry in batch.entries)
        rows = [(run, canonical(row).decode()) for run, row in moved.items()]
        self._db.executemany(
            "INSERT INTO rows (run, row) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET row = excluded.row", rows
        )
        self._db.execute("COMMIT")

    def _landed(self, batch: _Batch, *, reconnect: bool) -> bool:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if reconnect:
                self._db.close()
                self._db = _connect(self.folder, readonly=False)
            found = self._db.execute("SELECT size, root FROM head").fetchone()
        except sqlite3.Error as error:
            raise _translate(error, self.folder) from error
        return bool(found == (batch.frontier.size, batch.frontier.root().hex()))

    def _take_over(self) -> None:
        """Draw the next epoch: from here on every write of an earlier writer is refused."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(FENCE)
        query = "INSERT INTO fence VALUES (0, 1) ON CONFLICT (id) DO UPDATE SET epoch = epoch + 1 RETURNING epoch"
        (self.epoch,) = self._db.execute(query).fetchone()
        self._db.execute("COMMIT")

    def _require_epoch(self) -> None:
        (now,) = self._db.execute("SELECT epoch FROM fence").fetchone()
        if now != self.epoch:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise LedgerError(
                f"another writer holds the ledger: its epoch is {now}, that of this one is {self.epoch}",
                where=str(self.folder),
                fix="end this process; the other one goes on",
            )

    def _require_schema(self) -> None:
        schema = str(self._db.execute("SELECT schema FROM head").fetchone()[0])
        name, _, version = schema.partition("/")
        ours = SCHEMA.partition("/")
        if name == ours[0] and version.isdigit() and int(version) > int(ours[2]):
            raise ConfigError(
                f"ledger {schema!r} is from a newer version (this one reads {SCHEMA!r})",
                where=str(self.folder / DATABASE),
                fix="install the netgain that wrote it, or a later one",
            )
        if schema != SCHEMA:
            raise LedgerError(f"ledger {schema!r}, expected {SCHEMA!r}", where=str(self.folder / DATABASE))

    def _load(self) -> None:
        """Tree and chain ends from the stored leaves; refuses a head that does not fit them."""
        size, root = self._db.execute("SELECT size, root FROM head").fetchone()
        leaves = self._db.execute("SELECT run, leaf FROM events ORDER BY seq").fetchall()
        self._frontier = Frontier(leaf for _, leaf in leaves)
        self._last = {run or None: leaf.hex() for run, leaf in leaves}
        if (self._frontier.size, self._frontier.root().hex()) != (size, root):
            raise LedgerError(
                f"tree head of {size} entries does not fit the {len(leaves)} stored",
                where=str(self.folder / DATABASE),
                fix="run `netgain verify`, restore from a copy",
            )


def _connect(folder: Path, *, readonly: bool) -> sqlite3.Connection:
    journal = "" if readonly else journal_for(folder)
    mode = "rwc"
    if readonly:
        mode = "ro&immutable=1" if (folder / files.DIGESTS).exists() else "ro"
    db = _connection(folder, mode)
    if readonly and _interrupted(db):
        db.close()
        with closing(_connection(folder, "rw")) as writer:
            writer.execute(ANY)  # rolls back, under SQLite's own locks
        db = _connection(folder, mode)
    if not readonly:
        db.execute(f"PRAGMA journal_mode = {journal}")
        db.execute("PRAGMA synchronous = FULL")
    return db


def _connection(folder: Path, mode: str) -> sqlite3.Connection:
    uri = f"{(folder / DATABASE).absolute().as_uri()}?mode={mode}"
    db = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA mmap_size = 0")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _interrupted(db: sqlite3.Connection) -> bool:
    """Whether `seal_files` was killed while it changed the journal's mode: a reader may not roll that back."""
    try:
        db.execute(ANY)
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK
    return False


def _require_ledger(folder: Path) -> None:
    path = folder / DATABASE
    try:
        there = path.is_file() and path.stat().st_size > 0
    except OSError as error:
        raise ConfigError(f"cannot look for {DATABASE} ({error.strerror})", where=str(folder)) from None
    if not there:
        raise ConfigError(
            f"no study here: {DATABASE} is missing or empty", where=str(folder), fix="start one with `netgain run`"
        )


def _unseal(folder: Path, *, reopen: bool) -> None:
    if not reopen:
        raise ConfigError("the study is finished", where=str(folder), fix="extend it with `netgain run --extend`")
    with _translated(folder):
        (folder / files.DIGESTS).unlink()
        files.sync_folder(folder)


class _translated:
    """SQLite's and the system's errors of a folder, as ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise _translate(error, self._folder) from error
        if isinstance(error, OSError):
            raise files.translate(error, self._folder) from error


def _translate(error: sqlite3.Error, folder: Path) -> NetgainError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
    where = str(folder / DATABASE)
    if code == sqlite3.SQLITE_FULL or (code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _no_room(folder)):
        return files.disk_full(folder)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH):
        return ConfigError(f"cannot write ({error})", where=where, fix="use a folder you may write to")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(f"ledger in use ({error})", where=where, fix="wait for the other program")
    return LedgerError(f"{error}", where=where, fix="run `netgain verify`, restore from a copy")


def _no_room(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
        inodes = disk.f_favail if disk.f_files else 1  # some disks have no fixed number of them
        return disk.f_bavail * disk.f_frsize < SPARE_BYTES or not inodes
    except OSError:
        return False
