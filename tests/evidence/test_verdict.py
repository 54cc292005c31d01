"""The five words, in order: each line of the table, what it says, and what can never be said."""

import json
import math
from dataclasses import replace

import pytest

from netgain.evidence import verdict as rules
from netgain.evidence.transplant import Moved, accelerations
from netgain.evidence.verdict import Case, Course, decide_verdict

STARTS = 6
REQUIRED = {
    "R1": ["frozen"],
    "R2": ["frozen", "ordinary", "placebo"],
    "R4": ["frozen", "ordinary", "placebo"],
    "R5": ["frozen", "ordinary", "placebo", "flat", "one_step"],
    "R6": ["frozen", "ordinary", "placebo", "flat", "one_step", "stacked"],
    "R7": ["frozen", "ordinary", "placebo", "flat", "one_step", "stacked"],
}
LEVELS = {"self": 0.9, "frozen": 0.3, "ordinary": 0.4, "placebo": 0.4, "flat": 0.5, "one_step": 0.45, "stacked": 0.5}


def case(starts=STARTS, **more):
    """A study in which everything is as claimed: net gain .4 over every control, guards kept, gain on the sibling."""
    ready = {
        "arm": "self", "metric": "ladder", "by": 0.1, "rung": "R2", "beats": ["frozen"], "looks": [6, 9, 12],
        "required": REQUIRED, "rounds": 5,
        "scores": {arm: [level] * starts for arm, level in LEVELS.items()},
        "lost": [False] * starts,
        "guards": {"retention": (0.05, [0.0] * starts)},
        "late": (0.05, [0.1] * starts),
        "changed": [True] * starts,
        "sibling": [0.2] * starts,
        "underspent": {arm: 0.0 for arm in LEVELS if arm not in ("self", "frozen")},
    }  # fmt: skip
    return Case(**{**ready, **more})


def scored(starts=STARTS, **columns):
    """Scores as in `case`, with some columns replaced; a number stands for all starts."""
    columns = {arm: [one] * starts if isinstance(one, float) else one for arm, one in columns.items()}
    return {**{arm: [level] * starts for arm, level in LEVELS.items()}, **columns}


def result(found, rung):
    return next(one.result for one in found.rungs if one.name == rung)


# --- SUPPORTED, and what it says -------------------------------------------------------------------------------------
def test_a_gain_over_every_control_in_every_start_is_supported():
    found = decide_verdict(case())
    assert (found.word, found.level, found.rung, found.endogenous) == ("SUPPORTED", 3, "R5", True)
    assert found.limits == ()
    assert found.reasons == ("6 of 6 starts exceed the claimed effect, 6 are needed",)


def test_the_net_gain_of_a_start_is_over_the_control_that_came_closest():
    found = decide_verdict(case(scores=scored(ordinary=[0.4, 0.4, 0.4, 0.7, 0.4, 0.4], placebo=[0.35] * 5 + [0.75])))
    assert found.gains == pytest.approx([0.5, 0.5, 0.5, 0.2, 0.5, 0.15])
    assert found.closest == ("ordinary",) * 5 + ("placebo",)
    assert (found.effect["estimate"], found.effect["low"], found.effect["high"]) == pytest.approx((0.5, 0.15, 0.5))
    assert found.effect["n"] == STARTS


def test_a_control_that_the_claim_does_not_need_is_not_counted():
    assert decide_verdict(case(scores=scored(flat=0.95))).word == "SUPPORTED"
    assert decide_verdict(case(scores=scored(flat=0.95), beats=["flat"])).word == "REFUTED"


def test_a_verdict_is_plain_json():
    for one in (case(), case(0, scores={}), case(scores=scored(self=[None] * STARTS))):
        record = decide_verdict(one).to_json()
        assert json.loads(json.dumps(record, allow_nan=False))["verdict"] == record["verdict"]


# --- INVALID ---------------------------------------------------------------------------------------------------------
def test_a_failed_integrity_check_comes_before_everything_else():
    found = decide_verdict(case(broken=["seq 7: receipt"], exploratory=True, scores=scored(self=0.1)))
    assert (found.word, found.reasons) == ("INVALID", ("seq 7: receipt",))


@pytest.mark.parametrize(("share", "word"), [(0.051, "INVALID"), (0.05, "SUPPORTED WITH LIMITS"), (0.0, "SUPPORTED")])
def test_more_than_a_twentieth_of_a_sealed_block_quarantined_is_invalid(share, word):
    found = decide_verdict(case(quarantined=share))
    assert found.word == word
    assert any("quarantined" in one for one in found.limits) == (word == "SUPPORTED WITH LIMITS")


# --- INCONCLUSIVE, first of its two lines ----------------------------------------------------------------------------
@pytest.mark.parametrize("level", [0.9, 0.1])
def test_an_exploratory_study_is_never_evidence(level):
    found = decide_verdict(case(exploratory=True, scores=scored(self=level)))
    assert (found.word, found.level) == ("INCONCLUSIVE", 1)
    assert "exploratory" in found.reasons[0]


@pytest.mark.parametrize("level", [0.9, 0.1])
@pytest.mark.parametrize("starts", [1, 5])
def test_too_few_replicas_decide_nothing_whatever_the_sign(starts, level):
    found = decide_verdict(case(starts, scores=scored(starts, self=level)))
    assert found.word == "INCONCLUSIVE"
    assert found.level == 2
    assert "too few" in found.reasons[0]


def test_a_study_without_any_comparable_control_is_inconclusive_at_level_1():
    found = decide_verdict(case(rung="R1", untestable={"frozen": "it was not run"}))
    assert (found.word, found.level) == ("INCONCLUSIVE", 1)
    assert "no control" in found.reasons[0]
    assert found.effect["estimate"] is None


def test_nothing_scored_at_all_is_inconclusive():
    found = decide_verdict(case(0, scores={}))
    assert (found.word, found.rung, found.effect["estimate"]) == ("INCONCLUSIVE", None, None)


# --- REFUTED ---------------------------------------------------------------------------------------------------------
def test_a_gain_below_the_claim_is_refuted_and_the_control_is_named():
    found = decide_verdict(case(scores=scored(placebo=0.85)))
    assert found.word == "REFUTED"
    sentence = found.reasons[0]
    assert "`self`" in sentence and "not above 0.1" in sentence
    assert "`placebo` (6 of 6 starts)" in sentence
    assert "highest rung that passed is R1" in sentence


def test_an_arm_that_is_its_own_control_gains_nothing():
    found = decide_verdict(case(arm="ordinary", by=0.0, scores=scored(ordinary=0.9)))
    assert (found.word, found.gains) == ("REFUTED", (0.0,) * STARTS)
    assert "`ordinary` is itself a control" in found.reasons[0]


def test_a_gain_of_exactly_the_claimed_effect_does_not_exceed_it():
    assert decide_verdict(case(by=0.5, rung="R1", scores=scored(self=0.75, frozen=0.25))).word == "REFUTED"


def test_a_claimed_arm_that_could_not_answer_loses_to_every_control():
    found = decide_verdict(case(scores=scored(self=[None] * STARTS)))
    assert found.word == "REFUTED"
    assert found.gains == (None,) * STARTS


def test_a_given_root_does_not_keep_a_claim_from_being_refuted():
    found = decide_verdict(case(given_root=True, scores=scored(self=0.1)))
    assert (found.word, found.level) == ("REFUTED", 2)


# --- INCONCLUSIVE, second line ---------------------------------------------------------------------------------------
def test_between_the_limits_is_inconclusive_and_asks_for_the_next_look():
    found = decide_verdict(case(scores=scored(self=[0.9] * 4 + [0.2] * 2)))
    assert found.word == "INCONCLUSIVE"
    assert "4 of 6" in found.reasons[0]
    assert found.analysis.next_look == 9


def test_a_required_arm_that_is_not_testable_leaves_the_claim_open():
    found = decide_verdict(case(untestable={"placebo": "the loop declares no `filters`"}))
    assert found.word == "INCONCLUSIVE"
    assert "required arm `placebo` is not testable: the loop declares no `filters`" in found.reasons
    assert (found.rung, result(found, "R2")) == ("R1", "not testable")


def test_a_required_arm_that_was_not_run_leaves_the_claim_open():
    scores = {arm: column for arm, column in scored().items() if arm != "ordinary"}
    found = decide_verdict(case(scores=scores))
    assert found.word == "INCONCLUSIVE"
    assert any("`ordinary`" in one and "did not run" in one for one in found.reasons)


def test_a_gain_shown_absent_is_refuted_although_a_required_arm_is_missing():
    assert decide_verdict(case(untestable={"placebo": "none"}, scores=scored(ordinary=0.9))).word == "REFUTED"


def test_a_rung_below_the_claimed_one_that_failed_leaves_the_claim_open():
    found = decide_verdict(case(changed=[False] * STARTS))
    assert (found.word, found.rung) == ("INCONCLUSIVE", None)
    assert any(one.startswith("R0 fail") for one in found.reasons)


def test_a_root_that_the_claimant_gave_is_level_2_at_most():
    found = decide_verdict(case(given_root=True))
    assert (found.word, found.level) == ("INCONCLUSIVE", 2)
    assert "root was given" in found.reasons[0]


@pytest.mark.parametrize(("how", "reason"), [("registered", "not registered"), ("sealed", "not sealed")])
def test_without_registration_or_seal_the_evidence_is_of_level_2_and_says_why(how, reason):
    found = decide_verdict(case(**{how: False}))
    assert (found.word, found.level) == ("INCONCLUSIVE", 2)
    assert reason in found.reasons[0]


# --- Controls that failed or spent less ------------------------------------------------------------------------------
def test_a_control_that_failed_makes_its_start_no_success():
    found = decide_verdict(case(scores=scored(placebo=[None] + [0.35] * 5)))
    assert found.word == "INCONCLUSIVE"
    assert "5 of 6" in found.reasons[0]
    assert found.gains[0] is None and found.closest[0] == "placebo"
    assert found.effect["low"] is None


@pytest.mark.parametrize(
    ("share", "word"),
    [(0.0, "SUPPORTED"), (0.02, "SUPPORTED"), (0.021, "SUPPORTED WITH LIMITS"), (0.10, "SUPPORTED WITH LIMITS"),
     (0.101, "INCONCLUSIVE"), (0.5, "INCONCLUSIVE"), (None, "SUPPORTED WITH LIMITS")],
)  # fmt: skip
def test_a_control_that_spent_less_is_a_limit_and_from_a_tenth_on_no_control(share, word):
    found = decide_verdict(case(underspent={"ordinary": share, "placebo": 0.0}))
    assert found.word == word
    if word == "SUPPORTED WITH LIMITS":
        assert [one for one in found.limits if "`ordinary`" in one]
    if word == "INCONCLUSIVE":
        assert any("not testable" in one and "`ordinary`" in one for one in found.reasons)


def test_unknown_cost_is_said_to_be_unknown():
    assert "cost of `ordinary` is unknown" in decide_verdict(case(underspent={"ordinary": None})).limits


def test_a_start_that_infrastructure_lost_counts_against_both_words():
    for level, decided in ((0.9, "SUPPORTED"), (0.1, "REFUTED")):
        gone = replace(case(scores=scored(self=level)), lost=[True] + [False] * 5)
        assert decide_verdict(case(scores=scored(self=level))).word == decided
        assert decide_verdict(gone).word == "INCONCLUSIVE"


def test_two_lost_starts_allow_no_look():
    found = decide_verdict(replace(case(), lost=[True, True] + [False] * 4))
    assert found.word == "INCONCLUSIVE"
    assert "no look" in found.reasons[0]


# --- Limits ----------------------------------------------------------------------------------------------------------
def limits_of(**more):
    found = decide_verdict(case(**more))
    assert found.word == "SUPPORTED WITH LIMITS"
    return found.limits


def test_a_start_that_failed_is_a_limit_once_the_others_suffice():
    nine = {arm: [level] * 9 for arm, level in LEVELS.items()}
    found = decide_verdict(case(9, scores={**nine, "self": [0.9] * 4 + [0.2] + [0.9] * 4}))
    assert found.word == "SUPPORTED WITH LIMITS"
    assert "1 of 9 starts did not exceed the claimed effect" in found.limits


@pytest.mark.parametrize("change", [[-0.06] * STARTS, [None] * STARTS, [0.0] * 5 + [-0.06], [0.0] * 5 + [None]])
def test_a_guard_that_is_not_shown_to_be_kept_is_a_limit_and_caps_the_rung(change):
    guards = {"retention": (0.05, change)}
    assert limits_of(guards=guards) == ("guard retention is not shown to be kept",)
    found = decide_verdict(case(guards=guards))
    assert (found.rung, result(found, "R4")) == ("R2", "fail")
    assert decide_verdict(case(guards=guards, rung="R4")).word == "INCONCLUSIVE"


def test_a_study_without_a_guard_says_so():
    assert limits_of(guards={}) == ("no guard axis was run",)
    assert result(decide_verdict(case(guards={})), "R4") == "not testable"


def test_a_person_on_the_path_is_a_limit():
    assert limits_of(people=3) == ("3 decisions by a person or an outside model on the path",)
    assert limits_of(unseen={"cka": (2, 7)}) == ("monitor cka could not look in 2 of 7 rounds",)


@pytest.mark.parametrize("sibling", [[0.0] * STARTS, [-0.1] * STARTS, [None] * STARTS])
def test_no_gain_on_the_sibling_axis_is_narrow(sibling):
    assert limits_of(sibling=sibling) == ("narrow: no gain on the sibling axis",)


def test_a_suite_without_a_sibling_axis_is_not_called_narrow():
    assert decide_verdict(case(sibling=[])).word == "SUPPORTED"


def test_mean_and_median_on_opposite_sides_of_the_claim_are_a_limit():
    nine = {arm: [level] * 9 for arm, level in LEVELS.items()}
    own = [0.55] * 8 + [0.0]  # median .15 over the claimed .1, one start lost .4
    found = decide_verdict(case(9, scores={**nine, "self": own}))
    assert found.word == "SUPPORTED WITH LIMITS"
    assert "mean and median of the net gain disagree about the claimed effect" in found.limits


def test_limits_decide_nothing_where_the_claim_is_not_shown():
    assert decide_verdict(case(scores=scored(self=0.1), people=3)).word == "REFUTED"


# --- Rungs -----------------------------------------------------------------------------------------------------------
def test_the_highest_rung_is_the_last_one_without_a_gap_below():
    found = decide_verdict(case(untestable={"placebo": "none"}, scores=scored(), rung="R1"))
    assert [result(found, rung) for rung in ("R0", "R1", "R2", "R4", "R5")] == ["pass", "pass"] + ["not testable"] * 3
    assert found.rung == "R1"
    found = decide_verdict(case(late=(0.05, [-0.2] * STARTS)))
    assert [result(found, rung) for rung in ("R2", "R4", "R5")] == ["pass", "fail", "pass"]
    assert found.rung == "R2"


@pytest.mark.parametrize(
    "more", [{"rounds": 4}, {"late": None}, {"guards": {}}], ids=["four rounds", "no late value", "no guard"]
)
def test_a_sustained_gain_needs_five_rounds_a_late_value_and_a_guard(more):
    assert result(decide_verdict(case(**more)), "R4") == "not testable"
    assert decide_verdict(case(rung="R4", **more)).word == "INCONCLUSIVE"


def test_every_rung_names_the_controls_and_how_many_starts_passed():
    found = decide_verdict(case())
    rung = next(one for one in found.rungs if one.name == "R5")
    assert all(name in rung.detail for name in REQUIRED["R5"])
    assert (rung.successes, rung.starts) == (6, 6)


def test_what_the_claim_adds_is_asked_of_the_claimed_rung_only():
    found = decide_verdict(case(beats=["flat"], scores=scored(flat=0.85), rung="R2"))
    assert (found.word, found.rung) == ("REFUTED", "R1")
    assert "R1" in found.reasons[0]


def ungated(score, *, lost=0.0):
    """The arm `ungated` beside the others: its score, and what it lost on the guard axis."""
    course = rules.Course(5, {"retention": (0.05, [-lost] * STARTS)}, (0.05, [0.1] * STARTS), [True] * STARTS)
    return {"scores": scored(ungated=score), "ungated": course}


# --- The mark R3 -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("more", "mark"),
    [
        ({}, True),
        ({"outside_labels": 10}, False),
        ({"people": 1}, False),
        ({"verdict_moved_path": 2}, None),
        ({"verdict_moved_path": 2, **ungated(0.9)}, True),
        ({"verdict_moved_path": 2, **ungated(0.4)}, False),
        ({"verdict_moved_path": 2, **ungated(0.9, lost=0.3)}, False),
        ({"outside_labels": 10, **ungated(0.9)}, False),
        ({"changed": [False] * STARTS, "scores": scored(self=0.3)}, None),
        ({"scores": scored(self=0.3)}, None),
    ],
    ids=[
        "nothing outside", "labels", "a person", "the gate chose", "ungated passes", "ungated fails",
        "ungated loses what the gate had guarded", "labels stay", "no rung", "a change alone",
    ],
)  # fmt: skip
def test_the_signal_is_endogenous_when_nothing_from_outside_was_on_the_path(more, mark):
    found = decide_verdict(case(**more))
    assert found.endogenous is mark
    assert found.endogenous_reason


# --- What the unit is ------------------------------------------------------------------------------------------------
def test_the_unit_of_a_claim_about_a_loop_is_the_start_and_not_the_item():
    """Six scores of two starts, three items each, are two starts: no number of items makes up for them."""
    found = decide_verdict(case(2, scores=scored(2)))
    assert found.word == "INCONCLUSIVE"
    assert found.effect["n"] == 2
    assert (found.effect["low"], found.effect["high"]) == (None, None)


def test_what_is_unknown_of_the_effect_has_its_reason_beside_it():
    early = decide_verdict(case(2, scores=scored(2))).effect
    assert "the first look is at 6" in early["low_reason"] and "estimate_reason" not in early
    failed = decide_verdict(case(scores=scored(frozen=[None] + [0.3] * 5))).effect
    assert failed["low"] is None and "unbounded" in failed["low_reason"]
    nothing = decide_verdict(case(untestable=dict.fromkeys(LEVELS, "not run"), rung="R1")).effect
    assert nothing["estimate_reason"] == "no control to compare with"


def test_no_rung_has_its_reason_beside_it():
    found = decide_verdict(case(changed=[False] * STARTS)).to_json()
    assert found["rung"] is None
    assert found["rung_reason"].startswith("R0 did not pass: what is served differs from generation 0: 0 of 6")


def test_five_starts_of_six_are_not_enough_however_large_the_gain():
    scores = scored(self=[1.0] * 5 + [0.45], frozen=0.0, ordinary=0.4, placebo=0.0)
    assert decide_verdict(case(scores=scores)).word == "INCONCLUSIVE"


def test_other_looks_have_thresholds_of_their_own():
    assert rules.looks_of([6, 9, 12]).support == (6, 8, 10)
    assert max(rules.looks_of([8]).levels) <= 0.05
    found = decide_verdict(case(8, looks=[8], scores=scored(8, self=[0.9] * 7 + [0.2])))
    assert found.word == "SUPPORTED WITH LIMITS"


def test_a_missing_score_is_never_taken_for_zero():
    gains, _ = rules.net_gains(case(scores=scored(frozen=[None] * STARTS)), ["frozen"])
    assert gains == [-math.inf] * STARTS  # as zero, it would have been a gain of .9


# --- Controls that were given more, and a placebo that is none -------------------------------------------------------
@pytest.mark.parametrize(
    ("more", "word"),
    [(0.0, "REFUTED"), (0.05, "REFUTED"), (0.10, "REFUTED"), (0.101, "INCONCLUSIVE")],
)
def test_a_control_that_spent_over_a_tenth_more_cannot_refute(more, word):
    spent = {"ordinary": more, "placebo": more}
    found = decide_verdict(case(scores=scored(ordinary=0.9, placebo=0.9), overspent=spent))
    assert found.word == word
    assert any("% more than `self`" in one for one in found.reasons) == bool(more)


def test_a_control_of_unknown_spend_cannot_refute():
    """Fails closed: what nobody counted may have been more."""
    beaten = {"ordinary": 0.9, "placebo": 0.9, "frozen": 0.2}
    found = decide_verdict(case(scores=scored(**beaten), overspent={"ordinary": None, "placebo": None}))
    assert found.word == "INCONCLUSIVE"
    assert "its spend is unknown" in found.reasons[0]


def test_a_control_that_spent_more_makes_the_claim_harder_and_never_easier():
    more = {"ordinary": 0.5}
    assert decide_verdict(case(overspent=more)).word == "SUPPORTED"
    assert decide_verdict(case(scores=scored(ordinary=0.85), overspent=more)).word == "INCONCLUSIVE"


def test_what_another_control_shows_refutes_although_one_spent_more():
    found = decide_verdict(case(scores=scored(ordinary=0.95, frozen=0.85), overspent={"ordinary": 0.5}))
    assert found.word == "REFUTED"
    assert "`frozen` (6 of 6 starts)" in found.reasons[0]


def test_a_placebo_that_did_harm_serves_no_rung_that_needs_one():
    found = decide_verdict(case(scores=scored(placebo=0.35)))
    assert (found.word, found.rung, result(found, "R2")) == ("INCONCLUSIVE", "R1", "not testable")
    assert any("did harm (at most -0.050 against `ordinary`)" in one for one in found.reasons)
    for gaps in ([0.35] * 5 + [0.4], [0.35] * 5 + [None]):  # its upper bound is not below 0
        assert result(decide_verdict(case(scores=scored(placebo=gaps))), "R2") in ("pass", "fail")


def test_where_changes_are_searched_for_a_placebo_is_held_against_standing_still():
    searching = {"neutral": "frozen"}
    below = scored(placebo=0.15, frozen=0.20)
    found = decide_verdict(case(scores=below, **searching))
    assert (found.rung, result(found, "R2")) == ("R1", "not testable")
    assert any("did harm (at most -0.050 against `frozen`)" in one for one in found.reasons)
    still = scored(placebo=0.20, frozen=0.20)  # it drifts about where it began, and plain tuning got somewhere
    assert result(decide_verdict(case(scores=still, **searching)), "R2") == "pass"
    assert result(decide_verdict(case(scores=still)), "R2") == "not testable", "a placebo that is trained"


def test_a_placebo_that_did_harm_refutes_nothing_and_the_others_still_do():
    assert decide_verdict(case(scores=scored(placebo=0.85, ordinary=0.88))).word == "REFUTED"
    assert decide_verdict(case(scores=scored(placebo=0.35), beats=["frozen"], by=0.45)).word == "INCONCLUSIVE"


@pytest.mark.parametrize(("residual", "limited"), [(-0.3, False), (0.02, False), (0.021, True), (None, True)])
def test_a_placebo_that_carries_true_feedback_is_a_limit(residual, limited):
    found = decide_verdict(case(residual=residual))
    assert found.word == ("SUPPORTED WITH LIMITS" if limited else "SUPPORTED")
    assert any("placebo" in one for one in found.limits) == limited
    assert decide_verdict(case(residual=residual, rung="R1")).word == "SUPPORTED"


@pytest.mark.parametrize(("residual", "word"), [(0.02, "REFUTED"), (0.2, "INCONCLUSIVE")])
def test_a_placebo_that_carries_true_feedback_cannot_refute(residual, word):
    found = decide_verdict(case(scores=scored(placebo=0.9), residual=residual))
    assert found.word == word
    assert any("weakened" in one for one in found.reasons) == (word == "INCONCLUSIVE")


# --- Means -----------------------------------------------------------------------------------------------------------
def of_means(starts=10, **more):
    spread = [0.01 * (place % 3) for place in range(starts)]
    ready = {"analysis": "mean", "looks": [10], "scores": scored(starts, self=[0.9 - one for one in spread])}
    return case(starts, **{**ready, **more})


def test_a_mean_is_decided_from_ten_starts_on_and_says_what_it_cannot_see():
    found = decide_verdict(of_means())
    assert (found.word, found.rung, found.level) == ("SUPPORTED", "R5", 3)
    assert "a failure mode in up to 26 % of starts would not have been seen" in found.reasons[-1]
    assert found.effect["unit"].endswith("mean over starts")
    assert found.effect["low"] < found.effect["estimate"] < found.effect["high"]
    assert decide_verdict(of_means(9)).word == "INCONCLUSIVE"


def test_a_mean_below_the_claim_is_refuted_for_one_control():
    found = decide_verdict(of_means(scores=scored(10, self=0.9, placebo=0.85)))
    assert found.word == "REFUTED"
    assert "`placebo`" in found.reasons[0]
    assert "would not have been seen" in found.reasons[-1]


def test_a_mean_supports_what_a_typical_start_does_not():
    """A small gain with one hump: three of ten starts fall short of it, their mean does not."""
    own = [0.5 + one for one in (0.04, 0.02, 0.05, 0.06, 0.02, 0.05, 0.05, 0.04, 0.02, 0.05)]
    columns = scored(10, self=own, **dict.fromkeys(LEVELS.keys() - {"self"}, 0.5))
    assert decide_verdict(of_means(scores=columns, by=0.03)).word == "SUPPORTED WITH LIMITS"
    assert decide_verdict(case(10, looks=[10], scores=columns, by=0.03)).word == "INCONCLUSIVE"


def test_a_claimed_arm_that_could_not_answer_scores_nothing_in_a_mean():
    own = [None] + [0.9] * 9
    assert decide_verdict(of_means(scores=scored(10, self=own), by=0.45)).word == "INCONCLUSIVE"
    assert decide_verdict(of_means(scores=scored(10, self=[None] * 10))).word == "REFUTED"


# --- Open looks and shares -------------------------------------------------------------------------------------------
def test_open_looks_decide_at_the_first_number_that_suffices():
    found = decide_verdict(case(5, looks="open", scores=scored(5)))
    assert (found.word, found.effect["n"]) == ("SUPPORTED", 5)
    failed = scored(12, self=[0.2] + [0.9] * 11)
    assert decide_verdict(case(12, looks="open", scores=failed)).word == "SUPPORTED WITH LIMITS"
    four = decide_verdict(case(4, looks="open", scores=scored(4)))
    assert (four.word, four.analysis.next_look) == ("INCONCLUSIVE", 5)


def test_a_claim_about_a_larger_share_needs_more_starts():
    own = [0.9] * 10 + [0.2, 0.2]
    half, most = (case(12, looks=[12], share=share, scores=scored(12, self=own)) for share in (0.5, 0.8))
    assert decide_verdict(half).word == "SUPPORTED WITH LIMITS"
    found = decide_verdict(most)
    assert (found.word, result(found, "R0")) == ("INCONCLUSIVE", "pass")  # what is not the claim's keeps to one half


# --- One version -----------------------------------------------------------------------------------------------------
def of_version(own=(1,) * 40 + (0,) * 10, first=(0,) * 30 + (1,) * 5 + (0,) * 15, **more):
    items = {"ladder": (own, first), "retention": ((1,) * 400, (1,) * 400)}
    ready = {"about": "version", "rung": "R1", "looks": [6, 9, 12], "items": items, "by": 0.0}
    return case(1, **{**ready, "guards": {"retention": (0.05, [0.0])}, **more})


def test_a_version_is_compared_over_items_and_says_nothing_about_the_loop():
    found = decide_verdict(of_version())
    assert (found.word, found.rung, found.level, found.endogenous) == ("SUPPORTED", "R1", 3, None)
    assert (found.effect["n"], found.effect["unit"]) == (50, "points of ladder in [0, 1], mean over items")
    assert "says nothing about the loop" in found.reasons[-1]
    assert "in 50 items" in str(found)
    assert [one.result for one in found.rungs] == ["pass", "pass"] + ["not testable"] * 5


def test_items_of_one_run_never_answer_a_claim_about_the_loop():
    found = decide_verdict(of_version(about="loop"))
    assert (found.word, found.level, found.effect["n"]) == ("INCONCLUSIVE", 2, 1)


def test_a_version_can_be_refuted_or_stay_open_and_still_says_it():
    worse = decide_verdict(of_version(first=(1,) * 50))
    same = decide_verdict(of_version(first=(1,) * 40 + (0,) * 10))
    assert (worse.word, same.word) == ("REFUTED", "INCONCLUSIVE")
    assert all("says nothing about the loop" in one.reasons[-1] for one in (worse, same))


def test_a_version_whose_guard_is_not_shown_to_be_kept_over_items_has_a_limit():
    lost = {"ladder": of_version().items["ladder"], "retention": ((0,) * 40 + (1,) * 360, (1,) * 400)}
    assert decide_verdict(of_version(items=lost)).limits == ("guard retention is not shown to be kept",)


def test_a_version_of_a_run_that_infrastructure_lost_is_not_compared():
    assert decide_verdict(replace(of_version(), lost=[True])).word == "INCONCLUSIVE"
    assert decide_verdict(of_version(changed=[False])).word == "INCONCLUSIVE"


# --- Contrasts that say nothing of their own -------------------------------------------------------------------------
def test_a_contrast_is_vacuous_when_four_of_five_starts_answered_as_generation_0_did():
    def told(same):
        answers = {"self": list("abcde"), "frozen": list("01234"), "placebo": [*"01234"[:same], *"vwxyz"[same:]]}
        return decide_verdict(case(5, looks=[5], answers=answers)).vacuous

    assert told(4) == ({"arm": "placebo", "same_as": "frozen", "starts": 4, "of": 5},)
    assert told(3) == ()


def test_a_control_that_answers_as_the_loop_does_is_named_and_no_answer_is_alike():
    answers = {"self": ["a"] * 6, "frozen": [None] * 6, "random_gate": ["a"] * 6, "placebo": [None] * 6}
    assert decide_verdict(case(answers=answers)).vacuous == (
        {"arm": "random_gate", "same_as": "self", "starts": 6, "of": 6},
    )


def test_an_arm_whose_run_says_nothing_cannot_be_compared_with():
    found = decide_verdict(case(beats=["placebo"], uninformative={"placebo": "nothing to replace"}))
    assert found.word == "INCONCLUSIVE"
    assert "not informative: nothing to replace" in " ".join(found.reasons)


# --- R6 and R7: the improver itself, moved alone ---------------------------------------------------------------------
ACCELERATING = {"last": 0.6, "half": 0.25, "first": 0.15, "drifted": 0.15, "shuffled": 0.15}
SATURATING = {**ACCELERATING, "half": 0.5}
FLOOR = {**ACCELERATING, "last": 0.5, "half": 0.2, "first": 0.05}  # faster on the score scale only


def improvers(starts=STARTS, **scores):
    """Worth of every improver in every start; a list says it by start."""
    columns = {name: one if isinstance(one, list) else [one] * starts for name, one in scores.items()}
    return {name: [None if one is None else Moved(one, math.log(one / (1 - one))) for one in column]
            for name, column in columns.items()}  # fmt: skip


def test_the_rungs_above_iterated_need_a_moved_improver():
    found = decide_verdict(case(rung="R6", unmoved="the loop has no `transplant`"))
    assert (found.word, found.rung, result(found, "R6")) == ("INCONCLUSIVE", "R5", "not testable")
    assert "no `transplant`" in " ".join(found.reasons)
    assert result(decide_verdict(case()), "R7") == "not testable"


@pytest.mark.parametrize(
    ("scores", "rung", "word"),
    [(ACCELERATING, "R7", "SUPPORTED"), (SATURATING, "R6", "INCONCLUSIVE"), (FLOOR, "R6", "INCONCLUSIVE")],
)
def test_only_growth_that_grows_on_both_scales_is_accelerating(scores, rung, word):
    found = decide_verdict(case(rung="R7", improvers=improvers(**scores)))
    assert (found.rung, found.word) == (rung, word)


@pytest.mark.parametrize("null", ["first", "drifted", "shuffled"])
def test_an_improver_that_a_null_equals_is_not_recursive(null):
    found = decide_verdict(case(rung="R6", improvers=improvers(**{**ACCELERATING, null: 0.6})))
    assert (found.rung, found.word, result(found, "R6")) == ("R5", "INCONCLUSIVE", "fail")


@pytest.mark.parametrize(
    ("short", "held"), [(0.0, "pass"), (0.10, "pass"), (0.11, "not testable"), (None, "not testable")]
)
def test_an_improver_that_was_given_more_than_its_null_proves_nothing(short, held):
    found = decide_verdict(case(rung="R6", improvers=improvers(**ACCELERATING), moved_short={"drifted": short}))
    assert result(found, "R6") == held
    assert ("moved rounds of the improver `drifted`" in " ".join(found.reasons)) == (held != "pass")


@pytest.mark.parametrize(("alike", "held"), [(0, "pass"), (STARTS - 2, "pass"), (STARTS - 1, "not testable")])
def test_an_improver_grown_on_nothing_that_is_generation_0_once_more_is_no_null(alike, held):
    """Behind a gate `placebo` may keep no change: then nothing shows what feedback without content would have made."""
    found = decide_verdict(case(rung="R6", improvers=improvers(**ACCELERATING), alike=alike))
    assert result(found, "R6") == held
    assert (f"generation 0 in {alike} of {STARTS} starts" in " ".join(found.reasons)) == (held != "pass")


def test_a_loss_that_slows_down_is_no_acceleration():
    found = decide_verdict(case(rung="R7", improvers=improvers(**{**ACCELERATING, "last": 0.13, "half": 0.14})))
    assert accelerations(improvers(1, last=0.13, half=0.14, first=0.2), 1, "logit")[0] > 0
    assert (found.rung, result(found, "R6"), result(found, "R7")) == ("R5", "fail", "fail")


def test_a_transplant_has_to_exceed_its_registered_margin_in_most_starts():
    moved = improvers(**{**ACCELERATING, "last": [0.6] * 5 + [0.2]})
    assert result(decide_verdict(case(improvers=moved)), "R6") == "pass"
    assert result(decide_verdict(case(improvers=moved, transplant_by=0.1)), "R6") == "fail"
    assert (
        result(decide_verdict(case(improvers=improvers(**{**ACCELERATING, "last": [0.6] * 5 + [None]}))), "R6")
        == "fail"
    )


def test_a_loop_that_a_frozen_improver_equals_is_not_recursive_however_its_improver_travels():
    found = decide_verdict(case(rung="R6", scores=scored(stacked=0.9), improvers=improvers(**ACCELERATING)))
    assert (found.word, result(found, "R6")) == ("REFUTED", "fail")
    assert "`stacked`" in found.reasons[0]


def test_the_mark_asks_ungated_for_an_improver_of_its_own():
    ready = {"scores": scored(ungated=0.9), "improvers": improvers(**ACCELERATING)}
    own = {"rounds": 5, "guards": case().guards, "late": case().late, "changed": [True] * STARTS}
    assert decide_verdict(case(**ready, ungated=Course(**own))).endogenous is False
    assert decide_verdict(case(**ready, ungated=Course(**own, improvers=improvers(**ACCELERATING)))).endogenous is True


# --- Epochs of the contract ------------------------------------------------------------------------------------------
def test_a_claim_that_was_decided_under_two_bridged_contracts_has_that_limit():
    found = decide_verdict(case(epochs=2))
    assert (found.word, found.level) == ("SUPPORTED WITH LIMITS", 3)
    assert found.limits == ("decided under 2 epochs of the contract, bridged",)


@pytest.mark.parametrize("more", [{}, {"scores": scored(ordinary=0.95)}])
def test_contracts_that_no_bridge_ties_together_show_nothing_either_way(more):
    found = decide_verdict(case(epochs=3, unbridged=["epoch 2 is not bridged"], **more))
    assert (found.word, found.level) == ("INCONCLUSIVE", 2)
    assert found.reasons == ("decided under 3 epochs of the contract, unbridged", "epoch 2 is not bridged")
