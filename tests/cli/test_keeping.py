"""keys, bundle, redact, gc and `verify --checkpoint` from the command line."""

from pathlib import Path

import pytest
from program import ONE_START, ROOT
from test_asking import answered, made, waiting

from netgain import verify
from netgain.cli.folder import copy_folder
from netgain.ledger import Ledger
from netgain.stores import ObjectStore


@pytest.fixture
def keyed(cli, monkeypatch):
    """A user with a key."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("config").absolute()))
    monkeypatch.delenv("NETGAIN_KEY_PASSPHRASE", raising=False)
    return cli("keys", "new", "--name", "lab", "--json").record


def test_a_key_is_made_and_listed(cli, keyed):
    assert keyed["schema"] == "netgain.keys.new/1" and keyed["key"].startswith(f"lab+{keyed['id']}+")
    listed = cli("keys", "list", "--json").record
    assert (listed["schema"], listed["keys"]) == (
        "netgain.keys/1", [{"key": keyed["key"], "id": keyed["id"], "current": True, "opens": True}]
    )  # fmt: skip
    assert cli("keys", "list").out == f"{keyed['key']}  current\n"
    wrong = cli("keys", "new", "--name", "two words", "--json")
    assert (wrong.code, wrong.record["where"]) == (2, "--name")


def test_no_keys_are_a_sentence(cli, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("config").absolute()))
    assert cli("keys", "list").out == "no keys; `netgain keys new` makes one\n"


def test_from_a_signed_study_to_a_bundle_that_is_checked_elsewhere(cli, keyed):
    made(cli, "[surfaces]\n")
    assert cli("run", "mine", "--exploratory", "--json").code == 0
    packed = cli("bundle", "mine", "--json")
    assert (packed.code, packed.record["schema"]) == (0, "netgain.bundle/1")
    assert Path(packed.record["bundle"]).stat().st_size == packed.record["bytes"]
    assert cli("bundle", "mine").code == 2  # it is there
    assert cli("bundle", "mine", "--out", "again.zip").out.splitlines()[1] == "next     netgain verify again.zip"
    assert Path("again.zip").read_bytes() == Path("mine.zip").read_bytes()
    kept = Path("mine/checkpoints.txt").rename("kept.txt")
    kept.with_name("mine").joinpath("checkpoints.txt").write_text(kept.read_text())
    for target in ("mine", "mine.zip"):
        found = cli("verify", target, "--checkpoint", kept, "--json")
        assert (found.code, found.record["record"]["reached"]) == (4, "V3"), found.record
    assert "record V1 (V0 well-formed; V1 signed; not V2" in cli("verify", "mine.zip").out
    copy_folder(Path("mine"), Path("once-more"), {})  # as `replicate` does
    assert sorted(path.name for path in Path("once-more").iterdir()) == ["claim.toml", "netgain.toml", "policy.toml"]
    Path("evil.zip").write_text("no zip")
    wrong = cli("verify", "evil.zip", "--json")
    assert (wrong.code, "is not a bundle" in wrong.record["what"]) == (2, True)
    assert cli("verify", "mine", "--checkpoint", "nowhere.txt").code == 2


def test_an_open_study_goes_over_to_a_newer_key(cli, keyed):
    made(cli)
    one = waiting(cli)
    same = cli("keys", "rotate", "mine", "--json")
    assert (same.code, "no newer key" in same.record["what"]) == (2, True)
    newer = cli("keys", "new", "--name", "lab", "--json").record["key"]
    assert cli("keys", "rotate", "mine", "--json").record == {
        "schema": "netgain.keys.rotate/1", "folder": "mine", "old": keyed["key"], "new": newer
    }  # fmt: skip
    assert answered(cli, "deny", one, "--private", reason="she is ill").code == 0
    for other in iter(lambda: cli("run", "mine", "--json").code, 0):
        assert other == 6
        answered(cli, "deny", cli("status", "mine", "--json").record["waiting"][0])
    notes = verify.notes(Path("mine/checkpoints.txt").read_text())
    assert {(verify.signed_by(keyed["key"], *note), verify.signed_by(newer, *note)) for note in notes} == {
        (True, False), (False, True)
    }  # fmt: skip
    found = cli("verify", "mine", "--checkpoint", "mine/checkpoints.txt", "--json").record
    assert found["record"]["reached"] == "V3", found["checks"]
    assert cli("keys", "rotate", "mine").code == 2  # finished
    private_reason_is_redacted(cli)


def private_reason_is_redacted(cli):
    """The reason of the first answer lies beside the log, and can be taken away."""
    with Ledger.open(Path("mine"), readonly=True) as log:
        told = next(one.data["reason"] for one in log.events("request"))
        assert not any("she is ill" in str(event.data) for event in log.events())
    name = told.removeprefix("private:")
    assert ObjectStore(Path("mine/objects")).get(name)[32:] == b"she is ill"
    said = cli("redact", "mine", name[:10], "--reason", "asked for", "--json").record
    assert (said["schema"], said["redacted"], said["verifies"]) == ("netgain.redact/1", name, True)
    found = cli("verify", "mine", "--json").record
    assert found["redacted"] == {name: "asked for"} and all(one["ok"] for one in found["checks"])


def test_a_private_reason_that_is_just_gone_is_missing(cli):
    made(cli)
    assert answered(cli, "deny", waiting(cli), "--private", reason="she is ill").code == 0
    assert cli("run", "mine", "--json").code in (0, 6)
    with Ledger.open(Path("mine"), readonly=True) as log:
        told = next(one.data["reason"] for one in log.events("request"))
    ObjectStore(Path("mine/objects")).delete(told.removeprefix("private:"))
    objects = {one["name"]: one["detail"] for one in cli("verify", "mine", "--json").record["checks"]}["objects"]
    assert "its private reason is missing" in objects


def test_gc_says_what_it_would_do_and_does_it(cli):
    assert cli("init", "mine", "--from", "ladder", *ONE_START, "--root", ROOT).code == 0
    assert cli("run", "mine", "--exploratory", "--json").code == 0
    assert cli("gc", "mine", "--json").record["removed"] == []
    stray = ObjectStore(Path("mine/objects")).put(b"stray")
    dry = cli("gc", "mine", "--dry-run")
    assert dry.out.splitlines()[0] == stray and "1 objects of 5 bytes would be removed" in dry.out
    said = cli("gc", "mine", "--json").record
    assert (said["schema"], said["removed"], said["bytes"], said["dry_run"]) == ("netgain.gc/1", [stray], 5, False)
    assert all(one["ok"] for one in cli("verify", "mine", "--json").record["checks"])


def test_a_study_that_does_not_verify_is_not_sealed_anew_by_a_redaction(cli):
    assert cli("init", "mine", "--from", "ladder", *ONE_START, "--root", ROOT).code == 0
    assert cli("run", "mine", "--exploratory", "--json").code == 0
    name = next(ObjectStore(Path("mine/objects")).digests())
    Path("mine/report.html").write_text("better")
    refused = cli("redact", "mine", name, "--reason", "licence", "--json")
    assert (refused.code, refused.record["error"]) == (7, "IntegrityError")
    assert ObjectStore(Path("mine/objects")).has(name)
