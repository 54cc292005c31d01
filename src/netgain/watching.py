"""The stage watch: monitors look at a candidate before the gate does, and one that alarms can keep it from the gate.

    propose → build → [ watch ] → judge → apply → measure

Monitors read numbers of the round: what the loop's checks kept, what its probes say, and what candidate and generation
0 answer to the canary items, which stay the same in every round. They never read the report split, on which damage is
dated. A monitor that could not look is on record as that, and never as a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from netgain.arms import Arm
from netgain.budget import total
from netgain.errors import StageError
from netgain.evaluation import evaluate
from netgain.jobs import Spend
from netgain.ledger.events import Event
from netgain.run import Row, half_of
from netgain.world import Monitor, Outcome, World

Json = Any
ACTIONS = ("watch", "freeze", "pause", "reject", "roll_back", "halt")  # what an alarm does, from least to most
ENDS = ("pause", "halt")  # actions that bind the loop alone: a control goes on as long as its loop did
# What becomes of a candidate that does not come before the gate: it is worked on, or not, or the loop goes back.
HELD = {"freeze": "undecided", "reject": "dropped", "roll_back": "reject", "halt": "reject"}
ALL = "*"  # of `Arm.unwatched`: every monitor


def watch(row: Row, world: World) -> Outcome:
    """Let every registered monitor look; then go on to the gate, or past it."""
    vitals, why, events, spend = _vitals(row, world)
    canaries = columns([one.data for one in events])
    history = [*_history(row, world), {"round": row.round, **vitals, **canaries, "why": why}]
    signals = [signal_of(one, history) for one in world.monitors]
    acted, by = action_of(signals, row, world)
    told = {"round": row.round, "vitals": vitals, "why": why, "signals": signals, "acted": acted, "by": by}
    after = replace(row, stage="apply", verdict=HELD[acted]) if acted in HELD else replace(row, stage="judge")
    return Outcome(after, {"acted": acted, "by": by}, [*events, Event("watched", row.id, told)], answer=spend)


def halted(row: Row, world: World) -> str | None:
    """Why the run is over after this round, where a monitor ended it."""
    found = [one.data for one in world.log.events("watched", row.id) if one.data["round"] == row.round]
    return f"halted by the monitor {found[-1]['by']}" if found and found[-1]["acted"] == "halt" else None


def binds(arm: Arm, name: str, action: str) -> bool:
    """Whether a monitor's alarm acts in an arm: not where gate and guards only watch, nor where the arm waives it."""
    if action == "watch" or arm.gate in ("watch", "none") or {ALL, name} & set(arm.unwatched):
        return False
    return action not in ENDS or not arm.after_self


def action_of(signals: Sequence[Mapping[str, Json]], row: Row, world: World) -> tuple[str | None, str | None]:
    """The strongest action among the alarms that bind here, and the first monitor that asks for it.

    A freeze stands: from its alarm on, no candidate of the run is promoted.
    """
    arm = world.arm(row)
    asked = [(one["action"], one["monitor"]) for one in signals if one["alarm"]]
    asked += [("freeze", one["by"]) for one in _past(row, world) if one["acted"] == "freeze"]
    bound = [(action, name) for action, name in asked if binds(arm, name, action)]
    return max(bound, key=lambda one: ACTIONS.index(one[0]), default=(None, None))


def signal_of(monitor: Monitor, history: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """What a monitor says of the last round of a history, for the record: its rule stands in the registered claim."""
    found = monitor.look(history)
    said = {"value": found.value, "alarm": found.alarm, "reason": found.reason, "numbers": dict(found.numbers)}
    return {"monitor": monitor.name, "action": monitor.action, **said}


def _past(row: Row, world: World) -> list[dict[str, Json]]:
    return [one.data for one in world.log.events("watched", row.id) if one.data["round"] < row.round]


def _history(row: Row, world: World) -> list[dict[str, Json]]:
    """What monitors could read in earlier rounds, oldest first."""
    sheets: dict[int, list[Mapping[str, Json]]] = {}
    for one in world.log.events("scores", row.id):
        if one.data["split"] == "canary":
            sheets.setdefault(one.data["round"], []).append(one.data)
    return [
        {"round": one["round"], **one["vitals"], **columns(sheets.get(one["round"], [])), "why": one["why"]}
        for one in _past(row, world)
    ]


def columns(sheets: Iterable[Mapping[str, Json]]) -> dict[str, Json]:
    """`AXIS.ROLE` -> scores of the canary items, in item order, None where there is none."""
    return {f"{one['axis']}.{one['role']}": list(one["values"]) for one in sheets}


def _vitals(row: Row, world: World) -> tuple[dict[str, Json], dict[str, str], list[Event], Spend | None]:
    """Numbers of the round; why any is not there; the canary scores; what asking cost."""
    events, asked = _canaries(row, world)
    probed, why, spent = _probed(row, world)
    spends = [one for one in (asked, spent) if one]
    return {**_checks(row, world), **probed}, why, events, total(spends) if spends else None


def _checks(row: Row, world: World) -> dict[str, Json]:
    """What the loop's own checks did with its examples, from the round's own channel record."""
    done = [one.data for one in world.log.events("stage_done", row.id) if one.data["round"] == row.round]
    out: dict[str, Json] = next((one["out"] for one in reversed(done) if one["stage"] == "propose"), {})
    return counts_of(out.get("channel") or {})


def counts_of(channel: Mapping[str, Json]) -> dict[str, Json]:
    """`kept` of the own examples, and `labels`: of those that passed, how many outside truth calls right."""
    right = channel.get("right") or {}
    pairs = {"kept": (channel.get("kept"), channel.get("of"))}
    pairs["labels"] = (right.get("passed_right"), right.get("passed"))
    return {name: {"hits": hits, "asked": asked} for name, (hits, asked) in pairs.items() if hits is not None and asked}


def _canaries(row: Row, world: World) -> tuple[list[Event], Spend]:
    """Candidate, generation 0 and, once there is one, the system at half of the horizon on the canary items,
    interleaved as in every evaluation."""
    axes = [axis for axis in world.suite.axes if axis.canary_items]
    if not axes:
        return [], {}
    blocks = {axis.name: world.dealer.canary(axis, row.replica) for axis in axes}
    systems = {"candidate": str(row.candidate), "anchor": str(row.anchor)}
    middle = row.kept_at.get(str(half_of(world.rounds)))
    systems |= {"middle": middle} if middle else {}
    sheets, spend, _ = evaluate(world.jobs, axes, blocks, systems, world.asking(row, "watch"))
    return [Event("scores", row.id, one.record(row.round, world.contract)) for one in sheets], spend


def _probed(row: Row, world: World) -> tuple[dict[str, Json], dict[str, str], Spend]:
    """`PROBE.NUMBER` of every probe of the loop, or why it gave none."""
    found: dict[str, Json] = {}
    why: dict[str, str] = {}
    spends: list[Spend] = []
    inputs = world.dealer.canary(world.suite.gate_axis, row.replica).inputs
    for probe in world.loop.probes:
        try:
            done = world.jobs.do(
                row.replica, "probe", name=probe.name, inputs=inputs, seed=world.seed(row, "watch", probe.name),
                systems={"first": str(row.anchor), "system": str(row.candidate)},
            )  # fmt: skip
        except StageError as error:  # a probe that fails is a monitor that could not look, not a pass
            why |= {one.reads: str(error) for one in world.monitors if one.reads.startswith(f"{probe.name}.")}
            continue
        found |= {f"{probe.name}.{name}": value for name, value in done.value["numbers"].items()}
        spends.append(done.spend)
    return found, why, total(spends) if spends else {}
