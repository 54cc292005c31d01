"""G12: a stage that is older than its deadline is on record within ten seconds, and a deadline ends what hangs."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netgain.executors import LocalWorkers, Reference
from netgain.jobs import Jobs
from netgain.poison import Deaths
from netgain.study import Conductor
from netgain.testing import cycle
from netgain.testing.inprocess import InProcess
from netgain.testing.trials import record

COMMAND = "pytest tests/reliability/test_stuck_work.py"
DEADLINE = 0.3
WITHIN = 10.0


class Sleepy:
    """An executor that sleeps over some of its tasks."""

    def __init__(self, seconds: float) -> None:
        self._real, self._seconds, self.calls = InProcess(cycle.loop), seconds, 0

    def call(self, task: Any) -> dict[str, Any]:
        self.calls += 1
        time.sleep(self._seconds if self.calls % 3 == 0 else 0)
        return self._real.call(task)


@pytest.mark.parametrize("studies", [1, pytest.param(50, marks=pytest.mark.nightly)])
def test_every_stage_that_takes_too_long_is_on_record_in_time(tmp_path: Path, studies: int) -> None:
    slow, unseen, delays = 0, 0, list[float]()
    for number in range(studies):
        sleepy = Sleepy(1.2)
        world = cycle.world_in(tmp_path / str(number), sleepy)
        told: list[Any] = []
        Conductor(world, tmp_path / "inbox", told.append, deadline_seconds=DEADLINE).conduct(1)
        late = [one for one in told if one.seconds > DEADLINE + 0.5]
        stuck = [one for one in world.log.events("state") if one.data["state"] == "stuck"]
        slow += len(late)
        unseen += max(0, len(late) - len(stuck))
        delays += [WITHIN] * max(0, len(late) - len(stuck))
        assert [one.data["state"] for one in world.log.events("state")][-1] == "running", "it goes on, and says so"
    record("G12", "stages older than their deadline", trials=slow, failures=unseen, seed=None, command=COMMAND)
    assert slow >= 3 * studies and not unseen and not delays


HANGS = """
import sys, time
from netgain.stages import Loop
from netgain.testing import cycle


def answer(system, inputs, budget, rng):
    if system["skill"] > 0.3:
        time.sleep(600)
    return cycle.answer(system, inputs, budget, rng)


loop = Loop(cycle.start, cycle.propose, answer, surfaces=["policy"], gate="strict")
"""


def test_a_task_that_hangs_is_ended_and_the_run_comes_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "hangs.py").write_text(HANGS)
    began = time.monotonic()
    with LocalWorkers(Reference(f"{tmp_path / 'hangs.py'}:loop"), 1) as workers:
        world = cycle.world_in(tmp_path / "study", rounds=1)
        jobs = Jobs(workers, world.store, Deaths(world.log, sleep=lambda seconds: None), DEADLINE)
        world = replace(world, jobs=jobs)
        thread = threading.Thread(target=cycle.finish, args=(world,))
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), "a silent hang"
    (failed,) = world.log.events("stage_failed")
    assert (failed.data["cause"], failed.data["stage"]) == ("poison", "judge")
    assert time.monotonic() - began < 60
    row = world.log.row("r0/self")
    assert row["stage"] == "done" and row["released"] == row["anchor"]
