"""Drift of every axis: against generation 0 and against true feedback, and what was not evaluated."""

import pytest
import report_studies as studies

from netgain.report import drift_map, render_report
from netgain.report.monitoring import worth
from netgain.report.reading import read

LAST = studies.FIRST  # of 20 right in generation 0


def reading_of(folder, monkeypatch, *, own, oracle, ends=studies.ENDS):
    """A study whose `self` and `oracle` end at these counts, by start."""

    def right(arm, replica, at, rounds, ends=ends):
        end = {"self": own, "oracle": oracle}.get(arm, [LAST] * 6)[replica]
        return round(LAST + (end - LAST) * at / rounds)

    monkeypatch.setattr(studies, "right", right)
    with studies.write(folder, ends=ends) as log:
        return read(studies.facts_in(log))


LOW, HIGH = [0, 0, 1, 0, 0, 1], [15, 16, 14, 15, 16, 16]


def test_what_true_feedback_loses_as_well_is_no_damage_by_own_feedback(tmp_path, monkeypatch):
    reading = reading_of(tmp_path, monkeypatch, own=LOW, oracle=[0, 1, 1, 0, 0, 1])
    assert any("true feedback lost it as well" in one for one in drift_map.said(reading))


def test_what_true_feedback_keeps_is(tmp_path, monkeypatch):
    reading = reading_of(tmp_path, monkeypatch, own=LOW, oracle=HIGH)
    said = drift_map.said(reading)
    assert any("the loop's own feedback lost more" in one and "−0.200 against generation 0" in one for one in said)


def test_where_starts_disagree_by_more_than_the_margin_it_is_open(tmp_path, monkeypatch):
    reading = reading_of(tmp_path, monkeypatch, own=LOW, oracle=[0, 0, 9, 0, 0, 6])
    assert any("is open" in one for one in drift_map.said(reading))


def test_without_spread_over_starts_it_is_open(tmp_path, monkeypatch):
    reading = reading_of(tmp_path, monkeypatch, own=[0] * 6, oracle=[0] * 6)
    assert any("is open" in one for one in drift_map.said(reading))


def test_without_the_oracle_nothing_is_said_of_whose_damage_it_is(tmp_path, monkeypatch):
    ends = {arm: end for arm, end in studies.ENDS.items() if arm != "oracle"}
    reading = reading_of(tmp_path, monkeypatch, own=LOW, oracle=HIGH, ends=ends)
    assert "`oracle` was not run" in drift_map.said(reading)[-1]
    assert drift_map.moved(reading, "self", "oracle", "ladder", 5) is None
    assert "the arm oracle was not run, not evaluated" in drift_map.figure(reading).pictures[1]


def test_an_axis_that_nobody_was_asked_is_not_evaluated_and_no_zero(tmp_path, monkeypatch):
    reading = reading_of(tmp_path, monkeypatch, own=HIGH, oracle=HIGH)
    assert drift_map.said(reading)[0] == "At the last round not evaluated, of which nothing is said: `retention`."
    first, table = drift_map.figure(reading).pictures[0], drift_map.figure(reading).tables[0]
    assert first.count('class="absent"') == 2 * 6 and first.count('"heat none"') == 6
    assert [cell.word for cell in table.rows[1][1:]] == ["not evaluated"] * 6
    assert table.rows[0][1] == "0.000" and first.count("▲") > 0


def test_a_cell_is_the_difference_of_the_same_start_in_the_same_round(tmp_path, monkeypatch):
    reading = reading_of(tmp_path, monkeypatch, own=HIGH, oracle=LOW)
    found = drift_map.differences(reading, "self", "oracle", "ladder", 5)
    assert found == pytest.approx([(one - other) / 20 for one, other in zip(HIGH, LOW, strict=True)])


def test_the_page_has_it_and_what_stopping_was_worth(tmp_path, monkeypatch):
    ends = {**studies.ENDS, "stop:off": 8}
    reading = reading_of(tmp_path, monkeypatch, own=HIGH, oracle=HIGH, ends=ends)
    page = render_report(reading.facts)
    assert '<h2 id="drift">' in page
    said = worth(reading)
    expected = sum(one - LAST for one in HIGH) / 6 / 20
    assert len(said) == 1 and f"+{expected:.3f}" in said[0] and "`stop:off`" in said[0] and "0 of 6 starts" in said[0]
    plain = reading_of(tmp_path / "plain", monkeypatch, own=HIGH, oracle=HIGH)
    assert worth(plain) == []
