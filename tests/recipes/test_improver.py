"""`improver`: the strategy does what it says, the scorer trusts nothing, and a whole study's word is the verifier's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netgain.budget import Budget
from netgain.cli import demonstrating
from netgain.errors import ConfigError
from netgain.ledger import Ledger
from netgain.recipes import build_recipe
from netgain.recipes.improver import CONTROLS, PATIENCE, SIZES, Improver
from netgain.recipes.improver.strategy import (
    EDITS,
    HIGH,
    LOW,
    POOR,
    UNIT,
    anywhere,
    climb,
    first_step_alone,
    solved,
    stepping,
)
from netgain.recipes.improver.tasks import (
    CONDITION,
    DECADES,
    FEWEST,
    MOST,
    QUADRATIC,
    STEEP,
    STEPS,
    VALLEYS,
    batch,
    drawn,
    place,
    score,
)
from netgain.records import Feedback, View
from netgain.verify import verify

FAMILIES = (QUADRATIC, STEEP, VALLEYS)
GOOD = np.array([-0.5, 0.3, -0.1, 4.0])


def value(family: str, seed: int, point: Any) -> float:
    """The function of a seed in plain Python, from its matrix."""
    matrix, *_ = place(family, seed)
    turned = [sum(point[i] * matrix[i][j] for i in range(MOST)) for j in range(MOST)]
    if family == VALLEYS:
        return sum(one * one + 10 - 10 * math.cos(2 * math.pi * one) for one in turned)
    return sum(one * one for one in turned)


def searched(numbers: Any, family: str, seed: int) -> tuple[list[float], float]:
    """A (1+1) evolution strategy, one number at a time."""
    given = batch(((family, seed),))
    point, step = given.first[0].tolist(), 10.0 ** numbers[0]
    best = first = value(family, seed, point)
    for at in range(STEPS):
        share = 1 / (1 + math.exp(-numbers[3]))
        noise = zip(point, given.steps[0, :, at].tolist(), given.lots[0, :, at].tolist(), strict=True)
        tried = [x + step * z * (u < share) for x, z, u in noise]
        found = value(family, seed, tried)
        step *= math.exp(numbers[1] if found < best else numbers[2])
        if found < best:
            point, best = tried, found
    return point, min(1.0, math.log10(first / best) / DECADES)


@pytest.mark.parametrize("family", FAMILIES)
def test_many_at_once_are_what_each_is_alone(family: str) -> None:
    seeds = range(5)
    points, scores = solved(np.stack([POOR, GOOD]), batch(tuple((family, seed) for seed in seeds)))
    for row, numbers in enumerate((POOR, GOOD)):
        for at, seed in enumerate(seeds):
            point, share = searched(numbers, family, seed)
            assert points[row, at] == pytest.approx(point, abs=1e-4)
            assert scores[row, at] == pytest.approx(share, abs=1e-4)
            assert score(family, seed, points[row, at].tolist()) == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_scorer_believes_nothing_but_the_point(family: str) -> None:
    begin = place(family, 3)[1].tolist()
    assert score(family, 3, begin) == 0.0
    assert score(family, 3, [0.0] * 12) == 1.0, "the minimum"
    assert score(family, 3, [100.0] * 12) == 0.0, "worse than the start is not less than nothing"
    for odd in ([math.nan] * 12, [math.inf] * 12, [0.0] * 11, [], [[0.0] * 12]):
        assert score(family, 3, odd) == 0.0
    fewer = next(seed for seed in range(20) if place(family, seed)[1][-1] == 0.0)
    assert score(family, fewer, [0.0] * 11 + [50.0]) == 1.0, "coordinates that the function does not have do not count"


def test_a_scorer_draws_the_same_function_and_answers_do_not_depend_on_what_else_is_asked() -> None:
    for family in FAMILIES:
        whole = batch(((family, 10), (family, 11)))
        matrix, first, _ = place(family, 11)
        assert whole.matrix[1] == pytest.approx(matrix, rel=1e-12, abs=1e-12) and (whole.first[1] == first).all()
    asked = [{"family": family, "seed": seed} for seed in range(3) for family in FAMILIES]
    system, budget = {"numbers": GOOD.tolist()}, Budget()
    together = Improver().answer(system, asked, budget, None)
    assert together == [Improver().answer(system, [one], Budget(), None)[0] for one in asked]
    assert budget.spent["tokens"] == len(asked)


def test_functions_of_a_round_are_rotated_and_conditioned_like_those_that_measure() -> None:
    given = drawn(QUADRATIC, 400, np.random.default_rng(4))
    sizes = (given.first != 0).sum(axis=1)
    assert set(sizes.tolist()) == set(range(FEWEST, MOST + 1))
    conditions = []
    for matrix, size in zip(given.matrix, sizes.tolist(), strict=True):
        assert not matrix[size:].any() and not matrix[:, size:].any()
        curved = matrix[:size, :size].T @ matrix[:size, :size]
        assert curved == pytest.approx(np.diag(np.diag(curved)), abs=1e-9), "rotated, then stretched"
        conditions.append(np.log10(curved[-1, -1] / curved[0, 0]))
    assert min(conditions) > -1e-9 and CONDITION * 0.98 < max(conditions) < CONDITION + 1e-9
    assert np.mean(conditions) == pytest.approx(CONDITION / 2, abs=0.1)


def test_a_chain_of_tries_takes_the_best_edit_where_it_is_better_and_goes_on_from_there() -> None:
    rng = np.random.default_rng(1)
    given = [drawn(QUADRATIC, 8, rng) for _ in range(6)]
    found = climb(POOR, stepping(GOOD, rng), 1.0, GOOD, given)
    assert found.steps.shape == (6 * EDITS, 4) and found.ran == 6 * (EDITS + 1) * 8
    taken = found.taken.reshape(6, EDITS)
    assert set(taken.sum(axis=1).tolist()) <= {0, 1} and taken.any()
    numbers, stretch = POOR.copy(), 1.0
    for at, functions in enumerate(given):
        edits = found.steps[at * EDITS : (at + 1) * EDITS] + numbers
        scores = solved(np.vstack([numbers, edits]), functions)[1].mean(axis=1)
        better = scores[1:].max() > scores[0]
        assert taken[at].any() == better
        stretch *= math.exp(GOOD[1] if better else GOOD[2])
        if better:
            assert taken[at].argmax() == scores[1:].argmax()
            numbers = edits[taken[at].argmax()]
    assert found.stretch == pytest.approx(stretch)
    assert POOR + found.steps[found.taken].sum(axis=0) == pytest.approx(numbers)


def test_edits_stay_in_their_boxes_and_tuning_touches_the_first_step_alone() -> None:
    rng = np.random.default_rng(2)
    wild = np.array([1.0, 1.5, -0.1, 4.0])
    for edits in (stepping(wild, rng)(POOR, 100.0), anywhere(rng)(POOR, 1.0)):
        assert (edits >= LOW).all() and (edits <= HIGH).all() and len(np.unique(edits[:, 0])) > 1
    alone = first_step_alone(anywhere(rng))(GOOD, 1.0)
    assert (alone[:, 1:] == GOOD[1:]).all() and len(np.unique(alone[:, 0])) == EDITS


def view(**more: Any) -> View:
    system = {"numbers": POOR.tolist()}
    given: dict[str, Any] = {
        "parent": system, "improver": system, "state": None, "accepted": None, "feedback": Feedback(), "dev": (),
        "budget": Budget(), "rng": np.random.default_rng(5), "round": 1,
    }  # fmt: skip
    return View(**{**given, **more})


def decisions(change: Any) -> dict[str, Any]:
    return {key: one for part in change.parts if part.surface == "curriculum" for key, one in part.payload.items()}


def test_the_system_decides_how_long_a_round_is_on_what_it_is_tried_and_when_to_stop() -> None:
    loop = Improver()
    first = loop.propose(view())
    assert decisions(first) == {"tries": 6, "functions": 16, "stop": False}
    assert all(part.decided_by == "system" and part.options for part in first.parts)
    well = loop.propose(view(state={"stretch": 1.0, "idle": 0, "share": 0.9}))
    badly = loop.propose(view(state={"stretch": 1.0, "idle": 0, "share": 0.1}))
    assert decisions(well) == {"tries": 8, "functions": 16, "stop": False}
    assert decisions(badly) == {"tries": 4, "functions": 32, "stop": False}
    over = view(state={"stretch": 1.0, "idle": PATIENCE, "share": 0.0})
    assert decisions(loop.propose(over))["stop"] is True and over.budget.spent["tokens"] == 0
    assert loop.propose(over).examples is None


def test_a_control_spends_what_is_due_and_does_not_stop_before() -> None:
    loop, due = Improver(), 5 * (EDITS + 1) * 16.0
    for propose in (loop.propose, loop.random_search, loop.ordinary):
        asked = view(budget=Budget(tokens=due), state={"stretch": 1.0, "idle": PATIENCE, "share": 0.0})
        propose(asked)
        assert asked.budget.spent["tokens"] == due
    nothing = view(budget=Budget(tokens=0.0))
    assert loop.propose(nothing).examples is None and nothing.budget.spent["tokens"] == 0


def test_what_passes_is_added_up_and_what_was_never_tried_changes_nothing() -> None:
    loop, asked = Improver(), view()
    change = loop.propose(asked)
    kept = [label for label, passed in zip(change.examples.labels, change.checks["better"], strict=True) if passed]
    built = loop.build(asked.parent, change, Budget(), None)
    everything = POOR + np.sum(change.examples.labels, axis=0)
    assert built["numbers"] == pytest.approx(np.clip(everything, LOW, HIGH).tolist()), "the channel has not cut yet"
    assert kept
    stopped = loop.propose(view(state={"stretch": 1.0, "idle": PATIENCE, "share": 0.0}))
    assert loop.build(asked.parent, stopped, Budget(), None) == asked.parent


def test_a_drifted_improver_went_as_far_in_another_direction() -> None:
    first, last = {"numbers": POOR.tolist()}, {"numbers": (POOR + 0.3 * UNIT * np.array([1, 1, -1, -1])).tolist()}
    inside = [Improver().drifted(first, last, np.random.default_rng(seed))["numbers"] for seed in range(20)]
    lengths = np.linalg.norm((np.array(inside) - POOR) / UNIT, axis=1)
    assert lengths.max() == pytest.approx(0.6), "what the boxes cut off aside"
    assert all(numbers != last["numbers"] for numbers in inside)


@pytest.mark.parametrize(
    ("given", "said"), [({"edits": "all"}, "edits"), ({"size": "huge"}, "size"), ({"edit": "own"}, "option")]
)
def test_bad_options_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_recipe("improver", {one: two for one, two in given.items() if one != "size"}, given.get("size", "tiny"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A whole study at size tiny, as `netgain demo` runs it: what it printed, and its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.chdir(tmp_path_factory.mktemp("demo"))
        patch.setattr(demonstrating, "SIZE", "tiny")
        said = demonstrating.demo(folder=None, workers=2, as_json=True)
        yield said, Path("studies/demo").resolve()


@pytest.fixture(scope="module")
def folder(shown: Any) -> Path:
    found: Path = shown[1]
    return found


def test_a_demo_ends_with_scores_and_a_verdict_and_a_second_call_runs_nothing(shown: Any) -> None:
    said, where = shown
    assert said.code == 0 and said.record["schema"] == "netgain.demo/1"
    lines = said.text.splitlines()
    table = [line.split() for line in lines[1 : lines.index("")]]
    assert {"self", *CONTROLS} <= {row[1] for row in table}
    assert [float(row[0]) for row in table] == sorted((float(row[0]) for row in table), reverse=True)
    scores = {arm: round(score, 3) for arm, score in said.record["scores"].items()}
    assert scores == {row[1]: float(row[0]) for row in table}
    assert "verdict" in said.text and "studies/demo/report.html" in said.text
    again = demonstrating.demo(folder=where, workers=2, as_json=True)
    assert {**again.record, "folder": "", "report": ""} == {**said.record, "folder": "", "report": ""}
    with Ledger.open(where, readonly=True) as log:
        assert len(list(log.events("verdict"))) == 1


def test_the_verifier_agrees_with_what_a_whole_study_says(folder: Path) -> None:
    checked = verify(folder)
    assert [one["ok"] for one in checked["checks"]] == [True] * len(checked["checks"])
    assert checked["verdict"] in ("REFUTED", "INCONCLUSIVE"), "three rounds do not beat numbers drawn at random"
    with Ledger.open(folder, readonly=True) as log:
        found = next(log.events("verdict")).data
    rungs = {one["name"]: one for one in found["rungs"]}
    assert rungs["R1"]["result"] == "pass"
    assert "harm" not in rungs["R2"]["detail"], "a placebo that drifts about its start is no harm"
    assert rungs["R2"]["result"] == "fail"


def test_every_control_of_the_study_spent_what_the_loop_spent(folder: Path) -> None:
    with Ledger.open(folder, readonly=True) as log:
        rows = log.rows()
    for name, row in rows.items():
        if row["arm"] != "frozen":
            own = rows[f"r{row['replica']}/self"]["build"]["tokens"]
            assert row["build"]["tokens"] == pytest.approx(own, rel=0.1), name


def test_the_sizes_are_what_the_page_says() -> None:
    assert {name: numbers[:2] for name, numbers in SIZES.items()} == {
        "tiny": (3, 6),
        "demo": (8, 6),
        "default": (8, 20),
    }
    for size, (_, starts, *_) in SIZES.items():
        made = build_recipe("improver", {}, size)
        assert starts in made.claim.sizes, "a study decides on all starts that it runs"
        assert made.claim.rung == ("R2" if size == "demo" else "R7")
