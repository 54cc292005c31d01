"""Planted pathologies on the flagship at size tiny, beside its genuine twin: which monitor fires, and when.

Damage is dated on the report split, which no monitor reads: five points of the axis below generation 0.
"""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from netgain.executors import Reference
from netgain.facts import Facts
from netgain.ledger import Ledger
from netgain.monitors import MONITORS
from netgain.recipes import build_recipe
from netgain.recipes.length.options import PLANTS
from netgain.seal import facts_of
from netgain.session import Study, run_study

# Thresholds were chosen on other starts than these: what a genuine loop of this size keeps is .2 to .6.
WATCHERS = (
    MONITORS["kept_share"](threshold=0.1, action="watch"),
    MONITORS["label_accuracy"](threshold=0.9, action="watch"),
    MONITORS["net_loss"](reads="flips.retention", action="watch"),
    MONITORS["drift"](reads="sentinel.retention", action="watch"),  # of what generation 0 can do: it shows any switch
)
FIRES = {"hasty": "kept_share", "shuffled": "label_accuracy", "biased": "label_accuracy", "harness": "drift"}
LOST = 0.05


def study(plant: str, replicas: int) -> Study:
    options = {"task": "reverse", "check": "cycle", "plant": plant}
    built = build_recipe("length", options, "tiny")
    reference = Reference("netgain.recipes.length:make", {**options, "size": "tiny"})
    claim = type(built.claim)("ladder", by=0.1, beats=("frozen",), rung="R1", expected=0.2)
    return Study(
        built.loop, built.suite.with_canaries(40), ("self", "frozen"), claim, replicas=replicas, rounds=built.rounds,
        reference=reference, monitors=WATCHERS,
    )  # fmt: skip


def watched(plant: str, replicas: int, folder: Path) -> Facts:
    run_study(study(plant, replicas), folder)
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def first_alarms(facts: Facts, replica: int) -> dict[str, int]:
    """Monitor -> first round of a start in which it alarmed."""
    found: dict[str, int] = {}
    for at, told in sorted(facts.runs[f"r{replica}/self"].watched.items()):
        for one in told["signals"]:
            if one["alarm"]:
                found.setdefault(one["monitor"], at)
    return found


def damaged(facts: Facts, replica: int, axis: str) -> int | None:
    """First round after which the working system is five points below generation 0 on report items."""
    run = facts.runs[f"r{replica}/self"]
    scores = {at: run.report[at, "working", axis].mean for at in range(facts.rounds + 1)}
    low = [at for at, score in scores.items() if score is not None and score <= (scores[0] or 0.0) - LOST]
    return min(low, default=None)


def in_time(facts: Facts, replica: int, plant: str) -> bool:
    """Whether the plant's monitor fired, and not after the round in which the ladder was first seen damaged.

    A harness that switches damages no system, so there is no date to be in time for.
    """
    alarm, hurt = first_alarms(facts, replica).get(FIRES[plant]), damaged(facts, replica, "ladder")
    return alarm is not None and (hurt is None or alarm <= hurt or plant == "harness")


@pytest.mark.parametrize("plant", sorted(FIRES))
def test_a_planted_pathology_is_detected_in_every_start(plant, tmp_path):
    facts = watched(plant, 3, tmp_path / "study")
    assert all(in_time(facts, replica, plant) for replica in facts.enrolled), {
        replica: (first_alarms(facts, replica), damaged(facts, replica, "ladder")) for replica in facts.enrolled
    }


def test_the_genuine_twin_is_left_in_peace(tmp_path):
    facts = watched("none", 3, tmp_path / "study")
    assert {replica: first_alarms(facts, replica) for replica in facts.enrolled} == {0: {}, 1: {}, 2: {}}


@pytest.mark.nightly
@pytest.mark.parametrize("plant", ["none", *sorted(FIRES)])
def test_forty_starts_of_each(plant, tmp_path, record_property):
    facts = watched(plant, 40, tmp_path / "study")
    alarmed = sum(bool(first_alarms(facts, replica)) for replica in facts.enrolled)
    found = sum(in_time(facts, replica, plant) for replica in facts.enrolled) if plant in FIRES else 0
    record_property("alarmed", alarmed)
    print(f"{plant}: {alarmed} of 40 starts alarmed, {found} by its own monitor in time")  # noqa: T201
    assert found >= 38 if plant in FIRES else alarmed <= 2


def test_every_plant_has_its_monitor_or_its_reason():
    assert set(PLANTS) - set(FIRES) == {"none", "forget"}  # forgetting does not show at size tiny: see docs/recipes
