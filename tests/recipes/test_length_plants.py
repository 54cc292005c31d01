"""Planted pathologies on the flagship at size tiny, beside its genuine twin: which monitor fires, and when.

Damage is dated on the report split, which no monitor reads: five points of the axis below generation 0.
The test command has one start of each plant, `make nightly` forty; `STARTS=10 pytest -m nightly` runs fewer.
"""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import length_once
import numpy as np
import torch
from planted import damaged, first_alarms

from netgain import session
from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.executors import Reference
from netgain.facts import Facts
from netgain.ledger import Ledger
from netgain.monitors import MONITORS
from netgain.recipes import build_recipe
from netgain.recipes.length import model, steps
from netgain.recipes.length.options import LEAKS, PLANTS, Options
from netgain.recipes.length.sizes import Shape
from netgain.records import Change, Examples, Part
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.stages import Building
from netgain.testing.inprocess import InProcess

# Thresholds were chosen on other starts than these: what a genuine loop of this size keeps is .2 to .6.
WATCHERS = (
    MONITORS["kept_share"](threshold=0.1, action="watch"),
    MONITORS["label_accuracy"](threshold=0.9, action="watch"),
    MONITORS["net_loss"](reads="flips.retention", action="watch"),
    MONITORS["drift"](reads="sentinel.retention", action="watch"),  # of what generation 0 can do: it shows any switch
)
METER, LEAK = MONITORS["unbooked"](action="watch"), MONITORS["leak"](action="watch")
FIRES = {
    "hasty": "kept_share", "shuffled": "label_accuracy", "biased": "label_accuracy", "harness": "drift",
    "exploit": "label_accuracy", **dict.fromkeys(LEAKS, "leak"), "silent": "unbooked",
}  # fmt: skip
FADING = ("forget", "forget_all")  # plants that do no harm at size tiny, or in some starts only: see docs/recipes
CANARIES = {"forget_all": 200}  # items on which ten lost ones are five points, and no accident; 40 for the others
HARMLESS = ("harness", "silent", *LEAKS)  # damage no system that is measured, so there is no date to be in time for
FEW = 2  # rounds in the test command, by which every plant shows; `make nightly` has all rounds of all
SHOWN = {"silent": 1, "hasty": 3}  # the one shows at once, the other after the rounds that it hurried through
MORE = {name: {"items": "bank"} for name in (*LEAKS, "published")} | {"symbols": {"scorer": "symbols"}}
TWINS = ("none", "published", "symbols")  # genuine loops: as it is, on items that could leak, with a scorer with a hole
# By chance 1 in 50 of own strings of four symbols equals a report item: a leak is looked for where these are longer.
METERED = ("silent", "symbols")  # where computing is held against what is booked, generation 0 is no copy
ADDED = {**dict.fromkeys(METERED, (METER,)), **dict.fromkeys((*LEAKS, "published"), (LEAK,))}
OTHER_STRENGTHS = ("leak5", "leak30")  # of leak15, in `make nightly` only
STARTS = int(os.environ.get("STARTS", "40"))


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """The bank is the same in every study, and its gate items are counted as used on this machine."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where generation 0 of every start is kept, for all test processes: the plants act on later rounds only."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "generation-0"
    folder.mkdir(exist_ok=True)
    return str(folder)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Loop code of a copied generation 0 runs in this process: a worker would load torch anew in every test."""
    torch.set_num_threads(1)
    workers = session.LocalWorkers

    class Here(InProcess):
        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

    def started(reference, count):
        copied = reference.target.startswith("length_once")
        return Here(length_once.make(reference.options).loop) if copied else workers(reference, count)

    monkeypatch.setattr(session, "LocalWorkers", started)


def study(plant: str, replicas: int, kept: str, rounds: int | None = None) -> Study:
    planted = "none" if plant in TWINS else plant
    options = {"task": "reverse", "check": "cycle", "plant": planted, **MORE.get(plant, {})}
    built = build_recipe("length", options, "tiny")
    reference = Reference("netgain.recipes.length:make", {**options, "size": "tiny"})
    if plant not in METERED:
        reference = Reference("length_once:make", {**reference.options, "kept": kept})
    claim = type(built.claim)("ladder", by=0.1, beats=("frozen",), rung="R1", expected=0.2)
    return Study(
        built.loop, built.suite.with_canaries(CANARIES.get(plant, 40)), ("self", "frozen"), claim, replicas=replicas,
        rounds=rounds or built.rounds, reference=reference, monitors=(*WATCHERS, *ADDED.get(plant, ())),
        root="9" * 64,
    )  # fmt: skip


def watched(plant: str, replicas: int, folder: Path, kept: str, rounds: int | None = None) -> Facts:
    run_study(study(plant, replicas, kept, rounds), folder, workers=int(os.environ.get("WORKERS", "1")))
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def in_time(facts: Facts, replica: int, plant: str) -> bool:
    """Whether the plant's monitor fired, and not after the round in which the ladder was first seen damaged.

    What damages no system has no date to be in time for.
    """
    alarm, hurt = first_alarms(facts, replica).get(FIRES[plant]), damaged(facts, replica, "ladder")
    return alarm is not None and (hurt is None or alarm <= hurt or plant in HARMLESS)


@pytest.mark.parametrize("plant", sorted(set(FIRES) - set(OTHER_STRENGTHS)))
def test_a_planted_pathology_is_detected(plant, tmp_path, kept):
    facts = watched(plant, 1, tmp_path / "study", kept, SHOWN.get(plant, FEW))
    assert in_time(facts, 0, plant), (first_alarms(facts, 0), damaged(facts, 0, "ladder"))


@pytest.mark.nightly
def test_forgetting_is_found_in_some_starts_and_in_none_after_it_was_seen(tmp_path, kept):
    facts = watched("forget_all", 3, tmp_path / "study", kept, 1)
    said = {replica: first_alarms(facts, replica).get("net_loss") for replica in facts.enrolled}
    hurt = {replica: damaged(facts, replica, "retention") for replica in facts.enrolled}
    assert set(said.values()) >= {1}, said
    assert all(said[replica] == 1 for replica, at in hurt.items() if at is not None), (said, hurt)


def test_who_forgets_everything_trains_on_the_newest_answers_alone_and_longer():
    genuine, planted = (Options(size="tiny", plant=plant).numbers.round for plant in ("forget", "forget_all"))
    assert planted == replace(genuine, steps=4 * genuine.steps)
    options, rng = Options(size="tiny", plant="forget_all"), np.random.default_rng(0)
    weights = model.fresh(Shape(2, 16, 16), rng)
    change = Change([Part("data", Examples(["1234>"], ["4321"]))], {"length": 4, "sets": [[["12345>"], ["54321"]]]})
    (drawn,) = steps._trainings(options, Building(steps.System(weights), change, Budget(), rng))
    assert (len(drawn.pool.asked), drawn.stage.steps) == (1, planted.steps)


@pytest.mark.parametrize(("twin", "starts", "rounds"), [("none", 2, FEW), ("published", 1, FEW), ("symbols", 1, 1)])
def test_the_genuine_twin_is_left_in_peace(twin, starts, rounds, tmp_path, kept):
    facts = watched(twin, starts, tmp_path / "study", kept, rounds)
    assert [first_alarms(facts, replica) for replica in facts.enrolled] == [{}] * starts


def test_without_the_scan_a_leak_is_not_seen(tmp_path, kept, monkeypatch):
    monkeypatch.setattr(session, "Scanner", lambda suite: lambda documents: {})
    facts = watched("leak30", 1, tmp_path / "study", kept, 1)
    assert "leak" not in first_alarms(facts, 0)


def test_only_what_is_published_can_leak():
    with pytest.raises(ConfigError, match="items=bank"):
        Options(plant="leak5")


def apart(facts: Facts, replica: int) -> int | None:
    """First round in which the ladder's two scorers differed on too many items of some block to give a score."""
    sheets = facts.runs[f"r{replica}/self"].sheets
    why = {at: " ".join(one["status"].values()) for (_, at, _), one in sheets.items() if one["status"]}
    return min((at for at, said in why.items() if "scorers disagree" in said), default=None)


def summary(facts: Facts, plant: str) -> str:
    """Counts by start: rounds of the first alarm of every monitor, and of the damage on the ladder."""
    alarms = [first_alarms(facts, replica) for replica in facts.enrolled]
    names = sorted({name for one in alarms for name in one})
    by = {name: dict(Counter(one.get(name) for one in alarms)) for name in names}
    hurt = dict(Counter(damaged(facts, replica, "ladder") for replica in facts.enrolled))
    two = dict(Counter(apart(facts, replica) for replica in facts.enrolled))
    own = sum(in_time(facts, replica, plant) for replica in facts.enrolled) if plant in FIRES else 0
    return f"{plant}: {len(alarms)} starts, {own} in time; alarms {by}; ladder lower {hurt}; scorers apart {two}"


@pytest.mark.nightly
@pytest.mark.parametrize("plant", [*TWINS, *sorted(FIRES)])
def test_many_starts_of_each(plant, tmp_path, kept, record_property):
    facts = watched(plant, STARTS, tmp_path / "study", kept)
    alarmed = sum(bool(first_alarms(facts, replica)) for replica in facts.enrolled)
    found = sum(in_time(facts, replica, plant) for replica in facts.enrolled) if plant in FIRES else 0
    record_property("alarmed", alarmed)
    print(summary(facts, plant))  # noqa: T201
    assert found >= 0.95 * STARTS if plant in FIRES else alarmed <= 0.05 * STARTS


def test_every_plant_has_its_monitor_or_its_reason():
    assert set(PLANTS) - set(FIRES) == {"none", *FADING}
