"""G1, G16: nothing acknowledged is lost or changed by power loss, and an address holds its bytes or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from netgain.ledger import Event, Ledger
from netgain.testing.crashfs import FOLDER, MODELS, SECTOR, Disk, Op, RecordedOs, Recording, images, scratch
from netgain.testing.powerloss import Found, objects_workload, survives, workload
from netgain.testing.trials import record

SEED = 20260717
COMMAND = "pytest tests/reliability/test_power_loss.py"


def many(made: Callable[[int], Recording], images: int, of_each: int) -> Found:
    """So many images of drawn workloads, so many of each."""
    whole = Found()
    with scratch() as folder:
        for seed in range(SEED, SEED + images):
            found = survives(made(seed), seed, folder / "image", most=min(of_each, images - whole.images))
            whole.images += found.images
            whole.wrong += [(f"seed {seed}: {where}", what) for where, what in found.wrong]
            if whole.images >= images:
                break
    return whole


@pytest.mark.parametrize("images", [5_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_no_acknowledged_entry_is_lost_by_power_loss(tmp_path: Path, images: int) -> None:
    pytest.importorskip("apsw")
    found = many(lambda seed: workload(tmp_path / str(seed), seed, short=seed % 2 == 1), images, 1250)
    record(
        "G1", "images of a disk", trials=found.images, failures=len({where for where, _ in found.wrong}), seed=SEED,
        command=COMMAND,
    )  # fmt: skip
    assert found.images == images
    assert not found.wrong, found.wrong[:5]


@pytest.mark.parametrize("images", [1_000, pytest.param(50_000, marks=pytest.mark.nightly)])
def test_an_address_holds_its_bytes_or_nothing(tmp_path: Path, images: int) -> None:
    pytest.importorskip("apsw")
    found = many(lambda seed: objects_workload(tmp_path / str(seed), seed), images, 500)
    record(
        "G16", "images of a disk of objects, short writes", trials=found.images,
        failures=len({where for where, _ in found.wrong}), seed=SEED, command=COMMAND,
    )  # fmt: skip
    assert found.images == images
    assert not found.wrong, found.wrong[:5]


def test_the_crash_file_system_has_the_ledgers_own_settings(tmp_path: Path) -> None:
    pytest.importorskip("apsw")
    from netgain.testing.crashdb import recorded

    names = ("journal_mode", "synchronous", "foreign_keys")
    with Ledger.create(tmp_path / "plain") as log:
        plain = [log._db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    with recorded(Recording(tmp_path)), Ledger.create(tmp_path / "simulated") as log:
        assert [log._db.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == plain == ["wal", 2, 1]


def test_what_is_not_flushed_may_be_lost_and_what_is_flushed_never() -> None:
    disk = Disk()
    for op in (Op("name", "a", 1), Op("write", file=1, data=b"one"), Op("sync", file=1)):
        disk.do(op)
    assert disk.tree() == {}, "the bytes are safe, their name is not"
    disk.do(Op("sync_folder", ""))
    disk.do(Op("write", file=1, offset=3, data=b"two"))
    assert disk.tree() == {"a": b"one"}
    assert disk.after(disk.pending).tree() == {"a": b"onetwo"}


def test_a_name_may_reach_the_disk_before_its_bytes() -> None:
    ops = [Op("name", "x", 1), Op("write", file=1, data=b"bytes"), Op("name", "y", 1), Op("unname", "x")]
    seen = [image.tree for seed in range(40) for image in images(ops, Random(seed)) if image.place == len(ops)]
    assert {"y": b""} in seen and {"y": b"bytes"} in seen and {} in seen


def test_what_lies_in_a_folder_without_a_name_is_lost() -> None:
    disk = Disk()
    for op in (Op("name", "d", FOLDER), Op("name", "d/a", 1), Op("sync_folder", "d")):
        disk.do(op)
    assert disk.tree() == {}
    disk.do(Op("sync_folder", ""))
    assert disk.tree() == {"d": None, "d/a": b""}


def test_a_write_is_torn_between_sectors_only() -> None:
    ops = [Op("name", "a", 1), Op("sync_folder", ""), Op("write", file=1, offset=100, data=b"x" * 2000)]
    torn = {image.tree["a"] for seed in range(60) for image in images(ops, Random(seed)) if image.model == "torn"
            and image.place == 3}  # fmt: skip
    edges = {place for data in torn for place in range(1, len(data)) if data[place] != data[place - 1]}
    assert len(torn) > 5 and edges <= {100, *range(SECTOR, 2101, SECTOR)}


def test_a_recorded_file_is_the_real_one(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    system = RecordedOs(recording)
    handle = system.open(tmp_path / "a", system.O_WRONLY | system.O_CREAT | system.O_TRUNC)
    system.write(handle, b"one")
    system.fsync(handle)
    system.close(handle)
    system.replace(tmp_path / "a", tmp_path / "b")
    (last,) = [image for image in images(recording.ops, Random(1)) if (image.place, image.model) == (5, "all")]
    assert last.tree == {"b": (tmp_path / "b").read_bytes()} == {"b": b"one"}
    assert MODELS == ("flushed", "all", "half", "torn")


def test_a_study_that_was_killed_while_it_was_closed_can_be_read_again(tmp_path: Path) -> None:
    """Found by the images above: a reader may not roll back the journal that an interrupted change of mode left."""
    pytest.importorskip("apsw")
    recording = next(one for one in (workload(tmp_path / str(n), n) for n in range(9)) if _hot(one) is not None)
    with scratch() as folder:
        study = _hot(recording).write(folder / "image") / "study"
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            sqlite3.connect(f"{(study / 'ledger.db').as_uri()}?mode=ro", uri=True).execute("SELECT * FROM head")
        assert Ledger.begun(study)
        with Ledger.open(study, readonly=True) as log:
            assert log.size > 0
        with Ledger.open(study) as log:
            log.append([Event("note", None, {})])


def _hot(recording: Recording):
    """The disk on which the journal of an unfinished change of mode lies."""
    begun = False
    for image in images(recording.ops, Random(0)):
        begun = begun or "study/ledger.db-wal" in image.tree
        journal = image.tree.get("study/ledger.db-journal") or b""
        if begun and image.model == "all" and len(journal) > SECTOR and any(journal[:8]):
            return image
    return None
