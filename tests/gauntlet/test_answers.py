"""Items and answers have the rates and the agreement that their description says."""

import numpy as np
import pytest

from netgain.gauntlet.answers import AGREEMENT, difficulties, luck, right


def drawn(first, second, *, items=4000, starts=50, cluster=1):
    rng = np.random.default_rng(3)
    hard = difficulties(rng, starts, items, cluster)
    ability = np.full(starts, first), np.full(starts, second)
    return [right(one, hard, luck(rng, starts, items, cluster)) for one in ability]


@pytest.mark.parametrize(("p", "q"), [(0.35, 0.35), (0.35, 0.5), (0.9, 0.85)])
def test_a_system_is_right_at_its_ability_and_differs_as_described(p, q):
    own, other = drawn(p, q)
    assert own.mean() == pytest.approx(p, abs=0.01)
    assert other.mean() == pytest.approx(q, abs=0.01)
    both = AGREEMENT**2
    expected = (1 - both) * (p * (1 - q) + q * (1 - p)) + both * abs(p - q)
    assert (own != other).mean() == pytest.approx(expected, abs=0.01)


def test_the_items_of_a_cluster_stand_or_fall_together():
    own, _ = drawn(0.4, 0.4, items=40, cluster=8)
    assert (own.reshape(50, 5, 8).min(axis=2) == own.reshape(50, 5, 8).max(axis=2)).all()
