"""Scorers on answers of known worth: sound ones pass every check, and each kind of unsound one is caught by its own."""

import random
from dataclasses import replace

import pytest

from netgain.calibration import calibrated
from netgain.errors import ConfigError
from netgain.evaluators import ITEMS, check_evaluator, require_sound
from netgain.kinds import KINDS
from netgain.metric import METRICS, REFUSAL, Metric, answer_of
from netgain.suite import Suite, axis
from runtime import tiny

TEXTS = [{"input": f"{word}?", "target": word} for word in ("red", "blue", "green", "brown")]
NUMBERS = [{"input": n, "target": n + 2} for n in range(4)]
LISTS = [{"input": n, "target": [n, n + 1]} for n in range(4)]
REFUSALS = [{"input": n, "target": REFUSAL} for n in range(4)]
MIXED = [*REFUSALS[:2], {"input": 9, "target": None}, *TEXTS[:2]]


def found(metric, items, kind="capability", **options):
    """Check -> outcome, and the checks that are fatal."""
    findings = check_evaluator(axis("a", items, metric, kind=kind, **options), items)
    assert len({one.check for one in findings}) == len(findings)
    return {one.check: one.outcome for one in findings}, {one.check for one in findings if one.fatal}


@pytest.mark.parametrize(
    ("metric", "items", "kind"),
    [
        ("exact", TEXTS, "capability"), ("exact", NUMBERS, "capability"), ("exact", LISTS, "robustness"),
        ("first", TEXTS, "placebo"), ("horizon", LISTS, "horizon"), ("unfabricated", MIXED, "fabrication"),
        ("unfabricated", TEXTS, "fabrication"),
    ],
)  # fmt: skip
def test_a_declared_rule_on_fitting_items_passes_every_check(metric, items, kind):
    outcomes, fatal = found(metric, items, kind)
    assert set(outcomes.values()) == {"passed"} and not fatal


@pytest.mark.parametrize("metric", sorted({*METRICS, "cost(9)"}))
def test_no_declared_rule_is_refused_under_its_own_kind(metric):
    kinds = {"brier": "calibration", "log_score": "calibration", "answered": "refusal", "selective": "capability"}
    own = next((name for name, kind in KINDS.items() if kind.metric == metric), kinds.get(metric, "cost"))
    items = LISTS if metric == "horizon" else TEXTS
    _, fatal = found(metric, items, "placebo" if metric == "first" else own)
    assert not fatal


def test_a_rule_that_nothing_passes_is_refused():
    outcomes, fatal = found("horizon", TEXTS)  # targets are no lists of steps
    assert outcomes["oracle"] == "failed" and "oracle" in fatal


def test_doing_nothing_may_score_on_kinds_that_say_so_but_never_where_it_decides():
    outcomes, fatal = found("answered", TEXTS, "refusal")
    assert outcomes["no-op"] == "unknown" and not fatal
    assert "no-op" in found("answered", TEXTS, "capability")[1]
    findings = check_evaluator(axis("a", TEXTS, "brier", kind="calibration"), TEXTS, decides=True)
    assert {one.check for one in findings if one.fatal} == {"no-op"}


def generous(output, target):
    return 1.0


def contains(output, target):
    text = output["answer"] if isinstance(output, dict) else output
    return float(str(target) in str(text))


def trusting(output, target):
    return float(output.get("score", 0.0)) if isinstance(output, dict) else 0.0


def plausible(output, target):
    text = output["answer"] if isinstance(output, dict) else output
    return float(isinstance(text, str) and text in {"red", "blue", "green", "brown"})


@pytest.mark.parametrize(
    ("rule", "caught"),
    [
        (generous, {"no-op", "cheat: boast", "cheat: everything", "cheat: another's"}),
        (contains, {"cheat: everything"}),
        (trusting, {"cheat: boast"}),
        (plausible, {"cheat: another's"}),
        (lambda output, target: 1.0 if output in ("", [], {}) else 0.0, {"no-op"}),
        (lambda output, target: 2.0 * METRICS["exact"].score(output, target), {"bounds"}),
        (lambda output, target: METRICS["exact"].score(output, target) or float("nan"), {"bounds"}),
    ],
)
def test_each_unsound_rule_is_caught_by_its_own_check(rule, caught):
    assert found(rule, TEXTS)[1] == caught


def test_a_rule_that_ignores_the_target_passes_what_the_target_contradicts():
    assert found(plausible, TEXTS)[0]["impossible"] == "failed"
    assert found("exact", TEXTS)[0]["impossible"] == "passed"
    assert found("refused", TEXTS, "refusal")[0]["impossible"] == "unknown"


def test_the_rule_for_impossible_twins_is_held_against_who_gives_the_contradicted_target():
    outcomes, fatal = found("uncheated", TEXTS, "impossible")
    assert outcomes["impossible"] == outcomes["oracle"] == "passed" and not fatal
    lax = Metric("uncheated", lambda output, target: 1.0)
    assert "impossible" in found(lax, TEXTS, "impossible")[1]


def test_a_score_that_depends_on_more_than_output_and_target_is_caught():
    drawn = random.Random(1)
    assert "causality" in found(lambda output, target: drawn.random(), TEXTS)[1]
    seen = []

    def first_only(output, target):
        seen.append(output)
        return METRICS["exact"].score(output, target) if len(seen) <= 36 else 0.0  # the second time round

    assert "causality" in found(first_only, TEXTS)[1]


def test_a_rule_that_changes_what_it_is_given_is_caught():
    def noting(output, target):
        if isinstance(output, dict):
            output["seen"] = True
        return METRICS["exact"].score(output, target)

    assert "causality" in found(noting, TEXTS)[1]


def test_a_rule_of_ones_own_without_an_oracle_is_unknown_and_with_one_is_held_to_it():
    def tests_pass(output, target):  # the target is a test, not an answer
        return float(isinstance(output, str) and output.startswith("def ") and target in output)

    assert found(tests_pass, TEXTS)[0]["oracle"] == "unknown"
    right, wrong = (
        Metric("tests", tests_pass, oracle=lambda one, start=start: f"{start} {one}") for start in ("def", "ef")
    )
    assert found(right, TEXTS)[0]["oracle"] == "passed"
    assert "oracle" in found(wrong, TEXTS)[1]


def test_a_second_scorer_is_checked_like_the_first():
    outcomes, fatal = found("exact", TEXTS, second=contains)
    assert fatal == {"second scorer: cheat: everything"}
    assert outcomes["cheat: everything"] == "passed"


def test_items_of_one_answer_leave_nothing_to_plant():
    assert found("exact", TEXTS[:1])[0]["cheat: everything"] == "unknown"
    assert found("exact", [{"input": 1, "target": ""}])[0]["no-op"] == "unknown"  # nothing is the right answer here


def test_a_check_asks_few_items():
    calls = []

    def counting(output, target):
        calls.append(target)
        return METRICS["exact"].score(output, target)

    items = [{"input": n, "target": n} for n in range(50)]
    assert not found(counting, items)[1]
    assert max(calls) >= ITEMS and {one for one in calls if one < 1000} == set(range(ITEMS))  # and contradicted ones
    assert len(calls) <= 100  # measured: 88 calls of a rule per axis


def test_the_first_fatal_finding_is_the_message():
    with pytest.raises(ConfigError, match="axis 'a', no-op: it scores 1.00, expected 0.5 at most") as error:
        require_sound(check_evaluator(axis("a", TEXTS, generous), TEXTS))
    assert error.value.exit_code == 2
    require_sound(check_evaluator(axis("a", TEXTS), TEXTS))


def test_a_study_is_refused_before_anything_is_registered_when_its_scorer_can_be_cheated():
    sound = tiny.study()
    lax = replace(sound.suite.gate_axis, metric=Metric("contains", contains))
    calibrated(sound, lambda words: None)
    with pytest.raises(ConfigError, match="axis 'echo', cheat: everything"):
        calibrated(replace(sound, suite=Suite([lax], block=120, max_pairs=240, design_gain=0.3)), lambda words: None)


def test_a_graded_score_says_where_a_good_answer_begins():
    items = [{"input": str(at), "target": at / 10} for at in range(4)]

    def near(output, target):
        return 1.0 - abs(float(answer_of(output)) - target)

    blind, seeing = Metric("near", near), Metric("near", near, passes=0.95)
    assert outcomes(blind, items)["cheat: another's"] == "failed"
    assert outcomes(seeing, items)["cheat: another's"] == "passed"
    assert "passes" not in axis("a", lambda seed, index: ("", 0.0), blind).spec()
    assert axis("a", lambda seed, index: ("", 0.0), seeing).spec()["passes"] == 0.95


@pytest.mark.parametrize("passes", [0.4, 1.0, -1.0])
def test_a_pass_mark_that_lets_everything_or_nothing_through_is_refused(passes):
    with pytest.raises(ConfigError, match="passes"):
        Metric("near", lambda output, target: 1.0, passes=passes)


def outcomes(metric, items):
    return {one.check: one.outcome for one in check_evaluator(axis("a", lambda seed, index: ("", 0.0), metric), items)}
