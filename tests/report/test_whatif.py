"""The table of changed assumptions, against the plain rule: six of six above, or none."""

from dataclasses import replace

import pytest
import report_studies as studies

from netgain.case import case_of
from netgain.evidence.verdict import decide_verdict
from netgain.report.reading import read
from netgain.report.whatif import alternatives, flip_above, flip_below
from netgain.whatif import without_replica


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    with studies.write(tmp_path_factory.mktemp("study")) as log:
        return read(studies.facts_in(log))


def test_the_first_row_is_the_verdict_itself(reading):
    rows = alternatives(reading.facts, reading.case, reading.verdict)
    assert (rows[0].assumption, rows[0].verdict, rows[0].changes) == ("as registered", reading.verdict, False)


def test_every_row_is_flagged_exactly_when_word_or_mark_differ(reading):
    for row in alternatives(reading.facts, reading.case, reading.verdict):
        same = (row.verdict.word, row.verdict.endogenous) == (reading.verdict.word, reading.verdict.endogenous)
        assert row.changes is not same


def test_the_word_flips_where_a_fine_scan_says(reading):
    word, by = reading.verdict.word, flip_above(reading.case, reading.verdict.word)
    assert by is not None
    for step in range(201, 1000, 7):
        same = decide_verdict(replace(reading.case, by=step / 1000)).word == word
        assert same is (step / 1000 < by - 1e-12), step


def test_a_lower_claim_is_found_where_there_is_one(tmp_path):
    with studies.write(tmp_path, by=0.52) as log:
        reading = read(studies.facts_in(log))
    below = flip_below(reading.case, reading.verdict.word)
    assert below is not None
    assert below < 0.52
    assert decide_verdict(replace(reading.case, by=below)).word != reading.verdict.word


def test_six_starts_less_one_are_too_few(reading):
    row = next(
        one for one in alternatives(reading.facts, reading.case, reading.verdict) if one.assumption.endswith("left out")
    )
    assert (row.assumption, row.verdict.word) == ("any one start left out", "INCONCLUSIVE")


def test_leaving_out_a_start_leaves_it_out_everywhere(reading):
    case = case_of(without_replica(reading.facts, 2))
    assert {len(values) for values in case.scores.values()} == {5}
    assert len(case.lost) == len(case.changed) == len(case.guards["retention"][1]) == 5


def test_every_control_but_generation_0_is_dropped_in_turn(reading):
    rows = [one.assumption for one in alternatives(reading.facts, reading.case, reading.verdict)]
    assert [one for one in rows if one.startswith("without the control")] == [
        "without the control `ordinary`",
        "without the control `placebo`",
    ]
    assert "`stacked` required as well" in rows
