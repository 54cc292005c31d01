"""Own against outside loss, spikes and steps that are not finite."""

import math

import numpy as np
import pytest

from netgain.monitors import MONITORS
from netgain.monitors.losses import health, hidden_rise, largest_spike


@pytest.mark.parametrize(
    ("own", "outside", "value"), [(1.0, 2.5, 0.5), (0.5, 2.5, 0.5), (1.3, 2.5, 0.2), (0.2, 1.9, -0.1), (1.5, 2.5, 0.0)]
)
def test_a_rise_that_the_own_loss_shows_is_not_hidden(own, outside, value):
    assert hidden_rise({"own": 1.0, "outside": 2.0}, {"own": own, "outside": outside}) == pytest.approx(value)


def test_one_bad_round_is_no_proof_and_five_worse_ones_are():
    made = MONITORS["own_against_outside"]()
    rise = [{"round": r, "losses": {"own": 1.0 - 0.01 * r, "outside": 2.0 + 0.03 * r}} for r in range(6)]
    assert [made.look(rise[: r + 1]).alarm for r in range(6)] == [False, False, False, False, True, True]
    jump = [{"round": r, "losses": {"own": 1.0, "outside": 2.0 + (r == 5)}} for r in range(6)]
    assert made.look(jump).alarm is False
    assert MONITORS["own_against_outside"](level=None).look(jump).alarm is True


def test_steps_that_are_not_finite_are_counted_and_not_used():
    losses, norms = np.full(30, 2.0), np.ones(30)
    losses[3], norms[9] = math.nan, math.inf
    record = health(losses, norms)
    assert record == {"steps": 30, "non_finite": 2, "loss_spike": 0.0, "gradient_spike": 0.0}
    look = MONITORS["non_finite"]().look([{"round": 1, "health": record}])
    assert look.alarm is True and look.action == "reject"


def test_a_spike_is_measured_against_the_window_before_it():
    rng = np.random.default_rng(1)
    logs = 0.1 * rng.standard_normal(60)
    logs[40] = 2.0
    centre = np.median(logs[20:40])
    scale = 1.4826 * np.median(np.abs(logs[20:40] - centre))
    assert largest_spike(np.exp(logs)) == pytest.approx((2.0 - centre) / scale)
    assert largest_spike(np.exp(np.arange(10.0))) is None
    assert largest_spike(np.array([1.0] * 30 + [1.02])) == pytest.approx(math.log(1.02) / 0.01)


def test_too_few_steps_are_unknown_and_not_quiet():
    record = health(np.ones(5), np.ones(5))
    assert record["gradient_spike"] is None
    assert MONITORS["spikes"]().look([{"round": 1, "health": record}]).alarm is None
    with pytest.raises(ValueError, match="expected"):
        health(np.ones(5), np.ones(6))
