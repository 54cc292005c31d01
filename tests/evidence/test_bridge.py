"""The bridge between two contracts: pairs item by item, an interval that holds, and when there is none."""

import numpy as np
import pytest

from netgain.evidence.bridge import Change, Pair, bounded, change, gap, gaps, less, stated


def sheet(values, *, items="i", system="s", status=None):
    gone = {str(i): "no answer" for i, one in enumerate(values) if one is None}
    return {"values": values, "items": items, "system": system, "status": {**gone, **(status or {})}}


def test_the_change_is_the_mean_of_new_less_old_over_items_with_both():
    found = change([(sheet([1, 0, 0, None]), sheet([1, 1, None, 1]))])
    assert (found.mean, found.items, found.paired) == (0.5, 4, 2)
    assert found.low < 0.5 < found.high


def test_other_items_are_no_pair():
    with pytest.raises(ValueError, match="expected the same block twice"):
        change([(sheet([1], items="a"), sheet([1], items="b"))])


def test_an_item_that_several_systems_answered_counts_once():
    zeros, ones = [0] * 50, [1] * 50
    once = change([(sheet(zeros), sheet(ones))])
    same = change([(sheet(zeros, system=name), sheet(ones, system=name)) for name in "abc"])
    assert same == once
    both = change([(sheet(zeros), sheet(ones)), (sheet(zeros, system="t"), sheet(zeros, system="t"))])
    assert (both.mean, both.paired) == (0.5, 50)
    twice = change([(sheet(zeros), sheet(ones)), (sheet(zeros, items="j"), sheet(ones, items="j"))])
    assert (twice.paired, twice.high - twice.low < once.high - once.low) == (100, True)


def test_without_a_pair_there_is_no_number():
    assert change([]) == Change(None, None, None, 0, 0)
    found = change([(sheet([None]), sheet([1]))])
    assert (found.mean, found.paired) == (None, 0)
    assert found.to_json()["mean_reason"]


@pytest.mark.parametrize("truth", [-0.1, 0.0, 0.05])
def test_the_interval_holds_the_true_change(truth):
    """95 %, two-sided, 200 bridges of 200 items: seed 7. Measured: none outside, mean width .22."""
    rng = np.random.default_rng(7)
    moves = rng.choice([1.0, 0.0, -1.0], p=[0.1 + truth / 2, 0.8, 0.1 - truth / 2], size=(200, 200))
    found = [bounded(one) for one in moves]
    outside = sum(not one.low <= truth <= one.high for one in found)
    assert outside <= 0.05 * 200
    assert np.mean([one.high - one.low for one in found]) < 0.25  # and it says something


def test_a_score_less_a_movement_adds_both_intervals():
    found = less(Change(0.8, 0.7, 0.9, 100, 100), Change(0.1, 0.05, 0.2, 50, 40))
    assert (found.mean, found.low, found.high) == pytest.approx((0.7, 0.5, 0.85))
    assert less(Change(0.8, 0.7, 0.9, 9, 9), Change(None, None, None, 9, 0)).mean is None  # unknown is not 0


def test_less_drift_holds_however_score_and_movement_depend():
    """Worst case: the same noise is in both. 120 trials of 300 items, seed 3."""
    rng, missed = np.random.default_rng(3), 0
    for _ in range(120):
        score = (rng.random(300) < 0.6).astype(float)
        drift = np.where(score > 0, 0.0, rng.random(300) < 0.25)  # moved only where the score is 0
        found = less(bounded(score, 0.025), bounded(drift, 0.025))
        missed += not found.low <= 0.6 - 0.1 <= found.high
    assert missed <= 0.05 * 120


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([1] * 100, [1] * 95 + [None] * 5, ""),
        ([1] * 100, [1] * 94 + [None] * 6, "6 of 100 items have a score under the old contract only"),
        ([None] * 99 + [1], [1] * 100, "1 items have a score under both contracts"),
        ([1] * 50 + [None] * 50, [1] * 50 + [None] * 50, ""),  # what had no score before is not lost
    ],
)
def test_too_many_lost_scores_are_no_bridge(old, new, said):
    assert gap(sheet(old), sheet(new)).startswith(said) and bool(gap(sheet(old), sheet(new))) == bool(said)


def test_items_that_a_run_trained_on_meanwhile_are_not_lost():
    gone = {str(i): "quarantined: the run trained on this question" for i in range(10)}
    assert gap(sheet([1] * 100), sheet([None] * 10 + [1] * 90, status=gone)) == ""


def test_a_bridge_is_stated_by_axis_and_kind_and_its_gaps_by_run():
    good, bad = (sheet([0] * 10), sheet([1] * 10)), (sheet([0] * 10, items="j"), sheet([None] * 10, items="j"))
    pairs = [Pair("r0/self", "b", "released", *good), Pair("r0/self", "a", "generation 0", *bad)]
    assert [(one["axis"], one["of"], one["mean"]) for one in stated(pairs)] == [
        ("a", "generation 0", None), ("b", "released", 1.0),
    ]  # fmt: skip
    assert gaps(pairs) == {"r0/self, a, generation 0": "10 of 10 items have a score under the old contract only"}
