"""What a design can show before anything is spent."""

import pytest

from netgain.evidence.looks import Looks, chances, default_looks, open_looks
from netgain.evidence.power import (
    expected_items,
    needed_share,
    planned_chances,
    refusal,
    smallest_gain,
    smallest_net_gain,
    success_share,
)


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
        lambda: success_share(expected=0.5, delta=0.3, starve=1.5),
    ],
)
def test_impossible_plans_are_refused(call):
    with pytest.raises(ValueError, match="0"):
        call()
