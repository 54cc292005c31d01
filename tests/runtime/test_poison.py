"""A task that kills its worker is tried three times, over sessions; its candidate is invalid, and the loop goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny

from netgain import poison, session
from netgain.errors import Poisoned, SandboxError, WorkerDied
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.poison import DEATHS, Deaths
from netgain.session import run_study
from netgain.verify import verify

LOOP = f"""
import os, sys, time
sys.path.insert(0, {str(Path(tiny.__file__).parent)!r})
import tiny
from netgain.stages import Loop


def answer(system, inputs, budget, rng):
    if DEADLY < system["skill"] < DEADLY + 0.3:
        KILL
    return tiny.answer(system, inputs, budget, rng)


loop = Loop(tiny.start, tiny.propose, answer, surfaces=["policy"], gate="strict")
"""
ABOUT = {"op": "answer"}


def dying() -> None:
    raise WorkerDied("status 9")


def loop_file(folder: Path, *, kill: str = "os._exit(9)") -> Reference:
    """The tiny loop whose first candidate (skill 0.55) kills its worker whenever it is asked."""
    path = folder / "deadly.py"
    path.write_text(LOOP.replace("DEADLY", "0.5").replace("KILL", kill))
    return Reference(f"{path}:loop")


def study_of(reference: Reference, **more: object) -> session.Study:
    return tiny.study(reference=reference, replicas=1, **more)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_three_deaths_are_the_end_and_the_pauses_grow(tmp_path: Path) -> None:
    pauses: list[float] = []
    calls: list[int] = []
    with Ledger.create(tmp_path) as log, pytest.raises(Poisoned, match="killed its worker 3 times"):
        Deaths(log, sleep=pauses.append).attempt("t", ABOUT, lambda: calls.append(1) or dying())
    assert (len(calls), pauses) == (DEATHS, [0.1, 1.0])


def test_deaths_are_counted_over_sessions(tmp_path: Path) -> None:
    calls: list[int] = []
    with Ledger.create(tmp_path) as log:

        class Killed(Exception):
            pass

        def killed(seconds: float) -> None:
            raise Killed

        with pytest.raises(Killed):
            Deaths(log, sleep=killed).attempt("t", ABOUT, dying)
        again = Deaths(log, sleep=lambda seconds: None)
        with pytest.raises(Poisoned):
            again.attempt("t", ABOUT, lambda: calls.append(1) or dying())
        assert len(calls) == DEATHS - 1
        assert [event.data["death"] for event in log.events("worker_died")] == [1, 2, 3]
        assert Deaths(log).attempt("another", ABOUT, lambda: "done") == "done"


def test_what_is_no_death_in_a_task_is_not_counted(tmp_path: Path) -> None:
    def not_started() -> None:
        raise SandboxError("no worker")

    with Ledger.create(tmp_path) as log:
        with pytest.raises(SandboxError, match="no worker"):
            Deaths(log).attempt("t", ABOUT, not_started)
        assert not list(log.events("worker_died"))


@pytest.mark.parametrize("kill", ["os._exit(9)", "time.sleep(60)"])
def test_a_poisonous_candidate_is_invalid_and_the_study_goes_on_to_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill: str
) -> None:
    monkeypatch.setattr(poison, "PAUSES_SECONDS", (0.01, 0.01))
    more = {"deadline_seconds": 0.7} if "sleep" in kill else {}
    study = study_of(loop_file(tmp_path, kill=kill), **more)
    run_study(study, tmp_path / "study", exploratory=True, workers=1)
    with Ledger.open(tmp_path / "study", readonly=True) as log:
        failed = [one.data for one in log.events("stage_failed", "r0/self")]
        decisions = list(log.events("gate_decision", "r0/self"))
        scored = [one for one in log.events("scores") if one.data["role"] == "candidate"]
        died = [one.data for one in log.events("worker_died")]
        assert [(one["round"], one["stage"], one["cause"]) for one in failed] == [
            (1, "judge", "poison"), (2, "judge", "poison"),
        ]  # fmt: skip
        assert decisions == [] and scored == []  # evidence in neither direction
        assert [one["death"] for one in died] == 2 * [1, 2, 3]
        assert all(("no answer" if more else "status 9") in one["reason"] for one in died)
        row = log.row("r0/self")
        assert row is not None and row["stage"] == "done" and row["released"] == row["anchor"]
    checks = verify(tmp_path / "study")["checks"]
    assert all(one["ok"] is not False for one in checks), checks
