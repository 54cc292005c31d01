"""What is measured: axes that are refused when they could not work, and scores that are there or not there."""

import math

import pytest

from netgain.errors import ConfigError
from netgain.generators import Strings
from netgain.metric import METRICS, Metric
from netgain.suite import KINDS, Bank, Generated, Suite, axis, score_all

ITEMS = [{"input": str(number), "target": number} for number in range(4)]


def doubled(seed, index):
    return [seed, index], 2 * index


class Flaky:
    """A rule that raises at its first calls on each output."""

    def __init__(self, failures):
        self.failures, self.calls = failures, 0

    def __call__(self, output, target):
        self.calls += 1
        if self.calls <= self.failures:
            raise TimeoutError("grader is busy")
        return 1.0


def test_scores_stand_in_item_order():
    assert score_all(METRICS["exact"], [0, 9, 2, 9], ITEMS) == ([1.0, 0.0, 1.0, 0.0], {})


def test_what_a_rule_cannot_score_is_none_with_a_reason_and_no_number():
    odd = {0: math.nan, 1: math.inf, 2: 1.5}
    rule = Metric("odd", lambda output, target: odd.get(target, 0.25))
    values, status = score_all(rule, [0, 0, 0, 0], ITEMS)
    assert values == [None, None, None, 0.25]
    assert set(status) == {"0", "1", "2"}
    assert "nan" in status["0"] and "inf" in status["1"] and "1.5" in status["2"]


def test_a_rule_that_raises_once_is_asked_again():
    rule = Flaky(failures=1)
    assert score_all(Metric("flaky", rule), ["a"], ITEMS[:1]) == ([1.0], {})
    assert rule.calls == 2


def test_a_rule_that_raises_twice_leaves_the_item_without_a_score():
    rule = Flaky(failures=2)
    values, status = score_all(Metric("flaky", rule), ["a"], ITEMS[:1])
    assert values == [None]
    assert "grader is busy" in status["0"]
    assert rule.calls == 2


def test_an_answer_that_is_not_there_is_not_scored():
    generous = Metric("generous", lambda output, target: 1.0)
    assert score_all(generous, [None], ITEMS[:1]) == ([None], {"0": "no answer"})


def test_outputs_and_items_of_different_number_are_refused():
    with pytest.raises(ValueError, match="zip"):
        score_all(METRICS["exact"], [1], ITEMS)


def test_an_axis_is_made_from_a_list_a_function_or_a_declared_source():
    assert isinstance(axis("a", ITEMS).source, Bank)
    assert isinstance(axis("a", doubled).source, Generated)
    strings = Strings("copy", (2,))
    assert axis("a", strings).source is strings
    assert axis("a", ITEMS).metric is METRICS["exact"]


def test_a_generated_item_is_a_function_of_seed_and_index():
    source = Generated(doubled)
    assert source.draw("ff" * 32, 3) == {"input": [(1 << 63) - 1, 3], "target": 6}
    assert source.draw("00" * 32, 3)["input"] == [0, 3]


def test_axes_of_equal_sources_share_a_key_and_others_do_not():
    one, same = axis("a", Strings("copy", (2,))), axis("b", Strings("copy", (2,)), "brier")
    assert one.source_key == same.source_key
    assert one.source_key != axis("a", Strings("copy", (3,))).source_key
    assert axis("a", ITEMS).source_key != axis("a", ITEMS[:3]).source_key


def test_code_of_a_generator_is_part_of_the_suite():
    other = Generated(lambda seed, index: (seed, 3 * index)).spec()
    assert Generated(lambda seed, index: (seed, 4 * index)).spec()["code"] != other["code"]


def test_a_suite_names_its_axes_once_and_has_one():
    one = axis("a", doubled, gate_items=2)
    for axes in ([], [one, one]):
        with pytest.raises(ConfigError, match="axes"):
            Suite(axes)


@pytest.mark.parametrize("source", [doubled, ITEMS, Strings("copy", (2,))], ids=["generated", "bank", "strings"])
def test_a_gate_axis_without_pairs_is_refused(source):
    with pytest.raises(ConfigError, match="gate items"):
        Suite([axis("a", source, gate_items=1)])


def test_a_guard_that_no_pair_could_answer_is_refused():
    with pytest.raises(ConfigError, match="'b' has 0 gate items"):
        Suite([axis("a", doubled, gate_items=2), axis("b", doubled, guard=True)])


def test_an_unknown_kind_of_axis_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        axis("a", doubled, kind="siblings")
    assert all(kind in str(error.value) for kind in KINDS)


@pytest.mark.parametrize("shares", [{"gate": 0.7, "sealed": 0.4}, {"seal": 0.5}, {"gate": -0.1}, {"anchor": 1}])
def test_shares_of_a_bank_name_splits_and_fit_into_it(shares):
    with pytest.raises(ConfigError, match="bank"):
        Bank(ITEMS, shares)


def test_an_unknown_axis_is_an_error_that_lists_the_known_ones():
    suite = Suite([axis("a", doubled, gate_items=2), axis("b", doubled)])
    assert suite["b"].name == "b"
    with pytest.raises(ConfigError, match="axes are a, b"):
        suite["c"]


def test_the_first_axis_decides_and_guards_are_those_that_say_so():
    suite = Suite([axis("a", doubled, gate_items=2), axis("b", doubled, gate_items=2, guard=True), axis("c", doubled)])
    assert suite.gate_axis.name == "a"
    assert [one.name for one in suite.guards] == ["b"]


def test_a_change_of_margin_or_items_is_a_change_of_the_suite():
    one = Suite([axis("a", doubled, gate_items=2)])
    assert one.spec() == Suite([axis("a", doubled, gate_items=2)]).spec()
    assert one.spec() != Suite([axis("a", doubled, gate_items=2, margin=0.06)]).spec()
    assert one.spec() != Suite([axis("a", doubled, gate_items=2)], dev_items=1).spec()
