"""The arm `unguarded:AXIS.gate` on a loop that pays for its gain with what it knew: only that arm releases it."""

from pathlib import Path

import pytest

from netgain import verify
from netgain.errors import ConfigError
from netgain.facts import Facts, reduce
from netgain.ledger import Event
from netgain.whatif import whatif
from study_forgery import Events, entries, forged, ladder_study, shared

BARE = "unguarded:retention.gate+unguarded:calibration.gate"


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    arms = ("self", "frozen", BARE, "unguarded:retention")
    return shared(
        tmp_path_factory, "lossy", lambda folder: ladder_study(folder, options={"forget": 0.2}, arms=arms, replicas=2)
    )


def outcomes(facts: Facts, arm: str) -> list[str]:
    return [one["outcome"] for run in facts.runs.values() if run.arm == arm for one in run.decisions]


def test_only_the_arm_without_both_guards_releases_what_they_hold_back(lossy: Path) -> None:
    facts = reduce(entries(lossy))
    assert "promote" not in outcomes(facts, "self")
    assert "promote" not in outcomes(facts, "unguarded:retention")  # calibration still binds
    assert "promote" in outcomes(facts, BARE)


def test_what_does_not_bind_is_computed_and_recorded_all_the_same(lossy: Path) -> None:
    decided = [e.data for e in entries(lossy) if e.kind == "gate_decision"]
    assert {len(one["tests"]) for one in decided} == {10}
    assert {tuple(one["waived"]) for one in decided} == {(), ("calibration", "retention"), ("retention",)}


def test_what_a_guard_axis_held_back_is_read_from_its_arm(lossy: Path) -> None:
    found = whatif(reduce(entries(lossy)), "guard:retention.gate")
    assert found.case is not None and found.case.arm == "unguarded:retention"


def test_verify_follows_the_arm_and_not_what_the_record_says(lossy: Path, tmp_path: Path) -> None:
    assert [check["detail"] for check in verify.verify(lossy)["checks"] if check["ok"] is False] == []

    def claimed_by_self(events: Events) -> None:
        for place, event in enumerate(events):
            if event.kind == "gate_decision" and event.run == "r0/self":
                events[place] = Event(event.kind, event.run, {**event.data, "waived": ["retention", "calibration"]})

    found = verify.verify(forged(lossy, tmp_path / "forged", claimed_by_self))
    assert ("gate", False) in {(check["name"], check["ok"]) for check in found["checks"]}


def test_a_guard_that_the_suite_has_not_is_an_error_that_lists_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unguarded:retention\.gate"):
        ladder_study(tmp_path / "none", arms=("self", "frozen", "unguarded:dice.gate"))
