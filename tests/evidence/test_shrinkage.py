"""Estimates drawn towards their mean: smaller error than the raw ones, and no more selection bias than needed."""

import numpy as np
import pytest

from netgain.evidence.shrinkage import shrunk


def test_total_error_is_smaller_whatever_the_truth_is():
    """James & Stein 1961: for four and more values, for every truth; here from equal ones to widely spread ones."""
    rng = np.random.default_rng(1)
    for spread in (0.0, 0.02, 0.2):
        truth = rng.normal(0.1, spread, (800, 8))
        raw = truth + rng.normal(0.0, 0.03, truth.shape)
        drawn = np.array([shrunk(list(row), [0.03**2] * 8) for row in raw])
        assert ((drawn - truth) ** 2).mean() <= ((raw - truth) ** 2).mean()


def test_the_largest_is_less_too_large():
    rng = np.random.default_rng(2)
    truth = rng.normal(0.1, 0.01, (500, 8))
    raw = truth + rng.normal(0.0, 0.03, truth.shape)
    drawn = np.array([shrunk(list(row), [0.03**2] * 8) for row in raw])
    best, rows = raw.argmax(axis=1), np.arange(500)
    assert (raw - truth)[rows, best].mean() > 3.0 * abs((drawn - truth)[rows, best].mean())


def test_a_worked_example():
    """Mean 0.3, S = 0.2; R = 5, v = .02: keep 1 - 2 * .02 / .2 = .8."""
    values = [0.3, 0.3, 0.3, 0.3 + 0.1**0.5, 0.3 - 0.1**0.5]
    assert shrunk(values, [0.02] * 5) == pytest.approx([0.3, 0.3, 0.3, 0.3 + 0.8 * 0.1**0.5, 0.3 - 0.8 * 0.1**0.5])


def test_what_is_all_noise_becomes_its_mean_and_few_values_stay():
    assert shrunk([0.1, 0.2, 0.3, 0.4], [1.0] * 4) == pytest.approx([0.25] * 4)
    assert shrunk([0.1, 0.2, 0.3], [1.0] * 3) == [0.1, 0.2, 0.3]
    assert shrunk([], []) == []
    assert shrunk([0.2] * 5, [0.01] * 5) == [0.2] * 5


@pytest.mark.parametrize(("values", "variances"), [([0.1], []), ([0.1], [-1.0]), ([np.nan], [0.1])])
def test_impossible_input_is_refused(values, variances):
    with pytest.raises(ValueError, match="variances"):
        shrunk(values, variances)
