"""From a study's tables to what its verdict rests on: nothing unknown becomes a number on the way."""

import pytest

from netgain.case import case_of, overspent, underspent
from netgain.evidence.tally import Tally
from netgain.facts import Facts, RunFacts

AXES = [
    {"name": "m", "kind": "capability", "guard": False, "margin": 0.05, "sealed_items": 10},
    {"name": "old", "kind": "retention", "guard": True, "margin": 0.02, "sealed_items": 10},
    {"name": "near", "kind": "sibling", "guard": False, "margin": 0.05, "sealed_items": 10},
]
ARMS = ("self", "frozen", "ordinary")
MEANS = {"self": 0.9, "frozen": 0.3, "ordinary": 0.4}


def facts(*, replicas=2, axes=AXES, sealed=None, spend=None, decisions=(), choices=(), row=None, **registration):
    """A study that went as planned, with `sealed` means, `spend` by arm and the claimed arm's `row` replaced."""
    ended = {"stage": "done", "round": 5, "released": "b", "working": "b", "anchor": "a", "restores": 0}
    runs = {}
    for r, arm in ((r, arm) for r in range(replicas) for arm in ARMS):
        build = (spend or {}).get(arm, {"tokens": 100.0})
        runs[f"r{r}/{arm}"] = RunFacts(r, arm, "", {**ended, "build": build})
        if arm == "self":
            own = runs[f"r{r}/{arm}"]
            own.row, own.decisions, own.choices = {**own.row, **(row or {})}, list(decisions), list(choices)
    means = {(r, arm, "served", axis["name"]): Tally(MEANS[arm], 10, 0, 0)
             for r in range(replicas) for arm in ARMS for axis in axes}  # fmt: skip
    claim = {"arm": "self", "metric": "m", "by": 0.1, "rung": "R2", "beats": ["frozen"], "looks": [6, 9, 12],
             "starts": "this generation 0"}  # fmt: skip
    record = {
        "claim": claim,
        "study": {
            "rounds": 5, "arms": list(ARMS), "untestable": {}, "required": {"R1": ["frozen"]}, "surfaces": ["weights"],
        },
        "contract": {"suite": {"axes": axes, "dev_items": 0}}, "exploratory": False, "given_root": False,
        **registration,
    }  # fmt: skip
    return Facts(
        registration=record, registered_seq=0, runs=runs, enrolled={r: list(ARMS) for r in range(replicas)},
        sealed={**means, **(sealed or {})}, seals=[{"look": replicas}],
    )  # fmt: skip


def test_a_start_is_one_score_per_arm_however_many_items_it_has():
    found = case_of(facts(replicas=3))
    assert found.scores == {arm: [MEANS[arm]] * 3 for arm in ARMS}
    assert (found.registered, found.sealed, found.exploratory, found.given_root) == (True, True, False, False)


@pytest.mark.parametrize("asked", [True, False])
def test_a_score_that_is_not_there_is_not_zero(asked):
    study = facts()
    for name in ("m", "old", "near"):
        if asked:
            study.sealed[1, "frozen", "served", name] = Tally(None, 0, 10, 0)
        else:
            del study.sealed[1, "frozen", "served", name]
    found = case_of(study)
    assert found.scores["frozen"] == [0.3, None]
    assert found.guards["old"][1] == pytest.approx([0.6, None])
    assert found.sibling == pytest.approx([0.6, None])


def test_every_replica_that_was_enrolled_counts_and_one_that_did_not_end_is_lost():
    study = facts(replicas=3)
    study.runs["r2/ordinary"].row["stage"] = "build"
    found = case_of(study)
    assert found.lost == [False, False, True]
    assert len(found.scores["self"]) == 3


def test_an_arm_that_is_not_testable_has_no_scores_and_its_reason():
    study = facts()
    study.registration["study"] |= {"arms": [*ARMS, "placebo"], "untestable": {"placebo": "no filters"}}
    found = case_of(study)
    assert "placebo" not in found.scores
    assert found.untestable == {"placebo": "no filters"}


# --- Spend -----------------------------------------------------------------------------------------------------------
def short(own, theirs):
    return underspent(facts(spend={"self": own, "ordinary": theirs}), "ordinary")


@pytest.mark.parametrize(
    ("own", "theirs", "share"),
    [
        ({"tokens": 100.0}, {"tokens": 95.0}, 0.05),
        ({"tokens": 100.0}, {"tokens": 130.0}, 0.0),
        ({"tokens": 100.0, "flops": 10.0}, {"tokens": 100.0, "flops": 8.0}, 0.2),
        ({"calls": 10.0, "device_seconds": 99.0}, {"calls": 5.0, "device_seconds": 99.0}, 0.5),
        ({"device_seconds": 100.0}, {"device_seconds": 80.0}, 0.2),
        ({"device_seconds": 1.0}, {"device_seconds": 0.5}, 0.0),
    ],
    ids=["less", "more", "the unit in which it is shortest", "calls", "seconds", "seconds too few to count"],
)
def test_a_control_is_held_against_what_the_loop_spent(own, theirs, share):
    assert short(own, theirs) == pytest.approx(share)


@pytest.mark.parametrize(
    ("own", "theirs"),
    [({}, {}), ({"tokens": None}, {"tokens": 5.0}), ({"tokens": 5.0}, {"tokens": None}), ({"tokens": 5.0}, {})],
)
def test_cost_that_is_unknown_on_either_side_is_unknown(own, theirs):
    assert short(own, theirs) is None


def test_cost_that_is_unknown_in_one_start_is_unknown():
    study = facts(replicas=3)
    study.runs["r1/ordinary"].row["build"] = {"tokens": None}
    assert underspent(study, "ordinary") is None


def test_arms_that_build_nothing_are_not_asked_what_they_spent():
    assert set(case_of(facts()).underspent) == {"ordinary"}


# --- What else the verdict asks --------------------------------------------------------------------------------------
def test_the_late_value_is_the_end_against_the_half_of_the_horizon():
    study = facts(sealed={(0, "self", "listed", "m"): Tally(0.7, 10, 0, 0)})
    margin, changes = case_of(study).late
    assert margin == 0.05
    assert changes == pytest.approx([0.2, None])
    assert case_of(facts()).late is None


def test_the_largest_share_of_a_block_that_was_quarantined_counts():
    parts = {0: Tally(0.9, 9, 1, 0), 1: Tally(0.9, 9, 1, 1)}  # one missing for another reason, one quarantined
    study = facts(sealed={(r, "self", "served", "m"): part for r, part in parts.items()})
    assert case_of(study).quarantined == pytest.approx(0.1)


@pytest.mark.parametrize(("decided_by", "people"), [("person", 2), ("model", 2), ("rule", 0), ("system", 0)])
def test_persons_and_outside_models_on_the_path_are_counted(decided_by, people):
    assert case_of(facts(choices=[{"decided_by": decided_by}])).people == people


@pytest.mark.parametrize(
    ("more", "moved"),
    [
        ({}, 0),
        ({"decisions": [{"mode": "strict", "outcome": "promote"}]}, 0),
        ({"decisions": [{"mode": "strict", "outcome": "undecided"}]}, 2),
        ({"decisions": [{"mode": "advance", "outcome": "undecided"}]}, 0),
        ({"row": {"restores": 1}}, 2),
        ({"row": {"working": "c"}}, 2),
    ],
)
def test_starts_in_which_the_gate_changed_what_is_served_are_counted(more, moved):
    assert case_of(facts(**more)).verdict_moved_path == moved


def test_a_start_that_serves_generation_0_has_not_changed():
    assert case_of(facts()).changed == [True, True]
    assert case_of(facts(row={"released": "a", "working": "a"})).changed == [False, False]


def test_outside_labels_are_the_items_with_targets_that_the_loop_gets():
    study = facts(contract={"suite": {"axes": AXES, "dev_items": 30}})
    assert case_of(study).outside_labels == 30


def test_how_the_study_was_made_is_carried_over():
    study = facts(exploratory=True, given_root=True)
    study.seals, study.registered_seq = [], None
    found = case_of(study, broken=["seq 3"])
    assert (found.exploratory, found.given_root, found.sealed, found.registered) == (True, True, False, False)
    assert found.broken == ["seq 3"]


@pytest.mark.parametrize(
    ("missing", "quarantined", "scored"), [(5, 0, True), (6, 0, False), (6, 1, True), (60, 60, True)]
)
def test_a_block_that_was_left_unanswered_has_no_score_so_that_silence_raises_none(missing, quarantined, scored):
    study = facts()
    study.sealed[0, "self", "served", "m"] = Tally(1.0, 100 - missing, missing, quarantined)
    assert case_of(study).scores["self"] == [1.0 if scored else None, 0.9]


def test_the_rounds_of_a_study_are_those_that_the_claimed_arm_ran():
    assert case_of(facts(row={"round": 3})).rounds == 3


def test_a_unit_that_a_control_did_not_book_is_unknown_and_not_replaced_by_another():
    spend = {"self": {"tokens": 100.0, "device_seconds": 9.0}, "ordinary": {"tokens": None, "device_seconds": 9.0}}
    assert underspent(facts(spend=spend), "ordinary") is None


def test_a_control_that_failed_where_it_was_built_may_not_help_the_claim():
    study = facts()
    study.runs["r1/ordinary"].failures.append({"stage": "build", "cause": "system"})
    study.runs["r0/self"].failures.append({"stage": "build", "cause": "system"})
    study.runs["r0/frozen"].failures.append({"stage": "measure", "cause": "system"})
    found = case_of(study).scores
    assert found["ordinary"] == [0.4, None]
    assert (found["self"], found["frozen"]) == ([0.9, 0.9], [0.3, 0.3])  # the loop is scored as what it serves


def test_a_late_value_of_a_run_that_ended_by_half_of_its_horizon_is_unknown():
    late = {(r, "self", "listed", "m"): Tally(0.9, 10, 0, 0) for r in range(2)}
    assert case_of(facts(sealed=late)).late[1] == [0.0, 0.0]
    assert case_of(facts(sealed=late, row={"round": 3})).late[1] == [None, None]


@pytest.mark.parametrize(("sees", "moved"), [(True, 2), (False, 0)])
def test_a_verdict_that_a_later_proposal_was_told_is_on_the_path(sees, moved):
    study = facts(decisions=[{"mode": "advance", "outcome": "promote", "round": 1}])
    study.registration["study"]["sees_accepted"] = sees
    assert case_of(study).verdict_moved_path == moved


@pytest.mark.parametrize(
    ("own", "theirs", "share"),
    [
        ({"tokens": 100.0}, {"tokens": 95.0}, 0.0),
        ({"tokens": 100.0}, {"tokens": 130.0}, 0.3),
        ({"tokens": 100.0, "flops": 10.0}, {"tokens": 80.0, "flops": 12.0}, 0.2),
        ({"device_seconds": 1.0}, {"device_seconds": 2.0}, 0.0),
        ({"tokens": None}, {"tokens": 5.0}, None),
    ],
)
def test_what_a_control_spent_more_counts_in_the_unit_in_which_it_exceeded_most(own, theirs, share):
    assert overspent(facts(spend={"self": own, "ordinary": theirs}), "ordinary") == pytest.approx(share)


def test_of_a_menu_the_entry_that_spent_most_counts_as_more():
    study = facts()
    more = {**study.runs["r0/ordinary"].row, "build": {"tokens": 150.0}}
    for r in range(2):
        study.runs[f"r{r}/ordinary.long"] = RunFacts(r, "ordinary", "long", more)
    assert (overspent(study, "ordinary"), underspent(study, "ordinary")) == (pytest.approx(0.5), 0.0)


@pytest.mark.parametrize(
    ("agreement", "kept", "residual"),
    [(0.5, 50, 0.0), (0.82, 90, 0.0), (0.9, 90, 0.08), (0.4, 50, -0.1), (None, 50, None)],
)
def test_agreement_of_the_placebo_is_held_against_chance(agreement, kept, residual):
    study = facts()
    record = {"channel": "placebo", "kept": kept, "of": 100, "agreement": agreement}
    study.runs["r0/placebo"] = RunFacts(0, "placebo", "", dict(study.runs["r0/self"].row), channel={1: record})
    assert case_of(study).residual == (None if residual is None else pytest.approx(residual))
    assert case_of(facts()).residual is None


def test_a_version_is_compared_item_by_item_over_the_items_that_both_have():
    def sheet(values, status):
        return {"values": values, "status": status, "outputs": str(status)}

    study = facts(replicas=1)
    study.registration["claim"]["about"] = "version"
    study.blocks[0, "m"] = {
        ("self", "served"): sheet([1, None, 1] + [1] * 57, {"1": "no answer"}),
        ("frozen", "served"): sheet([0, 1, None] + [0] * 57, {"2": "the metric failed"}),
        ("ordinary", "served"): sheet([0, 1, 1, None] + [1] * 56, {"3": "quarantined: seen"}),
    }
    own, first = case_of(study).items["m"]
    assert own[:5] == [1, 0, None, None, 1]  # its silence is wrong, an error and what was trained on are left out
    assert first[:5] == [0, 1, None, None, 0]
    assert case_of(study).items["old"] == ([], [])


def test_spend_is_held_against_the_arm_that_is_claimed():
    study = facts(spend={"self": {"tokens": 50.0}, "frozen": {}, "ordinary": {"tokens": 100.0}})
    study.registration["claim"]["arm"] = "ordinary"
    assert underspent(study, "self") == pytest.approx(0.5)


# --- Arms that replace something of `self` ---------------------------------------------------------------------------
@pytest.mark.parametrize(("promoted", "said"), [(0, True), (1, False), (4, False), (5, True)])
def test_random_promotions_say_nothing_where_nearly_all_rounds_or_none_were_promoted(promoted, said):
    decisions = [{"receipt": {} if k < promoted else None, "mode": "advance", "outcome": "undecided", "round": k + 1}
                 for k in range(5)]  # fmt: skip
    study = facts(decisions=decisions)
    study.registration["study"]["arms"] = [*ARMS, "random_gate"]
    assert ("random_gate" in case_of(study).uninformative) == said


@pytest.mark.parametrize("decider", ["system", "person"])
def test_the_default_of_people_says_something_only_where_a_person_decided(decider):
    study = facts(choices=[{"decided_by": decider}])
    study.registration["study"]["arms"] = [*ARMS, "unaided"]
    assert ("unaided" in case_of(study).uninformative) == (decider == "system")


def test_what_an_arm_answered_is_that_of_the_claimed_axis_and_unknown_where_it_was_not_asked():
    study = facts()
    study.blocks = {
        (0, "m"): {("self", "served"): {"outputs": "d"}},
        (0, "old"): {("frozen", "served"): {"outputs": "e"}},
    }
    study.sealed, study.registration = dict(study.sealed), study.registration
    assert case_of(study).answers == {"self": ["d", None], "frozen": [None, None], "ordinary": [None, None]}
