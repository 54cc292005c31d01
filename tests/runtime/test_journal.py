"""Rows outlive code, leases are numbers, and a stage that hangs is seen from outside."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds import conduct, final, world_in

from netgain.errors import ConfigError
from netgain.facts import Facts
from netgain.leases import Lease, Leases
from netgain.ledger import Event, FolderLock, Ledger
from netgain.loop import ACCEPTS, STAGES, step
from netgain.result import result_digest
from netgain.run import PLAN, Row
from netgain.status import STATES, _state
from netgain.study import Conductor, enrol


def enrolled(folder: Path) -> Any:
    world = world_in(folder, ["self", "frozen"], rounds=1)
    enrol(world, range(1), 1, lambda: "0" * 16)
    return world


def test_the_row_of_a_new_run_says_its_version_and_keeps_it_to_the_end(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    conduct(world, tmp_path)
    assert final(world, 0, "self").plan == PLAN == 1
    rows = [event.data["row"] for event in world.log.events() if "row" in event.data]
    assert {row["plan"] for row in rows} == {PLAN}


@pytest.mark.parametrize("stage", STAGES)
def test_a_row_of_a_later_version_is_not_guessed_at(tmp_path: Path, stage: str) -> None:
    world = enrolled(tmp_path)
    row = {**world.log.row("r0/self"), "plan": PLAN + 1, "stage": stage, "what_only_later_code_knows": 1}
    world.log.append([Event("stage_done", "r0/self", {"row": row})])
    size = world.log.size
    with pytest.raises(ConfigError, match=f"plan version 2, stage '{stage}' accepts"):
        step("r0/self", world)
    assert world.log.size == size, "not even an intent is recorded"
    assert all(PLAN in versions for versions in ACCEPTS.values())


def test_a_row_of_before_there_were_versions_goes_on_and_gets_none(tmp_path: Path) -> None:
    world = enrolled(tmp_path)
    old = replace(Row.from_json(world.log.row("r0/self") or {}), plan=None).to_json()
    assert "plan" not in old
    world.log.append([Event("stage_done", "r0/self", {"row": old})])
    assert "plan" not in step("r0/self", world).row.to_json()


def test_the_version_is_no_part_of_the_result(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    conduct(world, tmp_path)
    entries = list(world.log.events())
    whole = result_digest(entries)
    for entry in entries:
        entry.data.get("row", {}).pop("plan", None)
    assert result_digest(entries) == whole


def test_a_lease_that_was_taken_over_gives_no_result() -> None:
    leases = Leases(epoch=4)
    zombie = leases.grant("job")
    heir = leases.grant("job")
    assert heir > zombie and heir.epoch == 4
    assert not leases.settle("job", zombie)
    assert leases.settle("job", heir)
    assert not leases.settle("job", heir), "a second delivery"


def test_a_lease_of_an_earlier_coordinator_or_of_nobody_gives_no_result() -> None:
    leases = Leases(epoch=4)
    leases.grant("job")
    assert not leases.settle("job", Lease(3, 1))
    assert not leases.settle("another", Lease(4, 1))


def test_a_revoked_lease_gives_no_result() -> None:
    leases = Leases()
    lease = leases.grant("job")
    leases.revoke("job")
    assert not leases.settle("job", lease)


class Hanging:
    """An executor whose first task takes until it is let go."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.go = threading.Event()

    def call(self, task: Any) -> Any:
        self.go.wait(20)
        return self.real.call(task)


def states(log: Ledger) -> list[str]:
    return [event.data["state"] for event in log.events("state")]


def test_a_stage_that_hangs_is_recorded_while_it_hangs_and_shown(tmp_path: Path) -> None:
    world = enrolled(tmp_path)
    world.jobs._executor = hanging = Hanging(world.jobs._executor)
    watched: list[Any] = []
    conductor = Conductor(world, tmp_path / "inbox", watched.append, deadline_seconds=0.3)
    thread = threading.Thread(target=conductor.conduct, args=(1,))
    with FolderLock(tmp_path):
        thread.start()
        try:
            for _ in range(100):
                if states(world.log):
                    break
                thread.join(0.1)
            (event,) = world.log.events("state")
            assert event.data["state"] == "stuck" and not watched
            assert event.data["reason"] == "start of r0/self in round 0 has taken over 0.3 s"
            assert "netgain stop" in event.data["next"]
        finally:
            hanging.go.set()
            thread.join()
    assert states(world.log) == ["stuck", "running"]
    assert final(world, 0, "self").done


def test_a_stage_in_its_time_is_not_called_stuck(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    conduct(world, tmp_path)
    assert states(world.log) == []


def test_a_stuck_study_is_shown_as_such_while_its_process_lives_and_as_paused_afterwards(tmp_path: Path) -> None:
    stuck = {"state": "stuck", "reason": "build of r0/self has taken over 5 s", "since": "t"}
    facts = Facts(states=[stuck])
    with FolderLock(tmp_path):
        shown = _state(tmp_path, facts, "later")
    assert {name: shown[name] for name in stuck} == stuck and shown["state"] in STATES
    assert shown["next"] == {"who": "human", "cmd": f"netgain stop {tmp_path}"}
    assert _state(tmp_path, facts, "later")["state"] == "paused"
