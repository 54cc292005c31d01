"""Confidence sequences: coverage at every time at once, nesting, and what a point estimate does at a promotion."""

import itertools
import math

import numpy as np
import pytest

from netgain.evidence.betting import log_capital
from netgain.evidence.sequences import confidence_sequence
from netgain.testing.gate_worlds import brittle_differences, paired_differences

DESIGN = {"gain": 0.05, "planned_second_moment": 0.2}


def covered(streams, truth):
    """Share of streams whose interval has left the truth out at no time: it is the intersection over all times."""
    found = [confidence_sequence(one, alpha=0.1, grid=201, **DESIGN) for one in streams]
    return np.mean([bounds.low <= truth <= bounds.high for bounds in found])


@pytest.mark.parametrize("gain", [0.0, 0.1])
def test_the_truth_is_inside_at_all_times(gain):
    d = paired_differences(np.random.default_rng(1), (150, 400), gain=gain, discordance=0.2).astype(float)
    assert covered(d, gain) >= 0.9 - 3.0 * math.sqrt(0.09 / 150)


def test_the_truth_is_inside_for_skewed_scores():
    d = brittle_differences(np.random.default_rng(2), (150, 400), failing=0.02)
    assert covered(d, 0.0) >= 0.9 - 3.0 * math.sqrt(0.09 / 150)


def test_an_end_is_where_the_capital_reaches_its_threshold():
    d = paired_differences(np.random.default_rng(3), (500,), gain=0.1, discordance=0.3).astype(float)
    bounds = confidence_sequence(d, alpha=0.05, **DESIGN)
    step = 2.0 / 400
    for m, out in ((bounds.low, True), (bounds.low + step, False)):
        assert (log_capital(d, null=m, **DESIGN).max() >= math.log(40.0)) == out
    for m, out in ((bounds.high, True), (bounds.high - step, False)):
        assert (log_capital(-d, null=-m, **DESIGN).max() >= math.log(40.0)) == out


def test_more_pairs_never_widen_it_and_none_say_nothing():
    d = paired_differences(np.random.default_rng(4), (600,), gain=0.05, discordance=0.3).astype(float)
    found = [confidence_sequence(d[:n], alpha=0.05, **DESIGN) for n in (0, 50, 200, 600)]
    assert (found[0].low, found[0].high, found[0].pairs) == (-1.0, 1.0, 0)
    assert all(a.low <= b.low and b.high <= a.high for a, b in itertools.pairwise(found))
    assert found[-1].low < d.mean() < found[-1].high
    d[::7] = np.nan
    assert confidence_sequence(d, alpha=0.05, **DESIGN).pairs == int((~np.isnan(d)).sum())


def test_ville_puts_its_interval_in_the_same_place():
    """Other bets, same construction: both hold the mean, and neither is twice as wide as the other."""
    ville = pytest.importorskip("ville", reason="ville is not installed")
    d = paired_differences(np.random.default_rng(5), (1500,), gain=0.08, discordance=0.3).astype(float)
    ours = confidence_sequence(d, alpha=0.05, gain=0.08, planned_second_moment=0.3)
    low, high = ville.BettingCS(bounds=(-1.0, 1.0), alpha=0.05, grid=401).fit(d).interval()
    assert low < d.mean() < high
    assert 0.5 < (ours.high - ours.low) / (high - low) < 2.0
    assert max(low, ours.low) < min(high, ours.high)


def test_at_a_promotion_the_point_estimate_is_too_large_and_the_interval_is_not():
    """statistics.md 2.7: among promoted candidates of true gain 2 points, means of about 4 are reported."""
    d = paired_differences(np.random.default_rng(6), (2500, 1000), gain=0.02, discordance=0.1).astype(float)
    path = log_capital(d, null=0.0, gain=0.02, planned_second_moment=0.1)
    stops = np.where((path >= math.log(2000)).any(axis=1), (path >= math.log(2000)).argmax(axis=1) + 1, 0)
    promoted = np.flatnonzero(stops)
    assert len(promoted) > 20
    reported = np.array([d[i, : stops[i]].mean() for i in promoted])
    assert reported.mean() > 1.5 * 0.02
    design = {"gain": 0.02, "planned_second_moment": 0.1}
    held = [confidence_sequence(d[i, : stops[i]], alpha=0.05, **design) for i in promoted[:40]]
    # Coverage is over all candidates; among the few promoted ones the lower end is what promotion needs: above 0.
    assert all(bounds.low >= 0.0 for bounds in held)
    assert np.mean([bounds.low < one for bounds, one in zip(held, reported, strict=False)]) == 1.0


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"grid": 2}])
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match="alpha"):
        confidence_sequence([0.1], **{"alpha": 0.05, **DESIGN, **wrong})
