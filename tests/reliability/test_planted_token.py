"""G20: a secret of the coordinator's environment and of its key reaches nothing that is stored, shown or handed on."""

from __future__ import annotations

import base64
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from netgain import signing
from netgain.bundle import write_bundle
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.report import render_report
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.testing.ladder import Ladder
from netgain.testing.trials import record

pytestmark = pytest.mark.counted

COMMAND = "pytest tests/reliability/test_planted_token.py"
TOKEN = "sk-planted-7f3a9c51e2d84b06"
NOSY = '''
import json, os, sys
from dataclasses import replace
from netgain.testing.ladder import Ladder

plain = Ladder(target=6).loop()


def nosy(view):
    """Everything of its environment, of its command line and of its parents, as the reason of a change."""
    seen = [dict(os.environ), sys.argv, open("/proc/self/environ", "rb").read().decode()]
    change = plain.propose(view)
    print("printed", seen, file=sys.stderr)
    parts = [replace(part, reason=json.dumps(seen)[:100_000]) for part in change.parts]
    return replace(change, parts=parts)


loop = replace(plain, propose=nosy)
'''


def spellings(secret: bytes) -> list[bytes]:
    """A secret as it is, in hex, and in base64 at each of the three places where it may begin."""
    shifted = [base64.b64encode(b"\0" * lead + secret)[4 if lead else 0 : -4] for lead in range(3)]
    return [secret, secret.hex().encode(), *shifted]


def holding(secrets: list[bytes], folder: Path) -> list[str]:
    """Files below a folder that hold one of the secrets, those inside of archives among them."""
    found = []
    for path in (one for one in sorted(folder.rglob("*")) if one.is_file()):
        texts = {path.name: path.read_bytes()}
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                texts |= {f"{path.name}:{name}": archive.read(name) for name in archive.namelist()}
        wanted = [one for secret in secrets for one in spellings(secret)]
        found += [name for name, text in texts.items() if any(one in text for one in wanted)]
    return found


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """A token in the environment, a key with its passphrase, and their bytes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETGAIN_KEY_PASSPHRASE", f"passphrase-{TOKEN[::-1]}")
    for name in ("OPENAI_API_KEY", "NETGAIN_MODEL_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, TOKEN)
    key = signing._private(signing.new_key("lab")).read_bytes().splitlines()
    return [TOKEN.encode(), TOKEN[::-1].encode(), key[1]]  # of the key one line of its body


def shown(folder: Path, into: Path) -> None:
    """What a finished study hands on: its bundle, its page, and what the commands print."""
    into.mkdir()
    write_bundle(folder, into / "bundle.zip")
    with Ledger.open(folder, readonly=True) as log:
        (into / "page.html").write_text(render_report(facts_of(log)))
    for name in ("status", "verify", "report"):
        said = subprocess.run([sys.executable, "-m", "netgain", name, str(folder), "--json"], capture_output=True,
                              cwd=into, check=False)  # fmt: skip
        assert said.stdout, (name, said.stderr)
        (into / name).write_bytes(said.stdout + said.stderr)


def test_no_secret_is_in_what_is_stored_shown_or_handed_on(
    tmp_path: Path, planted: list[bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nosy.py").write_text(NOSY)
    ladder = Ladder(target=6)
    study = Study(ladder.loop(), ladder.suite(), ("self", "frozen"), Claim("ladder", by=0.05, rung="R1"), replicas=2,
                  rounds=2, reference=Reference(f"{tmp_path / 'nosy.py'}:loop"))  # fmt: skip
    run_study(study, tmp_path / "study", exploratory=True)
    said = capfd.readouterr()
    shown(tmp_path / "study", tmp_path / "shown")
    (tmp_path / "shown" / "said").write_text(said.out + said.err)
    with Ledger.open(tmp_path / "study", readonly=True) as log:
        reasons = [one.data["reason"] for one in log.events("decision")]
    assert reasons and all("PATH" in one for one in reasons) and "printed" in said.err  # it looked, and was heard
    folders = (tmp_path / "study", tmp_path / "shown")
    files = [one for folder in folders for one in folder.rglob("*") if one.is_file()]
    found = [name for folder in folders for name in holding(planted, folder)]
    record("G20", "files of a study and of its exports, searched for planted secrets", trials=len(files),
           failures=len(found), seed=None, command=COMMAND)  # fmt: skip
    assert found == []


@pytest.mark.parametrize("spelling", range(5))
def test_the_search_finds_a_secret_however_it_is_spelt(tmp_path: Path, spelling: int) -> None:
    (tmp_path / "quiet").write_bytes(b"nothing")
    with zipfile.ZipFile(tmp_path / "one.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", b"before " + spellings(TOKEN.encode())[spelling] + b" after")
    assert holding([TOKEN.encode()], tmp_path) == ["one.zip:inside"]
