"""Attribution read from a log: numbers recomputed here from raw entries by other code, and what is missing is named."""

import copy
import json
import re
from dataclasses import replace
from itertools import permutations
from statistics import mean, median, stdev

import numpy as np
import pytest
import report_studies as studies
from scipy import stats

from netgain.evidence.ratios import Ratio
from netgain.evidence.shrinkage import shrunk
from netgain.report import attribution_sentences as words
from netgain.report import matched_cost, render_report
from netgain.report.attribution import Parts, Process, attribute
from netgain.report.attribution_record import attribution_record
from netgain.report.identified import Unknown
from netgain.report.reading import read

SURFACES = ["data", "weights"]
MORE = {
    "flat": 6, "improver_only": 9, "random_proposer": 5, "unaided": 14, "without:data": 7, "without:weights": 10,
    "unguarded:own.pace": 16,
}  # fmt: skip
ENDS = {**studies.ENDS, **MORE}
MIXED = {"00": 4, "10": 7, "01": 6, "11": 16}  # right of 20 with final weights (first digit), final prompt (second)


def with_mixtures(log, extra=(0, 0, 0, 0, 0, 0)):
    """The entries of a study of two separable parts, with the scores of all mixtures in six starts."""
    for start in range(6):
        for bits, right in MIXED.items():
            more = studies.SPREAD[start] if bits == "11" else extra[start]
            log.append([studies._sheet(f"r{start}/self", 5, "sealed", f"mixture:{bits}", "ladder", right + more)])


def entries(log, **study):
    """The log's entries under another registration."""
    registered = next(one.data["study"] for one in log.events("claim_registered"))
    return studies.altered(log, "claim_registered", study={**registered, **study})


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    with studies.write(tmp_path_factory.mktemp("study"), ends=ENDS) as log:
        with_mixtures(log)
        yield log


@pytest.fixture(scope="module")
def reading(log):
    return read(studies.reduce(entries(log, surfaces=SURFACES, separable=["weights", "prompt"])))


@pytest.fixture(scope="module")
def found(reading):
    return attribute(reading)


def sealed(log, arm, role="served", axis="ladder"):
    data = {
        int(one.run[1 : one.run.index("/")]): mean(one.data["values"]) for one in log.events("scores")
        if (one.data["split"], one.data["axis"], one.data["role"]) == ("sealed", axis, role)
        and one.run.endswith(f"/{arm}")
    }  # fmt: skip
    return [data[start] for start in sorted(data)]


def less(log, one, other):
    return [a - b for a, b in zip(sealed(log, one), sealed(log, other), strict=True)]


def ends(values):
    """Mean and t interval as a sentence has them: the mean alone where all starts are equal."""
    if stdev(values) < 1e-9:
        return [mean(values)]
    half = stats.t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return [mean(values), mean(values) - half, mean(values) + half]


def figures(text):
    return [float(one.replace("\N{MINUS SIGN}", "-")) for one in re.findall("[+\N{MINUS SIGN}]?\\d+\\.\\d+", text)]


def near(values, expected):
    assert values == pytest.approx(expected, abs=0.00051)


def by_orders(value, names):
    """Shapley values by hand: mean over orders of what each adds; `value` of a frozenset is a column over starts."""
    shares = {name: [0.0] * 6 for name in names}
    orders = list(permutations(names))
    for order in orders:
        for place, name in enumerate(order):
            steps = zip(value(frozenset(order[: place + 1])), value(frozenset(order[:place])), strict=True)
            shares[name] = [had + (a - b) / len(orders) for had, (a, b) in zip(shares[name], steps, strict=True)]
    return shares


# --- which changes were needed ----------------------------------------------------------------------------------------


def test_shares_of_surfaces_come_from_the_told_runs_and_sum_to_the_gain(log, found):
    arms = {frozenset(SURFACES): "self", frozenset(["data"]): "without:weights", frozenset(["weights"]): "without:data",
            frozenset(): "frozen"}  # fmt: skip
    expected = by_orders(lambda open_: sealed(log, arms[open_]), SURFACES)
    (text,) = words.process(found.process)
    near(figures(text), [*ends(expected["data"]), *ends(expected["weights"]), mean(less(log, "self", "frozen"))])
    assert text.startswith("Which changes were needed (told:")
    sums = [sum(parts) for parts in zip(*(one.each for one in found.process.shares.values()), strict=True)]
    assert sums == pytest.approx(less(log, "self", "frozen"))


def test_a_start_that_lacks_an_arm_is_in_no_share_and_not_in_what_they_sum_to(log):
    def lacking(one):
        return one.kind == "scores" and one.run == "r2/without:data" and one.data["split"] == "sealed"

    kept = [one for one in entries(log, surfaces=SURFACES) if not lacking(one)]
    process = attribute(read(studies.reduce(kept))).process
    assert [one.over.starts for one in (*process.shares.values(), process.total)] == [5, 5, 5]
    assert sum(one.over.mean for one in process.shares.values()) == pytest.approx(process.total.over.mean)
    assert process.total.each[2] is None


def test_rounds_lost_on_a_closed_surface_make_it_the_other_estimand(log):
    events = entries(log, surfaces=SURFACES)
    data = {
        "round": 2,
        "stage": "propose",
        "cause": "system",
        "message": "change of surface 'data' refused: open are x",
    }
    lost = replace(events[-1], kind="stage_failed", run="r0/without:data", data=data)
    process = attribute(read(studies.reduce([*events, lost]))).process
    assert process.refused == 1
    assert "with wasted rounds" in words.process(process)[0] and "1 round of theirs" in words.process(process)[0]


def test_a_subset_that_was_not_run_is_named_and_the_losses_are_listed(log):
    three = attribute(read(studies.reduce(entries(log, surfaces=["data", "weights", "policy"]))))
    assert isinstance(three.process, Unknown)
    assert three.process.reason == "missing: the arm `without:data+without:weights`"  # `policy` stays open throughout
    assert set(three.necessity) == {"without:data", "without:weights"}
    (text,) = words._necessities(three)
    near(figures(text), [*ends(less(log, "self", "without:data")), *ends(less(log, "self", "without:weights"))])


def test_without_any_told_run_all_subsets_are_asked_for(tmp_path):
    with studies.write(tmp_path) as log:
        found = attribute(read(studies.reduce(entries(log, surfaces=SURFACES))))
    assert found.process == Unknown("missing: the arms `without:weights`, `without:data`")
    assert isinstance(found.parts, Unknown) and "Loop.separable" in found.parts.reason


def test_an_arm_that_the_loop_cannot_have_says_why(log):
    untestable = {"random_search": "x", "oracle": "no oracle"}
    found = attribute(read(studies.reduce(entries(log, untestable=untestable))))
    assert found.oracle == Unknown("missing: the arm `oracle` (not testable: no oracle)")


# --- where the gain ended up ------------------------------------------------------------------------------------------


def test_shares_of_parts_come_from_the_mixtures(log, found):
    score = {bits: sealed(log, "self", f"mixture:{bits}") for bits in MIXED}
    value = {frozenset(): "00", frozenset(["weights"]): "10", frozenset(["prompt"]): "01",
             frozenset(["weights", "prompt"]): "11"}  # fmt: skip
    expected = by_orders(lambda final: score[value[final]], ["weights", "prompt"])
    first, weights, prompt = words.parts(found.parts)
    total = mean(a - b for a, b in zip(score["11"], score["00"], strict=True))
    near(figures(first), [*ends(expected["weights"]), *ends(expected["prompt"]), total])
    missed = [a - b for a, b in zip(score["11"], score["01"], strict=True)]
    near(figures(weights), [0.15, *ends(missed)])
    assert weights.startswith("Final `weights` in the first system gains +0.150 (no interval: all 6 starts are equal")
    assert prompt.startswith("Final `prompt` in the first system gains +0.100")


def test_starts_that_serve_generation_0_have_shares_of_nothing_and_starts_in_one_piece_have_none(log):
    events = entries(log, surfaces=SURFACES, separable=["weights", "prompt"])

    def seal(data):
        served = {**data["served"], "r0/self": "g0-0"}
        return {**data, "served": served, "not_separable": {"r1/self": "its parts do not fit"}}

    gone = [
        one for one in events if not (one.run in ("r0/self", "r1/self") and one.data.get("role", "").startswith("mix"))
    ]
    changed = [replace(one, data=seal(one.data)) if one.kind == "seal_opened" else one for one in gone]
    parts = attribute(read(studies.reduce(changed))).parts
    assert (parts.shares["weights"].each[0], parts.shares["weights"].each[1]) == (0.0, None)
    assert words.parts(parts)[-1] == "Not separable in 1 start: its parts do not fit."


# --- contrasts, ratios, uses ------------------------------------------------------------------------------------------


def test_complementarity_is_printed_on_two_scales_and_decides_nothing(log, found):
    from math import log as ln

    cells = [sealed(log, arm) for arm in ("self", "stacked", "improver_only", "flat")]
    logits = [[ln((20 * y + 0.5) / (20 * (1 - y) + 0.5)) for y in cell] for cell in cells]
    plain, odds = ([a - b - c + d for a, b, c, d in zip(*table, strict=True)] for table in (cells, logits))
    (text,) = words.two_by_two(found.two_by_two)
    near(figures(text), [*ends(plain), *ends(odds)])
    assert "it decides nothing" in text
    assert ("depends on the scale" in text) == (mean(plain) * mean(odds) < 0)


def test_the_oracle_ratio_is_a_ratio_of_means_that_is_never_clipped(log, found):
    above, below = less(log, "self", "ordinary"), less(log, "oracle", "ordinary")
    text = words.ratios(found)[0]
    assert figures(text)[0] == pytest.approx(mean(above) / mean(below), abs=0.00051)
    region = found.oracle.region
    near(figures(text)[1:3], [region.low, region.high])
    for edge in (region.low, region.high):  # the ends are where the paired t test is just at its limit
        rest = [a - edge * b for a, b in zip(above, below, strict=True)]
        assert abs(mean(rest)) * 6**0.5 / stdev(rest) == pytest.approx(stats.t.ppf(0.975, 5))


def test_a_fraction_of_no_gain_is_not_reported(tmp_path):
    with studies.write(tmp_path, ends={**studies.ENDS, "oracle": studies.ENDS["ordinary"] - 1}) as log:
        found = attribute(read(studies.facts_in(log)))
    assert isinstance(found.oracle, Ratio) and found.oracle.estimate is None
    assert any(
        "Fraction of the oracle arm's gain: not identifiable; the lower bound" in one for one in words.missing(found)
    )


def test_selection_and_targeting(log, found, reading):
    share = mean(less(log, "random_proposer", "frozen")) / mean(less(log, "self", "frozen"))
    assert figures(words.ratios(found)[1])[0] == pytest.approx(share, abs=0.00051)
    assert found.targeting == Unknown("missing: a sibling axis with sealed items")


def test_each_use_says_where_the_median_start_ends_without_it(log, found):
    text = next(words.use(one) for one in found.uses if one.arm == "unguarded:own.filter")
    lost = less(log, "self", "unguarded:own.filter")
    left, gain = mean(less(log, "unguarded:own.filter", "frozen")), mean(less(log, "self", "frozen"))
    own = [median(sealed(log, arm)) for arm in ("unguarded:own.filter", "self")]
    near(figures(text)[:4], [*own, mean(lost), 1 - left / gain])  # all starts lose the same: there is no interval
    assert text.startswith("Without the filter use of `own` the median start ends at")


def test_a_use_without_which_nothing_changes_claims_no_certainty(found):
    pace = next(one for one in found.uses if one.arm == "unguarded:own.pace")
    assert pace.share.estimate == pytest.approx(0.0) and pace.share.region is None
    assert "no set" in words.use(pace) and "no interval" in words.use(pace)


# --- inside figures, own check, people --------------------------------------------------------------------------------


def test_inflation_is_what_would_have_been_claimed_less_what_is_true(log, found):
    true = less(log, "self", "frozen")
    rows = [one for one in log.events("scores") if one.data["split"] == "report" and one.data["round"] == 5]
    sheet = {one.run: one.data["values"] for one in rows if one.data["role"] == "released"}
    pairs = [np.subtract(sheet[f"r{s}/self"], sheet[f"r{s}/frozen"]) for s in range(6)]
    seen = shrunk([float(one.mean()) for one in pairs], [float(one.var(ddof=1)) / one.size for one in pairs])
    over = [a - b for a, b in zip(seen, true, strict=True)]
    (one,) = found.inflation
    near(figures(words.inflation(one)), [median(seen), median(true), *ends(over)])
    assert "claimed would have been" in words.inflation(one)


def test_the_gap_of_the_own_check_is_counted_from_the_record(found):
    gaps = [79 / (80 + at) - (90 - at) / 100 for at in range(1, 6)]
    (text,) = words.gap(found.gap)
    areas = [(79 / (90 - at) + 1 - (1 + at) / (10 + at)) / 2 for at in range(1, 6)]  # all starts are alike
    near(figures(text), [gaps[0], gaps[-1], mean(gaps), mean(areas)])
    assert f"{100 * gaps[0] / 0.11:.0f} % and {100 * gaps[-1] / 0.15:.0f} %" in text
    assert f"is {mean(areas):.3f} (no interval, " in text and "how many questions a round had" in text


def test_a_check_among_right_answers_only_has_no_area(log):
    events = [copy.deepcopy(one) for one in log.events()]
    for one in events:
        right = one.data.get("out", {}).get("channel", {}).get("right") if one.kind == "stage_done" else None
        if right:
            right |= {"right": right["of"], "passed_right": right["passed"]}
    found = attribute(read(studies.reduce(events))).gap
    assert found.auroc == Unknown("no round had both right and wrong answers")
    assert "No area under the curve: no round had both" in words.gap(found)[0]


def test_without_counts_of_truth_there_is_no_gap(log):
    events = studies.altered(log, "stage_done", out={})
    assert attribute(read(studies.reduce(events))).gap == Unknown(
        "missing: `Loop.oracle`, the truth of its own answers"
    )


def test_the_human_share_comes_from_the_arm_unaided_only(log, found):
    (text,) = words.human(found.human)
    lost = less(log, "self", "unaided")
    near(figures(text), ends(lost))


def test_without_the_arm_people_are_counted_and_the_gain_before_them_is_given(tmp_path):
    with studies.write(tmp_path) as log:
        events = [
            replace(one, data={**one.data, "decided_by": "person"})
            if one.kind == "decision" and one.run.endswith("/self") and one.data["round"] >= 3
            else one
            for one in log.events()
        ]
        found = attribute(read(studies.reduce(events)))
        plain = attribute(read(studies.facts_in(log)))
    before = [(studies.right("self", s, 2, 5) - studies.FIRST) / 20 for s in range(6)]
    (text,) = words.human(found.human)
    assert text.startswith("Human share not identifiable (missing: the arm `unaided`); 18 human decisions, first at")
    assert "generation 3; gain before it" in text
    near(figures(text), ends(before))
    assert words.human(plain.human) == ["None of 30 recorded decisions was made by a person."]


def test_spend_that_was_not_booked_gives_no_gain_at_equal_cost(found):
    assert {one.control for one in found.iso_compute} == {"ordinary", "placebo"}
    assert all(isinstance(one.over, Unknown) for one in found.iso_compute)
    assert "missing: a unit of building spend" in " ".join(words.missing(found))


def booked(log, per_stage):
    """The log with building spend in every stage, by arm; what one arm books is the same in all starts."""
    return [
        replace(one, data={**one.data, "spend": {"build": {"tokens": per_stage[one.run.split("/")[1]]}}})
        if one.kind == "stage_done" and one.run.split("/")[1] in per_stage
        else one
        for one in log.events()
    ]


def test_gain_at_equal_cost_is_read_between_the_budgets_of_the_control(log):
    # stages of a run: one in round 0, one a round, one more in round 5; `self` ends at 700, `placebo` is there between
    # its rounds 2 (600) and 3 (800)
    found = attribute(read(studies.reduce(booked(log, {"self": 100.0, "placebo": 200.0, "ordinary": 100.0}))))
    ordinary, placebo = found.iso_compute
    assert (placebo.control, placebo.unit, placebo.reason) == ("placebo", "tokens", "")

    def at(arm, start, round_):
        return studies.right(arm, start, round_, 5, ENDS) / 20

    gains = [at("self", s, 5) - (at("placebo", s, 2) + at("placebo", s, 3)) / 2 for s in range(6)]
    assert placebo.gain == pytest.approx(gains)
    near(figures(words.iso_compute(placebo)), ends(gains))
    assert ordinary.over == Unknown("2 budgets with a score, expected at least 3")


@pytest.mark.parametrize(
    ("entries", "least"),
    [
        ([(0.3, ""), (0.2, "")], (0.2, "")),
        ([(None, "2 budgets"), (0.3, "")], (0.3, "")),
        ([(None, "2 budgets"), (None, "outside")], (None, "2 budgets")),
    ],
)
def test_of_a_menu_the_entry_that_is_best_at_that_cost_is_compared_with(monkeypatch, entries, least):
    monkeypatch.setattr(matched_cost, "_gain", lambda reading, own, control, unit: control)
    assert matched_cost._least(None, None, entries, "tokens") == least


def test_a_control_that_never_cost_so_much_says_nothing_about_that_cost(log):
    _, placebo = attribute(read(studies.reduce(booked(log, {"self": 100.0, "placebo": 50.0})))).iso_compute
    assert isinstance(placebo.over, Unknown) and "outside the measured" in placebo.over.reason


# --- JSON and page ----------------------------------------------------------------------------------------------------


def unexplained(value, path=""):
    """Places of nulls without a reason beside them; lists by start hold nulls for starts without a value."""
    if isinstance(value, dict):
        bare = [f"{path}.{name}" for name, one in value.items() if one is None and not value.get(f"{name}_reason")]
        return bare + [place for name, one in value.items() for place in unexplained(one, f"{path}.{name}")]
    return [place for one in value for place in unexplained(one, path)] if isinstance(value, list) else []


@pytest.mark.parametrize("ends_", [ENDS, {"self": 16, "frozen": 4}])
def test_every_null_of_the_json_has_its_reason(tmp_path, ends_):
    with studies.write(tmp_path, ends=ends_, beats=["frozen"], rung="R1") as log:
        reading = read(studies.facts_in(log))
        record = attribution_record(reading, attribute(reading))
    assert record["schema"] == "netgain.attribution/1"
    assert unexplained(json.loads(json.dumps(record, allow_nan=False))) == []


def test_the_page_has_the_section_where_arms_were_run_and_only_there(tmp_path, log, reading, found):
    page = render_report(reading.facts)
    assert isinstance(found.process, Process) and isinstance(found.parts, Parts)
    assert ">Shares and contrasts</h2>" in page
    for title in ("Which changes were needed", "Where the gain ended up"):
        assert f'">{title}</text>' in page
    with studies.write(tmp_path, ends={"self": 16, "frozen": 4}, beats=["frozen"], rung="R1") as bare:
        plain = studies.reduce(studies.altered(bare, "stage_done", out={}))
    assert "Shares and contrasts" not in render_report(plain)
