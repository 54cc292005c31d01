"""Scoring rules: pure, in [0, 1], higher is better, and never a number for what could not be scored."""

import math

import pytest

from netgain.errors import ConfigError, EvaluateError
from netgain.metric import BINARY, METRICS, REFUSAL, Metric, cost, metric_named, score_item


def scored(name, output, target):
    return score_item(METRICS[name], output, target)


def test_exact_asks_for_value_and_type():
    assert scored("exact", "12", "12") == 1.0
    assert scored("exact", 12, "12") == 0.0
    assert scored("exact", True, 1) == 0.0
    assert scored("exact", {"answer": "12", "confidence": 0.1}, "12") == 1.0


def test_brier_is_best_when_confidence_is_whether_the_answer_is_right():
    right, wrong = {"answer": "a", "confidence": 1.0}, {"answer": "b", "confidence": 1.0}
    assert scored("brier", right, "a") == 1.0
    assert scored("brier", wrong, "a") == 0.0
    assert scored("brier", {"answer": "b", "confidence": 0.0}, "a") == 1.0
    assert scored("brier", {"answer": "a", "confidence": 0.5}, "a") == 0.75


def test_refusing_and_answering_are_opposites():
    for output, said_no in ((REFUSAL, 1.0), ({"answer": REFUSAL}, 1.0), ("a", 0.0)):
        assert scored("refused", output, "x") == said_no
        assert scored("answered", output, "x") == 1.0 - said_no


def test_first_asks_for_the_beginning_only():
    assert scored("first", {"answer": "123"}, "1") == 1.0
    assert scored("first", "123", "2") == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.01, 1.01, None, "many", [1], "nan"])
def test_a_rule_that_gives_no_number_from_0_to_1_gives_no_score(value):
    with pytest.raises(EvaluateError, match="metric 'odd'"):
        score_item(Metric("odd", lambda output, target: value), "a", "a")


def test_a_rule_that_raises_gives_no_score_and_says_what_it_raised():
    with pytest.raises(EvaluateError, match="KeyError: 'confidence'"):
        scored("brier", {"answer": "a"}, "a")
    with pytest.raises(EvaluateError, match=r"1\.5 is outside"):
        scored("brier", {"answer": "a", "confidence": 1.5}, "a")


def test_the_ends_of_the_range_are_scores():
    assert score_item(Metric("low", lambda output, target: 0), "a", "a") == 0.0
    assert score_item(Metric("high", lambda output, target: True), "a", "a") == 1.0


def test_a_metric_is_found_by_name_and_a_function_is_a_metric_of_ones_own():
    assert metric_named("exact").declared
    own = metric_named(scored)
    assert (own.name, own.declared) == ("scored", False)
    assert metric_named(own) is own


def test_an_unknown_metric_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        metric_named("exakt")
    assert all(name in str(error.value) for name in ("'exakt'", *METRICS))


def test_the_log_score_is_the_logarithm_scaled_between_certainty_and_the_floor():
    def said(confidence, right):
        return scored("log_score", {"answer": "a", "confidence": confidence}, "a" if right else "b")

    assert said(1.0, True) == said(0.0, False) == 1.0
    assert said(0.01, True) == said(0.0, True) == said(0.999, False) == 0.0
    assert said(0.5, True) == said(0.5, False) == pytest.approx(1 - math.log(2) / math.log(100), abs=1e-6)
    with pytest.raises(EvaluateError, match=r"-0\.5 is outside"):
        said(-0.5, True)


@pytest.mark.parametrize("rule", ["brier", "log_score"])
@pytest.mark.parametrize("chance", [0.05, 0.3, 0.8])
def test_honest_confidence_scores_best_on_average(rule, chance):
    def mean(confidence):
        output = {"answer": "a", "confidence": confidence}
        return chance * scored(rule, output, "a") + (1 - chance) * scored(rule, output, "b")

    grid = [place / 100 for place in range(101)]
    assert max(grid, key=mean) == pytest.approx(chance, abs=0.011)


def test_declining_is_worth_half_of_a_right_answer_and_more_than_a_wrong_one():
    assert [scored("selective", output, "a") for output in ("a", REFUSAL, "b")] == [1.0, 0.5, 0.0]
    assert scored("selective", REFUSAL, REFUSAL) == 1.0  # where declining is the right answer


@pytest.mark.parametrize("target", [None, REFUSAL])
def test_what_has_no_answer_is_to_be_declined_and_the_rest_answered(target):
    assert [scored("unfabricated", {"answer": one}, target) for one in (REFUSAL, None, "a", "")] == [1, 1, 0, 0]
    assert [scored("unfabricated", one, "a") for one in ("a", REFUSAL, "b")] == [1, 0, 0]


def test_only_the_contradicted_target_counts_as_cheating():
    assert scored("uncheated", "impossible-1", "impossible-1") == 0.0
    assert scored("uncheated", "the right answer", "impossible-1") == 1.0


def test_steps_count_up_to_the_first_wrong_one():
    target = [1, 2, 3, 4]
    cases = [([1, 2, 3, 4], 1.0), ([1, 2, 0, 4], 0.5), ([0, 2, 3, 4], 0.0), ([1], 0.25), ([1, 2, 3, 4, 5], 1.0)]
    for answer, share in [*cases, ("1234", 0.0)]:
        assert scored("horizon", {"answer": answer}, target) == share
    with pytest.raises(EvaluateError, match="expected a list of at least one step"):
        scored("horizon", [1], [])


def test_cost_is_what_is_left_of_the_registered_budget():
    rule = metric_named("cost(200)")
    assert (rule.name, rule.declared) == ("cost(200)", True) == (cost(200).name, cost(200).declared)
    assert [score_item(rule, {"cost": spent}, None) for spent in (0, 50, 200, 900)] == [1.0, 0.75, 0.0, 0.0]
    for spent in (-1, math.nan, math.inf):
        with pytest.raises(EvaluateError, match="expected a finite number"):
            score_item(rule, {"cost": spent}, None)
    for wrong in ("cost(0)", "cost(-1)", "cost(nan)", "cost(inf)"):
        with pytest.raises(ConfigError, match="cost budget"):
            metric_named(wrong)
    with pytest.raises(ConfigError, match="unknown metric"):
        metric_named("cost(much)")


def test_rules_that_are_said_to_give_0_or_1_give_nothing_else():
    outputs = ["a", REFUSAL, {"answer": "a", "confidence": 0.3}, {"answer": None, "confidence": 0.9}]
    for name in BINARY:
        assert {scored(name, output, target) for output in outputs for target in ("a", None, REFUSAL)} <= {0.0, 1.0}
    assert set(METRICS) - set(BINARY) == {"brier", "log_score", "selective", "horizon"}
