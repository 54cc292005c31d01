"""The reference cycle: a whole small study of two runs over real ledger, store and gate, in milliseconds.

A system is a number that each round adds to. It is what is killed, simulated and soaked; everything but its executor is
what a study runs on. Where it stands is in its folder alone: `world_in` and `finish` go on from there.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from netgain.arms import arm_named
from netgain.gates.gate import BettingGate, plan_of
from netgain.generators import Strings
from netgain.items import Dealer
from netgain.jobs import Executor, Jobs, Store
from netgain.ledger import Ledger, utc_now
from netgain.loop import step
from netgain.poison import Deaths, Log
from netgain.records import Change, Part, View
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.study import enrol
from netgain.suite import Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.wire import pack
from netgain.world import World

ROOT = "ab" * 32
ROUNDS = 2
STEP = 0.35
ARMS = ("self", "frozen")
EFFECTS = "effects"  # beside the study: one line a task that loop code was really asked


def start(rng: Any) -> dict[str, Any]:
    """Generation 0."""
    return {"skill": 0.2, "mark": int(rng.integers(1 << 30))}


def propose(view: View) -> Change:
    """The same system, a step better."""
    view.budget.spend(tokens=100)
    better = {"skill": min(0.95, view.parent["skill"] + STEP), "mark": int(view.rng.integers(1 << 30))}
    return Change([Part("policy", better)], state=(view.state or 0) + 1)


def answer(system: Any, inputs: Sequence[str], budget: Any, rng: Any) -> list[str]:
    """Right with the chance that the skill says, the same whenever it is asked."""
    return [question.rstrip(">") if _knows(system, question) else "?" for question in inputs]


def _knows(system: Any, question: str) -> bool:
    drawn = hashlib.sha256(f"{system['mark']}|{question}".encode()).digest()
    return int.from_bytes(drawn[:4], "big") / 2**32 < float(system["skill"])


loop = Loop(start, propose, answer, surfaces=["policy"], gate="strict", apart=False)


def suite() -> Suite:
    """One axis, on which the gate sees a step in two looks."""
    echo = axis("echo", Strings("copy", (6,)), gate_items=60, report_items=8, sealed_items=8, moment=0.5)
    return Suite([echo], block=60, max_pairs=120, design_gain=0.3)


class Counted:
    """An executor that notes every task in a file before it does it: effects, as against what is recorded."""

    def __init__(self, path: Path, executor: Executor | None = None) -> None:
        self._path = path
        self._executor = executor or InProcess(loop)

    def call(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Note it, do it."""
        with open(self._path, "a") as file:
            file.write(f"{task['op']} {hashlib.sha256(pack(dict(task))).hexdigest()[:16]}\n")
        return self._executor.call(task)


def gate(rounds: int = ROUNDS) -> BettingGate:
    """The gate that decides in it."""
    return BettingGate(plan_of(suite(), loop.gate, rounds))


def jobs(executor: Executor, store: Store, log: Log, *, sleep: Callable[[float], None] = time.sleep) -> Jobs:
    """Tasks as a study gives them out: each may kill three workers."""
    return Jobs(executor, store, Deaths(log, sleep=sleep))


def world_in(
    folder: Path, executor: Executor | None = None, *, rounds: int = ROUNDS, clock: Callable[[], str] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> World:  # fmt: skip
    """The world over a folder, begun or continued.

    Args:
        folder: of the study; made if it is missing.
        executor: what runs the loop's code; without one this process.
        rounds: of both runs; the same at every call.
        clock: gives the time of new entries.
        sleep: pauses after a worker died.
    """
    log = Ledger.open(folder, clock=clock) if Ledger.begun(folder) else Ledger.create(folder, clock=clock)
    store, measured = ObjectStore(folder / "objects"), suite()
    world = World(
        loop=loop, suite=measured, arms={name: arm_named(name, loop, [], []) for name in ARMS},
        gate=gate(rounds), mode=loop.gate, dealer=Dealer(b"s" * 32, rounds, 12),
        root=ROOT, log=log, store=store, jobs=jobs(executor or InProcess(loop), store, log, sleep=sleep),
        rounds=rounds,
        keep_at=((rounds + 1) // 2,),
    )  # fmt: skip
    enrol(world, [0], 1, lambda: "0" * 16)
    return world


def next_run(world: World) -> str | None:
    """The run whose stage comes next: the loop itself before its control; None at the end."""
    rows = world.log.rows()
    return next((run for run in (f"r0/{name}" for name in ARMS) if rows[run]["stage"] != "done"), None)


def finish(world: World, told: Callable[[str], None] = lambda run: None) -> None:
    """Do every stage that is left."""
    while (run := next_run(world)) is not None:
        step(run, world)
        told(run)
