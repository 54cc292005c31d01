"""The ledger keeps what it acknowledged, whole, and refuses what it cannot keep."""

import itertools
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from netgain.errors import Busy, ConfigError, DiskFull, LedgerError
from netgain.ledger import Event, FolderLock, Ledger, Stored, fold, held
from netgain.ledger.files import DIGESTS
from netgain.ledger.merkle import Frontier


def ticking() -> Callable[[], str]:
    """A clock that never shows the same time twice."""
    seconds = itertools.count()
    return lambda: f"2026-01-01T00:00:{next(seconds):02d}Z"


def done(run: str, number: int) -> Event:
    """A stage that moved its run to `number`."""
    return Event("stage_done", run, {"key": f"{run}:{number}", "row": {"round": number}, "spend": {"calls": None}})


def filled(folder: Path, count: int = 5) -> Ledger:
    ledger = Ledger.create(folder, clock=ticking())
    for number in range(count):
        ledger.append([Event("note", None, {"number": number}), done("r0/self", number)])
    return ledger


def query(folder: Path, text: str) -> list[tuple[Any, ...]]:
    """What a stranger with the sqlite3 shell would do."""
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as database:
        return database.execute(text).fetchall()


def test_events_come_back_as_they_went_in(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        kept = list(ledger.events())
        size, root = ledger.size, ledger.root()
    with Ledger.open(tmp_path) as again:
        assert list(again.events()) == kept
        assert (
            (again.size, again.root())
            == (size, root)
            == (10, Frontier(bytes.fromhex(e.leaf) for e in kept).root().hex())
        )


def test_each_run_has_its_own_chain(tmp_path: Path) -> None:
    with filled(tmp_path, 3) as ledger:
        ledger.append([done("r1/self", 0), done("r0/self", 9)])
        for run in (None, "r0/self", "r1/self"):
            chain = [entry for entry in ledger.events() if entry.run == run]
            assert [entry.prev for entry in chain] == [None, *(entry.leaf for entry in chain[:-1])]


def test_chains_and_tree_go_on_after_reopening(tmp_path: Path) -> None:
    filled(tmp_path, 2).close()
    with Ledger.open(tmp_path, clock=ticking()) as ledger:
        last = [entry.leaf for entry in ledger.events(run="r0/self")][-1]
        (entry,) = ledger.append([done("r0/self", 7)])
        assert (entry.prev, entry.seq) == (last, 4)
        assert ledger.root() == ledger.root(5)


def test_events_are_filtered_and_paged(tmp_path: Path) -> None:
    with Ledger.create(tmp_path) as ledger:
        ledger.append([Event("a" if number % 3 else "b", f"r{number % 2}/x", {}) for number in range(1203)])
        assert [entry.seq for entry in ledger.events()] == list(range(1203))
        assert [entry.seq for entry in ledger.events("b", "r1/x", after=600)] == list(range(603, 1203, 6))


def test_the_events_of_a_run_are_found_by_the_run(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        asked: list[str] = []
        ledger._db.set_trace_callback(asked.append)
        assert list(ledger.events("stage_done", "r0/self")) == [one for one in ledger.events() if one.run == "r0/self"]
        ((*_, how),) = ledger._db.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    assert "events_run (run=?" in how, "by kind it would read the whole log at every stage"


def test_appending_while_reading_neither_breaks_nor_repeats(tmp_path: Path) -> None:
    with filled(tmp_path, 1) as ledger:
        seen = []
        for entry in ledger.events():
            seen.append(entry.seq)
            ledger.append([Event("note", None, {})])
        assert seen == [0, 1]


@pytest.mark.parametrize("size", range(11))
def test_root_of_any_prefix(tmp_path: Path, size: int) -> None:
    with filled(tmp_path) as ledger:
        leaves = [bytes.fromhex(entry.leaf) for entry in ledger.events()]
        assert ledger.root(size) == Frontier(leaves[:size]).root().hex()


def test_root_beyond_the_log_is_refused(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger, pytest.raises(LedgerError, match="no tree of size 11"):
        ledger.root(11)


def test_rows_are_a_fold_of_the_events(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        shared = Event("stage_done", "r1/frozen", {"key": "r0/self:0", "row": {"round": 0}, "memo_of": "r0/self"})
        ledger.append([done("r1/self", 3), shared, Event("run_started", "r2/self", {"row": {"stage": "start"}})])
        assert ledger.rows() == fold(ledger.events())
        assert ledger.row("r2/self") == {"stage": "start"}
        assert ledger.row("r9/self") is None


def test_nothing_of_a_refused_append_is_kept(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        root = ledger.root()
        for bad in (float("nan"), object(), {1: "key"}, "\ud800"):
            with pytest.raises(LedgerError, match=r"event 'note' of run None"):
                ledger.append([done("r0/self", 99), Event("note", None, {"value": bad})])
        assert (ledger.size, ledger.root()) == (10, root)
        assert ledger.row("r0/self") == {"round": 4}


def test_appending_nothing_changes_nothing(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        assert ledger.append([]) == []
        assert ledger.size == 10


def test_threads_share_one_ledger(tmp_path: Path) -> None:
    with Ledger.create(tmp_path) as ledger:

        def work(run: str) -> None:
            for number in range(20):
                ledger.append([done(run, number), Event("note", run, {})])

        threads = [threading.Thread(target=work, args=(f"r{number}/self",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.size == 160
        assert ledger.rows() == fold(ledger.events())
    Ledger.open(tmp_path).close()


@contextmanager
def waiting(ledger: Ledger, calls: list[list[Event]], found: list[object]) -> Iterator[None]:
    """Hold the ledger until every call waits, one thread each; `found` gets their entries or errors, in order."""
    found += [None] * len(calls)

    def work(place: int) -> None:
        try:
            found[place] = list(ledger.append(calls[place]))
        except (LedgerError, DiskFull) as error:
            found[place] = error

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(calls))]
    with ledger._lock:
        for place, thread in enumerate(threads):
            thread.start()
            while len(ledger._waiting) <= place:
                time.sleep(0.001)
        yield
    for thread in threads:
        thread.join()


def test_calls_that_wait_are_flushed_together_and_each_stays_whole(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        commits: list[str] = []
        ledger._db.set_trace_callback(lambda query: commits.append(query) if query == "COMMIT" else None)
        calls = [
            [Event("note", f"r{n}/self", {"n": n}), done(f"r{n}/self", n), done("r0/self", 9 + n)] for n in range(6)
        ]
        found: list[Any] = []
        with waiting(ledger, calls, found):
            pass
        assert commits == ["COMMIT"]
        assert [entry.seq for entries in found for entry in entries] == list(range(10, 28))
        assert [entry for entries in found for entry in entries] == list(ledger.events(after=9))
        assert ledger.rows() == fold(ledger.events())
        assert ledger.root() == ledger.root(28)
    Ledger.open(tmp_path).close()  # chains and head fit what is stored


def test_a_call_that_cannot_be_stored_takes_no_other_with_it(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        calls = [
            [done("r0/self", 5)],
            [done("r0/self", 6), Event("note", None, {"bad": float("nan")})],
            [done("r0/self", 7)],
        ]
        found: list[Any] = []
        with waiting(ledger, calls, found):
            pass
        assert isinstance(found[1], LedgerError)
        assert [entry.data["row"]["round"] for place in (0, 2) for entry in found[place]] == [5, 7]
        assert (ledger.size, ledger.row("r0/self")) == (12, {"round": 7})


def test_all_who_wait_hear_of_a_flush_that_failed(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        root, pages = ledger.root(), ledger._db.execute("PRAGMA page_count").fetchone()[0]
        found: list[Any] = []
        with waiting(ledger, [[Event("note", None, {"fill": "x" * 100_000})], [done("r0/self", 5)]], found):
            ledger._db.execute(f"PRAGMA max_page_count = {pages}")
        assert [type(one) for one in found] == [DiskFull, DiskFull]
        assert (ledger.size, ledger.root(), ledger.row("r0/self")) == (10, root, {"round": 4})
        ledger._db.execute("PRAGMA max_page_count = 1000000")
        ledger.append([done("r0/self", 5)])
        assert ledger.size == 11


THREADS_APPENDING = """
import sys, threading
from pathlib import Path
from netgain.ledger import Event, Ledger
ledger = Ledger.open(Path(sys.argv[1]))
def work(run):
    for number in range(10**6):
        done = Event("stage_done", run, {"key": str(number), "row": {"n": number}})
        ledger.append([Event("note", run, {"fill": "x" * 2000}), done])
        sys.stdout.write(f"{run} {number}\\n")
        sys.stdout.flush()
for number in range(6):
    threading.Thread(target=work, args=(f"r{number}/self",)).start()
"""


def test_kill_9_while_threads_are_flushed_together_loses_nothing_acknowledged(tmp_path: Path) -> None:
    Ledger.create(tmp_path).close()
    child = subprocess.Popen(
        [sys.executable, "-c", THREADS_APPENDING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(0.1)
    child.kill()
    lines = [line.split() for line in child.stdout if line.endswith("\n")]
    child.wait()
    child.stdout.close()
    acknowledged = {run: int(number) for run, number in (line for line in lines if len(line) == 2)}
    with Ledger.open(tmp_path) as ledger:
        rows = ledger.rows()
        assert all(rows[run]["n"] >= number for run, number in acknowledged.items())
        assert ledger.size == sum(2 * (row["n"] + 1) for row in rows.values()), "whole calls only"
        assert rows == fold(ledger.events())


APPENDER = """
import sys
from pathlib import Path
from netgain.ledger import Event, Ledger
ledger = Ledger.open(Path(sys.argv[1]))
for number in range(10**6):
    done = Event("stage_done", "r0/self", {"key": str(number), "row": {"n": number}})
    ledger.append([Event("note", None, {"fill": "x" * 2000}), done])
    print(number, flush=True)
"""


@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.11])
def test_kill_9_while_appending_loses_nothing_acknowledged(tmp_path: Path, seconds: float) -> None:
    Ledger.create(tmp_path).close()
    child = subprocess.Popen([sys.executable, "-c", APPENDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(seconds)
    child.kill()
    acknowledged = [int(line) for line in child.stdout if line.endswith("\n")] or [0]
    child.wait()
    child.stdout.close()
    with Ledger.open(tmp_path) as ledger:
        row = ledger.row("r0/self")
        assert row is not None
        assert row["n"] >= acknowledged[-1]
        assert ledger.size == 2 * (row["n"] + 1), "whole transactions only"
        assert ledger.rows() == fold(ledger.events())
        ledger.append([done("r0/self", 0)])


def test_full_database_is_disk_full_and_the_state_is_kept(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        root, pages = ledger.root(), ledger._db.execute("PRAGMA page_count").fetchone()[0]
        ledger._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own "database or disk is full"
        with pytest.raises(DiskFull, match="everything recorded so far is kept") as caught:
            ledger.append([Event("note", None, {"fill": "x" * 100_000})])
        assert caught.value.exit_code == 5
        assert (ledger.size, ledger.root()) == (10, root)
        ledger._db.execute("PRAGMA max_page_count = 1000000")
        ledger.append([Event("note", None, {"fill": "x" * 100_000})])
        assert ledger.size == 11


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    try:
        failed = os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0
    except FileNotFoundError:
        failed = True
    if failed:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def append_for_ever(ledger: Ledger, acknowledged: list[Stored]) -> None:
    for number in itertools.count():
        acknowledged += ledger.append([Event("note", None, {"fill": "x" * 3000}), done("r0/self", number)])


def test_full_disk_is_disk_full_and_the_state_is_kept(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 400) as folder:
        ledger = Ledger.create(folder / "study")
        (folder / "ballast").write_bytes(b"x" * 100_000)
        acknowledged: list[Stored] = []
        with pytest.raises(DiskFull):
            append_for_ever(ledger, acknowledged)
        assert list(ledger.events()) == acknowledged
        (folder / "ballast").unlink()
        acknowledged += ledger.append([done("r0/self", 0)])
        ledger.close()
        with Ledger.open(folder / "study", readonly=True) as again:
            assert list(again.events()) == acknowledged
            assert again.rows() == fold(again.events())


def test_an_error_at_commit_is_looked_up_before_it_is_believed(tmp_path: Path) -> None:
    class Commits:
        """A connection whose COMMIT works and then reports failure."""

        def __init__(self, real: sqlite3.Connection) -> None:
            self.real = real

        def __getattr__(self, name: str) -> object:
            return getattr(self.real, name)

        def execute(self, query: str, *rest: object) -> object:
            answer = self.real.execute(query, *rest)  # type: ignore[arg-type]
            if query == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return answer

    with filled(tmp_path) as ledger:
        ledger._db = Commits(ledger._db)  # type: ignore[assignment]
        (entry,) = ledger.append([done("r0/self", 5)])
        assert entry.seq == 10
        assert ledger.size == 11


def test_newer_ledger_is_a_config_error(tmp_path: Path) -> None:
    filled(tmp_path).close()
    query(tmp_path, "UPDATE head SET schema = 'netgain.ledger/2'")
    for readonly in (False, True):
        with pytest.raises(ConfigError, match="newer version") as caught:
            Ledger.open(tmp_path, readonly=readonly)
        assert caught.value.exit_code == 2


def test_missing_or_doubled_ledger_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no study here"):
        Ledger.open(tmp_path / "nowhere")
    filled(tmp_path).close()
    with pytest.raises(ConfigError, match="exists"):
        Ledger.create(tmp_path)


def test_other_bytes_are_a_ledger_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(LedgerError, match="not a database"):
        Ledger.open(tmp_path)


def test_changed_leaf_is_found_when_opening(tmp_path: Path) -> None:
    filled(tmp_path).close()
    query(tmp_path, "UPDATE events SET leaf = zeroblob(32) WHERE seq = 3")
    with pytest.raises(LedgerError, match="does not fit"):
        Ledger.open(tmp_path)


def test_the_earlier_of_two_writers_is_refused_by_its_epoch(tmp_path: Path) -> None:
    with filled(tmp_path) as first, Ledger.open(tmp_path) as second:
        assert (first.epoch, second.epoch) == (1, 2)
        with pytest.raises(LedgerError, match="its epoch is 2, that of this one is 1"):
            first.append([done("r0/self", 5)])
        second.append([done("r0/self", 6)])
        with pytest.raises(LedgerError, match="its epoch is 2"):
            first.seal_files()
        assert (first.size, first.row("r0/self")) == (11, {"round": 6})
        assert not (tmp_path / DIGESTS).exists()


def test_a_reader_draws_no_epoch(tmp_path: Path) -> None:
    with filled(tmp_path) as writer, Ledger.open(tmp_path, readonly=True) as reader:
        assert reader.epoch == 0
        writer.append([done("r0/self", 5)])


def test_a_ledger_of_before_the_fence_gets_one_when_it_is_opened(tmp_path: Path) -> None:
    filled(tmp_path).close()
    query(tmp_path, "DROP TABLE fence")
    with Ledger.open(tmp_path) as ledger:
        assert ledger.epoch == 1
        ledger.append([done("r0/self", 5)])


def test_a_log_of_another_size_than_expected_is_refused(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        query(tmp_path, "UPDATE head SET size = 11")
        with pytest.raises(LedgerError, match="another writer"):
            ledger.append([done("r0/self", 6)])


def as_nobody(task: Callable[[], None], folder: Path) -> str:
    """Run a task in a forked child without root's rights; the name and code of the NetgainError it raised."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setegid(65534)
                os.seteuid(65534)
            task()
            os.write(writer, b"nothing raised")
        except (ConfigError, LedgerError, Busy) as error:
            os.write(writer, f"{type(error).__name__} {error.exit_code}".encode())
        except BaseException as error:  # noqa: BLE001 - the child must end here, whatever happens
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as text:
        return text.read()


@pytest.fixture
def unwritable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("unwritable")
    for parent in (folder.parent, folder.parent.parent):
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    filled(folder).close()
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_folder_without_permission_is_a_config_error(unwritable: Path) -> None:
    tasks: list[Callable[[], object]] = [
        lambda: Ledger.open(unwritable),
        lambda: Ledger.create(unwritable / "inside"),
        lambda: FolderLock(unwritable).__enter__(),
    ]
    for task in tasks:
        assert as_nobody(lambda task=task: task() and None, unwritable) == "ConfigError 2"  # type: ignore[misc]


def test_two_holders_are_one_too_many(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        assert held(tmp_path)
        with pytest.raises(Busy, match=f"process {os.getpid()}") as caught, FolderLock(tmp_path):
            pass
        assert caught.value.exit_code == 75
    assert not held(tmp_path)
    with FolderLock(tmp_path):
        pass


def test_looking_at_the_lock_does_not_make_a_run_busy(tmp_path: Path) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            held(tmp_path)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(20):
            with FolderLock(tmp_path):
                pass
    finally:
        stop.set()
        watcher.join()


HOLDER = """
import sys, time
from netgain.ledger import FolderLock
with FolderLock(sys.argv[1]):
    print(1, flush=True)
    time.sleep(60)
"""


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    assert held(tmp_path)
    child.kill()
    child.wait()
    child.stdout.close()
    with FolderLock(tmp_path):
        pass


def test_finished_study_has_the_digest_of_every_file(tmp_path: Path) -> None:
    (tmp_path / "claim.toml").write_text("x = 1\n")
    (tmp_path / "objects" / "ab").mkdir(parents=True)
    (tmp_path / "objects" / "ab" / "cd").write_bytes(b"1")
    with FolderLock(tmp_path):
        filled(tmp_path).seal_files()
    names = [line.split("  ")[1] for line in (tmp_path / DIGESTS).read_text().splitlines()]
    assert names == ["claim.toml", "ledger.db", "objects/ab/cd"]
    done_ = subprocess.run(["sha256sum", "--check", "--strict", DIGESTS], cwd=tmp_path, capture_output=True)
    assert done_.returncode == 0
    assert sorted(path.name for path in tmp_path.glob("ledger.db*")) == ["ledger.db"]


def test_reading_a_finished_study_changes_no_byte(tmp_path: Path) -> None:
    filled(tmp_path).seal_files()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with Ledger.open(tmp_path, readonly=True) as ledger:
        assert len(list(ledger.events())) == 10
        with pytest.raises(LedgerError, match="read-only"):
            ledger.append([done("r0/self", 1)])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_finished_study_is_written_again_only_when_asked(tmp_path: Path) -> None:
    filled(tmp_path).seal_files()
    with pytest.raises(ConfigError, match="finished"):
        Ledger.open(tmp_path)
    with Ledger.open(tmp_path, reopen=True) as ledger:
        assert not (tmp_path / DIGESTS).exists()
        ledger.append([done("r0/self", 5)])
        assert ledger.size == 11


def test_a_reader_sees_a_live_ledger(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger, Ledger.open(tmp_path, readonly=True) as reader:
        ledger.append([done("r0/self", 5)])
        assert (reader.size, reader.root(), reader.row("r0/self")) == (11, ledger.root(), {"round": 5})


def test_an_entry_gives_back_the_bytes_that_were_hashed(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        bodies = [body for (body,) in query(tmp_path, "SELECT body FROM events ORDER BY seq")]
        entries: list[Stored] = list(ledger.events())
        assert [entry.body().decode() for entry in entries] == bodies
