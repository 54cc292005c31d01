"""The error budget of a run: what is spent never exceeds what was declared."""

import itertools
import math

import numpy as np
import pytest

from netgain.evidence.spending import OPEN_SERIES_BOUND, Spending


def test_declared_run_spends_all_of_its_budget_evenly():
    spending = Spending(0.05, 20)
    assert spending.level(1) == spending.level(20) == pytest.approx(0.0025)
    assert spending.spent(20) == pytest.approx(0.05)


def test_nothing_is_left_beyond_the_declared_number():
    with pytest.raises(ValueError, match="confirmation 21 is beyond the 20 declared"):
        Spending(0.05, 20).level(21)


def test_open_series_bound_holds_and_is_tight():
    """Sum of the first million terms plus an integral bound of the rest; the bound's own slack is below 1 %."""
    last = 10**6
    j = np.arange(1, last + 1)
    head = math.fsum((1.0 / (j * np.log(j + 1.0) ** 2)).tolist())
    rest_at_most = (1.0 + 1.0 / last) / math.log(last)
    rest_at_least = 1.0 / math.log(last + 2)
    assert head + rest_at_most <= OPEN_SERIES_BOUND <= (head + rest_at_least) * 1.01


def test_open_run_never_spends_more_than_declared():
    spending = Spending(0.05)
    levels = [spending.level(k) for k in range(1, 5001)]
    assert all(later < earlier for earlier, later in itertools.pairwise(levels))
    assert 0.04 < math.fsum(levels) < 0.05
    assert spending.spent(3) == pytest.approx(sum(levels[:3]))


@pytest.mark.parametrize(("total", "confirmations"), [(0.0, 5), (1.0, 5), (math.nan, 5), (0.05, 0)])
def test_impossible_budget_is_refused(total, confirmations):
    with pytest.raises(ValueError, match=r"level|confirmations"):
        Spending(total, confirmations)


def test_confirmations_count_from_one():
    with pytest.raises(ValueError, match="counted from 1"):
        Spending(0.05, 5).level(0)
