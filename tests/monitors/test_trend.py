"""Trends: exact under exchangeability at every round; forecast by Theil and Sen; against scipy and brute force."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import kendalltau, theilslopes

from netgain.monitors import MONITORS
from netgain.monitors.trend import log_trend, logit, mann_kendall, rounds_until, theil_sen


def test_evidence_has_mean_one_over_all_orders_and_stops():
    """The whole law: over all 720 orders of six values E averages 1, and crosses 20 in at most a twentieth."""
    paths = log_trend(np.array(list(itertools.permutations(range(6))), dtype=float))
    assert np.exp(paths).mean(axis=0) == pytest.approx(np.ones(6))
    assert (paths.max(axis=1) >= math.log(20)).mean() <= 0.05


def test_five_falling_values_alarm_and_four_do_not():
    assert log_trend([5.0, 4.0, 3.0, 2.0])[-1] < math.log(20) <= log_trend([5.0, 4.0, 3.0, 2.0, 1.0])[-1]
    assert log_trend([1.0, 2.0, 3.0, 4.0, 5.0], falling=False)[-1] >= math.log(20)


def test_ties_count_against_a_trend():
    assert (log_trend([1.0] * 8)[1:] < 0.0).all()
    assert mann_kendall([1.0] * 5) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_mann_kendall_is_scipys_exact_test(seed):
    x = np.random.default_rng(seed).standard_normal(9)
    theirs = kendalltau(np.arange(9), x, method="exact", alternative="less").pvalue
    assert mann_kendall(x) == pytest.approx(theirs, rel=1e-9)
    assert mann_kendall(-x, falling=False) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_line_is_scipys(seed):
    rng = np.random.default_rng(seed)
    t, x = np.array([0, 1, 3, 4, 7, 8]), rng.standard_normal(6)
    found = theilslopes(x, t)
    assert theil_sen(t, x) == pytest.approx((found.slope, found.intercept))


def test_rounds_until_a_threshold():
    assert rounds_until([0, 1, 2], [0.9, 0.8, 0.7], 0.5) == pytest.approx(2.0)
    assert rounds_until([0, 1, 2], [0.9, 0.8, 0.7], 0.85) == 0.0
    assert rounds_until([0, 1], [0.9, 0.9], 0.5) is None
    assert rounds_until([3], [0.9], 0.5) is None
    with pytest.raises(ValueError, match="at least one"):
        theil_sen([], [])


def test_errors_that_grow_by_a_factor_are_seen_earlier_on_the_logit_scale():
    history = [{"round": r, "audit": 1.0 - 0.01 * 1.4**r} for r in range(12)]
    first = {}
    for scale in ("plain", "logit"):
        made = MONITORS["trend"](reads="audit", threshold=0.75, scale=scale)
        first[scale] = next(r for r in range(12) if made.look(history[: r + 1]).alarm)
    assert first["logit"] < first["plain"]
    damage = next(r for r in range(12) if history[r]["audit"] < 0.75)
    assert damage - first["logit"] >= 2
    signal = MONITORS["trend"](reads="audit", threshold=0.75, scale="logit").look(history[:7])
    assert signal.numbers["rounds_until"] == pytest.approx(damage - 6, abs=1.0)
    assert signal.numbers["slope"] < 0.0


def test_logits_need_something_between_the_ends():
    assert logit({"hits": 100, "asked": 100}) == pytest.approx(math.log(201))
    with pytest.raises(ValueError, match="no logit"):
        logit(1.0)


def test_a_trend_far_from_its_threshold_is_no_alarm_and_neither_is_noise_below_it():
    falling = [{"round": r, "x": 0.9 - 0.001 * r} for r in range(10)]
    assert MONITORS["trend"](reads="x", threshold=0.5).look(falling).alarm is False
    flat = [{"round": r, "x": 0.4 + 0.01 * (r % 2)} for r in range(10)]
    signal = MONITORS["trend"](reads="x", threshold=0.5).look(flat)
    assert signal.alarm is False and "log E" in signal.reason


@pytest.mark.nightly
def test_null_histories_alarm_at_their_level_at_most():
    x = np.random.default_rng(1).standard_normal((20_000, 60))
    assert (log_trend(x).max(axis=1) >= math.log(20)).mean() <= 0.05


def test_a_random_walk_is_not_covered():
    """The documented limit: walking without drift is no trend, and alarms far too often."""
    walks = np.random.default_rng(2).standard_normal((500, 30)).cumsum(axis=1)
    assert (log_trend(walks).max(axis=1) >= math.log(20)).mean() > 0.2
