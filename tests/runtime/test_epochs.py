"""A contract that moves in the middle of a study: refused by name, opened by consent, bridged or not drawn through."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny

from netgain import contract, epochs, session
from netgain.case import case_of
from netgain.deciders import autonomy_of
from netgain.errors import ConfigError, Stopped
from netgain.evidence.verdict import Verdict
from netgain.facts import Facts
from netgain.generators import Strings
from netgain.ledger import Ledger
from netgain.report import drifting
from netgain.report.reading import read
from netgain.result import result_digest
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.study import leave_request
from netgain.suite import Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.verify import verify

Json = Any
EXACT = "def right(output, target):\n    return float(output == target)\n"
LENIENT = "def right(output, target):\n    return float(output == target or target[0] in '012')\n"
BREAKS = "def right(output, target):\n    return float(output == target) if target[0] != '0' else 1 / 0\n"


def in_this_process(patch: pytest.MonkeyPatch, home: Path) -> None:
    """A machine of its own, loop code in this process, and a contract with all of its parts."""

    class Here(InProcess):
        def __init__(self, reference: Any, count: int) -> None:
            super().__init__(tiny.loop)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    patch.setenv("XDG_STATE_HOME", str(home / "state"))
    patch.setattr(session, "LocalWorkers", Here)
    patch.setattr(session, "parts_of", contract.parts_of)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    in_this_process(monkeypatch, tmp_path)
    return monkeypatch


def scored_by(folder: Path, text: str, **more: Any) -> Study:
    """The smallest study, whose scorer stands in a file of its own."""
    folder.mkdir(exist_ok=True)
    file = folder / "scorer.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location("scorer", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    source = Strings("copy", (6,))
    echo = axis("echo", source, module.right, gate_items=120, report_items=20, sealed_items=60, moment=0.5)
    return tiny.study(**{"suite": Suite([echo], block=120, max_pairs=240, design_gain=0.3), **more})


def stopped_after(stages: int, study: Study, folder: Path, **more: Any) -> None:
    """Run a study for so many stages; somebody asks to stop then."""
    left = [stages]

    def watch(_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            leave_request(folder, "stop", by="anna", reason="to mend the scorer")

    with pytest.raises(Stopped):
        run_study(study, folder, watch=watch, workers=1, **more)


def facts_in(folder: Path) -> Facts:
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def events_in(folder: Path, *kinds: str) -> list[Json]:
    with Ledger.open(folder, readonly=True) as log:
        return [event for event in log.events() if not kinds or event.kind in kinds]


def failing(folder: Path) -> list[Json]:
    return [one for one in verify(folder)["checks"] if one["ok"] is not True]


class Power(Exception):
    """Somebody pulled the plug."""


def mend(folder: Path, code: Path, text: str = LENIENT, *, stages: int = 20, **more: Any) -> Verdict:
    """A study whose scorer is edited after so many stages, and that goes on in a new epoch to its verdict."""
    stopped_after(stages, scored_by(code, EXACT, **more), folder)
    return run_study(scored_by(code, text, **more), folder, new_epoch="ties were lost", workers=1)


# --- Refused by name, opened by consent ------------------------------------------------------------------------------
def test_a_scorer_that_was_edited_is_refused_by_name_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    stopped_after(9, scored_by(tmp_path / "code", EXACT, replicas=1), folder)
    before = len(events_in(folder, "session", "stage_done", "epoch_opened"))
    with pytest.raises(ConfigError, match=r"scorer of echo \(\w{16} now \w{16}\); .*--new-epoch --reason"):
        run_study(scored_by(tmp_path / "code", LENIENT, replicas=1), folder)
    assert len(events_in(folder, "session", "stage_done", "epoch_opened")) == before


def test_with_consent_an_epoch_is_opened_bridged_and_the_claim_decided_in_it(tmp_path: Path) -> None:
    verdict = mend(tmp_path / "study", tmp_path / "code", rounds=4)
    facts = facts_in(tmp_path / "study")
    (epoch,) = facts.epochs
    assert list(epoch.opened["moved"]) == ["scorer of echo"]
    assert (epoch.opened["reason"], epoch.opened["decided_by"]) == ("ties were lost", "person")
    assert epoch.unbridged == {} and epoch.bridged is not None
    first = next(one for one in epoch.bridged["change"] if one["of"] == "generation 0")
    assert first["low"] < first["mean"] < first["high"] and first["mean"] > 0.1  # the same answers
    assert verdict.word == "SUPPORTED WITH LIMITS", verdict
    assert "decided under 2 epochs of the contract, bridged" in verdict.limits
    assert "1 decisions by a person or an outside model on the path" in verdict.limits
    assert verdict.endogenous is False
    assert failing(tmp_path / "study") == []
    again = scored_by(tmp_path / "code", LENIENT, rounds=4)  # the same call once more finds the study finished
    assert run_study(again, tmp_path / "study", new_epoch="ties were lost") == verdict
    sealed = {one.data["epoch"] for one in events_in(tmp_path / "study", "scores") if one.data["split"] == "sealed"}
    assert sealed == {1}


def test_a_library_of_another_version_is_named_and_needs_consent(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    study, folder = scored_by(tmp_path / "code", EXACT, replicas=1), tmp_path / "study"
    stopped_after(9, study, folder)
    found = contract.libraries()
    machine.setattr(session, "libraries", lambda reference: {**found, "numpy": "9.9.9"})
    with pytest.raises(ConfigError, match=rf"under: library numpy \({found['numpy']} now 9.9.9\); "):
        run_study(study, folder)
    run_study(study, folder, new_epoch="a security fix", workers=1)
    (epoch,) = facts_in(folder).epochs
    assert epoch.opened["moved"] == {"library numpy": [found["numpy"], "9.9.9"]}
    assert {one["mean"] for one in epoch.bridged["change"]} == {0.0}  # and it changed no score
    assert failing(folder) == []


def test_every_run_that_goes_on_was_touched_by_the_person_who_opened(tmp_path: Path) -> None:
    mend(tmp_path / "study", tmp_path / "code", replicas=1, stages=9)
    profile = autonomy_of(facts_in(tmp_path / "study"))
    assert profile.overall.counts["person"] == 1 and "epoch" in [one.name for one in profile.loci]


def test_before_anything_was_decided_an_epoch_bridges_nothing_that_a_verdict_rests_on(tmp_path: Path) -> None:
    mend(tmp_path / "study", tmp_path / "code", replicas=1, stages=1)
    facts = facts_in(tmp_path / "study")
    assert (case_of(facts).epochs, case_of(facts).unbridged, case_of(facts).people) == (1, [], 1)
    assert failing(tmp_path / "study") == []


def test_a_limit_may_move_and_with_it_only_the_file_that_says_so(tmp_path: Path) -> None:
    toml = {"netgain.toml": "tokens = 150\n", "claim.toml": "by = 0.2\n"}
    asked = {"replicas": 1, "rounds": 3, "limits": {"tokens": 150.0}, "files": toml}
    study, folder = scored_by(tmp_path / "code", EXACT, **asked), tmp_path / "study"
    folder.mkdir()
    stopped_after(6, study, folder)
    wider = replace(study, limits={"tokens": 250.0}, files={**toml, "netgain.toml": "tokens = 250\n"})
    with pytest.raises(ConfigError, match=r"limit of tokens \(150 now 250\)"):
        run_study(wider, folder)
    with pytest.raises(ConfigError, match=r"claim.toml changed"):
        run_study(replace(wider, files={**wider.files, "claim.toml": "by = 0.1\n"}), folder, new_epoch="more")
    with pytest.raises(ConfigError, match="netgain.toml changed"):  # and nothing else in it
        run_study(replace(study, files=wider.files), folder)
    for name, text in wider.files.items():
        (folder / name).write_text(text)
    run_study(wider, folder, new_epoch="the loop needs more", workers=1)
    assert facts_in(folder).runs["r0/self"].row["round"] == 3  # 150 ended it in round 2
    assert failing(folder) == []


# --- What no consent opens -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda one: replace(one, suite=replace(one.suite, design_gain=0.1)), "gate .*suite .*question itself"),
        (lambda one: replace(one, rounds=3), "rounds"),
        (lambda one: replace(one, arms=("self", "frozen", "random_search")), "arms"),
        (lambda one: replace(one, claim=replace(one.claim, by=0.1)), "by"),
        (lambda one: one, "no part of the contract moved"),
    ],
)
def test_the_question_itself_moves_with_no_consent(tmp_path: Path, change: Any, named: str) -> None:
    study, folder = scored_by(tmp_path / "code", EXACT, replicas=1), tmp_path / "study"
    stopped_after(3, study, folder)
    with pytest.raises(ConfigError, match=named):
        run_study(change(study), folder, new_epoch="because")
    assert events_in(folder, "epoch_opened") == []


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_consent_says_why(tmp_path: Path, reason: str) -> None:
    folder = tmp_path / "study"
    stopped_after(3, scored_by(tmp_path / "code", EXACT, replicas=1), folder)
    with pytest.raises(ConfigError, match="needs a name and a reason"):
        run_study(scored_by(tmp_path / "code", LENIENT, replicas=1), folder, new_epoch=reason)


def test_items_that_changed_code_makes_are_another_question(tmp_path: Path) -> None:
    folder, told = tmp_path / "study", {"shift": 1}

    def make(seed: int, index: int) -> tuple[str, str]:
        return (one := str(10**5 + told["shift"] * seed % 10**5) + ">", one.rstrip(">"))[:2]

    echo = axis("echo", make, gate_items=20, report_items=20, sealed_items=20, moment=0.5)
    study = tiny.study(suite=Suite([echo], block=20, max_pairs=20, design_gain=0.3), replicas=1)
    stopped_after(6, study, folder)
    told["shift"] = 3  # the code that makes items has not moved, what it reads has
    with pytest.raises(ConfigError, match="axis 'echo' gives other items"):
        run_study(replace(study, limits={"tokens": 10.0**6}), folder, new_epoch="because")


def test_after_the_seal_nothing_opens_an_epoch(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    study, folder = scored_by(tmp_path / "code", EXACT, replicas=1, rounds=1), tmp_path / "study"

    def crash(case: Any) -> None:
        raise Power

    with machine.context() as patch:
        patch.setattr(session, "decide_verdict", crash)
        with pytest.raises(Power):
            run_study(study, folder, workers=1)
    edited = scored_by(tmp_path / "code", LENIENT, replicas=1, rounds=1)
    with pytest.raises(ConfigError, match="the seal is opened under one contract"):
        run_study(edited, folder, new_epoch="ties")
    run_study(scored_by(tmp_path / "code", EXACT, replicas=1, rounds=1), folder)
    with pytest.raises(ConfigError, match="was begun and is not finished"):
        run_study(edited, folder, new_epoch="ties")


def test_a_study_that_was_not_begun_has_no_epoch_to_leave(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="was begun and is not finished"):
        run_study(tiny.study(), tmp_path / "study", new_epoch="because")
    assert not (tmp_path / "study").exists()


# --- Killed while it opens -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("asked", [0, 2])
def test_an_opening_that_was_killed_goes_on_where_it_was(
    tmp_path: Path, machine: pytest.MonkeyPatch, asked: int
) -> None:
    """Killed before the first question of the bridge, after two: one epoch, no system asked twice."""
    more = {"replicas": 2, "root": "5a" * 32}
    mend(tmp_path / "whole", tmp_path / "code", stages=16, **more)
    folder, left, real = tmp_path / "broken", [asked], epochs.evaluate

    def pulled(*given: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Power
        return real(*given)

    with machine.context() as patch:
        patch.setattr(epochs, "evaluate", pulled)
        with pytest.raises(Power):
            mend(folder, tmp_path / "code", stages=16, **more)
    assert len(events_in(folder, "epoch_opened")) == 1 and events_in(folder, "epoch_bridged") == []
    with pytest.raises(ConfigError, match="--new-epoch"):  # back to the old contract is a change as well
        run_study(scored_by(tmp_path / "code", EXACT, **more), folder)
    run_study(scored_by(tmp_path / "code", LENIENT, **more), folder, new_epoch="ties were lost", workers=1)
    assert len(events_in(folder, "epoch_opened")) == len(events_in(folder, "epoch_bridged")) == 1
    assert failing(folder) == []
    results = [result_digest(events_in(one)) for one in (folder, tmp_path / "whole")]
    assert results[0] == results[1]


# --- Not bridged -----------------------------------------------------------------------------------------------------
def test_where_the_new_contract_loses_scores_nothing_is_bridged_drawn_through_or_claimed(tmp_path: Path) -> None:
    verdict = mend(tmp_path / "study", tmp_path / "code", BREAKS)
    facts = facts_in(tmp_path / "study")
    assert all("under the old contract only" in why for why in facts.epochs[0].unbridged.values())
    assert (verdict.word, verdict.level) == ("INCONCLUSIVE", 2)
    assert verdict.reasons[0] == "decided under 2 epochs of the contract, unbridged"
    assert failing(tmp_path / "study") == [] and verify(tmp_path / "study")["verdict"] == "INCONCLUSIVE"
    reading = read(facts)
    crossing = [run for run in facts.runs.values() if len(set(run.epochs.values())) == 2]
    assert crossing and all(len(reading.breaks(run)) == 1 for run in crossing)
    page = (tmp_path / "study" / "report.html").read_text("utf-8")
    assert "It is not bridged, so no line is drawn through it" in page


def test_an_axis_that_decides_and_is_on_no_curve_cannot_be_bridged(tmp_path: Path) -> None:
    study = scored_by(tmp_path / "code", EXACT, replicas=1)
    blind = replace(study.suite, axes=[replace(study.suite.gate_axis, report_items=0)])
    stopped_after(9, replace(study, suite=blind), tmp_path / "study")
    edited = replace(scored_by(tmp_path / "code", LENIENT, replicas=1), suite=blind)
    moved = replace(edited.suite.gate_axis, metric=edited.suite.gate_axis.metric)
    edited = replace(edited, suite=replace(blind, axes=[moved]), limits={"tokens": 10.0**6})
    run_study(edited, tmp_path / "study", new_epoch="more", workers=1)
    assert list(facts_in(tmp_path / "study").epochs[0].unbridged) == ["axis echo"]
    assert case_of(facts_in(tmp_path / "study")).unbridged
    assert failing(tmp_path / "study") == []


def test_a_bridged_study_draws_its_lines_and_states_the_change(tmp_path: Path) -> None:
    mend(tmp_path / "study", tmp_path / "code", replicas=2, stages=14)
    reading = read(facts_in(tmp_path / "study"))
    runs = list(reading.facts.runs.values())
    assert any(len(set(run.epochs.values())) == 2 for run in runs) and not any(map(reading.breaks, runs))
    page = (tmp_path / "study" / "report.html").read_text("utf-8")
    section = page[page.index('id="epochs"') :]
    assert "scorer of echo" in section and "ties were lost" in section and "New contract less old" in section
    assert "harness: 2 contracts" in page


def test_the_change_of_the_contract_is_taken_off_the_scores_of_its_epoch(tmp_path: Path) -> None:
    mend(tmp_path / "study", tmp_path / "code", replicas=2, stages=8)
    reading = read(facts_in(tmp_path / "study"))
    table = drifting.corrected(reading)
    assert table is not None
    for row, run in zip(table.rows, reading.runs("self"), strict=True):
        score = reading.curve(run)[max(run.epochs)]
        asked = [sum(data["values"]) / 20 for _, data in run.still["report", "echo"]]
        if run.epochs[max(run.epochs)] and len(asked) == 2:
            shift = asked[1] - asked[0]
            assert shift >= 0 and float(str(row[5])) == pytest.approx(score - shift, abs=1e-3)
        else:
            assert row[3] == "unknown"  # nobody looked at the time of that score: not 0
    assert any("bridge of epoch 1" in row for row in table.rows)
