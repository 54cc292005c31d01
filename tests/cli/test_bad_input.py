"""Each mistake gives one clear message and its exit code, and loses nothing."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from program import ONE_START, Said, environment

from netgain.ledger import FolderLock

OWN = """
import netgain as ng

ITEMS = [{{"input": [n, n + 1], "target": 2 * n + 1}} for n in range({items})]

def score(output, target):
    {score}

def answer(system, inputs, budget, rng):
    return [sum(one) for one in inputs]

def propose(view):
    return ng.Change([ng.Part("policy", view.parent)])

study = ng.Study(
    loop=ng.Loop(start=lambda rng: {{"bias": 0}}, propose=propose, answer=answer),
    suite=ng.Suite([ng.axis("sums", ITEMS, score, gate_items=4, report_items=4, sealed_items={sealed})]),
    arms=["self", "frozen"],
    claim=ng.Claim("sums", by=0.1, starts="this generation 0"),
)
"""


def own_study(*, items=400, sealed=10, score="return float(output == target)"):
    Path("mine.py").write_text(OWN.format(items=items, sealed=sealed, score=score))


def made(cli, *more):
    assert cli("init", "mine", "--from", "ladder", *ONE_START, *more).code == 0
    return Path("mine")


def changed(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def mistake(said):
    """What a wrong input has to give: exit code 2, one message with a next step, no traceback, nothing on stdout."""
    assert said.code == 2, said
    assert said.out == "" and said.err.count("error: ") == 1 and "fix: " in said.err and "Traceback" not in said.err
    return said.err


def test_a_missing_study_file(cli):
    folder = made(cli)
    (folder / "claim.toml").unlink()
    assert "no such file 'mine/claim.toml'" in mistake(cli("run", folder))


def test_a_malformed_study_file_names_the_line(cli):
    folder = made(cli)
    changed(folder / "netgain.toml", "replicas = 1", "replicas = = 1")
    assert "netgain.toml:11" in mistake(cli("plan", folder))


def test_an_unknown_key_names_the_nearest(cli):
    folder = made(cli)
    changed(folder / "netgain.toml", "replicas = 1", "replica = 1")
    assert "did you mean 'replicas'" in mistake(cli("run", folder))


@pytest.mark.parametrize("setting", ["study.replicas=0", "study.rounds=0", "claim.by=1.5", "claim.looks=[9, 6]"])
def test_an_impossible_number_makes_no_folder(cli, setting):
    said = mistake(cli("init", "mine", "--from", "ladder", "--set", setting))
    assert "--set" in said and "expected" in said
    assert not Path("mine").exists() and list(Path().iterdir()) == []


def test_replicas_0_in_a_file(cli):
    folder = made(cli)
    changed(folder / "netgain.toml", "replicas = 1", "replicas = 0")
    assert "replicas is 0, expected a whole number of at least 1" in mistake(cli("run", folder))


@pytest.mark.parametrize(
    ("setting", "near"),
    [("study.replica=3", "replicas"), ("chek=0", "check"), ("claims.by=0.1", "claim"), ("x", "KEY=VALUE")],
)
def test_a_wrong_setting_names_the_nearest(cli, setting, near):
    assert near in mistake(cli("init", "mine", "--from", "ladder", "--set", setting))


def test_an_unknown_recipe_names_the_nearest(cli):
    assert "did you mean 'ladder'" in mistake(cli("run", "laddr"))
    folder = made(cli)
    changed(folder / "netgain.toml", 'recipe = "ladder"', 'recipe = "laddr"')
    assert "did you mean 'ladder'" in (said := mistake(cli("run", folder))) and "netgain.toml:" in said


def test_an_unknown_arm_is_found_before_anything_runs(cli):
    folder = made(cli)
    changed(folder / "netgain.toml", '"frozen"]', '"frozen", "plasebo"]')
    assert "'plasebo'" in (said := mistake(cli("run", folder))) and "netgain.toml:" in said


@pytest.mark.parametrize("device", ["tpu"])
def test_an_unknown_device(cli, device):
    pytest.importorskip("netgain.recipes.length")
    assert repr(device) in mistake(cli("plan", "length", "--device", device))


def test_a_folder_that_holds_something_is_never_overwritten(cli):
    folder = made(cli)
    before = (folder / "netgain.toml").read_bytes()
    assert "holds something" in mistake(cli("init", folder, "--from", "ladder"))
    assert "--size" in mistake(cli("run", folder, "--size", "full"))
    assert (folder / "netgain.toml").read_bytes() == before


@pytest.mark.parametrize(("items", "sealed"), [(1, 10), (400, 1)], ids=["one item in all", "one sealed item"])
def test_a_suite_with_one_item(cli, items, sealed):
    own_study(items=items, sealed=sealed)
    said = cli("init", "mine", "--from", "mine.py:study")
    said = cli("run", "mine") if said.code == 0 else said
    assert "items" in mistake(said)
    assert not Path("mine/ledger.db").exists()


@pytest.mark.parametrize(
    ("score", "says"),
    [("return float('nan')", "nan"), ("return 2.0", "2.0"), ("raise KeyError('oops')", "KeyError")],
    ids=["NaN", "out of range", "raises"],
)
def test_a_metric_that_fails_is_found_before_the_run(cli, score, says):
    own_study(score=score)
    assert cli("init", "mine", "--from", "mine.py:study").code == 0
    said = cli("run", "mine")
    assert said.code == 2 and says in said.err and "sums" in said.err
    assert not Path("mine/ledger.db").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(:", "SyntaxError"),
        ("import no_such_thing", "no_such_thing"),
        ("study = 3", "int"),
        ("other = 3", "other"),
    ],
)
def test_a_file_of_ones_own_that_holds_no_study(cli, text, says):
    Path("mine.py").write_text(text + "\n")
    assert says in (said := mistake(cli("init", "mine", "--from", "mine.py:study"))) and "mine.py" in said


def test_an_edit_of_the_claim_after_registration_is_a_new_claim(cli, finished):
    shutil.copytree(finished, "mine")
    claim = Path("mine/claim.toml")
    changed(claim, "by = 0.05", "by = 0.01")
    assert "new claim" in (said := mistake(cli("run", "mine"))) and "(by)" in said
    changed(claim, "by = 0.01", "by = 0.05  # the same number, another file")
    assert "claim.toml changed" in mistake(cli("run", "mine", "--extend"))
    shutil.copy(finished / "claim.toml", claim)
    assert cli("verify", "mine", "--json").record["verdict"] == "INCONCLUSIVE"


def test_another_root_than_the_registered_one(cli, finished):
    assert "root" in mistake(cli("run", finished, "--root", "cd" * 32))
    assert "64" in mistake(cli("run", finished, "--root", "xyz"))


def test_a_ledger_of_a_newer_version(cli, finished):
    shutil.copytree(finished, "mine")
    with sqlite3.connect("mine/ledger.db") as ledger:
        ledger.execute("UPDATE head SET schema = 'netgain.ledger/99'")
    ledger.close()
    Path("mine/study.sha256").unlink()  # else `verify` says INVALID, which is right too
    for command in ("run", "status", "verify"):
        assert "netgain.ledger/99" in mistake(cli(command, "mine"))


def test_a_second_run_in_the_same_folder_is_told_to_come_back(cli):
    folder = made(cli)
    with FolderLock(folder):
        said = cli("run", folder, "--json")
    assert (said.code, said.record["error"]) == (75, "Busy")


AS_NOBODY = """
import os, sys
from pathlib import Path
import netgain.cli.running, traceback  # this and the next line while the program's files may still be read
netgain.cli.folder.open_project(Path(sys.argv[2]))
os.setgroups([]), os.setgid(65534), os.setuid(65534)
netgain.cli.main(sys.argv[1:])
"""


def test_a_folder_without_permission_to_write(cli, netgain_home):
    folder = made(cli)
    os.chmod(folder, 0o555)
    if os.geteuid() != 0:
        said = cli("run", folder, "--exploratory")
    else:  # root may write everywhere: ask as somebody else
        for parent in (netgain_home, *netgain_home.parents):
            os.chmod(parent, os.stat(parent).st_mode | 0o001)
        command = [sys.executable, "-c", AS_NOBODY, "run", folder, "--exploratory"]
        asked = subprocess.run(command, env=environment(netgain_home), check=False, capture_output=True, text=True)
        said = Said(asked.returncode, asked.stdout, asked.stderr)
    assert "Permission denied" in mistake(said)
    assert sorted(path.name for path in folder.iterdir()) == ["claim.toml", "netgain.toml"]


def test_a_full_disk_keeps_the_state_and_the_study_continues(cli, netgain_home):
    small = netgain_home / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=640k", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs a small file system, which only root may mount")
    try:
        assert cli("init", small / "mine", "--from", "ladder", *ONE_START).code == 0
        full = cli("run", small / "mine", "--exploratory", "--json")
        assert (full.code, full.record["error"]) == (5, "DiskFull")
        grow = ["mount", "-o", "remount,size=20m", str(small)]
        subprocess.run(grow, check=True)
        assert cli("status", small / "mine", "--json").record["state"] in ("paused", "planned")
        assert cli("run", small / "mine", "--exploratory", "--json").code == 0
        assert all(check["ok"] for check in cli("verify", small / "mine", "--json").record["checks"])
    finally:
        subprocess.run(["umount", str(small)], check=True)
