"""Tasks are done once per replica, charged to all who ask, and failures are heard by all and remembered by nobody."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from netgain.budget import Budget
from netgain.errors import IntegrityError, SandboxError
from netgain.jobs import Jobs
from netgain.stores import ObjectStore


class Counting:
    """An executor that counts its calls; `slow` holds each one back until it is let go, `fail` raises so often."""

    def __init__(self, *, fail: int = 0, slow: bool = False) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.fail = fail
        self.go = threading.Event()
        if not slow:
            self.go.set()

    def call(self, task: Any) -> dict[str, Any]:
        self.tasks.append(dict(task))
        assert self.go.wait(10)
        if len(self.tasks) <= self.fail:
            raise SandboxError("died")
        return {"ok": True, "value": len(self.tasks), "spent": {"tokens": 7.0}, "device_seconds": 1.5}


def jobs_on(executor: Counting, folder: Path) -> Jobs:
    return Jobs(executor, ObjectStore(folder))


def let_go(executor: Counting, done: list[Any]) -> None:
    """Let the one call go on once it has begun and the other threads have had time to ask for the same."""
    deadline = time.monotonic() + 5
    while len(executor.tasks) < 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.05)
    assert not done
    executor.go.set()


def test_an_equal_task_is_done_once_in_a_replica_and_charged_to_everybody(tmp_path: Path) -> None:
    executor = Counting()
    jobs = jobs_on(executor, tmp_path)
    one, other = (jobs.do(0, "answer", inputs=["a"], seed="1") for _ in range(2))
    assert len(executor.tasks) == 1
    assert one == other
    assert other.spend["tokens"] == 7.0
    assert other.spend["device_seconds"] == 1.5
    assert other.spend["flops"] is None


@pytest.mark.parametrize(
    "change",
    [{"replica": 1}, {"op": "propose"}, {"inputs": ["b"]}, {"seed": "2"}, {"budget": Budget(tokens=1.0)},
     {"systems": {"system": 0}}, {"sampled": True}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_task_that_differs_in_anything_is_another_task(tmp_path: Path, change: dict[str, Any]) -> None:
    executor = Counting()
    jobs = jobs_on(executor, tmp_path)
    if "systems" in change:
        change = {"systems": {"system": ObjectStore(tmp_path).put(b"one")}}
    task = {"replica": 0, "op": "answer", "inputs": ["a"], "seed": "1"}
    jobs.do(**task)
    jobs.do(**{**task, **change})
    assert len(executor.tasks) == 2


def test_the_name_of_the_replica_does_not_reach_the_loop(tmp_path: Path) -> None:
    executor = Counting()
    jobs = jobs_on(executor, tmp_path)
    for replica in (0, 1):
        jobs.do(replica, "answer", inputs=["a"], seed="1")
    assert executor.tasks[0] == executor.tasks[1]


def test_a_system_is_sent_as_its_bytes_under_its_digest(tmp_path: Path) -> None:
    executor = Counting()
    digest = ObjectStore(tmp_path).put(b"weights")
    jobs_on(executor, tmp_path).do(0, "answer", systems={"system": digest})
    assert executor.tasks[0]["system"] == {"digest": digest, "data": b"weights"}


def test_a_system_that_is_not_stored_stops_the_task(tmp_path: Path) -> None:
    executor = Counting()
    with pytest.raises(IntegrityError, match="no object"):
        jobs_on(executor, tmp_path).do(0, "answer", systems={"system": "0" * 64})
    assert not executor.tasks


def test_those_who_ask_at_the_same_time_wait_for_one_result(tmp_path: Path) -> None:
    executor, done = Counting(slow=True), []
    jobs = jobs_on(executor, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(jobs.do, 0, "build", seed="1") for _ in range(4)]
        for one in asked:
            one.add_done_callback(done.append)
        let_go(executor, done)
        values = {one.result().value for one in asked}
    assert values == {1}
    assert len(executor.tasks) == 1


def test_an_error_reaches_all_who_wait_and_is_not_remembered(tmp_path: Path) -> None:
    executor, done = Counting(fail=1, slow=True), []
    jobs = jobs_on(executor, tmp_path)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(jobs.do, 0, "build", seed="1") for _ in range(3)]
        for one in asked:
            one.add_done_callback(done.append)
        let_go(executor, done)
        errors = [one.exception() for one in asked]
    assert [type(error) for error in errors] == [SandboxError] * 3
    assert len(executor.tasks) == 1
    assert jobs.do(0, "build", seed="1").value == 2


def test_a_finished_replica_is_forgotten_and_no_other(tmp_path: Path) -> None:
    executor = Counting()
    jobs = jobs_on(executor, tmp_path)
    for replica in (0, 1):
        jobs.do(replica, "start", seed="1")
    jobs.forget(0)
    jobs.forget(9)  # one that was never there
    assert [jobs.do(replica, "start", seed="1").value for replica in (0, 1)] == [3, 2]
