"""Keys stay with their user, and a run leaves signed checkpoints, whatever ends it."""

import base64
import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from signed import QUICK, checkpoints, events_of, fails, signed_log, written

from keyed_user import keyed
from netgain import signing, verify
from netgain.claim import Claim
from netgain.errors import ConfigError, Stopped
from netgain.executors import LocalWorkers, Reference
from netgain.ledger import Event, Ledger
from netgain.ledger.checkpoint import Note, append, last_size, read_key
from netgain.session import Study, run_study
from netgain.study import leave_request
from netgain.testing.ladder import Ladder
from study_forgery import entries, ladder_study


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(signing.PASSPHRASE, raising=False)
    return tmp_path / "home"


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_key_is_readable_by_its_owner_only_and_is_the_current_one(home: Path) -> None:
    assert (signing.current_key(), signing.signed_by(), signing.known_keys()) == (None, {}, [])
    first, second = signing.new_key("lab"), signing.new_key("lab")
    assert signing.current_key() == second and {*signing.known_keys()} == {first, second}
    assert signing.signed_by() == {"log_key": str(second)}
    for path in (home / "netgain" / "keys").glob("*.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "netgain" / "keys").stat().st_mode) == 0o700
    found = signing.opened(first)
    assert found is not None and verify.signed(first.public, b"said", found.sign(b"said"))


def test_a_key_that_others_may_read_is_not_used(home: Path) -> None:
    key = signing.new_key("lab")
    (home / "netgain" / "keys" / f"{key.id.hex()}.pem").chmod(0o640)
    with pytest.raises(ConfigError, match="others may read this key.*chmod 600"):
        signing.opened(key)


def test_a_passphrase_is_asked_for_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.PASSPHRASE, "open sesame")
    key = signing.new_key("lab")
    assert b"ENCRYPTED" in (home / "netgain" / "keys" / f"{key.id.hex()}.pem").read_bytes()
    assert signing.opened(key) is not None
    for wrong in ("other", ""):
        monkeypatch.setenv(signing.PASSPHRASE, wrong)
        with pytest.raises(ConfigError, match=signing.PASSPHRASE):
            signing.opened(key)


def test_a_file_that_holds_another_key_is_refused(home: Path) -> None:
    first, second = signing.new_key("lab"), signing.new_key("lab")
    folder = home / "netgain" / "keys"
    (folder / f"{first.id.hex()}.pem").write_bytes((folder / f"{second.id.hex()}.pem").read_bytes())
    with pytest.raises(ConfigError, match="holds another key"):
        signing.opened(first)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "tab\there"])
def test_a_name_that_no_signature_line_can_hold_is_refused(home: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="without spaces and plus"):
        signing.new_key(name)


def test_keys_are_not_made_inside_a_study(home: Path) -> None:
    written(home, events_of(None, 2))
    with pytest.raises(ConfigError, match="inside a study"):
        signing.new_key("lab")
    assert not list(home.rglob("*.pem"))


@pytest.mark.parametrize("text", ["", "lab", "lab+00000000+AAAA", "lab+zz+x", "a b+00+AA"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected name\+id\+key"):
        read_key(text)


def test_without_the_library_everything_but_signing_works(home: Path) -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "import netgain, netgain.session, netgain.verify, netgain.signing as s\n"
        "print(s.signed_by())\n"
        "try: s.new_key('lab')\n"
        "except netgain.NetgainError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert done.stdout.splitlines() == ["{}", "signing needs `cryptography`; pip install 'netgain[sign]'"], done.stderr


def test_a_current_key_without_its_private_half_registers_nothing(home: Path, tmp_path: Path) -> None:
    key = signing.new_key("lab")
    (home / "netgain" / "keys" / f"{key.id.hex()}.pem").unlink()
    with pytest.raises(ConfigError, match="private half of the current key is gone"):
        run_study(the_study(), tmp_path / "study", exploratory=True)
    with Ledger.open(tmp_path / "study", readonly=True) as log:
        assert log.size == 0


# --- what workers are given -------------------------------------------------------------------------------------------


def linked(handle: Path) -> str:
    """What a handle of a process is; "" for one that is closed by now."""
    with contextlib.suppress(OSError):
        return os.readlink(handle)
    return ""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
def test_a_worker_is_given_neither_a_key_nor_where_it_lies(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = signing.new_key("lab")
    monkeypatch.setenv(signing.PASSPHRASE, "open sesame")
    with LocalWorkers(Reference("netgain.testing.ladder:make", {"target": 6}), 1) as workers:
        workers._all[0]._ready()  # the worker itself, which its keeper starts
        process = Path(f"/proc/{workers._all[0].pid}")
        given = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        folder = (process / "cwd").resolve()
        handles = [link for one in os.listdir(process / "fd") if (link := linked(process / "fd" / one))]
    assert b"PATH=" in given
    for secret in (str(home), "open sesame", signing.PASSPHRASE, "XDG_CONFIG_HOME", key.id.hex()):
        assert secret.encode() not in given and not any(secret in handle for handle in handles)
    assert not folder.is_relative_to(home)


# --- checkpoints of a run ---------------------------------------------------------------------------------------------


def the_study(**changes: Any) -> Any:
    ladder = Ladder(target=6)
    return Study(
        ladder.loop(), ladder.suite(), claim=Claim("ladder", by=0.05, rung="R1", looks=(5,)),
        **{"arms": ("self", "frozen"), "replicas": 1, "rounds": 2, **changes},
        reference=Reference("netgain.testing.ladder:make", {"target": 6}),
    )  # fmt: skip


def test_every_batch_of_decisions_and_the_end_leave_a_checkpoint(home: Path, tmp_path: Path) -> None:
    key = signing.new_key("lab")
    folder = tmp_path / "study"
    run_study(the_study(), folder, exploratory=True)
    log, held = entries(folder), verify.notes((folder / "checkpoints.txt").read_text())
    assert log[1].data["log_key"] == str(key)
    sizes = [int(text.split("\n")[1]) for text, _ in held]
    decided = [entry.seq for entry in log if entry.kind == "gate_decision"]
    for seq in decided:
        assert any(seq < size <= seq + 12 for size in sizes), (seq, sizes)
    assert sizes[-1] == len(log) and sizes == sorted({*sizes})
    assert sizes[0] <= min(entry.seq for entry in log if entry.kind == "stage_started")  # the claim, before its data
    assert [verify.signed_by(str(key), *note) for note in held] == [True] * len(held)


def test_no_byte_of_a_private_key_is_in_the_study(home: Path, tmp_path: Path) -> None:
    key = signing.new_key("lab")
    folder = ladder_study(tmp_path / "study", **QUICK)
    pem = (home / "netgain" / "keys" / f"{key.id.hex()}.pem").read_bytes()
    packed = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    secret = packed[-32:]  # PKCS8 of an Ed25519 key ends with its seed (RFC 8410, section 7)
    assert Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw() == key.public
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    shown = (secret, secret.hex().encode(), base64.b64encode(packed)[-40:], base64.b64encode(secret).rstrip(b"="))
    assert len(files) > 10 and not any(form in data for form in shown for data in files)
    assert any(str(key).encode() in data for data in files)


def test_without_a_key_nothing_is_signed_and_nothing_says_so(home: Path, tmp_path: Path) -> None:
    run_study(the_study(), tmp_path / "study", exploratory=True)
    assert not (tmp_path / "study" / "checkpoints.txt").exists()
    assert "log_key" not in entries(tmp_path / "study")[1].data
    found = verify.verify(tmp_path / "study")
    assert found["record"] == {
        "reached": "V0", "V0": True, "V1": False, "V2": False, "V3": True,
        "missed": {
            "V1": "nothing is signed: the claim was registered without a key",
            "V2": "no remembered checkpoint was given (--checkpoint FILE)",
        },
    }  # fmt: skip


def test_a_paused_run_is_signed_too_and_goes_on(home: Path, tmp_path: Path) -> None:
    signing.new_key("lab")
    folder = tmp_path / "study"

    def ask(stepped: Any) -> None:
        if stepped.row.stage == "propose":
            leave_request(folder, "pause", by="anna", reason="lunch")

    with pytest.raises(Stopped):
        run_study(the_study(), folder, exploratory=True, watch=ask)
    with Ledger.open(folder, readonly=True) as log:
        assert last_size(folder) == log.size
    run_study(the_study(), folder, exploratory=True)
    assert verify.verify(folder)["record"]["V1"]


def test_a_key_that_is_gone_signs_nothing_and_is_missed(home: Path, tmp_path: Path) -> None:
    key = signing.new_key("lab")
    folder, said = tmp_path / "study", []
    leave = iter([True])

    def ask(stepped: Any) -> None:
        if next(leave, False):
            leave_request(folder, "pause", by="anna", reason="lunch")

    with pytest.raises(Stopped):
        run_study(the_study(), folder, exploratory=True, watch=ask)
    covered = last_size(folder)
    (home / "netgain" / "keys" / f"{key.id.hex()}.pem").unlink()
    run_study(the_study(), folder, exploratory=True, say=said.append)
    assert any("is not here: nothing is signed" in line for line in said)
    found = verify.verify(folder)
    assert all(one["ok"] for one in found["checks"]) and found["record"]["reached"] == "V0"
    assert found["record"]["missed"]["V1"].startswith(f"signed up to entry {covered} of ")


def test_a_half_written_checkpoint_is_cut_off_by_the_next_and_no_alarm(home: Path, tmp_path: Path) -> None:
    with keyed(tmp_path / "other") as signer:
        folder = signed_log(tmp_path / "log", signer, 20, [10])
        path, whole = folder / "checkpoints.txt", (folder / "checkpoints.txt").read_bytes()
        note = checkpoints(folder, signer, [20]).encode()
        for cut in range(0, len(note), 9):
            path.write_bytes(whole + note[:cut])
            assert last_size(folder) == 10
            assert fails(folder) == {}
            text = verify.notes(note.decode())[0][0]
            append(folder, Note(text, [("lab", signer.key.id, signer.sign(text.encode()))]))
            assert path.read_bytes() == whole + note
            assert last_size(folder) == 20


# --- another key ------------------------------------------------------------------------------------------------------


@pytest.fixture
def turned(home: Path, tmp_path: Path) -> tuple[Path, list[signing.Signer]]:
    """A log that went over to a second key, with a checkpoint of each."""
    signers = [one for _ in range(2) if (one := signing.opened(signing.new_key("lab"))) is not None]
    folder = written(tmp_path / "log", events_of(signers[0], 10))
    text = checkpoints(folder, signers[0], [10])
    with Ledger.open(folder) as log:
        log.append([signing.rotated(log, *signers), Event("note", None, {"after": True})])
        assert signing.key_of(log) == signers[1].key
    (folder / "checkpoints.txt").write_text(text + checkpoints(folder, signers[1], [12]))
    return folder, signers


def test_a_change_of_keys_is_signed_by_both(turned: Any) -> None:
    folder, signers = turned
    assert fails(folder) == fails(folder, (folder / "checkpoints.txt").read_text()) == {}
    (folder / "checkpoints.txt").write_text(checkpoints(folder, signers[0], [10, 12]))
    assert "not signed by its key" in fails(folder)["signatures"]  # the first key signs nothing behind the change
    (folder / "checkpoints.txt").write_text(checkpoints(folder, signers[1], [10, 12]))
    assert "not signed by its key" in fails(folder)["signatures"]  # nor the second one before it
    assert "not signed by the key" in fails(folder, checkpoints(folder, signers[1], [10]))["remembered"]


@pytest.mark.parametrize("who", [(1, 1), (0, 0)])
def test_a_change_that_one_key_alone_has_signed_is_found(home: Path, tmp_path: Path, who: tuple[int, int]) -> None:
    signers = [one for _ in range(2) if (one := signing.opened(signing.new_key("lab"))) is not None]
    folder = written(tmp_path / "log", events_of(signers[0], 10))
    with Ledger.open(folder) as log:
        right = signing.rotated(log, *signers)
        body = right.data["note"].split("\n\n")[0] + "\n"
        note = signers[who[0]].note(body, signers[who[1]])
        log.append([Event(right.kind, None, {**right.data, "note": str(note)})])
    assert "not both keys have signed" in fails(folder)["signatures"]


def test_a_change_that_names_other_keys_than_it_signs_is_found(home: Path, tmp_path: Path) -> None:
    signers = [one for _ in range(3) if (one := signing.opened(signing.new_key("lab"))) is not None]
    folder = written(tmp_path / "log", events_of(signers[0], 10))
    with Ledger.open(folder) as log:
        right = signing.rotated(log, signers[0], signers[1])
        log.append([Event(right.kind, None, {**right.data, "new": str(signers[2].key)})])
    assert "not both keys have signed" in fails(folder)["signatures"]


def test_a_whole_study_is_checked_in_words_and_levels(home: Path, tmp_path: Path) -> None:
    signing.new_key("lab")
    folder = ladder_study(tmp_path / "study", **QUICK)
    kept = tmp_path / "kept.txt"
    kept.write_text((folder / "checkpoints.txt").read_text())
    alone, both = verify.verify(folder), verify.verify(folder, checkpoint=kept)
    assert (alone["record"]["reached"], both["record"]["reached"]) == ("V1", "V3")
    assert alone["record"]["missed"] == {"V2": "no remembered checkpoint was given (--checkpoint FILE)"}
    assert verify.in_words(alone).count("\nrecord V1 (V0 well-formed; V1 signed; not V2: no remembered") == 1
    assert "record V3 (V0 well-formed; V1 signed; V2 as remembered; V3 verdict" in verify.in_words(both)
    kept.write_text(kept.read_text().replace("netgain/", "netgain/0"))
    other = verify.verify(folder, checkpoint=kept)
    assert (other["verdict"], other["record"]["reached"]) == ("INVALID", "V1")
    (folder / "ledger.db").write_bytes(b"")
    broken = verify.verify(folder)["record"]
    assert (broken["reached"], broken["reached_reason"]) == (None, "the record is not whole")
