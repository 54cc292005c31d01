"""Items lost and won against generation 0."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from netgain.monitors import MONITORS
from netgain.monitors.flips import churn, flips


def test_items_are_counted_by_how_they_changed_and_only_where_both_were_scored():
    counts = flips([1, 1, 0, 0, 1, math.nan], [1, 0, 1, 0, math.nan, 1])
    assert counts == {"lost": 1, "won": 1, "both": 1, "neither": 1}
    assert churn(counts) == 0.5
    with pytest.raises(ValueError, match="0 or 1"):
        flips([0.5], [1.0])


@pytest.mark.parametrize(("lost", "won"), [(40, 20), (30, 20), (3, 0), (20, 40)])
def test_a_net_loss_is_proven_by_mcnemars_exact_test(lost, won):
    record = {"lost": lost, "won": won, "both": 200, "neither": 100}
    signal = MONITORS["net_loss"](looks=1).look([{"round": 0, "flips": record}])
    p = binomtest(lost, lost + won, alternative="greater").pvalue
    assert signal.alarm is bool(p <= 0.05 and (lost - won) / (300 + lost + won) >= 0.01)


def test_negative_flips_count_what_was_won_for_nothing():
    record = {"lost": 60, "won": 300, "both": 240, "neither": 0}
    history = [{"round": 0, "flips": record}]
    assert MONITORS["net_loss"]().look(history).alarm is False
    assert MONITORS["negative_flips"]().look(history).alarm is True
    assert MONITORS["negative_flips"](threshold=0.2).look(history).alarm is False


def test_no_item_is_no_rate():
    nothing = flips(np.array([math.nan]), np.array([1.0]))
    for name in ("net_loss", "negative_flips"):
        assert MONITORS[name]().look([{"round": 0, "flips": nothing}]).alarm is None
