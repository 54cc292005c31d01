"""A finished study written into a real ledger in milliseconds: numbers follow from `ENDS`, `SPREAD` and round."""

import dataclasses
from pathlib import Path

from netgain.case import case_of
from netgain.evidence.verdict import decide_verdict
from netgain.facts import Facts, reduce
from netgain.ledger import Event, Ledger
from netgain.ledger.events import Stored

ITEMS = 20
FIRST = 4  # of 20 right in generation 0
ENDS = {
    "self": 16, "frozen": FIRST, "ordinary": FIRST - 1, "placebo": 6, "stacked+placebo": 7, "stacked": 9,
    "unguarded:own.filter": 8, "oracle": 17,
}  # fmt: skip
SPREAD = (0, 1, 2, 1, 0, 2)  # right answers more, by start
CLAIM = {
    "metric": "ladder", "by": 0.2, "beats": ["frozen"], "rung": "R2", "arm": "self", "alpha": 0.05, "looks": [6, 9, 12],
    "expected": 0.4, "starve": 0.05, "starts": "fresh", "analysis": "typical start", "mode": None,
}  # fmt: skip


def write(
    folder: Path, *, replicas: int = 6, rounds: int = 5, upto: int | None = None, ends=ENDS, name="recipe", **claim
):
    """Write a study; `upto` leaves out the seal and everything after so many runs. Returns the ledger, open."""
    log = Ledger.create(folder, clock=lambda: "2026-11-02T14:03:00.000Z")
    events = _opening({**CLAIM, **claim}, list(ends), replicas, rounds, name)
    runs = [(replica, arm) for replica in range(replicas) for arm in ends]
    for replica, arm in runs[:upto]:
        events += _run(replica, arm, rounds, ends)
    log.append(events)
    if upto is None:
        _seal(log, runs, rounds, ends, replicas)
    return log


def facts_in(log: Ledger) -> Facts:
    return reduce(log.events())


def _opening(claim, arms, replicas, rounds, name):
    study = {
        "recipe": name,
        "rounds": rounds,
        "arms": [*arms, "random_search"],
        "surfaces": ["data"],
        "state": {},
        "tries": 8,
        "limits": {},
        "untestable": {"random_search": "no separate meaning"},
        "filters": [{"name": "own", "uses": ["filter", "pace"]}],
        "required": {
            "R1": ["frozen"],
            "R2": ["frozen", "ordinary", "placebo"],
            "R4": ["frozen"],
            "R5": ["frozen", "flat"],
        },
    }
    registration = {
        "claim": claim,
        "claim_digest": "c1" * 32,
        "study": study,
        "contract": {"suite": _suite(), "gate": {"level": 0.05, "log_raise": 0.0}},
        "contract_digest": "c2" * 32,
        "secret_sha256": "5e" * 32,
        "root": "aa" * 32,
        "root_bits": "bb" * 16,
        "given_root": False,
        "exploratory": False,
        "replicas": replicas,
        "files": {},
    }
    opened = {
        "schema": "netgain.ledger/1",
        "netgain": "0.1.0",
        "python": "3.11",
        "platform": "test",
        "libraries": {},
        "attempts_here": 3,
    }
    started = [
        Event("replica_enrolled", None, {"replica": one, "arms": arms, "look": replicas}) for one in range(replicas)
    ]
    running = {"state": "running", "reason": "stages are being done", "next": "wait"}
    return [
        Event("study_opened", None, opened),
        Event("claim_registered", None, registration),
        Event("state", None, running),
        *started,
    ]


def _suite():
    plain = {
        "margin": 0.1,
        "metric": "exact",
        "overlap": False,
        "source": {"generator": "strings/1", "lengths": [6, 7, 8]},
    }
    ladder = {**plain, "name": "ladder", "kind": "capability", "guard": False, "sealed_items": ITEMS}
    retention = {**plain, "name": "retention", "kind": "retention", "guard": True, "sealed_items": ITEMS}
    return {"axes": [ladder, retention], "block": 10, "max_pairs": 40, "design_gain": 0.1, "dev_items": 0}


def right(arm, replica, at, rounds, ends=ENDS) -> int:
    """Right answers of 20 on the ladder: a straight line from generation 0 to the end; plain training spreads less."""
    end = ends[arm] + (SPREAD[replica % len(SPREAD)] if arm not in ("frozen", "ordinary") else 0)
    return round(FIRST + (end - FIRST) * at / rounds)


def _sheet(run, at, split, role, axis, count, system="s"):
    values = [1.0] * count + [0.0] * (ITEMS - count)
    rest = {"source": "x", "key": "k", "start": 0, "items": "i", "system": system, "outputs": f"o{count}", "status": {}}
    return Event("scores", run, {"round": at, "split": split, "axis": axis, "role": role, "values": values, **rest})


def _run(replica, arm, rounds, ends):
    run = f"r{replica}/{arm}"
    row = {
        "replica": replica,
        "arm": arm,
        "variant": "",
        "stage": "start",
        "round": 0,
        "build": {},
        "answer": {},
        "end": None,
        "restores": 0,
        "anchor": f"g0-{replica}",
        "working": "w",
        "released": "w",
        "kept_at": {},
    }
    events = [Event("run_started", run, {"label": "x", "row": row}), _done(run, 0, "start", row, {})]  # books no tokens
    for at in range(rounds + 1):
        events += _round(run, row, at, rounds, ends)
    last = {**row, "stage": "done", "round": rounds, "end": "planned length reached"}
    last["build"] = {"tokens": 100.0 * rounds}
    served = last["anchor"] if arm in ("frozen", "ordinary") else f"{arm}-{replica}"
    return [*events, _done(run, rounds, "measure", {**last, "released": served, "working": served}, {})]


def _round(run, row, at, rounds, ends):
    arm, replica = row["arm"], row["replica"]
    count = right(arm, replica, at, rounds, ends)
    events = [_sheet(run, at, "report", role, "ladder", count) for role in ("working", "released")]
    if arm == "frozen":
        events.append(_sheet(run, at, "anchor", "anchor", "ladder", FIRST))
    if at and arm not in ("frozen", "ordinary"):
        events += [
            _sheet(run, at, "gate", "candidate", "ladder", count + 1),
            _sheet(run, at, "gate", "released", "ladder", count - 1),
        ]
        events += [_sheet(run, at, "gate", "anchor", "ladder", FIRST), _decision(run, at), _choice(run, at)]
        channel = {
            "channel": "true",
            "disabled": [],
            "kept": 80 + at,
            "of": 100,
            "passed": {"own": 80 + at},
            "agreement": 0.7,
            "quarantined": 0,
            "right": {"right": 90 - at, "of": 100, "passed": 80 + at, "passed_right": 79},
        }
        events.append(_done(run, at, "propose", row, {"channel": channel}))
    return events


def _decision(run, at):
    tests = [
        {
            "kind": "release",
            "axis": "ladder",
            "form": "betting",
            "log_e": 5.0,
            "log_e_peak": 5.0,
            "log_threshold": 4.6,
            "pairs": 40,
            "missing": 0,
        }
    ]
    outcome = {
        "outcome": "promote",
        "reason": "better",
        "sentence": "release on 'ladder'",
        "mode": "advance",
        "tests": tests,
    }
    return Event(
        "gate_decision", run, {"round": at, "candidate": "c", "released": "r", "receipt": {"round": at}, **outcome}
    )


def _choice(run, at):
    who = {
        "locus": "proposal",
        "surface": "data",
        "decided_by": "rule" if at == 1 else "system",
        "reason": "more",
        "options": 2,
        "evidence": {},
    }
    return Event("decision", run, {"round": at, **who})


def _done(run, at, stage, row, out):
    spend = (
        {"build": {"tokens": 100.0, "cost_usd": None}, "answer": {"calls": 10.0}} if at else {"build": {"tokens": None}}
    )
    return Event(
        "stage_done",
        run,
        {"key": f"{run}/{at}/{stage}", "round": at, "stage": stage, "row": row, "spend": spend, "out": out},
    )


def _seal(log, runs, rounds, ends, replicas):
    rows = log.rows()
    names = {f"r{replica}/{arm}": f"r{replica}/{arm}" for replica, arm in runs}
    seal = {
        "look": replicas,
        "replicas": list(range(replicas)),
        "merkle_size": log.size,
        "merkle_root": log.root(),
        "listed": {},
        "served": {name: rows[name]["released"] for name in names},
        "from": names,
    }
    events = [Event("seal_opened", None, seal)]
    for replica, arm in runs:
        name = f"r{replica}/{arm}"
        events.append(_sheet(name, rounds, "sealed", "served", "ladder", right(arm, replica, rounds, rounds, ends)))
        events.append(_sheet(name, rounds, "sealed", "served", "retention", 19 if arm == "self" else 20))
    log.append(events)
    verdict = {"look": replicas, **decide_verdict(case_of(facts_in(log))).to_json()}
    done = {"state": "done", "reason": "planned length reached", "next": "`netgain report`"}
    log.append([Event("verdict", None, verdict), Event("state", None, done)])


def altered(log: Ledger, kind: str, **changes) -> list[Stored]:
    """The log's entries, with the data of one kind changed: what a forger would show."""
    return [dataclasses.replace(one, data={**one.data, **changes}) if one.kind == kind else one for one in log.events()]
