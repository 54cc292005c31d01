"""Tasks for loop code: each done once per replica, however many arms ask for it, and charged to every one of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from netgain.budget import Budget, metered
from netgain.poison import Deaths
from netgain.wire import pack

Spend = dict[str, float | None]


class Executor(Protocol):
    """Runs one task of loop code on the other side of the wall."""

    def call(self, task: Mapping[str, Any]) -> dict[str, Any]: ...


class Store(Protocol):
    """Bytes by SHA-256."""

    def put(self, data: bytes) -> str: ...

    def get(self, digest: str) -> bytes: ...


@dataclass(frozen=True)
class Done:
    """The result of a task.

    Attributes:
        value: what the loop code gave.
        spend: what it cost when it was done, also for those who were given the stored result.
    """

    value: Any
    spend: Spend


class Jobs:
    """Sends tasks to an executor and remembers results by their inputs.

    Arms of a replica share streams and generation 0, so an arm whose intervention has not acted yet asks for exactly
    what another arm asked for. The stored result is that result: loop code is a function of the task.

    Args:
        executor, store: what runs tasks, and holds the systems that they need.
        deaths: how often tasks killed their workers, over sessions; in memory without it.
        deadline_seconds: of each task, for the executor to keep; no part of what a result depends on.
        ran_in: told the sandboxes of a worker before any result of it is given out (`netgain.sandboxed`).
    """

    def __init__(
        self, executor: Executor, store: Store, deaths: Deaths | None = None, deadline_seconds: float | None = None,
        ran_in: Callable[[Sequence[Any]], None] = lambda told: None,
    ) -> None:  # fmt: skip
        self._executor = executor
        self._store, self._ran_in = store, ran_in
        self._deaths = deaths or Deaths()
        self._limits = {} if deadline_seconds is None else {"deadline_seconds": deadline_seconds}
        self._known: dict[int, dict[str, Future[Done]]] = {}
        self._lock = threading.Lock()

    def do(
        self,
        replica: int,
        op: str,
        *,
        budget: Budget | None = None,
        systems: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Done:
        """Do a task, or give the stored result of the same task.

        Args:
            replica: scope of the memory.
            op: a method of `netgain.executors.worker.Tasks`.
            budget: allowance of the task.
            systems: field -> digest of a system that the task needs.
            fields: everything else; plain values.

        Raises:
            StageError: the loop's own code raised; `Poisoned`: it killed its worker again and again.
            SandboxError: no worker could be had.
        """
        task = {"op": op, "budget": (budget or Budget()).limits(), **fields}
        key = hashlib.sha256(pack({**task, "systems": dict(systems or {})})).hexdigest()
        with self._lock:
            scope = self._known.setdefault(replica, {})
            future = scope.get(key)
            mine = future is None
            if future is None:
                future = scope[key] = Future()
        if mine:
            self._fulfil(future, scope, key, task, systems or {})
        return future.result()

    def _fulfil(
        self,
        future: Future[Done],
        scope: dict[str, Future[Done]],
        key: str,
        task: dict[str, Any],
        systems: Mapping[str, str],
    ) -> None:
        try:
            sent = {name: {"digest": digest, "data": self._store.get(digest)} for name, digest in systems.items()}
            about = {"op": task["op"], "systems": dict(systems)}
            answer = self._deaths.attempt(key, about, partial(self._executor.call, {**task, **sent, **self._limits}))
            self._ran_in(answer.get("sandboxes", ()))
            future.set_result(Done(answer["value"], metered(answer["spent"], answer["device_seconds"])))
        except BaseException as error:  # noqa: BLE001  broad: whoever waits for the same task must hear of it too
            with self._lock:
                scope.pop(key, None)
            future.set_exception(error)

    def forget(self, replica: int) -> None:
        """Drop the results of a finished replica."""
        with self._lock:
            self._known.pop(replica, None)
