"""Effects: paired differences, net gains, the telescoping chain, mean beside median."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgain.evidence.effects import chain, chain_gap, closest_controls, contrast, mean_beside_median, net_gains

OWN = [0.9, 0.8, 0.85]
CONTROLS = {"frozen": [0.4, 0.4, 0.4], "ordinary": [0.5, 0.3, 0.45]}


def test_contrast_is_paired_by_start():
    result = contrast(OWN, CONTROLS["ordinary"], control="ordinary")
    assert result.differences == pytest.approx((0.4, 0.5, 0.4))
    assert (result.median, result.smallest, result.largest) == pytest.approx((0.4, 0.4, 0.5))
    assert result.starts == 3


def test_contrast_without_a_pair_knows_nothing():
    result = contrast([0.9], [math.nan], control="frozen")
    assert (result.median, result.smallest, result.largest, result.starts) == (None, None, None, 0)


def test_net_gain_is_the_smallest_distance_to_any_control():
    assert net_gains(OWN, CONTROLS).tolist() == pytest.approx([0.4, 0.4, 0.4])
    assert closest_controls(OWN, CONTROLS) == ("ordinary", "frozen", "ordinary")


def test_failed_control_may_not_help_and_own_failure_is_unknown():
    gains = net_gains([0.9, math.nan], {"frozen": [0.4, 0.4], "ordinary": [math.nan, 0.3]})
    assert gains[0] == -math.inf
    assert math.isnan(gains[1])
    assert closest_controls([0.9], {"frozen": [math.nan]}) == (None,)


def test_net_gain_needs_a_control_and_equal_starts():
    with pytest.raises(ValueError, match="no control"):
        net_gains(OWN, {})
    with pytest.raises(ValueError, match="'frozen' has shape"):
        net_gains(OWN, {"frozen": [0.1]})


@given(st.lists(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4), min_size=2, max_size=6))
def test_chain_steps_sum_to_the_total(columns):
    scores = {str(i): column for i, column in enumerate(columns)}
    result = chain(scores, list(scores))
    assert chain_gap(result) <= 1e-12
    per_start = np.sum([step.differences for step in result.steps], axis=0)
    np.testing.assert_allclose(per_start, np.subtract(columns[-1], columns[0]), atol=1e-12)


def test_chain_uses_complete_starts_only_and_still_telescopes():
    scores = {"frozen": [0.1, 0.2], "ordinary": [0.2, math.nan], "self": [0.6, 0.9]}
    result = chain(scores, ["frozen", "ordinary", "self"])
    assert (result.starts, result.total) == (1, pytest.approx(0.5))
    assert [step.mean for step in result.steps] == pytest.approx([0.1, 0.4])


@pytest.mark.parametrize(
    ("order", "named"), [(["frozen"], "two arms"), (["frozen", "flat"], "'flat'"), (["frozen", "void"], "no start")]
)
def test_impossible_chains_are_refused(order, named):
    with pytest.raises(ValueError, match=named):
        chain({"frozen": [0.1], "void": [math.nan]}, order)


def test_mean_and_median_may_disagree_in_sign():
    assert mean_beside_median([0.05, 0.06, 0.07, -0.9], delta=0.0).agree is False
    assert mean_beside_median([0.5, 0.6, -math.inf], delta=0.3).agree is True
    assert mean_beside_median([0.3, 0.3], delta=0.3).agree is None
    assert mean_beside_median([math.nan], delta=0.3).mean is None
