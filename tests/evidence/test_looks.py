"""The exact looks of the claim analysis: levels, words, interval, missing starts, against enumeration and scipy."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from netgain.evidence.looks import (
    Looks,
    binomial_at_least,
    binomial_at_most,
    chances,
    default_looks,
    derived_looks,
    hidden_failure_share,
    log_e_share,
    open_looks,
    planned_looks,
    share_lower_bound,
    typical_start,
    words,
)


def test_default_design_has_the_registered_level_and_confidence():
    looks = default_looks()
    assert looks.levels == pytest.approx((0.0354, 0.0354), abs=5e-5)
    assert looks.confidence == pytest.approx(0.929, abs=5e-4)


def test_chances_equal_the_enumeration_of_all_paths():
    """Dumb twin: all 4096 sequences of twelve starts, each judged look by look."""
    looks, p = default_looks(), 0.7
    paths = np.array(list(itertools.product([0, 1], repeat=12)))
    weight = p ** paths.sum(axis=1) * (1.0 - p) ** (12 - paths.sum(axis=1))
    word = words(paths, paths, looks)
    odds = chances(looks, p)
    assert odds.supported == pytest.approx(weight[word == 1].sum(), abs=1e-12)
    assert odds.refuted == pytest.approx(weight[word == -1].sum(), abs=1e-12)
    assert odds.supported + odds.refuted + odds.inconclusive == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("sizes", "support", "level", "powers"),
    [
        ((5,), (5,), 0.031, (0.33, 0.59, 0.77)),
        ((6,), (6,), 0.016, (0.26, 0.53, 0.74)),
        ((6, 9, 12), (6, 8, 10), 0.0354, (0.61, 0.91, 0.98)),
        ((5, 10, 15), (5, 10, 13), 0.0332, (0.50, 0.86, 0.97)),
        ((8, 12, 16), (7, 11, 13), 0.0399, (0.68, 0.95, 1.00)),
    ],
)
def test_schedules_of_the_method_table(sizes, support, level, powers):
    """method.md section 0, "Looking again"; 8, 12, 16 reaches .995 where the table rounds to 1.00."""
    looks = planned_looks(sizes, support)
    assert looks.levels[0] == pytest.approx(level, abs=5e-4)
    for share, power in zip((0.8, 0.9, 0.95), powers, strict=True):
        assert chances(looks, share).supported == pytest.approx(power, abs=5.5e-3)


def test_derived_looks_give_the_default_and_hold_for_other_shares():
    assert derived_looks((6, 9, 12)) == default_looks()
    for share in (0.3, 0.8):
        assert max(derived_looks((10, 15, 20), share=share).levels) <= 0.05


def test_open_looks_hold_their_level_and_match_the_quoted_values():
    assert math.exp(log_e_share(5, 5)) == pytest.approx(21.25)
    looks = open_looks(200)
    assert looks.support[4] == 5
    assert (looks.support[10], looks.support[11]) == (11, 11)
    assert looks.levels[0] == pytest.approx(0.04, abs=1.5e-3)
    assert looks.levels[0] == pytest.approx(looks.levels[1])


@pytest.mark.parametrize(("k", "n", "q"), [(5, 5, 0.5), (7, 9, 0.5), (3, 12, 0.2), (0, 4, 0.7)])
def test_open_e_value_equals_numerical_integration(k, n, q):
    integral, _ = integrate.quad(lambda p: p**k * (1.0 - p) ** (n - k), q, 1.0)
    expected = 0.5 * integral / ((1.0 - q) * q**k * (1.0 - q) ** (n - k)) + (0.5 * q**-n if k == n else 0.0)
    assert math.exp(log_e_share(k, n, share=q)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("k", "n", "p"), [(0, 6, 0.5), (4, 9, 0.3), (12, 12, 0.9), (7, 12, 0.5)])
def test_binomial_tails_and_bounds_equal_scipy(k, n, p):
    assert binomial_at_least(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), abs=1e-12)
    assert binomial_at_most(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), abs=1e-12)
    exact = stats.binomtest(k, n, alternative="greater").proportion_ci(0.95, method="exact").low
    assert share_lower_bound(k, n) == pytest.approx(exact, abs=1e-9)


def test_quoted_shares_and_hidden_failures():
    assert share_lower_bound(6, 6) == pytest.approx(0.61, abs=5e-3)
    assert share_lower_bound(10, 12) == pytest.approx(0.56, abs=5e-3)
    assert [round(hidden_failure_share(r), 2) for r in (5, 6, 10, 20)] == [0.45, 0.39, 0.26, 0.14]
    assert hidden_failure_share(0) == 1.0


def test_six_clear_starts_are_supported_with_their_range():
    result = typical_start([0.5, 0.6, 0.4, 0.7, 0.55, 0.45], delta=0.3)
    assert (result.word, result.look, result.successes) == ("SUPPORTED", 6, 6)
    assert (result.low, result.high, result.estimate) == (0.4, 0.7, pytest.approx(0.525))
    assert result.next_look is None


@pytest.mark.parametrize(
    ("gains", "word", "look", "next_look"),
    [
        ([0.1] * 6, "REFUTED", 6, None),
        ([0.5] * 5 + [0.1], None, 6, 9),
        ([0.5] * 5 + [0.1] + [0.5] * 3, "SUPPORTED", 9, None),
        ([0.5] * 5 + [0.1] * 2 + [0.5] * 2, None, 9, 12),
        ([0.5] * 5 + [0.1] * 2 + [0.5] * 5, "SUPPORTED", 12, None),
        ([0.5] * 6 + [0.1] * 6, "SUPPORTED", 6, None),
        ([0.5, 0.1] * 6, None, 12, None),
        ([0.5] * 5, None, None, 6),
        ([], None, None, 6),
        ([0.3] * 6, "REFUTED", 6, None),
    ],
)
def test_words_fall_at_the_first_look_that_decides(gains, word, look, next_look):
    """A tie with the claimed effect is no success; between looks nothing is said; later starts cannot undo a word."""
    result = typical_start(gains, delta=0.3)
    assert (result.word, result.look, result.next_look) == (word, look, next_look)
    assert result.reason


def test_interval_uses_the_registered_order_statistics():
    gains = [0.1 * i for i in range(1, 13)]
    nine = typical_start([0.9, 0.1, 0.2, 0.8, 0.3, 0.4, 0.5, 0.6, 0.7], delta=0.45)
    assert (nine.low, nine.high) == (0.2, 0.8)
    twelve = typical_start(gains[::2] + gains[1::2], delta=0.65)
    assert (twelve.low, twelve.high) == (pytest.approx(0.3), pytest.approx(1.0))
    assert twelve.confidence == pytest.approx(0.929, abs=5e-4)


def test_interval_covers_the_median_at_its_confidence():
    """Simulation: studies that stop at their first deciding look about the true median; exact level .9292."""
    rng, covered, studies = np.random.default_rng(8), 0, 2000
    looks = default_looks()
    for gains in rng.exponential(size=(studies, 12)):
        result = typical_start(gains, delta=math.log(2.0), looks=looks)
        covered += result.low <= math.log(2.0) <= result.high
    expected = looks.confidence
    assert abs(covered / studies - expected) <= 3.0 * math.sqrt(expected * (1.0 - expected) / studies)


def test_start_lost_to_infrastructure_counts_against_both_words():
    lost = [True] + [False] * 5
    up = typical_start([math.nan] + [0.5] * 5, delta=0.3, lost=lost)
    down = typical_start([math.nan] + [0.1] * 5, delta=0.3, lost=lost)
    assert (up.word, up.lost, up.low, up.high) == (None, 1, None, None)
    assert down.word is None
    assert up.estimate == 0.5
    nine = typical_start([math.nan] + [0.5] * 8, delta=0.3, lost=[True] + [False] * 8)
    assert (nine.word, nine.look, nine.successes) == ("SUPPORTED", 9, 8)


def test_more_than_one_lost_start_allows_no_look():
    lost = [True, True] + [False] * 10
    result = typical_start([math.nan] * 2 + [0.5] * 10, delta=0.3, lost=lost)
    assert (result.word, result.look) == (None, None)
    assert "no look" in result.reason


def test_failed_control_makes_the_start_a_non_success():
    result = typical_start([-math.inf] + [0.5] * 5, delta=0.3)
    assert (result.word, result.failed_controls, result.low, result.high) == (None, 1, None, 0.5)
    assert typical_start([-math.inf] * 6, delta=0.3).estimate is None


def test_gain_without_a_number_is_refused():
    with pytest.raises(ValueError, match="net gain nan of start 1"):
        typical_start([0.5, math.nan], delta=0.3)
    with pytest.raises(ValueError, match="one shape"):
        typical_start([0.5, 0.4], delta=0.3, lost=[True])


def test_many_studies_at_once_agree_with_one_by_one():
    rng, looks = np.random.default_rng(9), default_looks()
    gains = rng.normal(0.3, 0.1, (300, 12))
    lost = rng.random(gains.shape) < 0.05
    above = gains > 0.3
    word = words(above & ~lost, above | lost, looks)
    names = {1: "SUPPORTED", -1: "REFUTED", 0: None}
    for i in range(len(gains)):
        assert typical_start(gains[i], delta=0.3, looks=looks, lost=lost[i]).word == names[int(word[i])]


@pytest.mark.parametrize(
    ("sizes", "support", "refute"),
    [((6, 6), (6, 6), (0, 0)), ((6,), (6, 7), (0,)), ((), (), ()), ((6,), (3,), (3,)), ((0,), (1,), (0,))],
)
def test_impossible_looks_are_refused(sizes, support, refute):
    with pytest.raises(ValueError, match=r"look|refute"):
        Looks(sizes, support, refute)
