"""Gate decisions on scores whose answer is plain, in every mode, with every kind of missing data."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from netgain.errors import ConfigError
from netgain.evidence.betting import log_capital
from netgain.gates import AxisScores, GateDecision, GatePlan, GuardRule, Receipt, decide, issue
from netgain.testing.gate_worlds import three_systems

PLAN = GatePlan(axis="ladder", block=50, max_pairs=400, guards=(GuardRule("retention", 0.02, 0.03),))
ONE_AXIS = replace(PLAN, guards=())
DIGESTS = {"candidate_digest": "c" * 64, "released_digest": "r" * 64}


def same(n, value=0.5):
    """Three systems with the same score on every item."""
    return AxisScores([value] * n, [value] * n, [value] * n)


def moved(n, gain, anchor=None):
    """A candidate that moves a tenth of the items by ten times ``gain``; released and anchor at .5."""
    candidate = np.full(n, 0.5)
    candidate[::10] += 10.0 * gain
    return AxisScores(candidate, np.full(n, 0.5), np.full(n, 0.5 if anchor is None else anchor))


def test_clear_gain_with_guards_held_is_promoted():
    decision = decide(PLAN, 1, {"ladder": moved(400, 0.05), "retention": same(400)})
    assert (decision.outcome, decision.reason, decision.axis, decision.acts) == ("promote", "better", "ladder", True)
    assert all(test.reached for test in decision.tests if test.kind in ("release", "guard"))
    assert all(test.pairs == 400 and test.missing == 0 for test in decision.tests)


def test_no_difference_asks_for_more_and_ends_undecided():
    for mode in ("strict", "advance"):
        plan = replace(PLAN, mode=mode)
        first = decide(plan, 1, {axis: same(50) for axis in plan.axes})
        assert (first.outcome, first.reason, first.final) == ("continue", "collecting", False)
        last = decide(replace(plan, futility_level=None), 1, {axis: same(400) for axis in plan.axes})
        assert (last.outcome, last.reason) == ("undecided", "exhausted")
        early = decide(plan, 1, {axis: same(50) for axis in plan.axes}, exhausted=True)
        assert (early.outcome, early.reason) == ("undecided", "exhausted")


def test_shown_harm_on_the_gate_axis_is_rejected():
    for mode in ("strict", "advance", "watch"):
        decision = decide(replace(PLAN, mode=mode), 1, {"ladder": moved(400, -0.05), "retention": same(400)})
        assert (decision.outcome, decision.reason, decision.axis) == ("reject", "harm", "ladder")
        assert decision.acts == (mode != "watch")


def test_shown_harm_on_a_guard_is_rejected_although_the_gate_axis_gains():
    decision = decide(PLAN, 1, {"ladder": moved(400, 0.05), "retention": moved(400, -0.05)})
    assert (decision.outcome, decision.axis) == ("reject", "retention")


def test_gain_with_an_open_guard_is_not_promoted():
    """The guard neither holds nor is harmed: intersection-union asks for both."""
    decision = decide(PLAN, 1, {"ladder": moved(400, 0.05), "retention": moved(400, -0.02)})
    assert (decision.outcome, decision.axis) == ("undecided", "retention")


def test_futility_rejects_in_strict_and_leaves_advance_undecided():
    scores = {"ladder": moved(400, -0.005)}
    plan = replace(ONE_AXIS, design_gain=0.05, step_margin=0.05, total_margin=0.05)
    assert decide(plan, 1, scores).outcome == "reject"
    for mode in ("advance", "watch"):
        decision = decide(replace(plan, mode=mode), 1, scores)
        assert (decision.outcome, decision.reason) == ("undecided", "futility")
    assert decide(replace(plan, futility_level=None), 1, scores).reason == "exhausted"


def test_loss_against_generation_0_is_harm_although_released_fell_too():
    """Steps within the step margin, but below the first version by more than the total margin."""
    level = np.full(400, 0.5)
    scores = AxisScores(level - 0.1, level - 0.1, level)
    decision = decide(replace(ONE_AXIS, mode="advance"), 1, {"ladder": scores})
    assert decision.outcome == "reject"
    assert [test.kind for test in decision.tests if test.reached and test.kind != "futility"] == ["harm_total"]


def test_without_the_anchor_the_same_loss_passes():
    """Mutation: released in place of generation 0 sees nothing."""
    level = np.full(400, 0.4)
    decision = decide(replace(ONE_AXIS, mode="advance"), 1, {"ladder": AxisScores(level, level, level)})
    assert decision.outcome == "undecided"


def test_decision_does_not_depend_on_the_blocks_already_seen():
    """A test that reached its threshold at some item stays reached when later items take capital away."""
    gain = moved(400, 0.05)
    lost = moved(400, -0.02)
    both = AxisScores(
        *(np.concatenate([getattr(gain, s), getattr(lost, s)]) for s in ("candidate", "released", "anchor"))
    )
    first, later = decide(ONE_AXIS, 1, {"ladder": gain}), decide(ONE_AXIS, 1, {"ladder": both})
    assert (first.outcome, later.outcome) == ("promote", "promote")
    assert later.tests[0].log_e < later.tests[0].log_e_peak


def test_log_e_is_that_of_the_evidence_engine():
    rng = np.random.default_rng(1)
    scores = three_systems(rng, 300, candidate=0.05, released=0.0)
    test = decide(ONE_AXIS, 3, {"ladder": scores}).tests[0]
    path = log_capital(scores.candidate - scores.released, null=0.0, gain=0.02, planned_second_moment=0.10)
    assert (test.log_e, test.log_e_peak) == (path[-1], max(path.max(), 0.0))
    assert test.log_threshold == pytest.approx(math.log(20 / 0.05))


def test_axes_may_have_different_numbers_of_items():
    decision = decide(PLAN, 1, {"ladder": moved(400, 0.05), "retention": same(250)})
    assert {(test.axis, test.pairs, test.missing) for test in decision.tests} == {
        ("ladder", 400, 0),
        ("retention", 250, 0),
    }


def holed(scores, system, share):
    """The same scores with a share of one system's answers missing."""
    values = {name: np.array(getattr(scores, name), dtype=float) for name in ("candidate", "released", "anchor")}
    values[system][: int(share * len(values[system]))] = np.nan
    return AxisScores(**values)


@pytest.mark.parametrize("system", ["candidate", "released", "anchor"])
@pytest.mark.parametrize("axis", ["ladder", "retention"])
def test_too_many_missing_pairs_void_the_decision(axis, system):
    """Neither a clear gain nor a clear harm is decided on holed data; a share within the allowance only costs items."""
    for gain in (0.05, -0.05):
        scores = {"ladder": moved(400, gain), "retention": same(400)}
        voided = decide(PLAN, 1, {**scores, axis: holed(scores[axis], system, 0.06)})
        assert (voided.outcome, voided.reason, voided.axis) == ("undecided", "missing", axis)
        allowed = decide(PLAN, 1, {**scores, axis: holed(scores[axis], system, 0.04)})
        assert allowed.outcome == ("promote" if gain > 0 else "reject")
        assert max(test.missing for test in allowed.tests) == 16


@pytest.mark.parametrize("guard", [{}, {"retention": AxisScores([], [], [])}])
def test_guard_that_cannot_be_computed_fails_closed(guard):
    decision = decide(PLAN, 1, {"ladder": moved(400, 0.05), **guard})
    assert (decision.outcome, decision.reason, decision.axis) == ("undecided", "unreadable", "retention")
    missing = AxisScores([None] * 400, [0.5] * 400, [0.5] * 400)
    decision = decide(PLAN, 1, {"ladder": moved(400, 0.05), "retention": missing})
    assert (decision.outcome, decision.reason) == ("undecided", "missing")


def test_no_scores_at_all():
    assert decide(PLAN, 1, {}).outcome == "continue"
    assert decide(PLAN, 1, {}, exhausted=True).outcome == "undecided"


@pytest.mark.parametrize(
    ("scores", "k", "named"),
    [
        ({"ladder": AxisScores([0.5, 1.2], [0.5, 0.5], [0.5, 0.5])}, 1, r"score 1.2 of the candidate on item 1"),
        ({"ladder": AxisScores([0.5], [-0.1], [0.5])}, 1, r"score -0.1 of the released on item 0"),
        ({"ladder": AxisScores([0.5], [0.5], [math.inf])}, 1, r"score inf of the anchor"),
        ({"ladder": AxisScores([0.5, 0.5], [0.5], [0.5])}, 1, "one shape"),
        ({"laddr": AxisScores([0.5], [0.5], [0.5])}, 1, "'laddr'"),
        ({"ladder": AxisScores([0.5], [0.5], [0.5])}, 21, "beyond the 20 declared"),
        ({"ladder": AxisScores([0.5], [0.5], [0.5])}, 0, "counted from 1"),
    ],
)
def test_impossible_scores_are_named(scores, k, named):
    with pytest.raises(ValueError, match=named):
        decide(ONE_AXIS, k, scores)


def test_decision_and_receipt_survive_json():
    decision = decide(PLAN, 1, {"ladder": moved(400, 0.05), "retention": same(400)})
    assert GateDecision.from_json(json.loads(json.dumps(decision.to_json()))) == decision
    receipt = issue(PLAN, decision, **DIGESTS)
    assert Receipt.from_json(json.loads(json.dumps(receipt.to_json()))) == receipt
    assert (receipt.plan_digest, receipt.round, receipt.mode) == (PLAN.digest, 1, "strict")


def test_a_waived_guard_is_tested_and_recorded_but_binds_nothing():
    scores = {"ladder": moved(400, 0.05), "retention": moved(400, -0.05)}
    plan = replace(PLAN, waived=("retention",))
    with_it, without = decide(PLAN, 1, scores), decide(plan, 1, scores)
    assert (with_it.outcome, without.outcome) == ("reject", "promote")
    assert without.tests == with_it.tests and without.waived == ("retention",)
    receipt = issue(plan, without, **DIGESTS)
    assert Receipt.from_json(json.loads(json.dumps(receipt.to_json()))) == receipt
    assert GatePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    with pytest.raises(ValueError, match="did not reach its threshold"):
        Receipt.from_json({**receipt.to_json(), "waived": []})
    with pytest.raises(ValueError, match="waived"):
        issue(PLAN, without, **DIGESTS)


def test_missing_data_of_a_waived_guard_voids_nothing():
    lost = AxisScores(np.full(400, np.nan), np.ones(400), np.ones(400))
    scores = {"ladder": moved(400, 0.05), "retention": lost}
    assert decide(PLAN, 1, scores).outcome == "undecided"
    assert decide(replace(PLAN, waived=("retention",)), 1, scores).outcome == "promote"


@pytest.mark.parametrize("axis", ["ladder", "unheard of"])
def test_only_guards_can_be_waived(axis):
    with pytest.raises(ConfigError, match="are no guards"):
        replace(PLAN, waived=(axis,))


def test_no_receipt_without_a_promotion():
    for scores in (moved(400, -0.05), same(400), same(50)):
        decision = decide(ONE_AXIS, 1, {"ladder": scores})
        with pytest.raises(ValueError, match="is no promotion"):
            issue(ONE_AXIS, decision, **DIGESTS)


def test_no_receipt_under_another_rule():
    decision = decide(ONE_AXIS, 1, {"ladder": moved(400, 0.05)})
    for other, named in (
        (replace(ONE_AXIS, level=0.01), "not under this plan"),
        (replace(ONE_AXIS, mode="advance"), "not under this plan"),
        (PLAN, "not those of this plan"),
    ):
        with pytest.raises(ValueError, match=named):
            issue(other, decision, **DIGESTS)


def test_forged_receipt_cannot_be_read():
    receipt = issue(ONE_AXIS, decide(ONE_AXIS, 1, {"ladder": moved(400, 0.05)}), **DIGESTS).to_json()
    weak = [{**test, "log_e_peak": 1.0} if test["kind"] == "release" else test for test in receipt["tests"]]
    lowered = [{**test, "log_threshold": 0.0} if test["kind"] == "release" else test for test in receipt["tests"]]
    for forged in ({"tests": weak}, {"tests": lowered}, {"tests": []}, {"outcome": "undecided"}, {"extra": 1}):
        with pytest.raises(ValueError, match="receipt"):
            Receipt.from_json({**receipt, **forged})


def test_watching_gate_states_its_verdict_in_the_receipt():
    plan = replace(ONE_AXIS, mode="watch")
    receipt = issue(plan, decide(plan, 1, {"ladder": moved(400, -0.05)}), **DIGESTS)
    assert (receipt.mode, receipt.outcome) == ("watch", "reject")
    with pytest.raises(ValueError, match="no promotion"):
        issue(plan, decide(plan, 1, {"ladder": same(50)}), **DIGESTS)
