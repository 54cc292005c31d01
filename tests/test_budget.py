"""The meter: what is booked is counted, what nobody counted stays unknown."""

import math

import pytest

from netgain.budget import UNITS, Budget, exceeded, metered, total
from netgain.errors import ConfigError


def test_amounts_add_up_by_unit():
    budget = Budget()
    budget.spend(tokens=3, calls=1)
    budget.spend(tokens=4)
    assert budget.spent == {"tokens": 7.0, "calls": 1.0}


@pytest.mark.parametrize("amounts", [{"token": 1}, {"tokens": -1}, {"tokens": math.nan}])
def test_an_unknown_unit_and_an_amount_that_is_none_are_refused_with_the_known_units(amounts):
    budget = Budget()
    with pytest.raises(ConfigError) as error:
        budget.spend(**amounts)
    assert all(unit in str(error.value) for unit in UNITS)
    assert budget.spent == {}


def test_booking_nothing_is_a_known_zero():
    budget = Budget()
    budget.spend(tokens=0)
    assert metered(budget.spent, 1.0)["tokens"] == 0.0


def test_what_the_loop_did_not_book_is_unknown_and_seconds_are_measured():
    amounts = metered({"tokens": 5.0, "device_seconds": 99.0}, 0.25)
    assert amounts["tokens"] == 5.0
    assert amounts["device_seconds"] == 0.25
    unknown = {unit for unit, amount in amounts.items() if amount is None}
    assert unknown == {"flops", "calls", "cost_usd", "human_minutes"}


def test_a_part_that_is_unknown_makes_the_sum_unknown():
    known, unknown = metered({"tokens": 5.0}, 1.0), metered({}, 1.0)
    assert total([known, known])["tokens"] == 10.0
    assert total([known, unknown])["tokens"] is None
    assert total([known, unknown])["device_seconds"] == 2.0
    assert total([known, {}])["device_seconds"] is None


def test_a_limit_is_used_up_when_it_is_reached_and_the_unit_is_named():
    assert exceeded({"tokens": 9.0, "calls": 3.0}, {"tokens": 10.0, "calls": 3.0}) == "calls"
    assert exceeded({"tokens": 9.0}, {"tokens": 10.0}) is None


def test_an_unknown_amount_uses_up_no_limit():
    assert exceeded({"tokens": None}, {"tokens": 1.0}) is None
    assert exceeded({}, {"tokens": 0.0}) is None


def test_what_a_worker_is_sent_does_not_say_what_was_spent():
    budget = Budget(2.0, 100.0, None, 3)
    budget.spend(tokens=50)
    assert Budget(**budget.limits()) == Budget(2.0, 100.0, None, 3)
