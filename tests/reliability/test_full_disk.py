"""G11: no room, no inodes, read-only: the run stops with an error that says so, keeps its state, and goes on later."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from netgain.errors import ConfigError, DiskFull
from netgain.ledger import Ledger, fold
from netgain.ledger.files import TEMPORARY, sweep
from netgain.result import result_digest
from netgain.stores import ObjectStore
from netgain.testing import cycle
from netgain.testing.trials import record

COMMAND = "pytest tests/reliability/test_full_disk.py"
SEED = 5
ENOUGH = "size=8m,nr_inodes=4000"


def mount(*words: str) -> bool:
    try:
        return os.geteuid() == 0 and subprocess.run(["mount", *words], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", options, "tmpfs", str(folder)):
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # a failed run may hold it open


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    world = cycle.world_in(tmp_path_factory.mktemp("undisturbed") / "study")
    cycle.finish(world)
    return result_digest(world.log.events())


def torn(study: Path) -> list[str]:
    """What is broken in a folder that ran out of something, before anything else is written."""
    store = ObjectStore(study / "objects")
    for name in store.digests():
        store.get(name)
    if not Ledger.begun(study):
        return []
    with Ledger.open(study, readonly=True) as log:
        checked = log._db.execute("PRAGMA integrity_check").fetchone()[0]
        wrong = [] if checked == "ok" else [checked]
        return wrong + ([] if log.rows() == fold(log.events()) else ["the rows are not those of the log"])


def goes_on(study: Path, undisturbed: str) -> list[str]:
    sweep(study)
    world = cycle.world_in(study)
    cycle.finish(world)
    same = result_digest(world.log.events()) == undisturbed
    world.log.close()
    left = [str(path) for path in study.rglob(f"{TEMPORARY}*")]
    return [*([] if same else ["another result"]), *left]


def runs_out(folder: Path, options: str, undisturbed: str) -> tuple[bool, list[str]]:
    """A cycle on a disk that is too small, then on the same disk with room: whether it ran out, and what was wrong."""
    with small_disk(folder, options):
        study, out = folder / "study", False
        try:
            world = cycle.world_in(study)
            cycle.finish(world)
        except DiskFull as error:
            out = "disk full" in error.what and bool(error.fix)
        assert mount("-o", f"remount,{ENOUGH}", str(folder))  # even a reader needs a file beside the ledger
        wrong = torn(study) if study.exists() else []
        return out, wrong + goes_on(study, undisturbed)


@pytest.mark.parametrize("sizes", [20, pytest.param(200, marks=pytest.mark.nightly)])
def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path, undisturbed: str, sizes: int) -> None:
    chance, wrong, ran_out = Random(SEED), list[str](), 0
    for number in range(sizes):
        options = f"size={chance.randint(8, 380)}k" if number % 4 else f"nr_inodes={chance.randint(3, 18)}"
        out, found = runs_out(tmp_path / str(number), options, undisturbed)
        ran_out += out
        wrong += [f"{options}: {one}" for one in found]
    record("G11", "disks that are too small", trials=sizes, failures=len(wrong), seed=SEED, command=COMMAND)
    assert not wrong, wrong[:5]
    assert ran_out > sizes // 2, "most disks were large enough: the test shows nothing"


def test_a_disk_that_becomes_read_only_is_said_so(tmp_path: Path, undisturbed: str) -> None:
    with small_disk(tmp_path / "disk", ENOUGH) as folder:
        study = folder / "study"
        world = cycle.world_in(study)
        world.log.close()
        assert mount("-o", "remount,ro", str(folder))
        with pytest.raises(ConfigError, match="cannot write"):
            cycle.world_in(study)
        assert mount("-o", "remount,rw", str(folder))
        assert torn(study) + goes_on(study, undisturbed) == []
