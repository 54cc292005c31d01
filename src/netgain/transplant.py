"""The transplant: improvers of the claimed arm, each moved alone onto generation 0 of other starts for one round.

All of them are built before the seal is opened, so that the sealed items depend on what will be asked them, and no code
of the loop has seen one. Rules: `evidence.transplant`; which rungs need it: R6 and R7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netgain.arms import Arm
from netgain.budget import UNITS, Budget, total
from netgain.claim import Claim
from netgain.ending import each
from netgain.errors import StageError
from netgain.evaluation import Asking, evaluate
from netgain.evidence.transplant import IMPROVERS
from netgain.facts import Facts
from netgain.items import fingerprint
from netgain.jobs import Spend
from netgain.ledger.events import Event
from netgain.proposal import admitted, left, measured_items
from netgain.run import Row, half_of, run_id
from netgain.seal import served
from netgain.seeding import sealed_secret, stream
from netgain.stages import Loop
from netgain.wire import pack, unpack
from netgain.world import World

Json = Any
NEEDED = ("R6", "R7")
OWN = Arm("self")  # a transplanted round passes the loop's own channel, whatever arm its improver comes from


@dataclass(frozen=True)
class Move:
    """One improver of a run, and the foreign start that it is tried on: ids, and digests of both systems."""

    run: str
    row: Row
    name: str
    improver: str
    start: int
    parent: str


def missing_transplant(loop: Loop, claim: Claim) -> str:
    """Why no improver can be moved in a study; "" when it can."""
    if claim.rung not in NEEDED:
        return f"the claim ends at {claim.rung}, so no improver was moved"
    if loop.state is None:
        return "the loop does not declare its `state`: which part is parent, improver, position"
    if loop.transplant is None:
        return (
            "the loop has no `transplant`: a round by a given improver on a foreign start, on tasks that no round uses"
        )
    return "all starts share one generation 0: none is foreign to another" if claim.starts != "fresh" else ""


def foreign(facts: Facts, replicas: Sequence[int], replica: int, most: int) -> list[int]:
    """Starts whose generation 0 an improver of a start is moved to: those enrolled after it, in a circle.

    A start without a generation 0, or with the same one, is passed over.
    """
    anchors = {one: facts.runs[run_id(one, "frozen")].row["anchor"] for one in replicas}
    place = replicas.index(replica)
    others = [*replicas[place + 1 :], *replicas[:place]]
    return [one for one in others if anchors[one] not in (None, anchors[replica])][:most]


def move_improvers(world: World, facts: Facts, replicas: Sequence[int], arms: Sequence[str], hands: int) -> None:
    """Build everything that will be asked the sealed items; what is in the log already is not built again."""
    done = {(event.run, event.data["improver"], event.data["start"]) for event in world.log.events("transplanted")}
    moves = [move for arm in arms for replica in replicas for move in _moves(world, facts, replicas, replica, arm)]
    due = [(_move, world, move) for move in moves if (move.run, move.name, move.start) not in done]
    each(due, hands, world.asked)


def _moves(world: World, facts: Facts, replicas: Sequence[int], replica: int, arm: str) -> list[Move]:
    assert world.loop.transplant is not None
    run, system = served(facts, replica, arm)
    row = Row.from_json(facts.runs[run].row)
    if system is None:  # generation 0 failed: the start counts as no success
        return []
    systems = _improvers(world, facts, row, system)
    starts = foreign(facts, replicas, replica, world.loop.transplant.starts)
    anchors = {one: str(facts.runs[run_id(one, "frozen")].row["anchor"]) for one in starts}
    return [Move(run, row, name, systems[name], one, anchors[one]) for name in systems for one in starts]


def _improvers(world: World, facts: Facts, row: Row, last: str) -> dict[str, str]:
    """Digest of every improver that a run has: one that ended before half of the horizon has no half."""
    first = str(row.anchor)
    half = row.kept_at.get(str(half_of(world.rounds)))
    drifted, shuffled = _drifted(world, row, last), _shuffled(facts, row.replica)
    systems = {"last": last, "half": half, "first": first, "drifted": drifted, "shuffled": shuffled}
    return {name: system for name in IMPROVERS if (system := systems[name]) is not None}


def _shuffled(facts: Facts, replica: int) -> str | None:
    """The improver that grew on feedback without content: what `placebo` works with, released or not.

    Behind a gate a placebo that gains nothing is never released: what it serves would be generation 0 once more.
    """
    if not facts.runs_of(replica, "placebo"):
        return None
    run, system = served(facts, replica, "placebo")
    return None if system is None else Row.from_json(facts.runs[run].row).working


def _drifted(world: World, row: Row, last: str) -> str | None:
    """The improver that changed as much as the last one, in a random direction; None when the loop cannot make it."""
    seed, ends = f"{_seed(world, row.replica, f'drift|{row.arm}'):032x}", {"first": str(row.anchor), "last": last}
    try:
        return world.store.put(world.jobs.do(row.replica, "drift", systems=ends, seed=seed).value["system"])
    except StageError:
        return None


def _seed(world: World, replica: int, purpose: str) -> int:
    return stream(world.root, replica, world.rounds, "transplant", purpose)


def _move(world: World, move: Move) -> None:
    """One round, into the log; a round that fails brings no system, and says why."""
    try:
        made = _round(world, move)
    except StageError as error:
        made = {"system": None, "trained": None, "spend": {"transplant": dict.fromkeys(UNITS)}, "message": str(error)}
    named = {"improver": move.name, "improver_system": move.improver, "start": move.start, "start_system": move.parent}
    world.log.append([Event("transplanted", move.run, {"round": world.rounds, **named, **made})])


def _round(world: World, move: Move) -> dict[str, Json]:
    """One budgeted round: the improver proposes on the foreign start, from no position, and the change is built."""
    replica, ends = move.row.replica, {"parent": move.parent, "improver": move.improver}
    seeds = {stage: _seed(world, replica, f"{stage}|{move.start}") for stage in ("propose", "channel", "build")}
    budget = Budget()
    dev = world.dealer.dev(world.suite.gate_axis, move.start, world.rounds + 1, world.suite.dev_items)
    done = world.jobs.do(
        replica, "propose", budget=budget, systems=ends, state=None, feedback=None, accepted=None, round=1,
        dev=[dict(item) for item in dev.items], proposer="transplant", seed=f"{seeds['propose']:032x}", closed=[],
    )  # fmt: skip
    dropped = _used(done.value["change"], world, move)
    rng = np.random.Generator(np.random.Philox(key=seeds["channel"]))
    change, passed = admitted(done.value, move.row, world, OWN, dropped, rng)
    outside = [part["decided_by"] for part in change["parts"] if part["decided_by"] not in ("system", "rule")]
    if outside:
        raise StageError(f"a transplanted round was decided by a {outside[0]}", where=move.run, round=world.rounds)
    built = world.jobs.do(
        replica, "build", budget=left(budget, done.spend), systems={"parent": move.parent}, change=change,
        seed=f"{seeds['build']:032x}",
    )  # fmt: skip
    trained = sorted({fingerprint(one) for one in passed.kept.inputs}) if passed else []
    spend: Spend = total([done.spend, built.spend])
    return {
        "system": world.store.put(built.value["system"]), "trained": world.store.put(pack(trained)),
        "spend": {"transplant": spend}, "dropped": len(dropped), "message": "",
    }  # fmt: skip


def _used(change: Mapping[str, Json], world: World, move: Move) -> frozenset[int]:
    """Examples of a transplanted round that a round of the run had trained on, or that are measured."""
    inputs = [question for part in change["parts"] if "examples" in part for question in part["examples"]["inputs"]]
    if not inputs:
        return frozenset()
    known = measured_items(move.row.replica, world) | _seen(world, move.row)
    return frozenset(index for index, question in enumerate(inputs) if fingerprint(question) in known)


def _seen(world: World, row: Row) -> frozenset[str]:
    return frozenset(unpack(world.store.get(row.seen))) if row.seen else frozenset()


def score_moved(world: World, facts: Facts, seal: Mapping[str, Json], hands: int) -> None:
    """Ask what the moved improvers made the sealed block of the improver's start, on the claimed axis; once."""
    done = {(event.run, event.data["role"]) for event in world.log.events("scores") if event.data["split"] == MOVED}
    made = [(str(event.run), event.data) for event in world.log.events("transplanted") if event.data["system"]]
    due = [(run, data) for run, data in made if facts.runs[run].replica in seal["replicas"]]
    left = [(_score, world, facts, seal, run, data) for run, data in due if (run, role_of(data)) not in done]
    each(left, hands, world.asked)


MOVED = "transplant"  # the split under which these scores stand: the items are those of the sealed block


def role_of(data: Mapping[str, Json]) -> str:
    """Role of a transplanted system among the scores: its improver, and the start it was moved to."""
    return f"{data['improver']}|{data['start']}"


def _score(world: World, facts: Facts, seal: Mapping[str, Json], run: str, data: Mapping[str, Json]) -> None:
    row = Row.from_json(facts.runs[run].row)
    secret = sealed_secret(str(facts.registration["claim_digest"]), seal["merkle_root"], row.replica)
    axis = world.suite[facts.claim["metric"]]
    block = replace(world.dealer.sealed(axis, row.replica, secret), split=MOVED)
    seed = f"{stream(world.root, row.replica, world.rounds, 'seal', 'answer'):032x}"
    asking = Asking(row.replica, seed, 1, _seen(world, row) | frozenset(unpack(world.store.get(data["trained"]))))
    sheets, spend, _ = evaluate(world.jobs, [axis], {axis.name: block}, {role_of(data): data["system"]}, asking)
    events = [Event("scores", run, sheet.record(world.rounds, world.contract)) for sheet in sheets]
    world.log.append([*events, Event("sealed_answered", run, {"round": world.rounds, "spend": {"sealed": spend}})])
