"""The arms that change proposer, gate, parent or open surfaces: what each does, and that it does nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny
from worlds import conduct, final, sent, world_in

from netgain.records import Change, Part, View
from netgain.result import run_digests
from netgain.run import run_id
from netgain.session import Schedule
from netgain.stages import Loop
from netgain.testing.ladder import Ladder
from netgain.world import World

LADDER = Ladder(target=7, own=30)


def promoted(world: World, run: str) -> list[int]:
    """Rounds in which the released system of a run moved by the gate's leave or by the draw."""
    return [e.data["round"] for e in world.log.events("gate_decision", run) if e.data["receipt"] is not None]


def digests(world: World) -> dict[str, str]:
    return run_digests(list(world.log.events()))


def strict(step: Any, **more: Any) -> Loop:
    """A loop behind a strict gate whose system is one number, the share of questions that it answers."""

    def propose(view: View) -> Change:
        skill = min(0.95, max(0.0, view.parent["skill"] + step(view)))
        return Change([Part("policy", {"skill": skill, "mark": int(view.rng.integers(1 << 30))})])

    return Loop(lambda rng: {"skill": 0.05, "mark": 0}, propose, tiny.answer, surfaces=("policy",), **more)


def in_world(folder: Path, arms: list[str], loop: Loop, rounds: int) -> World:
    return world_in(folder, ["self", "frozen", *arms], loop=loop, suite=tiny.suite(), rounds=rounds)


# --- random_gate -----------------------------------------------------------------------------------------------------
def test_a_random_gate_promotes_as_often_as_the_loop_did_in_rounds_of_its_own(tmp_path: Path) -> None:
    loop = strict(lambda view: 0.3 if view.round in (1, 3) else -0.3)
    world = in_world(tmp_path, ["random_gate"], loop, 6)
    conduct(world, tmp_path, replicas=3)
    rounds = [(promoted(world, f"r{r}/self"), promoted(world, f"r{r}/random_gate")) for r in range(3)]
    assert all(own == [1, 3] and len(drawn) == 2 for own, drawn in rounds)
    assert len({tuple(drawn) for _, drawn in rounds}) > 1, "the same rounds in every start are not drawn"
    assert any(drawn != own for own, drawn in rounds)


def test_a_round_that_is_not_drawn_is_not_released_and_one_that_is_has_a_receipt(tmp_path: Path) -> None:
    loop = strict(lambda view: 0.3 if view.round in (1, 3) else -0.3)
    world = in_world(tmp_path, ["random_gate"], loop, 6)
    conduct(world, tmp_path, replicas=2)
    for run in ("r0/random_gate", "r1/random_gate"):
        before: Any = None
        drawn = {e.data["round"]: e.data["drawn"] for e in world.log.events("gate_decision", run)}
        for event in world.log.events("stage_done", run):
            released = event.data["row"]["released"]
            if event.data["stage"] == "apply":
                assert (released != before) == drawn[event.data["round"]]
            before = released


@pytest.mark.parametrize("step", [0.3, -0.3])
def test_a_random_gate_is_the_loop_bit_for_bit_when_every_round_or_none_was_promoted(
    tmp_path: Path, step: float
) -> None:
    world = in_world(tmp_path, ["random_gate"], strict(lambda view: step), 3)
    conduct(world, tmp_path)
    assert promoted(world, "r0/self") == ([1, 2, 3] if step > 0 else [])
    assert digests(world)["r0/self"] == digests(world)["r0/random_gate"]


# --- random_proposer and unaided -------------------------------------------------------------------------------------
def test_random_edits_build_on_their_own_promotions_and_independent_ones_on_generation_0(tmp_path: Path) -> None:
    loop = strict(lambda view: 0.3)
    loop = replace(loop, random_search=loop.propose)
    world = in_world(tmp_path, ["random_proposer", "random_search"], loop, 3)
    conduct(world, tmp_path)
    assert len(promoted(world, "r0/random_proposer")) == 3, "the same gate is asked in every round"
    parents = [task["parent"]["digest"] for task in sent(world) if task["op"] == "build"]
    assert len(set(parents)) == 3
    alike = digests(world)
    assert alike["r0/random_proposer"] == alike["r0/self"], "where the edit is the proposal it is the loop itself"
    assert alike["r0/random_search"] != alike["r0/self"]


def test_the_default_in_place_of_people_is_the_loop_where_people_decide_nothing(tmp_path: Path) -> None:
    loop = strict(lambda view: 0.3)
    world = in_world(tmp_path, ["unaided"], replace(loop, unaided=loop.propose), 3)
    conduct(world, tmp_path)
    assert digests(world)["r0/unaided"] == digests(world)["r0/self"]


def test_a_person_cannot_decide_where_the_default_stands_for_people(tmp_path: Path) -> None:
    def by_hand(view: View) -> Change:
        return Change([Part("policy", {"skill": 0.9, "mark": 1}, decided_by="person")])

    loop = replace(strict(lambda view: 0.2), propose=by_hand, unaided=by_hand)
    world = in_world(tmp_path, ["unaided"], loop, 1)
    conduct(world, tmp_path)
    assert final(world, 0, "self").released != final(world, 0, "self").anchor
    assert final(world, 0, "unaided").released == final(world, 0, "unaided").anchor
    assert "default" in next(world.log.events("stage_failed", "r0/unaided")).data["message"]


# --- improver_only ---------------------------------------------------------------------------------------------------
def test_the_improver_of_an_arm_of_its_own_lineage_is_put_on_generation_0_every_round(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen", "improver_only"], rounds=3)
    conduct(world, tmp_path)
    rows = {e.data["round"]: e.data["row"] for e in world.log.events("stage_done", "r0/improver_only")}
    tasks = [task for task in sent(world) if task["op"] == "propose"]
    own = [task for task in tasks if task["parent"]["digest"] == rows[1]["anchor"] and task["round"] > 1]
    assert [task["improver"]["digest"] for task in own] == [rows[1]["working"], rows[2]["working"]]
    assert rows[1]["working"] != rows[1]["anchor"], "nothing was improved: the test shows nothing"
    assert rows[3]["working"] != final(world, 0, "self").working


# --- without:SURFACE -------------------------------------------------------------------------------------------------
def test_a_closed_surface_is_told_and_what_is_left_is_changed_at_the_same_budget(tmp_path: Path) -> None:
    arms = ["self", "frozen", "without:data", "without:curriculum", "without:data+without:curriculum"]
    world = world_in(tmp_path, arms, rounds=3)
    world = replace(world, schedule=Schedule(world.log))  # type: ignore[arg-type]
    conduct(world, tmp_path)
    touched = {
        arm: {event.data["surface"] for event in world.log.events("decision", run_id(0, arm))} for arm in arms[2:]
    }
    assert touched == {
        "without:data": {"curriculum"}, "without:curriculum": {"data"}, "without:data+without:curriculum": {"weights"},
    }  # fmt: skip
    assert not list(world.log.events("stage_failed"))
    spent = {arm: final(world, 0, arm).build["tokens"] or 0 for arm in ("self", *arms[2:])}
    assert all(spent[arm] >= spent["self"] for arm in arms[2:])


def test_a_surface_that_no_proposal_touches_is_no_loss_to_the_bit(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen", "without:weights"], rounds=2)
    conduct(world, tmp_path)
    assert digests(world)["r0/without:weights"] == digests(world)["r0/self"]
    closed = [task["closed"] for task in sent(world) if task["op"] == "propose"]
    assert closed.count(["weights"]) == closed.count([]) == 2, "the arm is told from its first proposal on"


def test_a_change_on_a_surface_that_was_said_to_be_closed_is_refused(tmp_path: Path) -> None:
    loop = replace(LADDER.loop(), propose=lambda view: LADDER.propose(replace(view, closed=())))  # it does not listen
    world = world_in(tmp_path, ["self", "frozen", "without:data"], loop=loop, rounds=1)
    conduct(world, tmp_path)
    failed = next(world.log.events("stage_failed", "r0/without:data")).data["message"]
    assert "change of surface 'data' refused: open are curriculum, weights" in failed
    assert not list(world.log.events("stage_failed", "r0/self"))


# --- sampled, for every loop -----------------------------------------------------------------------------------------
def test_a_loop_without_a_picker_of_its_own_answers_by_the_vote_of_several_tries(tmp_path: Path) -> None:
    def coin(system: Any, inputs: Any, budget: Any, rng: Any) -> Any:
        budget.spend(calls=len(inputs))
        right = rng.random(len(inputs)) < 0.7
        return [one.rstrip(">")[::-1] if yes else "?" for one, yes in zip(inputs, right, strict=True)]

    loop = replace(LADDER.loop(), answer=coin, sampled=None)
    world = world_in(tmp_path, ["self", "frozen", "sampled"], loop=loop, rounds=1)
    conduct(world, tmp_path)

    def share(arm: str) -> float:
        found = [e.data["values"] for e in world.log.events("scores", f"r0/{arm}") if e.data["axis"] == "ladder"]
        return sum(map(sum, found)) / sum(map(len, found))

    assert share("sampled") > share("frozen") + 0.1, "eight tries of .7 agree on the truth more often than one"
    asked, plain = (final(world, 0, arm).answer["calls"] for arm in ("sampled", "frozen"))
    assert asked and plain and asked == 8 * plain * 2 / 5, "every try is booked; `frozen` asks its anchor thrice"


# --- stop rules ------------------------------------------------------------------------------------------------------
def test_a_control_that_a_gate_finds_futile_every_time_goes_on_to_its_horizon(tmp_path: Path) -> None:
    loop = replace(strict(lambda view: 0.3), random_search=strict(lambda view: -0.05).propose)
    world = in_world(tmp_path, ["random_search", "random_proposer"], loop, 4)
    conduct(world, tmp_path)
    for arm in ("random_search", "random_proposer"):
        outcomes = [event.data["outcome"] for event in world.log.events("gate_decision", f"r0/{arm}")]
        assert outcomes == ["reject"] * 4
        row = final(world, 0, arm)
        assert (row.round, row.end) == (4, "planned length reached")
        assert row.build["tokens"] == final(world, 0, "self").build["tokens"]


# --- blinding --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("arm", ["improver_only", "random_gate"])
def test_nothing_readable_depends_on_these_arms_in_the_first_round(tmp_path: Path, arm: str) -> None:
    world = world_in(tmp_path, ["self", "frozen", arm], rounds=1)
    conduct(world, tmp_path)
    asked = [task for task in sent(world) if task["op"] in ("propose", "build")]
    assert len(asked) == 2, "another arm asked for something else"
