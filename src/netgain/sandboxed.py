"""Which sandboxes ran the programs of strangers: noted by the judge, told by workers, recorded by the coordinator.

A study has an event `sandbox_used` of each sandbox in each of its sessions, before any result that came out of it.
Not covered: a program that loop code runs past the judge.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from netgain.errors import SandboxError

Used = tuple[str, int]  # name of the backend, level
SEEN: set[Used] = set()  # of this process, since it began


class Sandboxes:
    """Records a sandbox when its name is first heard of in a session.

    Args:
        log: has `append`.
        least: registered level; None where the loop registered none.
    """

    def __init__(self, log: Any, least: int | None) -> None:
        self._log, self._least = log, least
        self._known: set[Used] = set()
        self._lock = threading.Lock()

    def __call__(self, told: Iterable[tuple[str, int]]) -> None:
        """Record what is new.

        Raises:
            SandboxError: one below the registered level, which is on record by then.
        """
        from netgain.ledger.events import Event  # workers import this module, and need no ledger

        with self._lock:
            for backend, level in sorted({(str(name), int(level)) for name, level in told} - self._known):
                self._log.append([Event("sandbox_used", None, {"backend": backend, "level": level})])
                if self._least is not None and level < self._least:
                    what = f"a program ran in {backend!r}, level S{level}, registered is S{self._least} at least"
                    raise SandboxError(what, fix="mend the sandbox (netgain doctor --sandbox), run in a new folder")
                self._known.add((backend, level))
