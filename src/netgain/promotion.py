"""The stages judge and apply: a decision on fresh pairs, and pointers that move by its receipt or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netgain.budget import total
from netgain.errors import IntegrityError
from netgain.evaluation import Sheet, evaluate
from netgain.evidence.tally import unanswered_is_wrong
from netgain.items import Block
from netgain.jobs import Spend
from netgain.ledger.events import Event
from netgain.run import Row
from netgain.seeding import gate_key
from netgain.suite import Axis
from netgain.world import Outcome, World

Json = Any


def judge(row: Row, world: World) -> Outcome:
    """Ask for pairs, block by block, until the gate decides."""
    arm = world.arm(row)
    mode = arm.gate or world.mode
    systems = {"candidate": str(row.candidate), "released": str(row.released), "anchor": str(row.anchor)}
    sheets: dict[tuple[str, str], Sheet] = {}
    spends: list[Spend] = []
    looks = max(1, world.suite.max_pairs // world.suite.block)
    for look in range(looks):
        new, spend, _ = evaluate(
            world.jobs, _gate_axes(world), _gate_blocks(row, world, look), systems, world.asking(row, "judge")
        )
        spends.append(spend)
        for sheet in new:
            before = sheets.get((sheet.axis, sheet.role))
            sheets[sheet.axis, sheet.role] = before.then(sheet) if before else sheet
        columns, last = _columns(sheets), look == looks - 1
        decision = world.gate.decide(mode, row.round, columns, exhausted=last, waived=arm.waived)
        if decision.final:
            break
    events = [Event("scores", row.id, sheet.record(row.round, world.contract)) for sheet in sheets.values()]
    return _ruled(row, world, mode, decision, events, total(spends))


def _ruled(row: Row, world: World, mode: str, decision: Any, events: list[Event], spend: Spend) -> Outcome:
    moves = decision.outcome == "promote" or mode == "watch"
    move, waived = (str(row.candidate), str(row.released)), world.arm(row).waived
    receipt = world.gate.receipt(mode, decision, *move, waived=waived) if moves else None
    record = {
        "round": row.round,
        "candidate": row.candidate,
        "released": row.released,
        **decision.to_json(),
        "receipt": receipt,
    }
    events = [*events, Event("gate_decision", row.id, record)]
    return Outcome(
        replace(row, stage="apply", verdict=decision.outcome),
        {"outcome": decision.outcome, "receipt": receipt},
        events,
        answer=spend,
    )


def _gate_axes(world: World) -> list[Axis]:
    return [world.suite.gate_axis, *(axis for axis in world.suite.guards if axis is not world.suite.gate_axis)]


def _gate_blocks(row: Row, world: World, look: int) -> dict[str, Block]:
    key = gate_key(str(row.candidate), str(row.released))
    axes = _gate_axes(world)
    return {
        axis.name: world.dealer.gate(axis, key, look * axis.gate_items, axis.gate_items, row.round) for axis in axes
    }


def _columns(sheets: Mapping[tuple[str, str], Sheet]) -> dict[str, dict[str, Sequence[float | None]]]:
    columns: dict[str, dict[str, Sequence[float | None]]] = {}
    for (axis, role), sheet in sheets.items():
        values = unanswered_is_wrong({"values": sheet.values, "status": sheet.status})["values"]
        columns.setdefault(axis, {})[role] = values if role == "candidate" else sheet.values
    return columns


def apply(row: Row, world: World) -> Outcome:
    """Move the pointers. The released one moves with a receipt that names this very move, or not at all."""
    arm, candidate = world.arm(row), str(row.candidate)
    mode = arm.gate or world.mode
    if mode == "none":  # plain training serves the best of its menu on the report split; nothing is decided here
        moved = replace(row, working=candidate, released=candidate)
    elif row.verdict == "promote" or mode == "watch":
        moved = _promote(row, world)
    else:
        moved = _not_promoted(row, mode)
    accepted = None if mode == "watch" else {"promote": True, "reject": False}.get(str(row.verdict))
    after = replace(moved, stage="measure", change=None, candidate=None, accepted=accepted)
    out = {"working": after.working, "released": after.released, "restored": after.restores > row.restores}
    return Outcome(after, out)


def _promote(row: Row, world: World) -> Row:
    receipt = _receipt(row, world)
    if not world.gate.admits(receipt, str(row.candidate), str(row.released), waived=world.arm(row).waived):
        raise IntegrityError(
            f"round {row.round} would promote {str(row.candidate)[:12]} with no receipt for this move",
            where=row.id,
            fix="nothing was moved; look at the run's gate_decision",
        )
    return replace(
        row, working=row.candidate, released=row.candidate, safe_position=row.position, safe_feedback=row.feedback
    )


def _not_promoted(row: Row, mode: str) -> Row:
    if mode == "strict":
        return replace(row, working=row.released)
    if row.verdict == "reject":  # harm shown: back to the released system, and to the position it was released in
        back = {"working": row.released, "position": row.safe_position, "feedback": row.safe_feedback}
        return replace(row, restores=row.restores + 1, **back)  # type: ignore[arg-type]
    return replace(row, working=row.candidate)


def _receipt(row: Row, world: World) -> Mapping[str, Json] | None:
    """The receipt in the run's last gate decision, read back from the log."""
    found = [event for event in world.log.events("gate_decision", row.id) if event.data["round"] == row.round]
    if not found:
        what = f"no gate decision of round {row.round} in the log"
        raise IntegrityError(what, where=row.id, fix="run `netgain verify`")
    return found[-1].data["receipt"]  # type: ignore[no-any-return]
