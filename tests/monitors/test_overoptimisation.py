"""Proxy and gold under growing pressure."""

import math

import numpy as np
import pytest

from netgain.monitors import MONITORS
from netgain.monitors.overoptimisation import fit_gold, strength_of_best_of, unconfirmed
from netgain.testing.monitor_worlds import first_alarm, goodhart


def test_strength_of_best_of_n():
    assert strength_of_best_of(1) == 0.0
    assert strength_of_best_of(256) ** 2 == pytest.approx(math.log(256) - 255 / 256)
    with pytest.raises(ValueError, match="best of"):
        strength_of_best_of(0)


def test_the_fit_finds_a_curve_that_it_is_given():
    d = np.linspace(0.0, 3.0, 7)
    fit = fit_gold(d, -0.1 + d * (1.2 - 0.3 * d))
    assert (fit.start, fit.alpha, fit.beta, fit.peak) == pytest.approx((-0.1, 1.2, 0.3, 2.0))
    assert fit_gold(d, d).peak is None or fit_gold(d, d).beta < 1e-9
    assert fit_gold(d, d * (1.0 + 0.1 * d)).peak is None
    with pytest.raises(ValueError, match="at least 3"):
        fit_gold([0.0, 1.0], [0.0, 1.0])


@pytest.mark.parametrize(
    ("proxy", "gold", "share"), [(2.0, 1.0, 0.0), (2.0, 0.5, 0.5), (2.0, -1.0, 2.0), (0.5, -3.0, 0.0), (3.0, 3.0, -0.5)]
)
def test_what_gold_does_not_confirm(proxy, gold, share):
    first = {"proxy": 1.0, "gold": 0.0}
    assert unconfirmed(first, {"proxy": proxy, "gold": gold}) == pytest.approx(share)


def test_the_alarm_comes_by_the_peak_in_at_least_three_quarters_of_turning_worlds():
    """Loop H in small, other seeds than those that the threshold was chosen on; 25 worlds of 30 labels."""
    made, rng = MONITORS["proxy_gold_gap"](), np.random.default_rng(77)
    worlds = [goodhart(labels=30, turns=True, pool=8_000)(rng) for _ in range(25)]
    peaks = [int(np.argmax([record["proxy"]["gold"] for record in world])) for world in worlds]
    alarms = [first_alarm(made, world) for world in worlds]
    assert all(alarm is not None for alarm in alarms)
    assert np.mean([alarm <= peak for alarm, peak in zip(alarms, peaks, strict=True)]) >= 0.75


def test_the_fitted_peak_is_a_number_beside_the_signal():
    world = goodhart(labels=30, turns=True, pool=8_000)(np.random.default_rng(5))
    numbers = MONITORS["proxy_gold_gap"]().look(world).numbers
    best = max((record["proxy"] for record in world), key=lambda one: one["gold"])
    assert numbers["peak"] == pytest.approx(best["strength"], abs=0.6)
    assert "peak" not in MONITORS["proxy_gold_gap"]().look(world[:3]).numbers


def test_generation_0_is_the_weakest_strength_where_it_is_known():
    first = {"strength": 0.0, "proxy": 1.0, "gold": 1.0}
    records = [{"strength": 1.0, "proxy": 2.0, "gold": 1.5, "first": first}]
    look = MONITORS["proxy_gold_gap"]().look
    assert look([{"round": 1, "proxy": records[0]}]).value == pytest.approx(0.5)
    assert look([{"round": 1, "proxy": {**records[0], "first": {**first, "gold": 0.6}}}]).alarm is False
    assert look([{"round": 1, "proxy": {key: records[0][key] for key in ("strength", "proxy", "gold")}}]).value == 0.0


def test_an_own_score_has_to_be_shown_above_the_outside_one():
    def look(own, outside):
        record = {"own": {"hits": own, "asked": 100}, "outside": {"hits": outside, "asked": 400}}
        return MONITORS["yardstick"]().look([{"round": 1, "yardstick": record}])

    assert look(75, 200).alarm is True and look(75, 200).value == pytest.approx(0.25)
    assert look(50, 300).alarm is False and look(55, 200).alarm is False
    assert look(62, 200).alarm is False and "is above" in look(62, 200).reason
    assert look(0, 0).alarm is False
    nothing = {"own": {"hits": 0, "asked": 0}, "outside": {"hits": 1, "asked": 4}}
    assert MONITORS["yardstick"]().look([{"round": 1, "yardstick": nothing}]).alarm is None
