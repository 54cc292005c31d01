"""Builds of several runs handed to one worker at once, for a loop that can build them abreast (`Loop.build_many`).

A free worker does whatever else waits first, so that builds gather; then it takes up to `MOST` of them. Which builds
meet is an accident of timing: such a loop gives each run the same bytes whoever is built beside it.

A stack that fails or kills its worker is no run's failure: each of its builds is done again alone, and what fails or
kills its worker alone is counted as always. A stack that is lost with the coordinator was never recorded, and each run
asks again. Not covered: how the measured seconds of a stack divide. Each run is booked an equal share of them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from netgain.errors import StageError, WorkerDied

Task = Mapping[str, Any]
MOST = 6  # builds in one stack


class Workers(Protocol):
    """What does one task, and blocks when all are taken (`netgain.executors.LocalWorkers`)."""

    count: int

    def call(self, task: Task) -> dict[str, Any]: ...


@dataclass(eq=False)
class _Asked:
    task: Task
    answer: Future[dict[str, Any]] = field(default_factory=Future)


class Gathering:
    """Takes tasks from many threads and hands builds on in stacks."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._idle = workers.count
        self._asked: list[_Asked] = []
        self._turn = threading.Condition()

    def call(self, task: Task) -> dict[str, Any]:
        """Do one task, as `LocalWorkers.call` does; a build perhaps together with others that wait."""
        mine = _Asked(task)
        with self._turn:
            self._asked.append(mine)
            self._turn.wait_for(lambda: mine.answer.done() or (self._idle > 0 and mine in self._due()[:1]))
            group = [] if mine.answer.done() else self._due()
            self._asked = [one for one in self._asked if one not in group]
            self._idle -= bool(group)
            self._turn.notify_all()
        if group:
            self._lead(group)
        return mine.answer.result()

    def _due(self) -> list[_Asked]:
        """What the next free worker does."""
        others = [one for one in self._asked if one.task["op"] != "build"]
        return others[:1] or self._asked[:MOST]

    def _lead(self, group: Sequence[_Asked]) -> None:
        try:
            self._do(group)
        finally:
            with self._turn:
                self._idle += 1
                self._turn.notify_all()

    def _do(self, group: Sequence[_Asked]) -> None:
        try:
            answers = self._stacked([one.task for one in group]) if len(group) > 1 else None
        except BaseException as error:  # noqa: BLE001  broad: whoever is in the stack must hear of it
            for one in group:
                one.answer.set_exception(error)
            return
        for place, one in enumerate(group):
            try:
                one.answer.set_result(answers[place] if answers else self._workers.call(one.task))
            except BaseException as error:  # noqa: BLE001  broad: the thread that asked raises it
                one.answer.set_exception(error)

    def _stacked(self, tasks: Sequence[Task]) -> list[dict[str, Any]] | None:
        """Answers of builds done together, or None: then each has to be done alone."""
        limits = {name: tasks[0][name] * len(tasks) for name in ("deadline_seconds",) if name in tasks[0]}
        try:
            told = self._workers.call({"op": "build_many", "tasks": list(tasks), **limits})
        except (StageError, WorkerDied):
            return None
        made, seconds = told["value"], told["device_seconds"] / len(tasks)
        return [{"value": {"system": one["system"]}, "spent": one["spent"], "device_seconds": seconds} for one in made]
