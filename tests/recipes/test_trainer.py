"""`trainer`: trainings are what they say, its record is believed by nobody else, and the wall keeps images apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import planted
import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.items import split_of
from netgain.ledger import Ledger
from netgain.recipes import build_recipe
from netgain.recipes.trainer import CONTROLS, MORE, SHARES, SIZES, TRAINED, Trainer, accurate, calibrated
from netgain.recipes.trainer import network as networks
from netgain.recipes.trainer.network import OWN, Images, chances, cost, images, trained
from netgain.recipes.trainer.population import evolve
from netgain.recipes.trainer.procedure import ARCHITECTURE, HIGH, LOW, NAMES, PLAIN, SLICES, admissible, procedure
from netgain.recipes.trainer.trials import (
    Allowance,
    Own,
    Record,
    anywhere,
    breed,
    climb,
    nothing,
    one_or_two,
    rate_alone,
)
from netgain.records import Change, Examples, Feedback, Part, View
from netgain.verify import verify
from study_forgery import forged

pytest.importorskip("sklearn")

approx = pytest.approx
ALL = np.ones(len(NAMES), dtype=bool)


def rows(**numbers: float) -> Any:
    """Generation 0 with other numbers, named by the beginning of their names."""
    row = PLAIN.copy()
    for name, value in numbers.items():
        row[next(at for at, one in enumerate(NAMES) if one.lower().replace(" ", "_").startswith(name))] = value
    return np.repeat(row[None], SLICES, axis=0)


def few(count: int = 60) -> Own:
    pool = images()[0]
    return Own(pool.chosen(np.arange(count)), pool.chosen(np.arange(count, 2 * count)))


# ---- trainings


EVERYTHING = {"log2_of_the_batch": 4.3, "adam": 1.0, "label": 0.1, "share": 0.5, "pixel": 0.1, "hidden": 2.0}


@pytest.mark.parametrize("numbers", [{}, EVERYTHING])
def test_many_trainings_at_once_are_what_each_is_alone(numbers: dict[str, float]) -> None:
    known = images()[0].chosen(np.arange(70))
    both, alone = trained(rows(**numbers), known, [3, 8]), trained(rows(**numbers), known, [8])
    for one, other in zip(both.weights, alone.weights, strict=True):
        assert one[1] == pytest.approx(other[0], abs=1e-6)
        assert np.abs(one[0] - one[1]).max() > 0.01, "another seed is another training"


def test_the_gradient_is_that_of_small_differences() -> None:
    how, rng = procedure(rows(label=0.1, hidden=2.0, log10_of_the_w=-2.0)[0]), np.random.default_rng(1)
    start = networks.fresh(how, [1])
    pixels, digits = rng.random((1, 20, 64), dtype=np.float32), rng.integers(0, 10, 20)
    wanted = networks._wanted(digits, how.smoothing)[None]

    def loss(weights: Any) -> float:
        likely = networks._forward([one.astype(np.float64) for one in weights], pixels.astype(np.float64))[-1]
        decayed = how.decay * sum(float((one.astype(np.float64) ** 2).sum()) for one in weights) / 2
        return float(-(wanted * np.log(likely)).sum(axis=-1).mean()) + decayed

    after = networks._step(start, how, pixels, wanted, 0.1)
    for layer, place in ((0, (0, 5, 3)), (1, (0, 7, 2)), (2, (0, 4, 4)), (0, (0, 64, 6))):
        up, down = ([one.astype(np.float64) for one in start.weights] for _ in range(2))
        up[layer][place] += 1e-5
        down[layer][place] -= 1e-5
        slope = (loss(up) - loss(down)) / 2e-5
        assert after.weights[layer][place] - start.weights[layer][place] == pytest.approx(-0.1 * slope, abs=2e-5)


def test_a_step_of_adam_is_that_of_its_formula() -> None:
    how = procedure(rows(adam=1.0, digits=1.0)[0])
    start, slope = networks.fresh(how, [1]), 0.5
    slopes = [np.full_like(one, slope) for one in start.weights]
    after = networks._updated(networks._updated(start, how, slopes, 0.2), how, slopes, 0.2)
    assert after.weights[0] == pytest.approx(start.weights[0] - 2 * 0.002, abs=1e-6), "a constant slope: a rate a step"
    pace = networks._updated(networks._updated(start, procedure(rows(digits=1.0)[0]), slopes, 0.2),
                             procedure(rows(digits=1.0)[0]), slopes, 0.2)  # fmt: skip
    assert pace.weights[0] == pytest.approx(start.weights[0] - 0.2 * slope * (1 + 1.9), abs=1e-5), "momentum .9"


def test_images_move_by_a_pixel_and_nothing_comes_in_from_the_other_side() -> None:
    lone = np.zeros((1, 64), dtype=np.float32)
    lone[0, 0] = 1.0
    moved = networks._moved(Images(lone, np.array([0])))
    assert (moved[0] == lone).all() and moved.sum() == 4, "a corner leaves the image in five of eight moves"
    assert {int(one.argmax()) for one in moved[:, 0] if one.any()} == {0, 1, 8, 9}


def test_what_diverges_is_unsure_and_no_error() -> None:
    own = few()
    lost = networks.trained(rows(), own.known, [1])
    broken = networks.Networks(tuple(np.full_like(one, np.nan) for one in lost.weights), lost.pace, lost.size)
    assert (chances(broken, own.asked.pixels) == np.float32(0.1)).all()


def test_the_cost_is_the_weights_times_two_and_six() -> None:
    weights = 65 * 32 + 33 * 10
    assert cost(rows(), 100, 40) == (12 * 100 + 40, weights * (6 * 12 * 100 + 2 * 40))


# ---- trials


def test_the_ratchet_takes_what_beats_its_record_and_its_steps_lead_there() -> None:
    own, begin = few(), rows(log10_of_the_r=-1.2)
    first = Record(own.score(begin, [5]), begin, 5)
    tried = climb(first, one_or_two(ALL), own, Allowance(9), np.random.default_rng(1))
    assert len(tried.steps) == 8 and own.trainings == 9 and 0 < sum(tried.taken) < 8
    best, at = first.score, begin
    for step, seed, taken in zip(tried.steps, tried.seeds, tried.taken, strict=True):
        score = few().score(at + step, [seed])
        assert taken == (score > best)
        best, at = (score, at + step) if taken else (best, at)
    assert tried.record.score == best and tried.record.rows == pytest.approx(at)


def test_a_second_look_costs_six_trainings_and_lowers_the_record_of_luck() -> None:
    begin, records = rows(), {}
    for again in (False, True):
        own = few()
        first = Record(own.score(begin, [5]), begin, 5)
        tried = climb(first, nothing, own, Allowance(20), np.random.default_rng(2), again=again)
        records[again] = tried.record.score - first.score
        if again:
            assert own.trainings > 1 + len(tried.steps), "both sides were trained again"
    assert records[True] < records[False]


def test_a_control_spends_both_amounts_that_are_due() -> None:
    own = few()
    due = Allowance(3, tokens=5.5 * cost(rows(), 60, 60)[0], flops=2.0 * cost(rows(), 60, 60)[1])
    climb(Record(0.5, rows(), 1), rate_alone, own, due, np.random.default_rng(1))
    assert own.trainings == 6 and own.tokens >= due.tokens and own.flops >= due.flops
    assert not Allowance(3, tokens=0.0, flops=0.0).left(few())


def test_edits_stay_in_their_boxes_and_touch_what_they_may() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        moved = one_or_two(ARCHITECTURE)(rows(), rng) != rows()
        assert not moved[:, ~ARCHITECTURE].any() and moved.any()
        drawn = anywhere(~ARCHITECTURE)(rows(), rng)
        assert (drawn[:, ARCHITECTURE] == rows()[:, ARCHITECTURE]).all() and (drawn == admissible(drawn)).all()
        assert (rate_alone(rows(), rng)[:, 1:] == rows()[:, 1:]).all()
    assert (LOW < HIGH).all() and (nothing(rows(), rng) == rows()).all()


# ---- a population


def toy(copies: bool, explores: bool, seed: int) -> float:
    """Best value that two workers reach on the toy of Jaderberg et al. 2017, figure 2.

    The value is 1.2 - a^2 - b^2, from a = b = .9; a worker climbs 1.2 - h a^2 - k b^2, from (h, k) = (1, 0) or (0, 1).
    Ours: 200 steps of .01, compared every fourth; h and k change by N(0, .07^2) within [0, 1].
    """

    def advance(member: Any, part: int) -> Any:
        place, weights = member
        return place * (1 - 0.02 * weights) ** 4, weights

    def explore(member: Any, rng: Any) -> Any:
        return member[0], np.clip(member[1] + 0.07 * rng.standard_normal(2), 0.0, 1.0)

    start = [(np.full(2, 0.9), np.array(weights)) for weights in ((1.0, 0.0), (0.0, 1.0))]
    rng = np.random.default_rng(seed)
    _, values = evolve(start, advance, lambda one: 1.2 - float((one[0] ** 2).sum()), explore, 50, rng, copies=copies,
                       explores=explores)  # fmt: skip
    return max(values)


def test_two_workers_on_the_toy_need_both_to_copy_and_to_explore() -> None:
    reached = {both: np.mean([toy(*both, seed) for seed in range(20)]) for both in
               ((False, False), (True, False), (False, True), (True, True))}  # fmt: skip
    assert reached[False, False] == pytest.approx(0.39, abs=0.001), "a grid of two"
    assert reached[True, False] == pytest.approx(0.39, abs=0.001)
    assert reached[False, True] == pytest.approx(1.04, abs=0.06)
    assert reached[True, True] == pytest.approx(1.19, abs=0.01)


def test_a_member_without_a_score_loses_against_everything() -> None:
    scores = {"good": 1.0, "lost": float("nan")}
    ended, _ = evolve(["good", "lost"], lambda one, part: one, scores.__getitem__, lambda one, rng: one, 2,
                      np.random.default_rng(1))  # fmt: skip
    assert ended == ["good", "good"]


def test_what_a_population_claims_is_what_its_schedule_gives_alone() -> None:
    own, begin = few(), rows(log10_of_the_r=-1.5)
    tried = breed(Record(0.0, begin, 1), one_or_two(ALL), own, Allowance(4), np.random.default_rng(3))
    best = tried.taken.index(True)
    assert sum(tried.taken) == 1 and len(tried.steps) == 4 == own.trainings
    found = begin + tried.steps[best]
    assert few().score(found, [tried.seeds[best]]) == pytest.approx(tried.record.score)
    assert len({row.tobytes() for row in found}) > 1, "a schedule and no constant"
    assert not np.abs(np.array(tried.steps)[..., ARCHITECTURE]).max()


# ---- the loop


def view(system: Any, **more: Any) -> View:
    given = {"state": None, "budget": Budget(), "rng": np.random.default_rng(5), "round": 1, **more}
    return View(parent=system, improver=system, accepted=None, feedback=Feedback(), dev=(), **given)


def kept(change: Change) -> Change:
    """The change as the channel lets it through: the tries that passed."""
    labels = [one for one, passed in zip(change.examples.labels, change.checks["record"], strict=True) if passed]
    return Change([Part("training", Examples(list(range(len(labels))), labels))], change.state)


@pytest.fixture(scope="module")
def rounds() -> Any:
    """Loop, generation 0, and the systems and changes of two rounds."""
    loop = Trainer(size="tiny")
    first = {**loop.start(np.random.default_rng(2)).system, "rows": rows(log10_of_the_r=-1.5).tolist()}
    one = loop.propose(view(first))
    second = loop.build(first, kept(one), Budget(), None)
    two = loop.propose(view(second, state=one.state, rng=np.random.default_rng(6), round=2))
    return loop, first, second, loop.build(second, kept(two), Budget(), None), one, two


def test_the_score_that_the_loop_gives_itself_is_what_it_claimed(rounds: Any) -> None:
    loop, first, second, third, one, two = rounds
    assert any(one.checks["record"]), "from so slow a rate something is taken"
    for system, change in ((second, one), (third, two)):
        assert loop.own_score(first, system, Budget(), None) == approx(change.parts[0].evidence["after"], abs=1e-6)


def test_a_record_belongs_to_who_set_it(rounds: Any) -> None:
    loop, first, second, _, one, _ = rounds
    spent = {}
    for name, parent in (("own", second), ("foreign", first)):
        asked = view(parent, state=one.state)
        found = loop.propose(asked)
        spent[name] = len(found.examples.labels)
        same = found.parts[0].evidence["before"] == pytest.approx(one.state["score"], abs=1e-6)
        assert same == (name == "own")
    assert spent == {"own": 4, "foreign": 3}, "one training of four went into what the parent scores now"


def test_with_nothing_but_seeds_the_procedure_stays_what_it_was() -> None:
    loop = Trainer(edits="seed", size="tiny")
    first = loop.start(np.random.default_rng(2)).system
    change = loop.propose(view(first))
    built = loop.build(first, kept(change), Budget(), None)
    assert built["rows"] == first["rows"] and any(change.checks["record"]) == (built["seed"] != first["seed"])


def test_a_closed_surface_is_left_alone() -> None:
    loop = Trainer(size="tiny")
    first = loop.start(np.random.default_rng(2)).system
    for closed, moved in (("architecture", ~ARCHITECTURE), ("training", ARCHITECTURE)):
        change = loop.propose(view(first, closed=(closed,)))
        steps = np.array([one["step"] for one in change.examples.labels])
        assert not steps[..., ~moved].any() and steps[..., moved].any()
        assert closed not in {part.surface for part in change.parts}
    both = {part.surface for part in loop.random_search(view(first)).parts}
    assert both == {"training", "architecture"}, "both open: whoever edits the shape says so"


def test_who_has_nothing_to_spend_changes_nothing() -> None:
    loop = Trainer(size="tiny")
    first = loop.start(np.random.default_rng(2)).system
    change = loop.propose(view(first, budget=Budget(tokens=0.0, flops=0.0)))
    assert loop.build(first, change, Budget(), None) == first


def test_answers_are_those_of_fresh_trainings_whatever_the_seed_that_was_claimed(rounds: Any) -> None:
    loop, first, *_ = rounds
    asked = loop.suite().axes[0].source.items[:5]
    inputs = [one["input"] for one in asked]
    ours, again, other = (
        loop.answer({**first, "seed": seed}, inputs, Budget(), np.random.default_rng(stream))
        for seed, stream in ((1, 1), (2, 1), (1, 2))
    )
    assert ours == again != other and len(ours[0]["digits"]) == SIZES["tiny"].fresh
    assert loop.answer(first, [], Budget(), None) == []
    assert accurate({"digits": [3, 4, 3, 3]}, 3) == 0.75
    assert calibrated({"digits": [3, 4], "confidence": [0.8, 0.6]}, 3) == pytest.approx(1 - (0.04 + 0.36) / 2)


def test_no_image_has_two_roles() -> None:
    own, asked = images()
    assert len(own.digits) == OWN > TRAINED and len(own.digits) + len(asked.digits) == 1797
    assert not {one.tobytes() for one in own.pixels} & {one.tobytes() for one in asked.pixels}
    items = Trainer().suite().axes[0].source.items
    roles: dict[str, list[str]] = {}
    for item in items:
        roles.setdefault(str(item["input"]), []).append(str(split_of(item, SHARES)))
    assert all(len(set(one)) == 1 for one in roles.values()) and Trainer().suite().dev_items == 0
    for name, share in SHARES.items():
        assert sum(name in one for one in roles.values()) == pytest.approx(share * len(items), rel=0.25)
    for size in SIZES.values():
        sealed = sum("sealed" in one for one in roles.values())
        assert size.sealed <= sealed // 12 and size.gate <= sum("gate" in one for one in roles.values()) // size.rounds


@pytest.mark.parametrize(
    ("given", "said"),
    [({"edits": "x"}, "edits"), ({"engine": "x"}, "engine"), ({"engine": "pbt", "check": "again"}, "ratchet"),
     ({"edit": "all"}, "option"), ({"size": "huge"}, "size")],
)  # fmt: skip
def test_a_wrong_option_of_trainer_is_named(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_recipe("trainer", {one: two for one, two in given.items() if one != "size"}, given.get("size", "tiny"))


def test_without_scikit_learn_the_error_of_trainer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    images.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(ConfigError, match="not installed; pip install 'netgain\\[sklearn\\]'"):
        images()


@pytest.mark.parametrize(
    ("engine", "starts"), [("ratchet", 3), pytest.param("pbt", 6, marks=pytest.mark.nightly)]
)  # fmt: skip
def test_a_study_passes_the_verifier_and_claims_more_than_the_seal_finds(
    tmp_path: Any, engine: str, starts: int
) -> None:
    folder = planted.run_small("trainer", tmp_path, starts=starts, engine=engine)
    found, reading = verify(folder), planted.reading_of(folder)
    assert not [check for check in found["checks"] if check["ok"] is False]
    claimed = planted.risen(reading.round_0_scores())
    assert len(claimed) == starts and min(claimed) >= 0, "a record never goes back by its own lights"
    assert np.mean(claimed) > np.mean(reading.differences("frozen", "accuracy"))
    assert engine == "pbt" or twice(folder), "the verifier has met one pair of systems in two rounds, on two shards"
    swapped = verify(forged(folder, tmp_path / "forged", swap))["checks"]
    assert any("asked other items" in one["detail"] for one in swapped if one["ok"] is False), "in one round they agree"


def swap(events: Any) -> None:
    """Other items for one of the systems that the first gate decision compares."""
    place = next(at for at, one in enumerate(events) if one.kind == "scores" and one.data["split"] == "gate")
    events[place] = replace(events[place], data={**events[place].data, "items": "0" * 64})


def twice(folder: Any) -> list[str]:
    """Pairs of systems that the gate asked in two rounds, each time on another share of the bank."""
    dealt: dict[str, set[str]] = {}
    with Ledger.open(folder, readonly=True) as log:
        for data in (event.data for event in log.events("scores") if event.data["split"] == "gate"):
            dealt.setdefault(data["key"], set()).add(data["items"])
    return [key for key, items in dealt.items() if len(items) > 1]


def test_the_default_study_has_the_arms_that_its_rung_needs() -> None:
    built = build_recipe("trainer", {}, "default")
    assert {*CONTROLS, *MORE} <= set(built.arms) and set(built.loop.menu) == {"rate", "reseed"}
    assert built.claim.rung == "R2" and "random_proposer" in built.claim.beats
