"""Calibration figures against dumb twins written from the formulas, and against cases known by hand."""

import math

import numpy as np
import pytest

from netgain.evidence.confidence import equal_mass_ece, selective_risk, smooth_ece, stated
from netgain.metric import METRICS, score_item

RNG = np.random.default_rng(11)


def drawn(n, *, off=0.0, digits=3):
    """Confidences in steps of .001, and answers that are right as often as they say, plus `off`."""
    sure = np.round(RNG.uniform(0.0, 1.0, n), digits)
    return sure, (RNG.uniform(size=n) < np.clip(sure + off, 0, 1)).astype(float)


def binned(sure, right, bins):
    """The definition, bin by bin, items of equal confidence averaged first."""
    shared = [np.mean([r for s, r in zip(sure, right, strict=True) if s == one]) for one in sure]
    order = sorted(range(len(sure)), key=lambda i: sure[i])
    total = 0.0
    for b in range(bins):
        own = order[b * len(sure) // bins : (b + 1) * len(sure) // bins]
        total += len(own) / len(sure) * abs(np.mean([shared[i] for i in own]) - np.mean([sure[i] for i in own]))
    return total


@pytest.mark.parametrize("n", [15, 100, 301])
def test_the_binned_error_is_that_of_a_loop_over_bins(n):
    sure, right = drawn(n, digits=2)
    assert equal_mass_ece(sure, right) == pytest.approx(binned(sure, right, 15), abs=1e-12)
    assert equal_mass_ece(sure, right, bins=4) == pytest.approx(binned(sure, right, 4), abs=1e-12)


def test_the_binned_error_of_one_confidence_is_its_distance_and_order_does_not_matter():
    right = np.array([1.0] * 7 + [0.0] * 3)
    for _ in range(5):
        RNG.shuffle(right)
        assert equal_mass_ece(np.full(10, 0.9), right) == pytest.approx(0.2)
    assert equal_mass_ece([0.0, 1.0], [0, 1]) == 0.0
    assert equal_mass_ece([1.0, 0.0], [0, 1]) == 1.0


def smoothed_by_hand(sure, right, width, points=2000):
    """The integral at one width without cells: kernels of all reflections, at the items themselves."""
    t = (np.arange(points) + 0.5) / points
    total = np.zeros(points)
    for one, hit in zip(sure, right, strict=True):
        for image in range(-4, 5):
            for place in (2 * image + one, 2 * image - one):
                total += (hit - one) * np.exp(-0.5 * ((t - place) / width) ** 2) / (width * math.sqrt(2 * math.pi))
    return np.abs(total / len(sure)).mean()


@pytest.mark.parametrize("off", [0.0, 0.15, -0.3])
def test_the_smooth_error_is_the_width_at_which_the_smoothed_error_is_as_large(off):
    sure, right = drawn(120, off=off)
    found = smooth_ece(sure, right)
    assert smoothed_by_hand(sure, right, found) == pytest.approx(found, abs=0.004)  # cells of .01


def test_the_smooth_error_of_one_confidence_is_its_distance():
    right = np.array([1.0] * 60 + [0.0] * 40)
    assert smooth_ece(np.full(100, 0.5), right) == pytest.approx(0.1, abs=0.005)
    assert smooth_ece([0.0, 1.0] * 50, [0, 1] * 50) == pytest.approx(0.0, abs=1e-5)


def test_the_smooth_error_is_small_for_a_calibrated_system_and_grows_with_what_it_is_off():
    found = [smooth_ece(*drawn(4000, off=off)) for off in (0.0, 0.1, 0.3)]
    assert found[0] < 0.03 < found[1] < found[2]


def test_the_risk_is_that_of_the_most_confident():
    sure, right = [0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0]
    for coverage, risk in ((0.25, 0.0), (0.5, 0.0), (0.75, 1 / 3), (1.0, 0.5), (0.01, 0.0)):
        assert selective_risk(sure, right, coverage=coverage) == pytest.approx(risk)
    assert selective_risk([0.5] * 4, right, coverage=0.5) == 0.5  # equally sure: half of them are wrong, whichever
    with pytest.raises(ValueError, match="coverage 0.0"):
        selective_risk(sure, right, coverage=0.0)


@pytest.mark.parametrize("rule", ["brier", "log_score"])
def test_confidences_come_back_from_the_scores(rule):
    sure = np.round(np.linspace(0.01, 0.99, 99), 2)
    for right in (1.0, 0.0):
        target = "a" if right else "b"
        scores = [score_item(METRICS[rule], {"answer": "a", "confidence": one}, target) for one in sure]
        assert stated(scores, np.full(99, right), rule) == pytest.approx(sure, abs=0.0011)
    with pytest.raises(ValueError, match="rule 'exact'"):
        stated([1.0], [1], "exact")


def test_equal_confidences_come_back_equal_whether_right_or_wrong():
    scores = [score_item(METRICS["brier"], {"answer": "a", "confidence": 0.9}, target) for target in "ab"]
    right, wrong = stated(scores, [1, 0], "brier")
    assert right == wrong == 0.9


@pytest.mark.parametrize("figure", [equal_mass_ece, smooth_ece, selective_risk])
def test_no_items_have_no_figure_and_odd_ones_are_refused(figure):
    assert figure([], []) is None
    for sure, right in (([1.2], [1]), ([0.5], [0.5]), ([0.5, 0.5], [1]), ([math.nan], [1])):
        with pytest.raises(ValueError, match=r"expected two \(n,\)|neither right"):
            figure(sure, right)
