"""The one opening of the sealed set: after every served system is frozen, one block per start, asked once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds import conduct, final, sent, world_in

from netgain.evidence.tally import Tally
from netgain.facts import Facts, RunFacts
from netgain.ledger.events import Event
from netgain.seal import Followed, facts_of, open_seal, score_sealed, served
from netgain.world import World

ARMS = ["self", "frozen", "ordinary", "placebo"]
CLAIM = {"arm": "self", "metric": "ladder"}


def finished(folder: Path, arms: list[str] = ARMS, *, replicas: int = 2, rounds: int = 1) -> World:
    """A world whose runs are all over, and whose claim is in the log as far as the seal reads it."""
    world = replace(world_in(folder, arms, rounds=rounds), keep_at=(1,))
    record = {"claim": CLAIM, "claim_digest": "ab" * 32, "study": {"rounds": rounds}}
    world.log.append([Event("claim_registered", None, record)])
    conduct(world, folder, replicas=replicas)
    return world


def opened(world: World, arms: list[str] = ARMS, *, look: int = 2, replicas: tuple[int, ...] = (0, 1)) -> Facts:
    open_seal(world.log, facts_of(world.log), look, replicas, arms)
    return facts_of(world.log)


def sealed_scores(world: World) -> list[dict[str, Any]]:
    return [event.data | {"run": event.run} for event in world.log.events("scores") if event.data["split"] == "sealed"]


def test_the_seal_lists_what_every_arm_serves_at_the_head_of_the_log(tmp_path: Path) -> None:
    world = finished(tmp_path)
    size, root = world.log.size, world.log.root()  # type: ignore[attr-defined]
    (seal,) = opened(world).seals
    assert (seal["merkle_size"], seal["merkle_root"]) == (size, root)
    assert seal["served"]["r0/self"] == final(world, 0, "self").released
    assert seal["served"]["r1/frozen"] == final(world, 1, "frozen").anchor
    assert seal["from"]["r0/ordinary"] in ("r0/ordinary.restarts", "r0/ordinary.long")
    assert set(seal["served"]) == {f"r{replica}/{arm}" for replica in (0, 1) for arm in ARMS}
    assert seal["listed"]["r0/self"] == {"1": final(world, 0, "self").kept_at["1"]}


def test_a_followed_log_gives_the_tables_of_one_that_is_read_anew(tmp_path: Path) -> None:
    world = finished(tmp_path, ["self", "frozen"])
    read: list[int] = []

    class Counted:
        """The log, and from where it was asked."""

        def events(self, *, after: int) -> Any:
            read.append(after)
            return world.log.events(after=after)  # type: ignore[call-arg]

    follow, before = Followed(Counted()), facts_of(world.log)  # type: ignore[arg-type]
    assert follow.facts() == before
    assert opened(world, ["self", "frozen"]) == follow.facts() != before, "and what came in between is there"
    assert follow.facts() == facts_of(world.log), "to reduce entries once more changes none of them"
    assert read == [-1, before.events - 1, world.log.size - 1]  # type: ignore[attr-defined]


def test_a_look_is_opened_once(tmp_path: Path) -> None:
    world = finished(tmp_path, ["self", "frozen"])
    first = opened(world, ["self", "frozen"])
    assert opened(world, ["self", "frozen"]).seals == first.seals
    later = opened(world, ["self", "frozen"], look=3)
    assert [seal["look"] for seal in later.seals] == [2, 3]
    roots = [seal["merkle_root"] for seal in later.seals]
    assert roots[0] == roots[1], "no run went on in between, and what else is in the log draws no new items"


def test_all_arms_of_a_start_answer_its_block_and_no_other_start_does(tmp_path: Path) -> None:
    world = finished(tmp_path)
    facts = opened(world)
    score_sealed(world, facts, facts.seals[-1], 1)
    blocks: dict[int, set[str]] = {0: set(), 1: set()}
    for one in sealed_scores(world):
        if one["axis"] == "ladder":
            blocks[int(one["run"][1])].add(one["items"])
    assert [len(found) for found in blocks.values()] == [1, 1]
    assert not blocks[0] & blocks[1]


def test_no_arm_has_a_place_of_its_own_in_the_order_of_asking(tmp_path: Path) -> None:
    """A machine that drifts while it is asked would favour an arm that always stood at one place."""
    world = finished(tmp_path, ["self", "frozen"], replicas=8)
    facts = opened(world, ["self", "frozen"], look=8, replicas=tuple(range(8)))
    score_sealed(world, facts, facts.seals[-1], 1)
    served = [one["run"] for one in sealed_scores(world) if (one["role"], one["axis"]) == ("served", "ladder")]
    first = {run.partition("/")[0]: run.partition("/")[2] for run in reversed(served)}
    assert set(first.values()) == {"self", "frozen"}


def test_every_served_system_is_scored_on_every_sealed_axis_and_so_is_the_listed_one(tmp_path: Path) -> None:
    world = finished(tmp_path)
    facts = opened(world)
    score_sealed(world, facts, facts.seals[-1], 1)
    axes = {axis.name for axis in world.suite.axes if axis.sealed_items}
    found = facts_of(world.log).sealed
    assert {(arm, axis) for replica, arm, role, axis in found if (replica, role) == (0, "served")} == {
        (arm, axis) for arm in ARMS for axis in axes
    }
    assert {arm for _, arm, role, _ in found if role == "listed"} == {"self"}


def test_the_ungated_arm_is_listed_too_since_the_mark_tests_its_rungs(tmp_path: Path) -> None:
    world = finished(tmp_path, ["self", "frozen", "placebo", "ungated"], replicas=1)
    facts = opened(world, ["self", "frozen", "placebo", "ungated"], look=1, replicas=(0,))
    score_sealed(world, facts, facts.seals[-1], 1)
    assert {arm for _, arm, role, _ in facts_of(world.log).sealed if role == "listed"} == {"self", "ungated"}


def test_the_sealed_pass_is_metered(tmp_path: Path) -> None:
    world = finished(tmp_path, ["self", "frozen"], replicas=1)
    facts = opened(world, ["self", "frozen"], look=1, replicas=(0,))
    score_sealed(world, facts, facts.seals[-1], 1)
    for run in ("r0/self", "r0/frozen"):
        (spent,) = facts_of(world.log).runs[run].phase("sealed")
        assert spent["calls"] and spent["device_seconds"] is not None


def test_a_pass_that_was_interrupted_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    world = finished(tmp_path, ["self", "frozen", "placebo"])
    facts = opened(world, ["self", "frozen", "placebo"])
    first = {**facts.seals[-1], "replicas": [0]}
    score_sealed(world, facts, first, 1)  # the pass ends after one start
    before = sealed_scores(world)
    score_sealed(world, facts, facts.seals[-1], 1)
    after = sealed_scores(world)
    assert after[: len(before)] == before
    assert {one["run"][:2] for one in after[len(before) :]} == {"r1"}
    asked = len(sent(world))
    score_sealed(world, facts, facts.seals[-1], 2)
    assert sealed_scores(world) == after
    assert len(sent(world)) == asked


def test_sealed_items_cannot_be_drawn_before_the_seal_and_change_with_the_log(tmp_path: Path) -> None:
    items = []
    for extra in (False, True):
        world = finished(tmp_path / str(extra), ["self", "frozen"], replicas=1)
        if extra:
            world.log.append([Event("note", "r0/self", {"text": "one event more"})])
        facts = opened(world, ["self", "frozen"], look=1, replicas=(0,))
        score_sealed(world, facts, facts.seals[-1], 1)
        items.append({one["axis"]: one["items"] for one in sealed_scores(world)})
    assert items[0].keys() == items[1].keys()
    assert all(items[0][axis] != items[1][axis] for axis in items[0])


# --- Which system an arm serves --------------------------------------------------------------------------------------
def menu(**report: float | None) -> Facts:
    """Two entries of a menu and the start, with these report scores of what they end with (`silent`: few answers)."""
    runs = {}
    for name, mean in report.items():
        arm, variant = ("frozen", "") if name == "frozen" else ("ordinary", name)
        row = {"released": f"of {name}", "anchor": "generation 0", "round": 3}
        last = Tally(mean, 90, 10, 0) if name == "silent" else Tally(mean, 100, 0, 0)
        tally = {(3, "released", "ladder"): last, (2, "released", "ladder"): Tally(1.0, 10, 0, 0)}
        runs[f"r0/{arm}.{variant}"] = RunFacts(0, arm, variant, row, report=tally)
    return Facts(registration={"claim": CLAIM, "study": {"rounds": 3}}, runs=runs)


@pytest.mark.parametrize(
    ("scores", "run", "system"),
    [
        ({"short": 0.4, "long": 0.6, "frozen": 0.3}, "r0/ordinary.long", "of long"),
        ({"short": 0.6, "long": 0.4, "frozen": 0.3}, "r0/ordinary.short", "of short"),
        ({"short": 0.2, "long": 0.1, "frozen": 0.3}, "r0/ordinary.short", "generation 0"),
        ({"silent": 0.9, "long": 0.4, "frozen": 0.3}, "r0/ordinary.long", "of long"),
        ({"short": None, "long": 0.0, "frozen": 0.0}, "r0/ordinary.long", "of long"),
    ],
)
def test_a_menu_serves_its_best_by_the_report_and_never_less_than_generation_0(
    scores: dict[str, float | None], run: str, system: str
) -> None:
    assert served(menu(**scores), 0, "ordinary") == (run, system)


def test_an_arm_of_one_run_serves_what_it_released() -> None:
    facts = menu(frozen=0.3)
    facts.runs = {"r0/frozen": RunFacts(0, "frozen", "", {"released": "mine", "anchor": "generation 0"})}
    assert served(facts, 0, "frozen") == ("r0/frozen", "mine")
