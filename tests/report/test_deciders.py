"""A study's log as the autonomy profile takes it."""

import pytest
import report_studies as studies

from netgain.deciders import autonomy_of
from netgain.report import autonomy
from netgain.report.reading import read


@pytest.fixture
def facts(tmp_path):
    with studies.write(tmp_path) as log:
        return studies.facts_in(log)


def test_parts_of_proposals_the_gate_and_the_end_are_counted(facts):
    found = autonomy_of(facts)
    assert found.overall.counts == {"system": 24, "rule": 6 + 30 + 6, "model": 0, "person": 0}
    assert [one.name for one in found.loci] == ["data", "gate", "stop"]
    assert found.overall.count_share.value == pytest.approx(24 / 66)
    assert found.overall.touches.promotions == 30


def test_a_surface_that_a_rule_decided_on_once_is_not_the_systems(facts):
    assert "not decided on by one decider" in autonomy_of(facts).gain_share.reason
    for run in facts.runs.values():
        run.choices = [{**choice, "decided_by": "system"} for choice in run.choices]
    assert autonomy_of(facts).gain_share.value == pytest.approx(1.0)  # one surface: everything or nothing
    for run in facts.runs.values():
        run.choices += [{**choice, "surface": "weights"} for choice in run.choices]
    assert "add arm without:weights, without:data" in autonomy_of(facts).gain_share.reason


def test_a_decision_of_a_person_is_a_touch(facts):
    facts.runs["r0/self"].choices[2]["decided_by"] = "person"
    found = autonomy_of(facts).overall.touches
    assert (found.count, found.waits, found.censored, found.per_promotion) == (1, 7, 6, pytest.approx(1 / 30))
    assert autonomy_of(facts, "stacked").overall.touches.count == 0


def test_the_page_and_the_record_show_one_profile(facts):
    found = autonomy_of(facts)
    text = " ".join(autonomy.said(read(facts)))
    assert f"The system made 24 of {found.overall.count_share.of} decisions" in text
    assert found.gain_share.reason in text and "horizon and stopping" in text
    rows = autonomy.table(read(facts)).rows
    assert [row[0] for row in rows] == ["data", "gate", "stop", "all"]
    assert list(rows[-1][1:5]) == [str(one) for one in found.overall.counts.values()]
    facts.runs["r0/self"].choices[2]["decided_by"] = "person"
    assert "People decided 1 time (0.0333 per promotion)" in " ".join(autonomy.said(read(facts)))
