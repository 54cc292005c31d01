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


def oracle(row, players, index, order=1):
    """What shapiq computes of one start, exactly: {members: value}."""
    why = "shapiq is not installed (extra `oracles`)"
    game_theory = pytest.importorskip("shapiq.game_theory", reason=why, exc_type=ImportError)

    def game(coalitions):
        return np.array([row[sum(1 << i for i, there in enumerate(one) if there)] for one in coalitions])

    return game_theory.ExactComputer(n_players=players, game=game)(index, order)


@pytest.mark.parametrize("players", SIZES[1:])
def test_it_is_that_of_shapiq(players):
    for row in games(players, starts=3):
        found = oracle(row, players, "SV")
        assert shapley(row[None])[0] == pytest.approx([found[(i,)] for i in range(players)], abs=1e-9)


@pytest.mark.parametrize("index", ["FSII", "STII", "k-SII"])
@pytest.mark.parametrize("players", SIZES[2:])
def test_in_a_game_of_pairs_it_is_the_own_part_and_half_of_every_interaction(players, index):
    """Where nothing beyond pairs interacts, the interaction indices are one, and a pair shares what it makes evenly."""
    rng = np.random.default_rng(players)
    own, pairs = rng.normal(size=players), np.triu(rng.normal(size=(players, players)), 1)
    there = np.array([[mask >> i & 1 for i in range(players)] for mask in range(1 << players)], dtype=float)
    row = there @ own + np.einsum("mi,ij,mj->m", there, pairs, there)
    found = oracle(row, players, index, order=2)
    alone = [found[(i,)] for i in range(players)]
    both = [sum(found[(min(i, j), max(i, j))] for j in range(players) if j != i) for i in range(players)]
    assert shapley(row[None])[0] == pytest.approx(np.add(alone, np.multiply(0.5, both)), abs=1e-8)
