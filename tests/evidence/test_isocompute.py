"""A control at the loop's own cost: interpolated between budgets, never beyond them, never from two."""

import numpy as np
import pytest

from netgain.evidence.isocompute import score_at


def test_between_two_budgets_it_is_the_straight_line():
    assert score_at([1.0, 2.0, 4.0], [0.1, 0.3, 0.4], 3.0).score == pytest.approx(0.35)
    assert score_at([4.0, 1.0, 2.0], [0.4, 0.1, 0.3], 3.0).score == pytest.approx(0.35), "in any order"
    assert score_at([1.0, 2.0, 4.0], [0.1, 0.3, 0.4], 2.0).score == 0.3


@pytest.mark.parametrize(("costs", "scores"), [
    ([1.0, 2.0], [0.1, 0.3]),
    ([1.0, 2.0, 2.0], [0.1, 0.3, 0.4]),
    ([1.0, 2.0, 3.0], [0.1, np.nan, 0.4]),
])  # fmt: skip
def test_fewer_than_three_budgets_say_nothing(costs, scores):
    found = score_at(costs, scores, 1.5)
    assert found.score is None and "2 budgets" in found.reason


@pytest.mark.parametrize("cost", [0.5, 4.1])
def test_nothing_is_said_beyond_what_was_measured(cost):
    found = score_at([1.0, 2.0, 4.0], [0.1, 0.3, 0.4], cost)
    assert found.score is None and "outside" in found.reason
