"""The stage propose: the loop is asked for a change, and its checks' feedback passes the arm's channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netgain.arms import GENERATION_0, Arm
from netgain.budget import Budget
from netgain.channel import Passed, pass_through
from netgain.errors import StageError
from netgain.items import Block, fingerprint
from netgain.jobs import Done, Spend
from netgain.ledger.events import Event
from netgain.planted import search
from netgain.records import DECIDERS, Change, Examples, Part
from netgain.run import Row, run_id
from netgain.sightings import counted, recorded
from netgain.stages import Loop
from netgain.wire import pack, unpack
from netgain.world import Outcome, World

Json = Any
PLAIN = b"P"  # first byte of a payload that is a plain value


def propose(row: Row, world: World) -> Outcome:
    """Ask the loop for a change, and pass the feedback of its checks through the arm's channel."""
    arm = world.arm(row)
    done, budget = _proposal(row, world, arm)
    dropped = _quarantined(done.value["change"], row, world)
    found = search(world.canaries, [done.value["change"]])
    met = _met(done.value["change"], world)
    change, passed = admitted(done.value, row, world, arm, dropped, _own_rng(row, world, arm))
    feedback, seen = row.feedback, row.seen
    record: dict[str, Json] = {"channel": arm.channel, "kept": None, "of": None}
    if met:
        seen = world.known(row, met)
    if passed is not None:
        kept = {"inputs": list(passed.kept.inputs), "labels": list(passed.kept.labels)}
        feedback = world.store.put(pack({**kept, "shares": passed.shares}))
        kept_now = {fingerprint(question) for question in passed.kept.inputs}
        seen, record = world.known(row, met | kept_now), passed.record
        record["right"] = _right(done.value, kept)
    stored = world.store.put(pack({"change": change, "budget": left(budget, done.spend).limits()}))
    position = row.position if change["state"] is None else world.store.put(change["state"])
    after = replace(row, stage="build", change=stored, position=position, feedback=feedback, seen=seen)
    out: dict[str, Json] = {"change": stored, "position": position, "feedback": feedback, "channel": record}
    out |= {"met": len(met)} if met else {}
    out |= {**counted(world, found), "proposal": world.store.put(pack(done.value["change"]))} if world.canaries else {}
    after, told = recorded(after, world, "propose", found, out.get("proposal"))
    return Outcome(after, out, [*told, *(_decision(row, part) for part in change["parts"])], build=done.spend)


def _proposal(row: Row, world: World, arm: Arm) -> tuple[Done, Budget]:
    fresh = arm.position == GENERATION_0
    state = None if fresh or row.position is None else world.store.get(row.position)
    feedback = None if fresh or row.feedback is None else unpack(world.store.get(row.feedback))
    dev = world.dealer.dev(world.suite.gate_axis, row.replica, row.round, world.suite.dev_items)
    budget = _budget(row, world, arm)
    done = world.jobs.do(
        row.replica, "propose", budget=budget, systems=sources(row, arm), state=state, feedback=feedback,
        accepted=row.accepted if world.loop.sees_accepted and not fresh else None,
        dev=[dict(item) for item in dev.items], round=1 if fresh else row.round,
        proposer=f"{arm.proposer}.{arm.variant}" if arm.variant else arm.proposer, seed=world.seed(row, "propose"),
        closed=list(arm.closed), **({} if fresh or row.shown is None else {"shown": row.shown}),
    )  # fmt: skip
    return done, budget


def admitted(
    value: Mapping[str, Json], row: Row, world: World, arm: Arm, dropped: frozenset[int], rng: Any
) -> tuple[dict[str, Json], Passed | None]:
    """The change of a proposal with the examples that pass the arm's channel, and what the channel did.

    Args:
        value: what the loop gave: change, and truth of its labels where it has an oracle.
        dropped: indices of examples that may not be trained on.
        rng: the arm's own stream.

    Raises:
        StageError: the change touches a closed surface, or does not fit.
    """
    _check(value, world.loop, row, arm)
    change = dict(value["change"])
    passed = pass_through(arm, _verdicts(change), value["truth"], dropped, rng)
    if passed is not None:
        kept = {"inputs": list(passed.kept.inputs), "labels": list(passed.kept.labels)}
        change["parts"] = [{**part, "examples": kept} if "examples" in part else part for part in change["parts"]]
    return change, passed


def left(budget: Budget, spent: Spend) -> Budget:
    """What the build has still to spend after the proposal."""
    tokens, flops = (
        None if due is None else max(0.0, due - (spent.get(unit) or 0.0))
        for due, unit in ((budget.tokens, "tokens"), (budget.flops, "flops"))
    )
    return Budget(budget.scale, tokens, flops, budget.tries)


def sources(row: Row, arm: Arm) -> dict[str, str]:
    """Digests of the parent and the improver of a round."""

    def chosen(which: str) -> str:
        return str(row.anchor if which == GENERATION_0 else row.working)

    return {"parent": chosen(arm.parent), "improver": chosen(arm.improver)}


def _budget(row: Row, world: World, arm: Arm) -> Budget:
    """A normal round; the whole horizon in one; and, for a control that has parted from `self`, what is missing.

    A control that has not parted from `self` yet has spent exactly the same, so its budget says nothing about the arm.
    """
    rounds = float(world.rounds) if row.horizon == 1 else 1.0
    known = world.schedule(run_id(row.replica, "self")) if arm.after_self and not arm.own_streams else {}
    spent = [known[round] for round in sorted(known)]
    if not spent:
        return Budget(scale=rounds)
    if not (arm.proposer == "ordinary" or arm.one_long_step or _parted(row, world, spent)):
        return Budget(scale=rounds)
    return Budget(scale=rounds, tokens=_due(row, spent, "tokens"), flops=_due(row, spent, "flops"))


def _parted(row: Row, world: World, spent: Sequence[Spend]) -> bool:
    """Whether a run has spent otherwise than `self` up to any earlier round: caught up with it, it still has parted."""
    own = world.schedule(row.id)
    before = [(own.get(k, {}), spent[min(k, len(spent)) - 1]) for k in range(1, row.round)]
    return any(mine.get(unit) != theirs.get(unit) for mine, theirs in before for unit in ("tokens", "flops"))


def _due(row: Row, spent: Sequence[Spend], unit: str) -> float | None:
    """What to spend in this round to be level with `self` after it; None when either is unknown."""
    upto = len(spent) if row.horizon == 1 else row.round
    theirs = spent[min(upto, len(spent)) - 1].get(unit)
    own = row.build.get(unit) if row.build else 0.0
    return None if theirs is None or own is None else max(0.0, theirs - own)


def _check(value: Mapping[str, Json], loop: Loop, row: Row, arm: Arm) -> None:
    """Refuse a change that touches a closed surface, or whose columns do not fit: the loop's own failure.

    So is a decision of a person where the arm has a default in its place.

    Raises:
        StageError: with the first thing that is wrong.
    """
    change, opened = value["change"], [name for name in loop.surfaces if name not in arm.closed]
    wrong = [f"change of surface {part['surface']!r} refused: open are {', '.join(opened)}"
             for part in change["parts"] if part["surface"] not in opened]  # fmt: skip
    wrong += ["decided by a person, in the arm where the default stands for people"
              for part in change["parts"] if arm.proposer == "unaided" and part["decided_by"] == "person"]  # fmt: skip
    wrong += [f"decided by {part['decided_by']!r}, expected one of {', '.join(DECIDERS)}"
              for part in change["parts"] if part["decided_by"] not in DECIDERS]  # fmt: skip
    wrong += _uneven(value)
    if wrong:
        raise StageError(wrong[0], where=row.id, round=row.round)


def _uneven(value: Mapping[str, Json]) -> list[str]:
    change = value["change"]
    examples = next((part["examples"] for part in change["parts"] if "examples" in part), None)
    if examples is None:
        return []
    columns = {"labels": examples["labels"], **{f"check {name!r}": one for name, one in change["checks"].items()}}
    columns |= {} if value["truth"] is None else {"truth of the oracle": value["truth"]}
    count = len(examples["inputs"])
    return [f"{name} has {len(one)} entries for {count} examples" for name, one in columns.items() if len(one) != count]


def _verdicts(change: Mapping[str, Json]) -> Change:
    parts = [part for part in change["parts"] if "examples" in part]
    return Change(_as_parts(parts), checks=change["checks"])


def _as_parts(parts: Sequence[Mapping[str, Json]]) -> list[Part]:
    return [Part(part["surface"], Examples(part["examples"]["inputs"], part["examples"]["labels"])) for part in parts]


def _own_rng(row: Row, world: World, arm: Arm) -> Any:
    import numpy as np

    return np.random.Generator(np.random.Philox(key=int(world.seed(row, "propose", "channel", arm=arm.name), 16)))


def _quarantined(change: Mapping[str, Json], row: Row, world: World) -> frozenset[int]:
    """Own examples that hold a question of a report, anchor or canary block, or a protected item of a bank; dropped on
    our side."""
    examples = [part["examples"] for part in change["parts"] if "examples" in part]
    inputs = [question for one in examples for question in one["inputs"]]
    if not inputs:
        return frozenset()
    measured = measured_items(row.replica, world)
    equal = (index for index, question in enumerate(inputs) if fingerprint(question) in measured)
    pairs = [list(pair) for one in examples for pair in zip(one["inputs"], one["labels"], strict=False)]
    return frozenset({*equal, *world.scanner(pairs)})


def _met(change: Mapping[str, Json], world: World) -> frozenset[str]:
    """Protected items in what else a change holds, as prompts, memories and skills: no gain may rest on them.

    They count as questions that the run was trained on, so nobody of its start is scored on them.
    """
    sent = [part["payload"][1:] for part in change["parts"] if "payload" in part and part["payload"][:1] == PLAIN]
    return frozenset[str]().union(*world.scanner([unpack(one) for one in sent]).values())


def measured_items(replica: int, world: World) -> frozenset[str]:
    """Fingerprints of all questions of a start's report, anchor, canary and probation blocks."""
    watched = [axis for axis in world.suite.axes if axis.canary_items and not axis.overlap]
    axes = [axis for axis in world.suite.axes if axis.report_items and not axis.overlap]
    blocks = [world.dealer.report(axis, replica, round) for axis in axes for round in range(world.rounds + 1)]
    blocks += [world.dealer.anchor(axis, replica) for axis in axes]
    blocks += [world.dealer.canary(axis, replica) for axis in watched]
    blocks += [one for round in range(1, world.rounds + 1) for one in on_trial(replica, round, world)]
    return frozenset[str]().union(*(block.fingerprints for block in blocks))


def on_trial(replica: int, round: int, world: World) -> list[Block]:
    """Blocks on which a promoted generation is on trial, of axes that refuse overlap; none without a probation."""
    judged = {axis.name: axis for axis in (world.suite.gate_axis, *world.suite.guards) if not axis.overlap}
    rule = world.probation
    return [world.dealer.probation(axis, replica, round, rule.items) for axis in judged.values()] if rule else []


def _right(value: Mapping[str, Json], kept: Mapping[str, Json]) -> dict[str, Json] | None:
    """How many of all own labels, and of those the checks passed, are true: measured, shown to nobody in the loop."""
    truth = value["truth"]
    if truth is None:
        return None
    verdicts = list(value["change"]["checks"].values())
    passed = [all(column[index] for column in verdicts) for index in range(len(truth))]
    asked = [part["examples"]["inputs"] for part in value["change"]["parts"] if "examples" in part]
    questions = len({fingerprint(question) for inputs in asked for question in inputs})
    return {"right": sum(truth), "of": len(truth), "questions": questions, "passed": sum(passed),
            "passed_right": sum(1 for one, true in zip(passed, truth, strict=True) if one and true)}  # fmt: skip


def _decision(row: Row, part: Mapping[str, Json]) -> Event:
    names = ("surface", "decided_by", "reason", "options", "evidence")
    return Event("decision", row.id, {"round": row.round, "locus": "proposal", **{name: part[name] for name in names}})
