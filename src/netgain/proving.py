"""The stage probation: is a promoted generation worse than the one it replaced? If so, the pointer goes back.

    apply → [ probation ] → measure

In every round of the window both answer the same new items, which no other decision has used. The one before is the
last generation that stood its own trial: one that is replaced while it is on trial has shown nothing, and what replaced
it is compared with the same generation as it was. Against "what is released loses no more than the step margin to the
one before" an e-process bets on all looks at that one, one per axis, each at its part of the level (Waudby-Smith &
Ramdas, JRSS-B 2024, section 4; Ville's bound holds at every look, also where what is released changes in between). A
look that cannot be scored is no pass and goes back too. The next stage measures what was restored.

Not covered: a loss within the step margin; the gate's test against generation 0 is for what such losses add up to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netgain.errors import ConfigError, IntegrityError
from netgain.evaluation import evaluate
from netgain.evidence.betting import log_capital
from netgain.evidence.clusters import cluster_means, cluster_starts
from netgain.evidence.tally import unanswered_is_wrong
from netgain.items import held
from netgain.ledger.events import Event
from netgain.probation import Probation
from netgain.promotion import gate_axes, gate_mode
from netgain.run import Row
from netgain.sightings import counted, in_answers, recorded
from netgain.suite import Axis, Suite
from netgain.watching import binds
from netgain.world import Outcome, World

Json = Any
NAME = "probation"  # of the stage, of its event, of the split, and in arms: `unguarded:probation.stop`
VOID = 0.05  # share of pairs without a score above which a look has seen nothing


@dataclass(frozen=True)
class Window:
    """A generation on trial.

    Attributes:
        since: round of its promotion.
        first: round from which on generations have been compared with the one before: of its own promotion, or of the
            first of those that were replaced while they were on trial themselves.
        before: the row in which the last generation was released that stood its trial, or needed none.
    """

    since: int
    first: int
    before: Row


def enough_for(rule: Probation, suite: Suite, rounds: int) -> None:
    """Refuse a probation that would run out of items in the middle of a study.

    Raises:
        ConfigError: a bank of the gate axis or of a guard has too few items in its share "probation".
    """
    for axis in (suite.gate_axis, *suite.guards):
        have, need = held(axis, "probation"), rule.items * rounds
        if have is not None and have < need:
            what = f"axis {axis.name!r} has {have} items in the share 'probation' of its bank, expected {need}"
            raise ConfigError(what, fix="give the bank shares with 'probation', or ask fewer items")


def window(row: Row, world: World) -> Window | None:
    """The trial of the released system; None where it was not promoted, or was taken back."""
    rounds = world.probation.rounds if world.probation else 0
    told = [*world.log.events("stage_done", row.id), *world.log.events("rollback", row.id)]
    since, first = 0, 0
    before = top = Row.from_json({"replica": row.replica, "arm": row.arm})
    for event in sorted(told, key=lambda one: one.seq):
        now, stage, at = Row.from_json(event.data["row"]), event.data.get("stage", "rollback"), event.data["round"]
        if now.released == top.released:
            continue
        if stage == "apply":
            if not since or at >= since + rounds:  # what is replaced is not on trial, or has stood it
                before, first = top, at
            since = at
        else:  # the start, or the way back to what needs no trial
            since = 0
        top = now
    return Window(since, first, before) if since else None


def on_trial(before: Row, row: Row, world: World) -> bool:
    """Whether the round owes a look before it is measured.

    Args:
        before, row: the run before and after the stage that was just done, which is not in the log yet.
    """
    if world.probation is None or gate_mode(row, world) in ("none", "watch"):
        return False
    if before.stage == "apply" and before.released != row.released:
        return True
    found = window(row, world)
    return found is not None and row.round < found.since + world.probation.rounds


def probation(row: Row, world: World) -> Outcome:
    """Ask both systems this round's items; take the released one back where harm is shown, or nothing can be."""
    found, rule = window(row, world), world.probation
    if found is None or rule is None:
        raise IntegrityError(f"round {row.round} has nothing on trial", where=row.id, fix="run `netgain verify`")
    axes = gate_axes(world)
    blocks = {axis.name: world.dealer.probation(axis, row.replica, row.round, rule.items) for axis in axes}
    before = str(found.before.released)
    systems = {"released": str(row.released), "before": before}
    sheets, spend, _ = evaluate(world.jobs, axes, blocks, systems, world.asking(row, NAME))
    events = [Event("scores", row.id, sheet.record(row.round, world.contract)) for sheet in sheets]
    seen = in_answers(sheets)
    row, met = recorded(row, world, NAME, seen)
    past = [one.data for one in world.log.events("scores", row.id)]
    told = [one for one in past if one["split"] == NAME and found.first <= one["round"] < row.round]
    tests = [harm(axis, [*told, *(one.data for one in events)], rule.level / len(axes)) for axis in axes]
    alarm = True if any(one["alarm"] for one in tests) else None if any(one["blind"] for one in tests) else False
    acted = alarm is not False and binds(world.arm(row), NAME, "roll_back")
    record = {
        "round": row.round, "since": found.since, "first": found.first, "released": row.released, "before": before,
        "tests": tests, "alarm": alarm, "acted": acted,
    }  # fmt: skip
    after = _back(row, found, world) if acted else replace(row, stage="measure")
    decided = [_decision(row, world, found)] if acted else []
    out = {"released": after.released, "working": after.working, "acted": acted, **counted(world, seen)}
    return Outcome(after, out, [*events, *met, Event(NAME, row.id, record), *decided], answer=spend)


def harm(axis: Axis, sheets: Sequence[Mapping[str, Json]], level: float) -> dict[str, Json]:
    """One axis over the window: log of the evidence for harm, its threshold, and whether the last look saw anything."""
    looks = [{one["role"]: one for one in sheets if (one["axis"], one["round"]) == (axis.name, at)}
             for at in sorted({one["round"] for one in sheets})]  # fmt: skip
    each = [_differences(look) for look in looks]
    path = log_capital(np.concatenate([bets for bets, *_ in each]), null=axis.step_margin, gain=axis.step_margin,
                       planned_second_moment=axis.moment)  # fmt: skip
    asked, missing = each[-1][1:]
    peak, threshold = max(0.0, float(path.max(initial=0.0))), math.log(1.0 / level)
    blind = missing > VOID * asked or missing == asked
    return {"axis": axis.name, "log_e_peak": round(peak, 9), "log_threshold": round(threshold, 9),
            "asked": sum(one[1] for one in each), "missing": sum(one[2] for one in each), "blind": blind,
            "alarm": peak >= threshold}  # fmt: skip


def _differences(look: Mapping[str, Mapping[str, Json]]) -> tuple[Any, int, int]:
    """Before minus released by item, of a cluster its mean; pairs asked; pairs without a score."""
    new, old = unanswered_is_wrong(look["released"])["values"], look["before"]["values"]
    pairs = zip(old, new, strict=True)
    found = np.array([np.nan if a is None or b is None else a - b for a, b in pairs], np.float64)
    asked, missing = len(found), int(np.isnan(found).sum())
    names = look["released"].get("clusters")
    return (cluster_means(found, cluster_starts(names, ended=True)) if names else found), asked, missing


def _back(row: Row, found: Window, world: World) -> Row:
    """The run as it was when the one before was released; its bytes are read first."""
    then, system = found.before, str(found.before.released)
    world.store.get(system)
    return replace(
        row, stage="measure", working=system, released=system, accepted=False, restores=row.restores + 1,
        position=then.safe_position, feedback=then.safe_feedback, safe_position=then.safe_position,
        safe_feedback=then.safe_feedback,
    )  # fmt: skip


def _decision(row: Row, world: World, found: Window) -> Event:
    """The decision record: a registered rule went back."""
    undone = [one.data["surface"] for one in world.log.events("decision", row.id) if one.data["round"] >= found.first]
    record = {
        "round": row.round, "locus": "rollback", "surface": undone[0] if undone else world.loop.surfaces[0],
        "decided_by": "rule", "reason": f"probation of round {found.since}", "options": None,
        "evidence": {"to": found.before.round, "system": found.before.released},
    }  # fmt: skip
    return Event("decision", row.id, record)
