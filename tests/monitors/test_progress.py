"""Stop rules on gains: e-processes over rounds, started anew in each."""

import math

import numpy as np
import pytest

from netgain.errors import ConfigError
from netgain.evidence.betting import GRID
from netgain.monitors import MONITORS
from netgain.monitors.progress import log_restarts
from netgain.testing.monitor_worlds import first_alarm, paired


def test_the_capital_is_the_average_over_bets_and_starting_rounds():
    each = np.random.default_rng(1).standard_normal((4, len(GRID)))
    total = 0.0
    for bet in range(len(GRID)):
        e = 1.0 / 5.0
        for s in range(1, 5):
            e += math.exp(each[s - 1 :, bet].sum()) / (s * (s + 1))
        total += e / len(GRID)
    assert log_restarts(each) == pytest.approx(math.log(total))


def test_before_any_evidence_the_capital_is_one():
    assert log_restarts(np.zeros((3, 7))) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("name", "key", "mean", "alarm"),
    [
        ("futility", "step", 0.0, True), ("futility", "step", 0.06, False), ("futility", "step", -0.1, True),
        ("convergence", "step", 0.0, True), ("convergence", "step", 0.06, False), ("convergence", "step", -0.1, False),
        ("harm", "since_start", 0.0, False), ("harm", "since_start", -0.06, True),
    ],
)  # fmt: skip
def test_which_means_stop_a_loop(name, key, mean, alarm):
    history = paired(key, [mean] * 8, items=1000, discordance=0.1)(np.random.default_rng(1))
    assert MONITORS[name]().look(history).alarm is alarm


def test_a_late_plateau_is_found_as_soon_as_a_fresh_start_would_nearly():
    """Mutation: without restarts the early gains would have to be paid back first."""
    history = paired("step", [0.1] * 6 + [0.0] * 10, items=800, discordance=0.1)(np.random.default_rng(2))
    made = MONITORS["futility"]()
    assert first_alarm(made, history[:6]) is None
    assert first_alarm(made, history) <= 12
    alone = [sum(np.log1p(0.16 * (0.02 - np.array(r["step"]["differences"])))) for r in history]
    assert np.cumsum(alone).max() < math.log(20)


def test_a_round_without_a_scored_pair_does_not_go_on():
    for name, key in (("harm", "since_start"), ("futility", "step")):
        signal = MONITORS[name]().look([{"round": 1, key: {"differences": [None, None]}}])
        assert signal.alarm is None and "no scored pair" in signal.reason


def test_a_stated_rate_is_that_of_the_threshold():
    assert MONITORS["harm"](threshold=math.log(100)).false_alarm == pytest.approx(0.01)


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"margin": 0.6}, {"margin": -0.1}])
def test_impossible_designs_are_refused(wrong):
    with pytest.raises(ConfigError, match="threshold|margin"):
        MONITORS["harm"](**wrong)
