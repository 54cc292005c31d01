"""What a design can show before anything is spent."""

import math

import numpy as np
import pytest
from scipy import stats

from netgain.evidence.betting import items_to_reach, log_capital
from netgain.evidence.looks import Looks, chances, default_looks, open_looks
from netgain.evidence.power import (
    expected_items,
    items_for_starts,
    items_of_version,
    least_gain,
    least_items,
    mean_chances,
    needed_share,
    planned_chances,
    refusal,
    room_of_looks,
    room_of_mean,
    smallest_effect,
    smallest_gain,
    smallest_net_gain,
    starts_of_looks,
    starts_of_mean,
    success_share,
    version_chances,
)
from netgain.evidence.version import version_gain


@pytest.mark.parametrize(
    ("discordance", "gain", "items"),
    [
        (0.10, 0.02, (2200, 4500, 6500)),
        (0.10, 0.05, (350, 720, 1030)),
        (0.20, 0.02, (4400, 9000, 12_900)),
        (0.48, 0.02, (10_600, 21_600, 31_000)),
        (0.48, 0.05, (1700, 3500, 5000)),
    ],
)
def test_planning_formula_gives_the_table(discordance, gain, items):
    """statistics.md 1.3, printed there to two or three figures: one test, 100 and 5,000 candidates."""
    for candidates, expected in zip((1, 100, 5000), items, strict=True):
        value = expected_items(gain=gain, second_moment=discordance, level=0.05 / candidates)
        assert value == pytest.approx(expected, rel=0.02)


def test_smallest_gain_is_the_inverse_of_the_expected_items():
    gain = smallest_gain(items=1000, second_moment=0.08, level=0.0025)
    assert expected_items(gain=gain, second_moment=0.08, level=0.0025) == pytest.approx(1000.0)


def test_least_gain_is_the_inverse_of_the_least_items():
    assert least_items(gain=least_gain(items=64, level=0.025), level=0.025) == pytest.approx(64.0)
    assert least_gain(items=6, level=0.025) > 0.9, "six pairs find next to nothing"
    assert least_gain(items=2, level=0.025) > 1.0, "two pairs find no gain at all"


@pytest.mark.parametrize("gain", [0.05, 0.1, 0.2])
def test_equal_differences_take_the_least_items_that_no_spread_undercuts(gain):
    """Where pairs are alike the bet stands at its cap from the first pair on, and the second moment says too few."""
    path = log_capital(np.full(200, gain), null=0.0, gain=0.1, planned_second_moment=0.02)
    found, least = items_to_reach(path, math.log(40.0)), least_items(gain=gain, level=0.025)
    assert found == math.ceil(least) > expected_items(gain=gain, second_moment=gain**2, level=0.025)
    spread = np.clip(gain * np.random.default_rng(1).gamma(2.0, 0.5, size=(400, 300)), 0.0, 1.0)
    path = log_capital(spread, null=0.0, gain=0.1, planned_second_moment=0.02)
    assert items_to_reach(path, math.log(40.0)).mean() > least


def test_success_share_counts_starved_starts_and_spread():
    assert success_share(expected=0.55, delta=0.3, starve=0.1) == pytest.approx(0.9)
    assert success_share(expected=0.3, delta=0.3, starve=0.1) == 0.0
    assert success_share(expected=0.3, delta=0.3, spread=0.1) == pytest.approx(0.5)


def test_planned_chances_of_the_default_design():
    """method.md 0: with 0, 5, 10, 20 % starved starts 1.00, .98, .91, .61; 6.0 starts when none starves."""
    supported = [
        planned_chances(default_looks(), expected=0.55, delta=0.3, starve=s).supported for s in (0, 0.05, 0.1, 0.2)
    ]
    assert supported == pytest.approx([1.0, 0.98, 0.91, 0.61], abs=0.006)
    assert planned_chances(default_looks(), expected=0.55, delta=0.3).expected_starts == 6.0


def test_study_that_cannot_answer_is_refused_with_the_reason():
    looks = default_looks()
    assert refusal(looks, 12, expected=0.55, delta=0.3, starve=0.1) is None
    assert "P(SUPPORTED) is 0.61" in str(refusal(looks, 12, expected=0.55, delta=0.3, starve=0.2))
    assert "never reach the first look at 6" in str(refusal(looks, 5, expected=0.55, delta=0.3))
    assert "no outcome" in str(refusal(Looks((2,), (3,), (-1,)), 2, expected=0.5, delta=0.3))
    assert refusal(open_looks(40), 4, expected=0.55, delta=0.3, starve=0.0) is not None


def test_smallest_net_gain_reaches_the_required_power():
    looks = default_looks()
    assert chances(looks, needed_share(looks)).supported == pytest.approx(0.8, abs=1e-6)
    gain = smallest_net_gain(looks, delta=0.3, starve=0.05, spread=0.05)
    assert gain is not None
    assert planned_chances(looks, expected=gain, delta=0.3, starve=0.05, spread=0.05).supported == pytest.approx(0.8)
    assert smallest_net_gain(looks, delta=0.3, starve=0.2, spread=0.05) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: expected_items(gain=0.0, second_moment=0.1, level=0.05),
        lambda: smallest_gain(items=0, second_moment=0.1, level=0.05),
        lambda: least_items(gain=0.0, level=0.05),
        lambda: least_gain(items=0, level=0.05),
        lambda: success_share(expected=0.5, delta=0.3, starve=1.5),
    ],
)
def test_impossible_plans_are_refused(call):
    with pytest.raises(ValueError, match="0"):
        call()


def test_starts_of_looks_are_the_first_that_have_the_power():
    looks = default_looks()
    assert starts_of_looks(looks, 0.99) == 6
    assert starts_of_looks(looks, 0.95) == 9
    assert starts_of_looks(looks, 0.5) is None
    assert starts_of_looks(open_looks(24), 0.95) == 12


def test_power_of_a_mean_is_that_of_t():
    """+2 points at sd 1.5 with 10 starts; the noncentral t of scipy, within the error of 4,000 studies."""
    freedom, shift = 9, 0.02 / 0.015 * math.sqrt(10)
    exact = stats.nct.sf(stats.t.isf(0.05, freedom), freedom, shift)
    found = mean_chances((10,), expected=0.02, delta=0.0, spread=0.015)
    assert found.supported == pytest.approx(exact, abs=0.02)
    weak = mean_chances((10,), expected=0.01, delta=0.0, spread=0.015)
    assert weak.supported == pytest.approx(stats.nct.sf(stats.t.isf(0.05, 9), 9, shift / 2), abs=0.024)
    assert weak.supported + weak.refuted + weak.inconclusive == pytest.approx(1.0)


def test_power_of_a_mean_equals_statsmodels():
    power = pytest.importorskip("statsmodels.stats.power", reason="statsmodels is not installed")
    theirs = power.TTestPower().power(effect_size=0.8, nobs=12, alpha=0.05, alternative="larger")
    assert mean_chances((12,), expected=0.08, delta=0.0, spread=0.1).supported == pytest.approx(theirs, abs=0.024)


def test_starts_of_a_mean_are_looked_for_from_ten_to_twenty():
    assert starts_of_mean(expected=0.04, delta=0.01, spread=0.015) == 10
    assert starts_of_mean(expected=0.02, delta=0.01, spread=0.015) in (15, 16, 17)
    assert starts_of_mean(expected=0.015, delta=0.01, spread=0.05) is None


@pytest.mark.parametrize(("gain", "yes_no"), [(0.06, True), (0.08, False)])
def test_items_of_a_version_are_where_simulated_studies_reach_the_power(gain, yes_no):
    items = items_of_version(gain=gain, second_moment=0.2, level=0.05, yes_no=yes_no)
    rng, delta = np.random.default_rng(3), 0.0 if yes_no else 0.02
    flips = (np.array([0.2 - gain - delta, 0.2 + gain + delta]) / 2).clip(0)
    draws = rng.choice([-1.0, 1.0, 0.0], p=[*flips, 0.8], size=(150, items))
    words = [version_gain((d > 0).astype(float), (d < 0).astype(float), delta=delta).word for d in draws]
    assert 0.70 <= words.count("SUPPORTED") / 150 <= 0.97
    odds = version_chances(items, gain=gain, second_moment=0.2, level=0.05, yes_no=yes_no)
    assert odds.supported == pytest.approx(0.8, abs=0.01)


def test_items_of_a_start_fill_the_room_that_the_spread_leaves():
    room = room_of_looks(default_looks(), expected=0.3, delta=0.2)
    items = items_for_starts(room, spread=0.05, variance=0.2)
    spread = math.hypot(0.05, math.sqrt(0.2 / items))
    odds = planned_chances(default_looks(), expected=0.3, delta=0.2, spread=spread)
    assert odds.supported == pytest.approx(0.8, abs=0.01)
    assert items_for_starts(0.04, spread=0.05, variance=0.2) is None
    means = items_for_starts(room_of_mean(10, expected=0.3, delta=0.2), spread=0.05, variance=0.2)
    assert mean_chances(
        (10,), expected=0.3, delta=0.2, spread=math.hypot(0.05, math.sqrt(0.2 / means))
    ).supported == pytest.approx(0.8, abs=0.05)


def test_the_smallest_effect_by_search_is_the_one_in_closed_form():
    looks, ready = default_looks(), {"delta": 0.3, "starve": 0.05, "spread": 0.05}
    found = smallest_effect(lambda gain: planned_chances(looks, expected=gain, **ready), delta=0.3)
    assert found == pytest.approx(smallest_net_gain(looks, **ready), abs=2e-3)
    assert smallest_effect(lambda gain: planned_chances(looks, expected=gain, delta=0.3, starve=0.5), delta=0.3) is None
