"""The cheat rate: exact intervals from counts, unknown where nothing was answered."""

import pytest
from scipy.stats import binomtest

from netgain.errors import ConfigError
from netgain.guards import Counted, cheat_rate


@pytest.mark.parametrize(("passed", "answered"), [(0, 1), (1, 1), (0, 50), (3, 50), (25, 50), (49, 50), (700, 20000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_is_that_of_clopper_and_pearson(passed, answered, confidence):
    one, total = cheat_rate([Counted("1", passed, answered)], confidence=confidence)
    exact = binomtest(passed, answered).proportion_ci(confidence, "exact")
    assert (one.low, one.high) == pytest.approx((exact.low, exact.high), abs=1e-8)
    assert one.rate == passed / answered and (total.when, total.rate) == ("all", one.rate)


def test_rates_over_time_and_their_sum():
    rates = cheat_rate([("1", 0, 20), ("2", 0, 0), ("3", 5, 20)])
    assert [one.when for one in rates] == ["1", "2", "3", "all"]
    assert [one.rate for one in rates] == [0.0, None, 0.25, 0.125]
    assert (rates[1].low, rates[1].high) == (0.0, 1.0) and rates[1].reason and not rates[0].reason
    assert rates[0].high > 0.1 and rates[2].low > 0.08


def test_no_counts_are_no_rate():
    (total,) = cheat_rate([])
    assert total.rate is None and total.reason


@pytest.mark.parametrize("counts", [[("1", 2, 1)], [("1", -1, 3)]])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ConfigError, match="'1'"):
        cheat_rate(counts)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(ConfigError):
        cheat_rate([("1", 0, 1)], confidence=confidence)
