"""`goodhart`: best-of-n against its definition, the peak that few labels make, and a policy led past it."""

import numpy as np
import planted
import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.recipes import build_recipe
from netgain.recipes.goodhart import Goodhart, candidates, expectation, gold, nats, question, wanted
from netgain.recipes.goodhart.proxy import (
    SIZES,
    Gold,
    best_of_n,
    best_of_n_curve,
    best_of_n_kl,
    fit_proxy,
    labelled,
    proxy_score,
)
from netgain.records import Change, Examples, Feedback, Part, View
from netgain.stages import Inside
from netgain.verify import verify


def test_best_of_n_is_exact_for_the_normal_distribution():
    drawn = np.random.default_rng(1).standard_normal(200_000)
    # The mean of the larger of two standard normal draws is 1 / sqrt(pi), of the largest of three 3 / (2 sqrt(pi)).
    expected = [0.0, 1 / np.sqrt(np.pi), 1.5 / np.sqrt(np.pi)]
    assert best_of_n(drawn, drawn, (1, 2, 3)) == pytest.approx(expected, abs=0.01)


def test_best_of_n_by_order_statistics_is_what_drawing_gives():
    rng = np.random.default_rng(2)
    scores, values = rng.standard_normal(50), rng.standard_normal(50)
    chosen = rng.integers(0, 50, (40_000, 8))
    won = values[chosen[np.arange(40_000), scores[chosen].argmax(axis=1)]]
    assert best_of_n(scores, values, (8,))[0] == pytest.approx(won.mean(), abs=4 * won.std() / 200)


@pytest.mark.parametrize("n", [1, 2, 16, 1024])
def test_the_divergence_of_best_of_n_is_the_integral_over_ranks(n):
    u = (np.arange(400_000) + 0.5) / 400_000  # the best of n has density n u^(n-1) over ranks u of the base policy
    density = n * u ** (n - 1)
    integral = float(np.mean(np.where(density > 0, density * np.log(np.maximum(density, 1e-300)), 0.0)))
    assert best_of_n_kl(n) == pytest.approx(integral, abs=2e-3)
    assert best_of_n_kl(256) == pytest.approx(4.55, abs=0.01)


def curves(labels):
    found = [best_of_n_curve(labels, np.random.default_rng(seed), population=30_000) for seed in range(8)]
    return np.mean([one for one, _ in found], axis=0), np.mean([other for _, other in found], axis=0)


def test_few_labels_make_a_peak_that_many_do_not():
    few, proxy = curves(30)
    many, _ = curves(1000)
    assert 1 < few.argmax() < len(SIZES) - 2 and few[-1] < few.max() - 0.5
    assert np.all(np.diff(proxy) > 0)
    assert np.all(np.diff(many) > 0)


def test_a_proxy_of_many_labels_says_what_is_wanted():
    own = Gold.drawn(np.random.default_rng(3))
    weights = fit_proxy(*labelled(own, 4000, np.random.default_rng(4)))
    tried = np.random.default_rng(5).standard_normal((2000, 10))
    assert np.corrcoef(proxy_score(weights, tried), own(tried))[0, 1] > 0.97


# ---- the loop


def test_the_policy_moves_towards_what_was_kept_and_stays_without_anything():
    own = Goodhart(size="tiny")
    system = own.start(np.random.default_rng(1)).system
    target = np.ones(10)
    moved = own.build(system, Change([Part("data", Examples([0], [target.tolist()]))]), Budget(), None)
    assert moved["mean"] == pytest.approx((system["mean"] + target) / 2)
    still = own.build(system, Change([Part("data", Examples([], []))]), Budget(), None)
    assert still["mean"] == pytest.approx(system["mean"])


def test_a_control_books_what_it_has_to_spend():
    own, budget = Goodhart(size="tiny"), Budget(tokens=5000.0)
    own.build(own.start(np.random.default_rng(1)).system, Change([Part("weights", None)]), budget, None)
    assert budget.spent["tokens"] == 5000


def test_a_candidate_is_scored_by_what_is_wanted_and_the_expectation_by_its_error():
    own, asked = Goodhart(), [question(1, place)[0] for place in range(3)]
    system = own.start(np.random.default_rng(1)).system
    first, again = own.answer(system, asked, Budget(), None), own.answer(system, asked, Budget(), None)
    assert first == again
    true = wanted(first[0], None)
    assert true == pytest.approx(1 / (1 + np.exp(-gold()(np.array(first[0]["answer"])))))
    assert expectation({**first[0], "confidence": true}, None) == 1.0


@pytest.mark.parametrize("wrong", [{"labels": 0}, {"labels": "many"}, {"target": "silver"}])
def test_a_wrong_option_of_goodhart_is_named(wrong):
    with pytest.raises(ConfigError, match=repr(next(iter(wrong.values())))):
        build_recipe("goodhart", wrong, "tiny")


def course(rounds=8, starts=8, **options):
    """Gold of a policy by round, and the share that its check passes: two arrays (starts, rounds + 1)."""
    own, rows = Goodhart(**options), []
    for seed in range(starts):
        rng = np.random.default_rng([seed, 1])
        system, row = own.start(rng).system, []
        for _ in range(rounds + 1):
            made = candidates(system, 1000, rng)
            passed = own._judged(system, made) >= system["bar"]
            row.append((gold()(made).mean(), passed.mean()))
            kept = Examples(list(range(passed.sum())), made[passed].tolist())
            system = own.build(system, Change([Part("data", kept)]), Budget(), None)
        rows.append(row)
    return np.array(rows)[..., 0], np.array(rows)[..., 1]


def test_the_planted_switch_is_the_number_of_labels():
    worth, share = course()
    assert np.median(worth[:, -1] - worth[:, 0]) < -0.2 and np.all(share[:, -1] > share[:, 0])
    assert worth.mean(axis=0).max() > worth.mean(axis=0)[0], "it gets better before it gets worse"
    for twin in ({"labels": 1000}, {"target": "gold"}):
        worth, _ = course(**twin)
        assert np.all(worth[:, -1] > worth[:, 0])


@pytest.fixture(scope="module")
def led(tmp_path_factory):
    return planted.run_small("goodhart", tmp_path_factory.mktemp("goodhart"))


def test_the_proxys_own_yardsticks_rise_and_the_word_is_not_supported(led):
    found, reading = verify(led), planted.reading_of(led)
    assert found["verdict"] in ("REFUTED", "INCONCLUSIVE")
    assert all(check["ok"] for check in found["checks"] if check["ok"] is not None)
    assert min(planted.risen(reading.own_scores())) > 0
    assert min(planted.risen(reading.round_0_scores())) > 0
    assert np.median(reading.differences("frozen", "calibration")) < 0


def test_only_the_truth_as_a_check_is_a_decision_from_outside(led):
    assert {one["decided_by"] for one in planted.reading_of(led).choices()} == {"system"}
    own = Goodhart(target="gold", size="tiny")
    system = own.start(np.random.default_rng(1)).system
    view = View(system, system, None, None, Feedback(), (), Budget(), np.random.default_rng(2), 1)
    assert own.propose(view).parts[0].decided_by == "person"


def test_a_limit_in_nats_holds_the_policy_and_without_one_nothing_changes():
    change = Change([Part("data", Examples([0, 1], [[3.0] * 10, [5.0] * 10]))], 1, {"proxy": [True, True]})
    held, free = Goodhart(nats=0.2), Goodhart()
    first, start = (one.start(np.random.default_rng(1)).system for one in (held, free))
    moved, wandered = (one.build(two, change, Budget(), None) for one, two in ((held, first), (free, start)))
    assert np.array_equal(first["mean"], start["mean"]) and "first" not in start
    assert nats(moved["mean"], first["mean"]) == pytest.approx(0.2)
    away, along = wandered["mean"] - start["mean"], moved["mean"] - first["mean"]
    assert nats(wandered["mean"], start["mean"]) > 1 and np.allclose(away / away[0], along / along[0])
    near = Change([Part("data", Examples([0], [(first["mean"] + 0.01).tolist()]))], 1, {"proxy": [True]})
    assert nats(held.build(first, near, Budget(), None)["mean"], first["mean"]) < 0.01
    assert "nats" not in build_recipe("goodhart", {}, "tiny").options


@pytest.mark.parametrize("limit", [-0.1, float("inf"), "far"])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(ConfigError, match="nats"):
        build_recipe("goodhart", {"nats": limit}, "tiny")


def test_the_probe_asks_proxy_and_people_about_the_canary_questions_and_generation_0_beside_it():
    own = Goodhart(labels=20, size="tiny")
    first = own.start(np.random.default_rng(3)).system
    questions = [question(5, place)[0] for place in range(30)]
    moved = {**first, "mean": first["mean"] + 0.1}
    found = own.pressed(Inside(first, moved, questions, None, Budget(), np.random.default_rng(1)))
    shown = np.array([one["answer"] for one in own.answer(moved, questions, Budget(), np.random.default_rng(1))])
    assert found["gold"] == pytest.approx(gold()(shown).mean()) and found["strength"] == pytest.approx(
        np.sqrt(nats(moved["mean"], first["mean"]))
    )
    alone = own.pressed(Inside(first, first, questions, None, Budget(), np.random.default_rng(1)))
    assert found["first"] == alone["first"] == {key: alone[key] for key in alone["first"]}
    assert found["proxy"] != alone["proxy"]
    with pytest.raises(ValueError, match="no canary items"):
        own.pressed(Inside(first, moved, [], None, Budget(), np.random.default_rng(1)))
