"""Incidents of classes A and C of docs/incidents.md: the gain is there, and something else made it."""

from types import SimpleNamespace

import numpy as np
import pytest

from incidents.small import moved, rung, verdict
from netgain.case import underspent
from netgain.evidence.shapley import mask_of, shapley
from netgain.gauntlet.studies import run_studies
from netgain.gauntlet.world import Asked, Gain, World


def test_16_a_reward_without_information_that_gains_as_much():
    """Detector: the placebo, which keeps as many answers drawn at random. R1 asks for none and is supported."""
    gain = Gain(proposal=0.25, compute=0.03)
    asked = run_studies(World(gain=gain, asked=Asked(mode="watch")), 3, [16])
    weaker = run_studies(World(gain=gain, asked=Asked(mode="watch", rung="R1")), 3, [16])
    assert {one.word for one in asked} <= {"REFUTED", "INCONCLUSIVE"} and {one.rung for one in asked} == {"R1"}
    assert {one.word for one in weaker} <= {"SUPPORTED", "SUPPORTED WITH LIMITS"}


def test_19_an_oracle_inside_a_half_paid_control_and_a_straw_baseline():
    """Detectors: outside labels end the mark, a control with half of the spend is none, the best control counts."""
    assert verdict().endogenous is True
    assert verdict(outside_labels=40).endogenous is False
    cheap = verdict(underspent={"ordinary": 0.5, "placebo": 0.0})
    assert cheap.word == "INCONCLUSIVE" and "`ordinary`" in " ".join(cheap.reasons)
    tuned = verdict(scores={"frozen": 0.1, "ordinary": 0.88})  # the first prompt was weak; plain tuning does as well
    assert tuned.word == "REFUTED" and set(tuned.closest) == {"ordinary"}


def test_24_an_improver_that_is_best_at_home_and_worth_no_more_elsewhere():
    """Detector: the transplant: R6 asks what the improver alone makes of foreign starts, beside its nulls."""
    elsewhere = {"last": 0.4, "half": 0.4, "first": 0.4, "drifted": 0.4, "shuffled": 0.4}
    found = verdict(rung="R6", improvers=moved(**elsewhere))
    assert (found.word, found.rung, rung(found, "R6")) == ("INCONCLUSIVE", "R5", "fail")
    assert verdict(rung="R6", improvers=moved(**{**elsewhere, "last": 0.6})).word == "SUPPORTED"


def test_26_a_gain_on_one_law_of_tasks_is_called_narrow():
    """Detector: the sibling axis, of another size or distribution; and its loss as a guard caps the rung."""
    assert "narrow: no gain on the sibling axis" in verdict(sibling=[-0.1] * 6).limits
    assert verdict().limits == ()
    shifted = verdict(rung="R4", guards={"twice as long": (0.05, [-0.19] * 6)})
    assert shifted.word == "INCONCLUSIVE"


def test_27_who_signs_the_discoveries_of_others_has_no_share():
    """Detector: Shapley values over runs with and without each surface (`evidence.shapley`): credit by ablation."""
    players = ("heuristic", "signer")
    scores = np.zeros((3, 4))
    for subset in ((), ("heuristic",), ("signer",), players):
        scores[:, mask_of(subset, players)] = 0.3 + 0.2 * ("heuristic" in subset)
    signed = {"heuristic": 1, "signer": 4}  # names found on discoveries
    shares = dict(zip(players, shapley(scores).mean(axis=0), strict=True))
    assert max(signed, key=signed.get) == "signer"
    assert shares["signer"] == pytest.approx(0.0) and shares["heuristic"] == pytest.approx(0.2)


def test_31_fewer_candidates_that_cost_more():
    """Detector: spend is held against a control in the unit in which the control fell shortest (`case.underspent`)."""
    spend = {"self": {"tokens": 5.0, "flops": 100.0}, "ordinary": {"tokens": 100.0, "flops": 60.0}}
    study = SimpleNamespace(
        enrolled=range(6), claim={"arm": "self"}, spent=lambda replica, arm, phase, most=False: spend[arm]
    )
    short = underspent(study, "ordinary")
    assert short == pytest.approx(0.4)
    assert verdict(underspent={"ordinary": short, "placebo": 0.0}).word == "INCONCLUSIVE"
    spend["ordinary"]["flops"] = 100.0
    assert underspent(study, "ordinary") == 0.0


def test_33_an_improver_that_cannot_be_moved_alone_proves_nothing():
    """Detector: R6 without a transplant is not testable, and one null without a worth leaves it unproven."""
    found = verdict(rung="R6", unmoved="the loop has no `transplant`")
    assert (found.word, rung(found, "R6")) == ("INCONCLUSIVE", "not testable")
    from_zero = moved(last=0.6, half=0.3, first=None, drifted=0.15, shuffled=0.15)
    assert verdict(rung="R6", improvers=from_zero).word == "INCONCLUSIVE"


def test_38_one_distillation_that_explains_the_gain():
    """Detector: `one_step` among the controls of R5: the whole budget in one step of a teacher that stays as it is."""
    asked = Asked(mode="watch", rung="R5")
    frozen_teacher, iterated = (Gain(signal=0.45, one_step=share) for share in (1.0, 0.2))
    found = run_studies(World(gain=frozen_teacher, asked=asked), 3, [38])
    assert {one.word for one in found} <= {"REFUTED", "INCONCLUSIVE"} and "R5" not in {one.rung for one in found}
    below = run_studies(World(gain=frozen_teacher, asked=Asked(mode="watch", rung="R4")), 3, [38])  # asks for none
    assert all(one.word.startswith("SUPPORTED") for one in below)
    assert {one.rung for one in run_studies(World(gain=iterated, asked=asked), 3, [38])} == {"R5"}
