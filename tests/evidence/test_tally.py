"""Means over what is there, and sealed scores of several arms over the same items."""

import pytest

from netgain.evidence.tally import Tally, paired, tally, unanswered_is_wrong


def sheet(values, **status):
    """Data of a `scores` event; `_3="…"` is the status of item 3."""
    return {"values": values, "status": {key[1:]: why for key, why in status.items()}}


def test_a_mean_is_over_the_scores_that_are_there():
    found = tally(sheet([1.0, None, 0.0, None, 1.0], _1="no answer", _3="quarantined: the run trained on it"))
    assert found.mean == pytest.approx(2 / 3)  # over three, not over five
    assert (found.n, found.missing, found.quarantined) == (3, 2, 1)


@pytest.mark.parametrize("values", [[None, None], []])
def test_no_score_at_all_has_no_mean(values):
    assert tally(sheet(values)).mean is None


@pytest.mark.parametrize(
    ("missing", "quarantined", "silent"), [(5, 0, False), (6, 0, True), (6, 1, False), (60, 60, False)]
)
def test_a_block_that_was_left_unanswered_has_no_score_so_that_silence_raises_none(missing, quarantined, silent):
    found = Tally(1.0, 100 - missing, missing, quarantined)
    assert found.silent == silent
    assert found.score == (None if silent else 1.0)


# --- Sealed scores of the arms of a start ----------------------------------------------------------------------------
def test_what_one_arm_trained_on_is_left_out_for_all():
    gone = "quarantined: the run trained on it"
    found = paired({"self": sheet([None, 1.0, 0.0, 1.0], _0=gone), "frozen": sheet([1.0, 0.0, 0.0, 0.0])})
    assert found["self"].mean == pytest.approx(2 / 3)
    assert found["frozen"].mean == 0.0  # with item 0, which `self` knew, it would have been a quarter
    assert [one.quarantined for one in found.values()] == [1, 1]


def test_what_one_arm_did_not_answer_is_in_neither_mean():
    answered = [1.0] * 30
    found = paired({"self": sheet([None, *answered[1:]], _0="no answer"), "frozen": sheet([1.0, *[0.0] * 29])})
    assert (found["self"].mean, found["frozen"].mean) == (1.0, 0.0)


def test_an_arm_that_says_nothing_has_no_score_and_takes_no_item_from_the_others():
    found = paired({"self": sheet([1.0, 0.0, 1.0, 1.0]), "shuffled": sheet([None] * 4)})
    assert found["shuffled"].score is None
    assert found["self"].score == pytest.approx(3 / 4)


def test_a_block_of_which_nothing_is_left_has_no_score():
    gone = {f"_{index}": "quarantined: the run trained on it" for index in range(2)}
    found = paired({"self": sheet([None, None], **gone), "frozen": sheet([1.0, 1.0])})
    assert [one.score for one in found.values()] == [None, None]


def test_what_a_claim_is_about_gains_nothing_by_silence():
    """Silent on the tenth that it would get wrong: left out, that would be a gain; the silence is wrong instead."""
    own = sheet([1.0] * 96 + [None] * 4, **{f"_{index}": "no answer" for index in range(96, 100)})
    other = sheet([1.0] * 96 + [0.0] * 4)
    found = paired({"self": own, "frozen": other}, strict=["self"])
    assert found["self"].mean == found["frozen"].mean == pytest.approx(0.96)
    assert paired({"self": own, "frozen": other})["self"].mean == 1.0


def test_an_error_of_the_metric_is_no_wrong_answer():
    own = sheet([1.0, None], _1="metric 'm' raised KeyError: 'confidence'")
    assert unanswered_is_wrong(own) == own
