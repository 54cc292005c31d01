"""e-LOND and e-BH: against other packages where they are installed, against their definition, and by simulation."""

import math

import numpy as np
import pytest

from netgain.evidence.betting import log_capital, log_capital_grid
from netgain.evidence.spending import Spending, e_bh, e_lond, open_weight
from netgain.testing.gate_worlds import paired_differences


def drawn_log_e(seed, n=60):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.3, rng.normal(9.0, 3.0, n), rng.normal(-1.0, 1.0, n))


def test_open_weights_sum_to_at_most_one():
    assert 0.9 < sum(open_weight(k) for k in range(1, 200_000)) < 1.0


def test_the_level_grows_with_promotions_and_only_in_e_lond():
    for ledger, grown in (("e-lond", 3.0), ("spending", 1.0), ("uniform", 1.0)):
        spending = Spending(0.05, 20, ledger)
        assert spending.level(7, 2) / spending.level(7, 0) == pytest.approx(grown)
    assert Spending(0.05, None, "e-lond").level(1) == Spending(0.05).level(1)
    assert Spending(0.05, 20, "spending").level(3) == Spending(0.05).level(3)


@pytest.mark.parametrize(("ledger", "named"), [("lond", "none of"), ("uniform", "declare them")])
def test_impossible_ledgers_are_refused(ledger, named):
    with pytest.raises(ValueError, match=named):
        Spending(0.05, None, ledger)
    with pytest.raises(ValueError, match="promotions before"):
        Spending(0.05, 5).level(2, 2)


@pytest.mark.parametrize("seed", range(20))
def test_e_lond_decides_as_online_fdr(seed):
    online_fdr = pytest.importorskip("online_fdr.e_values", reason="online-fdr is not installed")

    class OurWeights:
        def calc_gamma(self, index, **_):
            return open_weight(index)

    log_e = drawn_log_e(seed)
    theirs = online_fdr.ELond(0.05, OurWeights())
    assert e_lond(log_e, 0.05).tolist() == [theirs.test_one(math.exp(one)) for one in log_e]


@pytest.mark.parametrize("seed", range(20))
def test_e_bh_decides_as_online_fdr(seed):
    online_fdr = pytest.importorskip("online_fdr.e_values", reason="online-fdr is not installed")
    log_e = drawn_log_e(seed)
    assert e_bh(log_e, 0.1).tolist() == list(online_fdr.e_bh(np.exp(log_e).tolist(), 0.1))


@pytest.mark.parametrize("seed", range(20))
def test_e_bh_decides_as_ville(seed):
    ville = pytest.importorskip("ville.evalues", reason="ville is not installed")
    log_e = drawn_log_e(seed)
    assert e_bh(log_e, 0.1).tolist() == ville.ebh(np.exp(log_e), 0.1).tolist()


@pytest.mark.parametrize("seed", range(20))
def test_e_bh_is_its_definition(seed):
    """The largest k for which k hypotheses have E >= n / (k level)."""
    log_e = drawn_log_e(seed, n=25)
    e = np.exp(log_e)
    k = max((k for k in range(1, 26) if (e >= 25 / (k * 0.1)).sum() >= k), default=0)
    assert e_bh(log_e, 0.1).tolist() == (e >= np.sort(e)[-k]).tolist() if k else not e_bh(log_e, 0.1).any()


def test_nothing_and_nonsense():
    assert e_bh([], 0.05).shape == e_lond([], 0.05).shape == (0,)
    with pytest.raises(ValueError, match="NaN"):
        e_bh([math.nan], 0.05)
    with pytest.raises(ValueError, match="level"):
        e_bh([1.0], 0.0)


def test_fixed_bet_capital_equals_the_betting_e_process_of_online_fdr():
    online_fdr = pytest.importorskip("online_fdr.e_values", reason="online-fdr is not installed")
    d = np.random.default_rng(4).uniform(-1.0, 1.0, 300)
    theirs = online_fdr.BettingEProcess(0.3)
    expected = [math.log(theirs.update(one - 0.05)) for one in d]
    np.testing.assert_allclose(log_capital_grid(d, null=0.05, bets=(0.3,)), expected, rtol=0, atol=1e-10)


def false_shares(loops, seed):
    """False discovery proportion of e-LOND and e-BH in every loop of 40 candidates, 8 of them true gains."""
    rng, shares = np.random.default_rng(seed), []
    for _ in range(loops):
        truth = rng.permutation(np.repeat([True, False], [8, 32]))
        gain = np.where(truth, 0.03, 0.0)
        d = np.vstack([paired_differences(rng, (1, 2000), gain=one, discordance=0.1) for one in gain])
        # e-BH and e-LOND take e-values at a stopping time: here at the end, the highest would be none.
        log_e = log_capital(d, null=0.0, gain=0.02, planned_second_moment=0.1)[:, -1]
        for found in (e_lond(log_e, 0.1), e_bh(log_e, 0.1)):
            shares.append((found & ~truth).sum() / max(1, found.sum()))
    return np.array(shares).reshape(loops, 2)


def test_of_what_is_promoted_few_are_no_gain():
    """statistics.md 1.9 no. 4: FDR at most a, with a three-sigma allowance for the simulation."""
    shares = false_shares(40, seed=31)
    assert (shares.mean(axis=0) <= 0.1 + 3.0 * shares.std(axis=0) / math.sqrt(len(shares))).all()


@pytest.mark.nightly
def test_false_discovery_rate_over_many_loops():
    shares = false_shares(1000, seed=32)
    assert (shares.mean(axis=0) <= 0.1).all()
