"""Recorded calls: what was asked and what came back, so that a study can be done again without its endpoint.

A loop keeps the calls of a round in its position, which the study stores under the digest of its bytes and names in its
log. Not kept: what a stage asked that failed as a whole, and what was asked while a system answered items.
Positions stay in a finished study because the loop says `keeps_positions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netgain.canonical import digest
from netgain.errors import ConfigError
from netgain.ledger import Ledger
from netgain.stores import ObjectStore
from netgain.wire import unpack

Json = Any
KEPT = "calls"  # key of a position


@dataclass(frozen=True)
class Call:
    """One request with what came of it, after all tries.

    Attributes:
        request: the body that was sent; the key is no part of it.
        text: what the model wrote; None where there is no complete answer.
        failure: why there is none, of `replies.KINDS`; None where there is one.
        tokens: (read, written) of all tries; None where they are not known.
    """

    request: Mapping[str, Json]
    text: str | None
    failure: str | None
    tokens: tuple[int, int] | None

    def record(self) -> dict[str, Json]:
        """The call as a packable value."""
        tokens = None if self.tokens is None else list(self.tokens)
        return {"request": dict(self.request), "text": self.text, "failure": self.failure, "tokens": tokens}


def from_record(record: Mapping[str, Json]) -> Call:
    """A call from its record."""
    tokens = record["tokens"]
    told = None if tokens is None else (int(tokens[0]), int(tokens[1]))
    return Call(record["request"], record["text"], record["failure"], told)


def recorded(folder: Path) -> dict[str, Call]:
    """Digest of a request -> the call, of all calls that the positions of a study hold.

    Raises:
        ConfigError: the study has none.
    """
    found = {digest(dict(call.request)): call for call in _calls(folder)}
    if not found:
        fix = "give the folder of a study of the recipe `scaffold`, with its objects"
        raise ConfigError("no recorded calls", where=str(folder), fix=fix)
    return found


def _calls(folder: Path) -> Iterator[Call]:
    store = ObjectStore(folder / "objects")
    with Ledger.open(folder, readonly=True) as log:
        positions = {event.data["out"].get("position") for event in log.events("stage_done")}
    for name in sorted(positions - {None}):
        state = unpack(store.get(name))
        kept = state.get(KEPT, []) if isinstance(state, dict) else []
        yield from map(from_record, kept)
