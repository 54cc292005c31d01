"""Raters of unequal honesty (statistics.md 2.8), and one that favours its own."""

import numpy as np
import pytest

from netgain.monitors import MONITORS
from netgain.monitors.raters import UNKNOWN, dawid_skene, majority
from netgain.testing.monitor_worlds import votes

ITEMS, GOLD = 2000, 100


def shares_right(accuracies, seed=1):
    """Share right of majority, Dawid-Skene, and Dawid-Skene started from gold, on items that are not gold."""
    truth, given = votes(np.random.default_rng(seed), ITEMS, accuracies)
    gold = np.where(np.arange(ITEMS) < GOLD, truth, UNKNOWN)
    found = (majority(given), dawid_skene(given).labels, dawid_skene(given, gold=gold).labels)
    return [float((labels[GOLD:] == truth[GOLD:]).mean()) for labels in found]


@pytest.mark.parametrize(
    ("accuracies", "reference"),
    [([0.75] * 3 + [0.2] * 2, (0.58, 0.92, 0.92)), ([0.75] * 2 + [0.2] * 3, (0.32, 0.08, 0.92))],
)
def test_hostile_raters(accuracies, reference):
    """The second line is "three hostile" of five: its majority of .32 is what two honest ones leave."""
    assert shares_right(accuracies) == pytest.approx(reference, abs=0.03)


def test_gold_that_only_pins_its_own_labels_does_not_help():
    """Mutation: the same gold, put in after a majority start, leaves the rest locked onto the liars."""
    truth, given = votes(np.random.default_rng(1), ITEMS, [0.75] * 2 + [0.2] * 3)
    labels = dawid_skene(given).labels
    labels[:GOLD] = truth[:GOLD]
    assert (labels[GOLD:] == truth[GOLD:]).mean() < 0.15


def test_three_classes_missing_votes_and_confusion():
    rng = np.random.default_rng(2)
    truth = rng.integers(3, size=1500)
    wrong = (truth[:, None] + rng.integers(1, 3, size=(1500, 4))) % 3
    given = np.where(rng.random((1500, 4)) < [0.9, 0.8, 0.7, 0.4], truth[:, None], wrong)
    given[rng.random((1500, 4)) < 0.3] = UNKNOWN
    found = dawid_skene(given, classes=3)
    assert (found.labels == truth).mean() > (majority(given, classes=3) == truth).mean()
    diagonals = found.confusion[:, range(3), range(3)].mean(axis=1)
    assert diagonals == pytest.approx([0.9, 0.8, 0.7, 0.4], abs=0.06)
    assert found.chances.sum(axis=1) == pytest.approx(np.ones(1500))


def test_gold_stays_and_an_item_without_votes_has_no_majority():
    given = np.array([[1, 1, 1], [UNKNOWN] * 3, [0, 1, UNKNOWN]])
    assert majority(given).tolist() == [1, UNKNOWN, 0]
    assert dawid_skene(given, gold=[0, UNKNOWN, UNKNOWN]).labels[0] == 0


def test_wrong_votes_are_refused():
    with pytest.raises(ValueError, match="classes run from"):
        majority([[0, 2]])
    with pytest.raises(ValueError, match="no known item"):
        dawid_skene([[0, 1]], gold=[UNKNOWN])


def test_own_proposals_are_compared_with_those_of_others():
    def look(own, others):
        record = {"own": {"hits": own, "asked": 100}, "others": {"hits": others, "asked": 100}}
        return MONITORS["self_preference"]().look([{"round": 0, "rater": record}])

    assert look(40, 10).alarm is True
    assert look(10, 40).alarm is False
    assert look(18, 10).alarm is False and "is above" in look(18, 10).reason
    assert look(40, 10).value == pytest.approx(0.3)
