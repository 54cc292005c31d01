"""The power curve lies where it says, and rises."""

from dataclasses import replace

import pytest

from netgain.gauntlet.found import QUICK
from netgain.gauntlet.power import TIMES, power_curve
from netgain.gauntlet.record import claim_of
from netgain.gauntlet.world import World


@pytest.fixture(scope="module")
def curve():
    return power_curve(replace(QUICK, studies=8, truth=400), 1)


def test_each_point_has_the_gain_that_it_is_named_after(curve):
    expected = claim_of(World()).expected
    assert [one.times for one in curve] == list(TIMES)
    for one in curve:
        assert one.found.truth.gain == pytest.approx(one.times * expected, abs=0.02)
        assert one.found.true


def test_a_larger_gain_is_supported_more_often(curve):
    half, once, twice = (one.found.supported for one in curve)
    assert half < once <= twice == 8
