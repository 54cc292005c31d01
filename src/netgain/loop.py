"""One step of one run: read the row, do the one stage it names, write result, leaf and pointer in one transaction.

    start → measure → [ propose → build (→ watch) → judge (→ approve) → apply (→ probation) → measure ] × rounds → done

Every stage is a function of the row and the world; doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from netgain.approvals import approve, gated, refusal
from netgain.arms import Arm
from netgain.budget import UNITS, Budget, exceeded, total
from netgain.canonical import digest
from netgain.errors import ConfigError, IntegrityError, Poisoned, StageError
from netgain.evaluation import evaluate
from netgain.jobs import Spend
from netgain.ledger.events import Event
from netgain.promotion import apply, judge
from netgain.proposal import propose, sources
from netgain.proving import on_trial, probation
from netgain.run import PLAN, Row, run_id
from netgain.sightings import counted, in_answers, recorded, told
from netgain.watching import halted, watch
from netgain.wire import unpack
from netgain.world import Outcome, World

Json = Any


def step(run: str, world: World) -> Outcome:
    """Do the next stage of a run; what comes back is in the log."""
    row = _accepted(world.log.row(run) or {}, run)
    here = {"round": row.round, "stage": row.stage, "key": digest([run, row.to_json()])}
    world.log.append([Event("stage_started", run, here)])
    try:
        outcome = STAGES[row.stage](row, world)
    except StageError as error:  # the boundary of loop code: the system's own failure, recorded and never scored
        outcome = _lost(row, error)
    outcome = replace(outcome, row=_charged(outcome))
    if outcome.row.stage == "measure" and row.stage not in ("start", "probation") and on_trial(row, outcome.row, world):
        outcome = replace(outcome, row=replace(outcome.row, stage="probation"))
    spend = {"start": outcome.start, "build": outcome.build, "answer": outcome.answer}
    done = Event("stage_done", run, {**here, "row": outcome.row.to_json(), "spend": spend, "out": outcome.out})
    world.log.append([*outcome.events, done])
    return outcome


def _accepted(record: dict[str, Json], run: str) -> Row:
    """The row of a run, if the stage that it names knows how to read it: a row outlives the code that wrote it."""
    stage, plan = record["stage"], record.get("plan")
    if plan not in ACCEPTS[stage]:
        raise ConfigError(
            f"the row of {run} has plan version {plan!r}, stage {stage!r} accepts {list(ACCEPTS[stage])}",
            where=run, fix="go on with the netgain that wrote it, or a later one",
        )  # fmt: skip
    return Row.from_json(record)


def _charged(outcome: Outcome) -> Row:
    row = outcome.row
    for phase in ("build", "answer"):
        amounts = getattr(outcome, phase)
        row = row.spend(phase, amounts) if amounts else row
    return row


def _lost(row: Row, error: StageError) -> Outcome:
    """A stage that failed by the system's own doing: the round brings nothing, the systems stay."""
    cause = "poison" if isinstance(error, Poisoned) else "system"
    failed = Event(
        "stage_failed", row.id, {"round": row.round, "stage": row.stage, "cause": cause, "message": str(error)}
    )
    unknown: Spend = dict.fromkeys(UNITS)  # what a failed stage cost was not reported
    if row.stage == "start":  # no generation 0, nothing to serve: the start is enrolled and counts as no success
        return Outcome(replace(row, stage="done", end="generation 0 failed"), {"lost": True}, [failed], start=unknown)
    after = replace(row, stage="measure", change=None, candidate=None, accepted=None)
    if row.stage == "judge":  # the build is paid and booked; what the answers cost is unknown
        return Outcome(after, {"lost": True}, [failed], answer=unknown)
    return Outcome(after, {"lost": True}, [failed], build=unknown)


def _refused(row: Row, why: str) -> Outcome:
    """A change that the policy does not let be built: a lost round that cost nothing; a control that has one failed."""
    failed = {"round": row.round, "stage": row.stage, "cause": "policy", "message": why}
    after = replace(row, stage="measure", change=None, candidate=None, accepted=False)
    return Outcome(after, {"lost": True}, [Event("stage_failed", row.id, failed)])


def start(row: Row, world: World) -> Outcome:
    """Make generation 0: the same for all arms of a replica."""
    done = world.jobs.do(row.replica, "start", seed=world.start_seed(row))
    system = world.store.put(done.value["system"])
    others = {other["anchor"] for other in world.log.rows().values() if other["replica"] == row.replica}
    if others - {None, system}:
        raise IntegrityError(
            f"`start` gave another generation 0 than before for start {row.replica}", where=row.id,
            fix="draw all randomness of `start` from its rng; then run a new study",
        )  # fmt: skip
    after = replace(row, stage="measure", anchor=system, working=system, released=system)
    return Outcome(after, {"system": system}, start=done.spend)


def build(row: Row, world: World) -> Outcome:
    """Make the candidate from parent and change."""
    stored = unpack(world.store.get(str(row.change)))
    if refused := refusal(row, world, stored["change"]):
        return _refused(row, refused)
    arm = world.arm(row)
    done = world.jobs.do(
        row.replica, "build", budget=Budget(**stored["budget"]), systems={"parent": sources(row, arm)["parent"]},
        change=stored["change"], seed=world.seed(row, "build"),
    )  # fmt: skip
    candidate = world.store.put(done.value["system"])
    after, asked = replace(row, stage="judge", candidate=candidate, verdict=None), list[Event]()
    if arm.gate == "none":
        after, asked = gated(after, world, adopts=True)
    elif world.monitors:
        after = replace(after, stage="watch")
    return Outcome(after, {"candidate": candidate}, asked, build=done.spend)


def measure(row: Row, world: World) -> Outcome:
    """Score working and released system on this round's report items, which no decider reads; then go on or end."""
    arm = world.arm(row)
    axes = [axis for axis in world.suite.axes if axis.report_items]
    blocks = {axis.name: world.dealer.report(axis, row.replica, row.round) for axis in axes}
    systems = {"working": str(row.working), "released": str(row.released)}
    sheets, spend, failures = evaluate(world.jobs, axes, blocks, systems, world.asking(row, "measure"))
    if (
        not arm.proposer and not arm.tries
    ):  # the frozen arm re-asks the same items: its movement is drift of the harness
        fixed = {axis.name: world.dealer.anchor(axis, row.replica) for axis in axes}
        asking = world.asking(row, "measure")
        anchored, more, _ = evaluate(world.jobs, axes, fixed, {"anchor": str(row.anchor)}, asking)
        sheets, spend = sheets + anchored, total([spend, more])
        if row.round == 0:  # once more at the same time: what the two differ in is no drift
            twice = replace(asking, seed=world.seed(row, "measure", "again"))
            anchored, more, _ = evaluate(world.jobs, axes, fixed, {"again": str(row.anchor)}, twice)
            sheets, spend = sheets + anchored, total([spend, more])
    events = told(row, world, sheets)
    events += [
        Event("stage_failed", row.id, {"round": row.round, "stage": "measure", "cause": "system", "message": text})
        for text in failures
    ]
    found = in_answers(sheets)
    row, met = recorded(row, world, "measure", found)
    return Outcome(_next_round(row, world, arm), counted(world, found), [*events, *met], answer=spend)


def _next_round(row: Row, world: World, arm: Arm) -> Row:
    kept = {**row.kept_at, str(row.round): str(row.released)} if row.round in world.keep_at else row.kept_at
    row = replace(row, kept_at=kept)
    end = _ended_early(row, world, arm) or ("planned length reached" if row.round >= world.rounds else None)
    if end:
        return replace(row, stage="done", end=end)
    following = row.round + 1 if row.horizon > 1 else world.rounds
    return replace(row, stage="propose" if arm.proposer else "measure", round=following)


def _ended_early(row: Row, world: World, arm: Arm) -> str | None:
    """Why a run is over before its horizon: a used-up budget; a control that proposes ends in the round of its `self`.

    With more rounds than the loop, a control would be the loop under another horizon.
    """
    if not arm.after_self or arm.own_streams:
        if (why := halted(row, world)) is not None:
            return why
        unit = exceeded(row.build, world.limits)
        return f"budget of {unit} used up" if unit else None
    first = world.log.row(run_id(row.replica, "self")) if arm.proposer else None
    return first["end"] if first and first["stage"] == "done" and row.round >= first["round"] else None


STAGES: dict[str, Callable[[Row, World], Outcome]] = {
    "start": start, "propose": propose, "build": build, "watch": watch, "judge": judge, "approve": approve,
    "apply": apply, "probation": probation, "measure": measure,
}  # fmt: skip
ACCEPTS: dict[str, tuple[int | None, ...]] = dict.fromkeys(STAGES, (None, PLAN))  # versions of a row, stage by stage
