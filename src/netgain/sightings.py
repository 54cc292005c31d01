"""What was found of a study's canaries, on record: an event, and items that nobody of the run is scored on any more.

A canary in what a loop made shows that a protected item was where it must not be. The item then counts as trained on:
on the sealed block it is left out for all arms of the start, so the gain is that of the other items.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from netgain.canonical import canonical
from netgain.evaluation import Sheet
from netgain.items import known_by
from netgain.ledger.events import Event
from netgain.planted import NOTHING, Found
from netgain.run import Row
from netgain.suite import Item
from netgain.wire import pack
from netgain.world import World

Json = Any


def in_answers(sheets: Iterable[Sheet]) -> Found:
    """What the answers of all systems held; axes share the answers of one call, which are counted once."""
    total = NOTHING
    for found in {(one.system, one.outputs_of): one.found for one in sheets}.values():
        total = total + found
    return total


def told(row: Row, world: World, sheets: Sequence[Sheet]) -> list[Event]:
    """The `scores` events of a stage; where the study keeps answers, those of the claimed arm with theirs.

    `kept` names an object of canonical JSON: the answers, item by item, and the short digests of all items whose canary
    the call showed, which an answer may repeat.
    """
    keeps = world.canaries is not None and row.arm == world.canaries.answers_of
    return [
        Event("scores", row.id, one.record(row.round, world.contract) | (_kept(world, one) if keeps else {}))
        for one in sheets
    ]


def _kept(world: World, sheet: Sheet) -> dict[str, Json]:
    held = {"answers": list(sheet.answers or ()), "shown": sorted(sheet.shown)}
    return {"kept": world.store.put(canonical(held))}


def recorded(row: Row, world: World, stage: str, found: Found, evidence: str | None = None) -> tuple[Row, list[Event]]:
    """The row and the event after a search; neither changes where nothing was met.

    Args:
        evidence: digest of the object that holds what was found; by default it is stored here.
    """
    if not found.met or world.canaries is None:
        return row, []
    live = found.live
    after = replace(row, seen=world.known(row, live)) if live else row
    record = {
        "round": row.round, "stage": stage, "day": world.canaries.today(), "documents": len(found.documents),
        "met": [list(one) for one in found.met], "evidence": evidence or world.store.put(pack(list(found.documents))),
        "places": _places(row, world, live),
    }  # fmt: skip
    return after, [Event("canary_met", row.id, record)]


def counted(world: World, found: Found) -> dict[str, Json]:
    """For the record of a stage: documents searched, and those that held a live canary; nothing without canaries."""
    if world.canaries is None:
        return {}
    return {"canaries": {"searched": found.searched, "hits": len(found.documents) if found.live else 0}}


def _places(row: Row, world: World, items: Collection[str]) -> dict[str, dict[str, list[int]]]:
    """Split -> round -> places of items on the gate axis: in all report blocks, and where the gate has asked them."""
    axis, dealer = world.suite.gate_axis, world.dealer
    asked = {"report": {at: dealer.report(axis, row.replica, at).items for at in range(world.rounds + 1)}, "gate": {}}
    for one in (event.data for event in world.log.events("scores", row.id)):
        if (one["axis"], one["split"], one["role"]) == (axis.name, "gate", "candidate"):
            block = dealer.gate(axis, one["key"], one["start"], len(one["values"]), one["round"])
            asked["gate"][one["round"]] = block.items
    return {split: _found(blocks, items) for split, blocks in asked.items()}


def _found(blocks: Mapping[int, Sequence[Item]], items: Collection[str]) -> dict[str, list[int]]:
    places = {at: [place for place, one in enumerate(block) if known_by(one) in items] for at, block in blocks.items()}
    return {str(at): found for at, found in places.items() if found}
