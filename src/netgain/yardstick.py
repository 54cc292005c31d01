"""The loop's round-0 score of what it released later: generation 0 judges, on the questions of round 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netgain.errors import StageError
from netgain.facts import Facts
from netgain.ledger.events import Event
from netgain.run import run_id
from netgain.seeding import stream
from netgain.world import World

Json = Any


def score_by_generation_0(world: World, facts: Facts, seal: Mapping[str, Json]) -> None:
    """Ask the loop's `own_score` of every system that the claimed arm released, judged by generation 0.

    After the seal, so that no run is told anything by it. It decides nothing: it shows whether a score that the loop
    gives itself rose because the system did or because the judge and the questions moved. What is in the log already is
    not asked again.
    """
    if world.loop.own_score is None:
        return
    done = {(event.run, event.data["round"]) for event in world.log.events("own_score")}
    for replica in seal["replicas"]:
        run = run_id(replica, facts.claim["arm"])
        for round, system in _released(world, run).items():
            if (run, round) not in done:
                world.log.append([_scored(world, replica, run, round, system)])


def _released(world: World, run: str) -> dict[int, str]:
    """Round -> the system that was then released."""
    measured = (event.data for event in world.log.events("stage_done", run) if event.data["stage"] == "measure")
    return {data["round"]: data["row"]["released"] for data in measured if data["row"]["released"]}


def _scored(world: World, replica: int, run: str, round: int, system: str) -> Event:
    judge = (world.log.row(run) or {})["anchor"]
    seed = f"{stream(world.root, replica, 1, 'own_score', 'questions'):032x}"
    record: dict[str, Json] = {"round": round, "judge": judge, "system": system}
    try:
        done = world.jobs.do(replica, "own_score", systems={"judge": judge, "system": system}, seed=seed)
    except StageError as error:
        return Event("own_score", run, {**record, "score": None, "reason": str(error), "spend": {}})
    return Event("own_score", run, {**record, "score": done.value["score"], "spend": {"yardstick": done.spend}})
