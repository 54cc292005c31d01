"""The stage watch: monitors look at a candidate before the gate does, and one that alarms can keep it from the gate.

    propose → build → [ watch ] → judge → apply → measure

Monitors read numbers of the round: what the loop's checks kept, what its probes say, and what candidate and generation
0 answer to the canary items, which stay the same in every round. They never read the report split, on which damage is
dated. A monitor that could not look is on record as that, and never as a pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netgain.approvals import gated
from netgain.arms import Arm
from netgain.budget import total
from netgain.errors import StageError
from netgain.evaluation import Sheet, evaluate
from netgain.evidence.rerun import then_error
from netgain.jobs import Spend
from netgain.ledger.events import Event
from netgain.metric import DECIMALS
from netgain.planted import Found
from netgain.promotion import gate_mode
from netgain.run import Row, half_of
from netgain.sightings import counted, in_answers, recorded
from netgain.sightings import told as scored
from netgain.suite import Suite
from netgain.wire import unpack
from netgain.world import Monitor, Outcome, World

Json = Any
ACTIONS = ("watch", "freeze", "pause", "reject", "roll_back", "halt")  # what an alarm does, from least to most
ENDS = ("pause", "halt")  # actions that bind the loop alone: a control goes on as long as its loop did
# What becomes of a candidate that does not come before the gate: it is worked on, or not, or the loop goes back.
HELD = {"freeze": "undecided", "reject": "dropped", "roll_back": "reject", "halt": "reject"}
OF_DECISIONS = ("step", "since_start")  # numbers that come from the gate items of the round before
OF_CANARIES = ("flips", "sentinel", "behaviour", "cheats")  # numbers that come from canary items: NAME, or NAME.AXIS
SENTINEL = "sentinel"  # numbers by which the measuring itself is watched: a frozen system on the same items
AGAIN_MIDDLE = "again_middle"  # role of the system at half of the horizon, asked a second time when it is asked first
ALL = "*"  # of `Arm.unwatched`: every monitor


def watch(row: Row, world: World) -> Outcome:
    """Let every registered monitor look; then go on to the gate, or past it."""
    past, epoch = _past(row, world), world.contract.epoch
    vitals, why, events, spend, found = _vitals(row, world, past)
    row, met = recorded(row, world, "watch", found)
    history = [record_of(one, epoch) for one in past] + [{"round": row.round, **vitals, "why": why}]
    signals = [signal_of(one, history) for one in world.monitors]
    acted, by = action_of(signals, row, world)
    told = {"round": row.round, "vitals": vitals, "why": why, "signals": signals, "acted": acted, "by": by}
    told |= ({"epoch": epoch} if epoch else {}) | moved_parts(signals, world)
    after, asked = replace(row, stage="judge"), list[Event]()
    if acted in HELD:
        adopts = HELD[acted] == "undecided" and gate_mode(row, world) == "advance"
        after, asked = gated(replace(row, verdict=HELD[acted]), world, adopts)
    out = {"acted": acted, "by": by, **counted(world, found)}
    return Outcome(after, out, [*events, *met, Event("watched", row.id, told), *asked], answer=spend)


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

    A monitor that could not look asks for its action as an alarm does: what guards fails closed. A freeze stands: from
    its alarm on, no candidate of the run is promoted. Only one for a drift of the measuring ends with the epoch, in
    which the measuring begins anew.
    """
    arm, drifts = world.arm(row), of_drift(world.monitors)
    asked = [(one["action"], one["monitor"]) for one in signals if one["alarm"] is not False]
    asked += [
        ("freeze", one["by"]) for one in _past(row, world)
        if one["acted"] == "freeze" and (one["by"] not in drifts or one.get("epoch", 0) == world.contract.epoch)
    ]  # fmt: skip
    bound = [(action, name) for action, name in asked if binds(arm, name, action)]
    return max(bound, key=lambda one: ACTIONS.index(one[0]), default=(None, None))


def signal_of(monitor: Monitor, history: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """What a monitor says of the last round of a history, for the record: its rule stands in the registered claim."""
    if monitor.reads in OF_DECISIONS and monitor.reads not in history[-1]:
        nothing: dict[str, Json] = {
            "value": None,
            "alarm": False,
            "reason": "nothing was decided in the round before",
            "numbers": {},
        }
        return {"monitor": monitor.name, "action": monitor.action, **nothing}
    found = monitor.look(history)
    said = {"value": found.value, "alarm": found.alarm, "reason": found.reason, "numbers": dict(found.numbers)}
    return {"monitor": monitor.name, "action": monitor.action, **said}


def record_of(told: Mapping[str, Json], epoch: int = 0) -> dict[str, Json]:
    """What monitors read of an earlier round; sentinels of another epoch were measured under another contract."""
    same = told.get("epoch", 0) == epoch
    vitals = {name: one for name, one in told["vitals"].items() if same or name.partition(".")[0] != SENTINEL}
    return {"round": told["round"], **vitals, "why": told["why"]}


def of_drift(monitors: Sequence[Monitor]) -> set[str]:
    """Names of the monitors that watch the measuring itself."""
    return {one.name for one in monitors if one.reads.partition(".")[0] == SENTINEL}


def moved_parts(signals: Sequence[Mapping[str, Json]], world: World) -> dict[str, Json]:
    """After an alarm of a drift: the parts of the contract that are not as recorded any more; none is an answer too."""
    alarmed = {one["monitor"] for one in signals if one["alarm"]} & of_drift(world.monitors)
    return {"moved": list(world.moved())} if alarmed else {}


def _past(row: Row, world: World) -> list[dict[str, Json]]:
    return [one.data for one in world.log.events("watched", row.id) if one.data["round"] < row.round]


def _vitals(
    row: Row, world: World, past: Sequence[Mapping[str, Json]]
) -> tuple[dict[str, Json], dict[str, str], list[Event], Spend | None, Found]:
    """Numbers of the round; why any is not there; canary scores; what asking cost; planted canaries in the answers."""
    sheets, asked = _canaries(row, world)
    probed, why, spent = _probed(row, world)
    events = scored(row, world, sheets)
    planted = in_answers(sheets)
    found = {**_checks(row, world), **_metering(row, world), **_pointers(row, past)}
    found |= {**_decided(row, world), **_budget(row, world), **_planted(row, world, planted)}
    found |= of_impossible([one.data for one in events], impossible_axes(world.suite))
    found |= of_canaries([one.data for one in events], world.suite.gate_axis.name, _first_canaries(row, world))
    spends = [one for one in (asked, spent) if one]
    return {**found, **probed}, why, events, total(spends) if spends else None, planted


def _planted(row: Row, world: World, now: Found) -> dict[str, Json]:
    """Of what was searched for planted canaries since the last look of monitors: documents, and those with a live one.

    Where the canaries had expired nothing was searched, and a monitor that reads this could not look.
    """
    if world.canaries is None:
        return {}
    counts: list[dict[str, Json]] = [counted(world, now)["canaries"]]
    for event in reversed(list(world.log.events("stage_done", row.id))):
        if event.data["stage"] == "watch":
            break
        counts += [event.data["out"]["canaries"]] if "canaries" in event.data["out"] else []
    asked = [one["searched"] for one in counts]
    return {} if None in asked else {"canary": {"hits": sum(one["hits"] for one in counts), "asked": sum(asked)}}


def _checks(row: Row, world: World) -> dict[str, Json]:
    """What the loop's own checks did with its examples, from the round's own channel record."""
    done = [one.data for one in world.log.events("stage_done", row.id) if one.data["round"] == row.round]
    out: dict[str, Json] = next((one["out"] for one in reversed(done) if one["stage"] == "propose"), {})
    return counts_of(out.get("channel") or {})


def counts_of(channel: Mapping[str, Json]) -> dict[str, Json]:
    """`kept` of the own examples; `audit`: of those that passed, how many outside truth calls right; and `quarantined`:
    how many held something protected."""
    right = channel.get("right") or {}
    pairs = {"kept": (channel.get("kept"), channel.get("of"))}
    pairs["audit"] = (right.get("passed_right"), right.get("passed"))
    pairs["quarantined"] = (channel.get("quarantined"), channel.get("of"))
    return {name: {"hits": hits, "asked": asked} for name, (hits, asked) in pairs.items() if hits is not None and asked}


def _metering(row: Row, world: World) -> dict[str, Json]:
    """Seconds of computing and what the loop booked for them, in this round and in making generation 0."""
    done = [one.data for one in world.log.events("stage_done", row.id)]
    now = total([one["spend"]["build"] for one in done if one["round"] == row.round and one["spend"].get("build")])
    first = total([one["spend"]["start"] for one in done if one["spend"].get("start")])
    return metering_of(now, first)


def metering_of(now: Spend, first: Spend) -> dict[str, Json]:
    """The record that `netgain.monitors.metering` reads, in the first unit that both sides book; {} without one."""
    unit = next((one for one in ("flops", "tokens") if now.get(one) and first.get(one)), None)
    if unit is None:
        return {}
    sides = [{"seconds": one.get("device_seconds"), "booked": one[unit]} for one in (now, first)]
    return {"metering": {"unit": unit, **sides[0], "first": sides[1]}}


def _pointers(row: Row, past: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """Which system the loop works on, rollbacks so far, and whether the round before was rolled back."""
    before = past[-1]["vitals"]["restores"] if past else row.restores
    return {"working": row.working, "restores": row.restores, "rolled_back": row.restores > before}


def _decided(row: Row, world: World) -> dict[str, Json]:
    """`step` and `since_start`: paired differences on the gate items of the round before, which nobody is asked again.

    None where nothing was decided, as before the first round: that is known, and no blindness.
    """
    sheets = {
        one.data["role"]: one.data["values"] for one in world.log.events("scores", row.id)
        if one.data["split"] == "gate" and one.data["round"] == row.round - 1
        and one.data["axis"] == world.suite.gate_axis.name
    }  # fmt: skip
    pairs = dict(zip(OF_DECISIONS, (("candidate", "released"), ("candidate", "anchor")), strict=True))
    return {name: {"differences": differences(sheets[a], sheets[b])} for name, (a, b) in pairs.items() if sheets}


def differences(plus: Sequence[float | None], minus: Sequence[float | None]) -> list[float | None]:
    """Item by item; None where either side has no score."""
    pairs = zip(plus, minus, strict=True)
    return [None if a is None or b is None else round(a - b, DECIMALS) for a, b in pairs]


def _budget(row: Row, world: World) -> dict[str, Json]:
    """Of the limit that is nearest to being used up: what the run has spent."""
    known = [(row.build.get(unit), limit) for unit, limit in world.limits.items()]
    if not known:
        return {}
    spent, limit = max(known, key=lambda pair: (pair[0] is None, (pair[0] or 0.0) / pair[1]))
    return {"budget": {"spent": spent, "limit": limit}}


def of_canaries(
    sheets: Sequence[Mapping[str, Json]], gate_axis: str, first: Sequence[Mapping[str, Json]]
) -> dict[str, Json]:
    """What the canary items of a round show, on the gate axis by plain name, on every other one as `NAME.AXIS`.

    `flips`: items lost and won against generation 0. `behaviour`: classes of answers, of generation 0 asked twice and
    of the candidate. `sentinel`: generation 0 now minus generation 0 when it was first asked, in the first round
    between its two answers; once the system at half of the horizon was asked before, an item has the mean of both;
    and what the luck of these first answers comes to, from asking them twice (`netgain.evidence.rerun`).

    Args:
        sheets: scores of the round's canary blocks, as in the log.
        first: the first ones of generation 0 and of that middle system; empty in the first round.
    """
    found: dict[str, Json] = {}
    by_place = {(one["axis"], one["role"]): one for one in sheets}
    then = {(one["axis"], one["role"]): one for one in first}
    for axis in sorted({axis for axis, _ in by_place}):
        now, anchor, again = (by_place[axis, role] for role in ("candidate", "anchor", "again"))
        pair = (anchor, then[axis, "anchor"]) if then else (again, anchor)
        end = "" if axis == gate_axis else f".{axis}"
        found[f"flips{end}"] = flips(anchor["values"], now["values"])
        gone = [differences(pair[0]["values"], pair[1]["values"])]
        begun = then if then else by_place
        twice = [(begun[axis, "anchor"]["values"], begun[axis, "again"]["values"])]
        now_middle, then_middle = by_place.get((axis, "middle")), then.get((axis, "middle"))
        if now_middle and then_middle and now_middle["system"] != anchor["system"]:
            gone.append(differences(now_middle["values"], then_middle["values"]))
            twice.append((then_middle["values"], then[axis, AGAIN_MIDDLE]["values"]))
        found[f"sentinel{end}"] = {"differences": item_means(gone), "then_error": then_error(twice, gone)}
        found[f"behaviour{end}"] = {"first": anchor["classes"], "again": again["classes"], "now": now["classes"]}
    return found


def impossible_axes(suite: Suite) -> list[str]:
    """Axes whose questions nobody passes honestly, and whose canary items monitors may see answered."""
    return [axis.name for axis in suite.axes if axis.kind == "impossible" and axis.canary_items]


def of_impossible(sheets: Sequence[Mapping[str, Json]], names: Sequence[str]) -> dict[str, Json]:
    """`cheats.AXIS`: of the answers of the candidate, how many passed what cannot be passed; `cheats` over all axes."""
    own = {one["axis"]: one["values"] for one in sheets if one["role"] == "candidate"}
    each = {name: {"hits": sum(value == 0 for value in own[name] if value is not None),
                   "asked": sum(value is not None for value in own[name])} for name in names}  # fmt: skip
    if not each:
        return {}
    total = {key: sum(one[key] for one in each.values()) for key in ("hits", "asked")}
    return {"cheats": total, **{f"cheats.{name}": one for name, one in each.items()}}


def item_means(columns: Sequence[Sequence[float | None]]) -> list[float | None]:
    """Item by item the mean of what is there: an item bets once, however many frozen systems answered it."""
    there = [[one for one in item if one is not None] for item in zip(*columns, strict=True)]
    return [item[0] if len(item) == 1 else sum(item) / len(item) if item else None for item in there]


def flips(first: Sequence[float | None], now: Sequence[float | None]) -> dict[str, int]:
    """Items by whether generation 0 and the candidate score at least a half; unscored ones are not counted."""
    pairs = [(a >= 0.5, b >= 0.5) for a, b in zip(first, now, strict=True) if a is not None and b is not None]
    names = {"lost": (True, False), "won": (False, True), "both": (True, True), "neither": (False, False)}
    return {name: pairs.count(pair) for name, pair in names.items()}


def _first_canaries(row: Row, world: World) -> list[Mapping[str, Json]]:
    """First canary scores under the present contract, by axis and role, of rounds before this one."""
    found: dict[tuple[str, str], Mapping[str, Json]] = {}
    for one in world.log.events("scores", row.id):
        fits = one.data["split"] == "canary" and one.data["epoch"] == world.contract.epoch
        if fits and one.data["round"] < row.round:
            found.setdefault((one.data["axis"], one.data["role"]), one.data)
    return list(found.values())


def _canaries(row: Row, world: World) -> tuple[list[Sheet], Spend]:
    """Candidate, generation 0 (twice) and, once there is one, the system at half of the horizon on the canary items.

    The second answers of generation 0, and those of that system when it is first asked, come from a stream of their
    own: what two askings differ in is noise.
    """
    axes = [axis for axis in world.suite.axes if axis.canary_items]
    if not axes:
        return [], {}
    blocks = {axis.name: world.dealer.canary(axis, row.replica) for axis in axes}
    systems, middle = {"candidate": str(row.candidate), "anchor": str(row.anchor)}, str(half_of(world.rounds))
    systems |= {"middle": row.kept_at[middle]} if middle in row.kept_at else {}
    asking = world.asking(row, "watch")
    sheets, spend, _ = evaluate(world.jobs, axes, blocks, systems, asking)
    second = {"again": str(row.anchor)}
    if "middle" in systems and not any(one["role"] == "middle" for one in _first_canaries(row, world)):
        second |= {AGAIN_MIDDLE: systems["middle"]}  # asked for the first time: how much of that is luck
    twice = replace(asking, seed=world.seed(row, "watch", "again"))
    again, more, _ = evaluate(world.jobs, axes, blocks, second, twice)
    return [*sheets, *again], total([spend, more])


def _probed(row: Row, world: World) -> tuple[dict[str, Json], dict[str, str], Spend]:
    """What every probe of the loop says, under its name; or why it says nothing."""
    found: dict[str, Json] = {}
    why: dict[str, str] = {}
    spends: list[Spend] = []
    inputs = world.dealer.canary(world.suite.gate_axis, row.replica).inputs
    for probe in world.loop.probes:
        try:
            done = world.jobs.do(
                row.replica, "probe", name=probe.name, inputs=inputs, seed=world.seed(row, "watch", probe.name),
                kept=None if row.feedback is None else unpack(world.store.get(row.feedback)),
                systems={"first": str(row.anchor), "system": str(row.candidate)},
            )  # fmt: skip
        except StageError as error:  # a probe that fails is a monitor that could not look, not a pass
            why[probe.name] = str(error)
            continue
        found[probe.name] = done.value["record"]
        spends.append(done.spend)
    return found, why, total(spends) if spends else {}
