"""The log of one simulated study: the events of a real one that a verdict reads, in the same shape and order.

What it leaves out is what no verdict reads: most stages before a run's last, scores on gate and report items, the
seal's tree head. Nothing of the planted mechanism is in it: no name, no strength, no truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netgain.canonical import digest
from netgain.claim import OPEN, RUNGS, Claim
from netgain.evidence.transplant import DRIFTED, FIRST, HALF, LAST, SHUFFLED
from netgain.gates.gate import plan_of
from netgain.gauntlet.gating import OUTCOMES
from netgain.gauntlet.improvers import Moves
from netgain.gauntlet.lineage import AXIS, Ran, arm, arms_of, loop, required, suite
from netgain.gauntlet.sealed import Asked
from netgain.gauntlet.world import RECURSIVE, World
from netgain.ledger.events import Event, Stored
from netgain.run import Row, half_of, run_id

Json = Any
SPENT = 1000.0  # tokens and operations of one round of building
CLOCK = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Cohort:
    """Starts that were run together: what their arms did, what the seal showed, and which of them were not finished."""

    ran: Mapping[str, Ran]
    asked: Asked
    lost: Sequence[bool]
    moves: Moves | None = None  # improvers moved to other starts, for a claim that asks for it


def claim_of(world: World) -> Claim:
    """The claim that is registered."""
    asked, one = world.asked, world.conduct.shared_start
    return Claim(AXIS, by=asked.by, beats=asked.beats, rung=asked.rung, expected=asked.by + 0.1,
                 looks=OPEN if asked.open_looks else asked.looks, analysis=asked.analysis, share=asked.share,
                 about=asked.about, starve=asked.starve,
                 mode=asked.mode, transplant_by=asked.transplant_by if asked.rung in RECURSIVE else 0.0,
                 starts="fresh" if not one or world.conduct.start_luck else "this generation 0")  # fmt: skip


def opened(world: World, name: str) -> list[Event]:
    """A study up to its first start: `name` is the random root that everything in it is named by."""
    arms = arms_of(world)
    measured = suite(world.gain.guards)
    contract = {"suite": measured.spec(), "gate": plan_of(measured, world.asked.mode, world.asked.rounds).to_json(),
                "code": digest(name), "libraries": {}, "batching": "one run, one thread"}  # fmt: skip
    own = loop(moves=world.improver.moves)
    study = {
        "rounds": world.asked.rounds, "arms": list(arms), "untestable": {},
        "required": {rung: list(required(rung, moves=world.improver.moves)) for rung in RUNGS[1:]},
        "surfaces": list(own.surfaces), "state": dict(own.state or {}), "limits": {},
        "filters": [{"name": "own", "uses": ["filter", "pace"]}],
        "menu": ["long"],
        "sees_accepted": True, "tries": 1,
    }  # fmt: skip
    claim = claim_of(world).to_json()
    registration = {
        "claim": claim, "study": study, "contract": contract, "contract_digest": digest(contract),
        "claim_digest": digest({"claim": claim, "study": study, "contract_digest": digest(contract)}),
        "root": digest(name), "given_root": world.conduct.given_root, "exploratory": False,
        "replicas": world.asked.taken[0], "files": {},
    }  # fmt: skip
    return [
        Event("study_opened", None, {"schema": "netgain.ledger/1", "attempts_here": world.conduct.shop}),
        Event("claim_registered", None, registration),
    ]


def session(world: World, registered: str, look: int) -> Event:
    """One call of `run`: under the registered contract, or under that of the code as it was changed meanwhile."""
    changed = world.conduct.changed_loop and look > world.asked.taken[0]
    return Event("session", None, {"netgain": "0", "contract_digest": digest("other code") if changed else registered})


def look_events(
    world: World, cohort: Cohort, rows: Sequence[int], first: int, name: str, contract: str
) -> Iterator[Event]:
    """Everything from enrolling some starts to their sealed scores.

    Args:
        cohort: the starts of many studies.
        rows: where this study's new starts stand in it.
        first: id of the first of them.
        name, contract: root and registered contract of the study.
    """
    size = first + len(rows)
    yield session(world, contract, size)
    ended = {
        (replica, one): _row(world, cohort, one, place, replica, name)
        for replica, place in enumerate(rows, start=first)
        for one in cohort.ran
    }
    for replica, place in enumerate(rows, start=first):
        runs = [_run_name(one) for one in cohort.ran]
        yield Event("replica_enrolled", None, {"replica": replica, "arms": runs, "look": size})
        for one in cohort.ran:
            yield from _run(world, cohort, ended[replica, one], place, name)
    for replica, place in enumerate(rows, start=first):
        yield from _transplanted(world, cohort, replica, place, ended, name)
    yield _seal(ended, first, len(rows))
    for replica, place in enumerate(rows, start=first):
        yield from _sealed(world, cohort, place, {one: ended[replica, one] for one in cohort.ran}, contract)
        yield from _moved_scores(world, cohort, replica, place, ended, contract)


def _variant(arm_name: str) -> str:
    return "long" if arm(arm_name).proposer == "ordinary" else ""


def _run_name(arm_name: str) -> str:
    return f"{arm_name}.long" if _variant(arm_name) else arm_name


def _row(world: World, cohort: Cohort, name: str, place: int, replica: int, study: str) -> Row:
    """Where a run ended. A start that was dropped has a claimed arm that never got to its end."""
    ran, own = cohort.ran[name], arm(name)
    rounds = world.asked.rounds if not (own.one_long_step or _variant(name)) else 1
    lost = bool(cohort.lost[place]) and name == "self"
    anchor = digest([study, "start", 0 if world.conduct.shared_start else replica])
    step, half = int(ran.steps[place]), half_of(world.asked.rounds)
    released = digest([study, replica, name, step]) if step else anchor
    working = digest([study, replica, name, "working"]) if ran.ahead[place] else released
    at_half = digest([study, replica, name, "half"]) if ran.half_changed[place] else anchor
    short = world.conduct.underspent if own.proposer == "ordinary" else 0.0
    spent = world.asked.rounds * SPENT * (1.0 - short) if own.proposer else 0.0
    return Row(
        replica, name, _variant(name), round=rounds - 1 if lost else rounds, stage="judge" if lost else "done",
        horizon=rounds, anchor=anchor, working=working, released=released, restores=int(ran.restores[place]),
        kept_at={str(half): at_half} if name == "self" else {},
        build={"tokens": spent, "flops": spent, "calls": 0.0, "device_seconds": 0.0},
        end=None if lost else "horizon",
    )  # fmt: skip


def _run(world: World, cohort: Cohort, row: Row, place: int, study: str) -> Iterator[Event]:
    run, name = row.id, row.arm
    start = Row(row.replica, name, row.variant, horizon=row.horizon)
    yield Event("run_started", run, {"label": digest([study, run])[:16], "row": dict(vars(start))})
    if arm(name).proposer == "propose":
        yield Event("stage_done", run, {"round": 1, "stage": "propose", "row": dict(vars(start)), "spend": {},
                                        "out": {"channel": _channel(world, name)}})  # fmt: skip
    decider = "person" if world.conduct.people else "system"
    own, rounds = arm(name), cohort.ran[name].outcomes[:, place]
    for t, outcome in enumerate(rounds.tolist(), start=1):
        yield Event("decision", run, {"round": t, "surface": "data", "decided_by": decider, "reason": ""})
        yield Event("gate_decision", run, {"round": t, "mode": world.asked.mode, "outcome": OUTCOMES[outcome]})
    for t in range(1, world.asked.rounds + 1) if own.proposer == "propose" and not len(rounds) else ():
        yield Event("decision", run, {"round": t, "surface": "data", "decided_by": decider, "reason": ""})
        yield Event("gate_decision", run, {"round": t, "mode": "watch", "outcome": "undecided"})
    yield Event("stage_done", run, {"round": row.round, "stage": "measure", "row": dict(vars(row)), "out": {},
                                    "spend": {"build": row.build}})  # fmt: skip


def _channel(world: World, name: str) -> dict[str, Json]:
    """What the loop's own check did in the first round: half of 100 examples kept, drawn where it is replaced.

    Agreement with the true feedback is then one half, and more by the residue that is left in the replacement.
    """
    replaced = arm(name).channel != "true"
    agreement = 0.5 + 0.5 * world.gain.residual if replaced else 1.0
    off = [".".join(pair) for pair in arm(name).disabled]
    return {"channel": arm(name).channel, "disabled": off, "kept": 50, "of": 100, "passed": {"own": 50},
            "agreement": agreement, "quarantined": 0}  # fmt: skip


def _seal(ended: Mapping[tuple[int, str], Row], first: int, count: int) -> Event:
    return Event("seal_opened", None, {
        "look": first + count, "replicas": list(range(first, first + count)),
        "served": {run_id(r, name): row.released for (r, name), row in ended.items()},
        "from": {run_id(r, name): row.id for (r, name), row in ended.items()},
        "listed": {run_id(r, name): row.kept_at for (r, name), row in ended.items() if name == "self"},
    })  # fmt: skip


def _sealed(world: World, cohort: Cohort, place: int, rows: Mapping[str, Row], contract: str) -> Iterator[Event]:
    """What every arm of a start answered on its sealed block, with the fields of `evaluation.Sheet.record`."""
    for (name, role, axis), sheets in cohort.asked.items():
        row = rows[name]
        if cohort.lost[place] and name == "self":
            continue
        values, status = sheets.record(place)
        system = row.released if role == "served" else next(iter(row.kept_at.values()))
        key = f"r{row.replica}"
        yield Event("scores", row.id, {
            "contract": contract[:16], "epoch": 0, "round": world.asked.rounds, "split": "sealed", "axis": axis,
            "source": axis, "key": key, "start": 0, "items": f"{key}/{axis}", "system": system, "role": role,
            "values": values, "status": status, "outputs": hashlib.sha256(sheets.scores[place].tobytes()).hexdigest(),
        })  # fmt: skip


def _transplanted(
    world: World, cohort: Cohort, replica: int, place: int, ended: Mapping[tuple[int, str], Row], study: str
) -> Iterator[Event]:
    """One round by each improver of a start on each of its foreign starts, with the fields of `netgain.transplant`."""
    if cohort.moves is None or cohort.lost[place]:
        return
    own, spent = ended[replica, "self"], {"tokens": SPENT, "flops": SPENT, "calls": 0.0, "device_seconds": 0.0}
    systems = {LAST: own.released, HALF: next(iter(own.kept_at.values())), FIRST: own.anchor,
               DRIFTED: digest([study, replica, DRIFTED]), SHUFFLED: ended[replica, "placebo"].working}  # fmt: skip
    for name in cohort.moves.scores:
        for start in replica + cohort.moves.onto[place] - place:
            yield Event("transplanted", own.id, {
                "round": world.asked.rounds, "improver": name, "improver_system": systems[name], "start": int(start),
                "start_system": ended[int(start), "self"].anchor, "system": digest([study, replica, name, int(start)]),
                "trained": digest([]), "spend": {"transplant": spent}, "dropped": 0, "message": "",
            })  # fmt: skip


def _moved_scores(
    world: World, cohort: Cohort, replica: int, place: int, ended: Mapping[tuple[int, str], Row], contract: str
) -> Iterator[Event]:
    """What the moved rounds made answers to the sealed block of the improver's own start."""
    if cohort.moves is None or cohort.lost[place]:
        return
    own, key = ended[replica, "self"], f"r{replica}"
    for name, scores in cohort.moves.scores.items():
        for start, values in zip(replica + cohort.moves.onto[place] - place, scores[place], strict=True):
            yield Event("scores", own.id, {
                "contract": contract[:16], "epoch": 0, "round": world.asked.rounds, "split": "transplant", "axis": AXIS,
                "source": AXIS, "key": key, "start": 0, "items": f"{key}/{AXIS}", "system": f"{name}|{start}",
                "role": f"{name}|{start}", "values": values.astype(int).tolist(), "status": {},
                "outputs": hashlib.sha256(values.tobytes()).hexdigest(),
            })  # fmt: skip


def stored(events: Sequence[Event], after: int = 0) -> list[Stored]:
    """Entries as the reducer reads them, without hashes: a simulated study is read from memory, not from a file."""
    return [
        Stored(seq, "", one.kind, one.run, None, CLOCK, dict(one.data)) for seq, one in enumerate(events, start=after)
    ]
