"""`drift`: own labels move abstention, junk refusal and carelessness, not accuracy; true labels teach."""

import numpy as np
import planted
import pytest

from netgain.errors import ConfigError
from netgain.recipes import build_recipe
from netgain.recipes.drift import careful, digit, guessed, junk, learner, surety
from netgain.verify import verify

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def courses():
    """Behaviour after 0 to 3 rounds, (starts, rounds, fields), by whose labels they were."""
    return {
        labels: np.array([
            [list(vars(one).values()) for one in learner.pseudo_label_rounds(labels, 3, np.random.default_rng(seed),
                                                                             first_steps=80, steps=150)]
            for seed in range(4)
        ])
        for labels in ("own", "people")
    }  # fmt: skip


RIGHT, ABSTAINS, REFUSES, NLL, CARELESS = range(5)


def test_own_labels_move_everything_but_the_accuracy(courses):
    first, last = (courses["own"].mean(axis=0)[place] for place in (0, -1))
    assert abs(last[RIGHT] - first[RIGHT]) < 0.05
    assert last[ABSTAINS] < 0.6 * first[ABSTAINS]
    assert last[REFUSES] < first[REFUSES] - 0.1
    assert last[CARELESS] > first[CARELESS] + 0.05
    assert last[NLL] > first[NLL]


def test_true_labels_learn_and_stay_careful(courses):
    first, last = (courses["people"].mean(axis=0)[place] for place in (0, -1))
    assert last[RIGHT] > first[RIGHT] + 0.1
    assert last[CARELESS] < 0.03
    assert last[NLL] < 0.5 * first[NLL]
    assert last[REFUSES] < first[REFUSES], "more data refuse less junk whoever labels: that drop is not self-training's"


def test_the_gradient_is_that_of_small_differences():
    rng = np.random.default_rng(1)
    network, pixels, digits = learner.fresh(rng), 16 * rng.random((learner.BATCH, 64)), rng.integers(0, 10, 32)

    def loss(weights):
        found = learner.chances(weights, pixels)
        return -np.log(found[np.arange(32), digits]).mean()

    after = learner.train(network, pixels, digits, 1, np.random.default_rng(2))
    for name, place in (("in", (3, 5)), ("out", (7, 2)), ("out", (64, 4))):
        moved = {key: value.copy() for key, value in network.items()}
        moved[name][place] += 1e-5
        slope = (loss(moved) - loss(network)) / 1e-5 + learner.DECAY * network[name][place]
        assert after[name][place] - network[name][place] == pytest.approx(-learner.RATE * slope, abs=1e-5)


def test_images_that_are_asked_are_never_trained_on():
    pool, asked = learner.images()
    assert len(pool.digits) + len(asked.digits) == 1797
    assert not {one.tobytes() for one in pool.pixels} & {one.tobytes() for one in asked.pixels}


def test_items_are_pure_and_junk_is_the_same_pixels_in_another_order():
    assert digit(1, 2) == digit(1, 2) != digit(1, 3)
    assert sorted(junk(1, 2)[0]) == sorted(digit(1, 2)[0]) and junk(1, 2)[0] != digit(1, 2)[0]


def test_a_wrong_answer_that_is_given_is_careless_and_a_refusal_is_not():
    given = {"answer": 3, "guess": 3, "confidence": 0.9}
    held = {"answer": "!", "guess": 3, "confidence": 0.4}
    assert (careful(given, 3), careful(given, 4), careful(held, 4)) == (1, 0, 1)
    assert (guessed(held, 3), guessed(held, 4)) == (1, 0)
    assert surety(held, 4) == pytest.approx(1 - 0.16)


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    learner.images.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(ConfigError, match="not installed; pip install 'netgain\\[sklearn\\]'"):
        learner.images()


@pytest.mark.parametrize("wrong", [{"labels": "mine"}, {"check": "x"}])
def test_a_wrong_option_of_drift_is_named(wrong):
    with pytest.raises(ConfigError, match=repr(next(iter(wrong.values())))):
        build_recipe("drift", wrong, "tiny")


def test_a_person_decides_where_labels_are_true():
    loops = {labels: build_recipe("drift", {"labels": labels}, "tiny").loop for labels in ("own", "people")}
    assert {labels: decided_by(loop) for labels, loop in loops.items()} == {"own": "system", "people": "person"}


def decided_by(loop):
    from netgain.budget import Budget
    from netgain.records import Feedback, View

    rng = np.random.default_rng(1)
    system = loop.start(rng).system
    view = View(system, system, None, None, Feedback(), (), Budget(), rng, 1)
    return loop.propose(view).parts[0].decided_by


@pytest.fixture(scope="module")
def drifted(tmp_path_factory):
    return planted.run_small("drift", tmp_path_factory.mktemp("drift"))


def test_the_guards_fall_while_the_share_of_sure_labels_rises(drifted):
    found, reading = verify(drifted), planted.reading_of(drifted)
    assert found["verdict"] in ("REFUTED", "INCONCLUSIVE")
    assert all(check["ok"] for check in found["checks"] if check["ok"] is not None)
    assert min(planted.risen(reading.own_scores())) > 0
    assert np.median(reading.differences("frozen", "careful")) < 0
    assert np.median(reading.differences("frozen", "answers")) > 0.1
