"""Content can be taken away and the log stays whole: `verify` says what is redacted, and why."""

import hashlib
import shutil
from pathlib import Path

import pytest
from test_signing import the_study

from keyed_user import keyed
from netgain import verify
from netgain.collection import collect
from netgain.errors import ConfigError
from netgain.ledger import Event, Ledger
from netgain.ledger.files import DIGESTS
from netgain.redaction import PRIVATE, REDACTED, SALT_BYTES, hidden, redact
from netgain.stores import ObjectStore
from study_forgery import entries, shared


def made(folder: Path, home: Path) -> Path:
    from netgain.session import run_study

    with keyed(home):
        run_study(the_study(), folder, exploratory=True)
    return folder


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, homes: Path) -> Path:
    return shared(tmp_path_factory, "redactable", lambda folder: made(folder, homes))


@pytest.fixture
def study(finished: Path, tmp_path: Path, homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(homes))
    return Path(shutil.copytree(finished, tmp_path / "study"))


def served(folder: Path) -> str:
    with Ledger.open(folder, readonly=True) as log:
        return str(log.rows()["r0/self"]["released"])


def test_a_redacted_system_is_not_missing_and_the_verdict_stands(study: Path) -> None:
    system, before = served(study), verify.verify(study)
    assert redact(study, system[:12], reason="licence withdrawn", by="anna") == system
    found = verify.verify(study, checkpoint=study / "checkpoints.txt")
    assert all(one["ok"] for one in found["checks"]), found["checks"]
    assert found["redacted"] == {system: "licence withdrawn"}
    assert (found["verdict"], found["effect"]) == (before["verdict"], before["effect"])
    objects = next(one["detail"] for one in found["checks"] if one["name"] == "objects")
    assert f"redacted: {system[:12]}, which nobody can run or read again" in objects
    assert found["record"]["reached"] == "V3"  # signed anew, and consistent with what was signed before
    assert not ObjectStore(study / "objects").has(system)
    (entry,) = [one for one in entries(study) if one.kind == REDACTED]
    assert entry.data == {"digests": [system], "reason": "licence withdrawn", "by": "anna"}


def test_an_object_that_is_just_gone_is_missing(study: Path) -> None:
    system = served(study)
    ObjectStore(study / "objects").delete(system)
    lines = (study / DIGESTS).read_text().splitlines(keepends=True)
    (study / DIGESTS).write_text("".join(line for line in lines if system[2:] not in line))
    found = verify.verify(study)
    assert system in found["reasons"][0] and "is missing" in found["reasons"][0] and "redacted" not in found


@pytest.mark.parametrize(("kind", "name"), [(ObjectStore, "delete"), (Ledger, "seal_files")])
def test_killed_in_between_it_is_finished_by_the_next_call(
    study: Path, monkeypatch: pytest.MonkeyPatch, kind: type, name: str
) -> None:
    system = served(study)
    with monkeypatch.context() as patch:
        patch.setattr(kind, name, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            redact(study, system, reason="licence", by="anna")
    assert not (study / DIGESTS).exists()
    redact(study, system, reason="licence", by="anna")
    assert all(one["ok"] for one in verify.verify(study)["checks"])
    assert len([one for one in entries(study) if one.kind == REDACTED]) == 1


@pytest.mark.parametrize("prefix", ["", "abc", "ABCDEF01", "../../../etc", "0" * 64])
def test_what_names_no_one_object_is_refused(study: Path, prefix: str) -> None:
    with pytest.raises(ConfigError):
        redact(study, prefix, reason="x", by="anna")
    assert (study / DIGESTS).exists() and all(one["ok"] for one in verify.verify(study)["checks"])


def test_a_study_without_a_verdict_keeps_everything(study: Path, tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "young") as log:
        log.append([Event("note", None, {})])
    with pytest.raises(ConfigError, match="no verdict yet"):
        redact(tmp_path / "young", "0" * 64, reason="x", by="anna")


def test_a_private_text_is_stored_behind_a_salt_and_its_digest_confirms_no_guess(tmp_path: Path) -> None:
    told, again = (hidden(tmp_path, "he is ill") for _ in range(2))
    assert told.startswith(PRIVATE) and told != again
    store = ObjectStore(tmp_path / "objects")
    assert {store.get(one.removeprefix(PRIVATE))[SALT_BYTES:] for one in (told, again)} == {b"he is ill"}
    guess = hashlib.sha256(b"he is ill").hexdigest()
    assert len([*store.digests()]) == 2 and not store.has(guess)


def test_collected_is_what_was_redacted_and_came_back(study: Path) -> None:
    system, data = served(study), ObjectStore(study / "objects").get(served(study))
    redact(study, system, reason="licence", by="anna")
    ObjectStore(study / "objects").put(data)
    assert "not listed" in verify.verify(study)["reasons"][0]
    assert list(collect(study).removed) == [system]
    assert all(one["ok"] for one in verify.verify(study)["checks"])
