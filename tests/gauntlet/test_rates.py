"""Exact bounds against scipy, and at the ends."""

import pytest

from netgain.gauntlet.rates import Rate, lower_bound, two_sided

stats = pytest.importorskip("scipy.stats", reason="scipy is in netgain[test]")


@pytest.mark.parametrize(("hits", "n"), [(0, 60), (1, 60), (7, 200), (60, 60), (300, 12_000), (3_900, 4_000)])
def test_bounds_are_those_of_clopper_and_pearson(hits, n):
    low = 0.0 if hits == 0 else stats.beta.ppf(0.05, hits, n - hits + 1)
    high = 1.0 if hits == n else stats.beta.ppf(0.95, hits + 1, n - hits)
    assert lower_bound(hits, n) == pytest.approx(low, abs=1e-8)
    assert Rate(hits, n).lower == pytest.approx(low, abs=1e-8)
    assert Rate(hits, n).upper == pytest.approx(high, abs=1e-8)


def test_nothing_tried_is_not_a_rate_of_zero():
    nothing = Rate(0, 0)
    assert (nothing.value, nothing.lower, nothing.upper) == (None, 0.0, 1.0)
    assert (Rate(1, 4) + Rate(2, 6)).value == 0.3


def test_a_two_sided_p_is_twice_the_smaller_tail():
    assert two_sided(12, 60, 0.0354) == pytest.approx(2 * stats.binom.sf(11, 60, 0.0354))
    assert two_sided(2, 60, 0.0354) == pytest.approx(1.0, abs=0.35)
    assert two_sided(0, 200, 0.0354) == pytest.approx(2 * stats.binom.cdf(0, 200, 0.0354))
