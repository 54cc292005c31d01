"""Shapley values: against all orders by hand, the axioms that define them, and shapiq."""

from itertools import permutations

import numpy as np
import pytest

from netgain.evidence.shapley import mask_of, shapley, subset_of

SIZES = (1, 2, 3, 4, 5)


def games(players, starts=7, seed=0):
    return np.random.default_rng(seed).normal(size=(starts, 1 << players))


def by_orders(values, players):
    """What each player adds when it comes, averaged over all orders of arrival: the slow twin."""
    shares, orders = np.zeros((len(values), players)), list(permutations(range(players)))
    for order in orders:
        there = 0
        for player in order:
            shares[:, player] += values[:, there | 1 << player] - values[:, there]
            there |= 1 << player
    return shares / len(orders)


@pytest.mark.parametrize("players", SIZES)
def test_it_is_the_mean_over_all_orders_of_arrival(players):
    values = games(players)
    assert shapley(values) == pytest.approx(by_orders(values, players), abs=1e-12)


@pytest.mark.parametrize("players", SIZES)
def test_the_shares_of_every_start_sum_to_its_whole_gain(players):
    values = games(players)
    assert shapley(values).sum(axis=1) == pytest.approx(values[:, -1] - values[:, 0], abs=1e-12)


def test_who_adds_nothing_has_no_share_and_who_is_alike_has_the_same():
    names = ("data", "weights", "policy")
    values = np.zeros((1, 8))
    for mask in range(8):
        values[0, mask] = 0.6 if {"data", "weights"} <= set(subset_of(mask, names)) else 0.0
    assert shapley(values)[0] == pytest.approx([0.3, 0.3, 0.0])


def test_it_is_linear():
    one, other = games(4, seed=1), games(4, seed=2)
    assert shapley(2 * one - 3 * other) == pytest.approx(2 * shapley(one) - 3 * shapley(other), abs=1e-12)


def test_a_start_that_lacks_a_subset_has_no_shares_and_the_others_keep_theirs():
    values = games(3)
    values[2, 5] = np.nan
    found = shapley(values)
    assert np.isnan(found[2]).all()
    assert np.isfinite(np.delete(found, 2, axis=0)).all()


def test_subsets_and_columns_are_inverse():
    names = ("a", "b", "c", "d", "e")
    assert [mask_of(subset_of(mask, names), names) for mask in range(32)] == list(range(32))
    assert mask_of((), names) == 0 and subset_of(31, names) == names


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 5), (3, 64)])
def test_what_is_not_a_full_factorial_of_up_to_five_is_refused(shape):
    with pytest.raises(ValueError, match="expected"):
        shapley(np.zeros(shape))


@pytest.mark.parametrize("players", SIZES[1:])
def test_it_is_that_of_shapiq(players):
    game_theory = pytest.importorskip("shapiq.game_theory", reason="shapiq is not installed", exc_type=ImportError)
    values = games(players, starts=3)
    for row in values:

        def game(coalitions, row=row):
            return np.array([row[sum(1 << i for i, there in enumerate(one) if there)] for one in coalitions])

        oracle = game_theory.ExactComputer(n_players=players, game=game)("SV")
        assert shapley(row[None])[0] == pytest.approx([oracle[(i,)] for i in range(players)], abs=1e-9)
