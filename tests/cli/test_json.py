"""Every command with --json: one object with a schema on stdout and nothing else, and the documented exit code."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from program import ONE_START, TWO_ARMS

from netgain import __version__
from netgain.cli import main
from netgain.ledger import Ledger

COMMANDS = (
    "recipes", "init", "plan", "demo", "run", "extend", "replicate", "status", "report", "attribution", "verify",
    "attest", "bundle", "whatif", "compare", "export", "scan", "gauntlet", "doctor", "bench", "stop", "pause",
    "approve", "deny", "rollback", "redact", "gc", "keys",
)  # fmt: skip


def schema_of(said):
    return said.record["schema"]


def test_these_are_all_commands():
    assert tuple(main.commands) == COMMANDS


def test_the_golden_path_is_what_one_sees_without_a_command(cli):
    said = cli()
    assert said.code == 0
    positions = [said.out.index(f"netgain {name} ") for name in ("init", "plan", "run", "report", "verify")]
    assert positions == sorted(positions)
    assert schema_of(cli("--json")) == schema_of(cli("--version", "--json")) == "netgain.version/1"
    assert cli("--version").out.startswith("netgain ")


def test_commands_that_need_no_study(cli):
    assert schema_of(cli("doctor", "--json")) == "netgain.doctor/1"
    listed = cli("recipes", "--json")
    assert (listed.code, schema_of(listed)) == (0, "netgain.recipes/1")
    for recipe in listed.record["recipes"]:
        assert set(recipe) == {"name", "surfaces", "needs", "minutes", "summary"}


def test_a_study_from_its_files_to_its_plan(cli):
    made = cli("init", "mine", "--from", "ladder", *ONE_START, "--json")
    assert (made.code, schema_of(made), made.record["files"]) == (0, "netgain.init/1", ["claim.toml", "netgain.toml"])
    before = cli("status", "mine", "--json").record
    assert (before["state"], before["verdict"], before["next"]["cmd"]) == ("planned", None, "netgain run mine")
    planned = cli("plan", "mine", "--json")
    assert (planned.code, schema_of(planned), planned.record["answerable"]) == (4, "netgain.plan/1", False)
    refused = cli("run", "mine", "--json")
    assert (refused.code, schema_of(refused), refused.record["state"]) == (4, "netgain.run/1", "planned")
    assert refused.record["reasons"] == planned.record["reasons"] and planned.record["reasons"]
    assert cli("plan", "ladder", "--size", "tiny", "--json").record["answerable"] is True


def spent(folder, unit):
    """What the log says was spent, added up by hand: stages, generation 0 once a start, the sealed pass."""
    with Ledger.open(folder, readonly=True) as log:
        entries = list(log.events())
    parts = [entry.data["spend"] for entry in entries if entry.kind in ("stage_done", "sealed_answered")]
    first = {entry.data["row"]["replica"]: entry.data["spend"]["start"] for entry in entries
             if entry.kind == "stage_done" and entry.data["stage"] == "start"}  # fmt: skip
    running = [amounts[unit] for part in parts for phase, amounts in part.items() if phase != "start" and amounts]
    return sum(running) + sum(amounts[unit] for amounts in first.values())


def test_commands_that_look_at_a_finished_study(cli, finished):
    status = cli("status", finished, "--json").record
    assert {"state", "reason", "since", "next"} <= set(status)
    assert (status["state"], status["verdict"], status["runs"]) == ("done", "INCONCLUSIVE", {"done": 2, "of": 2})
    assert len(status["result_digest"]) == 64
    assert status["spend"]["cost_usd"] is None and status["spend"]["cost_usd_reason"]
    assert status["spend"]["tokens"] == spent(finished, "tokens") > 0
    report = cli("report", finished, "--json")
    assert (report.code, report.record["made"]) == (0, False)
    assert report.record["autonomy"]["counts"] == {"system": 4, "rule": 3, "model": 0, "person": 0}
    verified = cli("verify", finished, "--json")
    assert (verified.code, schema_of(verified)) == (4, "netgain.verify/1")
    assert {"verdict", "level", "rung", "endogenous", "effect", "reasons", "checks"} <= set(verified.record)
    assert set(verified.record["effect"]) >= {"estimate", "low", "high", "confidence", "unit", "n"}
    again = cli("run", finished, "--json")
    assert (again.code, schema_of(again), again.record["verdict"]) == (0, "netgain.run/1", "INCONCLUSIVE")
    stopped = cli("stop", finished, "--json")
    assert (stopped.code, schema_of(stopped), stopped.record["asked"]) == (0, "netgain.stop/1", False)


def test_where_the_gain_came_from_and_what_one_start_cannot_say(cli, finished):
    said = cli("attribution", finished, "--json")
    assert (said.code, schema_of(said)) == (0, "netgain.attribution/1")
    assert said.record["total"]["low"] is None and "needs two" in said.record["total"]["low_reason"]
    assert said.record["oracle"] is None and "`oracle`" in said.record["oracle_reason"]
    assert {"near", "far"} == set(said.record["parts"]["shares"])
    human = cli("attribution", finished).out
    assert human.startswith("Gain over generation 0:") and "not identifiable; missing: the arm" in human


def test_nothing_is_attributed_before_the_seal(cli):
    cli("init", "mine", "--from", "ladder", *ONE_START)
    said = cli("attribution", "mine", "--json")
    assert (said.code, said.record["error"]) == (2, "ConfigError")


def test_the_finished_study_is_the_same_after_all_of_that(cli, finished):
    assert all(check["ok"] for check in cli("verify", finished, "--json").record["checks"])


def test_tables_go_outside_the_study_and_overwrite_nothing(cli, finished):
    exported = cli("export", finished, "--csv", "tables", "--json")
    assert (exported.code, schema_of(exported)) == (0, "netgain.export/1")
    assert exported.record["rows"]["runs.csv"] == 2
    with open("tables/runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(float(row["start_tokens"]) == 0.0 and float(row["sealed_tokens"]) > 0.0 for row in rows)
    assert cli("export", finished, "--csv", "tables", "--json").code == 2
    beside = cli("export", finished, "--csv", "--json").record["folder"]
    assert Path(beside) == finished.with_name("mine-csv") and (Path(beside) / "items.csv").exists()
    shutil.rmtree(beside)
    assert cli("export", finished, "--csv", finished / "tables", "--json").code == 2


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["rnu"], "UsageError"),
        (["run"], "UsageError"),
        (["run", "ladder", "--workers", "0"], "UsageError"),
        (["run", "laddr"], "ConfigError"),
        (["run", "no/such/folder"], "ConfigError"),
        (["status", "nowhere"], "ConfigError"),
        (["verify", "."], "ConfigError"),
        (["stop", "."], "ConfigError"),
        (["init", "mine", "--from", "lader"], "ConfigError"),
    ],
)
def test_an_error_has_one_shape(cli, words, name):
    said = cli(*words, "--json")
    assert (said.code, schema_of(said), said.record["error"]) == (2, "netgain.error/1", name)
    assert {"what", "where", "fix", "exit_code"} <= set(said.record)
    assert said.record["what"] and said.record["fix"]
    human = cli(*words)
    assert (human.code, human.out) == (2, "")
    assert human.err.startswith("error: ") and "fix: " in human.err and "Traceback" not in human.err


def test_debug_shows_the_traceback(cli):
    assert "Traceback" in cli("run", "laddr", "--debug").err


@pytest.mark.parametrize(
    ("gain", "word", "code"), [(1.0, "SUPPORTED WITH LIMITS", 0), (0.0, "REFUTED", 3)], ids=["supported", "refuted"]
)
def test_run_exits_0_whatever_the_word_and_verify_carries_it(cli, gain, word, code):
    cli("init", "mine", "--from", "ladder", *TWO_ARMS, "--set", f"gain={gain}")
    ran = cli("run", "mine", "--json")
    assert ran.code == 0, ran.err
    assert ran.record["verdict"].startswith(word.split()[0])
    verified = cli("verify", "mine", "--json")
    assert (verified.code, verified.record["verdict"]) == (code, ran.record["verdict"])
    assert verified.record["effect"]["n"] == 6


def test_a_changed_byte_makes_the_study_invalid(cli, finished):
    shutil.copytree(finished, "copy")
    path = sorted(finished.parent.glob("mine/objects/??/*"))[0]
    other = "copy" / path.relative_to(finished)
    other.write_bytes(other.read_bytes()[:-1] + b"?")
    said = cli("verify", "copy", "--json")
    assert (said.code, said.record["verdict"]) == (7, "INVALID")
    assert path.name in json.dumps(said.record["checks"])


def test_the_module_is_the_command():
    said = subprocess.run([sys.executable, "-m", "netgain", "--version"], capture_output=True, text=True, check=True)
    assert __version__ in said.stdout
