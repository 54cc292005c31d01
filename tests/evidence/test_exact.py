"""Exact tests: against scipy, against all sequences, and the capped-budget rows of statistics.md 2.1 and 2.2."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest

from netgain.evidence.exact import exact_sequential, scheduled_looks, spendable
from netgain.testing.gate_worlds import paired_differences


@pytest.mark.parametrize("seed", range(8))
def test_one_look_is_mcnemars_exact_test(seed):
    d = paired_differences(np.random.default_rng(seed), (400,), gain=0.05, discordance=0.2).astype(float)
    d[::17] = np.nan
    wins, losses = int((d == 1).sum()), int((d == -1).sum())
    state = exact_sequential(d, looks=(400,), level=0.05)
    assert state.p == pytest.approx(binomtest(wins, wins + losses, 0.5, alternative="greater").pvalue, rel=1e-10)
    assert (state.spendable, state.pairs) == (0.05, 400)
    assert state.rejected == (state.p <= 0.05)


def rejections(sequences, **design):
    return np.array([exact_sequential(one, **design).rejected for one in sequences])


@pytest.mark.parametrize("level", [0.05, 0.2])
@pytest.mark.parametrize("chance", [0.5, 0.4])
def test_all_looks_together_err_with_at_most_the_level(level, chance):
    """Every sequence of ten discordant pairs, weighted by its chance: no simulation, no asymptotics."""
    sequences = np.array(list(itertools.product((1.0, -1.0), repeat=10)))
    weights = np.prod(np.where(sequences > 0, chance, 1.0 - chance), axis=1)
    wrong = weights @ rejections(sequences, looks=(2, 5, 7, 10), level=level)
    assert wrong <= level + 1e-12
    assert wrong > 0.0


def test_spending_the_whole_level_at_every_look_errs_more():
    """Mutation: without the spending function four looks at .2 err with more than .2."""
    sequences = np.array(list(itertools.product((1.0, -1.0), repeat=10)))
    looks = [rejections(sequences[:, :at], looks=(at,), level=0.2) for at in (2, 5, 7, 10)]
    assert np.any(looks, axis=0).mean() > 0.2


def test_what_may_be_spent_rises_to_the_level():
    shares = [spendable(0.05, share) for share in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert shares == sorted(shares) and shares[-1] == 0.05
    assert shares[:2] == pytest.approx([1.2e-5, 1.94e-3], rel=0.05)  # O'Brien-Fleming type, Lan & DeMets 1983


def test_looks_come_at_even_steps_and_end_at_the_cap():
    assert scheduled_looks(2000, 5) == (400, 800, 1200, 1600, 2000)
    assert scheduled_looks(2000, 1) == (2000,)
    assert scheduled_looks(3, 5) == (1, 2, 3)


def test_before_its_look_a_test_says_nothing_and_later_data_change_no_rejection():
    d = np.ones(100)
    assert not exact_sequential(d[:99], looks=(100,), level=0.05).rejected
    assert exact_sequential(d, looks=(100,), level=0.05).rejected
    turned = np.concatenate([np.ones(50), -np.ones(50)])
    state = exact_sequential(turned, looks=(50, 100), level=0.05)
    assert (state.rejected, state.pairs) == (True, 50)


def test_data_that_end_early_are_the_last_look():
    assert not exact_sequential(np.ones(30), looks=(100,), level=0.05).rejected
    assert exact_sequential(np.ones(30), looks=(100,), level=0.05, ended=True).rejected
    assert not exact_sequential([], looks=(100,), level=0.05, ended=True).rejected


def test_ties_and_missing_pairs_say_nothing():
    d = np.zeros(200)
    d[:5] = 1.0
    d[10:20] = np.nan
    assert exact_sequential(d, looks=(200,), level=0.05).p == 0.5**5
    assert exact_sequential(np.zeros(200), looks=(200,), level=0.05).p == 1.0


def test_graded_scores_are_refused():
    with pytest.raises(ValueError, match=r"0\.5 is graded"):
        exact_sequential([1.0, 0.5], looks=(2,), level=0.05)


def test_why_graded_scores_are_refused():
    """Small gains everywhere, a few bad failures, mean 0: counting signs calls it a gain every time."""
    rng = np.random.default_rng(3)
    signs = np.where(rng.random((50, 300)) < 0.03, -1.0, 1.0)
    assert rejections(signs, looks=(300,), level=0.05).all()


@pytest.mark.parametrize(("discordance", "fixed", "sequential"), [(0.10, 0.326, 0.322), (0.20, 0.094, 0.093)])
def test_power_at_the_level_of_one_of_a_hundred_is_that_of_the_reference(discordance, fixed, sequential):
    """statistics.md 2.2, rows "t, fixed, Bonferroni" and "group-seq, a/K": +2 points, 2000 items, .05/100."""
    d = paired_differences(np.random.default_rng(21), (500, 2000), gain=0.02, discordance=discordance).astype(float)
    for analyses, reference in ((1, fixed), (5, sequential)):
        found = rejections(d, looks=scheduled_looks(2000, analyses), level=0.0005).mean()
        assert abs(found - reference) <= 3.0 * math.sqrt(reference * (1.0 - reference) / 500) + 0.015


@pytest.mark.nightly
@pytest.mark.parametrize("discordance", [0.03, 0.1, 0.2, 0.48])
@pytest.mark.parametrize("analyses", [1, 5])
def test_null_streams_stay_below_their_level(discordance, analyses):
    d = paired_differences(np.random.default_rng(22), (4000, 2000), gain=0.0, discordance=discordance).astype(float)
    for level in (0.05, 0.01):
        wrong = rejections(d, looks=scheduled_looks(2000, analyses), level=level).mean()
        assert wrong <= level + 3.0 * math.sqrt(level * (1.0 - level) / len(d))


@pytest.mark.parametrize("seed", range(5))
def test_one_look_is_half_of_the_two_sided_test_of_statsmodels(seed):
    tables = pytest.importorskip("statsmodels.stats.contingency_tables", reason="statsmodels is not installed")
    d = paired_differences(np.random.default_rng(seed), (300,), gain=0.08, discordance=0.2).astype(float)
    wins, losses = int((d == 1).sum()), int((d == -1).sum())
    both = tables.mcnemar([[0, wins], [losses, 0]], exact=True).pvalue
    assert wins > losses
    assert 2.0 * exact_sequential(d, looks=(300,), level=0.05).p == pytest.approx(both, rel=1e-9)
