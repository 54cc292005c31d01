"""Loop code in this process, for tests and for looking at what crosses the wall: no isolation at all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from netgain.executors.frames import receive, send
from netgain.executors.worker import Tasks, run_task
from netgain.inert import loop_error
from netgain.stages import Loop


class InProcess:
    """An executor that runs tasks where it stands and keeps a copy of each, packed and unpacked as on a pipe."""

    def __init__(self, loop: Loop) -> None:
        self._tasks = Tasks(loop)
        self._lock = threading.Lock()
        self.sent: list[dict[str, Any]] = []

    def call(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Do one task; errors of loop code are `StageError`, as from a worker process."""
        with self._lock:
            crossed = _crossed(task)
            self.sent.append(crossed)
            answer = _crossed(run_task(self._tasks, crossed))
        if not answer["ok"]:
            raise loop_error(answer, task["op"])
        return answer


def _crossed(value: Mapping[str, Any]) -> dict[str, Any]:
    pipe = BytesIO()
    send(pipe, value)
    pipe.seek(0)
    return dict(receive(pipe) or {})
