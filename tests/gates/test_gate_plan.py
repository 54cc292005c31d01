"""The registered rule of a gate: round trip, digest, refusals."""

import json
from dataclasses import replace

import pytest

from netgain.errors import ConfigError
from netgain.gates import GatePlan, GuardRule, questions

PLAN = GatePlan(axis="ladder", guards=(GuardRule("retention", 0.02, 0.03), GuardRule("refusal", 0.01, 0.02, 0.1)))


def test_plan_survives_json():
    again = GatePlan.from_json(json.loads(json.dumps(PLAN.to_json())))
    assert again == PLAN
    assert again.digest == PLAN.digest


def test_every_field_is_in_the_digest():
    changed = [replace(PLAN, mode="advance"), replace(PLAN, level=0.01), replace(PLAN, guards=PLAN.guards[:1])]
    assert len({plan.digest for plan in (PLAN, *changed)}) == 4


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"mode": "advanced"}, "did you mean 'advance'"),
        ({"level": 0.0}, "level 0.0"),
        ({"futility_level": 1.0}, "futility_level 1.0"),
        ({"void_share": 1.0}, "void_share 1.0"),
        ({"step_margin": -0.1}, "step_margin -0.1"),
        ({"planned_second_moment": 0.0}, "planned_second_moment 0.0"),
        ({"confirmations": 0}, "confirmations 0"),
        ({"block": 0}, "block 0"),
        ({"guards": (GuardRule("ladder", 0.02, 0.03),)}, "appear twice"),
    ],
)
def test_impossible_plans_are_refused(change, named):
    with pytest.raises(ConfigError, match=named):
        replace(PLAN, **change)


def test_impossible_guards_and_unknown_keys_are_refused():
    with pytest.raises(ConfigError, match="guard 'retention': total_margin 0"):
        GuardRule("retention", 0.02, 0.0)
    with pytest.raises(ConfigError, match="did you mean 'level'"):
        GatePlan.from_json({"axis": "ladder", "levle": 0.05})


def test_questions_hold_the_registered_levels():
    """Release and guards at a_k, harm at b_k split over two tests an axis, futility outside the budgets."""
    asked = questions(PLAN, 1)
    assert [q.kind for q in asked] == ["release", "guard", "guard", *["harm_step", "harm_total"] * 3, "futility"]
    promotion = {q.level for q in asked if q.kind in ("release", "guard")}
    harm = [q.level for q in asked if q.kind.startswith("harm")]
    assert promotion == {0.05 / 20}
    assert sum(harm) == pytest.approx(0.10 / 20)
    assert [q.minus for q in asked if q.kind == "guard"] == ["anchor", "anchor"]
    assert "futility" not in [q.kind for q in questions(replace(PLAN, futility_level=None), 1)]


def test_run_never_spends_more_than_its_budgets():
    for confirmations, rounds in ((20, 20), (None, 2000)):
        plan = replace(PLAN, confirmations=confirmations)
        asked = [questions(plan, k) for k in range(1, rounds + 1)]
        assert sum(round_[0].level for round_ in asked) <= 0.05 + 1e-12
        assert sum(q.level for round_ in asked for q in round_ if q.kind.startswith("harm")) <= 0.10 + 1e-12
