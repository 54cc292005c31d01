"""Linear CKA, effective rank and norm of features."""

import numpy as np
import pytest

from netgain.monitors import MONITORS
from netgain.monitors.representation import effective_rank, linear_cka, representation


def gaussian(seed, shape=(50, 20)):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("debiased", [True, False])
def test_similarity_does_not_see_rotation_shift_and_scale(debiased):
    x = gaussian(1)
    turn = np.linalg.qr(gaussian(2, (20, 20)))[0]
    assert linear_cka(x, 3.0 * x @ turn + 5.0, debiased=debiased) == pytest.approx(1.0)


def test_the_plain_form_is_the_ratio_of_norms():
    x, y = gaussian(1), gaussian(2) + 0.5 * gaussian(1)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    ratio = np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    assert linear_cka(x, y, debiased=False) == pytest.approx(ratio)


def test_the_debiased_form_estimates_without_bias_where_the_plain_one_is_near_one():
    """Unrelated features, 20 inputs of 200: the plain form says .9."""
    pairs = [(gaussian(2 * i, (20, 200)), gaussian(2 * i + 1, (20, 200))) for i in range(60)]
    assert np.mean([linear_cka(x, y, debiased=False) for x, y in pairs]) > 0.85
    assert abs(np.mean([linear_cka(x, y) for x, y in pairs])) < 0.02


def test_the_unbiased_term_is_the_average_over_four_different_inputs():
    """The definition of HSIC's unbiased estimate, term by term (Song et al. 2012, equation 4)."""
    from itertools import permutations

    x, y = gaussian(5, (6, 3)), gaussian(6, (6, 2))
    k, m = x @ x.T, y @ y.T

    def slow(k, m):
        four = [(k[i, j] * (m[i, j] + m[q, r] - 2.0 * m[i, q])) for i, j, q, r in permutations(range(6), 4)]
        return np.mean(four)

    assert linear_cka(x, y) == pytest.approx(slow(k, m) / np.sqrt(slow(k, k) * slow(m, m)))


def test_effective_rank_is_the_number_of_equal_directions():
    q = np.linalg.qr(gaussian(3, (60, 8)) - gaussian(3, (60, 8)).mean(axis=0))[0]
    assert effective_rank(q @ np.diag([1.0] * 4 + [0.0] * 4)) == pytest.approx(4.0, rel=0.05)
    assert effective_rank(np.outer(np.arange(9.0), np.ones(4))) == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [np.ones((10, 3)), np.full((10, 3), np.nan), np.ones(10), np.ones((3, 2))])
def test_features_that_say_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="features"):
        linear_cka(wrong, wrong)
    with pytest.raises(ValueError, match="features"):
        effective_rank(np.ones((4, 2)))


def test_a_norm_alarms_either_way_and_a_rank_against_its_first_value():
    first = representation(gaussian(1), gaussian(1))
    for name, change, alarm in (
        ("norm", {"norm": 2.5 * first["norm"]}, True), ("norm", {"norm": first["norm"] / 2.5}, True),
        ("norm", {"norm": 1.2 * first["norm"]}, False), ("effective_rank", {"effective_rank": 2.0}, True),
        ("effective_rank", {"effective_rank": 0.9 * first["effective_rank"]}, False), ("cka", {"cka": 0.4}, True),
    ):  # fmt: skip
        history = [{"round": 0, "representation": first}, {"round": 1, "representation": {**first, **change}}]
        assert MONITORS[name]().look(history).alarm is alarm
