"""Every number in a sentence is recomputed here from the raw entries of the log, by other code."""

import dataclasses
import re
from dataclasses import replace
from html import unescape
from itertools import pairwise
from statistics import mean, median

import numpy as np
import pytest
import report_studies as studies

from netgain.evidence.shrinkage import shrunk
from netgain.evidence.transplant import Moved
from netgain.facts import reduce
from netgain.report import render_report, sentences
from netgain.report.figures import interval
from netgain.report.reading import MISMATCH, read
from netgain.report.waterfall import links


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    with studies.write(tmp_path_factory.mktemp("study")) as log:
        yield log


@pytest.fixture(scope="module")
def reading(log):
    return read(studies.facts_in(log))


def sealed(log, arm, axis="ladder"):
    """Sealed means by start, straight from the entries."""
    found = {
        int(event.run[1 : event.run.index("/")]): mean(event.data["values"])
        for event in log.events("scores")
        if event.data["split"] == "sealed" and event.data["axis"] == axis and event.run.endswith(f"/{arm}")
    }
    return [found[start] for start in sorted(found)]


def reported(log, arm, at, role="released"):
    rows = [one for one in log.events("scores") if one.data["split"] == "report" and one.run.endswith(f"/{arm}")]
    return median(mean(one.data["values"]) for one in rows if (one.data["round"], one.data["role"]) == (at, role))


def net_gains(log, controls=("frozen", "ordinary", "placebo")):
    own = sealed(log, "self")
    return [min(own[start] - sealed(log, name)[start] for name in controls) for start in range(len(own))]


def figures(text):
    """All signed or plain decimals of a sentence."""
    return [float(one.replace("\N{MINUS SIGN}", "-")) for one in re.findall("[+\N{MINUS SIGN}]?\\d+\\.\\d+", text)]


def near(values, expected):
    assert values == pytest.approx(expected, abs=0.00051)


def test_the_effect_is_the_median_net_gain_with_the_extremes_of_six_starts(log, reading):
    gains = net_gains(log)
    text = sentences.effect(reading.verdict)
    near(figures(text)[:3], [median(gains), min(gains), max(gains)])
    assert "92.9 % confidence" in text  # 1 - 2 * .0354: the level of the looks at 6, 9, 12


def test_the_study_of_these_tests_is_supported_without_limits(reading):
    assert (reading.verdict.word, reading.verdict.level, reading.verdict.limits) == ("SUPPORTED", 3, ())


def test_the_starts_are_counted_and_what_they_cannot_exclude_is_said(log, reading):
    gains, text = net_gains(log), sentences.starts(reading)
    assert text.startswith(f"{sum(gain > 0.2 for gain in gains)} of 6 starts exceed 0.200")
    assert f"up to {100 * (1 - 0.05 ** (1 / 6)):.1f} % of starts" in text
    assert f"at least {100 * 0.05 ** (1 / 6):.1f} %" in text  # six of six: the lower bound is the same root


def test_the_claim_names_arm_axis_effect_controls_horizon_and_rung(reading):
    text = sentences.claim(reading)
    for part in ("`self`", "`ladder`", "0.200", "`frozen`, `ordinary` and `placebo`", "5 rounds", "R2 attributable"):
        assert part in text


def test_the_weakest_link_of_a_supported_claim_is_the_start_that_came_closest(log, reading):
    gains = net_gains(log)
    text = sentences.weakest(reading, reading.verdict)
    assert f"start {gains.index(min(gains))}," in text
    near(figures(text), [min(gains), min(gains) - 0.2])


def test_differences_are_paired_by_start(log, reading):
    expected = []
    for name in ("frozen", "ordinary", "placebo"):
        gaps = [own - other for own, other in zip(sealed(log, "self"), sealed(log, name), strict=True)]
        expected += [median(gaps), min(gaps), max(gaps)]
    near(figures(sentences.differences(reading)), expected)


def test_the_curve_sentence_gives_the_last_round(log, reading):
    best = max(("frozen", "ordinary", "placebo"), key=lambda arm: reported(log, arm, 5))
    text = sentences.curves(reading)
    near(figures(text), [reported(log, "self", 5), reported(log, best, 5)])
    assert f"`{best}`" in text


def test_the_waterfall_gives_mean_steps_that_sum_to_the_total(log, reading):
    order = ["frozen", "ordinary", "stacked+placebo", "stacked", "self"]
    ends = [mean(sealed(log, arm)) for arm in order]
    text = sentences.waterfall(links(reading), ends[0])
    steps = [after - before for before, after in pairwise(ends)]
    near(figures(text), [ends[0], *steps, sum(steps)])


def test_dependence_on_the_check_is_read_from_the_arm_that_went_without(log, reading):
    text = sentences.dependence(reading)[0]
    assert text.startswith("Without the filter use of `own` the median start ends at")
    near(figures(text), [median(sealed(log, "unguarded:own.filter")), median(sealed(log, "self"))])


def test_inflation_is_what_the_report_items_give_less_what_the_seal_shows(log, reading):
    last = [one for one in log.events("scores") if (one.data["split"], one.data["round"]) == ("report", 5)]
    sheet = {one.run: one.data["values"] for one in last if one.data["role"] == "released"}
    pairs = [np.subtract(sheet[f"r{start}/self"], sheet[f"r{start}/frozen"]) for start in range(6)]
    seen = shrunk([float(one.mean()) for one in pairs], [float(one.var(ddof=1)) / one.size for one in pairs])
    true = [own - other for own, other in zip(sealed(log, "self"), sealed(log, "frozen"), strict=True)]
    over = [a - b for a, b in zip(seen, true, strict=True)]
    text = sentences.inflation(reading, reading.reported_gains(), reading.differences("frozen"))
    near(figures(text), [median(seen), median(true), median(over), min(over), max(over)])


def test_the_gates_own_point_estimate_is_nowhere_on_the_page(log):
    """statistics.md 2.7: what was promoted looks better than it is. The page has the interval that any stop allows."""
    seen = {"candidate": 0.8127, "released": 0.4391, "anchor": 0.1264}  # means that nothing else in the study has

    def marked(one):
        if one.kind != "scores" or one.data["split"] != "gate":
            return one
        return dataclasses.replace(one, data={**one.data, "values": [seen[one.data["role"]]] * studies.ITEMS})

    reading = read(reduce(map(marked, log.events())))
    page = render_report(reading.facts)
    for estimate in (*seen.values(), seen["candidate"] - seen["anchor"], seen["candidate"] - seen["released"]):
        shown = (f"{estimate:.3f}", f"{estimate:.4f}", f"{100 * estimate:.2f}")
        assert not any(re.search(rf"(?<![\d.]){re.escape(one)}(?!\d)", page) for one in shown), shown
    for bounds in reading.gate_bounds():
        assert bounds.low <= seen["candidate"] - seen["anchor"] <= bounds.high
        assert interval(bounds.low, bounds.high) in page


def test_used_gate_items_are_said_with_what_they_cost(log):
    asked = {"queries": 12, "accepts": 3, "rejects": 0, "shown_nats": 0.0, "log_raise": 8.25, "known": False}
    facts = reduce(studies.altered(log, "claim_registered", exposure={"ladder": asked}))
    text = sentences.attempts(facts)
    assert "could not all be read" in text
    assert "answered 12 questions in earlier studies here, 3 of them with a promotion" in text
    near(figures(text)[-1:], [8.2])
    paid = {"ladder": {**asked, "shown_nats": 2.5}}
    facts = reduce(studies.altered(log, "claim_registered", exposure=paid))
    assert sentences.attempts(facts).endswith("raised by 8.2 nats, of which 2.5 for numbers that loops were shown.")
    assert "Gate items" not in sentences.attempts(reduce(log.events()))


def test_guards_give_median_worst_and_margin(log, reading):
    ends, first = (sealed(log, arm, "retention") for arm in ("self", "frozen"))
    change = [own - other for own, other in zip(ends, first, strict=True)]
    text = sentences.guards(reading)[0]
    near(figures(text), [median(change), min(change), 0.1])
    assert text.endswith("kept.")


def test_decisions_and_deciders_are_counted_with_their_denominator(log, reading):
    made = [one for one in log.events("gate_decision") if one.run.endswith("/self")]
    assert sentences.decisions(reading).startswith(
        f"Of {len(made)} candidates of `self` the gate promoted {len(made)},"
    )
    who = [one.data["decided_by"] for one in log.events("decision") if one.run.endswith("/self")]
    assert f"of {len(who)} recorded decisions" in sentences.autonomy(reading)
    assert f"{who.count('system')} by the system, {who.count('rule')} by a fixed rule" in sentences.autonomy(reading)


def test_moves_of_a_shown_number_are_counted_and_the_number_stands_nowhere(log, reading):
    assert "it was shown a number" not in sentences.decisions(reading)
    registered = next(log.events("claim_registered")).data["contract"]
    gate = {**registered["gate"], "show": "ladder", "show_step": 0.05}
    climbs = {1: 0.0, 2: 0.3173, 3: 0.3173, 4: 0.7391, 5: 0.7391}

    def shown(one):
        if one.kind == "claim_registered":
            return dataclasses.replace(one, data={**one.data, "contract": {**registered, "gate": gate}})
        told = one.kind == "gate_decision" and one.run.endswith("/self")
        return dataclasses.replace(one, data={**one.data, "shown": climbs[one.data["round"]]}) if told else one

    facts = reduce(map(shown, log.events()))
    said = sentences.decisions(read(facts))
    assert "in steps of 0.05 (not an estimate of the gain); it moved in 12 of 30." in said
    page = render_report(facts)
    assert said in unescape(page).replace("</code>", "`").replace("<code>", "`")
    assert not any(one in page for one in ("0.3173", "0.317", "31.73", "0.7391", "0.739", "73.91"))


def test_the_placebo_is_compared_with_chance(reading):
    kept = [(80 + at) / 100 for at in range(1, 6)]
    chance = median(share**2 + (1 - share) ** 2 for share in kept)
    assert f"chance gives {100 * chance:.1f} %: inert" in sentences.placebo(reading)[0]


def test_best_of_several_studies_is_said_with_its_chance(log, reading):
    text = next(one for one in sentences.not_shown(reading) if "best of several" in one)
    assert f"up to {100 * (1 - (1 - 0.035400390625) ** 3):.1f} %" in text


def test_unknown_spend_is_never_zero(reading):
    assert sentences.booked(None) == "unknown"
    assert (
        sentences.booked(reading.spend("self", "build", "tokens")) == "≥ 600"
    )  # the start booked none, six stages 100
    assert "US dollars" in " ".join(sentences.spending(reading))


def test_a_recorded_word_that_does_not_follow_from_the_log_is_invalid(log):
    forged = read(studies.reduce(studies.altered(log, "verdict", verdict="REFUTED")))
    assert forged.verdict.word == "INVALID"
    assert forged.verdict.reasons == (MISMATCH,)


def test_another_wording_of_the_reasons_is_no_forgery(log):
    assert read(studies.reduce(studies.altered(log, "verdict", reasons=["said otherwise"]))).verdict.word != "INVALID"


@pytest.mark.parametrize("upto", [0, 1, 20])
def test_without_a_verdict_the_four_answers_say_so(tmp_path, upto):
    with studies.write(tmp_path, upto=upto) as log:
        reading = read(studies.facts_in(log))
    assert {one.word for one in sentences.questions(reading)} == {"not decided yet"}
    assert sentences.not_shown(reading)


# ---- contrasts that say nothing, and moved improvers


def test_a_vacuous_contrast_is_named_with_its_starts(reading):
    told = replace(reading.verdict, vacuous=({"arm": "placebo", "same_as": "frozen", "starts": 5, "of": 6},))
    (said,) = sentences.vacuous(told)
    assert "`placebo` is vacuous: in 5 of 6 starts" in said and "answers of `frozen`" in said
    assert sentences.vacuous(reading.verdict) == []


def test_what_moved_improvers_made_is_told_beside_all_their_nulls(reading):
    scores = {"last": 0.6, "half": 0.4, "first": 0.2, "drifted": 0.25, "shuffled": None}
    columns = {name: [None if one is None else Moved(one, 0.0)] * 6 for name, one in scores.items()}
    (said,) = sentences.transplant(replace(reading, case=replace(reading.case, improvers=columns)))
    assert "the last improver 0.600" in said and "changed as much at random 0.250" in said
    assert "over the best" not in said, "a null is unknown, so nothing is said over the best of them"
    assert (
        "over the best of its nulls +0.350"
        in sentences.transplant(
            replace(reading, case=replace(reading.case, improvers={**columns, "shuffled": columns["first"]}))
        )[0]
    )
    assert sentences.transplant(reading) == []


@pytest.mark.parametrize("arm", ["without:data", "without:data+without:weights", "random_gate", "improver_only"])
def test_every_further_arm_has_words_of_its_own(arm):
    assert sentences.without(arm).startswith("without ") and "without:" not in sentences.without(arm)
