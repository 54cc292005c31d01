"""How often one task may kill its worker: three times, with pauses between; then it is given up, and the loop goes on.

Deaths are in the log, so that a task does not get three more tries from every session. Only a worker that had said it
was ready counts: one that cannot even start says something about the machine, and stops the study.

Does not cover: a machine that kills workers for reasons of its own (its memory is used up by others) three times in a
row at the same task looks like a task that kills its worker.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from netgain.errors import Poisoned, WorkerDied
from netgain.ledger.events import Event, Stored

DEATHS = 3
PAUSES_SECONDS = (0.1, 1.0)  # after the first death, after the second
KIND = "worker_died"

Given = TypeVar("Given")


class Log(Protocol):
    """The ledger, as deaths are kept in it."""

    def append(self, events: Sequence[Event]) -> object: ...

    def events(self, kind: str | None = ...) -> Iterable[Stored]: ...


class Deaths:
    """Deaths of workers by task: in the log where there is one, else in memory."""

    def __init__(self, log: Log | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._log = log
        self._sleep = sleep
        told = log.events(KIND) if log else ()
        self._count: Counter[str] = Counter(event.data["task"] for event in told)

    def attempt(self, task: str, about: dict[str, Any], call: Callable[[], Given]) -> Given:
        """Do a task whose worker may die.

        Args:
            task: digest of the task.
            about: what the record says of it beside.
            call: the task; raises `WorkerDied`.

        Raises:
            Poisoned: its worker died `DEATHS` times, in this session or before.
        """
        while self._count[task] < DEATHS:
            try:
                return call()
            except WorkerDied as error:
                self._record(task, about, error)
        raise Poisoned(
            f"{about['op']} killed its worker {DEATHS} times: invalid, never scored",
            where=f"task {task[:12]}",
            fix="look at the worker_died events for the reason",
        )

    def _record(self, task: str, about: dict[str, Any], error: WorkerDied) -> None:
        self._count[task] += 1
        count = self._count[task]
        if self._log is not None:
            self._log.append([Event(KIND, None, {"task": task, **about, "death": count, "reason": error.what})])
        if count < DEATHS:
            self._sleep(PAUSES_SECONDS[count - 1])
