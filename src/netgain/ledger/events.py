"""What one entry of the log is: the event as it was given, and the leaf object as it is stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netgain.canonical import canonical
from netgain.errors import LedgerError
from netgain.ledger.merkle import leaf_hash

Json = Any


@dataclass(frozen=True)
class Event:
    """Something that happened, before it is in the log.

    Attributes:
        kind: name of the event.
        run: run id ("r0/self"), or None for an event of the study itself.
        data: JSON object. `row` in it moves the run's row.
    """

    kind: str
    run: str | None
    data: Mapping[str, Json]


@dataclass(frozen=True)
class Stored:
    """An event of the log.

    Attributes:
        seq: place in the log, from 0.
        leaf: leaf hash, 64 hex digits.
        kind, run, data: as in `Event`.
        prev: leaf of the run's previous event (hex), None for its first; events without a run chain among themselves.
        time: UTC, ISO 8601.
    """

    seq: int
    leaf: str
    kind: str
    run: str | None
    prev: str | None
    time: str
    data: dict[str, Json]

    def body(self) -> bytes:
        """The bytes that the leaf hash covers."""
        rest = {"kind": self.kind, "run": self.run, "prev": self.prev, "time": self.time, "data": self.data}
        return canonical(rest)


def fold(entries: Iterable[Event | Stored]) -> dict[str, dict[str, Json]]:
    """Rows that a log implies, run -> `row` of the run's last event that has one: what the table must equal."""
    rows: dict[str, dict[str, Json]] = {}
    for entry in entries:
        if entry.run is not None and isinstance(entry.data.get("row"), dict):
            rows[entry.run] = entry.data["row"]
    return rows


def body_of(event: Event, *, prev: str | None, time: str) -> bytes:
    """The bytes of an event's entry: what the leaf hash covers.

    Raises:
        LedgerError: data that JSON cannot hold (NaN, an object, a key that is not text).
    """
    if event.run == "":
        raise LedgerError("run ''", where=f"event {event.kind!r}", fix="use None for an event of the study itself")
    leaf = {"kind": event.kind, "run": event.run, "prev": prev, "time": time, "data": dict(event.data)}
    try:
        return canonical(leaf)
    except (TypeError, ValueError) as error:
        where = f"event {event.kind!r} of run {event.run!r}"
        raise LedgerError(str(error), where=where, fix="record finite JSON values only; unknown is null") from None


def read(seq: int, body: bytes) -> Stored:
    """The entry that a body holds.

    Raises:
        LedgerError: bytes that are not a leaf object.
    """
    try:
        leaf = json.loads(body)
        return Stored(
            seq=seq,
            leaf=leaf_hash(body).hex(),
            kind=leaf["kind"],
            run=leaf["run"],
            prev=leaf["prev"],
            time=leaf["time"],
            data=leaf["data"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(
            f"not an event ({error})", where=f"ledger.db, seq {seq}", fix="run `netgain verify`, restore from a copy"
        ) from None
