"""`netgain run`: from a recipe or a file of one's own to a verdict; stopped, continued, extended."""

import contextlib
import io
import json
import signal
from pathlib import Path

import pytest
from program import ONE_START, ROOT, started, wait_for
from rich.console import Console

from netgain.cli import progress
from netgain.ledger import FolderLock, Ledger
from netgain.study import leave_request

OWN = '''
"""A table that is copied from what development items show: the smallest loop there is."""
import netgain as ng
import own_truth


def start(rng):
    return {"shift": 0.0}


def propose(view):
    errors = [item["target"] - item["input"] - view.parent["shift"] for item in view.dev]
    better = {"shift": round(view.parent["shift"] + sum(errors) / len(errors), 6)}
    return ng.Change([ng.Part("policy", better, reason="mean error of the development items")])


def answer(system, inputs, budget, rng):
    return [one + system["shift"] for one in inputs]


def make(seed, index):
    return seed % 1000, seed % 1000 + own_truth.SHIFT


def near(output, target):
    return max(0.0, 1.0 - abs(output - target) / 10.0)


study = ng.Study(
    loop=ng.Loop(start, propose, answer),
    suite=ng.Suite([ng.axis("near", make, near, gate_items=50, report_items=10, sealed_items=10)], dev_items=5),
    arms=["self", "frozen"],
    claim=ng.Claim("near", by=0.5, expected=0.9, starts="this generation 0"),
    rounds=2,
)


def with_options(options, device):
    return study
'''


def begun(folder):
    """Some stages are done: there is something to continue."""
    if not Ledger.begun(folder):
        return False
    with Ledger.open(folder, readonly=True) as log:
        return log.size > 20


@contextlib.contextmanager
def going_on(home, *words):
    """A run as a process of its own, some stages of which are done; it is ended with the block."""
    running = started(home, "run", *words)
    try:
        wait_for(lambda: begun(home / words[0]) or begun(home / "studies" / words[0]))
        yield running
    finally:
        running.kill()
        running.communicate(timeout=60)


def test_a_recipe_runs_in_the_folder_of_studies(cli, netgain_home):
    with going_on(netgain_home, "ladder", "--size", "tiny", "--root", ROOT) as running:
        running.send_signal(signal.SIGTERM)  # as a machine that shuts down
        assert running.wait(60) == 130
    assert f'root = "{ROOT}"' in Path("studies/ladder/netgain.toml").read_text()
    assert cli("status", "studies/ladder", "--json").record["state"] == "paused"
    assert cli("plan", "ladder", "--json").record["answerable"] is True


def test_a_run_for_people_without_a_terminal(cli):
    cli("init", "mine", "--from", "ladder", *ONE_START)
    said = cli("run", "mine", "--exploratory")
    lines = said.out.splitlines()
    decisions = [line for line in lines if "  round " in line]
    assert len(decisions) == 2 and all(line.split()[1] == "r0/self" for line in decisions)
    assert [line.split()[1] for line in lines if "  done  " in line] == ["r0/self", "r0/frozen"]
    assert lines[0].startswith("claim ") and "\x1b" not in said.out
    table = {line.split()[0] for line in lines if line[:1].isalpha()}
    assert {
        "design",
        "time",
        "power",
        "refused",
        "verdict",
        "effect",
        "standing",
        "because",
        "report",
        "check",
    } <= table
    assert "INCONCLUSIVE" in said.out and "netgain verify mine" in lines[-1]


@pytest.mark.parametrize("name", ["study", "with_options"])
def test_a_study_of_ones_own(cli, name):
    Path("own.py").write_text(OWN)
    Path("own_truth.py").write_text("SHIFT = 7\n")
    assert cli("init", "mine", "--from", f"own.py:{name}", "--set", "study.workers=1").code == 0
    for file in ("own.py", "own_truth.py"):
        Path(file).unlink()  # the folder has its copy
    said = cli("run", "mine", "--json")
    assert said.code == 0 and said.record["verdict"].startswith("SUPPORTED"), said
    assert {path.name for path in Path("mine").iterdir()} >= {
        "own.py",
        "own_truth.py",
        "netgain.toml",
        "claim.toml",
        "report.html",
    }
    verified = cli("verify", "mine", "--json").record
    assert verified["verdict"] == said.record["verdict"] and verified["effect"]["estimate"] > 0.5


def test_a_stop_request_ends_a_run_and_the_next_one_continues(cli, netgain_home):
    cli("init", "mine", "--from", "ladder", *ONE_START)
    folder = Path("mine")
    leave_request(folder, "stop", by="me", reason="lunch")  # as `netgain stop` does for a run that goes on
    said = cli("run", folder, "--exploratory", "--json")
    assert (said.code, said.record["error"]) == (5, "Stopped")
    status = cli("status", folder, "--json").record
    assert status["state"] == "stopped" and "lunch" in status["reason"]
    assert cli("run", folder, "--json").code == 0
    assert cli("status", folder, "--json").record["state"] == "done"


def test_a_limit_in_seconds_pauses_and_changes_no_result(cli):
    cli("init", "whole", "--from", "ladder", *ONE_START, "--root", ROOT)
    assert cli("run", "whole", "--exploratory", "--json").code == 0
    whole = cli("status", "whole", "--json").record
    limit = whole["spend"]["device_seconds"] / 12  # a third was less than a busy machine's first run differs by
    cli("init", "parts", "--from", "ladder", *ONE_START, "--root", ROOT, "--set", f"budget.device_seconds={limit}")
    codes = [cli("run", "parts", "--exploratory", "--json").code]
    while codes[-1] == 8 and len(codes) < 60:
        status = cli("status", "parts", "--json").record
        assert status["state"] == "paused" and "device_seconds" in status["reason"]
        codes.append(cli("run", "parts", "--json").code)
    assert codes[-1] == 0 and len(codes) > 1
    assert cli("status", "parts", "--json").record["result_digest"] == whole["result_digest"]


def test_ctrl_c_keeps_the_state_and_somebody_else_has_to_wait_meanwhile(cli, netgain_home):
    cli("init", "mine", "--from", "ladder", *ONE_START, "--set", "study.replicas=16")
    folder = netgain_home / "mine"
    with going_on(netgain_home, "mine", "--exploratory", "--json") as running:
        assert cli("status", folder, "--json").record["state"] == "running"
        assert cli("run", folder, "--json").code == 75
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 130 and json.loads(out)["error"] == "Interrupted"
    status = cli("status", folder, "--json").record
    assert (status["state"], status["reason"]) == ("paused", "interrupted")
    assert status["runs"]["done"] < status["runs"]["of"] == 32
    assert cli("run", folder, "--json").code == 0


def test_a_process_that_was_killed_is_told_from_one_that_runs(cli, netgain_home):
    cli("init", "mine", "--from", "ladder", *ONE_START, "--set", "study.replicas=4")
    with going_on(netgain_home, "mine", "--exploratory") as running:
        running.kill()
    status = cli("status", "mine", "--json").record
    assert (status["state"], status["reason"]) == ("paused", "the process ended; run again")
    with FolderLock(netgain_home / "mine"):
        assert cli("status", "mine", "--json").record["state"] == "running"
        assert cli("stop", "mine", "--json").record["asked"] is True


def test_extend_goes_to_the_next_look_and_stops_at_the_last(cli):
    cli("init", "mine", "--from", "ladder", *ONE_START, "--set", "claim.looks=[1, 2]")
    assert cli("run", "mine", "--exploratory", "--json").record["effect"]["n"] == 1
    longer = cli("run", "mine", "--extend", "--json")
    assert longer.code == 0, longer
    assert longer.record["effect"]["n"] == 2
    verified = cli("verify", "mine", "--json").record
    assert verified["effect"]["n"] == 2 and all(check["ok"] for check in verified["checks"])
    assert cli("run", "mine", "--extend").code == 2  # no look is left, and nothing is touched
    assert all(check["ok"] for check in cli("verify", "mine", "--json").record["checks"])


class Terminal:
    def isatty(self):
        return True


@pytest.mark.parametrize("variable", ["NO_COLOR", "CI", "TERM"])
def test_nothing_is_redrawn_where_that_is_unwanted(monkeypatch, variable):
    for name in ("NO_COLOR", "CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    assert progress._redraws(terminal)
    monkeypatch.setenv(variable, "dumb")
    assert not progress._redraws(terminal)


def test_the_board_draws_what_the_lines_say(cli, monkeypatch):
    boards = []
    monkeypatch.setattr(progress, "_redraws", lambda sink: True)
    real = progress.Board
    monkeypatch.setattr(progress, "Board", lambda clock: boards.append(real(clock)) or boards[-1])
    cli("init", "mine", "--from", "ladder", *ONE_START)
    assert cli("run", "mine", "--exploratory").code == 0
    console = Console(width=100, file=io.StringIO())
    console.print(boards[0].drawn())
    text = console.file.getvalue()
    assert "2 of 2 runs done, about 0 s left" in text and "frozen  done" in text
    assert "r0/self  round 2" in text
