"""What a proposal may be: parts on open surfaces, columns that fit, and nothing that was or will be measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds import conduct, final, sent, world_in

from netgain.records import Change, Examples, Part, View
from netgain.session import Schedule
from netgain.stages import Filter, Loop
from netgain.testing.ladder import Ladder, answer

LADDER = Ladder(target=7, own=20)
OWN = ["12>", "34>"]


def loop(change: Change, **more: Any) -> Loop:
    """A loop that proposes this change in every round, and builds nothing from it."""
    return Loop(
        LADDER.start, lambda view: change, answer, build=lambda parent, change, budget, rng: parent,
        surfaces=("data", "policy"), filters=(Filter("own"),), **more,
    )  # fmt: skip


def examples(labels: int = 2) -> Part:
    return Part("data", Examples(OWN, ["x"] * labels))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Change([Part("weights", 1)]), "surface 'weights' refused: open are data, policy"),
        (Change([Part("policy", 1, decided_by="persno")]), "decided by 'persno', expected one of system, rule"),
        (Change([examples(labels=1)]), "labels has 1 entries for 2 examples"),
        (Change([examples(labels=3)]), "labels has 3 entries for 2 examples"),
        (Change([examples()], checks={"own": [True]}), "check 'own' has 1 entries for 2 examples"),
        (Change([examples()], checks={"own": [True] * 3}), "check 'own' has 3 entries for 2 examples"),
    ],
)
def test_a_change_that_does_not_fit_loses_its_round_with_the_reason(
    tmp_path: Path, change: Change, reason: str
) -> None:
    world = world_in(tmp_path, ["self", "frozen"], loop=loop(change), rounds=1)
    conduct(world, tmp_path)
    (failed,) = world.log.events("stage_failed", "r0/self")
    assert reason in failed.data["message"]
    assert (failed.data["cause"], failed.data["stage"]) == ("system", "propose")
    row = final(world, 0, "self")
    assert row.done and row.released == row.working == row.anchor


def test_an_oracle_that_answers_for_other_examples_is_refused(tmp_path: Path) -> None:
    own = loop(Change([examples()], checks={"own": [True] * 2}), oracle=lambda inputs, labels: [True])
    world = world_in(tmp_path, ["self", "frozen"], loop=own, rounds=1)
    conduct(world, tmp_path)
    (failed,) = world.log.events("stage_failed", "r0/self")
    assert "truth of the oracle has 1 entries" in failed.data["message"]


def test_an_own_question_that_is_on_a_report_or_the_anchor_is_dropped_before_training(tmp_path: Path) -> None:
    ladder = world_in(tmp_path / "look", ["self", "frozen"], rounds=1)  # the same secret: the same report items
    ladder_axis = ladder.suite.gate_axis
    measured = [ladder.dealer.report(ladder_axis, 0, 1).inputs[0], ladder.dealer.anchor(ladder_axis, 0).inputs[0]]
    change = Change([Part("data", Examples([*OWN, *measured], list("abcd")))], checks={"own": [True] * 4})
    world = world_in(tmp_path / "run", ["self", "frozen"], loop=loop(change), rounds=1)
    conduct(world, tmp_path / "run")
    (built,) = [task for task in sent(world) if task["op"] == "build"]
    assert built["change"]["parts"][0]["examples"] == {"inputs": OWN, "labels": ["a", "b"]}


def test_every_part_leaves_a_record_of_who_decided_on_what_evidence(tmp_path: Path) -> None:
    parts = [Part("policy", 1, "model", "it said so", 4, {"share": 0.5}), Part("data", Examples())]
    world = world_in(tmp_path, ["self", "frozen"], loop=loop(Change(parts)), rounds=1)
    conduct(world, tmp_path)
    told = [event.data for event in world.log.events("decision", "r0/self")]
    assert [(one["surface"], one["decided_by"], one["options"]) for one in told] == [
        ("policy", "model", 4), ("data", "system", None)
    ]  # fmt: skip
    assert told[0]["evidence"] == {"share": 0.5} and told[0]["reason"] == "it said so"


def test_the_next_proposal_sees_what_was_kept_and_the_share_and_not_the_decision_numbers(tmp_path: Path) -> None:
    seen: list[View] = []

    def propose(view: View) -> Change:
        seen.append(view)
        return Change([Part("data", Examples(OWN, ["a", "b"]))], state={"n": view.round}, checks={"own": [True, False]})

    own = replace(loop(Change([])), propose=propose)
    world = world_in(tmp_path, ["self", "frozen"], loop=own, rounds=2)
    conduct(world, tmp_path)
    first, second = seen
    assert (first.state, first.accepted, list(first.feedback.kept.inputs)) == (None, None, [])
    assert (second.state, list(second.feedback.kept.inputs)) == ({"n": 1}, ["12>"])
    assert second.feedback.shares == {"own": 0.5}
    assert second.accepted in (True, False, None)
    assert list(second.dev) == []


def test_plain_training_is_given_the_loops_spend_and_a_control_that_kept_up_is_told_nothing(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen", "ordinary", "placebo"], rounds=2)
    world = replace(world, schedule=Schedule(world.log))  # type: ignore[arg-type]
    conduct(world, tmp_path)
    asked = [task for task in sent(world) if task["op"] == "propose"]
    plain = [task["budget"]["tokens"] for task in asked if task["proposer"].startswith("ordinary")]
    assert plain and all(tokens > 0 for tokens in plain)
    assert {task["budget"]["tokens"] for task in asked if task["proposer"] == "propose"} == {None}
