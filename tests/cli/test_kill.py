"""Kill -9 at random moments, run again: the same result as if nothing had happened, with any number of workers."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from program import ROOT, process, started, wait_for

from netgain.ledger import Ledger, held
from netgain.result import result_digest, run_digests

ARMS = ("--set", 'study.arms=["self", "frozen", "ordinary", "placebo"]')
STUDY = (
    "--from", "ladder", "--size", "tiny", "--root", ROOT, "--set", "study.replicas=2", "--set", "study.rounds=3", *ARMS,
)  # fmt: skip
LENGTH = ("--from", "length", "--size", "tiny", "--root", ROOT, "--set", "study.replicas=1", *ARMS)
SECONDS = {STUDY: 0.8, LENGTH: 6.0}  # from before the first record of a session to among the last ones


def made(home, name, study=STUDY):
    assert process(home, "init", name, *study).code == 0


def result(home, name):
    return process(home, "status", name, "--json").record["result_digest"]


def entries(home, name):
    with Ledger.open(home / name, readonly=True) as log:
        return list(log.events())


def children(pid):
    """Processes that a process started: workers have sessions of their own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def killed(running):
    """End a process and all that it started, at once and without asking."""
    for pid in [*children(running.pid), running.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    running.communicate(timeout=60)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Home of a study that nobody disturbed, with one worker."""
    home = tmp_path_factory.mktemp("undisturbed")
    made(home, "one")
    assert process(home, "run", "one", "--exploratory", "--workers", "1").code == 0
    return home


def kill_once(home, chance, seconds):
    """Start or continue the study and kill it at a random moment; False when it was over before."""
    running = started(home, "run", "mine", "--exploratory", "--workers", "2")
    try:
        wait_for(lambda: held(home / "mine") or running.poll() is not None, pause=0.005)
        time.sleep(chance.uniform(0.0, seconds))
        return running.poll() is None
    finally:
        killed(running)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers of a process in /proc")
@pytest.mark.parametrize("kills", [4, pytest.param(40, marks=pytest.mark.nightly)])
def test_a_study_that_is_killed_again_and_again_comes_to_the_same_result(undisturbed, tmp_path, kills):
    killed_again_and_again(tmp_path, STUDY, kills)
    assert result(tmp_path, "mine") == result(undisturbed, "one")


def killed_again_and_again(home, study, kills):
    """A study in `home` that is killed so often, then runs to its end and verifies."""
    made(home, "mine", study)
    chance = random.Random()
    done = sum(kill_once(home, chance, SECONDS[study]) for _ in range(kills))
    last = process(home, "run", "mine", "--exploratory", "--workers", "2", "--json")
    assert last.code == 0, last
    sessions = [one for one in entries(home, "mine") if one.kind == "session"]
    assert 2 <= len(sessions) <= done + 1, "it was never killed at work: the test shows nothing"
    verified = process(home, "verify", "mine", "--json").record
    assert all(check["ok"] for check in verified["checks"]), verified["checks"]


@pytest.mark.nightly
def test_real_training_that_is_killed_twenty_times_comes_to_the_same_result_with_any_number_of_workers(tmp_path):
    pytest.importorskip("torch")
    for workers in (1, 3):
        made(tmp_path, f"workers{workers}", LENGTH)
        whole = process(tmp_path, "run", f"workers{workers}", "--exploratory", "--workers", str(workers))
        assert whole.code == 0, whole
    killed_again_and_again(tmp_path, LENGTH, 20)
    assert result(tmp_path, "workers1") == result(tmp_path, "workers3") == result(tmp_path, "mine")


def test_the_result_does_not_depend_on_the_number_of_workers(undisturbed):
    made(undisturbed, "three")
    assert process(undisturbed, "run", "three", "--exploratory", "--workers", "3").code == 0
    assert result(undisturbed, "three") == result(undisturbed, "one")


def test_the_digest_covers_scores_decisions_and_pointers_of_every_run(undisturbed):
    log = entries(undisturbed, "one")
    whole, runs = result_digest(log), run_digests(log)
    assert len(runs) == 10 and len(set(runs.values())) == 10
    for kind, place in (("scores", "values"), ("gate_decision", "outcome"), ("stage_done", "out")):
        at = next(i for i, one in enumerate(log) if one.kind == kind)
        before = log[at].data
        log[at].data[place] = {} if place == "out" else "other"
        assert result_digest(log) != whole
        log[at] = entries(undisturbed, "one")[at]
        assert result_digest(log) == whole, before


def test_the_digest_leaves_out_clocks_and_spend(undisturbed):
    log = entries(undisturbed, "one")
    whole = result_digest(log)
    for entry in log:
        if entry.kind == "stage_done":
            entry.data["spend"] = {"build": {"device_seconds": 1e9}}
            entry.data["row"]["build"] = entry.data["row"]["answer"] = {"device_seconds": 1e9}
    assert result_digest(log) == whole
