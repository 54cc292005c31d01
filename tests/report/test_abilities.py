"""Tables beside the guards, from sheets made by hand: items lost, what confidence is worth, where a gain was aimed."""

import copy
import dataclasses

import pytest
import report_studies as studies

from netgain.evidence.churn import churn, targeting
from netgain.evidence.confidence import equal_mass_ece, selective_risk, smooth_ece
from netgain.facts import reduce
from netgain.metric import METRICS, score_item
from netgain.report import abilities, render_report
from netgain.report.reading import read

ITEMS = studies.ITEMS
SURE = [round(0.5 + 0.02 * place, 2) for place in range(ITEMS)]
MARKED = {"generator": "twins/1", "twins": "marked", "base": {"generator": "x"}, "span": 1}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    with studies.write(tmp_path_factory.mktemp("study"), ends={"self": 16, "frozen": 4}) as log:
        yield log


def spec(name, kind, metric="exact", **more):
    plain = {"margin": 0.1, "overlap": False, "guard": False, "sealed_items": ITEMS, "declared": True}
    return {**plain, "name": name, "kind": kind, "metric": metric, "source": {"generator": "x"}, **more}


def facts_with(log, axes, sheets):
    """The study's tables with further axes.

    Args:
        sheets: (axis, arm) -> values, or start -> values; with a status where one is None.
    """
    entries = []
    for entry in log.events():
        data = copy.deepcopy(entry.data)
        if entry.kind == "claim_registered":
            for one in data["contract"]["suite"]["axes"]:
                one["declared"] = True
            data["contract"]["suite"]["axes"] += axes
        entries.append(dataclasses.replace(entry, data=data))
    scores = [one for one in entries if one.kind == "scores"]
    sealed = [one for one in scores if (one.data["split"], one.data["axis"]) == ("sealed", "ladder")]
    for (axis, arm), values in sheets.items():
        for one in (one for one in sealed if one.run.endswith(f"/{arm}")):
            start = int(one.run[1 : one.run.index("/")])
            own = values(start) if callable(values) else values
            status = {str(i): "scorers disagree: 0 and 1" for i, value in enumerate(own) if value is None}
            entries.append(dataclasses.replace(one, data={**one.data, "axis": axis, "values": own, "status": status}))
    return reduce(entries)


def shown(log, axes=(), sheets=(), title=""):
    """The table whose caption has these words; None without it."""
    reading = read(facts_with(log, list(axes), dict(sheets)))
    return next((one for one in abilities.tables(reading) if title in one.caption), None)


def both(values):
    """The same values for both arms."""
    return {(axis, arm): own for arm in ("self", "frozen") for axis, own in values.items()}


def bits(right):
    return [1.0] * right + [0.0] * (ITEMS - right)


def test_lost_and_won_items_stand_by_axis_and_start(log):
    later = {start: [0.0] * 3 + [1.0] * (10 + start) + [0.0] * (7 - start) for start in range(6)}
    sheets = {("old", "frozen"): bits(12), ("old", "self"): later.get}
    table = shown(log, [spec("old", "retention")], sheets, "lost and won")
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    for start in range(6):
        hand = churn(bits(12), later[start])
        assert rows["`old`", f"start {start}"] == [
            f"{100 * one:.1f} %" for one in (hand.lost, hand.won, hand.churn)
        ] + ["20"]
    assert rows["`ladder`", "start 0"][:2] == ["0.0 %", "60.0 %"]  # 4 of 20, then 16
    assert rows["`retention`", "start 3"][0] == "5.0 %"


def brier(right):
    outputs = [{"answer": "a", "confidence": one} for one in SURE]
    return [
        score_item(METRICS["brier"], output, "a" if one else "b") for output, one in zip(outputs, right, strict=True)
    ]


def test_confidence_is_summed_up_where_an_axis_says_what_was_right(log):
    right = [0.0, 1.0] * (ITEMS // 2)
    axes = [spec("truth", "capability"), spec("sure", "calibration", "brier")]
    sheets = both({"truth": right, "sure": brier(right)})
    (first, last) = shown(log, axes, sheets, "stated confidence").rows
    expected = [f(SURE, right) for f in (equal_mass_ece, smooth_ece, selective_risk)]
    assert first[2:5] == last[2:5] == [f"{one:.3f}" for one in expected]
    assert (first[1], last[1], last[5]) == ("generation 0", "`self`", "120 answers")


OTHER = [{"metric": "first"}, {"source": {"generator": "y"}}, {"declared": False}, {"group": "worst"}]


@pytest.mark.parametrize("other", OTHER)
def test_without_such_an_axis_confidence_is_unknown_and_says_why(log, other):
    axes = [{**spec("truth", "capability"), **other}, spec("sure", "calibration", "brier")]
    right = bits(10)
    sheets = both({"truth": right, "sure": brier(right)})
    table = shown(log, axes, sheets, "stated confidence")
    assert all(row[2:] == ["unknown"] * 3 + ["no axis scores its answers with `exact`"] for row in table.rows)


def test_the_targeting_index_stands_start_by_start_and_of_the_means(log):
    sheets = {("near", "frozen"): bits(4), ("near", "self"): lambda start: bits(6 + start % 2)}
    row = shown(log, [spec("near", "sibling")], sheets, "Targeting index").rows[0]
    gains = [(16 + studies.SPREAD[start] - 4) / ITEMS for start in range(6)]
    hand = targeting(gains, [(2 + start % 2) / ITEMS for start in range(6)])
    assert row[1:7] == [f"{one:.3f}" for one in hand.by_start]
    assert row[7] == f"{hand.overall.estimate:.3f}"


def test_a_start_that_gained_nothing_has_no_index(tmp_path):
    with studies.write(tmp_path, ends={"self": 4, "frozen": 4}) as still:
        row = shown(still, [spec("near", "sibling")], both({"near": bits(4)}), "Targeting").rows[0]
    assert row[1:3] == ["no gain", "1.000"]  # the second start gained, and nothing carried over


def test_marked_less_unmarked_is_by_start_for_both_systems(log):
    axes = [spec("tested", "robustness", source=MARKED), spec("work", "unmarked")]
    sheets = {("tested", "self"): bits(18), ("work", "self"): lambda start: bits(10 + start)}
    sheets |= {(name, "frozen"): bits(5) for name in ("tested", "work")}
    first, last = shown(log, axes, sheets, "sign of a test").rows
    assert first[0] == "`tested` less `work`" and first[2:] == ["0.000"] * 7
    assert last[2:8] == [f"+{(8 - start) / ITEMS:.3f}" for start in range(6)]


def test_an_unmarked_axis_without_its_marked_one_has_no_row(log):
    sheets = both({"work": bits(5)})
    assert shown(log, [spec("work", "unmarked")], sheets, "sign of a test") is None
    other = spec("tested", "robustness", "first", source=MARKED)  # scored by another rule: nothing to subtract
    assert shown(log, [spec("work", "unmarked"), other], sheets | both({"tested": bits(5)}), "sign of a test") is None


def test_disagreements_of_two_scorers_are_counted_over_all_arms(log):
    axes = [spec("twice", "capability", second="mine", disagree=0.05)]
    sheets = {("twice", "self"): [None, None, *bits(20)[2:]], ("twice", "frozen"): bits(20)}
    (row,) = shown(log, axes, sheets, "Two scorers").rows
    assert row == ["`twice`", "`mine`", "5 %", "12", "0", "240"]
    assert shown(log, title="Two scorers") is None


def test_the_page_has_the_tables(log):
    axes, sheets = [spec("near", "sibling")], both({"near": bits(5)})
    page = render_report(facts_with(log, axes, sheets))
    assert "Targeting index" in page and "lost and won against generation 0" in page
    assert "Targeting index" not in render_report(facts_with(log, [], {}))
