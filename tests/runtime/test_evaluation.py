"""Systems are asked inputs and get scores, or no score with a reason; never a number for what failed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netgain.evaluation import Asking, Sheet, Under, averaged, evaluate
from netgain.items import Block, fingerprint
from netgain.jobs import Jobs
from netgain.records import Change
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.suite import Axis, axis
from netgain.testing.inprocess import InProcess
from netgain.wire import pack

ASKING = Asking(0, "1f")


def answer(system: Any, inputs: Any, budget: Any, rng: Any) -> list[Any]:
    budget.spend(tokens=len(inputs))
    if system == "mute":
        raise RuntimeError("no words")
    return [None if system == "silent on b" and one == "b" else f"{system} {one}" for one in inputs]


class Bench:
    """Four systems, an executor in this process, and what was sent to it."""

    def __init__(self, folder: Path) -> None:
        loop = Loop(lambda rng: "start", lambda view: Change([]), answer, sampled=answer)
        self.executor, self.store = InProcess(loop), ObjectStore(folder)
        self.jobs = Jobs(self.executor, self.store)

    def system(self, name: str) -> str:
        return self.store.put(pack(name))

    def evaluate(
        self, axes: list[Axis], questions: list[str], asking: Asking = ASKING, **roles: str
    ) -> tuple[dict[tuple[str, str], Sheet], Any, list[str]]:
        """Sheets by axis and role."""
        blocks = {one.name: block_of(one, questions) for one in axes}
        systems = {role: self.system(name) for role, name in roles.items()}
        sheets, spend, failures = evaluate(self.jobs, axes, blocks, systems, asking)
        return {(sheet.axis, sheet.role): sheet for sheet in sheets}, spend, failures


def block_of(one: Axis, questions: list[str]) -> Block:
    items = tuple({"input": question, "target": f"good {question}"} for question in questions)
    return Block("report", one.source_key, "r0|k1", 0, items)


def simple(metric: Any = "exact", name: str = "axis", bank: str = "x", **more: Any) -> Axis:
    return axis(name, [{"input": bank, "target": ""}], metric, **more)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_every_system_is_scored_on_every_axis_in_item_order(bench: Bench) -> None:
    axes = [simple(), simple(lambda output, target: 0.5, "half")]
    sheets, _, failures = bench.evaluate(axes, ["a", "b"], working="good", released="bad")
    assert {key: sheet.values for key, sheet in sheets.items()} == {
        ("axis", "working"): (1.0, 1.0), ("axis", "released"): (0.0, 0.0),
        ("half", "working"): (0.5, 0.5), ("half", "released"): (0.5, 0.5),
    }  # fmt: skip
    assert failures == []


def test_a_system_in_two_roles_is_asked_once(bench: Bench) -> None:
    sheets, spend, _ = bench.evaluate([simple()], ["a", "b"], working="good", released="good", anchor="good")
    assert len(bench.executor.sent) == 1
    assert spend["tokens"] == 2.0
    assert len({sheet.outputs for sheet in sheets.values()}) == 1
    assert {role for _, role in sheets} == {"working", "released", "anchor"}


def test_axes_of_one_source_are_asked_together_and_others_beside_them(bench: Bench) -> None:
    one, same = simple(), simple(lambda output, target: 1.0, "same")
    other = simple(name="other", bank="y")
    blocks = {"axis": block_of(one, ["a"]), "same": block_of(same, ["a", "b", "c"]), "other": block_of(other, ["d"])}
    sheets, spend, _ = evaluate(bench.jobs, [one, same, other], blocks, {"working": bench.system("good")}, ASKING)
    assert [len(sheet.values) for sheet in sheets] == [1, 3, 1]
    assert {value for sheet in sheets for value in sheet.values} == {1.0}
    assert [task["inputs"] for task in bench.executor.sent] == [["a", "b", "c", "d"]]
    assert spend["tokens"] == 4.0


def test_no_target_and_no_role_crosses_the_wall(bench: Bench) -> None:
    bench.evaluate([simple()], ["a"], candidate="good", released="bad")
    crossed = repr(bench.executor.sent)
    assert not any(word in crossed for word in ("target", "good a", "candidate", "released", "gate", "axis"))


def test_the_order_in_which_systems_are_asked_does_not_follow_their_roles(bench: Bench) -> None:
    orders = set()
    for seed in "123456789":
        bench.executor.sent.clear()
        bench.evaluate([simple()], ["a"], Asking(0, seed), candidate="good", released="bad")
        orders.add(tuple(task["system"]["digest"] for task in bench.executor.sent))
    assert len(orders) == 2


def test_a_system_that_cannot_answer_has_no_scores_and_says_why(bench: Bench) -> None:
    always = simple(lambda output, target: 1.0, "always")  # a rule that would score anything
    sheets, spend, failures = bench.evaluate([always], ["a", "b"], candidate="mute", released="good")
    assert sheets["always", "candidate"].values == (None, None)
    assert sheets["always", "candidate"].status == {"0": "no answer", "1": "no answer"}
    assert sheets["always", "released"].values == (1.0, 1.0)
    assert len(failures) == 1 and "RuntimeError" in failures[0] and "no words" in failures[0]
    assert spend["tokens"] is None  # what the failed answer cost is not known, so the sum is not


def test_a_missing_answer_is_no_score_and_the_others_are(bench: Bench) -> None:
    sheets, _, failures = bench.evaluate([simple(lambda output, target: 1.0)], ["a", "b", "c"], working="silent on b")
    (sheet,) = sheets.values()
    assert sheet.values == (1.0, None, 1.0)
    assert sheet.status == {"1": "no answer"}
    assert failures == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.5, -0.1, "high", None])
def test_a_scorer_that_gives_no_number_from_0_to_1_gives_no_score(bench: Bench, value: Any) -> None:
    sheets, _, _ = bench.evaluate([simple(lambda output, target: value)], ["a", "b"], working="good")
    (sheet,) = sheets.values()
    assert sheet.values == (None, None)
    assert all(repr(value) in why or "TypeError" in why or "ValueError" in why for why in sheet.status.values())


def test_a_scorer_that_raises_gives_no_score_and_is_asked_twice(bench: Bench) -> None:
    calls = []

    def broken(output: Any, target: Any) -> float:
        calls.append(output)
        raise KeyError("confidence")

    sheets, _, _ = bench.evaluate([simple(broken)], ["a", "b"], working="good")
    (sheet,) = sheets.values()
    assert sheet.values == (None, None)
    assert all("KeyError" in why for why in sheet.status.values())
    assert calls == ["good a", "good a", "good b", "good b"]


def test_a_question_that_the_run_trained_on_has_no_score(bench: Bench) -> None:
    asking = replace(ASKING, trained_on=frozenset({fingerprint("b")}))
    sheets, _, _ = bench.evaluate([simple(), simple(name="known", overlap=True)], ["a", "b"], asking, working="good")
    assert sheets["axis", "working"].values == (1.0, None)
    assert sheets["axis", "working"].status["1"].startswith("quarantined")
    assert sheets["known", "working"].values == (1.0, 1.0)  # an axis on which overlap is allowed, and said


def test_several_tries_are_asked_of_the_function_that_picks_one(bench: Bench) -> None:
    bench.evaluate([simple()], ["a"], replace(ASKING, tries=8), working="good")
    (task,) = bench.executor.sent
    assert (task["sampled"], task["budget"]["tries"]) == (True, 8)
    bench.evaluate([simple()], ["a"], working="good")
    assert (bench.executor.sent[1]["sampled"], bench.executor.sent[1]["budget"]["tries"]) == (False, 1)


def test_a_sheet_goes_on_with_the_next_block(bench: Bench) -> None:
    first, _, _ = bench.evaluate([simple()], ["a"], working="good")
    later, _, _ = bench.evaluate([simple()], ["b", "c"], working="silent on b")
    both = first["axis", "working"].then(later["axis", "working"])
    assert both.values == (1.0, None, 0.0)
    assert both.status == {"1": "no answer"}
    assert [item["input"] for item in both.block.items] == ["a", "b", "c"]
    assert both.outputs not in (first["axis", "working"].outputs, later["axis", "working"].outputs)
    assert both.record(3, Under("c" * 64))["items"] == both.block.digest


def test_draws_are_averaged_and_one_without_a_score_leaves_the_item_without() -> None:
    block = Block("gate", "source", "key", 0, tuple({"input": n, "target": n} for n in range(3)))
    first = Sheet("echo", "candidate", "s", block, (1.0, 0.0, 1.0), {}, "a")
    second = Sheet("echo", "candidate", "s", block, (0.0, 0.0, None), {"2": "no answer"}, "b")
    found = averaged([first, second])
    assert (found.values, found.status) == ((0.5, 0.0, None), {"2": "no answer"})
    assert averaged([first]) == first
    assert found.outputs not in (first.outputs, second.outputs)
