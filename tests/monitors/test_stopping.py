"""Stop rules that count."""

import pytest

from netgain.monitors import MONITORS
from netgain.monitors.stopping import returns


def look(name, values, **options):
    made = MONITORS[name](**options)
    return made.look([{"round": r, made.reads: value} for r, value in enumerate(values)])


@pytest.mark.parametrize(
    ("states", "count"), [("aaaa", 0), ("abcd", 0), ("aba", 1), ("abab", 2), ("abba", 1), ("abcab", 2), ("", 0)]
)
def test_a_return_is_to_something_that_was_left(states, count):
    assert returns(list(states)) == count


def test_the_third_return_stops():
    assert look("oscillation", "abab").alarm is False
    assert look("oscillation", "ababa").alarm is True


@pytest.mark.parametrize(
    ("rolled", "alarm"), [("110111", True), ("1101101", False), ("11", False), ("1110", False), ("111", True)]
)
def test_three_rollbacks_in_a_row(rolled, alarm):
    assert look("rollbacks", [one == "1" for one in rolled]).alarm is alarm


def test_a_gap_among_the_last_rounds_leaves_the_row_unknown():
    made = MONITORS["rollbacks"]()
    gap = [{"round": 0, "rolled_back": True}, {"round": 1}, {"round": 2, "rolled_back": True}]
    assert made.look(gap).alarm is None
    far = [{"round": 0, "rolled_back": False}, *({"round": r, "rolled_back": True} for r in range(2, 6))]
    assert made.look(far).alarm is True
    assert look("rollbacks", [1, 1, 1]).alarm is None


@pytest.mark.parametrize(
    ("record", "alarm"),
    [({"hits": 0, "asked": 50}, False), ({"hits": 1, "asked": 50}, True), ({"hits": 0, "asked": 0}, None)],
)
def test_one_canary_stops_and_nothing_asked_is_no_pass(record, alarm):
    assert look("canary", [record]).alarm is alarm


@pytest.mark.parametrize(
    ("spent", "limit", "alarm"), [(9.0, 10.0, False), (10.0, 10.0, True), (None, 10.0, None), (1.0, 0.0, None)]
)
def test_a_budget(spent, limit, alarm):
    assert look("budget", [{"spent": spent, "limit": limit}]).alarm is alarm


def test_steps_that_keep_growing_diverge_and_one_large_step_does_not():
    assert look("divergence", [1.3**r for r in range(7)]).alarm is True
    assert look("divergence", [1.0, 1.0, 1.1, 0.9, 1.0, 1.0, 9.0]).alarm is False
    assert look("divergence", [1.0, 1.0, 9.0], level=None).alarm is True
    assert look("divergence", [0.0, 1.0]).alarm is None
