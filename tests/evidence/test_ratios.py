"""Fieller's set: all its shapes, its definition, its coverage; and when a ratio is not reported."""

import numpy as np
import pytest

from netgain.evidence.ratios import SHAPES, Ratio, Region, _at_most_zero, fieller, one_minus, ratio_of_means
from netgain.evidence.student import t_quantile

GRID = [*(np.linspace(-20, 20, 401) + 0.003), 1e6, -1e6]


def excluded(a, b, rho):
    """The definition, word by word: the t test of mean(a - rho b) = 0."""
    rest = a - rho * b
    return abs(rest.mean()) > t_quantile(0.975, len(a) - 1) * rest.std(ddof=1) / np.sqrt(len(a))


@pytest.mark.parametrize("seed", range(40))
def test_the_set_is_what_the_test_does_not_exclude(seed):
    rng = np.random.default_rng(seed)
    b = rng.normal(rng.choice([0.0, 0.1, 0.5]), 0.2, size=6)
    a = 0.5 * b + rng.normal(rng.choice([0.0, 0.3]), 0.1, size=6)
    region = fieller(a, b)
    for rho in (*np.linspace(-20, 20, 401), a.mean() / b.mean()):
        assert region.holds(rho) != excluded(a, b, rho), (region, rho)


def test_all_shapes_occur():
    rng, seen = np.random.default_rng(1), set()
    for _ in range(300):
        b, a = rng.normal(rng.uniform(0, 1), 0.4, size=6), rng.normal(rng.uniform(0, 1), 0.4, size=6)
        seen.add(fieller(a, b).shape)
    assert seen == {"interval", "complement", "line"}


@pytest.mark.parametrize("square", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("linear", [-1.0, 0.0, 1.5])
@pytest.mark.parametrize("constant", [-1.0, 0.0, 0.3])
def test_every_shape_is_where_the_quadratic_is_at_most_zero(square, linear, constant):
    inside = [square * rho**2 - 2 * linear * rho + constant <= 0 for rho in GRID]
    if not any(inside):
        return  # cannot be: the set holds the ratio of the means
    region = _at_most_zero(square, linear, constant)
    assert [region.holds(rho) for rho in GRID] == inside
    assert region.shape in SHAPES and (square != 0.0 or region.shape in ("ray", "line"))


def test_it_covers_the_true_ratio_as_often_as_it_says():
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(2000):
        b = rng.normal(0.3, 0.25, size=8)
        hits.append(fieller(0.6 * b + rng.normal(0, 0.1, size=8), b).holds(0.6))
    assert np.mean(hits) == pytest.approx(0.95, abs=0.015)


def test_a_share_of_a_gain_that_is_not_shown_is_not_reported():
    found = ratio_of_means([0.1, 0.2, 0.1], [0.3, -0.2, 0.1])
    assert (found.estimate, found.region) == (None, None)
    assert "not above 0" in found.reason
    assert ratio_of_means([0.1], [0.3]).estimate is None
    assert ratio_of_means([0.1, 0.1], [0.3, 0.3]).estimate is None, "no spread is no certainty"


def test_nothing_is_clipped():
    b = np.array([0.50, 0.52, 0.48, 0.51])
    assert ratio_of_means(1.4 * b + [0.01, -0.01, 0.0, 0.0], b).estimate == pytest.approx(1.4, abs=0.01)
    assert one_minus(ratio_of_means(1.4 * b + [0.01, -0.01, 0.0, 0.0], b)).estimate == pytest.approx(-0.4, abs=0.01)


def test_missing_starts_are_left_out_of_both_means():
    a, b = np.array([0.2, np.nan, 0.3, 0.25]), np.array([0.5, 9.0, 0.6, 0.55])
    found = ratio_of_means(a, b)
    assert (found.starts, found.estimate) == (3, pytest.approx(0.25 / 0.55))


@pytest.mark.parametrize(
    ("region", "turned"),
    [
        (Region("interval", 0.2, 0.7), Region("interval", 0.3, 0.8)),
        (Region("ray", low=0.2), Region("ray", high=0.8)),
        (Region("complement", -1.0, 0.5), Region("complement", 0.5, 2.0)),
        (Region("line"), Region("line")),
    ],
)
def test_one_minus_a_ratio_turns_its_set_around(region, turned):
    found = one_minus(Ratio(0.4, region, 6)).region
    assert found.shape == turned.shape
    for end in ("low", "high"):
        assert getattr(found, end) == (None if getattr(turned, end) is None else pytest.approx(getattr(turned, end)))
    for rho in np.linspace(-3, 3, 61) + 0.003:
        assert found.holds(1 - rho) == region.holds(rho)


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([[1.0]], [[1.0]])])
def test_unpaired_gains_are_refused(a, b):
    with pytest.raises(ValueError, match="expected"):
        fieller(a, b)
