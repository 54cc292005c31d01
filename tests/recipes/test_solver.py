"""`solver`: steps and searches against plain Python, trials that more search cannot buy, a whole study's own word."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netgain import session
from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.evaluators import check_evaluator, require_sound
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.recipes import build_recipe
from netgain.recipes.solver import ALLOWED, HARDER, NUMBERS, SIZES, Solver, mixed, solved, within
from netgain.recipes.solver.guess import BATCH, FEATURES, _slopes, fresh, guess, lessons, train
from netgain.recipes.solver.search import ASKED, HIGH, LOW, NAMES, PLAIN, STOP, TOOL, TOOLS, WIDTHS, looks_of, search
from netgain.recipes.solver.sums import LARGEST, MOST, children, puzzle, reached, way_of
from netgain.recipes.solver.trials import (
    EDITS,
    HEATS,
    anywhere,
    climb,
    drawn,
    race,
    stepping,
    valued,
    width_and_stop,
    without_tools,
)
from netgain.records import Change, Examples, Feedback, Part, View
from netgain.report.reading import read
from netgain.report.search_curve import Search, search_curve
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.testing.inprocess import InProcess
from netgain.verify import verify

EXACT = np.concatenate([PLAIN[:TOOL], [HIGH[TOOL], LOW[-1]]])  # four numbers left and fewer go to the tool, always


def plain_steps(left: tuple[int, ...]) -> list[tuple[int, ...]]:
    """What can be left after one step, sorted, one entry a step."""
    found = []
    for i, j in combinations(range(len(left)), 2):
        rest = [one for at, one in enumerate(left) if at not in (i, j)]
        high, low = max(left[i], left[j]), min(left[i], left[j])
        results = [high + low, high - low, high * low]
        results += [high // low] if low > 1 and high % low == 0 else []
        found += [tuple(sorted([*rest, one])) for one in results if 0 < one <= MOST]
    return found


def can(left: tuple[int, ...], goal: int) -> bool:
    """Whether the numbers can be joined into the goal, by trying everything."""
    return left == (goal,) if len(left) == 1 else any(can(one, goal) for one in set(plain_steps(left)))


@pytest.fixture(scope="module")
def network() -> Any:
    rng = np.random.default_rng(3)
    return train(fresh(rng), 8 * BATCH, rng)


def asked(sizes: list[int], seed: int = 5) -> tuple[Any, Any]:
    """Numbers and goals of new puzzles, all of one size."""
    rng = np.random.default_rng(seed)
    made = [puzzle(rng, size) for size in sizes]
    return np.array([one.numbers for one in made]), np.array([one.goal for one in made])


# ---- puzzles


@pytest.mark.parametrize("size", [2, 3, 5])
def test_all_steps_of_many_states_are_those_of_each(size: int) -> None:
    states = np.random.default_rng(size).integers(1, 200, size=(30, size))
    states[0] = MOST  # only differences and quotients are left of numbers that large
    found = children(states)
    assert (np.diff(found.of) >= 0).all()
    for at, state in enumerate(states.tolist()):
        mine = found.numbers[found.of == at].tolist()
        assert sorted(tuple(sorted(one)) for one in mine) == sorted(plain_steps(tuple(state)))


def test_codes_are_read_back_as_the_steps_that_they_stand_for() -> None:
    rng, left, codes = np.random.default_rng(4), np.array([[3, 7, 8, 25]]), []
    first = left[0].tolist()
    while left.shape[1] > 1:
        found = children(left)
        pick = int(rng.integers(len(found.of)))
        left = found.numbers[pick : pick + 1]
        codes.append(int(found.code[pick]))
    assert reached(first, int(left[0, 0]), way_of(first, codes))


def test_a_puzzle_has_a_way_of_one_step_fewer_than_numbers() -> None:
    rng = np.random.default_rng(6)
    for size in (*SIZES, HARDER):
        one = puzzle(rng, size)
        assert len(one.numbers) == size and len(one.way) == size - 1 and 10 <= one.goal <= 999
        assert max(one.numbers) <= LARGEST and one.goal not in one.numbers
        assert reached(one.numbers, one.goal, one.way)


def test_only_exact_steps_that_use_every_number_reach_the_goal() -> None:
    right = [[8, "*", 3], [24, "+", 1]]
    assert reached([1, 3, 8], 25, right)
    wrong: list[Any] = [
        right[:1], [[8, "*", 3], [24, "+", 2]], [[8, "*", 8], [64, "-", 39]], [[8, "/", 3], [1, "+", 1]],
        [[3, "-", 8], [25, "+", 0]], [[8, "*", 3.0], [24, "+", 1]], [[8, "*", 3], [24, "+", True]], [["8", "*", 3], []],
        [[8, "**", 3], [24, "+", 1]], "25", 25, None, {"answer": right}, [],
    ]  # fmt: skip
    assert [steps for steps in wrong if reached([1, 3, 8], 25, steps)] == []
    assert not reached([1, 3, 8], 26, right) and not reached([1, 3, 7], 25, right)
    assert not reached([6, 3, 1], 6, [[6, "/", 1], [6, "-", 3]]), "dividing by 1 is written as multiplying"


# ---- the network


def test_slopes_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(7)
    weights = fresh(rng)
    seen, right = rng.standard_normal((40, FEATURES)), (rng.random(40) < 0.4).astype(float)

    def loss(moved: dict[str, Any]) -> float:
        odds = guess(moved, seen)
        return float(np.mean(np.logaddexp(0.0, odds) - right * odds))

    for name, slope in _slopes(weights, seen, right).items():
        for place in (0, -1):
            up, down = ({k: v.copy() for k, v in weights.items()} for _ in range(2))
            up[name].flat[place] += 1e-6
            down[name].flat[place] -= 1e-6
            assert slope.flat[place] == pytest.approx((loss(up) - loss(down)) / 2e-6, abs=1e-6)


def test_training_tells_states_on_a_way_from_those_beside_it(network: Any) -> None:
    rng = np.random.default_rng(8)
    seen, right = lessons([puzzle(rng, 4) for _ in range(60)], rng)
    odds = guess(network, seen)
    above = (odds[right == 1][:, None] > odds[right == 0]).mean()
    assert above > 0.6, "share of pairs in the right order; a coin has .5"


def test_training_leaves_what_it_started_from() -> None:
    first = fresh(np.random.default_rng(9))
    before = {name: one.copy() for name, one in first.items()}
    after = train(first, 1, np.random.default_rng(9))
    assert all((first[name] == before[name]).all() for name in before)
    assert any((after[name] != before[name]).any() for name in before)


# ---- the search


def test_the_tool_alone_solves_what_can_be_solved_and_nothing_else(network: Any) -> None:
    rng = np.random.default_rng(10)
    numbers, goals = rng.integers(1, 12, size=(40, 3)), rng.integers(10, 60, size=40)
    policies = np.tile(EXACT, (40, 1))
    found = search(network, policies, numbers, goals, np.full(40, 10_000), rng)
    truth = [can(tuple(sorted(one)), goal) for one, goal in zip(numbers.tolist(), goals.tolist(), strict=True)]
    assert found.solved.tolist() == truth and 5 < sum(truth) < 35
    for at in np.flatnonzero(found.solved):
        assert reached(numbers[at].tolist(), int(goals[at]), way_of(numbers[at], found.codes[at]))


def test_a_search_never_looks_more_often_than_it_may_and_uses_what_it_has(network: Any) -> None:
    rng = np.random.default_rng(11)
    numbers, goals = asked([6] * 30)
    policies = anywhere(rng)(PLAIN, 1.0)[np.arange(30) % EDITS]
    most = rng.integers(0, 900, size=30)
    found = search(network, policies, numbers, goals, most, rng)
    assert (found.looks <= most).all()
    assert (found.looks > most - 2 * (1 + ASKED))[~found.solved].mean() > 0.9


def test_rows_searched_together_are_what_each_is_alone(network: Any) -> None:
    numbers, goals = asked([5] * 12)
    policies = np.stack([PLAIN, EXACT] * 6)
    most = np.full(12, 300)  # the first pass only: later ones draw noise
    together = search(network, policies, numbers, goals, most, np.random.default_rng(1))
    for at in range(12):
        row = slice(at, at + 1)
        alone = search(network, policies[row], numbers[row], goals[row], most[row], np.random.default_rng(1))
        assert (alone.looks[0], alone.solved[0]) == (together.looks[at], together.solved[at])


def test_looks_are_priced_by_whether_the_network_was_asked(network: Any) -> None:
    goals, two = np.array([999]), np.array([[2, 3]])
    count = len(plain_steps((2, 3)))
    alone = search(network, PLAIN[None], two, goals, np.array([count]), np.random.default_rng(1))
    assert alone.looks[0] == count, "with two numbers left results are compared, and nobody is asked"
    three = np.array([[2, 3, 4]])
    first = len(plain_steps((2, 3, 4)))
    tool = search(network, EXACT[None], three, goals, np.array([first]), np.random.default_rng(1))
    guided = search(network, PLAIN[None], three, goals, np.array([(1 + ASKED) * first]), np.random.default_rng(1))
    assert tool.looks[0] == first and guided.looks[0] == (1 + ASKED) * first


BASE = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.5, 0.0, 0.0, 0.0, -1.0, 3.0, -1.5])
OTHER = np.array([4.0, 4.0, 4.0, 0.0, -2.0, 1.5, 3.0, 3.0, 3.0, -2.0, 4.0, 6.0])


@pytest.mark.parametrize("place", range(len(NAMES)), ids=NAMES)
def test_every_number_of_a_policy_changes_the_search(network: Any, place: int) -> None:
    numbers, goals = asked([6] * 10)
    moved, policy = BASE.copy(), BASE.copy()
    moved[place] = OTHER[place]
    if place == 3:  # a width with two numbers left counts only where the tool is not there before
        policy[TOOL] = moved[TOOL] = LOW[TOOL]
    spent = []
    for one in (policy, moved):
        rows = np.tile(one, (10, 1))
        found = search(network, rows, numbers, goals, looks_of(rows, np.full(10, 6000)), np.random.default_rng(2))
        spent.append((found.looks.tolist(), found.codes.tolist()))
    assert spent[0] != spent[1]


# ---- trials


def test_an_answer_over_its_allowance_counts_against_a_policy_unless_anything_counts(network: Any) -> None:
    more = PLAIN.copy()
    more[STOP] = HIGH[STOP]
    both, given = np.stack([PLAIN, more]), drawn(np.random.default_rng(12), 12, 400)
    strict, _ = valued(network, both, given, np.random.default_rng(1))
    lenient, looks = valued(network, both, given, np.random.default_rng(1), within=False)
    assert strict[1] < strict[0] and lenient[1] > lenient[0]
    assert lenient[1] > strict[1] and lenient[0] == strict[0] and looks > 12 * 400


def test_where_anything_counts_a_race_is_won_by_more_search_and_else_it_is_not(network: Any) -> None:
    more = PLAIN.copy()
    more[STOP] = HIGH[STOP]
    field = np.stack([PLAIN, more, more])
    won = {one: race(network, field, 6, 400, np.random.default_rng(18), within=one) for one in (True, False)}
    assert won[False].worth > won[False].before and won[True].worth < won[True].before


def test_a_race_is_won_by_what_solves_more_and_drops_the_rest_early(network: Any) -> None:
    hopeless = PLAIN.copy()
    hopeless[STOP] = LOW[STOP]
    field = np.stack([PLAIN, *[hopeless] * 6, EXACT, hopeless])
    won = race(network, field, 6, 2000, np.random.default_rng(13))
    assert won.winner == 7 and won.worth > won.before
    full = sum(times for times, _ in HEATS) * 6
    everyone = valued(network, field, drawn(np.random.default_rng(14), full, 2000), np.random.default_rng(14))[1]
    assert won.looks < everyone


def test_a_chain_goes_on_from_what_won_and_its_steps_add_up(network: Any) -> None:
    rng = np.random.default_rng(15)
    first = np.concatenate([PLAIN[:STOP], [LOW[STOP]], PLAIN[TOOL:]])
    found = climb(network, first, stepping(rng), 1.0, rng, tries=4, on=3, allowed=1000)
    taken = found.taken.reshape(4, EDITS)
    assert found.tries == 4 and found.steps.shape == (4 * EDITS, len(NAMES))
    assert set(taken.sum(axis=1).tolist()) <= {0, 1} and taken.any()
    last = first + found.steps[found.taken].sum(axis=0)
    assert (last >= LOW - 1e-9).all() and (last <= HIGH + 1e-9).all()
    assert found.stretch != 1.0 and found.looks > 0


def test_what_is_due_is_spent_and_little_more(network: Any) -> None:
    rng = np.random.default_rng(16)
    for due in (0.0, 90_000.0):
        found = climb(network, PLAIN, stepping(rng), 1.0, rng, tries=9, on=6, allowed=400, due=due)
        assert due <= found.looks <= 1.35 * due
        assert bool(found.tries) == bool(due)
    little = climb(network, PLAIN, stepping(rng), 1.0, rng, tries=9, on=12, allowed=400, due=1.0)
    usual = climb(network, PLAIN, stepping(rng), 1.0, rng, tries=1, on=12, allowed=400)
    assert little.tries == 1 and little.looks < 0.5 * usual.looks, "the last race is on as few puzzles as are due"


def test_edits_stay_in_their_boxes_and_move_what_they_may() -> None:
    rng = np.random.default_rng(17)
    for edits in (stepping(rng), anywhere(rng)):
        made = edits(PLAIN, 2.0)
        assert (made >= LOW).all() and (made <= HIGH).all() and len(np.unique(made[:, 0])) > 1
    rest = without_tools(anywhere(rng))(PLAIN, 1.0)
    assert (rest[:, list(TOOLS)] == PLAIN[list(TOOLS)]).all() and len(np.unique(rest[:, 0])) == EDITS
    tuned = width_and_stop(anywhere(rng))(PLAIN, 1.0)
    assert (tuned[:, WIDTHS] == tuned[:, :1]).all() and len(np.unique(tuned[:, STOP])) == EDITS
    assert (np.delete(tuned, [0, 1, 2, 3, STOP], axis=1) == np.delete(PLAIN, [0, 1, 2, 3, STOP])).all()


# ---- the loop


def view(system: Any, **more: Any) -> View:
    given: dict[str, Any] = {
        "parent": system, "improver": system, "state": None, "accepted": None, "feedback": Feedback(), "dev": (),
        "budget": Budget(), "rng": np.random.default_rng(5), "round": 1,
    }  # fmt: skip
    return View(**{**given, **more})


@pytest.fixture(scope="module")
def system(network: Any) -> Any:
    return {"policy": PLAIN.copy(), "network": network}


def test_a_round_tries_steps_and_says_what_it_would_make_of_the_tool(system: Any) -> None:
    loop, asks = Solver(size="tiny"), view(system)
    change = loop.propose(asks)
    assert len(change.examples.labels) == EDITS == len(change.checks["better"])
    assert asks.budget.spent["tokens"] > 0 and change.parts[0].surface == "policy"
    moved = np.array(change.examples.labels)[change.checks["better"]][:, list(TOOLS)]
    assert ("tools" in [part.surface for part in change.parts]) == bool(moved.any())
    closed = loop.propose(view(system, closed=["tools"]))
    assert not np.array(closed.examples.labels)[:, list(TOOLS)].any()
    assert [part.surface for part in closed.parts] == ["policy"]


def test_a_control_spends_what_is_due(system: Any) -> None:
    loop = Solver(size="tiny")
    for propose in (loop.propose, loop.random_search, loop.ordinary):
        asks = view(system, budget=Budget(tokens=12_000.0))
        propose(asks)
        assert asks.budget.spent["tokens"] >= 12_000.0
    nothing = view(system, budget=Budget(tokens=0.0))
    assert loop.propose(nothing).examples is None and nothing.budget.spent["tokens"] == 0
    assert {part.decided_by for part in loop.ordinary(view(system, budget=Budget(tokens=1.0))).parts} == {"rule"}


def test_what_passes_is_added_up_within_the_boxes(system: Any) -> None:
    loop, steps = Solver(), np.zeros((2, len(NAMES)))
    steps[:, 0] = (1.0, 0.5)
    steps[1, STOP] = 9.0
    made = loop.build(system, Change([Part("policy", Examples(["a", "b"], steps.tolist()))]), Budget(), None)
    assert made["policy"][0] == PLAIN[0] + 1.5 and made["policy"][STOP] == HIGH[STOP]
    assert (made["policy"][1:STOP] == PLAIN[1:STOP]).all() and made["network"] is system["network"]
    none = loop.build(system, Change([Part("policy", Examples())]), Budget(), None)
    assert (none["policy"] == system["policy"]).all()


def test_answers_are_checked_steps_and_their_looks_are_what_the_meter_counts(system: Any) -> None:
    loop, items = Solver(), [mixed(1, index) for index in range(12)]
    questions, truths = [one for one, _ in items], [target for _, target in items]
    once, more = Budget(), Budget(tries=4)
    said = loop.answer(system, questions, once, np.random.default_rng(1))
    again = loop.sampled(system, questions, more, np.random.default_rng(1))
    for found, spent, times in ((said, once, 1), (again, more, 4)):
        assert sum(one["cost"] for one in found) == spent.spent["tokens"]
        assert max(one["cost"] for one in found) <= times * ALLOWED / 2, "it stops at half of its allowance"
        assert [bool(one["answer"]) for one in found] == [
            bool(solved(*pair)) for pair in zip(found, truths, strict=True)
        ]
    assert sum(bool(one["answer"]) for one in again) > sum(bool(one["answer"]) for one in said) > 0
    assert more.spent["tokens"] > once.spent["tokens"] and not {"way"} & set(questions[0])


def test_the_scorers_believe_the_steps_and_no_word() -> None:
    suite = Solver().suite()
    for axis in suite.axes:
        items = [dict(zip(("input", "target"), axis.source.make(1, index), strict=True)) for index in range(4)]
        require_sound(check_evaluator(axis, items, decides=axis.name == "solved"))
    target = mixed(1, 0)[1]
    assert within({"answer": [], "cost": ALLOWED}, target) == 1.0
    for odd in (
        {"answer": [], "cost": ALLOWED + 1},
        {"answer": []},
        {"cost": -1},
        {"cost": "0"},
        {"cost": True},
        "",
        [],
    ):
        assert within(odd, target) == 0.0
    assert within({"cost": float("nan")}, target) == 0.0


def test_axes_ask_what_their_names_say() -> None:
    suite = Solver().suite()
    sizes = {one.name: {len(one.source.make(3, at)[0]["numbers"]) for at in range(6)} for one in suite.axes}
    assert sizes == {"solved": {4, 5, 6}, "within": {4, 5, 6}, "steps_3": {4}, "steps_4": {5}, "steps_5": {6},
                     "steps_6": {7}}  # fmt: skip
    assert [one.name for one in suite.guards] == ["within"]
    assert suite["solved"].source_key == suite["within"].source_key, "one answer is scored on both"
    assert mixed(3, 1) == mixed(3, 1) != mixed(4, 1)


@pytest.mark.parametrize(
    ("given", "said"), [({"trials": "all"}, "trials"), ({"size": "huge"}, "size"), ({"trial": "within"}, "option")]
)
def test_bad_options_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_recipe("solver", {one: two for one, two in given.items() if one != "size"}, given.get("size", "tiny"))


# ---- a whole study


ARMS = ("self", "frozen", "placebo", "sampled:2", "sampled:4", "sampled:8")


def study_of(folder: Path) -> Path:
    """A finished study of one start at size tiny with some of its arms; its loop runs in this process."""
    built = build_recipe("solver", {}, "tiny")
    claim = replace(built.claim, beats=("frozen", "sampled:2"), rung="R1")

    class Here(InProcess):
        def __init__(self, reference: Reference, count: int) -> None:
            super().__init__(built.loop)

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    study = Study(
        built.loop, built.suite, ARMS, claim, replicas=1, rounds=built.rounds, root="4" * 64,
        reference=Reference("netgain.recipes.solver:make", {"size": "tiny"}),
        about={"recipe": "solver", "size": "tiny", "options": {}},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "LocalWorkers", Here)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        run_study(study, folder / "study", workers=1)
    return folder / "study"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study_of(tmp_path_factory.mktemp("solver"))


def test_the_verifier_agrees_with_what_a_whole_study_says(folder: Path) -> None:
    checked = verify(folder)
    assert [one for one in checked["checks"] if one["ok"] is False] == []
    assert checked["verdict"] == "INCONCLUSIVE", "one start decides nothing"


def test_every_control_that_builds_spent_nearly_what_the_loop_spent(folder: Path) -> None:
    with Ledger.open(folder, readonly=True) as log:
        rows = log.rows()
    for name, row in rows.items():
        if row["arm"] != "frozen" and not row["arm"].startswith("sampled"):
            own = rows[f"r{row['replica']}/self"]["build"]["tokens"]
            assert row["build"]["tokens"] >= 0.9 * own, name


def test_plain_search_is_drawn_at_four_budgets_in_looks(folder: Path) -> None:
    with Ledger.open(folder, readonly=True) as log:
        reading = read(facts_of(log))
    found = search_curve(reading)
    assert isinstance(found, Search) and found.unit == "tokens" and found.tries == (1, 2, 4, 8)
    costs, scores = [row[0] for row in found.costs], [row[0] for row in found.scores]
    assert costs == sorted(costs) and costs[-1] > 2 * costs[0] and scores[-1] > scores[0]
    assert reading.sealed("frozen", "within") == [1.0]
    assert min(reading.sealed("sampled:8", "within")) < 1.0, "more search than the puzzle allows is seen"
    assert {"steps_3", "steps_4", "steps_5", "steps_6"} <= {one["name"] for one in reading.facts.suite["axes"]}


def test_the_sizes_are_what_the_page_says() -> None:
    assert {name: one[:4] for name, one in NUMBERS.items()} == {"tiny": (2, 2, 1, 3), "default": (5, 9, 3, 15)}
