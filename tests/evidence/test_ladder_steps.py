"""The number that may be shown: it moves by whole steps, and its book covers every history that it could have had."""

import math
from itertools import product

import pytest

from netgain.evidence.ladder import LadderStep, mean_gain, nats_shown

MANY = 10**6  # pairs, so that the registered step is the wider one


def test_it_moves_when_a_gain_beats_it_by_a_step_and_by_whole_steps_only():
    ladder = LadderStep(0.1).after(0.099, MANY)
    assert (ladder.best, ladder.asked, ladder.moved) == (0.0, 1, 0)
    ladder = ladder.after(0.16, MANY)
    assert (ladder.best, ladder.asked, ladder.moved) == (pytest.approx(0.2), 2, 1)
    assert ladder.after(0.29, MANY).best == ladder.best  # less than a step better
    assert ladder.after(-0.9, MANY).best == ladder.best  # it never falls
    assert ladder.after(0.34, MANY).best == pytest.approx(0.3)
    assert ladder.after(1.0, MANY).best == pytest.approx(1.0)


def test_few_pairs_need_more_than_a_step():
    """1/sqrt(25) = .2: a gain of .15 is two steps, and nothing that 25 pairs can tell from none."""
    assert LadderStep(0.05).after(0.15, 25).best == 0.0
    assert LadderStep(0.05).after(0.15, 400).best == pytest.approx(0.15)
    assert LadderStep(0.05).after(0.21, 25).best == pytest.approx(0.2)


def test_an_answer_without_a_gain_moves_nothing_and_counts():
    ladder = LadderStep(0.1, level=2, asked=3, moved=1)
    assert ladder.after(None, 0) == LadderStep(0.1, level=2, asked=4, moved=1)
    for gain, pairs in ((1.5, 10), (math.nan, 10), (0.5, 0)):
        with pytest.raises(ValueError, match="expected a number"):
            ladder.after(gain, pairs)


@pytest.mark.parametrize(
    "wrong", [{"step": 0.0}, {"step": 1.1}, {"step": 0.5, "level": 3}, {"step": 0.5, "level": -1}, {"moved": 1}]
)
def test_a_ladder_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"outside|expected"):
        LadderStep(**{"step": 0.5, **wrong})


def histories(levels, answers):
    """Dumb twin: every sequence of what could have been shown after each answer."""
    return [one for one in product(range(levels + 1), repeat=answers) if list(one) == sorted(one)]


@pytest.mark.parametrize(("levels", "answers"), [(1, 1), (2, 5), (4, 3), (3, 6)])
def test_the_levels_of_all_histories_add_up_to_one(levels, answers):
    """Union over answer histories: a / exp(nats) for each is a in all. What the moves alone would book is overspent."""
    told = [[level / levels for level in one] for one in histories(levels, answers)]
    assert sum(math.exp(-nats_shown(1.0 / levels, [one])) for one in told) == pytest.approx(1.0)
    moves = [len({*one} - {0.0}) for one in told]
    values_only = sum((levels + 1.0) ** -moved for moved in moves)  # log2(steps) a move, silence free
    assert values_only > 1.0 or answers == 1


def test_numbers_that_stood_still_have_told_something_and_runs_add_up():
    assert nats_shown(0.1, []) == 0.0
    still = nats_shown(0.1, [[0.0] * 5])
    assert still == pytest.approx(math.log(6))
    moved = nats_shown(0.1, [[0.0, 0.3, 0.3, 0.7, 0.7]])
    assert moved == pytest.approx(math.log(math.comb(5, 2) * math.comb(10, 2) * 6))
    assert nats_shown(0.1, [[0.0] * 5, [0.0, 0.3, 0.3, 0.7, 0.7]]) == pytest.approx(still + moved)


def test_a_gain_is_of_pairs_with_both_scores():
    """An error is not a score: what is missing on either side is in no mean."""
    assert mean_gain([1.0, None, 0.5], [0.0, 0.0, None]) == (1.0, 1)
    assert mean_gain([None], [1.0]) == (None, 0)
