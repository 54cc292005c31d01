"""Student's t against scipy, and the interval of a mean against simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from netgain.evidence.student import mean_interval, t_cdf, t_quantile

DEGREES = (1, 2, 3, 8, 9, 14, 19, 40, 201)


@pytest.mark.parametrize("df", DEGREES)
def test_the_distribution_is_that_of_scipy(df):
    for x in (-50.0, -3.0, -1e-3, 0.0, 1e-6, 0.1, 1.0, 2.5, 12.0, 700.0):
        assert t_cdf(x, df) == pytest.approx(stats.t.cdf(x, df), abs=1e-9)
    assert (t_cdf(-math.inf, df), t_cdf(math.inf, df)) == (0.0, 1.0)


@pytest.mark.parametrize("df", DEGREES)
def test_the_quantile_is_that_of_scipy(df):
    for p in (1e-6, 0.01, 0.025, 0.3, 0.5, 0.9, 0.975, 0.999999):
        assert t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(("p", "df"), [(0.0, 3), (1.0, 3), (0.5, 0), (0.5, -1), (0.5, 2.5), (math.nan, 3)])
def test_what_is_no_probability_or_no_count_is_refused(p, df):
    with pytest.raises(ValueError, match="expected"):
        t_quantile(p, df)


def test_the_interval_of_a_mean_is_that_of_scipy_and_leaves_out_what_is_missing():
    values = np.array([0.3, np.nan, 0.5, 0.1, 0.4])
    there = values[~np.isnan(values)]
    low, high = stats.t.interval(0.95, 3, loc=there.mean(), scale=stats.sem(there))
    found = mean_interval(values)
    assert (found.mean, found.starts) == (pytest.approx(there.mean()), 4)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("values", [[], [np.nan], [0.4], [0.4, 0.4, 0.4], [0.1, 0.8 - 0.7]])
def test_an_unknown_spread_gives_no_interval(values):
    found = mean_interval(values)
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("starts", [6, 12])
def test_the_interval_covers_the_mean_as_often_as_it_says(starts):
    rng = np.random.default_rng(7)
    drawn = rng.normal(0.2, 0.1, size=(2000, starts))
    found = [mean_interval(one) for one in drawn]
    assert np.mean([one.low <= 0.2 <= one.high for one in found]) == pytest.approx(0.95, abs=0.015)
