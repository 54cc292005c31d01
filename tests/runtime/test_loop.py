"""One run, step by step: what moves pointers, what crosses the wall, what an arm changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds import conduct, final, sent, with_gate, world_in

from netgain.arms import Arm
from netgain.budget import Budget
from netgain.errors import IntegrityError
from netgain.gates.gate import BettingGate
from netgain.loop import STAGES, step
from netgain.records import Change, Part, View
from netgain.run import Row, run_id
from netgain.session import Schedule
from netgain.stages import Loop
from netgain.study import enrol
from netgain.testing.ladder import Ladder
from netgain.world import World


def scores(world: World, run: str) -> list[Any]:
    """Everything measured in a run, without clocks."""
    return [
        (event.data["round"], event.data["axis"], event.data["role"], event.data["values"])
        for event in world.log.events("scores", run)
    ]


def test_the_loop_climbs_and_its_controls_do_not(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen", "placebo"], rounds=3)
    conduct(world, tmp_path)
    assert final(world, 0, "self").released != final(world, 0, "self").anchor
    assert final(world, 0, "frozen").released == final(world, 0, "frozen").anchor


def test_an_arm_with_a_null_intervention_is_the_loop_bit_for_bit(tmp_path: Path) -> None:
    loop = Ladder(target=7, own=60, check=0.0).loop()  # no check: nothing for the channel to change
    world = world_in(tmp_path, ["self", "frozen"], loop=loop)
    world = replace(world, arms={**world.arms, "twin": Arm("twin")})
    conduct(world, tmp_path)
    one, other = final(world, 0, "self").to_json(), final(world, 0, "twin").to_json()
    assert {**one, "arm": ""} == {**other, "arm": ""}
    assert scores(world, "r0/self") == scores(world, "r0/twin")


def test_the_second_self_draws_its_own_randomness_from_one_generation_0(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "self_again", "frozen"])
    conduct(world, tmp_path)
    one, other = final(world, 0, "self"), final(world, 0, "self_again")
    assert one.anchor == other.anchor
    assert one.working != other.working


def test_a_use_that_is_disabled_but_never_mattered_changes_nothing(tmp_path: Path) -> None:
    # With generation 0 always passing its own pace rule, disabling the pace use is a null intervention in round 1.
    world = world_in(tmp_path, ["self", "frozen", "unguarded:own.pace"], rounds=1)
    conduct(world, tmp_path)
    assert final(world, 0, "self").released == final(world, 0, "unguarded:own.pace").released


@pytest.mark.parametrize("arm", ["placebo", "stacked", "flat", "unguarded:own.filter", "ungated", "oracle", "shuffled"])
def test_nothing_readable_depends_on_the_arm_before_its_intervention(tmp_path: Path, arm: str) -> None:
    world = world_in(tmp_path, ["self", "frozen", arm], rounds=2)
    enrol(world, [0], 1, lambda: "0" * 16)
    tasks: dict[str, list[bytes]] = {}
    for run in ("self", arm):
        world.jobs.forget(0)  # so that every arm asks for itself
        before = len(sent(world))
        for _ in range(3):  # start, measure, propose: the channel acts after it
            step(run_id(0, run), world)
        tasks[run] = [json.dumps(task, sort_keys=True, default=bytes.hex).encode() for task in sent(world)[before:]]
    assert tasks["self"] == tasks[arm]


def test_the_wall_lets_no_measured_item_through(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=3)
    conduct(world, tmp_path)
    asked = [task for task in sent(world) if task["op"] in ("propose", "build")]
    crossed = json.dumps(asked, default=bytes.hex)
    targets = [task for task in sent(world) if "target" in json.dumps(task, default=bytes.hex)]
    assert not targets, "a target crossed the wall"
    gate_keys = {event.data["key"] for event in world.log.events("scores") if event.data["split"] == "gate"}
    assert gate_keys
    for axis in world.suite.axes:
        for event in world.log.events("scores"):
            if event.data["axis"] == axis.name and event.data["split"] == "gate" and not axis.overlap:
                block = world.dealer.gate(axis, event.data["key"], 0, axis.gate_items, 1)
                assert not any(f'"{question}"' in crossed for question in block.inputs if len(question) > 6)


def test_a_proposal_is_told_one_bit_of_the_gate_and_no_number(tmp_path: Path) -> None:
    """statistics.md 1.9: with more than a bit, a loop climbs the gate's items."""
    world = world_in(tmp_path, ["self", "frozen"], rounds=3)
    conduct(world, tmp_path)
    asked = [task for task in sent(world) if task["op"] in ("propose", "build")]
    assert {task["accepted"] for task in asked if task["op"] == "propose"} <= {True, False, None}
    told = json.dumps(asked, default=bytes.hex)
    decided = [event.data for event in world.log.events("gate_decision", "r0/self")]
    numbers = {repr(test[name]) for one in decided for test in one["tests"] for name in ("log_e", "log_e_peak")}
    assert len(numbers - {"0.0"}) > 3
    assert not [number for number in numbers - {"0.0"} if number in told]
    assert not [one["reason"] for one in decided if one["reason"] in told]


def test_the_gate_asks_generation_0_as_its_anchor_whatever_was_released(tmp_path: Path) -> None:
    """statistics.md 1.9: against the released system alone, small losses add up unseen."""
    world = world_in(tmp_path, ["self", "frozen"], rounds=3)
    conduct(world, tmp_path)
    sheets = [event.data for event in world.log.events("scores", "r0/self") if event.data["split"] == "gate"]
    asked = {role: {one["system"] for one in sheets if one["role"] == role} for role in ("anchor", "released")}
    anchor = final(world, 0, "self").anchor
    assert asked["anchor"] == {anchor}
    assert asked["released"] - {anchor}, "nothing was released before the last decision"


def test_every_view_field_is_one_that_the_loop_may_see() -> None:
    allowed = {"parent", "improver", "state", "accepted", "feedback", "dev", "budget", "rng", "round", "closed"}
    allowed |= {"shown"}  # by registration only, in steps and at a price: decision 0054
    assert set(View.__dataclass_fields__) == allowed


class _Forger(BettingGate):
    """A gate that says promote to everything and hands out a receipt that its numbers do not carry."""

    def decide(self, *arguments: Any, **options: Any) -> Any:
        return replace(super().decide(*arguments, **options), outcome="promote")

    def receipt(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        return {"outcome": "promote", "candidate_digest": "x", "released_digest": "y"}


def test_no_code_path_promotes_without_a_receipt(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"])
    forged = with_gate(world, _Forger(world.gate.plan))  # type: ignore[attr-defined]
    enrol(forged, [0], 1, lambda: "0" * 16)
    for _ in range(5):  # start, measure, propose, build, judge
        step("r0/self", forged)
    with pytest.raises(IntegrityError, match="no receipt"):
        step("r0/self", forged)
    assert final(forged, 0, "self").released == final(forged, 0, "self").anchor


def test_a_receipt_for_another_move_does_not_count(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"])
    conduct(world, tmp_path)
    promoted = [
        event.data for event in world.log.events("gate_decision", "r0/self") if event.data["outcome"] == "promote"
    ]
    assert promoted, "the loop never promoted: the test shows nothing"
    first = promoted[0]
    assert world.gate.admits(first["receipt"], first["candidate"], first["released"])
    assert not world.gate.admits(first["receipt"], first["released"], first["candidate"])
    assert not world.gate.admits(None, first["candidate"], first["released"])
    weaker = {**first["receipt"], "tests": []}
    assert not world.gate.admits(weaker, first["candidate"], first["released"])


def test_only_apply_moves_the_released_pointer(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen", "flat", "stacked", "ungated"])
    conduct(world, tmp_path)
    for run in ("self", "flat", "stacked", "ungated"):
        before = None
        receipts = {
            event.data["round"]: event.data["receipt"] for event in world.log.events("gate_decision", f"r0/{run}")
        }
        for event in world.log.events("stage_done", f"r0/{run}"):
            released = event.data["row"]["released"]
            if before is not None and released != before:
                assert event.data["stage"] == "apply"
                assert receipts[event.data["round"]]["candidate_digest"] == released
            before = released


def test_a_harmful_round_is_rolled_back_with_its_position(tmp_path: Path) -> None:
    ladder = Ladder(target=7, own=60)

    def ruin(parent: Any, change: Change, budget: Any, rng: Any) -> Any:
        return {"right": [0.3] * 16, "mark": int(rng.integers(9))}

    world = world_in(tmp_path, ["self", "frozen"], loop=replace(ladder.loop(), build=ruin))
    conduct(world, tmp_path)
    row = final(world, 0, "self")
    assert row.restores == 3
    assert row.working == row.released == row.anchor
    assert (row.position, row.feedback) == (None, None)


def test_a_change_outside_the_allowed_surfaces_is_refused(tmp_path: Path) -> None:
    ladder = Ladder(target=7, own=60)

    def propose(view: View) -> Change:
        return Change([Part("tools", {"right": [1.0] * 16, "mark": 0})])

    loop = replace(ladder.loop(), propose=propose, build=lambda parent, change, budget, rng: change.parts[0].payload)
    world = world_in(tmp_path, ["self", "frozen"], loop=loop)
    conduct(world, tmp_path)
    row = final(world, 0, "self")
    assert row.released == row.working == row.anchor
    assert "refused" in next(world.log.events("stage_failed", "r0/self")).data["message"]


def test_a_proposer_that_raises_loses_its_round_and_nothing_else(tmp_path: Path) -> None:
    ladder = Ladder(target=7, own=60)

    def propose(view: View) -> Change:
        if view.round == 2:
            raise RuntimeError("lost my notes")
        return ladder.propose(view)

    world = world_in(tmp_path, ["self", "frozen"], loop=replace(ladder.loop(), propose=propose))
    conduct(world, tmp_path)
    assert final(world, 0, "self").done
    failed = [event.data for event in world.log.events("stage_failed", "r0/self")]
    assert [(one["round"], one["cause"]) for one in failed] == [(2, "system")]


def test_a_system_that_cannot_answer_has_no_score(tmp_path: Path) -> None:
    def answer(system: Any, inputs: Any, budget: Any, rng: Any) -> Any:
        raise ValueError("no words")

    ladder = Ladder(target=7, own=60)
    world = world_in(tmp_path, ["self", "frozen"], loop=replace(ladder.loop(), answer=answer), rounds=1)
    conduct(world, tmp_path)
    values = [value for event in world.log.events("scores") for value in event.data["values"]]
    assert values
    assert set(values) == {None}
    assert all(event.data["outcome"] == "undecided" for event in world.log.events("gate_decision"))


def test_doing_a_stage_twice_changes_nothing(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"])
    enrol(world, [0], 1, lambda: "0" * 16)
    for _ in range(4):
        row = Row.from_json(world.log.row("r0/self") or {})
        world.jobs.forget(0)
        again = STAGES[row.stage](row, world)
        assert again.row == STAGES[row.stage](row, world).row
        step("r0/self", world)


class Counted:
    """A log that counts the entries that are read from it."""

    def __init__(self, log: Any) -> None:
        self.log, self.read = log, 0

    def events(self, *asked: Any) -> Iterator[Any]:
        for event in self.log.events(*asked):
            self.read += 1
            yield event


def test_spend_by_round_is_what_the_whole_log_says_and_reads_no_entry_twice(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=2)
    log, run = Counted(world.log), run_id(0, "self")
    schedule = Schedule(log)  # type: ignore[arg-type]
    enrol(world, [0], 1, lambda: "label")
    seen: dict[int, Any] = {}
    while not Row.from_json(world.log.row(run) or {}).done:
        step(run, world)
        stages = [event.data for event in world.log.events("stage_done", run)]
        seen = {one["round"]: one["row"]["build"] for one in stages if one["round"]}
        assert schedule(run) == seen
    assert sorted(seen) == [1, 2]
    assert log.read == len(stages)
    schedule(run).clear()
    assert schedule(run) == seen, "nobody can edit what is known"


def test_controls_spend_at_least_what_the_loop_spent(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen", "ordinary", "placebo", "flat"])
    world = replace(world, schedule=Schedule(world.log))  # type: ignore[arg-type]
    conduct(world, tmp_path)
    own = final(world, 0, "self").build["tokens"]
    assert own is not None
    for name in ("ordinary.restarts", "ordinary.long"):
        spent = final(world, 0, name).build["tokens"]
        assert spent is not None
        assert spent >= own


def test_a_control_that_has_parted_is_level_with_the_loop_after_every_round(tmp_path: Path) -> None:
    ladder = Ladder(target=7, own=60)

    def build(parent: Any, change: Change, budget: Any, rng: Any) -> Any:
        length = len(change.examples.inputs[0]) if change.examples and change.examples.inputs else 1
        budget.spend(tokens=max(budget.tokens or 0.0, 100.0 * length), flops=0)
        return ladder.build(parent, change, Budget(), rng)

    world = world_in(tmp_path, ["self", "frozen", "flat"], loop=replace(ladder.loop(), build=build), rounds=4)
    world = replace(world, schedule=Schedule(world.log))  # type: ignore[arg-type]
    conduct(world, tmp_path)
    own, theirs = (final(world, 0, name).build["tokens"] for name in ("self", "flat"))
    assert own is not None
    assert theirs is not None
    assert theirs >= own, "flat stays at the shortest strings and would spend less"


def test_strict_mode_goes_on_from_the_released_system(tmp_path: Path) -> None:
    def start(rng: Any) -> Any:
        return {"right": [0.99] * 6 + [0.0] * 10, "mark": 1}

    def worse(view: View) -> Change:
        return Change([Part("policy", {"right": [0.2] * 6 + [0.0] * 10, "mark": int(view.rng.integers(9))})])

    loop = Loop(start, worse, Ladder().loop().answer, surfaces=["policy"])
    world = world_in(tmp_path, ["self", "frozen"], loop=loop)
    conduct(world, tmp_path)
    row = final(world, 0, "self")
    assert row.working == row.released == row.anchor
    assert {event.data["outcome"] for event in world.log.events("gate_decision", "r0/self")} == {"reject"}
