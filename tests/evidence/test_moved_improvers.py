"""What a moved improver is worth: compared on the same items, unknown where a score is, and on two scales."""

import math

import pytest

from netgain.evidence.transplant import IMPROVERS, NULLS, Moved, accelerations, advantages, moved


def sheet(*values, status=None):
    return {"values": list(values), "status": status or {}}


def worth(**columns):
    """One start: improver -> its mean score, with the logit of it."""
    return {name: [None if one is None else Moved(one, math.log(one / (1 - one)))] for name, one in columns.items()}


ALL = {"last": 0.6, "half": 0.3, "first": 0.2, "drifted": 0.25, "shuffled": 0.1}


def test_the_worth_of_an_improver_is_its_mean_over_foreign_starts_on_both_scales():
    found = moved({("last", 1): sheet(1, 1, 1, 0), ("last", 2): sheet(0, 0, 1, 0)}, {"last": [1, 2]})
    assert found["last"].score == pytest.approx(0.5)
    assert found["last"].logit == pytest.approx((math.log(3.5 / 1.5) + math.log(1.5 / 3.5)) / 2)


def test_right_in_all_or_in_none_has_a_finite_logit():
    found = moved({("last", 1): sheet(1, 1), ("first", 1): sheet(0, 0)}, {"last": [1], "first": [1]})
    assert found["last"].logit == -found["first"].logit == pytest.approx(math.log(5))


def test_improvers_are_compared_on_the_same_items_and_silence_of_the_last_one_is_wrong():
    many = [1.0] * 30
    quiet = {**sheet(*[None, *many]), "status": {"0": "no answer"}}
    seen = {**sheet(*[None, *many]), "status": {"0": "quarantined: seen"}}
    tried = {"last": [1], "first": [1]}
    found = moved({("last", 1): quiet, ("first", 1): sheet(1, *many)}, tried)
    assert (found["last"].score, found["first"].score) == (pytest.approx(30 / 31), 1.0)
    found = moved({("last", 1): sheet(0, *many), ("first", 1): quiet}, tried)
    assert found["last"].score == found["first"].score == 1.0, "what a null left open is left out for all"
    found = moved({("last", 1): sheet(0, *many), ("first", 1): seen}, tried)
    assert found["last"].score == 1.0


@pytest.mark.parametrize(
    "sheets", [{}, {("last", 1): sheet(1, 0)}, {("last", 1): sheet(1, 0), ("last", 2): sheet(None, None)}]
)
def test_an_improver_without_a_score_on_one_of_its_starts_is_unknown(sheets):
    assert moved(sheets, {"last": [1, 2]}) == {}


def test_an_advantage_is_over_the_best_null():
    assert advantages(worth(**ALL), 1) == [pytest.approx(0.6 - 0.25)]
    assert advantages(worth(**{**ALL, "shuffled": 0.7}), 1) == [pytest.approx(-0.1)]


@pytest.mark.parametrize("name", ["last", *NULLS])
def test_an_advantage_with_an_unknown_side_is_no_success(name):
    assert advantages(worth(**{**ALL, name: None}), 1) == [-math.inf]
    assert advantages({key: one for key, one in worth(**ALL).items() if key != name}, 1) == [-math.inf]


def test_growth_is_faster_when_the_second_half_gained_more():
    assert accelerations(worth(**ALL), 1, "score") == [pytest.approx(0.6 - 2 * 0.3 + 0.2)]
    assert accelerations(worth(**{**ALL, "half": 0.55}), 1, "score")[0] < 0, "saturating"
    steady = worth(last=0.6, half=0.4, first=0.2)
    assert accelerations(steady, 1, "score") == [pytest.approx(0.0)]


def test_a_floor_alone_makes_growth_look_faster_on_the_score_scale():
    improvers = worth(last=0.5, half=0.2, first=0.05)
    assert accelerations(improvers, 1, "score")[0] > 0
    assert accelerations(improvers, 1, "logit")[0] < 0


@pytest.mark.parametrize("name", ["last", "half", "first"])
def test_growth_with_an_unknown_point_is_no_success(name):
    assert accelerations(worth(**{**ALL, name: None}), 1, "logit") == [-math.inf]


def test_all_improvers_have_a_name():
    assert set(IMPROVERS) == {"last", "half", *NULLS}
