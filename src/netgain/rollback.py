"""Back to an earlier generation of a run, because a person asked: pointers move, the round in progress is given up.

The system that a promotion replaced stays stored until all runs are over, so going back needs no building. The next
stage of the run measures what was restored, in place of the round that was given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from netgain.approvals import unaided
from netgain.errors import IntegrityError
from netgain.ledger.events import Event
from netgain.run import Row
from netgain.world import Log, World

Json = Any


def generations(log: Log, run: str) -> dict[int, dict[str, Json]]:
    """Generation -> row in which it was released: 0, and every round whose candidate was promoted."""
    found: dict[int, dict[str, Json]] = {}
    before = None
    for event in log.events("stage_done", run):
        row, stage = event.data["row"], event.data["stage"]
        if stage in ("start", "apply") and row["released"] not in (None, before):
            found[event.data["round"]] = row
        before = row["released"]
    return found


def unwanted(log: Log, run: str, to: str) -> str:
    """Why a run cannot go back to a generation, as far as the log says; "" when it can."""
    row, known = log.row(run), generations(log, run)
    if row is None:
        return f"no run {run!r}, expected one of {', '.join(log.rows())}"
    if row["stage"] == "done":
        return f"{run} is over: what it serves is fixed"
    if not to.isdigit() or int(to) not in known:
        told = ", ".join(map(str, known)) or "none yet"
        return f"generation {to!r} of {run} was not promoted, expected one of {told}"
    if known[int(to)]["released"] == row["released"]:
        return f"generation {to} is what {run} has released already"
    return ""


def rolled_back(request: Mapping[str, str], world: World) -> tuple[list[Event], str]:
    """The events of a rollback, or none and why not: the generation has to be promoted, and stored to the byte."""
    run, to = request["run"], request["to"]
    if wrong := unwanted(world.log, run, to):
        return [], wrong
    row = Row.from_json(world.log.row(run) or {})
    if unaided(world.arm(row)):
        return [], f"in {run} the default stands for people"
    then = Row.from_json(generations(world.log, run)[int(to)])
    system = str(then.released)
    try:
        world.store.get(system)
    except IntegrityError as error:
        return [], f"generation {to} of {run} is not stored: {error.what}"
    after = replace(
        row, stage="measure", working=system, released=system, change=None, candidate=None, verdict=None,
        accepted=False, restores=row.restores + 1, position=then.safe_position, feedback=then.safe_feedback,
        safe_position=then.safe_position, safe_feedback=then.safe_feedback,
    )  # fmt: skip
    moved = {"round": row.round, "to": int(to), "system": system, "by": request["by"], "reason": request["reason"]}
    return [_decision(row, world, moved), Event("rollback", run, {**moved, "row": after.to_json()})], ""


def _decision(row: Row, world: World, moved: Mapping[str, Json]) -> Event:
    """The decision record: about the surface of the first change that is undone."""
    undone = [one.data["surface"] for one in world.log.events("decision", row.id) if one.data["round"] > moved["to"]]
    record = {
        "round": row.round, "locus": "rollback", "surface": undone[0] if undone else world.loop.surfaces[0],
        "decided_by": "person", "reason": f"{moved['by']}: {moved['reason']}", "options": None,
        "evidence": {"to": moved["to"], "system": moved["system"]},
    }  # fmt: skip
    return Event("decision", row.id, record)
