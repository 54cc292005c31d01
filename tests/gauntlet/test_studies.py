"""Simulated studies take the road of real ones, and the verdict sees nothing but their log."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from netgain import verify
from netgain.case import case_of
from netgain.evaluation import Sheet, Under
from netgain.evidence.verdict import decide_verdict
from netgain.gauntlet.lineage import AXIS, SKILL, arm, draw_starts, run_arm, suite
from netgain.gauntlet.population import development
from netgain.gauntlet.record import Cohort, look_events, opened
from netgain.gauntlet.sealed import NOT_FINITE, Sheets, ask
from netgain.gauntlet.studies import run_studies, verdict_of, words
from netgain.gauntlet.world import Asked, Conduct, Faults, Gain, World
from netgain.items import Block
from netgain.ledger import Ledger
from netgain.seal import facts_of

SOURCE = Path(verify.__file__).parent
GENUINE = World(gain=Gain(signal=0.4))


def log_of(world, *, starts=6, seed=1):
    """The log of one study, as `run_studies` makes it for a first look."""
    root = np.random.SeedSequence(seed)
    drawn, arms, blocks = (np.random.default_rng(one) for one in root.spawn(3))
    begun = draw_starts(world, drawn, starts, starts)
    from netgain.gauntlet.lineage import arms_of

    ran = {name: run_arm(world, arm(name), begun, arms) for name in arms_of(world)}
    cohort = Cohort(ran, ask(world, begun, ran, blocks), [False] * starts)
    log = opened(world, "root")
    return [*log, *look_events(world, cohort, range(starts), 0, "root", str(log[1].data["contract_digest"]))]


def said(world, *, studies=3, seed=1):
    return words(run_studies(world, studies, [seed]))


# --- The words of a few worlds ---------------------------------------------------------------------------------------
def test_a_large_gain_is_supported_and_none_is_refuted():
    found = run_studies(GENUINE, 3, [1])
    assert all(one.word.startswith("SUPPORTED") and one.level == 3 and one.starts == 6 for one in found)
    assert said(World())["REFUTED"] == 3


def test_a_gain_of_compute_alone_is_an_improvement_and_no_more():
    found = run_studies(World(gain=Gain(compute=0.3), asked=Asked(mode="watch")), 3, [1])
    assert {one.word for one in found} <= {"REFUTED", "INCONCLUSIVE"}
    assert {one.rung for one in found} == {"R1"}


def test_a_given_root_and_a_shared_generation_0_are_no_evidence():
    assert said(World(gain=GENUINE.gain, conduct=Conduct(given_root=True)))["INCONCLUSIVE"] == 3
    shared = World(gain=GENUINE.gain, conduct=Conduct(shared_start=True, start_luck=0.01))
    assert said(shared)["INCONCLUSIVE"] == 3


def test_code_that_changes_between_looks_is_invalid_from_the_second_look_on():
    world = World(gain=Gain(signal=0.05, luck=0.1), conduct=Conduct(changed_loop=True), asked=Asked(mode="watch"))
    found = run_studies(world, 8, [3])
    assert {one.word for one in found if one.starts > 6} == {"INVALID"}
    assert any(one.starts > 6 for one in found)


def test_of_several_studies_the_best_word_is_published_and_all_are_paid_for():
    once = run_studies(GENUINE, 1, [5])[0]
    best = run_studies(World(gain=GENUINE.gain, conduct=Conduct(shop=3)), 1, [5])[0]
    assert best.evaluations > 2 * once.evaluations


def test_a_person_on_the_path_is_a_limit():
    found = run_studies(World(gain=GENUINE.gain, conduct=Conduct(people=True)), 2, [1])
    assert {one.word for one in found} == {"SUPPORTED WITH LIMITS"}
    assert all(any("person" in limit for limit in one.limits) for one in found)


def test_equal_seeds_give_equal_studies():
    assert run_studies(GENUINE, 2, [7]) == run_studies(GENUINE, 2, [7])
    assert run_studies(GENUINE, 2, [7]) != run_studies(GENUINE, 2, [8])


# --- What the verdict sees -------------------------------------------------------------------------------------------
def test_the_log_names_no_mechanism_and_no_number_of_the_world():
    world = World(
        gain=Gain(signal=0.2, residual=0.3, catastrophe=0.1),
        faults=Faults(sealed=0.1, unanswered=0.02, unscorable=0.02, met=0.01, drift=0.01),
        conduct=Conduct(hidden=0.1, underspent=0.05),
    )
    texts = [json.dumps([[one.kind, one.run, one.data] for one in log_of(each)]) for each in (world, World())]
    names = {one.name for one in development().mechanisms}
    planted = {one.name for part in (Gain, Faults, Conduct) for one in fields(part)}
    told, plain = ({name for name in names | planted if f'"{name}"' in text} for text in texts)
    assert told == plain  # words that every study registers, such as the gate, and no more
    assert not told & names
    assert not any("gauntlet" in text or "0.30000" in text for text in texts)


def test_no_module_that_a_verdict_rests_on_knows_the_gauntlet():
    deciding = [SOURCE / name for name in ("facts.py", "case.py", "verify.py", "seal.py")]
    for path in [*deciding, *(SOURCE / "evidence").glob("*.py"), *(SOURCE / "gates").glob("*.py")]:
        assert "gauntlet" not in path.read_text(encoding="utf-8"), path.name


def test_worlds_that_differ_in_nothing_that_happened_have_one_log():
    plain = log_of(World())
    other = log_of(World(faults=Faults(selection=0.3), gain=Gain(jackpot_gain=0.4)))  # seen by rules of the field alone
    assert [one.data for one in plain] == [one.data for one in other]


def test_the_log_in_a_real_ledger_gives_the_same_verdict(tmp_path):
    log = log_of(GENUINE)
    with Ledger.create(tmp_path / "study") as ledger:
        ledger.append(log)
        kept = decide_verdict(case_of(facts_of(ledger)))
    assert kept == verdict_of(log)
    assert kept.word.startswith("SUPPORTED")


def test_events_have_the_fields_of_real_ones():
    block = Block("sealed", "source", "r0", 0, ())
    real = set(Sheet(AXIS, "served", "digest", block, (), {}, "").record(5, Under("contract")))
    sheets = [one for one in log_of(World()) if one.kind == "scores"]
    assert sheets and all(set(one.data) == real for one in sheets)


# --- Missing is not zero ---------------------------------------------------------------------------------------------
def test_a_score_that_is_not_there_is_null_with_its_reason():
    scores = np.array([[True, False, False]])
    sheet = Sheets(scores, {NOT_FINITE: np.array([[False, True, False]])})
    assert sheet.record(0) == ([1, None, 0], {"1": NOT_FINITE})


def test_silence_is_wrong_for_the_claimed_arm_and_raises_nothing():
    world = World(faults=Faults(unanswered=0.4), asked=Asked(mode="watch"))
    assert not any(word.startswith("SUPPORTED") and n for word, n in said(world).items())


# --- Arms ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "gain", "expected"),
    [
        ("self", Gain(signal=0.2, luck=0.0), 0.2),
        ("frozen", Gain(signal=0.2, compute=0.2, luck=0.0), 0.0),
        ("placebo", Gain(signal=0.2, proposal=0.1, luck=0.0), 0.1),
        ("placebo", Gain(signal=0.2, residual=0.5, luck=0.0), 0.1),
        ("unguarded:own.filter", Gain(signal=0.2, proposal=0.1, residual=0.5, harm_placebo=0.3, luck=0.0), 0.1),
        ("ordinary", Gain(signal=0.2, compute=0.15, luck=0.0), 0.15),
        ("one_step", Gain(signal=0.2, one_step=0.4, luck=0.0), 0.08),
        ("flat", Gain(signal=0.2, luck=0.0), 0.04),
        ("stacked", Gain(signal=0.2, first_improver=0.6, luck=0.0), 0.12),
    ],
)
def test_an_arm_gets_what_its_intervention_leaves(name, gain, expected):
    world = World(gain=gain, asked=Asked(mode="watch"))
    starts = draw_starts(world, np.random.default_rng(1), 200, 1)
    ran = run_arm(world, arm(name), starts, np.random.default_rng(2))
    assert float((ran.served[:, SKILL] - starts.base).mean()) == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize("harm", [0.15, 0.2, 0.4])
def test_a_placebo_that_was_spoiled_no_longer_carries_a_teacher(harm):
    """Behind the gate it serves generation 0 and looks inert; the arm without filters shows what the teacher brings."""
    world = World(gain=Gain(proposal=0.3, harm_placebo=harm), asked=Asked(rung="R2", by=0.1))
    verdicts = run_studies(world, 3, [1])
    assert not any(one.word.startswith("SUPPORTED") for one in verdicts)
    assert any(one.rung == "R1" for one in verdicts)


def test_the_gate_holds_back_what_loses_a_guard_axis():
    world = World(gain=Gain(signal=0.3, guard=-0.6))
    starts = draw_starts(world, np.random.default_rng(1), 60, 1)
    gated = run_arm(world, arm("self"), starts, np.random.default_rng(2))
    assert gated.changed.mean() < 0.1
    assert gated.restores.mean() > 1.0
    assert suite(1).guards[0].margin == 0.10
