"""Behaviour: divergence beyond the noise floor of two runs of generation 0."""

import random

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from netgain.errors import ConfigError
from netgain.monitors import MONITORS
from netgain.monitors.behaviour import jensen_shannon, length_bands, permutation


@pytest.mark.parametrize(("p", "q"), [([3, 1], [1, 3]), ([1, 0, 0], [0, 1, 1]), ([5, 2, 9], [5, 2, 9])])
def test_the_divergence_is_the_square_of_scipys(p, q):
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-12)


def test_the_floor_is_subtracted():
    first, again, now = ["a"] * 8 + ["b"] * 2, ["a"] * 6 + ["b"] * 4, ["a"] * 5 + ["b"] * 5
    value, floor, _ = permutation(first, again, now, permutations=9, seed=0)
    assert floor == pytest.approx(jensenshannon([8, 2], [6, 4], base=2) ** 2)
    both = [jensenshannon([5, 5], other, base=2) ** 2 for other in ([8, 2], [6, 4])]
    assert value == pytest.approx(np.mean(both) - floor)


def test_permutations_are_those_of_the_standard_library():
    """A stranger gets the p-value with `random.Random(seed).random()` and nothing else."""
    rng = np.random.default_rng(1)
    first, again = (rng.choice(list("ab"), 30).tolist() for _ in range(2))
    now = rng.choice(list("ab"), 30, p=[0.2, 0.8]).tolist()
    observed, _, p = permutation(first, again, now, permutations=99, seed=7)
    draw, hits = random.Random(7).random, 0
    for _ in range(99):
        a, b, c = list(first), list(again), list(now)
        for i in range(30):
            role = int(3 * draw())
            if role == 1:
                a[i], c[i] = c[i], a[i]
            elif role == 2:
                b[i], c[i] = c[i], b[i]
        hits += permutation(a, b, c, permutations=1, seed=0)[0] >= observed - 1e-12
    assert p == (1 + hits) / 100


def test_a_p_value_is_exact_when_the_three_answers_are_alike():
    rng, small = np.random.default_rng(2), 0
    for _ in range(300):
        tendency = rng.random(40)
        three = [(rng.random(40) < tendency).tolist() for _ in range(3)]
        small += permutation(*three, permutations=39, seed=3)[2] <= 0.05
    assert small / 300 <= 0.05 + 3.0 * (0.05 * 0.95 / 300) ** 0.5


def test_without_the_floor_two_runs_of_one_system_would_look_different():
    """Mutation: a divergence at all is no drift; every null history here has one above the threshold."""
    rng = np.random.default_rng(4)
    above = [jensen_shannon(*(np.bincount(rng.integers(4, size=60), minlength=4) for _ in range(2))) for _ in range(50)]
    assert np.mean(np.array(above) > MONITORS["behaviour"]().threshold) > 0.5


def test_lengths_are_banded_and_silence_is_a_band():
    assert length_bands([5, 10, 99, None], [100, 10]) == [0, 1, 1, None]


def test_a_design_that_cannot_alarm_is_refused():
    with pytest.raises(ConfigError, match="permutations"):
        MONITORS["behaviour"](permutations=100)
    labels = {"first": ["a"], "again": ["a"], "now": []}
    assert MONITORS["behaviour"]().look([{"round": 0, "behaviour": labels}]).alarm is None
