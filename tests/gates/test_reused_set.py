"""A fixed set that is asked many times: attackers of statistics.md 2.6 against the real gate's public interface.

World: two answers per item. All systems know a fifth of the items and guess the rest: everybody is at .6, and no vote
of them is better. The attacker asks about random systems and lets those vote that it has reason to like.
"""

import math

import numpy as np
import pytest

from netgain.errors import ConfigError
from netgain.evidence.exposure import Exposure, best_log_e, log_histories
from netgain.gates import GatePlan, GuardRule
from netgain.gates.gate import check_reach, on_used_items
from netgain.gates.reuse import ReusedGate

ITEMS, QUERIES = 2000, 400
PLAN = GatePlan(
    axis="score", confirmations=QUERIES + 1, planned_second_moment=0.48, design_gain=0.1, futility_level=None
)


class World:
    """One gate set, and systems that answer it."""

    def __init__(self, seed, items=ITEMS):
        self.rng, self.items = np.random.default_rng(seed), items
        self.truth, self.known = self.rng.random(items) < 0.5, self.rng.random(items) < 0.2

    def system(self):
        return np.where(self.known, self.truth, self.rng.random(self.items) < 0.5)

    def scores(self, answers):
        return (answers == self.truth).astype(float)

    def fresh(self):
        """The same systems' scores on items that were drawn after them: known ones right, the rest a coin each."""
        return np.where(self.rng.random(self.items) < 0.2, 1.0, self.rng.random(self.items) < 0.5).astype(float)


def attack(seed, likes, *, queries=QUERIES, plan=PLAN):
    """Let the liked of many random systems vote; apparent gain of the vote and whether the gate promotes it.

    ``likes(gate, scores, own)`` is what the attacker is told of one system.
    """
    world = World(seed)
    gate, incumbent = ReusedGate(plan, ITEMS), world.system()
    own, votes = world.scores(incumbent), np.zeros(ITEMS)
    for _ in range(queries):
        answers = world.system()
        votes += likes(gate, world.scores(answers), own) * (2.0 * answers - 1.0)
    vote = np.where(votes == 0, world.system(), votes > 0)
    return world.scores(vote).mean() - own.mean(), gate, world.scores(vote), own


def numbers(_gate, scores, own):
    """Mutation: the gate's mean is shown for every system."""
    return scores.mean() > own.mean()


def one_bit(gate, scores, own):
    return gate.ask(scores, own)


def ladder(gate, scores, own):
    before = gate._ladder.best
    return gate.show(scores, own) != before


def test_numbers_from_the_gate_set_make_nothing_look_like_a_gain():
    """2.6, row "numeric scores": +9 points of gain that nobody made, promoted in most runs."""
    promoted, gains = 0, []
    for seed in range(6):
        gain, gate, vote, own = attack(seed, numbers)
        promoted += gate.ask(vote, own)  # nothing was booked: the answers went around the gate
        gains.append(gain)
    assert np.mean(gains) > 0.06
    assert promoted >= 3


@pytest.mark.parametrize("seed", range(3))
def test_one_bit_a_candidate_leads_nowhere(seed):
    """2.6, row "one bit": no gain that is none is promoted, and nothing was there to like."""
    gain, gate, vote, own = attack(seed, one_bit)
    assert not gate.ask(vote, own)
    assert gain < 0.06
    assert gate.exposure.queries == len(gate.decisions) == QUERIES + 1  # the set never was used up: all were decided


def test_a_ladder_step_shows_little_and_books_what_it_shows():
    """2.6, row "Ladder steps": a gain of a step or two, never promoted."""
    for seed in range(3):
        gain, gate, vote, own = attack(seed, ladder)
        assert gain < 0.06
        assert gate.exposure.shown_nats > 0.0
        assert not gate.ask(vote, own)


def test_new_items_for_the_decision_undo_the_attack():
    """2.6, last row: the vote that looked nine points better is none on items drawn after it."""
    for seed in range(3):
        world = World(seed + 100)
        gate = ReusedGate(PLAN, ITEMS)
        assert not gate.ask(world.fresh(), world.fresh())


def test_what_was_shown_around_the_gate_can_be_booked_and_then_stops_it():
    """The same vote, with 400 means of 2001 possible values each on the books: no threshold can be reached."""
    _, _, vote, own = attack(0, numbers)
    gate = ReusedGate(PLAN, ITEMS, Exposure(queries=QUERIES, shown_nats=QUERIES * math.log(ITEMS + 1)))
    assert gate.used_up is not None
    assert not gate.ask(vote, own)


def climb(accepts, seed, edits=250, items=500):
    """Random edits of a tenth of the answers on one set, kept where ``accepts`` says so; count, score above truth."""
    world, kept = World(seed, items), 0
    held = world.system()
    for _ in range(edits):
        edited = np.where(world.rng.random(items) < 0.1, world.system(), held)
        if accepts(world.scores(edited), world.scores(held)):
            held, kept = edited, kept + 1
    truly = world.known.mean() + 0.5 * (1.0 - world.known.mean())
    return kept, world.scores(held).mean() - truly


def test_hill_climbing_on_one_set():
    """2.6: "mean better" climbs ten points above the truth; the gate promotes none of the random edits."""
    naive = [climb(lambda new, old: new.mean() > old.mean(), seed) for seed in range(2)]
    assert min(kept for kept, _ in naive) > 10 and min(above for _, above in naive) > 0.05
    gate = ReusedGate(GatePlan(axis="score", confirmations=None, planned_second_moment=0.1, design_gain=0.05), 500)
    kept, above = climb(gate.ask, 0)
    assert kept == 0 and above < 0.08


# --- the books -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queries", "accepts", "nats"),
    [(100, 5, 18.2), (1000, 10, 53.9), (1000, 20, 95.6), (0, 0, 0.0), (5, 9, 5 * math.log(2))],
)
def test_answer_histories_are_counted_as_in_the_reference(queries, accepts, nats):
    assert log_histories(queries, accepts) == pytest.approx(nats, abs=0.05)


def test_every_possible_number_of_accepts_shares_one_level():
    """Sum over all histories of the level that each leaves: within the level, although B was not declared."""
    queries = 12
    total = sum(math.comb(queries, b) * math.exp(-Exposure(queries, b).log_raise) for b in range(queries + 1))
    assert total <= 1.0
    undeclared = sum(math.comb(queries, b) * math.exp(-log_histories(queries, b)) for b in range(queries + 1))
    assert undeclared > 1.0  # mutation: without the log(K + 1) the level is overspent


def test_a_set_that_was_never_asked_raises_nothing_and_rejections_that_were_told_raise_more():
    assert Exposure().log_raise == 0.0
    assert Exposure(10, 2, 3).log_raise > Exposure(10, 2).log_raise > 0.0
    assert Exposure(1, 0) + Exposure(2, 1, 1, 0.5) == Exposure(3, 1, 1, 0.5)
    with pytest.raises(ValueError, match="among the queries"):
        Exposure(1, 1, 1)


def test_used_items_are_refused_when_they_cannot_reach_their_threshold():
    plan = GatePlan(axis="score", max_pairs=2000, guards=(GuardRule("old", 0.02, 0.03),), design_gain=0.05)
    check_reach(on_used_items(plan, {}))
    raised = on_used_items(plan, {"score": Exposure(100, 5).log_raise})
    assert raised.log_raise == pytest.approx(18.2 + math.log(101), abs=0.05)
    with pytest.raises(ConfigError, match="'score' were asked before"):
        check_reach(on_used_items(plan, {"score": Exposure(1000, 20).log_raise}))
    with pytest.raises(ConfigError, match="'old' were asked before"):
        check_reach(on_used_items(plan, {"old": Exposure(1000, 20).log_raise}))
    with pytest.raises(ConfigError, match="take new items"):
        on_used_items(plan, {"score": 700.0})
    assert best_log_e(0, gain=0.05, planned_second_moment=0.1) == 0.0


def test_a_raised_threshold_asks_for_that_much_more():
    """The same scores promote on a new set and not on one that gave away more nats than they exceed it by."""
    rng = np.random.default_rng(5)
    old = (rng.random(ITEMS) < 0.5).astype(float)
    better = np.where(rng.random(ITEMS) < 0.12, 1.0, old)
    plan = GatePlan(axis="score", confirmations=5, planned_second_moment=0.1, design_gain=0.2)
    fresh = ReusedGate(plan, ITEMS)
    assert fresh.ask(better, old)
    spare = fresh.decisions[0].tests[0].log_e_peak - fresh.decisions[0].tests[0].log_threshold
    for nats, promoted in ((spare - 1.0, True), (spare + 1.0, False)):
        gate = ReusedGate(plan, ITEMS, Exposure(shown_nats=nats))
        assert gate.used_up is None or not promoted
        assert gate.ask(better, old) is promoted
