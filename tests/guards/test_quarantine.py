"""A gain without the quarantined items."""

import math

import pytest

from netgain.errors import ConfigError
from netgain.guards import recomputed


def test_the_gain_is_computed_again_without_them():
    found = recomputed([1.0, 0.0, math.nan, -1.0, 0.5], ["a", "b", "a", "c", "a"], {"a", "z"})
    assert found.before == 0.125 and found.after == -0.5
    assert (found.items, found.kept, found.quarantined, found.unknown) == (4, 2, ("a",), ("z",))


def test_nothing_affected_changes_nothing():
    found = recomputed([1.0, 0.0], ["a", "b"], frozenset())
    assert found.before == found.after == 0.5 and found.quarantined == ()


@pytest.mark.parametrize(("differences", "ids"), [([1.0], ["a"]), ([math.nan], ["b"]), ([], [])])
def test_no_item_left_is_unknown_and_not_zero(differences, ids):
    found = recomputed(differences, ids, {"a"})
    assert found.after is None and found.reason


def test_ids_have_to_fit():
    with pytest.raises(ConfigError, match="2 differences for 1"):
        recomputed([1.0, 0.0], ["a"], set())
