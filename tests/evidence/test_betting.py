"""Capital paths: against a dumb twin, exact fairness, incremental form, missing pairs, refused input, type-I error."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netgain.evidence.betting import items_to_reach, log_capital, log_capital_grid, log_futility
from netgain.testing.gate_worlds import brittle_differences, paired_differences

LOOKS = slice(9, None, 10)  # a look every ten items, as in statistics.md 2


def plain_log_capital(differences, null, gain, planned):
    """The design mixture in plain Python, item by item: what verify.py writes too."""
    total, count, capitals, path = 0.0, 0, [1.0] * 4, []
    for d in differences:
        if not math.isnan(d):
            second_moment = (50.0 * planned + total) / (50.0 + count)
            for i, c in enumerate((0.5, 1.0, 2.0, 4.0)):
                capitals[i] *= 1.0 + min(c * gain / second_moment, 0.9 / (1.0 + null)) * (d - null)
            total, count = total + d * d, count + 1
        path.append(math.log(sum(capitals) / 4.0))
    return path


def peaks(differences, **design):
    """Highest log E of every stream at a look every ten items, in chunks that stay small in memory."""
    chunks = np.array_split(differences, max(1, differences.size // 1_000_000))
    return np.concatenate([log_capital(chunk, **design)[:, LOOKS].max(axis=1) for chunk in chunks])


def test_path_equals_plain_python_twin():
    rng = np.random.default_rng(1)
    d = rng.uniform(-1.0, 1.0, (3, 200))
    d[rng.random(d.shape) < 0.1] = np.nan
    for null, gain, planned in ((0.0, 0.02, 0.1), (-0.03, 0.03, 0.05), (0.3, 0.1, 0.4)):
        path = log_capital(d, null=null, gain=gain, planned_second_moment=planned)
        for stream, expected in zip(path, d, strict=True):
            np.testing.assert_allclose(stream, plain_log_capital(expected, null, gain, planned), rtol=0, atol=1e-11)


def test_fixed_bet_capital_equals_plain_product():
    d = np.random.default_rng(2).uniform(-1.0, 1.0, 300)
    wealth, expected = 1.0, []
    for one in d:
        wealth *= 1.0 + 0.3 * (one - 0.05)
        expected.append(math.log(wealth))
    np.testing.assert_allclose(log_capital_grid(d, null=0.05, bets=(0.3,)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("up", "down"), [(0.3, 0.3), (0.2, 0.35), (0.5, 0.25)])
def test_capital_is_exactly_fair_at_the_null(up, down):
    """Every sequence of six answers, weighted by its chance: E[W] = 1 at the null, below 1 under it. No simulation."""
    chance = {1.0: up, 0.0: 1.0 - up - down, -1.0: down}
    sequences = list(itertools.product(chance, repeat=6))
    weights = np.array([math.prod(chance[d] for d in sequence) for sequence in sequences])

    def expected_capital(null):
        path = log_capital(np.array(sequences), null=null, gain=0.3, planned_second_moment=0.2)
        return weights @ np.exp(path)

    np.testing.assert_allclose(expected_capital(up - down), 1.0, rtol=0, atol=1e-12)
    assert (np.diff(expected_capital(up - down + 0.1)) < 0.0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.floats(-1.0, 1.0), st.just(math.nan)), min_size=1, max_size=40),
    st.floats(-0.9, 0.9),
    st.floats(1e-4, 1.0),
    st.floats(1e-6, 1.0),
)
def test_one_item_never_costs_more_than_nine_tenths(differences, null, gain, planned):
    path = log_capital(differences, null=null, gain=gain, planned_second_moment=planned)
    assert np.isfinite(path).all()
    assert (np.diff(path, prepend=0.0) >= math.log(0.1) - 1e-9).all()


def test_blocks_repeat_the_batch_path():
    d = np.random.default_rng(3).uniform(-1.0, 1.0, (4, 257))
    design = {"null": 0.0, "gain": 0.02, "planned_second_moment": 0.3}
    whole = log_capital(d, **design)
    for n in (1, 10, 100, 256):
        np.testing.assert_array_equal(log_capital(d[:, :n], **design), whole[:, :n])


def test_missing_pair_neither_bets_nor_counts():
    d = np.array([0.5, -0.25, 1.0, 0.0, -1.0])
    holed = np.array([0.5, np.nan, -0.25, np.nan, 1.0, 0.0, -1.0, np.nan])
    design = {"null": -0.02, "gain": 0.02, "planned_second_moment": 0.1}
    path = log_capital(holed, **design)
    np.testing.assert_array_equal(path[~np.isnan(holed)], log_capital(d, **design))
    assert path[1] == path[0]
    assert log_capital([np.nan, np.nan], **design).tolist() == [0.0, 0.0]


def test_no_item_gives_an_empty_path():
    assert log_capital([], null=0.0, gain=0.1, planned_second_moment=0.1).shape == (0,)


def test_streams_may_have_their_own_design():
    d = np.random.default_rng(4).uniform(-1.0, 1.0, (2, 50))
    both = log_capital(d, null=[0.0, -0.1], gain=[0.02, 0.1], planned_second_moment=[0.1, 0.3])
    np.testing.assert_array_equal(both[0], log_capital(d[0], null=0.0, gain=0.02, planned_second_moment=0.1))
    np.testing.assert_array_equal(both[1], log_capital(d[1], null=-0.1, gain=0.1, planned_second_moment=0.3))


@pytest.mark.parametrize(
    ("differences", "design", "named"),
    [
        ([0.1, 1.5], {}, "1.5"),
        ([0.1, np.inf], {}, "inf"),
        (0.1, {}, "scalar"),
        ([0.1], {"null": 1.0}, "null 1.0"),
        ([0.1], {"gain": 0.0}, "gain 0.0"),
        ([0.1], {"planned_second_moment": 0.0}, "planned_second_moment 0.0"),
        ([0.1], {"planned_second_moment": math.nan}, "planned_second_moment nan"),
        ([0.1], {"null": [0.0, 0.1]}, "one per stream"),
    ],
)
def test_impossible_input_is_named(differences, design, named):
    with pytest.raises(ValueError, match=named):
        log_capital(differences, **{"null": 0.0, "gain": 0.1, "planned_second_moment": 0.1, **design})


@pytest.mark.parametrize("bets", [(1.0,), (-0.1,), ()])
def test_unsafe_fixed_bets_are_refused(bets):
    with pytest.raises(ValueError, match="bet"):
        log_capital_grid([0.1], null=0.0, bets=bets)


def test_items_to_reach_counts_from_one_and_says_never():
    path = np.log(np.array([[1.0, 30.0, 5.0], [1.0, 2.0, 3.0]]))
    assert items_to_reach(path, math.log(20.0)).tolist() == [2.0, math.inf]
    assert items_to_reach(path[0], math.log(20.0)) == 2.0


@pytest.mark.parametrize("discordance", [0.03, 0.1, 0.2, 0.48])
def test_null_streams_stay_below_their_level(discordance):
    """statistics.md 1.9 no. 1: exceedance of 1/a below a + 3 binomial standard deviations."""
    streams = 3000
    d = paired_differences(np.random.default_rng(5), (streams, 1000), gain=0.0, discordance=discordance)
    highest = peaks(d, null=0.0, gain=0.02, planned_second_moment=discordance)
    for level in (0.05, 0.01, 0.0005):
        exceeded = (highest >= math.log(1.0 / level)).mean()
        assert exceeded <= level + 3.0 * math.sqrt(level * (1.0 - level) / streams)


@pytest.mark.parametrize("failing", [0.03, 0.01, 0.005])
def test_brittle_nulls_stay_below_their_level(failing):
    """statistics.md 2.4: small gains everywhere, a few bad failures, mean 0. One-sided t runs over .05 here."""
    d = brittle_differences(np.random.default_rng(6), (1500, 1000), failing=failing)
    sd = math.sqrt(0.05 * 0.95 / 1500)
    assert (peaks(d, null=0.0, gain=0.02, planned_second_moment=0.05) >= math.log(20.0)).mean() <= 0.05 + 3.0 * sd
    t = d[:, :200].mean(axis=1) / d[:, :200].std(axis=1, ddof=1) * math.sqrt(200.0)
    assert (t > 1.653).mean() > 0.05 + 3.0 * sd


def test_futility_loses_at_most_its_share_at_the_planned_gain():
    d = paired_differences(np.random.default_rng(7), (1500, 2000), gain=0.02, discordance=0.1)
    stopped = (log_futility(d, gain=0.02, planned_second_moment=0.1).max(axis=1) >= math.log(10.0)).mean()
    assert stopped <= 0.1 + 3.0 * math.sqrt(0.1 * 0.9 / 1500)
