"""Small worlds for the runtime's tests: real loops, real ledger, real gate, loop code in this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from netgain.arms import arm_named, missing_piece, runs_of
from netgain.gates.gate import BettingGate, plan_of
from netgain.items import Dealer
from netgain.jobs import Jobs
from netgain.ledger import Ledger
from netgain.run import Row, run_id
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.study import Conductor, Stepped, enrol
from netgain.suite import Suite
from netgain.testing.inprocess import InProcess
from netgain.testing.ladder import Ladder
from netgain.world import World

ROOT = "ab" * 32


def world_in(
    folder: Path, arms: list[str], *, loop: Loop | None = None, suite: Suite | None = None, rounds: int = 3
) -> World:
    """A world over a new ledger in `folder`; its executor is `world.jobs._executor`, an `InProcess`."""
    ladder = Ladder(target=7, own=60)
    loop, suite = loop or ladder.loop(), suite or ladder.suite()
    guards = [axis.name for axis in suite.guards]
    made = [run for name in arms for run in runs_of(arm_named(name, loop, guards), loop)]
    chosen = [run for run in made if missing_piece(run, loop) is None]
    store = ObjectStore(folder / "objects")
    world = World(
        loop=loop, suite=suite, arms={arm.run_name: arm for arm in chosen},
        gate=BettingGate(plan_of(suite, loop.gate, rounds)),
        mode=loop.gate, dealer=Dealer(b"s" * 32, rounds, 12), root=ROOT, log=Ledger.create(folder), store=store,
        jobs=Jobs(InProcess(loop), store), rounds=rounds,
    )  # fmt: skip
    return world


def conduct(world: World, folder: Path, replicas: int = 1, hands: int = 1) -> list[Stepped]:
    """Run everything and return what a watcher was told."""
    told: list[Stepped] = []
    enrol(world, range(replicas), replicas, lambda: "0" * 16)
    Conductor(world, folder / "inbox", told.append).conduct(hands)
    return told


def final(world: World, replica: int, run_name: str) -> Row:
    """Where a run ended."""
    return Row.from_json(world.log.row(run_id(replica, run_name)) or {})


def sent(world: World) -> list[dict[str, Any]]:
    """All tasks that crossed the wall."""
    executor = world.jobs._executor
    assert isinstance(executor, InProcess)
    return executor.sent


def with_gate(world: World, gate: Any) -> World:
    """The same world under another gate."""
    return replace(world, gate=gate)
