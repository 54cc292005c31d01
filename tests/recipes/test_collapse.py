"""`collapse`: the closed forms, within their sampling error, and a loop whose own yardstick and truth part."""

import numpy as np
import planted
import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.recipes import build_recipe
from netgain.recipes.collapse import Collapse, nearness, ratio
from netgain.recipes.collapse.chains import (
    MODES,
    Source,
    fit_markov,
    fit_regression,
    gaussian_chain,
    gaussian_log_variance,
    markov_chain,
    markov_starts,
    markov_text,
    regression_chain,
    regression_error,
    training_rows,
    trigrams,
)
from netgain.recipes.collapse.worlds import WORLDS
from netgain.records import Feedback, View
from netgain.stages import Inside
from netgain.verify import verify

FIRST = 20 / (200 - 20 - 1)


def chain(mode, generations=8, **options):
    return regression_chain(mode, generations, np.random.default_rng(3), repetitions=80, **options)


def test_each_generation_that_replaces_the_data_adds_the_first_error_once_more():
    errors = chain("replace")
    found, error = errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
    expected = [regression_error("replace", n) for n in range(1, 9)]
    assert expected[0] == pytest.approx(FIRST) and expected[7] == pytest.approx(8 * FIRST)
    assert np.all(np.abs(found - expected) < 4 * error)
    assert np.all(found[1:] > 1.5 * FIRST)


def test_an_accumulating_chain_stays_below_pi_squared_over_6():
    errors = chain("accumulate")
    found, error = errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
    assert np.all(found < np.pi**2 / 6 * FIRST + 4 * error)
    # The sum of 1/k^2 is exact for many rows only: pooled rows lose d + 1 degrees once, not in every generation.
    assert np.all(np.abs(found - [regression_error("accumulate", n) for n in range(1, 9)]) < 4 * error + 0.1 * FIRST)


def test_the_modes_between_lie_between_and_fresh_rows_heal():
    last = {mode: chain(mode)[:, -1].mean() for mode in MODES}
    assert last["accumulate"] < last["subsample"] < last["replace"]
    assert last["accumulate"] < last["half"] < last["replace"]
    assert last["fresh"] < 0.5 * FIRST


def test_a_closed_form_that_nobody_knows_is_an_error():
    with pytest.raises(ConfigError, match="'half'"):
        regression_error("half", 2)


def test_the_variance_of_a_gaussian_shrinks_as_the_product_of_chi_squares_does():
    logs = np.log(gaussian_chain("replace", 60, np.random.default_rng(5), repetitions=400, rows=100))
    for generation in (1, 10, 60):
        mean, variance = gaussian_log_variance(generation, rows=100)
        assert abs(logs[:, generation - 1].mean() - mean) < 4 * np.sqrt(variance / 400)
        assert logs[:, generation - 1].var() == pytest.approx(variance, rel=0.3)
    assert gaussian_log_variance(60)[0] == pytest.approx(-0.608, abs=0.002)


def test_the_series_of_the_closed_form_is_that_of_scipy():
    special = pytest.importorskip("scipy.special")
    mean, variance = gaussian_log_variance(1, rows=40)
    assert mean == pytest.approx(special.digamma(19.5) - np.log(19.5), abs=1e-9)
    assert variance == pytest.approx(special.polygamma(1, 19.5), abs=1e-8)


def test_the_mean_variance_of_a_replacing_gaussian_stays_and_accumulating_keeps_the_median():
    found = gaussian_chain("replace", 30, np.random.default_rng(6), repetitions=800)
    assert abs(found[:, -1].mean() - 1) < 4 * found[:, -1].std() / np.sqrt(800)
    kept = gaussian_chain("accumulate", 30, np.random.default_rng(6), repetitions=200)
    assert np.median(found[:, -1]) < 0.85 < np.median(kept[:, -1])


@pytest.fixture(scope="module")
def source():
    return Source.drawn(8, np.random.default_rng(1))


def test_cross_entropy_is_the_entropy_at_the_truth_alone_and_agrees_with_long_text(source):
    assert source.bits(source.table) == pytest.approx(source.entropy())
    assert source.bits(np.full((8, 8, 8), 1 / 8)) == pytest.approx(3.0)
    rows = trigrams(markov_text(source.table, markov_starts(source.table, 400, np.random.default_rng(2)), 250,
                                np.random.default_rng(3)))  # fmt: skip
    told = -np.log2(source.table[rows[:, 0], rows[:, 1], rows[:, 2]])
    assert told.mean() == pytest.approx(source.entropy(), abs=4 * told.std() / np.sqrt(len(told)) + 0.01)
    assert source.entropy() < source.bits(fit_markov(rows, 8)) < source.entropy() + 0.02


@pytest.mark.parametrize("temperature", [1.0, 0.8])
def test_a_replacing_source_thinks_ever_better_of_itself_and_gets_worse(source, temperature):
    made = {"symbols": 8, "texts": 100, "length": 30, "temperature": temperature, "source": source}
    worth, own = markov_chain("replace", 8, np.random.default_rng(4), **made)
    kept, _ = markov_chain("accumulate", 8, np.random.default_rng(4), **made)
    twin, _ = markov_chain("fresh", 8, np.random.default_rng(4), **made)
    assert np.all(worth > source.entropy())
    assert worth[-1] > worth[0] + 0.3 and own[-1] < own[0] - 0.1
    assert kept[-1] - kept[0] < 0.5 * (worth[-1] - worth[0])
    assert twin[-1] < twin[0]


def test_rows_of_a_mode_are_the_rows_it_names():
    real, older, newest = (np.full((count, 1), value) for count, value in ((4, 1), (6, 2), (4, 3)))
    rng = np.random.default_rng(0)
    parts = {mode: training_rows(mode, real, older, newest, rng)[:, 0].tolist() for mode in MODES}
    assert parts["replace"] == [3] * 4
    assert parts["half"] == [1, 1, 3, 3]
    assert parts["accumulate"] == parts["fresh"] == [1] * 4 + [2] * 6 + [3] * 4
    assert len(parts["subsample"]) == 4
    with pytest.raises(ConfigError, match="unknown mode 'repalce'.*did you mean 'replace'"):
        training_rows("repalce", real, older, newest, rng)


# ---- the loop


@pytest.mark.parametrize("name", WORLDS)
def test_the_truth_scores_1_and_examples_survive_the_way_through_rows(name):
    own, rng = Collapse(name), np.random.default_rng(7)
    model = own.world.truth()
    for make, metric in ((own.truth, nearness), (own.tails, ratio)):
        question, target = make(11, 0)
        given = own.answer({"model": model}, [question], Budget(), rng)[0]
        assert metric(given, target) == pytest.approx(1.0, abs=1e-3)
    rows = own.world.rows(*own.world.draw(model, 60, 1.0, rng))
    assert own.world.fit(rows).keys() == model.keys()


def test_least_squares_of_the_loop_are_those_of_lstsq():
    rows = WORLDS["regression"].rows(*WORLDS["regression"].draw(WORLDS["regression"].truth(), 80, 1.0,
                                                                np.random.default_rng(1)))  # fmt: skip
    weights, deviation = fit_regression(rows)
    expected, left, *_ = np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=None)
    assert weights == pytest.approx(expected)
    assert deviation**2 == pytest.approx(left[0] / 60)


def round_of(own, system, state=None, dev=(), kept=None):
    view = View(system, system, state, None, Feedback(kept) if kept else Feedback(), dev, Budget(),
                np.random.default_rng(9), 1)  # fmt: skip
    return own.propose(view)


def test_real_rows_come_from_development_items_in_mode_fresh_only():
    for mode, grown in (("fresh", 30 * 2), ("accumulate", 0)):
        own = Collapse(mode=mode, size="tiny")
        items = [dict(zip(("input", "target"), own.truth(1, place), strict=True)) for place in range(2)]
        change = round_of(own, own.start(np.random.default_rng(1)).system, dev=items)
        assert len(change.state["more"]) == grown
        assert own.suite().dev_items == (60 if mode == "fresh" else 0)


def test_what_was_kept_joins_the_pool_in_the_next_round():
    own = Collapse(mode="accumulate", size="tiny")
    system = own.start(np.random.default_rng(1)).system
    first = round_of(own, system)
    second = round_of(own, system, first.state, kept=first.examples)
    assert len(first.state["pool"]) == 0 and len(second.state["pool"]) == 60 * 30


def test_a_check_that_is_off_leaves_no_filter():
    assert not build_recipe("collapse", {"check": "none"}, "tiny").loop.filters
    assert build_recipe("collapse", {}, "tiny").loop.filters[0].name == "likely"


@pytest.mark.parametrize("wrong", [{"chain": "poisson"}, {"mode": "append"}, {"check": "x"}, {"temperature": 0.0}])
def test_a_wrong_option_is_named(wrong):
    with pytest.raises(ConfigError, match=repr(next(iter(wrong.values())))):
        build_recipe("collapse", wrong, "tiny")


@pytest.fixture(scope="module")
def replaced(tmp_path_factory):
    return planted.run_small("collapse", tmp_path_factory.mktemp("replace"))


def test_replacing_is_refuted_and_the_verifier_agrees(replaced):
    found = verify(replaced)
    assert found["verdict"] == "REFUTED"
    assert all(check["ok"] for check in found["checks"] if check["ok"] is not None)


def test_the_loops_own_yardsticks_rise_while_the_truth_falls(replaced):
    reading = planted.reading_of(replaced)
    assert min(planted.risen(reading.own_scores())) > 0
    assert max(reading.differences("frozen")) < -0.05


def test_the_genuine_twin_gains(tmp_path):
    reading = planted.reading_of(planted.run_small("collapse", tmp_path, starts=3, mode="fresh"))
    assert min(reading.differences("frozen")) > 0.01


@pytest.mark.parametrize("name", WORLDS)
def test_the_probe_counts_what_the_model_makes_beside_what_generation_0_makes(name):
    own = Collapse(name, size="tiny")
    first = own.start(np.random.default_rng(4)).system
    rows = own.world.rows(*own.world.draw(first["model"], own.count, 0.3, np.random.default_rng(5)))
    narrow = {**first, "model": own.world.fit(rows)}
    found = own.variety(Inside(first, narrow, [], None, Budget(), np.random.default_rng(6)))
    alike = own.variety(Inside(first, first, [], None, Budget(), np.random.default_rng(6)))
    assert found["first"] == alike["first"]
    assert found["entropy"] < 0.95 * found["first"]["entropy"] < alike["entropy"]
    assert found["contexts"] < alike["contexts"]
