"""Scoring rules: pure, in [0, 1], higher is better, and never a number for what could not be scored."""

import math

import pytest

from netgain.errors import ConfigError, EvaluateError
from netgain.metric import METRICS, REFUSAL, Metric, metric_named, score_item


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
