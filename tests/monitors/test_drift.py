"""The sentinel's e-detector: recursion, run length, what it finds and when; and the trap of a cached reference."""

import math

import numpy as np
import pytest

from netgain.errors import ConfigError
from netgain.evidence.betting import items_to_reach
from netgain.monitors import MONITORS
from netgain.monitors.drift import BETS, interleaved, log_detector, moved, net_of_drift, sentinel_rounds
from netgain.testing.gate_worlds import paired_differences
from netgain.testing.monitor_worlds import by_chance, cached_reference

LENGTH = 2000.0


def found_after(gain, streams, items, *, seed, side="up", tolerance=0.01):
    d = paired_differences(np.random.default_rng(seed), (streams, items), gain=gain, discordance=max(0.1, abs(gain)))
    return items_to_reach(log_detector(d, tolerance=tolerance, side=side), math.log(LENGTH))


def test_the_path_is_the_recursion():
    d = [1.0, -1.0, 0.0, math.nan, 1.0, 0.5]
    sums = {(side, bet): 0.0 for side in (1, -1) for bet in BETS}
    path = []
    for one in d:
        if not math.isnan(one):
            sums = {(s, b): (m + 1.0) * (1.0 + b * (s * one - 0.01)) for (s, b), m in sums.items()}
        path.append(sum(sums.values()) / len(sums))
    assert np.exp(log_detector(d, tolerance=0.01)) == pytest.approx(path)


@pytest.mark.parametrize(("gain", "reference", "cap"), [(0.06, 231, 1500), (0.03, 590, 5000)])
def test_items_until_a_drift_is_found(gain, reference, cap):
    """statistics.md 2.8: 231 and 590 items; its bets are not stated. Ours take 235 and 655, and find every drift."""
    items = found_after(gain, 200, cap, seed=1)
    assert (items < math.inf).all()
    assert abs(items.mean() - reference) <= 0.2 * reference
    assert np.minimum(found_after(gain, 50, cap, seed=1, side="both"), cap).mean() > items.mean()
    assert (found_after(gain, 50, 1000, seed=2, side="down") < math.inf).mean() < 0.1


def test_run_length_without_drift():
    """At the edge of the tolerance: at least 2000 items on average, and at most n / 2000 alarms within n items."""
    streams, items = 100, 8000
    reached = found_after(0.01, streams, items, seed=3)
    for n in (200, 600):
        share = (reached <= n).mean()
        assert share <= n / LENGTH + 3.0 * math.sqrt(n / LENGTH * (1.0 - n / LENGTH) / streams)
    capped = np.minimum(reached, items)
    assert capped.mean() + 3.0 * capped.std() / math.sqrt(streams) >= LENGTH


def test_without_drift_a_third_of_3000_item_stretches_alarm():
    """statistics.md 2.8 says .21 for its bets: a run length is no error probability, whatever the figure."""
    assert (found_after(0.0, 200, 3000, seed=4) < math.inf).mean() == pytest.approx(0.33, abs=0.1)
    assert (found_after(0.0, 200, 3000, seed=4, side="both") < math.inf).mean() == pytest.approx(0.23, abs=0.1)


def test_a_reference_that_is_asked_once_carries_its_luck_into_every_round():
    """A sentinel that answers at random, 40 rounds of 15: the same reference answers in each round break the bound."""
    made, alarms = MONITORS["drift"](), {}
    for fresh in (True, False):
        rng = np.random.default_rng(5)
        world = cached_reference(40, items=15, fresh=fresh)
        alarms[fresh] = np.mean([made.look(world(rng)).alarm for _ in range(150)])
    bound = 40 * 15 / LENGTH
    assert alarms[True] <= bound < bound + 3.0 * math.sqrt(bound * (1.0 - bound) / 150) < alarms[False]


def test_luck_of_the_first_scores_is_allowed_for():
    """With .5 on every item a sentinel alarms in a third of ten rounds, unless its luck was measured."""
    alarms = {}
    for errors in (0.0, 3.0):
        rng, made, world = np.random.default_rng(7), MONITORS["drift"](errors=errors), by_chance([0.5] * 10, items=200)
        alarms[errors] = np.mean([made.look(world(rng)).alarm for _ in range(100)])
    assert alarms[3.0] <= 0.05 < 0.25 < alarms[0.0]
    moved = by_chance([0.5, 0.5, *[0.8] * 8], items=200)
    assert np.mean([MONITORS["drift"]().look(moved(rng)).alarm for _ in range(40)]) > 0.9


def test_luck_that_explains_everything_leaves_nothing_to_see():
    found = MONITORS["drift"]().look([{"round": 1, "sentinel": {"differences": [1, -1], "then_error": 0.4}}])
    assert found.alarm is None and "ask more canary items" in str(found.reason)
    steady = [{"round": 1, "sentinel": {"differences": [1] * 60, "then_error": 0.2}}]
    assert MONITORS["drift"]().look(steady).alarm is True  # of .61 allowed, bets are small and capital stays above 0
    with pytest.raises(ConfigError, match="errors -1"):
        MONITORS["drift"](errors=-1)


def test_a_round_without_a_scored_pair_was_not_measured():
    history = [{"round": 0, "sentinel": {"differences": [0, 0, 1]}}, {"round": 1, "sentinel": {"differences": [None]}}]
    assert MONITORS["drift"]().look(history).alarm is None
    history[1]["sentinel"]["differences"] = [None, 0.5]
    signal = MONITORS["drift"]().look(history)
    assert signal.alarm is False and signal.numbers["drift"] == 0.5


def test_an_alarm_stays():
    d = [1] * 60 + [0] * 2000
    made = MONITORS["drift"]()
    first = [{"round": 0, "sentinel": {"differences": d[:60]}}]
    assert made.look(first).alarm is True
    assert made.look([*first, {"round": 1, "sentinel": {"differences": d[60:]}}]).alarm is True


def test_gains_are_taken_over_the_sentinel_of_the_same_round():
    now, sentinel, then = [1.0, 1.0, 0.0, math.nan], [1.0, 0.0, 0.0, 1.0], 0.0
    assert net_of_drift(now, sentinel) == pytest.approx(1 / 3)
    assert net_of_drift(now, sentinel) != np.nanmean(now) - then
    with pytest.raises(ValueError, match="same items"):
        net_of_drift([1.0], [math.nan])


def test_the_parts_of_the_contract_that_moved_are_named():
    assert moved({"grader": "a", "items": "b", "limits": "c"}, {"grader": "x", "items": "b", "prompt": "d"}) == [
        "grader", "limits", "prompt",
    ]  # fmt: skip
    assert moved({"grader": "a"}, {"grader": "a"}) == []


def test_generation_0_and_a_middle_one_are_measured_on_schedule():
    assert sentinel_rounds(6) == {1: [0], 2: [0], 3: [0], 4: [0, 3], 5: [0, 3], 6: [0, 3]}
    assert sentinel_rounds(7, every=3) == {3: [0], 6: [0, 3], 7: [0, 3]}
    with pytest.raises(ValueError, match="at least 1"):
        sentinel_rounds(0)


def test_systems_are_asked_in_turn_in_random_order():
    order = interleaved(["candidate", "anchor"], 200, np.random.default_rng(1))
    assert [item for item, _ in order[::2]] == list(range(200))
    assert {name for _, name in order[:2]} == {"candidate", "anchor"}
    assert 60 < sum(order[2 * i][1] == "anchor" for i in range(200)) < 140


@pytest.mark.parametrize("wrong", [{"tolerance": 0.2}, {"tolerance": -0.1}, {"side": "left"}])
def test_impossible_designs_are_refused(wrong):
    with pytest.raises(ConfigError):
        log_detector([0.0], **{"tolerance": 0.01, **wrong})
    with pytest.raises(ConfigError):
        MONITORS["drift"](**wrong)
