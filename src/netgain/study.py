"""Arms × replicas: which runs there are, which may go on, and the threads that step them; what people ask of them."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netgain.approvals import APPROVE, DENY, answered, outcome
from netgain.arms import Arm
from netgain.budget import exceeded
from netgain.errors import BudgetExhausted, ConfigError, IntegrityError
from netgain.ledger.events import Event
from netgain.ledger.files import STOP
from netgain.ledger.store import utc_now
from netgain.loop import step
from netgain.rollback import rolled_back
from netgain.run import PLAN, Row, run_id
from netgain.world import Outcome, World

ENDING = ("stop", "pause")
REQUESTS = (*ENDING, APPROVE, DENY, "rollback")
FIELDS = {APPROVE: ("id", "digest", "at"), DENY: ("id", "digest", "at"), "rollback": ("run", "to")}  # beside the usual
WAITS = "waiting"
STUCK_AFTER_SECONDS = 3600.0  # of one stage, where the study registers no deadline of its own


@dataclass(frozen=True)
class Stepped:
    """One stage done: what a watcher is told.

    Attributes:
        row: the run before the stage.
        outcome: what the stage gave.
        seconds: wall time.
        done: runs that are over, of `of`.
    """

    row: Row
    outcome: Outcome
    seconds: float
    done: int
    of: int


Watcher = Callable[[Stepped], None]


def enrol(world: World, replicas: Iterable[int], look: int, label: Callable[[], str]) -> None:
    """Write the runs of new replicas into the log; enrolled replicas stay, whatever becomes of them."""
    known = {event.data["replica"] for event in world.log.events("replica_enrolled")}
    for replica in replicas:
        if replica in known:
            continue
        names = list(world.arms)
        events = [Event("replica_enrolled", None, {"replica": replica, "arms": names, "look": look})]
        for name, arm in world.arms.items():
            row = _first_row(replica, arm, world.rounds)
            events.append(Event("run_started", run_id(replica, name), {"label": label(), "row": row.to_json()}))
        world.log.append(events)


def _first_row(replica: int, arm: Arm, rounds: int) -> Row:
    one_round = arm.one_long_step or arm.tries or arm.variant == "long"
    return Row(replica, arm.name, arm.variant, horizon=1 if one_round else rounds, plan=PLAN)


class Conductor:
    """Steps all runs until they are done, somebody asks to stop, or something fails that is not the system's doing."""

    def __init__(
        self, world: World, inbox: Path, watch: Watcher, pause_at: Mapping[str, float] | None = None,
        deadline_seconds: float | None = None,
    ) -> None:  # fmt: skip
        self._stuck_after = STUCK_AFTER_SECONDS if deadline_seconds is None else deadline_seconds
        self._begun: dict[str, float] = {}  # run -> when its stage began, by the monotonic clock
        self._stuck: set[str] = set()
        self._pause_at = dict(pause_at or {})
        self._spent: dict[str, float] = {}
        self._world = world
        self._inbox = inbox
        self._watch = watch
        self._turn = threading.Condition()
        self._rows = {run: Row.from_json(row) for run, row in world.log.rows().items()}
        self._order = self._in_order()
        self._busy: set[str] = set()
        self._trouble: BaseException | None = None
        self.asked: str | None = None
        self.why = ""
        self.exhausted: BudgetExhausted | None = None

    def _in_order(self) -> list[str]:
        """Replica by replica; within one, the loop itself first, then its controls as registered."""
        rank = {name: place for place, name in enumerate(self._world.arms)}

        def place(run: str) -> tuple[int, bool, int]:
            row = self._rows[run]
            arm = self._world.arm(row)
            return row.replica, arm.after_self, rank[arm.run_name]

        return sorted(self._rows, key=place)

    def conduct(self, hands: int) -> str:
        """Step with so many threads.

        Returns:
            "done", the request that ended it ("stop" or "pause"), or "waiting": nothing is left but what waits for the
            answer of a person.

        Raises:
            NetgainError: the first failure of infrastructure, disk or ledger; everything done so far is kept.
        """
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(hands)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):  # short waits, so that Ctrl-C is heard
            for thread in threads:
                thread.join(0.2)
            self._notice_stuck()
        if self._trouble is not None:
            raise self._trouble
        return self.asked or "done"

    def _notice_stuck(self) -> None:
        """Record the stages that take longer than they should: seen from outside, since who hangs says nothing."""
        now = time.monotonic()
        with self._turn:
            for run, began in self._begun.items():
                if now - began > self._stuck_after and run not in self._stuck:
                    self._stuck.add(run)
                    row = self._rows[run]
                    reason = f"{row.stage} of {run} in round {row.round} has taken over {self._stuck_after:g} s"
                    self._tell("stuck", reason, "`netgain stop` ends it; deadline_seconds would end the task itself")

    def _tell(self, state: str, reason: str, following: str) -> None:
        self._world.log.append([Event("state", None, {"state": state, "reason": reason, "next": following})])

    def _unstuck(self, run: str) -> None:
        """A stage that was recorded as stuck has ended after all."""
        self._begun.pop(run, None)
        if run in self._stuck:
            self._stuck.discard(run)
            if not self._stuck:
                self._tell("running", f"{run} goes on", "wait, or `netgain status`")

    def abandon(self) -> None:
        """Start nothing more: for an interrupt."""
        with self._turn:
            self.asked = self.asked or "pause"
            self._turn.notify_all()

    def _work(self) -> None:
        run = None
        try:
            while (run := self._next()) is not None:
                self._step(run)
        except BaseException as error:  # noqa: BLE001  broad: carried to the calling thread, which raises it
            with self._turn:
                self._trouble = self._trouble or error
                self._busy.discard(run or "")
                self._turn.notify_all()

    def _step(self, run: str) -> None:
        before, began = self._rows[run], time.monotonic()
        self._begun[run] = began
        outcome = step(run, self._world)
        self._read_back([one for one in outcome.events if one.kind == "probation" and one.data["acted"]])
        with self._turn:
            self._unstuck(run)
            self._rows[run] = outcome.row
            self._book(outcome)
            self._heed(outcome)
            self._busy.discard(run)
            done = sum(row.done for row in self._rows.values())
            self._watch(Stepped(before, outcome, time.monotonic() - began, done, len(self._rows)))
            if outcome.row.done:
                self._close_replica(outcome.row.replica)
            self._turn.notify_all()

    def _book(self, outcome: Outcome) -> None:
        """Count what this call has spent; a limit in seconds, money or minutes pauses and changes no result.

        A limit on what the loop does not meter cannot hold, so it pauses at once.
        """
        for amounts in (outcome.start, outcome.build, outcome.answer):
            for unit, amount in (amounts or {}).items():
                unmetered = amount is None and unit in self._pause_at
                self._spent[unit] = math.inf if unmetered else self._spent.get(unit, 0.0) + (amount or 0.0)
        reached = exceeded(self._spent, self._pause_at)
        if reached is not None and self.asked is None:
            self.exhausted = BudgetExhausted(reached, self._spent[reached], self._pause_at[reached])
            self.asked, self.why = "pause", str(self.exhausted)

    def _heed(self, outcome: Outcome) -> None:
        """Pause where a monitor asks for a person; the round is on record, and the next call goes on from it."""
        asking = [one.data["by"] for one in outcome.events if one.kind == "watched" and one.data["acted"] == "pause"]
        if asking and self.asked is None:
            self.asked, self.why = "pause", f"the monitor {asking[0]} asks for a person"

    def _close_replica(self, replica: int) -> None:
        if all(row.done for row in self._rows.values() if row.replica == replica):
            self._world.jobs.forget(replica)

    def _next(self) -> str | None:
        with self._turn:
            while True:
                self.read_inbox()
                if self.asked or self._trouble:
                    return None
                ready = [run for run in self._order if self._ready(run)]
                if ready:
                    self._busy.add(ready[0])
                    return ready[0]
                if all(row.done for row in self._rows.values()):
                    return None
                if not self._busy:  # every run that is left waits for people, or for one that does
                    self.asked, self.why = WAITS, self._waits()
                    return None
                self._turn.wait(1.0)

    def _ready(self, run: str) -> bool:
        row = self._rows[run]
        if row.done or run in self._busy:
            return False
        arm = self._world.arm(row)
        if row.stage == "approve" and outcome(self._world.log, row, arm, utc_now()) is None:
            return False
        first = self._rows.get(run_id(row.replica, "self"))
        return not arm.after_self or first is None or first.done

    def _waits(self) -> str:
        waiting = sum(row.stage == "approve" for row in self._rows.values())
        return f"{waiting} change{'s wait' if waiting != 1 else ' waits'} for an answer"

    def read_inbox(self) -> None:
        """Record and obey what people ask; what cannot be obeyed is recorded with the reason."""
        for path in sorted(self._inbox.glob("*.json")) if self._inbox.is_dir() else []:
            request = _request(path)
            if request["kind"] == "rollback" and request.get("run") in self._busy:
                continue  # its stage is about to write the row: the next look obeys
            events, wrong = self._obeyed(request)
            told = {**request, "refused": wrong} if wrong else request
            self._world.log.append([Event("request", None, told), *events])
            path.unlink(missing_ok=True)  # killed before this: read again, and refused as answered already
            self._read_back([one for one in events if one.kind == "rollback"])
        stop = self._inbox.parent / STOP
        if stop.exists() and self.asked is None:
            self._end({"kind": "stop", "by": f"the file {STOP}", "reason": f"remove {stop} to go on"})
            self._world.log.append([Event("request", None, {"kind": "stop", "by": f"the file {STOP}", "reason": ""})])

    def _read_back(self, moved: Sequence[Event]) -> None:
        """The rows that a rollback left, read from the log, and not what was meant to be written."""
        for event in moved:
            run, meant = str(event.run), event.data["before" if event.kind == "probation" else "system"]
            row = Row.from_json(self._world.log.row(run) or {})
            if (row.released, row.working) != (meant, meant):
                raise IntegrityError(f"{run} did not go back to {meant[:12]}", where=run, fix="run `netgain verify`")
            self._rows[run] = row

    def _obeyed(self, request: Mapping[str, Any]) -> tuple[list[Event], str]:
        """What a request brings about, and why not."""
        if request["kind"] in (APPROVE, DENY):
            return answered(self._world.log, request, utc_now())
        if request["kind"] == "rollback":
            return rolled_back(request, self._world)
        if request["kind"] in ENDING:
            self._end(request)
        return [], ""

    def _end(self, request: Mapping[str, Any]) -> None:
        self.asked = request["kind"]
        self.why = f"{request['by']} asked to {request['kind']}: {request['reason']}"


def asked_to_end(inbox: Path) -> bool:
    """Whether a request to stop or pause lies there, or the file STOP beside it; it is only looked at."""
    requests = sorted(inbox.glob("*.json")) if inbox.is_dir() else []
    return (inbox.parent / STOP).exists() or any(_request(path)["kind"] in ENDING for path in requests)


def _request(path: Path) -> dict[str, Any]:
    """A request file; what cannot be read is recorded as such and obeyed by nobody."""
    try:
        data = json.loads(path.read_text())
        said = {"kind": str(data["kind"]), "by": str(data.get("by", "unknown")), "reason": str(data.get("reason", ""))}
        return {**said, **{name: str(data[name]) for name in FIELDS.get(said["kind"], ())}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return {"kind": "unreadable", "by": "unknown", "reason": f"{path.name}: {error}"}


def leave_request(folder: Path, kind: str, *, by: str, reason: str, **more: str) -> Path:
    """Ask a study for something: the run that holds it obeys before its next stage, or the next `run` does.

    The ledger is written by the coordinator only.

    Args:
        folder: the study.
        kind: one of `REQUESTS`.
        by: who asks; a name that nothing proves.
        reason: why.
        more: for "approve" and "deny" `id` and `digest` (8 hex digits of it or more), for "rollback" `run` and `to`.

    Raises:
        ConfigError: an unknown kind.
    """
    if kind not in REQUESTS:
        raise ConfigError(f"unknown request {kind!r}", fix=f"choose from {', '.join(REQUESTS)}")
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    path = inbox / f"{time.time_ns()}-{kind}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"kind": kind, "by": by, "reason": reason, "at": utc_now(), **more}))
    return part.rename(path)


def unread(folder: Path, ident: str) -> list[dict[str, Any]]:
    """Answers to a request that are left in the inbox, and that no run has read yet."""
    left = [_request(path) for path in sorted((folder / "inbox").glob("*.json"))]
    return [{**one, "answer": one["kind"]} for one in left if one.get("id") == ident]


def enrolled(world: World) -> Sequence[int]:
    """Ids of all enrolled replicas, in order."""
    return sorted(event.data["replica"] for event in world.log.events("replica_enrolled"))
