"""Error rates and lead times in simulated loops: what docs/monitors.md prints, at a size for every change."""

import math

import pytest

from netgain.testing.monitor_worlds import cases, measured

CASES = cases()
LATE = {"agreement": 1.0, "spikes": 0.0, "spikes, heavy tails": 0.0}  # rounds after the damage that are allowed
MISSED = {"spikes": 0.25, "spikes, heavy tails": 0.25, "futility": 0.15, "convergence": 0.15}


def check(name, histories, seed):
    case = CASES[name]
    found = measured(case, histories, seed)
    said = case.monitor.false_alarm
    if isinstance(said, float):
        assert found.false <= said + 3.0 * math.sqrt(said * (1.0 - said) / histories)
    assert found.found >= 1.0 - MISSED.get(name, 0.05)
    if case.damage is not None:
        assert found.round <= case.damage + LATE.get(name, -0.5)


@pytest.mark.parametrize("name", [name for name in CASES if name != "drift"])
def test_false_alarms_and_lead_times(name):
    check(name, max(8, CASES[name].histories // 8), seed=101)


@pytest.mark.nightly
@pytest.mark.parametrize("name", CASES)
def test_false_alarms_and_lead_times_at_length(name):
    check(name, 4 * CASES[name].histories, seed=102)
