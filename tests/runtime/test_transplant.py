"""Improvers moved alone to foreign starts: what moves with them, what does not, and what they turn out to be worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds import conduct, sent, world_in

from netgain.claim import Claim
from netgain.codecs import PlainCodec
from netgain.facts import Facts
from netgain.records import Change, Examples, Part, View
from netgain.run import Row
from netgain.seal import facts_of
from netgain.stages import Loop, Transplant
from netgain.testing.ladder import Ladder
from netgain.transplant import foreign, missing_transplant, move_improvers
from netgain.wire import unpack
from netgain.world import World


def run_to_the_end(folder: Path, loop: Loop, rounds: int = 2, replicas: int = 2) -> tuple[World, Facts]:
    world = replace(world_in(folder, ["self", "frozen", "placebo"], loop=loop, rounds=rounds), keep_at=(rounds // 2,))
    conduct(world, folder, replicas=replicas)
    return world, facts_of(world.log)


def moved(folder: Path, loop: Loop, **settings: Any) -> tuple[World, list[dict[str, Any]]]:
    """All improvers of all starts of `self`, moved; their records."""
    world, facts = run_to_the_end(folder, loop, **settings)
    move_improvers(world, facts, sorted(facts.enrolled), ["self"], 1)
    return world, [event.data for event in world.log.events("transplanted")]


def truth(world: World, records: list[dict[str, Any]], length: int) -> dict[str, list[float]]:
    """What every transplanted round really brought: chance of a right answer at a length, by improver."""
    found: dict[str, list[float]] = {}
    for one in records:
        table = PlainCodec().decode(world.store.get(one["system"]))["right"]
        found.setdefault(one["improver"], []).append(table[length - 1])
    return {name: sum(each) / len(each) for name, each in found.items()}


# --- Known truth -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("improver", "gains", "accelerates"),
    [("accelerating", True, True), ("saturating", True, False), ("overfit", False, None), ("fixed", False, None)],
)
def test_an_improver_is_worth_elsewhere_what_its_maker_says(
    tmp_path: Path, improver: str, gains: bool, accelerates: bool | None
) -> None:
    ladder = Ladder(target=9, own=60, improver=improver)
    world, records = moved(tmp_path, ladder.loop(), rounds=4)
    worth = truth(world, records, 10)
    nulls = max(worth[name] for name in ("first", "drifted", "shuffled"))
    assert (worth["last"] > nulls + 0.1) == gains
    if accelerates is not None:
        assert (worth["last"] - 2 * worth["half"] + worth["first"] > 0) == accelerates


def test_an_improver_that_answers_out_of_its_own_table_carries_it_along(tmp_path: Path) -> None:
    world, records = moved(tmp_path, Ladder(target=7, own=60).loop(), rounds=2)
    worth = truth(world, records, 8)
    assert worth["last"] > worth["first"] + 0.3


# --- What moves, and what does not -----------------------------------------------------------------------------------
def test_only_the_improver_is_moved_and_its_nulls_have_the_same_round(tmp_path: Path) -> None:
    world, records = moved(tmp_path, Ladder(target=7, own=20, improver="accelerating").loop(), replicas=3)
    assert sorted({(one["improver"], one["start"]) for one in records[:10]}) == sorted(
        (name, start) for name in ("last", "half", "first", "drifted", "shuffled") for start in (1, 2)
    )
    tasks = [task for task in sent(world) if task["op"] == "propose" and task["proposer"] == "transplant"]
    anchors = {world.log.row(f"r{r}/frozen")["anchor"]: r for r in range(3)}  # type: ignore[index]
    for task in tasks:
        assert (task["state"], task["feedback"], task["accepted"], task["round"]) == (None, None, None, 1)
        assert task["parent"]["digest"] in anchors
    by_start: dict[str, set[str]] = {}
    for task in tasks:
        by_start.setdefault(task["seed"], set()).add(task["parent"]["digest"])
    assert len(by_start) == 6 and all(len(parents) == 1 for parents in by_start.values())
    own = {one["improver_system"] for one in records if one["improver"] == "first"}
    assert own == set(anchors), "the first improver of a start is its own generation 0"
    assert not any(one["start_system"] == one["improver_system"] for one in records if one["improver"] == "first")


def test_the_improver_grown_on_nothing_is_what_the_placebo_works_with_released_or_not(tmp_path: Path) -> None:
    world, records = moved(tmp_path, Ladder(target=7, own=20, improver="accelerating").loop())
    rows = [world.log.row(f"r{replica}/placebo") or {} for replica in range(2)]
    assert all(row["released"] != row["working"] for row in rows)
    found = {one["improver_system"] for one in records if one["improver"] == "shuffled"}
    assert found == {row["working"] for row in rows}


def test_a_start_is_foreign_only_with_another_generation_0() -> None:
    anchors = ["a", "b", "a", None, "c"]
    facts = Facts(runs={f"r{r}/frozen": _Run({"anchor": one}) for r, one in enumerate(anchors)})  # type: ignore[dict-item]
    everyone = list(range(5))
    assert foreign(facts, everyone, 0, 3) == [1, 4]
    assert foreign(facts, everyone, 1, 2) == [2, 4]
    assert foreign(facts, everyone, 4, 2) == [0, 1]
    assert foreign(facts, [0], 0, 2) == []


class _Run:
    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row


def test_tasks_that_a_round_had_used_are_not_trained_on_again(tmp_path: Path) -> None:
    ladder = Ladder(target=7, own=20)
    used: list[str] = []

    def propose(view: View) -> Change:
        change = ladder.propose(view)
        used.extend(change.examples.inputs if change.examples else [])
        return change

    def again(view: View) -> Change:
        new = ["1234567890>"]
        return Change([Part("data", Examples([*used, *new], ["?"] * (len(used) + 1)))], None)

    loop = replace(ladder.loop(), propose=propose, transplant=Transplant(again, ladder.drifted), filters=())
    world, records = moved(tmp_path, loop)
    assert all(one["dropped"] >= 20 for one in records)
    for event in world.log.events("transplanted"):
        row = Row.from_json(world.log.row(str(event.run)) or {})
        trained, seen = (set(unpack(world.store.get(one))) for one in (event.data["trained"], str(row.seen)))
        assert trained and not trained & seen


def test_moving_again_after_an_interruption_moves_nothing_twice(tmp_path: Path) -> None:
    world, facts = run_to_the_end(tmp_path, Ladder(target=7, own=20).loop())
    move_improvers(world, facts, [0, 1], ["self"], 1)
    first = [event.data for event in world.log.events("transplanted")]
    move_improvers(world, facts, [0, 1], ["self"], 1)
    assert [event.data for event in world.log.events("transplanted")] == first


# --- Rounds that bring nothing ---------------------------------------------------------------------------------------
def raising(view: View) -> Change:
    raise RuntimeError("no way from here")


def by_hand(view: View) -> Change:
    return Change([Part("weights", None, decided_by="person")])


def closed(view: View) -> Change:
    return Change([Part("tools", None)])


@pytest.mark.parametrize(
    ("propose", "why"), [(raising, "no way from here"), (by_hand, "decided by a person"), (closed, "refused")]
)
def test_a_transplanted_round_that_fails_brings_no_system_and_says_why(tmp_path: Path, propose: Any, why: str) -> None:
    ladder = Ladder(target=7, own=20)
    loop = replace(ladder.loop(), transplant=Transplant(propose, ladder.drifted))
    _, records = moved(tmp_path, loop, rounds=1)
    assert records
    assert all(one["system"] is None and why in one["message"] for one in records)


def test_an_improver_that_cannot_be_drifted_is_left_out(tmp_path: Path) -> None:
    def refuse(first: Any, last: Any, rng: Any) -> Any:
        raise ValueError("no distance")

    ladder = Ladder(target=7, own=20)
    loop = replace(ladder.loop(), transplant=Transplant(ladder.transplant, refuse))
    _, records = moved(tmp_path, loop, rounds=1)
    assert {one["improver"] for one in records} >= {"last", "first", "shuffled"}
    assert "drifted" not in {one["improver"] for one in records}


# --- Loops and claims that no improver can be moved in ---------------------------------------------------------------
def test_what_is_missing_for_a_transplant_is_named() -> None:
    loop, claim = Ladder().loop(), Claim("ladder", 0.1, rung="R6")
    assert missing_transplant(loop, claim) == ""
    assert "`transplant`" in missing_transplant(replace(loop, transplant=None), claim)
    assert "`state`" in missing_transplant(replace(loop, state=None), claim)
    assert "ends at R5" in missing_transplant(loop, replace(claim, rung="R5"))
    assert "foreign" in missing_transplant(loop, replace(claim, starts="this generation 0"))
