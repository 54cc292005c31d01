"""The loop's round-0 score of later systems: after the seal, generation 0 judging, deciding nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from netgain.budget import Budget
from netgain.executors.worker import Tasks, run_task
from netgain.facts import reduce
from netgain.testing.ladder import Ladder
from netgain.wire import pack
from study_forgery import entries, ladder_study


def own_scores(folder: Path) -> list[dict]:
    return [event.data for event in entries(folder) if event.kind == "own_score"]


def test_every_released_system_of_the_claimed_arm_has_one_after_the_seal(tmp_path: Path) -> None:
    folder = ladder_study(tmp_path / "study", replicas=2)
    log = entries(folder)
    (opened,) = (event.seq for event in log if event.kind == "seal_opened")
    found = [event for event in log if event.kind == "own_score"]
    assert [(event.run, event.data["round"]) for event in found] == [
        (f"r{start}/self", at) for start in (0, 1) for at in (0, 1, 2)
    ]
    assert all(event.seq > opened and 0.0 <= event.data["score"] <= 1.0 for event in found)
    run = reduce(log).runs["r0/self"]
    assert {one.data["judge"] for one in found if one.run == "r0/self"} == {run.row["anchor"]}
    assert run.round_0[2] > run.round_0[0]
    assert [spend["calls"] for spend in run.phase("yardstick")] == [200.0] * 3


def test_the_questions_and_the_judge_stay_the_same_when_the_system_does(tmp_path: Path) -> None:
    found = own_scores(ladder_study(tmp_path / "study", replicas=1, options={"gain": 0.0}))
    scores = {one["system"]: one["score"] for one in found}
    assert len({one["score"] for one in found if one["system"] == found[0]["system"]}) == 1
    assert len(scores) <= len(found)


def test_a_loop_without_one_has_none_and_the_report_says_what_is_missing(tmp_path: Path) -> None:
    folder = ladder_study(tmp_path / "study", replicas=1, options={"check": 0.0})
    assert own_scores(folder) == []
    assert "by its round-0 score not available" in (folder / "report.html").read_text()


@pytest.mark.parametrize("score", [1.5, -0.1, float("nan")])
def test_a_score_out_of_range_is_an_error_and_no_score(score: float) -> None:
    loop = replace(Ladder().loop(), own_score=lambda judge, system, budget, rng: score)
    told = {"digest": "0" * 64, "data": pack({"right": [1.0], "mark": 0})}
    task = {"op": "own_score", "judge": told, "system": told, "seed": "0", "budget": Budget().limits()}
    answer = run_task(Tasks(loop), task)
    assert (answer["ok"], answer["type"]) == (False, "ValueError")
    assert f"own_score gave {score!r}" in answer["message"]
