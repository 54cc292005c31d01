"""A whole study in one thread, from a seed, with faults: proposer, workers and gate over the real ledger and store.

Real: stages, gate, ledger, object store, leases, the cap on deaths. Simulated: workers that die, answer late, answer
twice or are overtaken; a coordinator that ends at any append, and comes back as a zombie; a clock that jumps, stands
still or runs backwards; a disk that is full; writes that take half of what they are given. After every stage the
invariants of `Watch` are looked at. The same seed gives the same history, which is how a failure is repeated.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from netgain.errors import DiskFull, LedgerError, NetgainError, WorkerDied
from netgain.gates.gate import BettingGate
from netgain.leases import Leases
from netgain.ledger import Event, Ledger, Stored, files, fold
from netgain.loop import step
from netgain.poison import DEATHS
from netgain.result import result_digest
from netgain.stores import objects
from netgain.testing import cycle
from netgain.testing.crashfs import swapped
from netgain.testing.inprocess import InProcess
from netgain.wire import pack
from netgain.world import World

JOB = "worker"
DAY = timedelta(days=1)


class CoordinatorDied(BaseException):
    """The coordinator ended here: not an error that anything may handle."""


@dataclass(frozen=True)
class Rates:
    """Chance of each fault, where it can happen.

    Attributes:
        dies: a worker dies before it answers.
        late: it was given up, and its result arrives with the next one.
        twice: a result is delivered again, with the next one.
        coordinator: the coordinator ends, before or after an append.
        full: an append, or an object, finds no room.
        short: a write takes half of what it is given.
        jump: the clock jumps by up to a day either way, or stands still from then on.
    """

    dies: float = 0.05
    late: float = 0.05
    twice: float = 0.1
    coordinator: float = 0.04
    full: float = 0.02
    short: float = 0.3
    jump: float = 0.1


@dataclass
class History:
    """What happened in one simulation.

    Attributes:
        seed: everything follows from it.
        steps: stages done.
        faults: kind -> how often.
        broken: invariants that did not hold, each with the place.
        digest: result digest at the end; None when it did not come to it.
        entries: the log at the end.
    """

    seed: int
    steps: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    digest: str | None = None
    entries: list[Stored] = field(default_factory=list)

    def happened(self, fault: str) -> None:
        """Count a fault."""
        self.faults[fault] = self.faults.get(fault, 0) + 1


class Clock:
    """A wall clock that cannot be trusted. Nothing may follow from what it says."""

    def __init__(self, chance: Random, rates: Rates, history: History) -> None:
        self._chance, self._rates, self._history = chance, rates, history
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._stands = False

    def __call__(self) -> str:
        """What it shows, as `ledger.utc_now` does."""
        if self._chance.random() < self._rates.jump:
            self._history.happened("clock")
            self._now += DAY * self._chance.uniform(-1, 1)
            self._stands = self._chance.random() < 0.3
        self._now += timedelta(0) if self._stands else timedelta(milliseconds=self._chance.randint(1, 500))
        return self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Mail:
    """What outlives a coordinator: results under way, and how often each task has killed its worker."""

    results: list[dict[str, Any]] = field(default_factory=list)
    deaths: Counter[str] = field(default_factory=Counter)


class Workers:
    """Workers whose results come late, twice or not at all; `Leases` says which of them counts, as in real ones."""

    def __init__(self, chance: Random, rates: Rates, history: History, mail: Mail, epoch: int) -> None:
        self._chance, self._rates, self._history = chance, rates, history
        self._real = InProcess(cycle.loop)
        self._mail = mail
        self._leases = Leases(epoch)

    def call(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """One task; what arrives first is what was under way."""
        lease = self._leases.grant(JOB)
        result = {**self._real.call(task), "lease": list(lease)}
        fault = self._fault(digest_of(task))
        if fault in ("dies", "late"):
            self._leases.revoke(JOB)
            self._mail.results += [result] if fault == "late" else []
            raise WorkerDied(f"simulated: {fault}")
        arrived = [*self._mail.results, result]
        self._mail.results = [result] if fault == "twice" else []
        answer = self._leases.first(JOB, lease, arrived)
        if answer is None:
            raise WorkerDied("simulated: no result held the lease")
        return answer

    def _fault(self, task: str) -> str | None:
        """A drawn fault; a task kills two workers at most, so that none is given up by chance alone."""
        rates = self._rates
        for fault, rate in (("dies", rates.dies), ("late", rates.late), ("twice", rates.twice)):
            if self._chance.random() < rate and (fault == "twice" or self._mail.deaths[task] < DEATHS - 1):
                self._mail.deaths[task] += fault != "twice"
                self._history.happened(fault)
                return fault
        return None


def digest_of(task: Mapping[str, Any]) -> str:
    """Which task it is."""
    return hashlib.sha256(pack(dict(task))).hexdigest()


class Unsure:
    """A ledger of a coordinator that may end, or find no room, at any append."""

    def __init__(self, real: Ledger, chance: Random, rates: Rates, history: History) -> None:
        self.real = real
        self._chance, self._rates, self._history = chance, rates, history

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def append(self, events: Sequence[Event]) -> Sequence[Stored]:
        """Append, unless something happens first; and then perhaps end all the same."""
        self._perhaps("coordinator", self._rates.coordinator / 2, CoordinatorDied())
        if self._chance.random() < self._rates.full:
            self._history.happened("full")
            return self._without_room(events)
        done = self.real.append(events)
        self._perhaps("coordinator", self._rates.coordinator / 2, CoordinatorDied())
        return done

    def _perhaps(self, fault: str, rate: float, error: BaseException) -> None:
        if self._chance.random() < rate:
            self._history.happened(fault)
            raise error

    def _without_room(self, events: Sequence[Event]) -> Sequence[Stored]:
        """SQLite's own "database or disk is full", in the middle of the transaction."""
        db = self.real._db
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        try:
            filler = Event("note", None, {"fill": "x" * 200_000})
            return self.real.append([*events, filler])
        finally:
            db.execute("PRAGMA max_page_count = 1000000")


class Stingy:
    """Stands in for `os` where objects are written: a write takes half, or finds no room."""

    def __init__(self, chance: Random, rates: Rates, history: History) -> None:
        self._chance, self._rates, self._history = chance, rates, history

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, handle: int, data: bytes | memoryview) -> int:
        """As `os.write`, on a bad day."""
        if self._chance.random() < self._rates.full:
            self._history.happened("full")
            os.write(handle, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._chance.random() < self._rates.short and len(data) > 1:
            self._history.happened("short")
            return os.write(handle, data[: len(data) // 2])
        return os.write(handle, data)

    def fsync(self, handle: int) -> None:
        """Nothing: power loss is simulated elsewhere (`netgain.testing.powerloss`)."""


class Watch:
    """The invariants, looked at after every stage of every coordinator.

    The log only grows; rows are its fold; a released system moves only with a receipt of that very move; what was spent
    never falls; no stage is recorded twice; no sealed item is drawn before the seal is on record.
    """

    def __init__(self, gate: BettingGate) -> None:
        self._gate = gate
        self._before: list[str] = []
        self.sealed_too_early = 0

    def look(self, log: Ledger) -> list[str]:
        """What does not hold."""
        entries = list(log.events())
        leaves = [entry.leaf for entry in entries]
        wrong = [] if leaves[: len(self._before)] == self._before else ["the log is not the one of before, longer"]
        self._before = leaves
        if log.rows() != fold(entries):
            wrong.append("the rows are not those of the log")
        if self.sealed_too_early:
            wrong.append(f"{self.sealed_too_early} sealed blocks drawn before the seal was on record")
        wrong += _one_each(entries)
        for run in log.rows():
            wrong += self._moves([entry for entry in entries if entry.run == run])
        return wrong

    def _moves(self, entries: list[Stored]) -> list[str]:
        wrong: list[str] = []
        before: dict[str, Any] | None = None
        receipts = {one.data["round"]: one.data["receipt"] for one in entries if one.kind == "gate_decision"}
        for entry in (one for one in entries if one.kind == "stage_done"):
            row = entry.data["row"]
            if before is not None and row["released"] != before["released"] and before["released"] is not None:
                receipt = receipts.get(entry.data["round"])
                if not self._gate.admits(receipt, row["released"], before["released"], waived=()):
                    wrong.append(f"seq {entry.seq}: released without a receipt of this move")
            wrong += [f"seq {entry.seq}: {one}" for one in _fallen(before, row)]
            before = row
        return wrong


def _one_each(entries: list[Stored]) -> list[str]:
    keys = [entry.data["key"] for entry in entries if entry.kind == "stage_done"]
    return [] if len(keys) == len(set(keys)) else ["a stage is recorded twice"]


def _fallen(before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> list[str]:
    """Units of which less is spent than before."""
    found = []
    for phase in ("build", "answer"):
        for unit, held in ((before or {}).get(phase) or {}).items():
            now = row[phase].get(unit)
            if (held is None) != (now is None) or (held is not None and now < held):
                found.append(f"spent {unit} went from {held} to {now}")
    return found


class _Dealer:
    """The dealer, which notes a sealed block that is drawn before the seal is on record."""

    def __init__(self, real: Any, log: Ledger, watch: Watch) -> None:
        self._real, self._log, self._watch = real, log, watch

    def __getattr__(self, name: str) -> Any:
        if name == "sealed" and not list(self._log.events("seal_opened")):
            self._watch.sealed_too_early += 1
        return getattr(self._real, name)


def simulate(
    folder: Path, seed: int, *, rates: Rates | None = None, rounds: int = cycle.ROUNDS,
    then: Callable[[World], None] = lambda world: None, most: int = 400,
) -> History:  # fmt: skip
    """Run the reference cycle to its end, whatever happens on the way.

    Args:
        folder: empty.
        seed: of faults and their places.
        rates: chances of faults.
        rounds: of the cycle.
        then: done at the end with the world, for what comes after the last stage; the invariants are looked at again.
        most: coordinators; more of them means that the study does not come forward.
    """
    chance, history, asked = Random(seed), History(seed), rates or Rates()
    clock, mail, watch = Clock(chance, asked, history), Mail(), Watch(cycle.gate(rounds))
    zombies: list[Ledger] = []
    bad = Stingy(chance, asked, history)
    for _ in range(most):
        try:
            with swapped((files, "os", bad), (objects, "os", bad)):
                log, world = _coordinator(folder, chance, asked, history, clock, mail, watch, rounds)
        except DiskFull:
            continue
        _refused(zombies, history)
        zombies = [log]
        try:
            with swapped((files, "os", bad), (objects, "os", bad)):
                _work(world, log, watch, history)
                then(world)
            history.broken += watch.look(log)
            history.entries = list(log.events())
            history.digest = result_digest(history.entries)
        except NetgainError as error:
            if not isinstance(error, DiskFull):  # the last one that anything may end with
                history.broken.append(f"{type(error).__name__}: {error}")
        except CoordinatorDied:
            pass
        if history.digest is not None or history.broken:
            log.close()
            break
    return history


def _coordinator(
    folder: Path, chance: Random, rates: Rates, history: History, clock: Clock, mail: Mail,
    watch: Watch, rounds: int,
) -> tuple[Ledger, World]:  # fmt: skip
    world = cycle.world_in(folder, rounds=rounds, clock=clock, sleep=lambda seconds: None)
    log = world.log
    assert isinstance(log, Ledger)
    workers = Workers(chance, rates, history, mail, log.epoch)
    unsure: Any = Unsure(log, chance, rates, history)
    jobs = cycle.jobs(workers, world.store, unsure, sleep=lambda seconds: None)
    dealer: Any = _Dealer(world.dealer, log, watch)
    return log, replace(world, log=unsure, jobs=jobs, dealer=dealer)


def _work(world: World, log: Ledger, watch: Watch, history: History) -> None:
    while (run := cycle.next_run(world)) is not None:
        step(run, world)
        history.steps += 1
        if wrong := watch.look(log):
            history.broken += wrong
            raise CoordinatorDied


def _refused(zombies: list[Ledger], history: History) -> None:
    """A coordinator that was overtaken wakes up and tries to write: it has to be refused."""
    for zombie in zombies:
        try:
            zombie.append([Event("note", None, {"from": "a zombie"})])
            history.broken.append("a coordinator that was overtaken could write")
        except LedgerError:
            history.happened("zombie coordinator")
        with suppress(NetgainError, sqlite3.Error):
            zombie.close()
