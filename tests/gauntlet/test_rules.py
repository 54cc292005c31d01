"""Formulas of the field's rules against examples worked by hand, and their known behaviour when nothing changes."""

import math

import numpy as np
import pytest

from netgain.gauntlet import rules
from netgain.gauntlet.field import Field, lay_out
from netgain.gauntlet.rules import RULES, Pool, Step
from netgain.gauntlet.world import Faults, Gain, World

BY_ID = {rule.id: rule for rule in RULES}


def step(c, i, *, second=None, place=1, of=1):
    pair = None if second is None else tuple(np.array([one], dtype=float) for one in second)
    return Step(np.array([c], dtype=float), np.array([i], dtype=float), np.zeros(1), place, of, pair)


def taken(rule, c, i, **more):
    return bool(rule(step(c, i, **more))[0])


def column(*counts):
    """Scores of tasks: (right, wrong) runs of ones and zeros."""
    return [value for value, n in counts for _ in range(n)]


def test_there_are_33_rules_in_order_each_with_a_name_and_a_formula():
    assert [rule.id for rule in RULES] == [f"K{n}" for n in range(1, 34)]
    assert all(rule.name and rule.formula for rule in RULES)


def test_strict_and_tie_rules_differ_on_a_tie_only():
    same = column((1, 3), (0, 3))
    assert not taken(rules.strictly_better, same, same)
    assert taken(rules.no_worse, same, same)
    assert taken(rules.strictly_better, column((1, 4), (0, 2)), same)


# Ten tasks, two won, none lost: mean(d) = .2, sd = sqrt(10/9 * .16) = .4216, se = .1333.
BETTER, WORSE = column((1, 6), (0, 4)), column((1, 4), (0, 6))


def test_mean_and_error_of_differences_are_those_of_a_hand_calculation():
    assert rules.mean(step(BETTER, WORSE).d)[0] == pytest.approx(0.2)
    assert rules.spread(step(BETTER, WORSE).d)[0] == pytest.approx(0.4 / 3)


def test_k11_asks_for_one_standard_error_and_k32_for_two():
    assert taken(rules.paired_one_error, BETTER, WORSE)
    assert not taken(rules.two_errors, BETTER, WORSE)


def test_k11_without_spread_goes_by_the_sign_and_without_coverage_by_nothing():
    assert not taken(rules.paired_one_error, WORSE, WORSE)
    gone = [math.nan] * 5 + BETTER[5:]
    assert not taken(rules.paired_one_error, gone, WORSE)


def test_k12_needs_half_at_the_first_version_and_more_later():
    even = column((1, 5), (0, 5))
    assert not taken(rules.beta_better, even, even)  # P = .5, not above .5
    assert taken(rules.beta_better, column((1, 6), (0, 4)), even)
    later = step(column((1, 6), (0, 4)), even)
    later.memory["version"] = np.array([64.0])  # the bar is then 1 - .25
    assert rules.beta_ahead(later.c, later.i)[0] < 0.75
    assert not rules.beta_better(later)[0]


def test_k13_asks_for_more_than_both_errors_together():
    # m: .6 and .4 of 10 tasks, each se = sqrt(.24 * 10/9 / 10) = .1633; together .2309 > .2
    assert not taken(rules.beyond_both_errors, BETTER, WORSE)
    assert taken(rules.beyond_both_errors, column((1, 7), (0, 3)), WORSE)


def test_k14_also_asks_the_hidden_set():
    c, i = column((1, 60), (0, 40)), column((1, 40), (0, 60))
    assert taken(rules.lower_bounds, c, i, second=(i, i))
    assert not taken(rules.lower_bounds, c, i, second=(column((0, 10), (1, 90)), column((1, 100))))


def test_k15_corrects_for_the_comparisons_that_are_left():
    c, i = column((1, 22), (0, 18)), column((1, 18), (0, 22))  # mean .1, se = .3 * sqrt(40/39/40) = .048
    assert taken(rules.corrected_lower_bound, c, i, place=1, of=1)  # z = 1.645
    assert not taken(rules.corrected_lower_bound, c, i, place=1, of=10)  # z = 2.576
    assert not taken(rules.corrected_lower_bound, [1.0] * 19, [0.0] * 19)  # fewer than 20 tasks


def test_k25_refuses_a_broken_task_whatever_is_gained():
    i = column((1, 10), (0, 90))
    assert taken(rules.unbroken, column((1, 40), (0, 60)), i)
    assert not taken(rules.unbroken, [0.0, *column((1, 60), (0, 39))], i)


def test_k26_stops_after_three_misses():
    memory_step = step(WORSE, BETTER)
    for _ in range(3):
        assert not rules.three_misses(memory_step)[0]
    better = step(BETTER, WORSE)
    better.memory = memory_step.memory
    assert not rules.three_misses(better)[0]


def test_k27_takes_a_gain_on_either_set_and_no_loss_on_any():
    assert taken(rules.both_sets, WORSE, WORSE, second=(BETTER, WORSE))
    assert not taken(rules.both_sets, BETTER, WORSE, second=(WORSE, BETTER))
    assert not taken(rules.both_sets, WORSE, WORSE, second=(WORSE, WORSE))


def test_k30_needs_eight_wins_in_a_row():
    assert 1.5**7 < 20 < 1.5**8
    assert not taken(rules.pace, [1.0] * 7, [0.0] * 7)
    assert taken(rules.pace, [1.0] * 8, [0.0] * 8)
    assert not taken(rules.pace, [1.0] * 4 + [0.0] * 2 + [1.0] * 5, [0.0] * 4 + [1.0] * 2 + [0.0] * 5)


def test_k31_is_the_exact_test_of_mcnemar():
    # 6 wins, 0 losses: p = 2 / 64 = .031; 5 wins: .0625
    assert taken(rules.mcnemar, [1.0] * 6 + [0.0], [0.0] * 7)
    assert not taken(rules.mcnemar, [1.0] * 5 + [0.0], [0.0] * 6)
    assert not taken(rules.mcnemar, [0.0] * 6, [1.0] * 6)
    expected = sum(math.comb(11, k) for k in range(4)) / 2**11
    assert rules.half_binomial(np.array([3]), np.array([11]))[0] == pytest.approx(expected)


def pool(scores):
    """A pool of one run whose systems have these scores, one list each."""
    scores = np.array(scores, dtype=float)[:, None, :]
    m = scores.mean(axis=2)
    return Pool(np.zeros((*m.shape, 5)), scores, m, np.zeros_like(m), np.zeros(m.shape, dtype=int), len(m))


def shares(choose, of, n=4000):
    rng = np.random.default_rng(5)
    chosen = np.array([choose(of, rng)[0] for _ in range(n)])
    return [float((chosen == place).mean()) for place in range(of.size)]


def test_dgm_draws_parents_by_a_sigmoid_over_their_children():
    of = pool([[0, 1], [1, 1]])  # m = .5 and 1: sigma(0) = .5, sigma(5) = .9933
    assert shares(rules.dgm_parent, of) == pytest.approx([0.5 / 1.4933, 0.9933 / 1.4933], abs=0.03)
    of.kids[1] = 3.0
    assert shares(rules.dgm_parent, of) == pytest.approx([0.5 / 0.7483, 0.2483 / 0.7483], abs=0.03)


def test_gepa_draws_parents_by_the_tasks_that_they_lead():
    of = pool([[1, 0, 0, 0], [0, 1, 1, 0]])  # leads: tasks 0 and 3; tasks 1, 2 and 3
    assert shares(rules.pareto_parent, of) == pytest.approx([0.4, 0.6], abs=0.03)


def test_archives_and_cells_keep_what_their_line_says():
    of = pool([[0, 1]] * 10)
    below, above = np.array([[0.0, 0.0]]), np.array([[1.0, 1.0]])
    parent = np.zeros(1, dtype=int)
    assert not rules.archive_better(of, below, parent)[0] and rules.archive_better(of, above, parent)[0]
    assert rules.archive_better(pool([[0, 1]] * 9), below, parent)[0]  # not full
    assert not rules.near_the_first(of, np.array([[0.0, 0.7]]), parent)[0]  # .35 < .5 - .1
    assert rules.near_the_first(of, np.array([[0.0, 0.9]]), parent)[0]
    assert rules.above_nothing(of, above, parent)[0] and not rules.above_nothing(of, below, parent)[0]


@pytest.fixture(scope="module")
def still():
    """Thirty proposals a run that change nothing, on 40 tasks: the setting of the table that the rules come with."""
    return lay_out(World(gain=Gain(tries=6, luck=0.0, spread=0.0, base=0.5)), 300, 40, [1])


def test_when_nothing_changes_the_usual_rules_report_a_gain_and_the_strict_ones_little(still):
    gains = {rule.id: float(rule.run(still).gain.mean()) for rule in RULES}
    for ident in ("K1", "K4", "K7", "K9", "K10", "K20", "K33"):
        assert 0.08 < gains[ident] < 0.16, ident
    assert gains["K32"] < gains["K13"] < gains["K11"] < gains["K1"]
    assert abs(gains["K24"]) < 0.02  # the last one is not selected


def test_every_rule_counts_what_it_asks(still):
    asked = {rule.id: rule.run(still).evaluations for rule in RULES}
    assert asked["K1"] == 31 * 40
    assert asked["K21"] == 5 * 31 * 40
    assert asked["K27"] == 2 * 31 * 40


def test_a_real_gain_is_kept_by_k1_and_its_report_is_near_it():
    ground = lay_out(World(gain=Gain(signal=0.3)), 200, 400, [2])
    found = BY_ID["K1"].run(ground)
    assert float(found.gain.mean()) == pytest.approx(0.3, abs=0.04)
    assert float((found.output[:, 0] - ground.start[:, 0]).mean()) == pytest.approx(0.29, abs=0.03)


def test_silence_raises_the_score_of_a_rule_that_counts_answers_only():
    ground = lay_out(World(faults=Faults(unanswered=0.5)), 100, 200, [3])
    assert float(BY_ID["K1"].run(ground).gain.mean()) > 0.08


def test_rules_meet_the_same_proposals_and_the_same_answers():
    one, again = (lay_out(World(gain=Gain(signal=0.2)), 20, 50, [4]) for _ in range(2))
    assert isinstance(one, Field) and np.array_equal(one.noise, again.noise) and np.array_equal(one.steps, again.steps)
    assert np.array_equal(BY_ID["K2"].run(one).gain, BY_ID["K2"].run(again).gain)
