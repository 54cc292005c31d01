"""The claim about one version: bounds over items, the exact McNemar test, and the level by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from netgain.evidence.version import bounded_lower, mcnemar_tail, version_gain


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (5, 0), (12, 5), (40, 60), (700, 600)])
def test_mcnemar_equals_scipy(wins, losses):
    expected = 1.0 if wins + losses == 0 else stats.binomtest(wins, wins + losses, alternative="greater").pvalue
    assert mcnemar_tail(wins, losses) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_equals_statsmodels():
    tables = pytest.importorskip("statsmodels.stats.contingency_tables", reason="statsmodels is not installed")
    two_sided = tables.mcnemar([[30, 12], [5, 53]], exact=True).pvalue
    assert 2 * mcnemar_tail(12, 5) == pytest.approx(two_sided)


def columns(wins, losses, both=30):
    own = [1] * wins + [0] * losses + [1] * both
    return own, [0] * wins + [1] * losses + [1] * both


def test_a_version_that_wins_often_is_supported_and_its_interval_says_so():
    found = version_gain(*columns(25, 5), delta=0.0)
    assert (found.word, found.starts, found.wins, found.losses) == ("SUPPORTED", 60, 25, 5)
    assert found.low >= 0.0 and found.low < found.estimate < found.high
    assert version_gain(*columns(5, 25), delta=0.0).word == "REFUTED"
    assert version_gain(*columns(9, 5), delta=0.0).word is None


def test_the_interval_and_the_word_agree():
    for wins in range(0, 31, 3):
        found = version_gain(*columns(wins, 10), delta=0.0)
        assert (found.word == "SUPPORTED") == (found.low >= 0.0)
        assert (found.word == "REFUTED") == (found.high <= 0.0)
        claimed = version_gain(*columns(wins, 10), delta=0.1)
        assert (claimed.word == "SUPPORTED") == (claimed.low > 0.1)


def test_missing_items_are_counted_and_not_scored():
    own, first = columns(25, 5)
    found = version_gain([*own, math.nan, 1.0], [*first, 0.0, math.nan], delta=0.0)
    assert (found.starts, found.missing) == (60, 2)
    nothing = version_gain([math.nan], [0.0], delta=0.0)
    assert (nothing.word, nothing.look, nothing.estimate, nothing.low) == (None, None, None, None)


def test_scores_out_of_range_or_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="outside"):
        version_gain([2.0], [0.0], delta=0.0)
    with pytest.raises(ValueError, match="shape"):
        version_gain([1.0, 0.0], [0.0], delta=0.0)


def drawn(rng, gain, kind, items):
    """Paired scores whose mean difference is `gain`: 0/1 of several difficulties, or a little better and rarely bad."""
    if kind == "yes or no":
        p = rng.uniform(0.2, 0.7, items)
        return (rng.random(items) < p + gain).astype(float), (rng.random(items) < p).astype(float)
    bad = rng.random(items) < 0.02
    first = np.full(items, 0.8)
    return first + np.where(bad, -0.5, (gain + 0.02 * 0.5) / 0.98), first


@pytest.mark.parametrize("kind", ["yes or no", "skewed"])
@pytest.mark.parametrize("delta", [0.0, 0.05])
def test_a_version_at_the_claimed_effect_is_supported_at_the_level_at_most(kind, delta):
    """300 studies of 300 items at the boundary: a normal bound says yes in a third of skewed ones of this size."""
    rng = np.random.default_rng(11)
    words = [version_gain(*drawn(rng, delta, kind, 300), delta=delta).word for _ in range(300)]
    allowed = 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / 300)
    assert words.count("SUPPORTED") / 300 <= allowed
    assert words.count("REFUTED") / 300 <= allowed


def test_a_true_gain_of_eight_points_is_found_with_a_thousand_items():
    rng = np.random.default_rng(12)
    found = [version_gain(*drawn(rng, 0.08, "yes or no", 1000), delta=0.0) for _ in range(100)]
    assert sum(one.word == "SUPPORTED" for one in found) >= 80
    assert sum(one.low <= 0.08 <= one.high for one in found) >= 85


def test_the_bound_does_not_depend_on_the_order_of_items():
    own, first = drawn(np.random.default_rng(13), 0.1, "yes or no", 200)
    order = np.argsort(own - first)
    assert bounded_lower(own - first, 0.05) == bounded_lower((own - first)[order], 0.05)
