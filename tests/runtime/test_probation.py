"""Probation: a promoted generation is looked at on new items beside the one before, and goes back where harm shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from netgain import session, verify
from netgain.case import case_of
from netgain.errors import ConfigError, IntegrityError
from netgain.facts import Facts, RunFacts
from netgain.generators import Strings
from netgain.ledger import Ledger
from netgain.monitors import MONITORS
from netgain.probation import Probation
from netgain.proving import harm
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.study import leave_request
from netgain.suite import Bank, Suite, axis
from netgain.testing.inprocess import InProcess
from study_forgery import Events, forged, places

ROOT = "5a" * 32
Json = Any


class Turning:
    """Answers well while a candidate is judged; asked again, it has turned into what `then` makes of its answers."""

    def __init__(self, then: Any) -> None:
        self.then, self.asked = then, Counter[int]()

    def __call__(self, system: Any, inputs: Any, budget: Any, rng: Any) -> list[Any]:
        said = tiny.answer(system, inputs, budget, rng)
        if system["skill"] == 0.2:  # generation 0 stays what it is
            return said
        self.asked[system["mark"]] += 1
        return said if self.asked[system["mark"]] == 1 else [self.then(one) for one in said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a study in this process, and gives its facts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def go(study: Study, name: str = "study", watch: Any = None) -> Facts:
        class Here(InProcess):
            def __init__(self, reference: object, count: int) -> None:
                super().__init__(study.loop)

            def __enter__(self) -> Here:
                return self

            def __exit__(self, *exception: object) -> None:
                pass

        monkeypatch.setattr(session, "LocalWorkers", Here)
        run_study(study, tmp_path / name, workers=1, watch=watch)
        with Ledger.open(tmp_path / name, readonly=True) as log:
            return facts_of(log)

    go.folder = tmp_path  # type: ignore[attr-defined]
    return go


def study(then: Any = None, **more: Any) -> Study:
    """Three rounds of the smallest loop, whose promoted generations are on trial for two rounds."""
    made = tiny.study(**{"replicas": 1, "root": ROOT, "rounds": 3, "probation": Probation(2, items=150), **more})
    return replace(made, loop=replace(tiny.loop, answer=Turning(then))) if then else made


def own(facts: Facts, arm: str = "self") -> RunFacts:
    return facts.runs[f"r0/{arm}"]


def failing(folder: Path) -> dict[str, str]:
    return {one["name"]: one["detail"] for one in verify.verify(folder)["checks"] if one["ok"] is False}


def wrong(one: str) -> str:
    return "?"


def silent(one: str) -> None:
    return None


def test_a_promoted_generation_is_looked_at_for_its_rounds_and_stays(run):
    facts = run(study(rounds=4))
    released = [one["round"] for one in own(facts).decisions if one["receipt"] is not None]
    looks = own(facts).trials
    assert released and set(looks) >= {at for first in released for at in (first, first + 1) if at <= 4}
    assert [one["alarm"] for one in looks.values()] == [False] * len(looks)
    assert own(facts).row["restores"] == 0 and own(facts).row["released"] != own(facts).row["anchor"]
    assert own(facts, "frozen").trials == {}
    assert failing(run.folder / "study") == {}


def test_every_round_has_new_items_and_both_systems_answer_the_same(run):
    run(study(rounds=4))
    with Ledger.open(run.folder / "study", readonly=True) as log:
        sheets = [one.data for one in log.events("scores") if one.data["split"] == "probation"]
    by_round = {one["round"]: {other["items"] for other in sheets if other["round"] == one["round"]} for one in sheets}
    assert all(len(items) == 1 for items in by_round.values())
    assert len(set.union(*by_round.values())) == len(by_round) > 1
    assert {one["role"] for one in sheets} == {"released", "before"} and {len(one["values"]) for one in sheets} == {150}


def test_a_generation_that_turns_bad_goes_back_and_what_was_restored_is_measured(run):
    facts = run(study(wrong))
    (first, *_) = own(facts).trials.values()
    assert (first["round"], first["since"], first["alarm"], first["acted"]) == (1, 1, True, True)
    row = own(facts).row
    assert row["released"] == row["working"] == row["anchor"] and row["restores"] >= 1
    with Ledger.open(run.folder / "study", readonly=True) as log:
        measured = [one.data for one in log.events("scores", "r0/self") if one.data["split"] == "report"]
        decided = [one.data for one in log.events("decision", "r0/self") if one.data["locus"] == "rollback"]
        asked = [one.data for one in log.events("probation", "r0/self")]
    assert {one["system"] for one in measured if one["round"] == 1} == {row["anchor"]}
    assert {one["decided_by"] for one in decided} == {"rule"} and len(decided) == row["restores"] == len(asked)
    assert case_of(facts).people == 0 and case_of(facts).verdict_moved_path == 1
    assert failing(run.folder / "study") == {}


def test_a_look_that_cannot_be_scored_is_no_pass(run):
    one = own(run(study(silent))).trials[1]  # silence of what was released is wrong: harm, and not a gap
    assert one["alarm"] is True and one["acted"] is True

    blind = harm(tiny.suite().axes[0], [_sheet("before", [1, None]), _sheet("released", [None, 1])], 0.05)
    assert (blind["blind"], blind["alarm"], blind["missing"]) == (True, False, 2)
    half = harm(tiny.suite().axes[0], [_sheet("before", [1] * 40), _sheet("released", [1] * 37 + [None] * 3)], 0.05)
    assert half["blind"] is True


def test_a_blind_look_goes_back_as_harm_does(run):
    def scored(output: Json, target: Json) -> float:
        if output == "broken":
            raise ValueError("no score for this")
        return float(output == target)

    echo = axis("echo", Strings("copy", (6,)), scored, gate_items=120, report_items=20, sealed_items=60, moment=0.5)
    suite = Suite([echo], block=120, max_pairs=240, design_gain=0.3)
    facts = run(study(lambda one: "broken", suite=suite))
    one = own(facts).trials[1]
    assert (one["alarm"], one["acted"], one["tests"][0]["blind"], one["tests"][0]["alarm"]) == (None, True, True, False)
    assert own(facts).row["released"] == own(facts).row["anchor"] and failing(run.folder / "study") == {}


def test_a_person_who_goes_back_ends_the_trial(run, monkeypatch):
    folder = run.folder / "study"

    def watch(one: Any) -> None:
        if (one.row.arm, one.row.stage, one.row.round) == ("self", "build", 2):
            leave_request(folder, "rollback", by="anna", reason="worse in use", run="r0/self", to="0")

    run(study(rounds=4, probation=Probation(3, items=150)), watch=watch)
    with Ledger.open(folder, readonly=True) as log:
        looks = own(facts_of(log)).trials
    assert sorted(looks) == [1, 3, 4], "round 2 was given up, and round 3 promoted anew"
    assert {one["since"] for at, one in looks.items() if at > 2} <= {3, 4} and looks[3]["first"] == 3
    assert failing(folder) == {}


def _sheet(role: str, values: list[Json], at: int = 1) -> dict[str, Json]:
    status = {str(i): "the metric failed" for i, one in enumerate(values) if one is None}
    return {"axis": "echo", "round": at, "role": role, "values": values, "status": status}


def test_a_generation_that_is_replaced_while_on_trial_is_nothing_to_compare_with(run):
    long = own(run(study(rounds=4, probation=Probation(2, items=150))))
    promoted = [one["round"] for one in long.decisions if one["receipt"] is not None]
    assert promoted[:2] == [1, 2], "the second promotion comes while the first one is on trial"
    assert {(one["before"], one["first"]) for at, one in long.trials.items() if at <= 3} == {(long.row["anchor"], 1)}
    short = own(run(study(rounds=4, probation=Probation(1, items=150)), "short"))
    assert short.trials[2]["before"] == short.trials[1]["released"] and short.trials[2]["first"] == 2
    assert failing(run.folder / "study") == failing(run.folder / "short") == {}


def test_where_its_alarms_are_waived_they_are_recorded_and_where_all_only_watch_nobody_is_on_trial(run):
    arms = ("self", "frozen", "unguarded:probation.stop", "stop:off", "ungated")
    facts = run(study(wrong, arms=arms))
    for arm in ("unguarded:probation.stop", "stop:off"):
        looks = own(facts, arm).trials.values()
        assert {one["alarm"] for one in looks} == {True} and {one["acted"] for one in looks} == {False}
        assert own(facts, arm).row["released"] != own(facts, arm).row["anchor"]
    assert own(facts, "ungated").trials == {}
    assert failing(run.folder / "study") == {}


def test_three_in_a_row_end_the_run_where_that_is_registered(run):
    facts = run(study(wrong, rounds=6, monitors=[MONITORS["rollbacks"]()]))
    assert own(facts).row["end"] == "halted by the monitor rollbacks" and own(facts).row["restores"] >= 3
    assert failing(run.folder / "study") == {}


def test_the_pointer_is_read_back(run, monkeypatch):
    from netgain.study import Conductor

    seen = []
    before = Conductor._read_back

    def spy(self: Any, moved: Any) -> None:
        seen.extend(moved)
        before(self, [replace(one, data={**one.data, "before": "0" * 64}) for one in moved])

    monkeypatch.setattr(Conductor, "_read_back", spy)
    with pytest.raises(IntegrityError, match="did not go back"):
        run(study(wrong))
    assert [one.kind for one in seen] == ["probation"]


def test_a_probation_is_registered_only_when_it_is_set(run):
    assert "probation" not in study(probation=None).registered()
    assert study().registered()["probation"] == {"rounds": 2, "items": 150, "level": 0.05}
    assert study().claim_digest() != study(probation=Probation(3, items=150)).claim_digest()
    facts = run(study(probation=None))
    assert own(facts).trials == {} and failing(run.folder / "study") == {}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Probation(0), "rounds 0 of a probation"),
        (lambda: Probation(1, items=1), "items 1 of a probation"),
        (lambda: Probation(1, level=0.0), "level 0.0 of a probation"),
    ],
)
def test_a_probation_that_cannot_be_is_refused(made, said):
    with pytest.raises(ConfigError, match=said):
        made()


def test_a_bank_needs_a_share_of_its_own():
    items = [{"input": f"question {i}", "target": str(i)} for i in range(600)]
    shares = {"gate": 0.5, "sealed": 0.2, "report": 0.1}
    short = Suite([axis("bank", Bank(items, shares), gate_items=20, report_items=20, sealed_items=20)])
    with pytest.raises(ConfigError, match="has 0 items in the share 'probation' of its bank, expected 450"):
        study(suite=short, claim=replace(study().claim, metric="bank"))
    enough = axis("bank", Bank(items, {**shares, "probation": 0.2}), gate_items=20, report_items=20, sealed_items=20)
    study(suite=Suite([enough]), claim=replace(study().claim, metric="bank"), probation=Probation(2, items=20))


def test_the_chance_of_taking_a_generation_back_that_only_loses_the_margin_is_at_most_the_level():
    """2000 windows of five looks at 40 pairs; the released system is worse by exactly the step margin (seed 7)."""
    one, rng = axis("echo", Strings("copy", (6,)), step_margin=0.05, moment=0.3), np.random.default_rng(7)
    alarms = 0
    for _ in range(2000):
        sheets = []
        for at in range(5):
            lot = rng.random(40)  # .175 lost, .125 won: exactly the margin of .05
            old = [int(one < 0.175 or one > 0.6) for one in lot]
            new = [int(0.175 <= one < 0.3 or one > 0.6) for one in lot]
            sheets += [_sheet("before", old, at), _sheet("released", new, at)]
        alarms += harm(one, sheets, 0.05)["alarm"]
    assert alarms / 2000 <= 0.05, alarms
    print(f"{alarms} of 2000 windows")  # noqa: T201  the measured rate, in docs/canaries.md


def test_a_harm_of_twenty_points_is_found_within_two_rounds_of_100_items():
    """500 windows of two looks at 100 pairs; the released system is worse by .20 (seed 8)."""
    one, rng = axis("echo", Strings("copy", (6,)), step_margin=0.05, moment=0.3), np.random.default_rng(8)
    found = [0, 0]
    for _ in range(500):
        sheets: list[Json] = []
        for at in range(2):
            lot = rng.random(100)  # .25 lost, .05 won
            sheets += [_sheet("before", [int(one < 0.25 or one > 0.6) for one in lot], at)]
            sheets += [_sheet("released", [int(0.25 <= one < 0.3 or one > 0.6) for one in lot], at)]
            found[at] += harm(one, sheets, 0.05)["alarm"]
    print(f"{found} of 500 after one and two looks")  # noqa: T201
    assert found[1] >= 0.8 * 500


# --- Forgeries -------------------------------------------------------------------------------------------------------
def edited(kind: str, change: Any, **wanted: Json) -> Any:
    def edit(events: Events) -> None:
        place = places(events, kind, **wanted)[0]
        change(events[place].data)

    return edit


def removed(kind: str, **wanted: Json) -> Any:
    def edit(events: Events) -> None:
        del events[places(events, kind, **wanted)[0]]

    return edit


def skipped(events: Events) -> None:
    """As if nothing had ever been on trial: every stage goes on to measure, and all looks are gone."""
    for place in places(events, "stage_done"):
        row = events[place].data["row"]
        row["stage"] = "measure" if row["stage"] == "probation" else row["stage"]
    gone = places(events, "stage_done", stage="probation") + places(events, "probation")
    for place in sorted([*gone, *places(events, "scores", split="probation")], reverse=True):
        del events[place]


FORGERIES = {
    "never on trial": (None, skipped),
    "quiet": (wrong, edited("probation", lambda data: data.update(alarm=False))),
    "let off": (wrong, edited("probation", lambda data: data.update(acted=False))),
    "evidence": (wrong, edited("probation", lambda data: data["tests"][0].update(log_e_peak=0.0, alarm=False))),
    "threshold": (wrong, edited("probation", lambda data: data["tests"][0].update(log_threshold=9.0))),
    "window": (wrong, edited("probation", lambda data: data.update(since=0))),
    "not the one before": (wrong, edited("probation", lambda data: data.update(before="0" * 64))),
    "look gone": (None, removed("probation", round=1)),
    "scores": (None, edited("scores", lambda data: data.update(values=[0] * 150), split="probation", role="released")),
    "fewer items": (
        None,
        edited("scores", lambda data: data.update(values=data["values"][:140]), split="probation", role="before"),
    ),
    "alarm made up": (None, edited("probation", lambda data: data.update(alarm=True, acted=True))),
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Path]:
    found = {}
    for then in (None, wrong):
        folder = tmp_path_factory.mktemp("honest") / "study"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(folder.parent / "state"))
            made = study(then)
            patch.setattr(session, "LocalWorkers", lambda reference, count, made=made: _Here(made))
            run_study(made, folder, workers=1)
        found[then] = folder
    return found


class _Here(InProcess):
    def __init__(self, made: Study) -> None:
        super().__init__(made.loop)

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.mark.parametrize("name", FORGERIES)
def test_verify_finds_a_forged_probation(honest, tmp_path, name):
    then, edit = FORGERIES[name]
    assert failing(honest[then]) == {}
    assert "probation" in failing(forged(honest[then], tmp_path / "forged", edit))


def test_verify_finds_a_generation_that_left_its_trial_and_was_not_restored(honest, tmp_path):
    def kept(events: Events) -> None:
        place = places(events, "stage_done", stage="probation")[0]
        row = events[place].data["row"]
        row["position"] = "0" * 64

    assert "probation" in failing(forged(honest[wrong], tmp_path / "forged", kept))
