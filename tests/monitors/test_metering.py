"""What a round cost against what it booked: unknown amounts are no pass, and the unit is one that both sides book."""

import pytest

from netgain.monitors import MONITORS
from netgain.watching import counts_of, metering_of

NOW = {"device_seconds": 4.0, "tokens": 10.0, "flops": None}
FIRST = {"device_seconds": 3.0, "tokens": 20.0, "flops": 5.0}


def test_the_unit_is_the_first_that_both_book():
    found = metering_of(NOW, FIRST)["metering"]
    assert found == {"unit": "tokens", "seconds": 4.0, "booked": 10.0, "first": {"seconds": 3.0, "booked": 20.0}}
    assert metering_of({**NOW, "flops": 1.0}, FIRST)["metering"]["unit"] == "flops"
    signal = MONITORS["unbooked"]().look([{"round": 1, "metering": found}])
    assert signal.value == pytest.approx(0.4 / 0.15) and signal.alarm is True


@pytest.mark.parametrize("lost", ["now", "first"])
def test_a_side_that_books_nothing_leaves_the_monitor_blind(lost):
    nothing = {"device_seconds": 4.0, "tokens": None, "flops": 0.0}
    record = metering_of(nothing, FIRST) if lost == "now" else metering_of(NOW, nothing)
    assert record == {} and MONITORS["unbooked"]().look([{"round": 1, **record}]).alarm is None


def test_unknown_seconds_leave_it_blind_too():
    record = metering_of({**NOW, "device_seconds": None}, FIRST)
    assert MONITORS["unbooked"]().look([{"round": 1, **record}]).alarm is None


def test_what_was_quarantined_is_counted_of_all_that_was_made():
    assert counts_of({"kept": 3, "of": 10, "quarantined": 2})["quarantined"] == {"hits": 2, "asked": 10}
    assert "quarantined" not in counts_of({})
