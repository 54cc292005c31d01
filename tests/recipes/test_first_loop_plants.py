"""Planted pathologies on the first loop of the examples: which detector finds each, when, and who stays in peace.

Shuffled labels have no plant here: behind a gate with items of its own they leave a random search, whose gains are
real. What shows it is the control `random_search`.

docs/recipes/first-loop.md counts ten starts of each (`STARTS=10 pytest -m nightly`); `make nightly` does forty.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import first_loop_planted as planted
import pytest
from planted import damaged, first_alarms

from netgain import session
from netgain.errors import ConfigError
from netgain.executors import Reference
from netgain.facts import Facts
from netgain.ledger import Ledger
from netgain.seal import facts_of
from netgain.session import run_study
from netgain.testing.inprocess import InProcess
from netgain.verify import verify

STARTS = int(os.environ.get("STARTS", "40"))
FINDS = {"forget": "net_loss", "harness": "drift", "leak": "protected item met"}
TWINS = ("none", "published")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Loop code runs in this process; what was asked is booked in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    class Here(InProcess):
        def __init__(self, reference: Reference, count: int) -> None:
            super().__init__(planted.make(reference.options))

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    monkeypatch.setattr(session, "LocalWorkers", Here)


def ran(plant: str, starts: int, folder: Path) -> Facts:
    published = plant == "published"
    run_study(planted.study("none" if published else plant, starts, published=published), folder, workers=1)
    with Ledger.open(folder, readonly=True) as log:
        facts = facts_of(log)
        facts.opened["met"] = met_by_start(log)
    return facts


def met_by_start(log: Any) -> dict[int, int]:
    """Start -> first round in which protected items stood in something other than examples."""
    found: dict[int, int] = {}
    for one in log.events("stage_done"):
        if one.data["stage"] == "propose" and one.data["out"].get("met"):
            found.setdefault(int(one.run[1:].partition("/")[0]), one.data["round"])
    return found


def found(facts: Facts, replica: int) -> dict[str, int]:
    """Detector -> first round in which it spoke."""
    told = first_alarms(facts, replica)
    if replica in facts.opened["met"]:
        told["protected item met"] = facts.opened["met"][replica]
    return told


@pytest.mark.parametrize("plant", FINDS)
def test_a_plant_is_found_in_every_start_and_in_time(plant, tmp_path):
    facts = ran(plant, 3, tmp_path / "study")
    for replica in facts.enrolled:
        said, hurt = found(facts, replica).get(FINDS[plant]), damaged(facts, replica, "old")
        assert said is not None, (plant, replica)
        assert plant != "forget" or (hurt is not None and said <= hurt)


@pytest.mark.parametrize("twin", TWINS)
def test_the_genuine_loop_is_left_in_peace_and_gains(twin, tmp_path):
    facts = ran(twin, 3, tmp_path / "study")
    assert {replica: found(facts, replica) for replica in facts.enrolled} == {0: {}, 1: {}, 2: {}}
    assert all(damaged(facts, replica, axis) is None for replica in facts.enrolled for axis in ("right", "old"))


def test_a_scorer_that_can_be_exploited_is_refused_before_the_first_round(tmp_path):
    with pytest.raises(ConfigError, match="cheat"):
        planted.study("exploit", 3).plan(workers=1)


def test_that_scorer_would_have_passed_the_exploit_and_its_answers_have_no_score(tmp_path, monkeypatch):
    for crossing, seen in ((True, {None}), (False, {1.0})):
        if not crossing:
            monkeypatch.setattr("netgain.suite.crossed", lambda *given: [])
        facts = ran("exploit", 3, tmp_path / f"study-{crossing}")
        said = {facts.runs[f"r{one}/self"].report[5, "working", "right"].mean for one in facts.enrolled}
        assert said == seen, "what passes for every item is no score"


def test_nobody_is_scored_on_items_that_were_learnt_by_heart(tmp_path):
    facts = ran("leak", 3, tmp_path / "study")
    assert sum(one.quarantined for (_, _, _, axis), one in facts.sealed.items() if axis == "right") > 0
    assert verify(tmp_path / "study")["verdict"] == "INVALID"


@pytest.mark.nightly
@pytest.mark.parametrize("plant", [*TWINS, *FINDS])
def test_many_starts_of_the_first_loop(plant, tmp_path):
    facts = ran(plant, STARTS, tmp_path / "study")
    told = [found(facts, replica) for replica in facts.enrolled]
    by = {name: dict(Counter(one.get(name) for one in told)) for name in sorted({n for one in told for n in one})}
    hurt = {axis: dict(Counter(damaged(facts, one, axis) for one in facts.enrolled)) for axis in ("right", "old")}
    print(f"{plant}: {STARTS} starts; found by {by}; five points lower {hurt}")  # noqa: T201
    hits = sum(FINDS.get(plant) in one for one in told)
    assert hits >= 0.95 * STARTS if plant in FINDS else sum(map(bool, told)) <= 0.05 * STARTS
