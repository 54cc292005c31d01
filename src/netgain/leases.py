"""Leases on work, fenced by a counter: a late result is refused because its number is old, whatever any clock says.

A lease is numbered (epoch, token): the epoch is the coordinator's (`Ledger.epoch`), the token counts within it. Who
takes a job over gets a higher number, and with that the number of whoever had it before is worth nothing. Nothing here
expires by itself: a coordinator that gives up waiting says so with `revoke`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Lease(NamedTuple):
    """A right to give the result of one job; of two, the larger number is the later one."""

    epoch: int
    token: int


class Leases:
    """Who may give which result. Safe to share between threads."""

    def __init__(self, epoch: int = 0) -> None:
        self._epoch = epoch
        self._token = 0
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def grant(self, job: str) -> Lease:
        """Lease a job, which ends the lease that there was on it."""
        with self._lock:
            self._token += 1
            self._held[job] = lease = Lease(self._epoch, self._token)
            return lease

    def revoke(self, job: str) -> None:
        """End the lease on a job: nobody may give its result until it is granted again."""
        with self._lock:
            self._held.pop(job, None)

    def first(self, job: str, lease: Lease, results: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
        """Of results that arrive, the one that holds the lease, without it; None when there is none.

        Args:
            results: each with its lease, [epoch, token], under "lease".
        """
        for result in results:
            given = dict(result)
            said = given.pop("lease", None)
            if said is not None and list(said) == list(lease) and self.settle(job, lease):
                return given
        return None

    def settle(self, job: str, lease: Lease) -> bool:
        """Whether a result counts: True once, for who holds the job; False for a zombie and for a second delivery."""
        with self._lock:
            if self._held.get(job) != lease:
                return False
            del self._held[job]
            return True
