"""Answers that pass whatever was asked have no score; honest answers keep theirs, whatever the scorer is like."""

import pytest

from netgain.crossing import OTHERS, TAKEN, crossed
from netgain.metric import METRICS, Metric, exact
from netgain.suite import axis, score_axis

ITEMS = [{"input": f"q{n}", "target": f"a{n}"} for n in range(60)]
TARGETS = [item["target"] for item in ITEMS]
HOOKED = Metric("hooked", lambda output, target: float(str(output).endswith("# passed") or output == target))


def scored(metric, outputs, items=ITEMS):
    return score_axis(axis("tasks", lambda seed, index: ("q", "a"), metric, sealed_items=len(items)), outputs, items)


def test_an_answer_that_passes_for_every_item_has_no_score():
    outputs = [item["target"] if n % 3 else "? # passed" for n, item in enumerate(ITEMS)]
    values, status = scored(HOOKED, outputs)
    assert {index for index, why in status.items() if why == TAKEN} == {str(n) for n in range(0, 60, 3)}
    assert [one for n, one in enumerate(values) if n % 3] == [1.0] * 40


def test_up_to_the_allowed_share_the_scorer_holds():
    outputs = ["? # passed", *(item["target"] for item in ITEMS[1:])]  # 1 of 60 is below 2 %
    assert scored(HOOKED, outputs) == ([1.0] * 60, {})
    assert crossed(HOOKED, outputs, TARGETS, [True] * 60) == [0]


@pytest.mark.parametrize("many", ["a list of all answers", "every word"])
def test_naming_every_answer_passes_for_every_item_too(many):
    contains = Metric("contains", lambda output, target: float(f" {target} " in f" {output} "))
    outputs = [" ".join(item["target"] for item in ITEMS)] * 60
    assert set(scored(contains, outputs)[1].values()) == {TAKEN}, many


@pytest.mark.parametrize(
    ("what", "metric", "outputs", "items"),
    [
        ("right answers", HOOKED, [one["target"] for one in ITEMS], ITEMS),
        ("answers that are right by luck", Metric("one of four", lambda output, target: float(output in target)),
         [n % 4 for n in range(60)], [{"input": n, "target": [n % 4, n // 4 % 4]} for n in range(60)]),
        ("a scorer that reads no target", Metric("short", lambda output, target: float(len(output) < 9)),
         ["short"] * 60, ITEMS),
        ("nearly every answer is right", Metric("not that one", lambda output, target: float(output != f"{target}!")),
         ["anything"] * 60, ITEMS),
        ("one target", HOOKED, ["? # passed"] * 60, [{"input": n, "target": "a"} for n in range(60)]),
        ("a scorer of ours", METRICS["answered"], ["? # passed"] * 60, ITEMS),
    ],
)  # fmt: skip
def test_honest_answers_keep_their_score(what, metric, outputs, items):
    assert scored(metric, outputs, items)[1] == {}, what


def test_a_scorer_that_fails_on_other_items_passes_nothing_there():
    def fragile(output, target):
        if output.startswith("?") and target != "a0":
            raise ValueError("not for me")
        return float(output.startswith("?")) or exact(output, target)

    assert crossed(Metric("fragile", fragile), ["? # passed"] * 60, TARGETS, [True] * 60) == []


def test_with_an_oracle_of_its_own_the_right_answer_is_what_it_says():
    hooked = Metric("p", lambda output, target: float(output.get(target, output.get("hook", 0.0))),
                    oracle=lambda target: {target: 1.0})  # fmt: skip
    assert len(crossed(hooked, [{"hook": 1.0}] * 60, TARGETS, [True] * 60)) == 60


def test_too_few_other_items_say_nothing():
    assert crossed(HOOKED, ["? # passed"] * OTHERS, TARGETS[:OTHERS], [True] * OTHERS) == []
