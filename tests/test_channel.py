"""What an arm does to the feedback of the loop's own checks: which examples are kept, and what pacing is shown."""

from dataclasses import replace

import numpy as np
import pytest

from netgain.arms import arm_named
from netgain.channel import pass_through
from netgain.records import Change, Examples, Part
from netgain.stages import Filter
from netgain.testing.ladder import Ladder

LOOP = replace(Ladder().loop(), filters=(Filter("own"), Filter("vote")))
COUNT = 400


def change(own=None, vote=None, count=COUNT):
    """Questions 0, 1, …; label k is "label k"; both checks pass everything unless told otherwise."""
    examples = Examples([str(n) for n in range(count)], [f"label {n}" for n in range(count)])
    checks = {"own": [True] * count if own is None else own, "vote": [True] * count if vote is None else vote}
    return Change([Part("data", examples)], checks=checks)


def passed(name, given, *, truth=None, quarantined=(), seed=0, loop=LOOP):
    return pass_through(arm_named(name, loop), given, truth, frozenset(quarantined), np.random.default_rng(seed))


def kept(found):
    return [int(question) for question in found.kept.inputs]


def some(share, seed=1, count=COUNT):
    return [bool(one) for one in np.random.default_rng(seed).random(count) < share]


def test_a_change_without_examples_has_no_channel():
    assert passed("self", Change([Part("policy", 1)])) is None


def test_the_agreement_on_no_example_at_all_is_unknown():
    found = passed("placebo", change(count=0))
    assert found.record["of"] == 0 and found.record["agreement"] is None


def test_the_loop_keeps_what_every_check_passed():
    own, vote = some(0.7, 1), some(0.6, 2)
    found = passed("self", change(own, vote))
    assert kept(found) == [n for n in range(COUNT) if own[n] and vote[n]]
    assert list(found.kept.labels) == [f"label {n}" for n in kept(found)]
    assert found.shares == {"own": sum(own) / COUNT, "vote": sum(vote) / COUNT}
    assert found.record["agreement"] == 1.0


def test_without_a_check_everything_is_kept_and_agreement_is_unknown():
    found = passed("self", replace(change(count=5), checks={}))
    assert kept(found) == [0, 1, 2, 3, 4]
    assert found.record["agreement"] is None


@pytest.mark.parametrize("arm", ["self", "placebo", "unguarded:own", "oracle", "shuffled"])
def test_a_quarantined_question_is_dropped_in_every_arm(arm):
    found = passed(arm, change(count=20), truth=[True] * 20, quarantined={3, 7})
    assert kept(found) == [n for n in range(20) if n not in (3, 7)]
    assert found.record["quarantined"] == 2


def test_nothing_is_kept_when_every_question_is_quarantined():
    for arm in ("self", "placebo", "shuffled"):
        assert kept(passed(arm, change(count=4), quarantined=range(4))) == []


def test_the_placebo_keeps_as_many_as_the_check_and_other_ones():
    own = some(0.5)
    true, drawn = passed("self", change(own)), passed("placebo", change(own))
    assert len(kept(drawn)) == len(kept(true)) == sum(own)
    assert kept(drawn) != kept(true)
    assert drawn.shares == true.shares  # the number, which pacing sees, is the check's own
    assert list(drawn.kept.labels) == [f"label {n}" for n in kept(drawn)]


def test_the_placebo_draws_among_clean_questions_and_keeps_their_number():
    own, dropped = some(0.5), set(range(0, COUNT, 3))
    true, drawn = (passed(arm, change(own), quarantined=dropped) for arm in ("self", "placebo"))
    assert len(kept(drawn)) == len(kept(true))
    assert not set(kept(drawn)) & dropped


def test_the_placebo_draws_every_question_equally_often():
    own = [True] * 10 + [False] * 10
    counts = np.zeros(20)
    for seed in range(600):
        counts[kept(passed("placebo", change(own, [True] * 20, count=20), seed=seed))] += 1
    assert counts.sum() == 600 * 10
    assert np.abs(counts / 600 - 0.5).max() < 0.09  # 4.4 standard deviations of a share of 600


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_agreement_of_the_placebo_with_the_check_is_that_of_chance(share):
    own = [n < share * COUNT for n in range(COUNT)]
    agreement = [passed("placebo", change(own), seed=seed).record["agreement"] for seed in range(100)]
    assert np.mean(agreement) == pytest.approx(share**2 + (1 - share) ** 2, abs=0.01)


def test_the_placebo_depends_on_the_stream_that_it_is_given_and_nothing_else():
    own = some(0.5)
    one, same, other = (kept(passed("placebo", change(own), seed=seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.parametrize("arm", ["self", "oracle", "unguarded:own"])
def test_no_other_arm_draws_at_all(arm):
    own, truth = some(0.5), some(0.5, 3)
    assert kept(passed(arm, change(own), truth=truth, seed=1)) == kept(passed(arm, change(own), truth=truth, seed=2))


def test_an_unused_filter_keeps_all_and_still_paces():
    own = some(0.4)
    found = passed("unguarded:own.filter", change(own))
    assert kept(found) == list(range(COUNT))
    assert found.shares["own"] == sum(own) / COUNT
    assert found.record["passed"]["own"] == sum(own)  # its verdict is computed and recorded all the same
    assert found.record["disabled"] == ["own.filter"]


def test_an_unused_pace_still_filters_and_shows_that_everything_passed():
    own = some(0.4)
    found = passed("unguarded:own.pace", change(own))
    assert kept(found) == [n for n in range(COUNT) if own[n]]
    assert found.shares == {"own": 1.0, "vote": 1.0}


def test_a_check_without_any_use_does_neither_and_leaves_the_others_alone():
    own, vote = some(0.4, 1), some(0.6, 2)
    found = passed("unguarded:own", change(own, vote))
    assert kept(found) == [n for n in range(COUNT) if vote[n]]
    assert found.shares == {"own": 1.0, "vote": sum(vote) / COUNT}


def test_the_oracle_keeps_and_paces_by_the_truth():
    own, truth = some(0.5, 1), some(0.3, 2)
    found = passed("oracle", change(own), truth=truth)
    assert kept(found) == [n for n in range(COUNT) if truth[n]]
    assert found.shares == {"own": sum(truth) / COUNT, "vote": sum(truth) / COUNT}


def test_the_truth_changes_nothing_in_any_other_arm():
    own = some(0.5)
    for arm in ("self", "placebo", "unguarded:own.filter", "shuffled"):
        assert passed(arm, change(own), truth=[False] * COUNT) == passed(arm, change(own), truth=None)


def test_shuffling_keeps_the_questions_and_the_set_of_labels_and_parts_them():
    own = some(0.5)
    true, found = passed("self", change(own)), passed("shuffled", change(own))
    assert kept(found) == kept(true)
    assert sorted(found.kept.labels) == sorted(true.kept.labels)
    matched = sum(label == f"label {n}" for n, label in zip(kept(found), found.kept.labels, strict=True))
    assert matched < 10


def test_a_stacked_placebo_draws_like_a_placebo():
    own = some(0.5)
    assert passed("stacked+placebo", change(own)).kept == passed("placebo", change(own)).kept
