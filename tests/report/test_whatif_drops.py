"""The verdict under one changed assumption: recomputed where the record allows it, read from an arm, or not known."""

import dataclasses

import pytest
import report_studies as studies

from netgain.case import case_of
from netgain.errors import ConfigError
from netgain.evidence.verdict import decide_verdict
from netgain.items import fingerprint
from netgain.whatif import claiming, whatif, without_arm


@pytest.fixture
def facts(tmp_path):
    with studies.write(tmp_path) as log:
        return studies.facts_in(log)


def by_a_person(facts, *, rounds, start=0):
    for choice in facts.runs[f"r{start}/self"].choices:
        if choice["round"] in rounds:
            choice["decided_by"] = "person"
    return facts


def test_dropping_a_start_decides_on_the_others_and_is_never_evidence(facts):
    found = whatif(facts, "replica:2")
    assert found.verdict.word == "INCONCLUSIVE" and len(found.case.lost) == 5
    assert found.case.scores["self"] == [one for at, one in enumerate(case_of(facts).scores["self"]) if at != 2]
    assert "never evidence" in found.notes[0]


def test_the_last_start_cannot_be_dropped(tmp_path):
    with studies.write(tmp_path, replicas=1) as log:
        found = whatif(studies.facts_in(log), "replica:0")
    assert not found.identifiable and "no start would be left" in found.reason


def test_dropping_a_required_control_is_a_weaker_claim_and_says_so(facts):
    found = whatif(facts, "arm:placebo")
    scores = found.case.scores
    pairs = zip(scores["self"], scores["frozen"], scores["ordinary"], strict=True)
    least = [own - max(first, plain) for own, first, plain in pairs]
    assert list(found.verdict.gains) == pytest.approx(least)
    assert "weaker claim" in found.notes[0]
    assert whatif(facts, "arm:oracle").notes == ()


def test_an_arm_takes_the_items_that_only_it_left_unanswered_with_it(facts):
    sheet = facts.blocks[0, "ladder"]["placebo", "served"]
    sheet["values"][0], sheet["status"] = None, {"0": "no answer"}
    marred = claiming(facts, "self")  # pairs all blocks again
    assert marred.sealed_score(0, "self", "ladder").score == pytest.approx(15 / 19)
    assert without_arm(marred, "placebo").sealed_score(0, "self", "ladder").score == pytest.approx(16 / 20)


def test_generation_0_and_the_claimed_arm_cannot_be_dropped(facts):
    assert "no R1" in whatif(facts, "arm:frozen").reason
    with pytest.raises(ConfigError, match="the claim is about"):
        whatif(facts, "arm:self")
    with pytest.raises(ConfigError, match="the claim is about"):
        whatif(facts, "axis:ladder")


def test_an_axis_is_dropped_from_the_verdict_and_not_from_the_past(facts):
    found = whatif(facts, "axis:retention")
    assert "retention" in case_of(facts).guards and not found.case.guards
    assert "no guard axis was run" in found.verdict.limits
    assert "only the verdict's own test" in found.notes[0]


def test_a_cluster_of_items_is_dropped_for_every_arm(facts):
    found = whatif(facts, "item-cluster:6")  # lengths 6, 7, 8 in turn: items 0, 3, ..., 18 of 20
    values = [one for at, one in enumerate([1.0] * 16 + [0.0] * 4) if at % 3]
    assert found.case.scores["self"][0] == pytest.approx(sum(values) / len(values))
    first = [one for at, one in enumerate([1.0] * 4 + [0.0] * 16) if at % 3]
    assert found.case.scores["frozen"][0] == pytest.approx(sum(first) / len(first))
    assert "never evidence" in found.notes[0]
    with pytest.raises(ConfigError, match="'9'"):
        whatif(facts, "item-cluster:9")
    del facts.axes["ladder"]["source"]["lengths"]
    assert "declares no clusters" in whatif(facts, "item-cluster:6").reason


@pytest.mark.parametrize("label", ["seven", 7])
def test_a_cluster_that_the_items_name_themselves_is_dropped_for_every_arm(facts, label):
    del facts.axes["ladder"]["source"]["lengths"]
    for place, sheets in facts.blocks.items():
        named = [fingerprint({"cluster": label if at % 4 == 0 else f"other {at}"}) for at in range(20)]
        for sheet in sheets.values() if place[1] == "ladder" else ():
            sheet["clusters"] = named
    found = whatif(facts, f"item-cluster:{label}")
    values = [one for at, one in enumerate([1.0] * 16 + [0.0] * 4) if at % 4]
    assert found.case.scores["self"][0] == pytest.approx(sum(values) / len(values))
    with pytest.raises(ConfigError, match="no sealed item of `ladder` has the cluster 'nine'"):
        whatif(facts, "item-cluster:nine")


def test_a_guard_is_read_from_the_arm_that_ran_without_it(facts):
    found = whatif(facts, "guard:own.filter")
    assert found.case.arm == "unguarded:own.filter"
    assert found.case.scores["unguarded:own.filter"][0] == pytest.approx(8 / 20)
    assert found.verdict.gains[0] == pytest.approx(8 / 20 - 6 / 20)  # over the placebo of the same start
    assert found.verdict.word != decide_verdict(case_of(facts)).word


@pytest.mark.parametrize(("name", "arm"), [("own", "unguarded:own"), ("own.pace", "unguarded:own.pace"),
                                           ("gate", "ungated"), ("retention", "unguarded:retention"),
                                           ("retention.gate", "unguarded:retention.gate")])  # fmt: skip
def test_a_guard_without_its_arm_is_not_identifiable(facts, name, arm):
    found = whatif(facts, f"guard:{name}")
    assert found.verdict is None and found.case is None
    assert found.reason == f"not identifiable from this study: add arm `{arm}`"


def test_a_round_cannot_be_dropped_and_the_error_says_why(facts):
    with pytest.raises(ConfigError, match="all later rounds descend from it"):
        whatif(facts, "round:3")


@pytest.mark.parametrize(
    ("drop", "says"),
    [
        ("people", "human"), ("replica:9", "'9'"), ("replica:", "takes one"), ("replica", "takes one"),
        ("human:1", "takes no name"), ("arm:plasebo", "placebo"), ("axis:retension", "retention"),
        ("guard:own.stop", "own.filter"), ("guard:dice", "retention.gate"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_told_what_there_is(facts, drop, says):
    with pytest.raises(ConfigError, match=says):
        whatif(facts, drop)


# --- People ----------------------------------------------------------------------------------------------------------
def test_without_decisions_of_people_nothing_is_dropped(facts):
    found = whatif(facts, "human")
    assert found.verdict == decide_verdict(case_of(facts))
    assert "nothing to drop" in found.notes[0] and found.horizon == 5


def test_the_lineage_ends_before_the_first_decision_of_a_person_on_report_items(facts):
    found = whatif(by_a_person(facts, rounds=(4, 5)), "human")
    assert (found.horizon, found.rests_on, found.case.rounds, found.case.people) == (3, "report items", 3, 0)
    rounds = studies.right("self", 0, 3, 5) / 20
    assert found.case.scores["self"][0] == pytest.approx(rounds)
    assert found.case.scores["placebo"][0] == pytest.approx(studies.right("placebo", 0, 3, 5) / 20)
    assert found.verdict.level <= 2 and found.verdict.word in ("INCONCLUSIVE", "REFUTED")
    told = " ".join(found.notes)
    assert "first in round 4" in told and "of the registered 5" in told and "add arm `unaided`" in told


def test_a_person_in_round_1_leaves_generation_0(facts):
    found = whatif(by_a_person(facts, rounds=(1,), start=3), "human")
    assert found.horizon == 0 and not any(found.case.changed)
    assert set(found.verdict.gains) <= {0.0, None}
    assert found.verdict.rung is None


def test_a_control_that_was_not_measured_in_that_round_is_not_testable_there(facts):
    by_a_person(facts, rounds=(4,))
    for replica in range(6):  # as an arm that spends everything in one long round
        run = facts.runs[f"r{replica}/placebo"]
        run.report = {place: one for place, one in run.report.items() if place[0] in (0, 5)}
    found = whatif(facts, "human")
    assert "placebo" not in found.case.scores
    assert any("placebo" in reason and "not measured in round 3" in reason for reason in found.verdict.reasons)


def test_a_start_whose_budget_ended_earlier_is_compared_in_its_own_last_round(facts):
    by_a_person(facts, rounds=(5,))
    run = facts.runs["r0/self"]
    run.report = {place: one for place, one in run.report.items() if place[0] <= 2}
    found = whatif(facts, "human")
    assert found.case.scores["placebo"][0] == pytest.approx(studies.right("placebo", 0, 2, 5) / 20)
    assert found.case.scores["placebo"][1] == pytest.approx(studies.right("placebo", 1, 4, 5) / 20)


def test_against_generation_0_alone_a_kept_generation_is_taken_on_sealed_items(tmp_path):
    with studies.write(tmp_path, rung="R1") as log:
        facts = by_a_person(studies.facts_in(log), rounds=(4,))
    for replica in range(6):  # the generation of round 3, half of 5, was kept and asked the sealed block
        served = facts.sealed[replica, "self", "served", "ladder"]
        facts.sealed[replica, "self", "listed", "ladder"] = dataclasses.replace(served, mean=0.5)
        facts.sealed[replica, "self", "listed", "retention"] = dataclasses.replace(served, mean=1.0)
    found = whatif(facts, "human")
    assert (found.rests_on, found.horizon) == ("sealed items", 3)
    assert list(found.verdict.gains) == pytest.approx([0.5 - 4 / 20] * 6)
    assert found.verdict.word.startswith("SUPPORTED") and found.verdict.level == 3
