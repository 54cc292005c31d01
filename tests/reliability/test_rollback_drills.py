"""G14: an order to go back is served and read back within a second, to any generation, whatever serves now."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from netgain.errors import WorkerDied
from netgain.jobs import Jobs
from netgain.loop import step
from netgain.poison import Deaths
from netgain.rollback import generations
from netgain.study import Conductor, leave_request
from netgain.testing import cycle
from netgain.testing.crashfs import scratch
from netgain.testing.trials import record

SEED = 21
COMMAND = "pytest tests/reliability/test_rollback_drills.py"
LIMIT_SECONDS = 1.0
RUN = "r0/self"


class Broken:
    """What a promoted controller that breaks everything amounts to: whatever it is asked, its worker dies."""

    def call(self, task: Any) -> dict[str, Any]:
        raise WorkerDied("the promoted system kills its worker")


def grown(folder: Path, champions: int, patch: pytest.MonkeyPatch) -> Any:
    """A run in the middle of its rounds that has released a new system in each of them (its gate only watches)."""
    patch.setattr(cycle, "loop", replace(cycle.loop, gate="watch"))
    world = cycle.world_in(folder, rounds=champions + 2)
    while world.log.row(RUN)["round"] <= champions or world.log.row(RUN)["stage"] != "propose":
        step(RUN, world)
    assert len(generations(world.log, RUN)) > champions
    return world


def drilled(world: Any, folder: Path, to: int) -> tuple[float, str, str]:
    """Order a rollback: seconds until its digest is read back, the digest, and the one that was meant."""
    meant = generations(world.log, RUN)[to]["released"]
    began = time.monotonic()
    leave_request(folder, "rollback", by="a drill", reason="drill", run=RUN, to=str(to))
    Conductor(world, folder / "inbox", lambda stepped: None).read_inbox()  # what `run` does before each stage
    return time.monotonic() - began, world.log.row(RUN)["released"], meant


@pytest.mark.parametrize("drills", [5, pytest.param(100, marks=pytest.mark.nightly)])
def test_any_promoted_generation_is_served_again_within_a_second(drills: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, wrong, slowest = Random(SEED), list[str](), 0.0
    with scratch() as memory:
        world = grown(memory / "study", drills, monkeypatch)
        deaths = Deaths(world.log, sleep=lambda seconds: None)
        broken = replace(world, jobs=Jobs(Broken(), world.store, deaths))
        for number in range(drills):
            serves = world.log.row(RUN)["released"]
            known = generations(world.log, RUN)
            to = chance.choice([one for one, row in known.items() if row["released"] != serves])
            seconds, now, meant = drilled(broken, memory / "study", to)
            slowest = max(slowest, seconds)
            wrong += [] if now == meant and seconds < LIMIT_SECONDS else [f"drill {number}: {seconds:.2f} s, {now[:9]}"]
            assert world.store.get(now), "bootable: its bytes are there"
    record("G14", "rollbacks while the promoted system breaks every worker", trials=drills, failures=len(wrong),
           seed=SEED, command=COMMAND, slowest_seconds=round(slowest, 3))  # fmt: skip
    assert not wrong, wrong
