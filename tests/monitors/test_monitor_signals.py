"""Every monitor: registered as JSON, looked at as a pure function; what could not run is said and is never a pass."""

import json
import math

import pytest

from netgain.errors import ConfigError
from netgain.monitors import MONITORS, from_json, reasons_to_stop
from netgain.monitors.signal import Monitor, Reading

MADE = {name: constructor(**({"reads": "x", "threshold": 0.5} if name == "trend" else {}))
        for name, constructor in MONITORS.items()}  # fmt: skip
KEPT = {"hits": 90, "asked": 100}


def test_the_register_holds_every_monitor_under_its_own_name():
    assert {made.name for made in MADE.values()} == set(MONITORS)
    assert all(made.name == name for name, made in MADE.items())
    assert list(MONITORS) == sorted(MONITORS)


@pytest.mark.parametrize("name", MONITORS)
def test_a_monitor_comes_back_from_a_claim(name):
    registered = json.loads(json.dumps(MADE[name].to_json(), allow_nan=False))
    again = from_json(registered)
    assert again == MADE[name] and again.to_json() == MADE[name].to_json()


@pytest.mark.parametrize("name", MONITORS)
def test_a_monitor_states_its_error_rate_or_that_it_has_none(name):
    said = MADE[name].false_alarm
    assert 0.0 < said < 1.0 if isinstance(said, float) else len(said) > 10
    assert MONITORS[name].__doc__


@pytest.mark.parametrize("name", sorted(set(MONITORS) - {"oscillation"}))  # which compares any values
@pytest.mark.parametrize("value", ["nonsense", {}, {"hits": None}, [], float("nan"), {"differences": [None]}])
def test_a_monitor_that_cannot_run_neither_raises_nor_passes(name, value):
    signal = MADE[name].look([{"round": 0, MADE[name].reads: value}])
    assert signal.alarm is None and signal.value is None and signal.reason
    json.dumps(signal.to_json(), allow_nan=False)


@pytest.mark.parametrize("name", MONITORS)
def test_what_is_missing_in_the_latest_round_is_not_looked_for_in_an_earlier_one(name):
    made = MADE[name]
    history = [{"round": 0, made.reads: KEPT}, {"round": 1, made.reads: None, "why": {made.reads: "the check crashed"}}]
    signal = made.look(history)
    assert (signal.alarm, signal.round) == (None, 1) and "the check crashed" in signal.reason
    assert made.look([]).alarm is None


def test_an_earlier_round_without_the_key_is_left_out():
    made = MONITORS["kept_share"]()
    assert made.look([{"round": 0}, {"round": 1, "kept": KEPT}]).alarm is False


def test_rounds_must_rise():
    signal = MONITORS["kept_share"]().look([{"round": 1, "kept": KEPT}, {"round": 1, "kept": KEPT}])
    assert signal.alarm is None and "must rise" in signal.reason


def plain(direction, value, proven=True):
    rule = lambda points: Reading(value, proven, None if proven else "chance")  # noqa: E731
    return Monitor("m", "x", 0.5, direction, "pause", "none at all", rule).look([{"round": 0, "x": 1}])


@pytest.mark.parametrize(
    ("direction", "value", "alarm"),
    [("at_least", 0.5, True), ("at_least", 0.49, False), ("below", 0.5, False), ("below", 0.49, True)],
)
def test_a_value_at_the_threshold_alarms_on_one_side_only(direction, value, alarm):
    assert plain(direction, value).alarm is alarm
    assert plain(direction, value, proven=False).alarm is False
    assert (plain(direction, value, proven=False).reason == "chance") is alarm


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_no_value(value):
    assert plain("at_least", value).alarm is None


def test_a_loop_stops_on_an_alarm_and_on_what_could_not_run_and_not_on_what_only_watches():
    history = [{"round": 0, "canary": {"hits": 1, "asked": 50}, "budget": {"spent": None, "limit": 10.0}, "kept": KEPT}]
    looks = [MADE[name].look(history) for name in ("canary", "budget", "kept_share")]
    said = reasons_to_stop(looks)
    assert [line.split(" ")[0] for line in said] == ["canary", "budget"]
    assert "could not run" in said[1] and "None" in said[1]
    watching = [MONITORS[name](action="watch").look(history) for name in ("canary", "budget")]
    assert reasons_to_stop(watching) == []


def test_unknown_names_actions_and_options_are_errors():
    registered = MADE["kept_share"].to_json()
    for wrong in (
        {"name": "kept_shares"}, {"action": "explode"}, {"options": {"levels": 0.1}}, {"direction": "at_least"},
        {"options": {"level": 0.05}}, {"threshold": math.inf}, {"options": {"level": 1.5, "looks": 20}},
        {"options": {"level": 0.05, "looks": 0}},
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            from_json({**registered, **wrong})
    with pytest.raises(ConfigError, match="lacks"):
        from_json({"name": "kept_share"})
