"""What was lost and won item by item, against a count by hand; and how far a gain is aimed."""

import math

import numpy as np
import pytest

from netgain.evidence.churn import churn, targeting

NAN = math.nan


def test_lost_and_won_are_counted_where_both_have_a_score():
    found = churn([1, 1, 0, 0, 0.5, NAN, 1], [1, 0, 1, 0, 0.75, 1, NAN])
    assert (found.lost, found.won, found.churn) == pytest.approx((1 / 5, 2 / 5, 3 / 5))
    assert (found.items, found.missing) == (5, 2)


def test_a_mean_that_stands_still_can_hide_an_exchange():
    found = churn([1, 1, 0, 0], [0, 0, 1, 1])
    assert (found.lost, found.won, found.churn) == (0.5, 0.5, 1.0)


@pytest.mark.parametrize("sheets", [([], []), ([NAN], [1.0])])
def test_without_a_pair_nothing_is_known(sheets):
    found = churn(*sheets)
    assert (found.lost, found.won, found.churn, found.items) == (None, None, None, 0)


def test_scores_of_0_and_1_give_the_change_of_the_mean():
    rng = np.random.default_rng(3)
    first, last = rng.integers(2, size=(2, 500)).astype(float)
    found = churn(first, last)
    assert found.won - found.lost == pytest.approx(last.mean() - first.mean())


def test_sheets_of_other_items_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        churn([1, 0], [1, 0, 1])


def test_the_index_is_0_for_a_gain_that_carries_over_and_1_for_one_that_stays():
    found = targeting([0.4, 0.4, 0.4, 0.0, NAN, 0.2], [0.4, 0.0, -0.2, 0.1, 0.1, NAN])
    assert found.by_start[:3] == pytest.approx([0.0, 1.0, 1.5])
    assert np.isnan(found.by_start[3:]).all()  # no gain has no aim, and unknown is not 0


def test_the_index_of_all_starts_is_of_mean_gains_with_a_set():
    gains, near = [0.40, 0.44, 0.36, 0.40], [0.12, 0.10, 0.10, 0.08]
    found = targeting(gains, near).overall
    assert found.estimate == pytest.approx(1 - 0.10 / 0.40)
    assert found.region.holds(0.75) and not found.region.holds(0.0)


def test_without_a_shown_gain_no_index_is_reported():
    found = targeting([0.4, -0.4, 0.3, -0.2], [0.1] * 4).overall
    assert found.estimate is None and "is not above 0" in found.reason


def test_gains_of_other_starts_are_refused():
    with pytest.raises(ValueError, match="same starts"):
        targeting([0.1], [0.1, 0.2])
