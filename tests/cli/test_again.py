"""`netgain extend` and `netgain replicate`: which starts count, whose root it is, and what a statement is worth."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from program import ROOT, TWO_ARMS, process
from test_bad_input import changed, mistake
from test_run import OWN

from keyed_user import keyed
from netgain import verify
from netgain.cli import repeating
from netgain.cli.folder import open_project
from netgain.ledger import Ledger
from netgain.session import run_study
from netgain.signing import signed_statement
from study_forgery import ladder_study

CHALLENGE = "5c" * 32


@pytest.fixture(scope="session")
def supported(tmp_path_factory):
    """A study of six starts whose gain is there whatever the root. Only to be looked at."""
    home = tmp_path_factory.mktemp("supported")
    (home / "own.py").write_text(OWN)
    (home / "own_truth.py").write_text("SHIFT = 7\n")
    settings = ("--set", "study.workers=1", "--set", "study.rounds=1")
    assert process(home, "init", "mine", "--from", "own.py:study", *settings).code == 0
    said = process(home, "run", "mine", "--json")
    assert said.code == 0 and said.record["verdict"].startswith("SUPPORTED"), said
    return home / "mine"


def one_start(cli, **more):
    """A registered study of one start that looks at one and at two starts: too few for any word."""
    settings = [part for name, value in more.items() for part in ("--set", f"{name}={value}")]
    cli("init", "mine", "--from", "ladder", *TWO_ARMS, "--set", "study.rounds=1", "--set", "study.replicas=1",
        "--set", "study.workers=1", "--set", "claim.looks=[1, 2]", *settings)  # fmt: skip
    folder = Path("mine")
    run_study(open_project(folder).study, folder, workers=1)
    return folder


def registration(folder):
    with Ledger.open(folder, readonly=True) as log:
        return next(iter(log.events("claim_registered"))).data


def head(folder):
    with Ledger.open(folder, readonly=True) as log:
        return log.root()


def bytes_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- Extend ----------------------------------------------------------------------------------------------------------
def test_while_looks_are_left_the_first_claim_goes_on_and_its_starts_count(cli):
    folder = one_start(cli)
    said = cli("extend", folder, "--replicas", "1", "--json")
    assert (said.code, said.record["schema"], said.record["claim"]) == (0, "netgain.extend/1", "the first")
    assert (said.record["earlier_starts_counted"], said.record["effect"]["n"]) == (1, 2)
    assert said.record["extends"] is None and said.record["extends_reason"]
    assert [path.name for path in Path().iterdir() if path.is_dir()].count("mine-2") == 0
    assert all(check["ok"] for check in cli("verify", folder, "--json").record["checks"])


def test_a_number_of_starts_without_a_registered_look_is_refused_with_those_that_have_one(cli):
    folder = one_start(cli)
    before = bytes_of(folder)
    assert "--replicas 1" in mistake(cli("extend", folder, "--replicas", "5"))
    assert "goes on in its own folder" in mistake(cli("extend", folder, "--replicas", "1", "--to", "other"))
    assert bytes_of(folder) == before


def test_with_all_looks_used_a_new_claim_names_the_first_and_counts_none_of_its_starts(cli):
    folder = one_start(cli, **{"claim.looks": [1]})
    before, named = bytes_of(folder), f"{registration(folder)['claim_digest']}@{head(folder)}"
    said = cli("extend", folder, "--replicas", "2", "--exploratory", "--json")
    record = said.record
    assert (said.code, record["claim"], record["folder"], record["extends"]) == (0, "new", "mine-2", named)
    assert (record["earlier_starts_counted"], record["effect"]["n"]) == (0, 2)
    assert bytes_of(folder) == before
    second = registration(Path("mine-2"))
    assert second["claim"]["extends"] == named and second["claim"]["looks"] == [2]
    assert second["root"] != registration(folder)["root"]
    assert second["secret_sha256"] != registration(folder)["secret_sha256"]
    assert all(check["ok"] for check in cli("verify", "mine-2", "--json").record["checks"])
    assert "Follows" in Path("mine-2/report.html").read_text()


def test_a_new_claim_that_cannot_answer_is_not_started(cli):
    folder = one_start(cli, **{"claim.looks": [1]})
    said = cli("extend", folder, "--replicas", "2", "--to", "other", "--json")
    assert (said.code, said.record["state"], said.record["claim"]) == (4, "planned", "new")


def test_a_study_that_was_started_from_python_has_no_files_to_copy(cli):
    folder = one_start(cli)
    plain = open_project(folder).study
    run_study(replace(plain, files={}, replicas=1), Path("own"), workers=1)
    for words in (("extend", "own", "--replicas", "1"), ("replicate", "own", "--to", "other")):
        assert "started from Python" in mistake(cli(*words))


def test_a_decided_claim_is_not_extended(cli, supported):
    assert "this claim is decided: SUPPORTED" in mistake(cli("extend", supported, "--replicas", "6"))


def test_what_does_not_verify_is_neither_extended_nor_repeated(cli, finished):
    shutil.copytree(finished, "mine")
    changed(Path("mine/report.html"), "<html", "<html ")
    for words in (("extend", "mine", "--replicas", "6"), ("replicate", "mine", "--to", "other")):
        said = cli(*words, "--json")
        assert (said.code, said.record["error"]) == (7, "IntegrityError"), said
        assert "report.html" in said.record["what"]
    assert not Path("other").exists()


# --- Replicate -------------------------------------------------------------------------------------------------------
def test_from_its_own_root_a_study_repeats_to_the_bit_and_is_no_new_evidence(cli, finished):
    shutil.copytree(finished, "mine")
    said = cli("replicate", "mine", "--to", "again", "--json")
    record = said.record
    assert (said.code, record["schema"], record["word"]) == (0, "netgain.replicate/1", "repeated to the bit")
    assert record["first"]["result_digest"] == record["second"]["result_digest"]
    assert record["first"]["claim_digest"] == record["second"]["claim_digest"]
    assert record["first"]["tree_head"] != record["second"]["tree_head"]
    assert record["signed"] is False and record["challenge"] is None and record["challenge_reason"]
    found = cli("verify", "mine", "--statement", record["written"], "--json").record
    assert found["attached"]["holds"] is True and found["attached"]["counts"] is False
    assert found["level"] == cli("verify", "mine", "--json").record["level"]
    assert cli("replicate", "mine", "--to", "again", "--json").record["word"] == "repeated to the bit"  # once more


def test_a_study_that_went_to_its_second_look_is_repeated_to_it(cli):
    folder = one_start(cli)
    assert cli("extend", folder, "--replicas", "1", "--json").code == 0
    record = cli("replicate", folder, "--to", "again", "--json").record
    assert record["word"] == "repeated to the bit" and record["second"]["starts"] == 2


def test_another_result_from_the_same_root_is_said_and_exits_with_7(cli, finished, monkeypatch):
    shutil.copytree(finished, "mine")
    monkeypatch.setattr(repeating, "revealed", lambda entries: {1: "00" * 32})  # other items, as by a hidden clock
    said = cli("replicate", "mine", "--to", "again", "--json")
    assert (said.code, said.record["word"]) == (7, "repeated with another result")


def test_under_a_challenge_the_second_study_has_to_pass_by_itself(cli, supported):
    shutil.copytree(supported, "mine")
    said = cli("replicate", "mine", "--to", "theirs", "--root", CHALLENGE, "--json")
    record = said.record
    assert (said.code, record["word"], record["challenge"]) == (0, "reproduced", CHALLENGE)
    assert record["first"]["root"] != record["second"]["root"] != CHALLENGE
    assert record["second"]["verdict"] == "INCONCLUSIVE"  # by its own record: somebody gave it its root
    told = cli("verify", "mine", "--statement", record["written"])
    assert "ok   statement" in told.out and "unsigned" in told.out
    found = cli("verify", "mine", "--statement", record["written"], "--json").record
    assert (found["level"], found["attached"]["level"], found["attached"]["holds"]) == (3, 5, True)
    _tampered(cli, Path(record["written"]))
    _signed(cli)


def _signed(cli):
    """Signed by the other party, a statement counts for who knows the key, and for nobody else."""
    with keyed(Path("home"), "auditor") as auditor:
        shutil.copytree("mine", "own")
        said = cli("replicate", "own", "--to", "signed", "--root", CHALLENGE, "--json").record
        assert said["signed"] is True and said["signer"] == str(auditor.key)
        written, key = Path(said["written"]), str(auditor.key)

        def level(file, *words):
            found = cli("verify", "own", "--statement", file, "--json", *words).record
            return found["level"], found["attached"]["counts"], found["attached"]["holds"]

        assert level(written) == (3, False, True)
        assert level(written, "--trust", key) == (5, True, True)
        assert "evidence level 5" in cli("verify", "own", "--statement", written, "--trust", key).out
        with keyed(Path("elsewhere"), "auditor") as other:  # the same name, another key
            assert level(written, "--trust", str(other.key)) == (3, False, True)
        forged = written.with_name("forged.json")
        record = json.loads(written.read_text())
        for wrong in ({"time": "later"}, {"signer": str(other.key)}, {"note": record["note"].replace("\u2014", "-")}):
            forged.write_text(json.dumps({**record, **wrong}))
            assert level(forged, "--trust", str(wrong.get("signer", key))) == (3, False, False), wrong
        forged.write_text(json.dumps({**record, "signed": False}))
        assert level(forged, "--trust", key) == (3, False, True)
        assert "no key" in mistake(cli("verify", "own", "--statement", written, "--trust", "auditor"))
        assert "no statement" in mistake(cli("verify", "own", "--trust", key))
        _attested(cli, level, key)


def _attested(cli, level, key):
    """Who computed the verdict again and says so is level 4; it holds of this study and this word only."""
    said = cli("attest", "own", "--json").record
    assert said["word"].startswith("SUPPORTED") and level(said["written"], "--trust", key) == (4, True, True)
    assert level(said["written"]) == (3, False, True)
    found = cli("verify", "signed", "--statement", said["written"], "--trust", key, "--json").record
    assert found["attached"]["holds"] is False and found["level"] == 2  # another study
    assert "there already" in mistake(cli("attest", "own"))
    record = json.loads(Path(said["written"]).read_text())
    with keyed(Path("home"), "auditor") as again:
        lie = signed_statement({**{n: v for n, v in record.items() if n != "note"}, "word": "REFUTED"}, again)
        Path("lie.json").write_text(json.dumps(lie))
        assert level("lie.json", "--trust", str(again.key)) == (3, False, False)


def test_without_a_key_nobody_attests_and_what_is_broken_is_not_attested(cli, finished):
    shutil.copytree(finished, "mine")
    assert "netgain keys new" in mistake(cli("attest", "mine"))
    with keyed(Path("home")):
        changed(Path("mine/report.html"), "<html", "<html ")
        said = cli("attest", "mine", "--json")
        assert (said.code, said.record["error"]) == (7, "IntegrityError")
    assert not Path("mine.attested.json").exists()


def test_the_claimants_own_statement_and_one_of_a_weak_study_raise_nothing(tmp_path):
    with keyed(tmp_path / "home"):
        study = ladder_study(tmp_path / "s", replicas=1, rounds=1, arms=("self", "frozen"), exploratory=True)
    with keyed(tmp_path / "home2", "other") as other, verify.unpacked(study) as folder:
        read, own = verify.Study(folder), {"verdict": "SUPPORTED", "level": 3}
        claimant = read.record["log_key"]
        said = {"kind": "recomputation", "word": "SUPPORTED", "signed": True}
        assert "claimant" in verify.uncounted(read, {**said, "signer": claimant}, claimant, own)
        told = {**said, "signer": str(other.key)}
        assert verify.uncounted(read, told, str(other.key), own) == ""
        assert "level 2" in verify.uncounted(read, told, str(other.key), {**own, "level": 2})
        for word, here in (("repeated to the bit", "SUPPORTED"), ("reproduced", "REFUTED")):
            again = {**told, "kind": "replication", "word": word}
            assert "reproduced" in verify.uncounted(read, again, str(other.key), {**own, "verdict": here})


def _tampered(cli, path):
    """Every change of a statement, or of the study that it rests on, shows."""

    def read(**parts):
        said = json.loads(path.read_text())
        other = path.with_name("other.json")
        other.write_text(json.dumps({**said, **parts}))
        return cli("verify", "mine", "--statement", other, "--json").record["attached"]

    said = json.loads(path.read_text())
    assert read()["holds"] is True
    assert read(word="not reproduced")["holds"] is False
    assert read(challenge="5d" * 32)["holds"] is False
    assert read(challenge=None)["holds"] is False
    assert read(first={**said["first"], "tree_head": "0" * 64})["holds"] is False
    assert read(second={**said["second"], "result_digest": "0" * 64})["holds"] is False
    assert read(second={"folder": "theirs"})["holds"] is False
    assert read(second={**said["second"], "folder": "nowhere"})["holds"] is None
    away = {**said["second"], "folder": f"/no/such/{said['second']['folder']}"}
    assert read(second=away)["holds"] is True  # only its name is used: a statement chooses no place
    with open("theirs/report.html", "a") as file:
        file.write(" ")
    assert "does not verify" in read()["detail"]


def test_a_gain_that_is_not_there_again_is_not_reproduced(cli, finished):
    shutil.copytree(finished, "mine")
    said = cli("replicate", "mine", "--to", "theirs", "--root", CHALLENGE, "--json")
    assert (said.code, said.record["word"]) == (4, "not reproduced")


@pytest.mark.parametrize("challenge", ["abc", "5C" * 32, "g" * 64, "5c" * 33])
def test_a_challenge_that_is_none_is_refused(cli, finished, challenge):
    shutil.copytree(finished, "mine")
    assert "no challenge" in mistake(cli("replicate", "mine", "--to", "theirs", "--root", challenge))


def test_the_second_study_needs_a_folder_of_its_own_and_the_files_of_the_first(cli, finished):
    shutil.copytree(finished, "mine")
    Path("full").mkdir()
    Path("full/note.txt").write_text("mine\n")
    assert "holds something" in mistake(cli("replicate", "mine", "--to", "full"))
    assert "no folder" in mistake(cli("replicate", "nowhere", "--to", "other"))


def test_other_code_is_another_study(cli, finished, monkeypatch):
    shutil.copytree(finished, "mine")
    monkeypatch.setattr("netgain.session.code_digest", lambda reference: "0" * 64)
    said = mistake(cli("replicate", "mine", "--to", "theirs", "--root", ROOT))
    assert "another study: contract.code is" in said


def test_a_file_that_is_no_statement(cli, finished):
    Path("note.json").write_text("{}")
    assert "not a statement" in mistake(cli("verify", finished, "--statement", "note.json"))
    Path("note.json").write_text("no JSON")
    assert "not a statement" in mistake(cli("verify", finished, "--statement", "note.json"))
    assert cli("verify", finished, "--statement", "nowhere.json", "--json").code == 2
