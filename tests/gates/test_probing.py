"""A loop that probes one gate set by the number that it is shown: it over-fits scores, and gets nowhere by steps.

World: two answers per item, and nothing that an edit of answers could know about them, so every system is truly at .5
and what it has above that on the set is over-fitting. The loop is adaptive: it edits the best that it has been shown.
"""

import numpy as np
import pytest

from netgain.evidence.exposure import Exposure
from netgain.evidence.ladder import LadderStep, mean_gain
from netgain.gates import GatePlan
from netgain.gates.reuse import ReusedGate

ITEMS, ROUNDS = 400, 400


class Scores:
    """Mutation: the largest mean so far, to the last digit."""

    def __init__(self):
        self.best = 0.0

    def after(self, gain, pairs):
        after = Scores()
        after.best = max(self.best, gain)
        return after


def probed(seed, shown):
    """Edit a tenth of the answers each round and keep the edit when the number shown has risen.

    Returns:
        score of what was kept, on the set, above the truth of .5; scores of generation 0 and of what was kept; the
        ladder after all.
    """
    rng = np.random.default_rng(seed)
    truth, first = rng.random(ITEMS) < 0.5, rng.random(ITEMS) < 0.5
    held, start = first, (first == truth).astype(float)
    for _ in range(ROUNDS):
        edited = np.where(rng.random(ITEMS) < 0.1, rng.random(ITEMS) < 0.5, held)
        after = shown.after(*mean_gain((edited == truth).astype(float).tolist(), start.tolist()))
        held, shown = (edited if after.best > shown.best else held), after
    found = (held == truth).astype(float)
    return found.mean() - 0.5, start, found, shown


def test_a_loop_that_probes_over_fits_raw_scores_and_not_ladder_scores():
    for seed in range(3):
        above, start, *_ = probed(seed, Scores())
        assert above - (start.mean() - 0.5) > 0.12
        above, start, _, ladder = probed(seed, LadderStep(1.0 / np.sqrt(ITEMS)))
        assert above - (start.mean() - 0.5) < 0.1
        assert ladder.asked == ROUNDS and ladder.moved <= 1


@pytest.mark.parametrize("step", [0.001, 0.05])
def test_a_step_below_what_the_pairs_can_tell_does_not_let_the_loop_climb(step):
    """The margin is never below 1/sqrt(pairs), however fine a step was registered."""
    for seed in range(3):
        above, start, *_ = probed(seed, LadderStep(step))
        assert above - (start.mean() - 0.5) < 0.1


def test_what_was_probed_is_promoted_on_an_unbooked_set_and_not_on_a_booked_one():
    """Raw scores make a gain that nobody made pass the gate; with the ladder there is none, and its answers count."""
    plan = GatePlan(axis="score", confirmations=5, planned_second_moment=0.5, design_gain=0.2, futility_level=None)
    raw, booked = [], []
    for seed in range(4):
        _, start, found, _ = probed(seed, Scores())
        raw.append(ReusedGate(plan, ITEMS).ask(found, start))
        _, start, found, ladder = probed(seed, LadderStep(0.05))
        assert ladder.nats >= np.log(21)  # even where it never moved: that is one history of many
        booked.append(ReusedGate(plan, ITEMS, Exposure(shown_nats=ladder.nats)).ask(found, start))
    assert sum(raw) >= 3 and not any(booked)
