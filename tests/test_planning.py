"""What `plan` refuses and what it says: before anything is registered, and unknown where nothing is known."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from netgain import calibration, planning
from netgain.claim import Claim
from netgain.cli.planned import table
from netgain.errors import ConfigError
from netgain.executors import Reference
from netgain.generators import Strings
from netgain.planning import Plan, plan_study, with_workers
from netgain.records import Change, Part
from netgain.session import Study
from netgain.stages import Filter, Loop, Transplant
from netgain.suite import Suite, axis
from netgain.testing.inprocess import InProcess

STRINGS = Strings("copy", (4,))
ONE = {"starts": "this generation 0"}  # a system is a number: every start is alike


def propose(view):
    view.budget.spend(tokens=10)
    return Change([Part("policy", view.parent)])


def answer(system, inputs, budget, rng):
    """Right on questions that begin with a digit below the system's number."""
    return [question.rstrip(">") if int(question[0]) < system else "?" for question in inputs]


def echo(metric="exact", **more):
    return axis("echo", STRINGS, metric, **{"gate_items": 20, "report_items": 10, "sealed_items": 20, **more})


@pytest.fixture
def plan(monkeypatch):
    """Plan a study of a system of this strength, its loop in this process."""

    def planned(strength=5, *, loop=None, axes=None, claim=None, **more):
        loop = loop or Loop(lambda rng: strength, propose, answer)

        class Here(InProcess):
            def __init__(self, reference, count):
                super().__init__(loop)

            def __enter__(self):
                return self

            def __exit__(self, *exception):
                pass

        monkeypatch.setattr(calibration, "LocalWorkers", Here)
        claim = claim or Claim("echo", **ONE, by=0.1, expected=0.4)
        suite = Suite(axes or [echo()], block=20, max_pairs=400, design_gain=0.2)
        ready = {"arms": ("self", "frozen"), "claim": claim, "reference": Reference(f"{Path(__file__)}:loop")}
        return plan_study(Study(loop, suite, **{**ready, **more}))

    return planned


def test_a_study_that_can_answer_its_claim_is_answerable_and_says_what_it_costs(plan):
    found = plan()
    assert (found.answerable, found.reasons) == (True, ())
    assert set(found.runs) == {"self", "frozen"}
    assert 0 < found.minutes[0] < found.minutes[1]
    assert 0.8 <= found.power["supported"] <= 1.0
    assert 0.1 < found.smallest_net_gain < 0.4
    assert found.gate["pairs_at_most"] == 400
    assert found.to_json()["schema"] == "netgain.plan/1"


@pytest.mark.parametrize(("pairs", "warned"), [(20, True), (80, False)])
def test_a_gate_that_cannot_reach_its_threshold_is_said_beside_the_plan(pairs, warned):
    """Small differences that are all alike: by their spread 4 pairs are enough, the largest bet needs 41."""
    suite = Suite([echo(moment=0.01)], block=20, max_pairs=pairs, design_gain=0.2)
    claim = Claim("echo", **ONE, by=0.1, expected=0.4)
    loop = Loop(lambda rng: 5, propose, answer)
    study = Study(loop, suite, ("self", "frozen"), claim, rounds=40, reference=Reference(f"{Path(__file__)}:loop"))
    found = calibration.gate_needs(study)
    assert found["pairs_at_design_gain"] == pytest.approx(math.log(800) / math.log(1.18))
    assert (found["smallest_gain"] > 0.2) is warned
    plan = Plan(True, (), (), {}, 6, 40, 1, (1.0, 1.0), {}, {"cost_usd": None}, None, None, None, found, {},
                {"by_analysis": {}}, {"both_right": 0.5, "both_wrong": 0.1, "items": 20.0})  # fmt: skip
    assert ("\nwarning" in table(study, plan)) is warned


def test_more_workers_take_less_time_and_change_nothing_else(plan):
    found = plan()
    faster = with_workers(found, 4)
    assert faster.minutes == (found.minutes[0] / 2, found.minutes[1] / 2)
    assert replace(faster, workers=found.workers, minutes=found.minutes) == found


def test_without_an_expected_effect_the_power_is_unknown_and_not_zero(plan):
    found = plan(claim=Claim("echo", **ONE, by=0.1))
    assert found.power is None
    assert found.answerable


@pytest.mark.parametrize("expected", [None, 0.4])
def test_fewer_starts_than_the_first_look_are_refused(plan, expected):
    found = plan(claim=Claim("echo", **ONE, by=0.1, expected=expected), replicas=5)
    assert not found.answerable
    assert "5 starts never reach the first look at 6" in found.reasons[0]


def test_an_effect_that_the_starts_cannot_show_is_refused_with_its_chance(plan):
    found = plan(claim=Claim("echo", **ONE, by=0.1, expected=0.11))
    assert not found.answerable
    assert "P(SUPPORTED)" in found.reasons[0]
    assert found.power["supported"] < 0.8


def test_starts_that_starve_too_often_resolve_no_gain_at_all(plan):
    found = plan(claim=Claim("echo", **ONE, by=0.1, expected=0.9, starve=0.5))
    assert found.smallest_net_gain is None
    assert not found.answerable


@pytest.mark.parametrize(("strength", "words"), [(10, "right"), (0, "wrong")])
def test_a_gate_axis_that_does_not_respond_is_refused(plan, strength, words):
    found = plan(strength)
    assert not found.answerable
    assert f"items {words}" in found.reasons[0] and "'echo'" in found.reasons[0]
    assert found.responsive[f"both_{words}"] == 1.0


def test_an_axis_on_which_the_trained_twin_differs_does_respond(plan):
    def trained(view):
        return Change([Part("policy", 10)])

    found = plan(loop=Loop(lambda rng: 0, propose, answer, ordinary=trained))
    assert found.answerable
    assert (found.responsive["both_right"], found.responsive["both_wrong"]) == (0.0, 0.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.5, -1.0, "high"])
def test_a_scorer_that_fails_its_self_test_is_a_mistake_found_before_the_run(plan, value):
    with pytest.raises(ConfigError, match="axis 'echo'") as error:
        plan(axes=[echo(lambda output, target: value)])
    assert error.value.exit_code == 2


def test_a_scorer_that_raises_on_a_later_axis_is_found_too(plan):
    with pytest.raises(ConfigError, match="axis 'second'.*KeyError"):
        plan(axes=[echo(), axis("second", STRINGS, lambda output, target: {}[output], sealed_items=4)])


@pytest.mark.parametrize("stage", ["start", "answer", "propose", "build"])
def test_a_loop_that_fails_at_its_first_use_is_a_mistake_with_its_place(plan, stage):
    def broken(*_):
        raise RuntimeError("not yet written")

    loop = replace(Loop(lambda rng: 5, propose, answer), **{stage: broken})
    with pytest.raises(ConfigError, match=f"first {stage}: RuntimeError.*not yet written") as error:
        plan(loop=loop)
    assert error.value.where.startswith("test_planning.py:")


@pytest.mark.parametrize("unit", ["device_seconds", "cost_usd", "token"])
def test_a_limit_that_may_end_a_run_is_counted_and_not_timed(plan, unit):
    with pytest.raises(ConfigError, match="tokens, flops, calls"):
        plan(limits={unit: 10.0})


def test_a_limit_on_a_unit_that_the_loop_does_not_book_is_refused(plan):
    def silent(view):
        return Change([Part("policy", view.parent)])

    own = Loop(lambda rng: 5, propose, answer, build=lambda parent, change, budget, rng: parent)
    for loop in (Loop(lambda rng: 5, silent, answer, build=own.build), own):
        with pytest.raises(ConfigError, match="limit on 'tokens'.*does not book"):
            plan(loop=loop, limits={"tokens": 10.0})
    assert plan(limits={"tokens": 10.0}).answerable


def test_a_bank_that_leaves_too_few_items_is_refused_with_the_numbers(plan):
    items = [{"input": f"{n}>", "target": str(n)} for n in range(20)]
    with pytest.raises(ConfigError, match=r"axis 'echo': 20 items leave \d (gate|sealed) items"):
        plan(axes=[axis("echo", items, gate_items=20, report_items=10, sealed_items=20)])


# --- What the claimed rung needs -------------------------------------------------------------------------------------
def guarded():
    return [echo(), axis("old", STRINGS, guard=True, kind="retention", gate_items=20, report_items=10, sealed_items=20)]


def trained(view):
    return Change([Part("policy", 5)])


def test_a_claim_whose_rung_needs_an_arm_that_was_left_out_is_refused(plan):
    loop = Loop(lambda rng: 5, propose, answer, ordinary=trained, filters=[Filter("own")])
    claim = Claim("echo", **ONE, by=0.1, rung="R2", expected=0.4)
    found = plan(loop=loop, claim=claim)
    told = " ".join(found.reasons)
    assert not found.answerable
    needed = ("ordinary", "placebo", "unguarded:own.filter", "random_search")
    assert all(f"R2 needs the arm `{name}`" in told for name in needed)
    arms = ("self", "frozen", *needed)
    assert plan(loop=loop, claim=claim, arms=arms).answerable


def test_a_sustained_gain_needs_rounds_and_a_guard(plan):
    loop = Loop(lambda rng: 5, propose, answer, ordinary=trained, filters=[Filter("own")])
    arms = ("self", "frozen", "ordinary", "placebo", "unguarded:own.filter", "random_search")
    claim = Claim("echo", **ONE, by=0.1, rung="R4", expected=0.4)
    found = plan(loop=loop, claim=claim, arms=arms, rounds=3)
    assert found.reasons == ("R4 needs 5 rounds, 3 are registered", "R4 needs a guard axis: give one axis `guard=True`")
    assert plan(loop=loop, claim=claim, arms=arms, rounds=5, axes=guarded()).answerable


def test_a_control_that_the_loop_cannot_have_leaves_a_claim_that_can_only_be_refuted(plan):
    found = plan(claim=Claim("echo", **ONE, by=0.1, rung="R2", expected=0.4), arms=("self", "frozen", "random_search"))
    assert found.answerable
    assert any("`placebo` is not testable: the loop declares no `filters`" in why for why in found.unsupportable)
    assert found.power["supported"] == 0.0 and found.power["refuted"] < 0.05


def test_starts_that_are_all_alike_are_no_fresh_ones(plan):
    fresh = Claim("echo", by=0.1, expected=0.4)
    assert "every start has the same generation 0" in plan(claim=fresh).reasons[0]
    assert plan(loop=Loop(lambda rng: 5 + 1e-9 * rng.random(), propose, answer), claim=fresh).answerable


def test_what_building_costs_is_told_by_unit_and_unknown_where_nothing_is_booked(plan):
    found = plan(replicas=6, rounds=4)
    assert found.spend["tokens"] == 6 * 4 * 10  # one arm that builds
    assert found.spend["cost_usd"] is None  # `propose` does not say what it cost in money
    record = plan(claim=Claim("echo", **ONE, by=0.1)).to_json()
    assert record["power"] is None and record["power_reason"] and record["starts_reason"]


# --- What 80 % take --------------------------------------------------------------------------------------------------
def test_a_plan_says_what_each_analysis_takes(plan):
    found = plan().required
    assert found["by_analysis"] == {"typical start": 9, "open looks": found["by_analysis"]["open looks"], "mean": 10,
                                    "version": 1}  # fmt: skip
    assert 5 <= found["by_analysis"]["open looks"] <= 12
    assert (found["starts"], found["gate_items"]) == (9, 31)
    assert 2 <= found["sealed_items"] <= 20
    assert found["cost_usd"] is None and "books no money" in found["cost_usd_reason"]


def test_money_that_the_loop_books_is_told_for_the_starts_that_are_needed(plan):
    def paid(view):
        view.budget.spend(tokens=10, cost_usd=0.5)
        return Change([Part("policy", view.parent)])

    found = plan(loop=Loop(lambda rng: 5, paid, answer))
    assert found.required["cost_usd"] == pytest.approx(0.5 * 5 * 9)  # a round, rounds, starts


def test_without_an_expected_effect_nothing_is_required_but_items_of_the_gate(plan):
    found = plan(claim=Claim("echo", **ONE, by=0.1)).required
    assert (found["starts"], found["by_analysis"]) == (None, {})
    assert "expected" in found["starts_reason"]


def test_a_claim_about_a_mean_is_planned_by_the_power_of_a_mean(plan):
    means = {"analysis": "mean", "looks": (10,)}
    found = plan(claim=Claim("echo", **ONE, by=0.1, expected=0.4, **means), replicas=10)
    assert found.answerable
    assert (found.required["starts"], found.power["supported"] > 0.95) == (10, True)
    weak = plan(claim=Claim("echo", **ONE, by=0.1, expected=0.12, **means), replicas=10)
    assert not weak.answerable and "P(SUPPORTED)" in weak.reasons[0]
    few = plan(claim=Claim("echo", **ONE, by=0.1, expected=0.4, **means), replicas=6)
    assert "never reach the first look at 10" in few.reasons[0]


def test_a_claim_about_a_version_is_planned_in_items(plan):
    few = plan(claim=Claim("echo", **ONE, by=0.0, expected=0.2, about="version"), replicas=1)
    need = few.required["sealed_items"]
    assert not few.answerable and need > 20
    enough = plan(claim=Claim("echo", **ONE, by=0.0, expected=0.2, about="version"), replicas=1,
                  axes=[echo(sealed_items=need)])  # fmt: skip
    assert enough.answerable
    assert enough.required["starts"] == 1


def test_open_looks_are_planned_over_every_number_of_starts(plan):
    found = plan(claim=Claim("echo", **ONE, by=0.1, expected=0.4, looks="open"))
    assert found.answerable
    assert found.required["starts"] == found.required["by_analysis"]["open looks"]


# --- Claims about the improver ---------------------------------------------------------------------------------------
RECURSIVE = Claim("echo", by=0.1, rung="R6", expected=0.4)


def recursive(**more):
    """A loop whose starts differ, with a state, so that only what `more` says is missing."""
    ready = {"state": {"parent": "number"}, "transplant": Transplant(propose, lambda first, last, rng: last)}
    return Loop(lambda rng: 5 + 1e-9 * rng.random(), propose, answer, **{**ready, **more})


def test_a_claim_about_an_improver_that_cannot_be_moved_can_only_be_refuted(plan):
    found = plan(loop=recursive(transplant=None), claim=RECURSIVE)
    assert any("`R6` is not testable: the loop has no `transplant`" in why for why in found.unsupportable)
    assert not any("`R6`" in why for why in plan(loop=recursive(), claim=RECURSIVE).unsupportable)


def test_moving_improvers_takes_time_only_where_it_is_done(plan):
    own = planning._moving
    study = Study(recursive(), Suite([echo()], block=20, max_pairs=400, design_gain=0.2), ["self", "frozen"], RECURSIVE)
    seconds = {"propose": 1.0, "build": 2.0, "sealed": 3.0}
    assert own(study, seconds) == 5 * 2 * 6.0
    assert own(replace(study, claim=replace(RECURSIVE, rung="R5")), seconds) == 0.0


@pytest.mark.parametrize("broken", ["propose", "drifted"])
def test_a_transplant_that_fails_is_found_before_the_first_round(plan, broken):
    def fail(*_):
        raise ValueError("cannot be moved")

    moves = {"propose": propose, "drifted": lambda first, last, rng: last, broken: fail}
    with pytest.raises(ConfigError, match="cannot be moved"):
        plan(loop=recursive(transplant=Transplant(**moves)), claim=RECURSIVE)
