"""Means of net gains: bounds against scipy and against plain enumeration, words, missing starts."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from netgain.evidence.means import (
    exceeds_by_flips,
    mean_gain,
    mean_words,
    sign_flip_lower,
    t_lower,
)

RNG = np.random.default_rng(5)
TEN = [0.05, 0.06, 0.04, 0.05, 0.07, 0.03, 0.05, 0.06, 0.04, 0.05]


def test_the_lower_bound_of_t_equals_scipy():
    d = RNG.normal(0.1, 0.2, size=(5, 12))
    theirs = stats.ttest_1samp(d, 0.0, axis=1, alternative="greater").confidence_interval(0.95).low
    assert t_lower(d, 0.05) == pytest.approx(theirs)


def sign_flip_p(d, m):
    """Dumb twin: every pattern of signs, one after the other."""
    seen = sum(d - m)
    sums = [sum(sign * (one - m) for sign, one in zip(signs, d, strict=True))
            for signs in itertools.product((1, -1), repeat=len(d))]  # fmt: skip
    return sum(one >= seen - 1e-12 for one in sums) / len(sums)


@pytest.mark.parametrize("level", [0.05, 0.01, 0.3])
def test_the_bound_by_sign_flips_is_where_the_test_by_enumeration_turns(level):
    for d in (RNG.normal(0.0, 0.1, 8), RNG.integers(-2, 3, 8) / 10):
        bound = float(sign_flip_lower(d, level))
        assert sign_flip_p(d, bound - 1e-6) <= level < sign_flip_p(d, bound + 1e-6)


def test_the_test_by_sign_flips_equals_scipy():
    d, m = RNG.normal(0.05, 0.1, 10), 0.02
    found = stats.permutation_test(
        (d - m,), np.mean, permutation_type="samples", alternative="greater", n_resamples=np.inf
    )
    assert (float(sign_flip_lower(d, 0.05)) > m) == (found.pvalue <= 0.05)
    assert sign_flip_p(d, m) == pytest.approx(found.pvalue)


def test_too_few_starts_for_a_level_bound_nothing_by_sign_flips():
    assert sign_flip_lower([0.5] * 4, 0.05) == -math.inf
    assert sign_flip_lower([0.5] * 5, 0.05) == 0.5


def test_many_studies_are_bounded_at_once():
    d = RNG.normal(0.0, 0.1, size=(40, 11))
    assert sign_flip_lower(d, 0.05) == pytest.approx([float(sign_flip_lower(row, 0.05)) for row in d])


def test_every_control_has_to_be_beaten_and_one_that_is_not_refutes():
    far = [d + 0.1 for d in TEN]
    assert mean_gain({"a": TEN, "b": far}, delta=0.03, sizes=(10,)).word == "SUPPORTED"
    found = mean_gain({"a": TEN, "b": far}, delta=0.1, sizes=(10,))
    assert (found.word, found.estimate) == ("REFUTED", pytest.approx(0.05))
    assert "`a`" in found.reason
    assert mean_gain({"a": TEN, "b": far}, delta=0.05, sizes=(10,)).word is None


def test_bounds_are_the_weaker_of_both_and_the_upper_ones_pay_for_the_number_of_controls():
    alone = mean_gain({"a": TEN}, delta=0.0, sizes=(10,)).bounds[0]
    three = mean_gain({"a": TEN, "b": TEN, "c": TEN}, delta=0.0, sizes=(10,)).bounds[0]
    assert alone.low == pytest.approx(min(t_lower(TEN, 0.05), sign_flip_lower(TEN, 0.05)))
    assert three.low == alone.low
    assert three.high > alone.high


def test_each_look_has_its_part_of_the_level():
    once, twice = (mean_gain({"a": TEN}, delta=0.2, sizes=sizes) for sizes in ((10,), (10, 12)))
    assert twice.bounds[0].low < once.bounds[0].low
    assert once.confidence == twice.confidence == pytest.approx(0.9)


@pytest.mark.parametrize("kind", ["control", "start"])
def test_a_difference_that_is_not_there_helps_no_word(kind):
    gone = [*TEN[:-1], math.nan]
    lost = [False] * 9 + [kind == "start"]
    high, low = (mean_gain({"a": gone}, delta=delta, sizes=(10,), lost=lost) for delta in (0.01, 0.2))
    assert (high.word, low.word) == (None, None)
    assert high.estimate == pytest.approx(np.mean(TEN[:-1]))
    assert (high.lost, high.failed_controls) == ((0, 1) if kind == "control" else (1, 0))


def test_two_lost_starts_allow_no_look_and_nine_starts_are_too_few():
    assert mean_gain({"a": TEN}, delta=0.0, sizes=(10,), lost=[True, True] + [False] * 8).look is None
    few = mean_gain({"a": TEN[:9]}, delta=0.0, sizes=(10,))
    assert (few.word, few.low, few.next_look) == (None, None, 10)
    assert "too few" in few.reason


@pytest.mark.parametrize("sizes", [(9,), (21,), ()])
def test_looks_outside_ten_to_twenty_are_refused(sizes):
    with pytest.raises(ValueError, match="from 10 to 20"):
        mean_gain({"a": TEN}, delta=0.0, sizes=sizes)


def test_a_column_of_another_shape_or_outside_the_scores_is_refused():
    with pytest.raises(ValueError, match="shape"):
        mean_gain({"a": TEN, "b": TEN[:9]}, delta=0.0, sizes=(10,))
    with pytest.raises(ValueError, match="outside"):
        mean_gain({"a": [*TEN[:-1], 1.5]}, delta=0.0, sizes=(10,))
    with pytest.raises(ValueError, match="no control"):
        mean_gain({}, delta=0.0, sizes=(10,))


@pytest.mark.parametrize("starts", [5, 10, 13])
def test_words_of_many_studies_are_those_of_one_after_the_other(starts):
    """Two ways to the same bound: all subsets listed, and counted by meeting in the middle."""
    d = np.round(RNG.normal(0.05, 0.05, size=(30, 3, starts)), 2)
    flips = exceeds_by_flips(d, 0.03, 0.05)
    assert (flips == (sign_flip_lower(d, 0.05) - 0.03 > 1e-9)).all()
    if starts >= 10:
        words = mean_words(d, delta=0.03)
        each = [mean_gain(dict(zip("abc", study, strict=True)), delta=0.03, sizes=(starts,)).word for study in d]
        assert [{1: "SUPPORTED", -1: "REFUTED", 0: None}[one] for one in words] == each


@pytest.mark.parametrize("level", [0.05, 0.05 / 7])
def test_a_bound_is_the_same_listed_and_counted(level, monkeypatch):
    from netgain.evidence import means

    d = np.round(RNG.normal(0.05, 0.05, size=(10, 12)), 2)
    listed = sign_flip_lower(d, level)
    monkeypatch.setattr(means, "LISTED", 0)
    assert sign_flip_lower(d, level) == pytest.approx(listed, abs=1e-12)
    assert np.isfinite(sign_flip_lower(RNG.normal(size=20), level))
