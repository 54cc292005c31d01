"""Measured gate numbers of statistics.md 2.1 to 2.3 and 2.5, reproduced at reduced size.

What the reference does not state was inferred: planned second moment .20 in every world (with the world's own
discordance the power at d = .10 comes out .02 lower), looks every ten items, and the *fixed grid* for futility, for
guards and for the skewed nulls. Tolerances are three standard errors of ours and the reference's together (reference:
10,000 streams for powers, 300 for the uncapped counts where it does not say).
"""

import math

import numpy as np
import pytest
from scipy.stats import beta

from netgain.evidence.betting import items_to_reach, log_capital, log_capital_grid, log_futility
from netgain.evidence.power import expected_items
from netgain.evidence.spending import Spending
from netgain.testing.gate_worlds import paired_differences

CANDIDATES, ITEMS, PLANNED = 100, 2000, 0.20


def in_chunks(path_of, shape, *, gain, discordance, seed):
    """Log E at a look every ten items of fresh streams; chunks keep the memory small."""
    rng, size = np.random.default_rng(seed), max(1, 1_000_000 // shape[1])
    return np.concatenate(
        [
            path_of(paired_differences(rng, (min(size, shape[0] - i), shape[1]), gain=gain, discordance=discordance))
            for i in range(0, shape[0], size)
        ]
    )


def release(d):
    return log_capital(d, null=0.0, gain=0.02, planned_second_moment=PLANNED)[:, 9::10]


def within(measured, reference, *sizes):
    """Three binomial standard errors of the difference of two shares."""
    return abs(measured - reference) <= 3.0 * math.sqrt(sum(reference * (1.0 - reference) / n for n in sizes))


@pytest.fixture(scope="module")
def null_peaks():
    """Highest log E of 400 loops of 100 null candidates at discordance .10; (400, 100)."""
    loops = 400
    peaks = in_chunks(
        lambda d: release(d).max(axis=1), (loops * CANDIDATES, ITEMS), gain=0.0, discordance=0.10, seed=11
    )
    return peaks.reshape(loops, CANDIDATES)


def any_false_promotion(peaks, levels):
    """Share of loops with a false promotion, with its exact 95 % bounds (Clopper-Pearson, one-sided each)."""
    false = int((peaks >= np.log(1.0 / np.asarray(levels))).any(axis=1).sum())
    loops = len(peaks)
    low = beta.ppf(0.05, false, loops - false + 1) if false else 0.0
    return low, false / loops, beta.ppf(0.95, false + 1, loops - false)


def test_loop_of_100_null_candidates_promotes_falsely_in_at_most_5_percent(null_peaks):
    """2.1, rows a/K (.019 at d = .10) and alpha-spending (.017): upper bound 95 % below .05."""
    for confirmations in (CANDIDATES, None):
        spending = Spending(0.05, confirmations)
        _, share, high = any_false_promotion(null_peaks, [spending.level(k) for k in range(1, CANDIDATES + 1)])
        assert high <= 0.05
        assert within(share, 0.019, len(null_peaks), 1000)


def test_without_the_spending_the_same_loops_are_wrong(null_peaks):
    """Mutation: a = .05 for every candidate, the published practice; 2.1 says .94 at d = .10."""
    low, share, _ = any_false_promotion(null_peaks, [0.05] * CANDIDATES)
    assert low > 0.05
    assert within(share, 0.94, len(null_peaks), 1000)


@pytest.mark.parametrize(("discordance", "power"), [(0.48, 0.004), (0.20, 0.024), (0.10, 0.121)])
def test_power_under_a_cap_of_2000_items(discordance, power):
    """2.2, row betting design-mix, a/K."""
    streams = 2500
    peaks = in_chunks(lambda d: release(d).max(axis=1), (streams, ITEMS), gain=0.02, discordance=discordance, seed=12)
    assert within((peaks >= math.log(CANDIDATES / 0.05)).mean(), power, streams, 10_000)


@pytest.mark.parametrize(("discordance", "items"), [(0.48, 1785), (0.20, 1602), (0.10, 1308)])
def test_futility_saves_items_on_null_candidates(discordance, items):
    """2.1, row futility stop: the reference's counts with the fixed grid; the design mixture stops no later."""

    def stops(d):
        grid = log_capital_grid(-d.astype(np.float64), null=-0.02)[:, 9::10]
        mixture = log_futility(d, gain=0.02, planned_second_moment=discordance)[:, 9::10]
        hits = [items_to_reach(path, math.log(10.0)) * 10 for path in (grid, mixture)]
        return np.minimum(np.stack(hits, axis=1), ITEMS)

    counts = in_chunks(stops, (1000, ITEMS), gain=0.0, discordance=discordance, seed=13)
    error = counts[:, 0].std() / math.sqrt(1000)
    assert abs(counts[:, 0].mean() - items) <= 3.0 * error * math.sqrt(1.1)
    assert counts[:, 1].mean() <= counts[:, 0].mean()


def test_futility_costs_almost_no_power():
    """2.2: .121 without, .120 with futility at d = .10."""

    def found(d):
        promoted, stopped = items_to_reach(release(d), math.log(2000.0)), items_to_reach(futility(d), math.log(10.0))
        return np.stack([promoted < math.inf, (promoted < math.inf) & (promoted <= stopped)], axis=1)

    def futility(d):
        return log_futility(d, gain=0.02, planned_second_moment=PLANNED)[:, 9::10]

    both = in_chunks(found, (1500, ITEMS), gain=0.02, discordance=0.10, seed=14).mean(axis=0)
    assert both[0] - both[1] <= 0.01


@pytest.mark.parametrize(
    ("discordance", "gain", "mean", "late", "cap"),
    [
        (0.10, 0.02, 4274, 6960, 20_000),
        (0.10, 0.04, 1079, 1710, 6_000),
        (0.20, 0.02, 8566, 14_100, 40_000),
        (0.20, 0.04, 2180, 3540, 12_000),
    ],
)
def test_expected_items_without_a_cap(discordance, gain, mean, late, cap):
    """2.3, row design-mix: mean and 90 % point; and the planning formula of 1.3 for the planned gain."""
    streams = 200
    items = in_chunks(
        lambda d: items_to_reach(release(d), math.log(2000.0)) * 10,
        (streams, cap),
        gain=gain,
        discordance=discordance,
        seed=15,
    )
    assert (items < math.inf).all()
    error = items.std() * math.sqrt(1.0 / streams + 1.0 / 300)
    assert abs(items.mean() - mean) <= 3.0 * error
    # The 90 % point of a spread like this one has about 2.2 times the standard error of the mean.
    assert abs(np.quantile(items, 0.9) - late) <= 3.0 * 2.2 * error
    if gain == 0.02:
        assert expected_items(gain=gain, second_moment=discordance, level=0.0005) == pytest.approx(mean, rel=0.1)


@pytest.mark.parametrize(("loss", "at_05", "at_0005"), [(0.02, 0.0145, 0.0), (0.0, 0.987, 0.690)])
def test_guards_at_their_margin_and_unchanged(loss, at_05, at_0005):
    """2.5: margin 2 points, discordance .05, 4000 items. At the margin at most a is accepted, whatever the bets.

    Reference figures belong to the fixed grid; ``unchanged`` is four guards at once, the fourth power of one.
    """
    streams, guards = 600, 1 if loss else 4

    def highest(d):
        mixture = log_capital(d, null=-0.02, gain=0.02, planned_second_moment=0.05)[:, 9::10]
        grid = log_capital_grid(d, null=-0.02)[:, 9::10]
        return np.stack([mixture.max(axis=1), grid.max(axis=1)], axis=1)

    peaks = in_chunks(highest, (streams, 4000), gain=-loss, discordance=0.05, seed=16)
    for level, reference in ((0.05, at_05), (0.0005, at_0005)):
        mixture, grid = (peaks >= math.log(1.0 / level)).mean(axis=0)
        # Delta method for the power of a share; two hundredths for what the reference does not state.
        error = 3.0 * guards * grid ** (guards - 1) * math.sqrt(grid * (1.0 - grid) / streams)
        assert abs(grid**guards - reference) <= error + 0.02
        if loss:
            assert mixture <= level + 3.0 * math.sqrt(level * (1.0 - level) / streams)
        else:
            assert mixture >= grid - 0.05
