"""Incidents of class N of docs/incidents.md: luck that was selected, or that was compared with."""

from dataclasses import replace

import numpy as np
import pytest

from incidents.small import rung, verdict
from netgain.evidence.version import version_gain
from netgain.gates import AxisScores, GatePlan, decide, decide_all
from netgain.testing.gate_worlds import three_systems

PLAN = GatePlan(axis="score", confirmations=100, max_pairs=1000, block=500)


def test_13_another_seed_is_kept_half_of_the_time_by_a_single_run_and_never_by_the_gate():
    """Detector: the gate's e-process on fresh items, with one error budget for the 100 confirmations of a run."""
    rng = np.random.default_rng(13)
    tried = [three_systems(rng, 1000, candidate=0.0, released=0.0) for _ in range(100)]
    kept_if_higher = sum(one.candidate.mean() > one.released.mean() for one in tried)
    promoted = sum(one.outcome == "promote" for one in decide_all(PLAN, [{"score": one} for one in tried]))
    assert kept_if_higher > 30 and promoted == 0
    whole = replace(PLAN, confirmations=1)  # each candidate as if it were the only one
    assert any(decide(whole, 1, {"score": one}, exhausted=True).outcome == "promote" for one in tried)


def test_14_a_keep_that_hurts_is_found_when_the_next_one_is_held_against_generation_0():
    """Detector: the anchor. Each step is within its margin of the last keep, and the sum is below the first version."""
    level = np.full(1000, 0.5)
    stacked = AxisScores(level - 0.1, level - 0.09, level)
    plan = replace(PLAN, mode="advance", futility_level=None)
    found = decide(plan, 1, {"score": stacked}, exhausted=True)
    assert (found.outcome, found.reason) == ("reject", "harm")
    assert {test.kind for test in found.tests if test.reached} == {"harm_total"}
    unanchored = replace(stacked, anchor=stacked.released)
    assert decide(plan, 1, {"score": unanchored}, exhausted=True).outcome == "undecided"


def test_15_one_run_of_the_baseline_is_no_baseline_for_the_others():
    """Detector: a start whose control has no score is no success, so that one lucky seed stands for one start."""
    assert verdict().word == "SUPPORTED"
    found = verdict(scores={"frozen": [0.05, *[None] * 5]})
    assert found.word == "INCONCLUSIVE" and found.analysis.successes == 1
    assert verdict(one_start=True).word == "INCONCLUSIVE"  # six runs from one lucky generation 0


def test_18_ten_points_on_thirty_questions_and_one_seed_are_not_shown():
    """Detectors: exact bounds over items of one version; for a loop, that the unit is the start and six are needed."""
    own, first = [1.0] * 15 + [0.0] * 15, [0.0] * 3 + [1.0] * 12 + [0.0] * 15
    found = version_gain(own, first, delta=0.0)
    assert found.estimate == pytest.approx(0.1) and found.low <= 0.0
    assert found.word != "SUPPORTED"
    assert version_gain(own * 10, first * 10, delta=0.0).word == "SUPPORTED"  # the same share of 300 questions
    assert verdict(1).word == "INCONCLUSIVE"


def test_25_what_won_a_search_on_one_set_is_judged_on_another():
    """Detector: fresh items. The same decision on the items of the search promotes the luckiest of 2,000 equal ones."""
    rng = np.random.default_rng(25)

    def variants(items, count):  # each changes a tenth of the answers, for better or worse alike
        before = rng.random(items) < 0.5
        return before.astype(float), np.where(rng.random((count, items)) < 0.1, ~before, before).astype(float)

    plan = replace(PLAN, confirmations=1, design_gain=0.05)
    before, searched = variants(300, 2000)
    best = searched[int(searched.mean(axis=1).argmax())]
    assert best.mean() - before.mean() > 0.04
    assert decide(plan, 1, {"score": AxisScores(best, before, before)}, exhausted=True).outcome == "promote"
    before, (again,) = variants(1000, 1)
    assert decide(plan, 1, {"score": AxisScores(again, before, before)}, exhausted=True).outcome != "promote"


def test_29_four_tasks_are_four_however_many_items_they_have():
    """Detector: a cluster bets once (`evidence.clusters`); taken as items, the same scores promote."""
    by_task = np.repeat([0.6, 0.3, 0.1, -0.1], 100)
    plain = AxisScores(0.5 + by_task / 2, np.full(400, 0.5), np.full(400, 0.5))
    tasks = replace(plain, clusters=[f"task {n // 100}" for n in range(400)])
    plan = replace(PLAN, confirmations=1, design_gain=0.1)
    assert decide(plan, 1, {"score": plain}, exhausted=True).outcome == "promote"
    found = decide(plan, 1, {"score": tasks}, exhausted=True)
    assert found.outcome == "undecided" and found.tests[0].pairs == 4


def test_36_what_a_placebo_gains_as_well_is_refuted():
    """Detector: the arm `placebo` among the controls of R2. R1, which has generation 0 alone, passes."""
    found = verdict(by=0.01, scores={"self": 0.923, "placebo": 0.923, "ordinary": 0.90, "frozen": 0.90})
    assert found.word == "REFUTED" and "`placebo` (6 of 6 starts)" in found.reasons[0]
    assert rung(found, "R1") == "pass"
