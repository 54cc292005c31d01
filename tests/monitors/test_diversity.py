"""Distinct contexts, tail and entropy of outputs."""

import math

import numpy as np
import pytest
from scipy.stats import entropy

from netgain.monitors import MONITORS
from netgain.monitors.diversity import diversity, tail_of


def test_the_three_numbers_of_a_small_output():
    rows = [[0, 1, 0, 1], [2, 2, 2, 2]]  # contexts of order 2: 01 10 01, and 22 three times
    assert tail_of(rows, order=2, rare=0.2) == {(1, 0)}
    found = diversity(rows, {(1, 0)}, order=2)
    assert found["contexts"] == 3 and found["tail"] == pytest.approx(1 / 6)
    assert found["entropy"] == pytest.approx(entropy([2, 1, 3]))
    assert found["entropy"] < math.log(3)


def test_contexts_do_not_run_over_the_end_of_a_sample():
    assert diversity([[0, 1], [2, 3]], set(), order=2)["contexts"] == 2
    assert diversity([0, 1, 2, 3], set(), order=2)["contexts"] == 3
    with pytest.raises(ValueError, match="no context"):
        diversity([[0, 1]], set(), order=3)


def test_diversity_is_compared_with_the_first_round_and_has_to_keep_falling():
    made = MONITORS["diversity"]()
    fall = [{"round": r, "diversity": {"contexts": 100 - 6 * r}} for r in range(6)]
    assert [made.look(fall[: r + 1]).alarm for r in range(6)] == [False] * 4 + [True, True]
    assert made.look(fall).value == pytest.approx(0.7)
    once = [{"round": r, "diversity": {"contexts": 100 - 50 * (r == 1)}} for r in range(2)]
    assert made.look(once).alarm is False and MONITORS["diversity"](level=None).look(once).alarm is True


def test_what_generation_0_makes_in_the_same_look_is_compared_with_where_it_is_known():
    made = MONITORS["diversity"](level=None, threshold=0.9)
    record = {"contexts": 80, "first": {"contexts": 100}}
    assert made.look([{"round": 1, "diversity": record}]).value == pytest.approx(0.8)
    again = {"contexts": 80, "first": {"contexts": 85}}
    found = [made.look([{"round": 1, "diversity": one}]).alarm for one in (record, again, {"contexts": 80})]
    assert found == [True, False, False]


def test_a_tail_in_mass_does_not_fall_when_a_model_only_copies_itself():
    """Resampling keeps every mass as it was on average: distinct contexts fall, the tail's mass merely wanders."""
    rng = np.random.default_rng(3)
    share = np.full(50, 1 / 50)
    masses = []
    for _ in range(200):
        seen = rng.multinomial(500, share) / 500
        masses.append(seen[:5].sum())
    assert np.mean(masses) == pytest.approx(0.1, abs=0.005)
