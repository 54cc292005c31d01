"""Builds of several runs in one call: who is gathered, and what becomes of a stack that fails."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from netgain.errors import SandboxError, StageError, WorkerDied
from netgain.executors import MOST, Gathering


class Worker:
    """One worker that is busy with its first task until `free` is set; what it was asked is kept."""

    count = 1

    def __init__(self, fail: Exception | None = None, bad: int | None = None) -> None:
        self.free, self.begun, self.sent = threading.Event(), threading.Event(), list[Mapping[str, Any]]()
        self.fail, self.bad = fail, bad

    def call(self, task: Mapping[str, Any]) -> dict[str, Any]:
        self.sent.append(task)
        if task["op"] == "first":
            self.begun.set()
            self.free.wait()
        numbers = [one["seed"] for one in task.get("tasks", [task])]
        if self.fail and (self.bad in numbers or (self.bad is None and len(numbers) > 1)):
            raise self.fail
        made = [{"system": number, "spent": {"tokens": number}} for number in numbers]
        if "tasks" in task:
            return {"value": made, "spent": {}, "device_seconds": 6.0}
        return {"value": {"system": numbers[0]}, "spent": made[0]["spent"], "device_seconds": 1.0}


def asked(worker: Worker, tasks: list[dict[str, Any]]) -> list[Any]:
    """Answers, or errors, of tasks that all wait while the worker is busy."""
    gathering = Gathering(worker)
    with ThreadPoolExecutor(len(tasks) + 1) as pool:
        first = pool.submit(gathering.call, {"op": "first", "seed": -1})
        worker.begun.wait()
        waiting = [pool.submit(gathering.call, one) for one in tasks]
        while len(gathering._asked) < len(tasks):
            pass
        worker.free.set()
        first.result()
        return [one.exception() or one.result() for one in waiting]


def builds(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"op": "build", "seed": seed, **more} for seed in range(count)]


def test_builds_wait_for_other_tasks_and_then_go_together() -> None:
    worker = Worker()
    found = asked(worker, [*builds(MOST + 1, deadline_seconds=2.0), {"op": "answer", "seed": 9}])
    assert [one["value"]["system"] for one in found] == [*range(MOST + 1), 9]
    assert [one["op"] for one in worker.sent] == ["first", "answer", "build_many", "build"]
    assert len(worker.sent[2]["tasks"]) == MOST and worker.sent[2]["deadline_seconds"] == 2.0 * MOST
    together = [found[one["seed"]] for one in worker.sent[2]["tasks"]]
    assert [one["device_seconds"] for one in together] == [1.0] * MOST  # an equal share of the six seconds
    assert [one["spent"]["tokens"] for one in found[: MOST + 1]] == list(range(MOST + 1))


@pytest.mark.parametrize("error", [StageError("it raised"), WorkerDied("it ended")])
def test_builds_of_a_stack_that_fails_are_done_again_alone(error: Exception) -> None:
    worker = Worker(error, bad=1)
    found = asked(worker, builds(3))
    assert found[1] is error  # its own failure, and of no other run
    assert [found[i]["value"]["system"] for i in (0, 2)] == [0, 2]
    assert [one["op"] for one in worker.sent] == ["first", "build_many", "build", "build", "build"]


def test_without_workers_no_build_is_tried_again() -> None:
    error = SandboxError("none could be started")
    worker = Worker(error)
    assert asked(worker, builds(2)) == [error, error]
    assert [one["op"] for one in worker.sent] == ["first", "build_many"]
