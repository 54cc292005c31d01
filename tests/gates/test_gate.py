"""The gate of a study: columns of scores in, a decision out, and receipts for nothing but promotions."""

import copy

import pytest

from netgain.gates import GateDecision
from netgain.gates.gate import BettingGate, plan_of
from netgain.generators import Strings
from netgain.suite import Suite, axis

STRINGS = Strings("copy", (4,))
SUITE = Suite(
    [
        axis("echo", STRINGS, gate_items=100, margin=0.10, step_margin=0.05, moment=0.2),
        axis("old", STRINGS, gate_items=50, guard=True, margin=0.08, step_margin=0.04, moment=0.1),
        axis("shown", STRINGS, report_items=10),
    ],
    block=100,
    max_pairs=400,
    design_gain=0.1,
)
GATE = BettingGate(plan_of(SUITE, "advance", 5))
C, R = "c" * 64, "d" * 64


def columns(candidate=0.9, released=0.3, anchor=0.3, guard=1.0, count=400):
    """Shares of right answers on the gate axis, in an even mix; on the guard the candidate beside two perfect ones."""
    shares = {"echo": (candidate, released, anchor), "old": (guard, 1.0, 1.0)}
    roles = ("candidate", "released", "anchor")
    return {
        axis: {role: mixed(share, count) for role, share in zip(roles, each, strict=True)}
        for axis, each in shares.items()
    }


def mixed(share, count):
    return [float(int((n + 1) * share) > int(n * share)) for n in range(count)]


def decided(mode="advance", k=1, exhausted=True, **shares):
    return GATE.decide(mode, k, columns(**shares), exhausted=exhausted)


def test_the_plan_of_a_suite_holds_its_axes_margins_and_one_decision_a_round():
    plan = GATE.plan
    assert (plan.axis, plan.confirmations, plan.block, plan.max_pairs) == ("echo", 5, 100, 400)
    assert (plan.total_margin, plan.step_margin, plan.planned_second_moment) == (0.10, 0.05, 0.2)
    assert [(g.axis, g.total_margin, g.step_margin, g.planned_second_moment) for g in plan.guards] == [
        ("old", 0.08, 0.04, 0.1)
    ]
    assert (plan.level, plan.harm_level) == (0.05, 0.10)


@pytest.mark.parametrize(("mode", "shares", "outcome"), [
    ("advance", {}, "promote"),
    ("strict", {}, "promote"),
    ("advance", {"candidate": 0.3}, "undecided"),
    ("advance", {"candidate": 0.0, "released": 0.9}, "reject"),
    ("strict", {"candidate": 0.0, "released": 0.9}, "reject"),
    ("advance", {"guard": 0.5}, "reject"),
])  # fmt: skip
def test_a_gain_is_promoted_a_loss_rejected_and_neither_undecided(mode, shares, outcome):
    assert decided(mode, **shares).outcome == outcome


def test_a_missing_score_is_neither_right_nor_wrong():
    whole = decided(candidate=0.35, released=0.3)
    scores = columns(candidate=0.35, released=0.3)
    for place in range(0, 400, 40):  # a fortieth: below the share that voids
        scores["echo"]["candidate"][place] = None
    found = GATE.decide("advance", 1, scores, exhausted=True)
    release = found.tests[0]
    assert (release.pairs, release.missing) == (390, 10)
    assert whole.tests[0].pairs == 400
    zeros = columns(candidate=0.35, released=0.3)
    zeros["echo"]["candidate"][::40] = [0.0] * 10
    assert GATE.decide("advance", 1, zeros, exhausted=True).tests[0].log_e != release.log_e


@pytest.mark.parametrize("axis_name", ["echo", "old"])
@pytest.mark.parametrize("role", ["candidate", "released", "anchor"])
def test_too_many_missing_scores_void_a_decision_that_would_promote(axis_name, role):
    scores = columns()
    scores[axis_name][role][:40] = [None] * 40
    found = GATE.decide("advance", 1, scores, exhausted=True)
    assert (found.outcome, found.reason) == ("undecided", "missing")


@pytest.mark.parametrize("gone", ["whole axis", "no pair", "all missing"])
def test_a_guard_that_cannot_be_read_promotes_nothing(gone):
    scores = columns()
    if gone == "whole axis":
        del scores["old"]
    else:
        scores["old"] = {role: [] if gone == "no pair" else [None] * 400 for role in scores["old"]}
    assert GATE.decide("advance", 1, scores, exhausted=True).outcome == "undecided"


def test_a_guard_that_is_not_shown_to_be_kept_promotes_nothing():
    found = decided(guard=0.92)  # exactly at its margin
    assert found.outcome != "promote"


@pytest.mark.parametrize("bad", [1.5, -0.5, float("inf")])
def test_a_score_outside_the_range_is_refused_and_decides_nothing(bad):
    scores = columns()
    scores["echo"]["candidate"][7] = bad
    with pytest.raises(ValueError, match="outside"):
        GATE.decide("advance", 1, scores, exhausted=True)


# --- Receipts --------------------------------------------------------------------------------------------------------
def receipt(mode="advance"):
    return GATE.receipt(mode, decided(mode), C, R)


@pytest.mark.parametrize("mode", ["strict", "advance"])
def test_a_promotion_has_a_receipt_that_admits_this_very_move(mode):
    assert GATE.admits(receipt(mode), C, R)


@pytest.mark.parametrize(
    "shares", [{"candidate": 0.3}, {"candidate": 0.0, "released": 0.9}, {"guard": 0.5}], ids=lambda one: next(iter(one))
)
def test_there_is_no_receipt_for_anything_but_a_promotion(shares):
    with pytest.raises(ValueError, match="no receipt"):
        GATE.receipt("advance", decided(**shares), C, R)


def test_a_watching_gate_issues_what_moves_by_itself_with_its_verdict():
    found = GATE.receipt("watch", decided("watch", candidate=0.0, released=0.9), C, R)
    assert (found["mode"], found["outcome"]) == ("watch", "reject")
    assert GATE.admits(found, C, R)


@pytest.mark.parametrize(
    "move", [(R, C), (C, "e" * 64), ("e" * 64, R), (C, C)], ids=["turned", "other parent", "other child", "same"]
)
def test_a_receipt_admits_no_other_move(move):
    assert not GATE.admits(receipt(), *move)


@pytest.mark.parametrize("nothing", [None, {}, {"outcome": "promote"}, {"tests": None}])
def test_what_is_no_receipt_admits_nothing(nothing):
    assert not GATE.admits(nothing, C, R)


@pytest.mark.parametrize("forge", [
    lambda one: one["tests"][0].update(log_e_peak=0.0),
    lambda one: one["tests"][1].update(log_e_peak=0.0),
    lambda one: one["tests"].pop(0),
    lambda one: one["tests"].pop(1),
    lambda one: one["tests"][0].update(log_threshold=0.0),
    lambda one: one["tests"][0].update(pairs=0),
    lambda one: one.update(outcome="reject"),
    lambda one: one.update(plan_digest="0" * 64),
    lambda one: one.update(extra=1),
], ids=["release failed", "guard failed", "no release", "no guard", "threshold", "no pairs", "outcome", "other plan",
        "extra"])  # fmt: skip
def test_a_receipt_whose_numbers_do_not_carry_a_promotion_admits_nothing(forge):
    forged = copy.deepcopy(receipt())
    forge(forged)
    assert not GATE.admits(forged, C, R)


def test_a_receipt_that_waives_a_guard_admits_only_for_the_arm_that_goes_without_it():
    lossy = columns(guard=0.5)
    decision = GATE.decide("advance", 1, lossy, exhausted=True, waived=("old",))
    found = GATE.receipt("advance", decision, C, R, waived=("old",))
    assert GATE.admits(found, C, R, waived=("old",))
    assert not GATE.admits(found, C, R)
    assert not GATE.admits(receipt(), C, R, waived=("old",))
    assert not GATE.admits({**found, "waived": []}, C, R)
    assert GATE.decide("advance", 1, lossy, exhausted=True).outcome == "reject"


def test_a_gate_of_another_plan_does_not_accept_the_receipt():
    other = BettingGate(plan_of(SUITE, "advance", 6))
    assert not other.admits(receipt(), C, R)


def test_a_decision_comes_back_from_json():
    found = decided()
    assert GateDecision.from_json(found.to_json()) == found
