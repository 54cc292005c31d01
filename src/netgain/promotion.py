"""The stages judge and apply: a decision on fresh pairs, and pointers that move by its receipt or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from netgain.approvals import DENIED, EXPIRED, gated
from netgain.budget import total
from netgain.errors import IntegrityError
from netgain.evaluation import Sheet, averaged, evaluate
from netgain.evidence.ladder import LadderStep, mean_gain
from netgain.evidence.tally import unanswered_is_wrong
from netgain.items import Block
from netgain.jobs import Spend
from netgain.ledger.events import Event
from netgain.run import Row, run_id
from netgain.seeding import gate_key, stream
from netgain.sightings import counted, in_answers, recorded
from netgain.suite import Axis
from netgain.world import Outcome, World

Json = Any


def judge(row: Row, world: World) -> Outcome:
    """Screen where the plan says so; then ask for pairs, block by block, until the gate decides."""
    arm = world.arm(row)
    mode = gate_mode(row, world)
    systems = {"candidate": str(row.candidate), "released": str(row.released), "anchor": str(row.anchor)}
    sheets: dict[tuple[str, str], Sheet] = {}
    confirmed, promoted = _history(row, world)
    events, spends, decision = _screened(row, world, mode, systems, promoted)
    row = replace(row, shown=_shown(row, world, mode))
    if decision is not None:
        return _ruled(row, world, mode, decision, events, total(spends))
    looks = max(1, world.suite.max_pairs // world.suite.block)
    for look in range(looks):
        new, spent = _answers(row, world, look, systems)
        spends += spent
        for sheet in new:
            before = sheets.get((sheet.axis, sheet.role))
            sheets[sheet.axis, sheet.role] = before.then(sheet) if before else sheet
        columns, last = _columns(sheets), look == looks - 1
        decision = world.gate.decide(mode, confirmed + 1, columns, exhausted=last, waived=arm.waived, promoted=promoted)
        if decision.final:
            break
    row = replace(row, shown=_shown(row, world, mode, decision, columns[world.suite.gate_axis.name]))
    drawn = _drawn(row, world) if arm.gate == "random" else None
    if drawn and decision.outcome != "promote":  # a receipt without the gate's consent is one of a gate that watches
        mode = "watch"
        decision = world.gate.decide(mode, confirmed + 1, columns, exhausted=last, waived=arm.waived, promoted=promoted)
    events += [Event("scores", row.id, sheet.record(row.round, world.contract)) for sheet in sheets.values()]
    found = in_answers(sheets.values())
    row, met = recorded(row, world, "judge", found)
    ruled = _ruled(row, world, mode, decision, [*events, *met], total(spends), drawn)
    return replace(ruled, out={**ruled.out, **counted(world, found)})


def _history(row: Row, world: World) -> tuple[int, int]:
    """Confirmations of the run before this round, and promotions among them: what its error budget was spent on."""
    past = (event.data for event in world.log.events("gate_decision", row.id) if event.data["round"] < row.round)
    outcomes = [one["outcome"] for one in past if one["reason"] != "screened"]
    return len(outcomes), outcomes.count("promote")


def _screened(
    row: Row, world: World, mode: str, systems: Mapping[str, str], promoted: int
) -> tuple[list[Event], list[Spend], Any]:
    """Scores on development items that the proposer was not given, and the decision where they stop the candidate."""
    if not world.screen_items or mode != "strict" or world.arm(row).gate == "random":
        return [], [], None
    axis, two = world.suite.gate_axis, {role: systems[role] for role in ("candidate", "released")}
    block = world.dealer.dev(axis, row.replica, row.round, world.screen_items, world.suite.dev_items)
    asking = replace(world.asking(row, "judge"), seed=world.seed(row, "judge", "screen"))
    new, spend, _ = evaluate(world.jobs, [axis], {axis.name: block}, two, asking, vital="candidate")
    columns = _columns({(sheet.axis, sheet.role): sheet for sheet in new})[axis.name]
    events = [Event("scores", row.id, sheet.record(row.round, world.contract)) for sheet in new]
    return (
        events,
        [spend],
        world.gate.screen(mode, promoted, columns["candidate"], columns["released"], waived=world.arm(row).waived),
    )


def _answers(row: Row, world: World, look: int, systems: Mapping[str, str]) -> tuple[list[Sheet], list[Spend]]:
    """The next block, every system asked as often as the plan draws, the draws averaged inside the item."""
    drawn, spends, blocks = [], [], _gate_blocks(row, world, look)
    for draw in range(world.draws):
        asking = world.asking(row, "judge")
        asking = replace(asking, seed=world.seed(row, "judge", f"answer|{draw}")) if draw else asking
        new, spend, _ = evaluate(world.jobs, gate_axes(world), blocks, systems, asking, vital="candidate")
        drawn.append(new)
        spends.append(spend)
    return [averaged(same) for same in zip(*drawn, strict=True)], spends


def _shown(
    row: Row, world: World, mode: str, decision: Any = None, columns: Mapping[str, Any] | None = None
) -> float | None:
    """The number that the loop is shown from here on: moved by a decision, or as it was; None in runs without one.

    A gate that only watches tells nothing, and where promotions are drawn no truth is to come through. A void decision
    moves nothing.
    """
    if world.show_step is None or mode == "watch" or world.arm(row).gate == "random":
        return None
    ladder = LadderStep(world.show_step, round((row.shown or 0.0) / world.show_step))
    if columns is None or decision.reason in ("missing", "unreadable"):
        return ladder.best
    return ladder.after(*mean_gain(columns["candidate"], columns["anchor"])).best


def gate_mode(row: Row, world: World) -> str:
    """Mode of the gate in a run; a gate whose promotions are drawn works in the study's."""
    own = world.arm(row).gate
    return world.mode if own in ("", "random") else own


def _drawn(row: Row, world: World) -> bool:
    """Whether a round of `random_gate` is one of its promotions: as many as `self` had, drawn from its rounds.

    A round's lot is its stream, so that a verifier can draw the same ones; the smallest lots win.
    """
    first, arm = run_id(row.replica, "self"), world.arm(row).name
    count = sum(event.data["receipt"] is not None for event in world.log.events("gate_decision", first))
    last = (world.log.row(first) or {}).get("round", world.rounds)
    lots = {k: stream(world.root, row.replica, k, "judge", "draw", arm=arm) for k in range(1, last + 1)}
    return row.round in sorted(lots, key=lambda k: lots[k])[:count]


def _ruled(
    row: Row,
    world: World,
    mode: str,
    decision: Any,
    events: list[Event],
    spend: Spend,
    drawn: bool | None = None,
) -> Outcome:
    """The decision on record, with a receipt when the released system is to move."""
    outcome = decision.outcome
    if drawn is not None:  # a promotion that was not drawn stays undecided; harm that was shown is still undone
        outcome = "promote" if drawn else "undecided" if outcome == "promote" else outcome
    moves = outcome == "promote" or mode == "watch"
    move, waived = (str(row.candidate), str(row.released)), world.arm(row).waived
    receipt = world.gate.receipt(mode, decision, *move, waived=waived) if moves else None
    record = {
        "round": row.round,
        "candidate": row.candidate,
        "released": row.released,
        **decision.to_json(),
        "receipt": receipt,
        **({} if drawn is None else {"drawn": drawn}),
        **({} if row.shown is None else {"shown": row.shown}),
    }
    adopts = outcome == "promote" or mode == "watch" or (mode == "advance" and outcome != "reject")
    after, asked = gated(replace(row, verdict=outcome), world, adopts)
    events = [*events, Event("gate_decision", row.id, record), *asked]
    return Outcome(after, {"outcome": outcome, "receipt": receipt}, events, answer=spend)


def gate_axes(world: World) -> list[Axis]:
    """The gate axis and the guards."""
    return [world.suite.gate_axis, *(axis for axis in world.suite.guards if axis is not world.suite.gate_axis)]


def _gate_blocks(row: Row, world: World, look: int) -> dict[str, Block]:
    key = gate_key(str(row.candidate), str(row.released))
    axes = gate_axes(world)
    return {
        axis.name: world.dealer.gate(axis, key, look * axis.gate_items, axis.gate_items, row.round) for axis in axes
    }


def _columns(sheets: Mapping[tuple[str, str], Sheet]) -> dict[str, dict[str, Any]]:
    columns: dict[str, dict[str, Any]] = {}
    for (axis, role), sheet in sheets.items():
        values = unanswered_is_wrong({"values": sheet.values, "status": sheet.status})["values"]
        columns.setdefault(axis, {})[role] = values if role == "candidate" else sheet.values
        if sheet.block.clusters is not None:
            columns[axis]["clusters"] = sheet.block.clusters
    return columns


def apply(row: Row, world: World) -> Outcome:
    """Move the pointers. The released one moves with a receipt that names this very move, or not at all."""
    mode, candidate = gate_mode(row, world), str(row.candidate)
    if row.verdict in (DENIED, EXPIRED):  # people said no, or nothing: the round changes the loop's own state only
        moved = row
    elif mode == "none":  # plain training serves the best of its menu on the report split; nothing is decided here
        moved = replace(row, working=candidate, released=candidate)
    elif row.verdict == "promote" or (mode == "watch" and not _held(row, world)):
        moved = _promote(row, world)
    else:
        moved = _not_promoted(row, mode)
    told = {"promote": True, "reject": False, "dropped": False, DENIED: False, EXPIRED: False}
    accepted = None if mode == "watch" else told.get(str(row.verdict))
    after = replace(moved, stage="measure", change=None, candidate=None, accepted=accepted)
    out = {"working": after.working, "released": after.released, "restored": after.restores > row.restores}
    return Outcome(after, out)


def _held(row: Row, world: World) -> bool:
    """Whether a monitor kept the candidate from the gate: a gate that only watches let nothing through then."""
    acted = [one.data["acted"] for one in world.log.events("watched", row.id) if one.data["round"] == row.round]
    return bool(acted) and acted[-1] in ("freeze", "reject", "roll_back", "halt")


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
    return row if row.verdict == "dropped" else replace(row, working=row.candidate)


def _receipt(row: Row, world: World) -> Mapping[str, Json] | None:
    """The receipt in the run's last gate decision, read back from the log."""
    found = [event for event in world.log.events("gate_decision", row.id) if event.data["round"] == row.round]
    if not found:
        what = f"no gate decision of round {row.round} in the log"
        raise IntegrityError(what, where=row.id, fix="run `netgain verify`")
    return found[-1].data["receipt"]  # type: ignore[no-any-return]
