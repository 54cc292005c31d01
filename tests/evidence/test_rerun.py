"""The noise floor of two askings: what it estimates, what it never excuses."""

import math

import numpy as np
import pytest

from netgain.evidence.rerun import errors_allowed, movement_error, then_error


def asked(rng, chances, times):
    return [(rng.random(len(chances)) < chances).astype(int).tolist() for _ in range(times)]


def test_the_errors_are_those_of_many_re_runs():
    rng, chances = np.random.default_rng(3), np.linspace(0.0, 1.0, 400)
    pairs = [asked(rng, chances, 2) for _ in range(400)]
    means = [np.mean(one) for pair in pairs for one in pair]
    true = math.sqrt((chances * (1.0 - chances)).sum()) / 400
    assert np.std(means) == pytest.approx(true, rel=0.1)
    assert np.mean([then_error([pair], [pair[0]]) for pair in pairs]) == pytest.approx(true, rel=0.03)
    assert np.mean([movement_error(*pair) for pair in pairs]) == pytest.approx(math.sqrt(2.0) * true, rel=0.03)


def test_an_item_of_two_systems_counts_once_with_the_mean_of_both():
    first, again = [1, 0, 1, 0], [0, 0, 1, 1]
    alone = then_error([(first, again)], [[0.0] * 4])
    assert alone == pytest.approx(math.sqrt(2 * 0.5) / 4)
    assert then_error([(first, again), (first, again)], [[0.0] * 4] * 2) == pytest.approx(alone / math.sqrt(2.0))
    assert then_error([(first, again), (first, again)], [[0.0] * 4, [None] * 4]) == pytest.approx(alone)


def test_what_always_answers_alike_and_what_is_unknown_excuse_nothing():
    assert then_error([([1, 0, 1], [1, 0, 1])], [[1.0, -1.0, 0.0]]) == 0.0
    assert then_error([([1, 0], [None, None])], [[1.0, -1.0]]) == 0.0
    assert then_error([([1, 0], [0, 1])], [[None, None]]) == 0.0
    assert movement_error([1, 0], [1, 0]) == 0.0
    assert movement_error([1, None], [None, 0]) is None


def test_the_largest_of_many_movements_may_be_larger():
    rng = np.random.default_rng(4)
    for movements in (1, 20):
        largest = np.abs(rng.standard_normal((4000, movements))).max(axis=1)
        assert (largest > errors_allowed(movements)).mean() == pytest.approx(0.05, abs=0.015)
