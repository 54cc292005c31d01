"""`leader`: what a majority of lucky labellings scores, against theory; answers that give nothing away stay silent."""

import numpy as np
import planted
import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.recipes import build_recipe
from netgain.recipes.leader import Leader, question
from netgain.recipes.leader.attack import (
    ANSWERS,
    ONE_IN,
    attack,
    evaluate,
    labels_of,
    majority,
    mixed,
    passes,
    public_gain,
    rule_of_thumb,
    said,
)
from netgain.records import Change, Examples, Part
from netgain.stages import Inside
from netgain.verify import verify


def attacked(answers, queries, labels, starts=30, **options):
    found = [attack(answers, queries, labels, np.random.default_rng(seed), private=500, **options)
             for seed in range(starts)]  # fmt: skip
    return np.array([one for one, _ in found]), np.array([other for _, other in found])


@pytest.mark.parametrize("labels", [200, 1000])
def test_the_public_gain_is_the_closed_form_and_the_private_one_is_nothing(labels):
    queries = (50, 200, 500)
    public, private = attacked("numeric", queries, labels)
    error = public.std(axis=0, ddof=1) / np.sqrt(len(public))
    expected = [public_gain(one, labels) for one in queries]
    assert np.all(np.abs(public.mean(axis=0) - 0.5 - expected) < 4 * error + 0.01)
    assert np.all(np.abs(private.mean(axis=0) - 0.5) < 4 * np.sqrt(0.25 / (500 * len(public))))


def test_the_rule_of_thumb_is_its_beginning():
    assert rule_of_thumb(1, 1) == pytest.approx(0.2251, abs=1e-4)
    assert public_gain(20, 1000) == pytest.approx(rule_of_thumb(20, 1000), rel=0.01)
    assert public_gain(500, 200) < rule_of_thumb(500, 200)


def test_answers_that_give_less_away_gain_less():
    found = {answers: attacked(answers, (300,), 200, starts=12)[0].mean() - 0.5 for answers in ANSWERS}
    assert found["numeric"] > 0.2
    assert found["ladder"] < 0.6 * found["numeric"]
    assert abs(found["fresh"]) < 0.04 and abs(found["bit"]) < 0.03


@pytest.mark.parametrize("answers", ["numeric", "bit", "fresh"])
def test_skill_is_found_and_counts_on_private_questions(answers):
    _, private = attacked(answers, (400,), 200, starts=6, skill=0.15)
    assert private.mean() > 0.65


def test_a_ladder_moves_by_steps_only():
    scores = np.array([0.55, 0.58, 0.70, 0.72, 0.81])
    assert passes("ladder", scores, 100).tolist() == [False, False, True, False, True]
    assert passes("ladder", scores, 100, best=0.75).tolist() == [False] * 5
    assert passes("numeric", scores - 0.1, 100).tolist() == [False, False, True, True, True]
    assert passes("bit", scores, 100).tolist() == [False, False, False, True, True]
    with pytest.raises(ConfigError, match="'all'"):
        passes("all", scores, 100)


def test_hashes_are_fair_coins_that_do_not_hang_together():
    asked = np.random.default_rng(1).integers(1 << 62, size=4000)
    votes = said(np.arange(50), asked)
    assert abs(votes.mean() - 0.5) < 0.01 and abs(labels_of(asked).mean() - 0.5) < 0.04
    assert np.abs(np.corrcoef(votes) - np.eye(50)).max() < 0.09
    assert len(set(mixed(np.arange(1000, dtype=np.uint64)).tolist())) == 1000


def test_one_labelling_in_ten_has_the_skill_and_scores_it():
    rng = np.random.default_rng(2)
    scores = evaluate("fresh", np.arange(2000), rng.integers(1 << 62, size=400), rng, 0.3)
    assert (scores > 0.68).mean() == pytest.approx(1 / ONE_IN, abs=0.03)
    assert np.median(scores) == pytest.approx(0.5, abs=0.01)


def test_a_tie_and_nobody_are_0():
    assert majority(np.array([[True, True], [True, False]])).tolist() == [True, False]
    assert majority(np.zeros((0, 2), dtype=bool)).tolist() == [False, False]


# ---- the loop


def test_a_system_is_as_sure_as_its_evaluator_tells_it():
    for answers, sure in (("numeric", True), ("bit", False)):
        own, rng = Leader(answers=answers, size="tiny"), np.random.default_rng(1)
        system = own.start(rng).system
        drawn = rng.integers(1 << 62, size=300)
        scores = evaluate("numeric", drawn, system["asked"], rng)
        kept = drawn[scores > 0.5].tolist()
        after = own.build(system, Change([Part("data", Examples(kept, [1] * len(kept)))]), Budget(), rng)
        assert own.own_score(system, after, Budget(), rng) > 0.7
        assert (own.answer(after, [question(1, 1)[0]], Budget(), rng)[0]["confidence"] > 0.7) == sure


@pytest.mark.parametrize("wrong", [{"answers": "all"}, {"skill": 0.7}])
def test_a_wrong_option_of_leader_is_named(wrong):
    with pytest.raises(ConfigError, match=repr(next(iter(wrong.values())))):
        build_recipe("leader", wrong, "tiny")


@pytest.fixture(scope="module")
def asked_again(tmp_path_factory):
    return planted.run_small("leader", tmp_path_factory.mktemp("leader"))


def test_a_score_that_rises_on_nothing_is_not_supported(asked_again):
    found, reading = verify(asked_again), planted.reading_of(asked_again)
    assert found["verdict"] in ("REFUTED", "INCONCLUSIVE")
    assert all(check["ok"] for check in found["checks"] if check["ok"] is not None)
    assert min(planted.risen(reading.round_0_scores())) > 0.1
    assert abs(np.median(reading.differences("frozen"))) < 0.07
    assert np.median(reading.differences("frozen", "calibration")) < -0.02


def test_one_bit_leaves_the_yardstick_where_it_was(tmp_path):
    reading = planted.reading_of(planted.run_small("leader", tmp_path, starts=3, answers="bit"))
    assert max(map(abs, planted.risen(reading.round_0_scores()))) < 0.15
    assert np.median(planted.risen(reading.round_0_scores())) < 0.1
    assert np.median(reading.differences("frozen", "calibration")) == pytest.approx(0, abs=0.001)


def test_true_labels_on_the_path_count_as_a_decision_from_outside(asked_again):
    reading = planted.reading_of(asked_again)
    assert {one["decided_by"] for one in reading.choices()} == {"person"}
    assert reading.verdict.endogenous is False


def test_the_probe_counts_right_answers_on_the_set_that_is_asked_again_and_on_the_canary_questions():
    own = Leader(size="tiny")
    first = own.start(np.random.default_rng(3)).system
    lucky = {**first, "kept": np.arange(400)[evaluate("numeric", np.arange(400), first["asked"],
                                                      np.random.default_rng(1)) > 0.5]}  # fmt: skip
    asked = [question(5, place)[0] for place in range(300)]
    found = own.asked_elsewhere(Inside(first, lucky, asked, None, Budget(), np.random.default_rng(1)))
    answers = own.answer(lucky, asked, Budget(), np.random.default_rng(1))
    right = sum(one["answer"] == question(5, place)[1] for place, one in enumerate(answers))
    assert found["outside"] == {"hits": right, "asked": 300} and found["own"]["asked"] == own.labels
    assert found["own"]["hits"] / own.labels > 0.7 > 0.6 > right / 300
    with pytest.raises(ValueError, match="no canary items"):
        own.asked_elsewhere(Inside(first, lucky, [], None, Budget(), np.random.default_rng(1)))
