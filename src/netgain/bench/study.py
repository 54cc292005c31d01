"""Whole studies of any length for measuring: the runtime's own stages, a log in memory, a loop that costs little.

What comes out is a study in every respect: `verify.py` finds nothing wrong with it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from netgain.canonical import digest
from netgain.case import case_of
from netgain.claim import Claim
from netgain.evaluation import Under
from netgain.evidence.verdict import decide_verdict
from netgain.executors import Reference
from netgain.executors.worker import Tasks, run_task
from netgain.facts import Facts, reduce
from netgain.gates.gate import BettingGate, plan_of
from netgain.generators import Strings
from netgain.inert import loop_error
from netgain.items import Dealer
from netgain.jobs import Jobs
from netgain.ledger import Event, Ledger, Stored, fold, utc_now
from netgain.ledger.events import body_of, read
from netgain.loop import step
from netgain.records import Change, Part, Started, View
from netgain.run import half_of
from netgain.seal import open_seal, score_sealed
from netgain.seeding import root as derived_root
from netgain.session import Study
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.study import enrol
from netgain.suite import Suite, axis
from netgain.world import World

Json = Any

STARTS = 12
ARMS = ("self", "frozen", "flat", "stacked")
EVENTS_A_ROUND = 3 * 17 + 5  # of one start: three arms that propose, one that stands still
ITEMS = 8  # of every block: the log is to be measured, not the items
SECRET = hashlib.sha256(b"netgain bench").digest()


@dataclass(frozen=True)
class Written:
    """A study that is over: what its ledger holds, in order, and its objects by digest."""

    events: tuple[Stored, ...]
    objects: Mapping[str, bytes]

    def save(self, folder: Path, *, group: int = 500) -> Path:
        """Write it to disk as a finished study; entries keep their times, and so their hashes."""
        times = iter([entry.time for entry in self.events])
        with Ledger.create(folder, clock=lambda: next(times)) as log:
            for entries in self.groups(group):
                log.append(entries)
            store = ObjectStore(folder / "objects")
            for data in self.objects.values():
                store.put(data)
            log.seal_files()
        return folder

    def groups(self, size: int) -> Iterator[list[Event]]:
        """The events as they were appended, so many at a time."""
        for first in range(0, len(self.events), size):
            part = self.events[first : first + size]
            yield [Event(entry.kind, entry.run, entry.data) for entry in part]


def write_study(events: int, *, starts: int = STARTS) -> Written:
    """A study of about so many events, from its claim to its verdict; a few milliseconds a stage."""
    study = _study(max(2, round(events / (starts * EVENTS_A_ROUND))), starts)
    log, store = _Memory(), _Objects()
    registration = _register(study, log)
    world = _world(study, log, store, registration)
    labels = count(1)
    enrol(world, range(starts), starts, lambda: f"{next(labels):016x}")
    for run in list(log.rows()):
        while log.rows()[run]["stage"] != "done":
            step(run, world)
    _conclude(study, world, log, starts)
    return Written(tuple(log.entries), store.held)


def wide_events(written: Written, scores: int) -> list[Event]:
    """Its events, the sealed columns widened to about so many scores in all: each score repeated, 0 and 1 as before."""
    sealed = [entry for entry in written.events if entry.kind == "scores" and entry.data["split"] == "sealed"]
    times = -(-scores // sum(len(entry.data["values"]) for entry in sealed))
    wide = {entry.seq: {**entry.data, "values": list(entry.data["values"]) * times} for entry in sealed}
    return [Event(entry.kind, entry.run, wide.get(entry.seq, entry.data)) for entry in written.events]


def _start(rng: Any) -> Started:
    return Started({"skill": 0.2, "mark": int(rng.integers(1 << 30))}, {"tokens": 0, "flops": 0, "calls": 0})


def _propose(view: View) -> Change:
    view.budget.spend(tokens=100.0, flops=1e6)
    better = {"skill": min(0.95, view.parent["skill"] + 0.05), "mark": int(view.rng.integers(1 << 30))}
    return Change([Part("policy", better)], state=(view.state or 0) + 1)


def _answer(system: Mapping[str, Json], inputs: Sequence[str], budget: Any, rng: Any) -> list[str]:
    bar = system["skill"] * 2**32
    return [one[:-1] if zlib.crc32(f"{system['mark']}|{one}".encode()) < bar else "?" for one in inputs]


STATE = {"parent": "skill", "improver": "none", "position": "count"}
LOOP = Loop(_start, _propose, _answer, surfaces=("policy",), gate="watch", state=STATE)


def _study(rounds: int, starts: int) -> Study:
    echo = axis("echo", Strings("copy", (6,)), gate_items=ITEMS, report_items=ITEMS, sealed_items=10 * ITEMS)
    claim = Claim("echo", by=0.2, beats=("frozen",), rung="R1", looks=(starts,))
    suite = Suite((echo,), block=ITEMS, max_pairs=ITEMS, design_gain=0.3)
    return Study(
        LOOP, suite, ARMS, claim, replicas=starts, rounds=rounds, reference=Reference("netgain.bench.study:LOOP")
    )


def _register(study: Study, log: _Memory) -> dict[str, Json]:
    claim, registered, contract = study.claim.to_json(), study.registered(), study.contract()
    contract_digest = digest(contract)
    claim_digest = digest({"claim": claim, "study": registered, "contract_digest": contract_digest})
    record = {
        "claim": claim, "claim_digest": claim_digest, "study": registered, "contract": contract,
        "contract_digest": contract_digest, "secret_sha256": hashlib.sha256(SECRET).hexdigest(), "root_bits": "00" * 16,
        "root": derived_root(claim_digest, "00" * 16), "given_root": False, "exploratory": False,
        "replicas": study.replicas, "files": {}, "exposure": {},
    }  # fmt: skip
    log.append([Event("claim_registered", None, record), Event("session", None, {"contract_digest": contract_digest})])
    return record


def _world(study: Study, log: _Memory, store: _Objects, registration: Mapping[str, Json]) -> World:
    return World(
        loop=study.loop, suite=study.suite, arms=study.chosen(),
        gate=BettingGate(plan_of(study.suite, study.mode, study.rounds)), mode=study.mode,
        dealer=Dealer(SECRET, study.rounds, study.replicas), root=registration["root"], log=log, store=store,
        jobs=Jobs(_Direct(study.loop), store), rounds=study.rounds, keep_at=(half_of(study.rounds),),
        contract=Under(registration["contract_digest"]),
    )  # fmt: skip


def _conclude(study: Study, world: World, log: _Memory, starts: int) -> None:
    facts = _facts(log)
    open_seal(log, facts, starts, range(starts), study.arms)
    facts = _facts(log)
    score_sealed(world, facts, facts.seals[-1], 1)
    verdict = decide_verdict(case_of(_facts(log)))
    revealed = Event("secret_revealed", None, {"look": starts, "secret": SECRET.hex()})
    log.append([revealed, Event("verdict", None, {"look": starts, **verdict.to_json()})])


def _facts(log: _Memory) -> Facts:
    return reduce(log.events())


class _Direct:
    """An executor in this process; loop code is told nothing more than in a worker."""

    def __init__(self, loop: Loop) -> None:
        self._tasks = Tasks(loop)

    def call(self, task: Mapping[str, Any]) -> dict[str, Any]:
        answer = run_task(self._tasks, dict(task))
        if not answer["ok"]:
            raise loop_error(answer, task["op"])
        return answer


class _Objects:
    """Objects in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self.held[name] = data
        return name

    def get(self, digest: str) -> bytes:
        return self.held[digest]


class _Memory:
    """A log in memory: what the ledger holds, without the disk."""

    def __init__(self) -> None:
        self.entries: list[Stored] = []
        self._rows: dict[str, dict[str, Json]] = {}
        self._last: dict[str | None, str] = {}
        self._found: dict[tuple[str | None, str | None], list[Stored]] = defaultdict(list)

    def append(self, events: Sequence[Event]) -> list[Stored]:
        new = []
        for event in events:
            body = body_of(event, prev=self._last.get(event.run), time=utc_now())
            entry = read(len(self.entries), body)
            self._last[event.run] = entry.leaf
            self.entries.append(entry)
            for asked in ((entry.kind, None), (entry.kind, entry.run)):
                self._found[asked].append(entry)
            new.append(entry)
        self._rows |= fold(new)
        return new

    def row(self, run: str) -> dict[str, Json] | None:
        return self._rows.get(run)

    def rows(self) -> dict[str, dict[str, Json]]:
        return self._rows

    def events(self, kind: str | None = None, run: str | None = None) -> Iterator[Stored]:
        return iter(list(self.entries if kind is None else self._found[kind, run]))
