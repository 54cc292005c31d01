"""Tampering with a signed log is found: bits, removals, swaps, truncations, duplications, roll-back; clean logs pass.

A stranger changes bytes. A forger knows the format: every leaf, chain and tree head is made again, and only the key is
not the forger's. A holder of the key can make everything again, and is found only by a checkpoint that left the house.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from signed import checkpoints, copied, events_of, fails, signed_log, signed_study, written

from keyed_user import keyed
from netgain import verify
from netgain.ledger import Event, Ledger
from netgain.signing import Signer
from netgain.testing.trials import record

pytestmark = pytest.mark.counted

ENTRIES = 50


def counted(what: str, trials: int, failures: int, seed: int | None = None) -> None:
    record("G6", what, trials=trials, failures=failures, seed=seed, command="pytest tests/record/test_tampering.py")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    with keyed(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Path:
    return signed_log(tmp_path_factory.mktemp("logs") / "log", signer, ENTRIES, [10, 30, ENTRIES])


@pytest.fixture
def mine(log: Path, tmp_path: Path) -> Path:
    return copied(log, tmp_path / "mine")


def table(folder: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        database.text_factory = bytes
        return database.execute("SELECT * FROM events ORDER BY seq").fetchall()


def changed(folder: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as database:
        for one in statements:
            database.execute(one)
    return folder


def forged(folder: Path, events: list[Event], notes: str) -> Path:
    """A folder whose hashes all fit, with checkpoints that were signed for another log."""
    written(folder, events)
    (folder / "checkpoints.txt").write_text(notes)
    return folder


# --- a stranger -------------------------------------------------------------------------------------------------------


def test_every_bit_of_every_entry_counts(log: Path) -> None:
    """All bits of all columns: body, leaf, run, kind and place of 50 entries."""
    study, last, read, missed = verify.Study(log), dict[str, str](), 0, list[tuple[int, ...]]()
    for at, row in enumerate(table(log)):
        own = row[1].decode()
        before = last.get(own)
        known = verify.together([row]) is not None
        assert known and study._odd(at, row, verify.json.loads(row[3]), own, before, known) == ""
        for column in (1, 2, 3, 4):
            for bit in range(8 * len(row[column])):
                spoilt = bytearray(row[column])
                spoilt[bit // 8] ^= 1 << bit % 8
                if not found_odd(study, at, (*row[:column], bytes(spoilt), *row[column + 1 :]), last):
                    missed.append((at, column, bit))
                read += 1
        assert all(found_odd(study, at, (row[0] ^ 1 << bit, *row[1:]), last) for bit in range(63))
        last[own] = row[4].hex()
    counted("flipped bits of a log of 50 entries, all of them", read, len(missed))
    assert missed == []
    assert read > 8 * ENTRIES * 150


def found_odd(study: verify.Study, at: int, row: tuple[Any, ...], last: dict[str, str]) -> bool:
    """Whether reading this entry, as `Study._read` does, stops here."""
    try:
        event = verify.json.loads(row[3].decode())
        own = event.get("run") or ""
        return bool(study._odd(at, row, event, own, last.get(own), verify.together([row]) is not None))
    except (TypeError, ValueError, KeyError, AttributeError):
        return True


def spoilt_file(folder: Path, place: int, bit: int) -> str:
    """What the log says with one bit of the database file changed: "" when it says exactly what it said before."""
    path = folder / "ledger.db"
    data = path.read_bytes()
    spoilt = bytearray(data)
    spoilt[place] ^= 1 << bit
    before = verify.Study(folder)
    path.write_bytes(bytes(spoilt))
    try:
        after = verify.Study(folder)
        same = (after.leaves, after.rows, after.head) == (before.leaves, before.rows, before.head)
        return after.fault or after.newer or ("" if same else "LOST")
    finally:
        path.write_bytes(data)


def test_one_bit_of_the_file_is_found_or_changes_nothing_that_is_read(mine: Path) -> None:
    draw, size = random.Random(50), (mine / "ledger.db").stat().st_size
    found = [spoilt_file(mine, draw.randrange(size), draw.randrange(8)) for _ in range(250)]
    counted("flipped bits of a database file, found or without effect", len(found), found.count("LOST"), 50)
    assert "LOST" not in found
    assert sum(map(bool, found)) > 50


@pytest.mark.nightly
def test_one_bit_of_every_byte_of_the_file_is_found_or_changes_nothing(mine: Path) -> None:
    draw, size = random.Random(51), (mine / "ledger.db").stat().st_size
    found = [spoilt_file(mine, place, draw.randrange(8)) for place in range(size)]
    counted("flipped bits of a database file, found or without effect", size, found.count("LOST"), 51)
    assert "LOST" not in found


@pytest.mark.nightly
def test_a_bit_of_every_entry_of_a_long_log_counts(signer: Signer, tmp_path: Path) -> None:
    folder, draw = signed_log(tmp_path / "long", signer, 10_000), random.Random(52)
    study, last, missed = verify.Study(folder), dict[str, str](), 0
    for at, row in enumerate(table(folder)):
        column = draw.choice([one for one in (1, 2, 3, 4) if row[one]])
        spoilt = bytearray(row[column])
        spoilt[draw.randrange(len(spoilt))] ^= 1 << draw.randrange(8)
        missed += not found_odd(study, at, (*row[:column], bytes(spoilt), *row[column + 1 :]), last)
        last[row[1].decode()] = row[4].hex()
    counted("flipped bits of a log of 10,000 entries, one in each", 10_000, missed, 52)
    assert missed == 0


@pytest.mark.parametrize("bits", [4, pytest.param(400, marks=pytest.mark.nightly)])
def test_a_bit_of_any_other_file_of_a_study_counts(tmp_path: Path, bits: int) -> None:
    """Objects, verdict, configuration, and the list of digests itself."""
    folder, draw, missed, tried = signed_study(tmp_path / "study", tmp_path / "home"), random.Random(53), [], 0
    own = ("lock", "ledger.db")  # a lock holds nothing; the log has tests of its own
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and one.name not in own):
        data = path.read_bytes()
        for place in draw.sample(range(8 * len(data)), min(bits, 8 * len(data))):
            spoilt, tried = bytearray(data), tried + 1
            spoilt[place // 8] ^= 1 << place % 8
            path.write_bytes(bytes(spoilt))
            try:
                verify.files(verify.Study(folder))
                missed.append((path.name, place))
            except verify.Finding:
                pass
        path.write_bytes(data)
    verify.files(verify.Study(folder))
    counted("flipped bits of objects, verdict and other files", tried, len(missed), 53)
    assert missed == [] and tried >= 10 * bits


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events WHERE seq = 20",
        "DELETE FROM events WHERE seq = 49",
        "INSERT INTO events SELECT 50, run, kind, body, leaf FROM events WHERE seq = 49",
        "UPDATE events SET seq = CASE seq WHEN 20 THEN -1 ELSE seq END WHERE seq IN (20)",
        "UPDATE events SET body = (SELECT body FROM events WHERE seq = 21) WHERE seq = 20",
        "UPDATE head SET size = 49",
        "UPDATE head SET root = (SELECT lower(hex(leaf)) FROM events WHERE seq = 1)",
        "INSERT INTO rows VALUES ('r0/self', '{}')",
    ],
)
def test_a_row_that_is_removed_doubled_or_swapped_is_found(mine: Path, statement: str) -> None:
    assert "log" in fails(changed(mine, statement))


# --- a forger ---------------------------------------------------------------------------------------------------------


FORGERIES: dict[str, Callable[[list[Event], int], list[Event]]] = {
    "changed": lambda events, at: [
        *events[:at], Event(events[at].kind, events[at].run, {**events[at].data, "more": 1}), *events[at + 1 :]
    ],
    "removed": lambda events, at: [*events[:at], *events[at + 1 :]],
    "doubled": lambda events, at: [*events[: at + 1], *events[at:]],
    "swapped": lambda events, at: [*events[:at], *events[at : at + 2][::-1], *events[at + 2 :]],
    "cut off": lambda events, at: events[:at],
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_log_whose_hashes_fit_is_not_the_one_that_was_signed(
    log: Path, signer: Signer, tmp_path: Path, name: str
) -> None:
    events, notes = events_of(signer, ENTRIES), (log / "checkpoints.txt").read_text()
    places = range(1, ENTRIES - 1, 4)
    missed = [at for at in places
              if "signatures" not in fails(forged(tmp_path / f"{at}", FORGERIES[name](events, at), notes))]  # fmt: skip
    counted("forged logs whose hashes fit: entries changed, removed, doubled, swapped or cut off", len(places),
            len(missed))  # fmt: skip
    assert missed == [], name


def test_the_forger_of_these_tests_forges_well(signer: Signer, tmp_path: Path, log: Path) -> None:
    same = forged(tmp_path / "same", events_of(signer, ENTRIES), (log / "checkpoints.txt").read_text())
    assert fails(same) == {}


def test_entries_behind_the_last_checkpoint_are_said_to_be_unsigned(log: Path, signer: Signer, tmp_path: Path) -> None:
    events = [*events_of(signer, ENTRIES), Event("note", None, {"said": "after"})]
    study = verify.Study(forged(tmp_path / "more", events, (log / "checkpoints.txt").read_text()))
    assert "signed up to entry 50 of 51" in verify.signatures(study)
    assert (study.covered, len(study.entries)) == (50, 51)


def test_a_checkpoint_of_another_key_does_not_count(mine: Path, tmp_path: Path) -> None:
    with keyed(tmp_path / "other", "lab") as other:
        (mine / "checkpoints.txt").write_text(checkpoints(mine, other, [ENTRIES]))
    assert "is not signed by its key" in fails(mine)["signatures"]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace("\n10\n", "\n11\n"), "has another head than was signed"),
        (lambda text: text.replace("netgain/", "netgain/0"), "is no checkpoint of the log"),
        (lambda text: text.replace("\n50\n", "\n050\n"), "is no checkpoint of the log"),
        (lambda text: text + text.split("\n\n— ")[0] + "\n\n" + "— lab AAAA\n\n", "behind a later one"),
        (lambda text: text.replace("\n50\n", "\n51\n"), "has another head than was signed"),
    ],
)
def test_a_changed_file_of_checkpoints_is_found(mine: Path, edit: Callable[[str], str], said: str) -> None:
    path = mine / "checkpoints.txt"
    path.write_text(edit(path.read_text()))
    assert said in fails(mine)["signatures"]


def test_a_bit_of_every_byte_of_the_last_checkpoint_counts(mine: Path) -> None:
    study = verify.Study(mine)
    data = study.noted
    first, end = data.index(b"netgain/", data.index(b"\n30\n")), len(data) - 2
    for place in range(first, end):
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << place % 8
        study.noted, study.covered = bytes(spoilt), 0
        try:
            verify.signatures(study)
            assert study.covered < ENTRIES, place  # a spoilt blank line leaves a note that is cut off
        except (verify.Finding, ValueError, KeyError, LookupError):
            pass


# --- a holder of the key, against a checkpoint that left the house ----------------------------------------------------


def test_a_roll_back_is_found_by_a_remembered_checkpoint_only(log: Path, signer: Signer, tmp_path: Path) -> None:
    remembered = (log / "checkpoints.txt").read_text()
    events = events_of(signer, ENTRIES)
    missed = []
    for size in range(1, ENTRIES):
        folder = signed_log(tmp_path / f"back{size}", signer, size, [size])
        assert fails(folder) == {}
        told = fails(folder, remembered).get("remembered", "")
        missed += [] if f"{size} are here: rolled back" in told else [size]
    counted("logs rolled back to an older checkpoint", ENTRIES - 1, len(missed))
    assert missed == []
    rewritten = written(tmp_path / "rewritten", FORGERIES["changed"](events, 5))
    (rewritten / "checkpoints.txt").write_text(checkpoints(rewritten, signer, [30, ENTRIES]))
    assert fails(rewritten) == {}
    assert "are not the ones that were signed" in fails(rewritten, remembered)["remembered"]


def test_a_log_that_only_grew_begins_with_what_is_remembered(log: Path, signer: Signer, tmp_path: Path) -> None:
    grown = signed_log(tmp_path / "grown", signer, ENTRIES + 20)
    assert fails(grown, (log / "checkpoints.txt").read_text()) == {}


def test_a_log_that_lost_its_key_is_not_the_one_remembered(log: Path, tmp_path: Path) -> None:
    stripped = written(tmp_path / "stripped", events_of(None, ENTRIES))
    found = fails(stripped, (log / "checkpoints.txt").read_text())
    assert found == {"remembered": "a checkpoint was remembered, and the claim was registered without a key"}
    (stripped / "checkpoints.txt").write_text((log / "checkpoints.txt").read_text())
    assert "without a key" in fails(stripped)["signatures"]


def test_a_checkpoint_of_another_log_or_an_empty_file_is_no_memory_of_this_one(log: Path, signer: Signer) -> None:
    other = checkpoints(log, signer, [ENTRIES], "netgain/other")
    assert "is no checkpoint of the log" in fails(log, other)["remembered"]
    assert "holds no checkpoint" in fails(log, "")["remembered"]
    unsigned = (log / "checkpoints.txt").read_text().rpartition("\n\n— ")[0]
    assert "cut off" in fails(log, unsigned)["remembered"]


# --- no false alarm ---------------------------------------------------------------------------------------------------


def clean(folder: Path, signer: Signer, seed: int) -> dict[str, str]:
    """A drawn log, grown in pieces by a writer that stops between them, and what is found wrong with it."""
    draw = random.Random(seed)
    events = events_of(signer, draw.randrange(1, 60))
    sizes = sorted({*draw.sample(range(1, len(events) + 1), draw.randrange(len(events)) % 4), len(events)})
    place = 0
    while place < len(events):
        with Ledger.open(folder) if place else Ledger.create(folder) as log:
            log.append(events[place : place + draw.randrange(1, 30)])
            place = log.size
    (folder / "checkpoints.txt").write_text(checkpoints(folder, signer, sizes))
    return fails(folder, checkpoints(folder, signer, sizes[:1]))


def test_clean_logs_raise_no_alarm(tmp_path: Path, signer: Signer) -> None:
    alarms = [seed for seed in range(40) if clean(tmp_path / f"{seed}", signer, seed)]
    counted("clean logs (failures: false alarms)", 40, len(alarms), 0)
    assert alarms == []


def test_a_log_that_grows_while_it_is_read_raises_no_alarm(mine: Path, signer: Signer) -> None:
    class Growing(verify.Study):
        """A study whose run goes on just after its log was read."""

        def _read(self) -> None:
            super()._read()
            with Ledger.open(self.folder) as log:
                log.append([Event("note", None, {"said": "meanwhile"})])
            with (self.folder / "checkpoints.txt").open("a") as file:
                file.write(checkpoints(self.folder, signer, [ENTRIES + 1]))

    assert "signed up to entry 50 of 50" in verify.signatures(Growing(mine))
    assert fails(mine) == {}


@pytest.mark.nightly
def test_ten_thousand_clean_logs_raise_no_alarm(tmp_path: Path, signer: Signer) -> None:
    import shutil

    alarms = []
    for seed in range(10_000):
        alarms += [seed] if clean(tmp_path / "one", signer, seed) else []
        shutil.rmtree(tmp_path / "one")
    counted("clean logs (failures: false alarms)", 10_000, len(alarms), 0)
    assert alarms == []


def rows_of(*bodies: bytes) -> list[tuple[Any, ...]]:
    return [(at, b"", b"", body, verify.sha(b"\x00" + body)) for at, body in enumerate(bodies)]


def test_bodies_that_make_events_only_together_are_found() -> None:
    """Two bodies, neither of them JSON, that read as a list of two events when they are put together."""
    split = rows_of(b'{"data":1', b'"kind":""},{"kind":""}')
    assert verify.together(split) is None
    with pytest.raises(ValueError, match="delimiter"):
        list(verify.with_events(split, False))


def test_a_body_of_two_events_is_read_alone_and_refused() -> None:
    whole = rows_of(b'{"kind":"a"}', b'{"kind":"b"},{"kind":"c"}')
    found = verify.with_events(whole, False)
    assert next(found)[1:] == ({"kind": "a"}, False)
    with pytest.raises(ValueError, match="Extra data"):
        next(found)
