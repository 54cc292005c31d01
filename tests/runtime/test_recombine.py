"""Mixtures of first and final parts: made before the seal opens, all asked, and read by no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds import conduct, final, sent, world_in

from netgain.errors import ConfigError
from netgain.facts import Facts, reduce
from netgain.ledger.events import Event
from netgain.recombine import Mixed, mix
from netgain.seal import facts_of, open_seal, score_sealed, served
from netgain.stages import Loop, Separable
from netgain.testing.ladder import Ladder
from netgain.wire import unpack
from netgain.world import World

LADDER = Ladder(target=7, own=60)
ARMS = ["self", "frozen"]
ALL = {"00", "01", "10", "11"}


def finished(folder: Path, loop: Loop | None = None, *, replicas: int = 1) -> World:
    world = replace(world_in(folder, ARMS, loop=loop or LADDER.loop(), rounds=2), keep_at=(1,))
    claim = {"arm": "self", "metric": "ladder"}
    record = {"claim": claim, "claim_digest": "ab" * 32, "study": {"rounds": 2, "separable": ["near", "far"]}}
    world.log.append([Event("claim_registered", None, record)])
    conduct(world, folder, replicas=replicas)
    return world


def mixed(world: World, replicas: int = 1) -> dict[str, Mixed]:
    facts = facts_of(world.log)
    return mix(world, dict(served(facts, one, "self") for one in range(replicas)))


def sealed(world: World, replicas: int = 1) -> Facts:
    """The facts after the seal was opened and everything was asked."""
    open_seal(world.log, facts_of(world.log), replicas, range(replicas), ARMS, mixed(world, replicas))
    facts = facts_of(world.log)
    score_sealed(world, facts, facts.seals[-1], 1)
    return facts_of(world.log)


def probabilities(world: World, digest: str) -> list[float]:
    return list(unpack(world.store.get(digest))["right"])


def test_all_mixtures_are_listed_at_the_seal_and_the_two_ends_are_the_systems_themselves(tmp_path: Path) -> None:
    world = finished(tmp_path)
    facts, row = sealed(world), final(world, 0, "self")
    systems = facts.seals[-1]["mixtures"]["r0/self"]
    assert set(systems) == ALL
    assert (systems["00"], systems["11"]) == (row.anchor, row.released)
    first, last, crossed = (probabilities(world, systems[bits]) for bits in ("00", "11", "01"))
    assert crossed == [*first[: LADDER.known + 1], *last[LADDER.known + 1 :]]


def test_all_mixtures_answer_the_block_of_their_start_on_every_sealed_axis(tmp_path: Path) -> None:
    world = finished(tmp_path, replicas=2)
    facts = sealed(world, replicas=2)
    axes = {axis.name for axis in world.suite.axes if axis.sealed_items}
    assert set(facts.mixed) == {(one, axis, bits) for one in (0, 1) for axis in axes for bits in ALL}
    for replica in (0, 1):
        sheets = [e.data for e in world.log.events("scores") if e.run == f"r{replica}/self"]
        asked = {one["items"] for one in sheets if (one["split"], one["axis"]) == ("sealed", "ladder")}
        assert len(asked) == 1, "served, listed and mixed systems are asked the same items"


def test_a_mixture_scores_what_its_parts_know(tmp_path: Path) -> None:
    world = finished(tmp_path)
    facts = sealed(world)
    lengths = range(LADDER.known + 1, LADDER.target + 3)
    for bits, system in facts.seals[-1]["mixtures"]["r0/self"].items():
        table = probabilities(world, system)
        known = sum(table[length - 1] for length in lengths) / len(lengths)
        assert facts.mixed[0, "ladder", bits].score == pytest.approx(known, abs=0.1)


def test_a_pass_that_was_interrupted_asks_no_mixture_twice(tmp_path: Path) -> None:
    world = finished(tmp_path)
    facts = sealed(world)
    before, asked = world.log.size, len(sent(world))  # type: ignore[attr-defined]
    score_sealed(world, facts, facts.seals[-1], 1)
    assert (world.log.size, len(sent(world))) == (before, asked)  # type: ignore[attr-defined]


def test_a_mixture_that_is_silent_moves_no_score_of_an_arm(tmp_path: Path) -> None:
    world = finished(tmp_path)
    facts = sealed(world)

    def silenced(event: Any) -> Any:
        data: Mapping[str, Any] = event.data
        if event.kind != "scores" or not data["role"].startswith("mixture:0"):
            return event
        rest = {"values": [None] * 2 + data["values"][2:], "status": {"0": "no answer", "1": "quarantined: seen"}}
        return replace(event, data={**data, **rest})

    quiet = reduce(map(silenced, world.log.events()))
    assert quiet.sealed == facts.sealed
    assert quiet.mixed != facts.mixed


def tagged(system: Any) -> dict[str, Any]:
    near = {"right": system["right"][:6], "mark": system["mark"]}
    return {"near": near, "far": {"right": system["right"][6:], "mark": system["mark"]}}


def tagging(parts: Mapping[str, Any]) -> dict[str, Any]:
    """A system that knows when its parts come from two others."""
    near, far = parts["near"], parts["far"]
    odd = {} if near["mark"] == far["mark"] else {"odd": True}
    return {"right": [*near["right"], *far["right"]], "mark": far["mark"], **odd}


def test_a_mixture_that_cannot_run_has_no_score_and_is_no_failure_of_the_run(tmp_path: Path) -> None:
    def answer(system: Any, inputs: Any, budget: Any, rng: Any) -> Any:
        if "odd" in system:
            raise RuntimeError("the parts do not run together")
        return LADDER.loop().answer(system, inputs, budget, rng)

    loop = replace(LADDER.loop(), answer=answer, separable=Separable(("near", "far"), tagged, tagging))
    facts = sealed(finished(tmp_path, loop))
    assert {bits: facts.mixed[0, "ladder", bits].score is None for bits in ALL} == {
        "00": False, "01": True, "10": True, "11": False,
    }  # fmt: skip
    assert "the parts do not run together" in facts.inseparable[0]
    assert facts.runs["r0/self"].failures == []


def unlike(system: Any) -> dict[str, Any]:
    return {"near": system["right"][:6], "far": system["right"][6:]}


def broken(parts: Mapping[str, Any]) -> Any:
    raise RuntimeError("these parts do not fit")


@pytest.mark.parametrize(
    ("separable", "why"),
    [
        (Separable(("near", "far"), LADDER.split, broken), "these parts do not fit"),
        (Separable(("near", "further"), LADDER.split, LADDER.join), "expected ['further', 'near']"),
        (Separable(("near", "far"), unlike, lambda parts: {"right": [*parts["near"], *parts["far"]]}), "to the byte"),
    ],
)
def test_a_system_that_does_not_come_apart_is_said_to_be_one_piece(
    tmp_path: Path, separable: Separable, why: str
) -> None:
    world = finished(tmp_path, replace(LADDER.loop(), separable=separable))
    facts = sealed(world)
    assert facts.seals[-1]["mixtures"] == {}
    assert why in facts.seals[-1]["not_separable"]["r0/self"]
    assert facts.mixed == {}
    assert facts.sealed_score(0, "self", "ladder") is not None


@pytest.mark.parametrize("separable", [None, Separable(("near", "far"), LADDER.split, LADDER.join)])
def test_nothing_is_mixed_where_nothing_changed_or_nothing_comes_apart(
    tmp_path: Path, separable: Separable | None
) -> None:
    loop = Ladder(target=7, own=60, gain=0.0).loop() if separable else LADDER.loop()
    facts = sealed(finished(tmp_path, replace(loop, separable=separable)))
    seal = facts.seals[-1]
    assert (seal["mixtures"], seal["not_separable"], facts.mixed) == ({}, {}, {})


@pytest.mark.parametrize("names", [("one",), ("a", "b", "c", "d", "e"), ("a", "a"), ("A", "b"), ("a b", "c")])
def test_parts_need_two_to_four_plain_names(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="separable parts"):
        Separable(names, LADDER.split, LADDER.join)
