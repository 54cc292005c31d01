"""`gc` removes what nothing names and nothing else: the study verifies and continues after it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_signing import the_study

from netgain import collection, verify
from netgain.collection import collect, named_by
from netgain.errors import Busy, ConfigError, IntegrityError, Stopped
from netgain.ledger import Event, FolderLock, Ledger
from netgain.ledger.files import DIGESTS
from netgain.result import result_digest
from netgain.session import run_study
from netgain.stores import ObjectStore
from netgain.study import leave_request
from study_forgery import entries, shared


def begun(folder: Path) -> Path:
    """A study that was paused in the middle of a round."""

    def ask(stepped: Any) -> None:
        if (stepped.row.stage, stepped.row.round) == ("build", 1):
            leave_request(folder, "pause", by="anna", reason="lunch")

    with pytest.raises(Stopped):
        run_study(the_study(), folder, exploratory=True, watch=ask, workers=1)
    return folder


def done(folder: Path) -> Path:
    run_study(the_study(), folder, exploratory=True)
    return folder


@pytest.fixture(scope="session")
def paused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return begun(tmp_path_factory.mktemp("paused") / "study")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared(tmp_path_factory, "collected", done)


def fingerprint(folder: Path) -> dict[str, bytes]:
    """Every file but the lock, which says who held it last."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def left_behind(folder: Path, count: int = 3) -> list[str]:
    """Objects that a kill between storing and recording leaves, and a half-written one."""
    store = ObjectStore(folder / "objects")
    (folder / "objects" / "ab").mkdir(exist_ok=True)
    (folder / "objects" / "ab" / ".tmp-1-half").write_bytes(b"half")
    return sorted(store.put(os.urandom(20)) for _ in range(count))


def test_a_paused_study_goes_on_after_it_to_the_same_result(paused: Path, finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(paused, tmp_path / "study"))
    wanted = set(ObjectStore(folder / "objects").digests())
    strays = left_behind(folder)
    dry = collect(folder, dry=True)
    assert list(dry.removed) == strays and set(strays) < set(ObjectStore(folder / "objects").digests())
    found = collect(folder)
    assert (found.removed, found.size, found.kept) == (dry.removed, 60, len(wanted))
    assert set(ObjectStore(folder / "objects").digests()) == wanted and not list(folder.rglob(".tmp-*"))
    run_study(the_study(), folder, exploratory=True)
    assert all(one["ok"] for one in verify.verify(folder)["checks"])
    assert result_digest(entries(folder)) == result_digest(entries(finished))


def test_one_object_more_would_be_one_too_many(paused: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant of `named_by` that forgets one object that the log names: the study cannot go on."""
    with Ledger.open(paused, readonly=True) as log:
        needed = log.rows()["r0/self"]["candidate"] or log.rows()["r0/self"]["working"]
    monkeypatch.setattr(collection, "named_by", lambda log, folder: named_by(log, folder) - {needed})
    folder = Path(shutil.copytree(paused, tmp_path / "study"))
    assert needed in collect(folder).removed
    with pytest.raises(IntegrityError, match="no object"):
        run_study(the_study(), folder, exploratory=True)


def test_a_finished_study_verifies_after_it_and_its_list_loses_those_lines_only(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "study"))
    assert collect(folder).removed == [] and fingerprint(folder) == fingerprint(finished)
    strays = [name for name in left_behind(folder) if name]
    (folder / "objects" / "ab" / ".tmp-1-half").unlink()
    lines = (folder / DIGESTS).read_text().splitlines()
    lines += [f"{name}  objects/{name[:2]}/{name[2:]}" for name in strays]
    (folder / DIGESTS).write_text("".join(f"{line}\n" for line in sorted(lines, key=lambda line: line[66:])))
    assert all(one["ok"] for one in verify.verify(folder)["checks"])
    assert collect(folder).removed == strays
    assert fingerprint(folder) == fingerprint(finished)
    assert all(one["ok"] for one in verify.verify(folder)["checks"])


def test_every_object_of_a_finished_study_that_a_verdict_needs_is_named(finished: Path, tmp_path: Path) -> None:
    with Ledger.open(finished, readonly=True) as log:
        assert set(ObjectStore(finished / "objects").digests()) <= named_by(log, finished)


def test_it_does_not_seal_a_changed_file(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "study"))
    left_behind(folder)
    (folder / "report.html").write_text("better")
    collect(folder)
    assert "'report.html' (changed)" in verify.verify(folder)["reasons"][0]


def test_what_was_dropped_goes_and_what_was_made_again_stays(paused: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(paused, tmp_path / "study"))
    store = ObjectStore(folder / "objects")
    gone, again = store.put(b"gone"), store.put(b"again")
    with Ledger.open(folder) as log:
        log.append([
            Event("note", None, {"made": [gone, again]}),
            Event("objects_dropped", None, {"digests": [gone, again], "reason": "all runs are over"}),
            Event("note", None, {"made": again}),
        ])  # fmt: skip
    assert list(collect(folder).removed) == [gone]


def test_what_a_waiting_request_names_stays(paused: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(paused, tmp_path / "study"))
    kept = ObjectStore(folder / "objects").put(b"a reason")
    (folder / "inbox" / "1-deny.json").write_text(json.dumps({"kind": "deny", "reason": f"private:{kept}"}))
    assert list(collect(folder).removed) == []


def test_a_study_that_runs_or_is_none_is_left_alone(paused: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(paused, tmp_path / "study"))
    with FolderLock(folder), pytest.raises(Busy):
        collect(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no study here"):
        collect(tmp_path / "empty")


def test_killed_in_between_it_is_finished_by_the_next_call(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "study"))
    strays = left_behind(folder)
    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "delete", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            collect(folder)
    assert list(collect(folder).removed) == strays
    assert all(one["ok"] for one in verify.verify(folder)["checks"])
