"""`connect`: rules, solution, search and network each beside a plain twin, and a whole study at size tiny."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.recipes import build_recipe, connect
from netgain.recipes.connect import MEMORY, SIZES, Connect, among, late, moves, moves_looking, tactics
from netgain.recipes.connect.game import (
    CELLS,
    Positions,
    after,
    drawn,
    empty,
    features,
    four,
    from_keys,
    full,
    legal,
    mirrored,
    openings,
    read,
    texts,
)
from netgain.recipes.connect.network import BATCH, TRAINED, Lessons, fresh, gradient, judged, train
from netgain.recipes.connect.search import EXPLORE, look_ahead, preferred
from netgain.recipes.connect.selfplay import evenly, play, whole_games
from netgain.recipes.connect.solution import best, solution, telling
from netgain.records import Change, Examples, Feedback, Part, View
from netgain.report import reading
from netgain.report.identified import Unknown
from netgain.report.search_curve import search_curve
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.verify import verify

LINES = [[(c + i * dc, r + i * dr) for i in range(4)]
         for c in range(4) for r in range(4) for dc, dr in ((0, 1), (1, 0), (1, 1), (1, -1))
         if c + 3 * dc < 4 and 0 <= r + 3 * dr < 4]  # fmt: skip


def put(board: str, column: int) -> tuple[str, bool]:
    """A move on a board of 16 letters, the slow way: the board seen by the other side, and whether it made four."""
    cells = list(board)
    cells[4 * column + board[4 * column : 4 * column + 4].index(".")] = "x"
    won = any(all(cells[4 * c + r] == "x" for c, r in line) for line in LINES)
    return "".join(cells).translate(str.maketrans("xo", "ox")), won


@cache
def worth(board: str) -> int:
    """What an undecided board is worth to the side to move, by trying everything."""
    found = [1 if won else 0 if "." not in on else -worth(on) for on, won in (put(board, c) for c in room(board))]
    return max(found)


def room(board: str) -> list[int]:
    return [column for column in range(4) if board[4 * column + 3] == "."]


def some(count: int, seed: int) -> Positions:
    return openings(count, 12, np.random.default_rng(seed))


def test_many_moves_at_once_are_what_each_is_on_a_board_of_letters() -> None:
    there, rng = some(300, 1), np.random.default_rng(1)
    for _ in range(3):
        chosen = drawn(legal(there).astype(float), rng)
        further, won = after(there, chosen)
        for board, column, on, four_now in zip(
            texts(there), chosen.tolist(), texts(further), won.tolist(), strict=True
        ):
            assert (on, four_now) == put(board, column)
        there = further[~won & ~full(further)]
    assert len(there)


def test_text_and_mirror_lose_nothing() -> None:
    there = some(200, 2)
    assert (read(texts(there)).keys == there.keys).all() and len(set(there.keys.tolist())) > 100
    turned = ["".join(board[4 * c : 4 * c + 4] for c in (3, 2, 1, 0)) for board in texts(there)]
    assert (mirrored(features(there)) == features(read(turned))).all()
    for odd in ("x" * 15, "y" + "." * 15):
        with pytest.raises(ConfigError, match="board"):
            read([odd])


def test_the_solution_is_what_trying_everything_gives() -> None:
    solved = solution()
    assert len(solved.keys) == 161_029 and solved.values[solved.at(empty(1))].tolist() == [0], "Tromp's count; a draw"
    there = from_keys(solved.keys)
    open_ = np.flatnonzero(~four(there.filled ^ there.own) & ~full(there) & (there.stones >= 7))
    chosen = np.random.default_rng(3).choice(open_, size=60, replace=False)
    for at, board in zip(chosen, texts(there[chosen]), strict=True):
        assert solved.values[at] == worth(board)
        for column in range(4):
            on, won = put(board, column) if column in room(board) else ("", False)
            expected = -2 if not on else 1 if won else 0 if "." not in on else -worth(on)
            assert solved.moves[at, column] == expected


def test_questions_tell_moves_apart_and_accept_every_best_one() -> None:
    solved = solution()
    assert len(telling(solved, 0, 10)) == 17_650
    chance = (best(solved).sum(axis=1) / legal(from_keys(solved.keys)).sum(axis=1).clip(min=1))[telling(solved, 0, 10)]
    assert chance.mean() == pytest.approx(0.421, abs=5e-4)
    for make, fewest, most in ((moves, 0, 10), (late, 11, 16)):
        for index in range(30):
            asked, right = make(5, index)
            board = asked["board"]
            assert fewest <= CELLS - board.count(".") <= most and asked["simulations"] == 0
            values = solved.moves[solved.at(read([board]))][0]
            assert right == [column for column in range(4) if values[column] == values.max()]
            assert len(right) < len(room(board)) and among(right[0], right) == 1.0
            assert among(next(one for one in range(4) if one not in right), right) == 0.0
    assert moves_looking(5, 3) == ({**moves(5, 3)[0], "simulations": 24}, moves(5, 3)[1]) and moves(5, 3) != moves(5, 4)


def test_tactics_are_a_win_at_once_or_the_one_place_to_stop_one() -> None:
    other = str.maketrans("xo", "ox")
    for index in range(40):
        asked, right = tactics(6, index)
        board = asked["board"]
        mine = [column for column in room(board) if put(board, column)[1]]
        theirs = [column for column in room(board) if put(board.translate(other), column)[1]]
        assert right == (theirs if index % 2 else mine)
        assert len(theirs) == 1 and not mine if index % 2 else mine


def searched_alone(network: Any, board: str, simulations: int) -> list[int]:
    """The rule for one position, with a dictionary of boards on the way in place of arrays."""
    nodes: dict[tuple[int, ...], dict[str, Any]] = {}

    def node(path: tuple[int, ...], on: str, result: float | None) -> float:
        likely, value = judged(network, features(read([on])), legal(read([on])))
        nodes[path] = {"board": on, "result": result, "likely": likely[0].astype(float), "n": [0] * 4, "w": [0.0] * 4}
        return float(value[0]) if result is None else result

    def follow(path: tuple[int, ...]) -> float:
        here = nodes[path]
        if here["result"] is not None:
            return float(here["result"])
        total = math.sqrt(sum(here["n"]) + 1)
        scores = {c: here["w"][c] / max(1, here["n"][c]) + EXPLORE * here["likely"][c] * total / (1 + here["n"][c])
                  for c in room(here["board"])}  # fmt: skip
        move = max(scores, key=lambda one: (scores[one], -one))
        step = (*path, move)
        if step in nodes:
            worth = -follow(step)
        else:
            on, won = put(here["board"], move)
            worth = -node(step, on, -1.0 if won else 0.0 if "." not in on else None)
        here["n"][move] += 1
        here["w"][move] += worth
        return worth

    node((), board, None)
    for _ in range(simulations):
        follow(())
    return list(nodes[()]["n"])


def test_trees_side_by_side_are_what_each_is_alone() -> None:
    network, there = fresh(np.random.default_rng(4)), some(8, 4)
    network["out"] = network["out"] * 30  # a network with opinions
    found = look_ahead(network, there, 30)
    assert found.visits.tolist() == [searched_alone(network, board, 30) for board in texts(there)]
    assert (found.visits.sum(axis=1) == 30).all() and (np.abs(found.value) <= 1).all()
    again = look_ahead(network, there, 30, np.random.default_rng(1))
    assert (again.visits != found.visits).any(), "noise on the root changes what is followed"
    assert not (again.visits * ~legal(there)).any()


def test_more_search_is_better_search() -> None:
    solved, network = solution(), fresh(np.random.default_rng(5))
    places = np.random.default_rng(5).choice(telling(solved, 0, 10), size=200, replace=False)
    there, right = from_keys(solved.keys[places]), best(solved)[places]
    shares = [right[np.arange(200), look_ahead(network, there, n).visits.argmax(axis=1)].mean() for n in (2, 16, 64)]
    assert shares[0] + 0.1 < shares[1] < shares[2] - 0.05 and shares[2] > 0.75


def test_what_is_held_for_better_was_followed_half_as_often_as_the_most() -> None:
    found = look_ahead(fresh(np.random.default_rng(6)), some(50, 6), 24)
    for row, held in zip(found.visits.tolist(), preferred(found).tolist(), strict=True):
        assert held == [2 * one >= max(row) for one in row]


def lessons(count: int, seed: int) -> Lessons:
    there, rng = some(count, seed), np.random.default_rng(seed)
    values = rng.uniform(-1, 1, size=len(there)).astype(np.float32)
    return Lessons(features(there), legal(there), rng.integers(4, size=len(there)), values)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    network, rng = fresh(np.random.default_rng(7)), np.random.default_rng(7)
    network = {name: one + 0.1 * rng.standard_normal(one.shape) for name, one in network.items()}  # no bias is 0
    given = lessons(40, 7)
    assert not given.can[np.arange(40), given.moves].all(), (
        "some wanted moves are not legal, as where labels are destroyed"
    )
    loss, slopes = gradient(network, given)
    assert loss > 0
    for name, place in (
        ("first", (3, 5)),
        ("second", (10, 20)),
        ("out", (7, 2)),
        ("out", (128, 4)),
        ("first", (32, 1)),
    ):
        ends = []
        for step in (1e-5, -1e-5):
            moved = {**network, name: network[name].copy()}
            moved[name][place] += step
            ends.append(gradient(moved, given)[0])
        assert slopes[name][place] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-3, abs=1e-7)


def test_training_learns_moves_and_their_mirror_images() -> None:
    there = read(["................", "xo..............", "o...x..........."])
    given = Lessons(features(there), legal(there), np.array([0, 1, 1]), np.array([0.5, -0.5, 1.0], dtype=np.float32))
    trained = train(fresh(np.random.default_rng(8)), given[np.array([1, 2])], 60, np.random.default_rng(8))
    likely, value = judged(trained, given.seen[1:], given.can[1:])
    assert likely.argmax(axis=1).tolist() == [1, 1] and value == pytest.approx([-0.5, 1.0], abs=0.2)
    turned = given.mirrored()
    assert judged(trained, turned.seen[1:], turned.can[1:])[0].argmax(axis=1).tolist() == [2, 2]


def test_results_of_games_turn_at_every_move_and_games_broken_off_end_in_a_thought() -> None:
    rng = np.random.default_rng(9)

    def certain(there: Positions) -> Any:
        chosen, better, _ = evenly(rng)(there)
        return chosen, better, np.full(len(there), 0.25)

    made = play(certain, 40, 9, rng)
    boards = np.array(texts(made.positions)).reshape(9, 40)
    chosen, value = made.moves.reshape(9, 40), made.value.reshape(9, 40)
    ends = set()
    for slot in range(40):
        for at in range(9):
            on, won = put(str(boards[at, slot]), int(chosen[at, slot]))
            over = won or "." not in on
            follows = 0.25 if at == 8 else -value[at + 1, slot]
            assert value[at, slot] == (float(won) if over else follows)
            assert over or at == 8 or boards[at + 1, slot] == on
            ends.add((over, at == 8))
    assert len(ends) == 4


def test_whole_games_begin_empty_and_every_result_is_known() -> None:
    made = whole_games(60, np.random.default_rng(10))
    assert (made.positions.stones == 0).sum() == 60 and set(made.value.tolist()) == {-1.0, 0.0, 1.0}
    for board, column, value in zip(texts(made.positions), made.moves.tolist(), made.value.tolist(), strict=True):
        assert column in room(board)
        if put(board, column)[1]:
            assert value == 1.0
    first = made.value[made.positions.stones == 0]
    second = made.value[made.positions.stones == 1]
    assert (first == -second).all(), "in order of games"


def view(**more: Any) -> View:
    system = fresh(np.random.default_rng(11))
    given: dict[str, Any] = {
        "parent": system, "improver": system, "state": None, "accepted": None, "feedback": Feedback(), "dev": (),
        "budget": Budget(), "rng": np.random.default_rng(11), "round": 1,
    }  # fmt: skip
    return View(**{**given, **more})


def test_an_example_is_a_legal_move_and_the_followed_ones_pass() -> None:
    loop, asked = Connect(size="tiny"), view()
    change = loop.propose(asked)
    size, passes = SIZES["tiny"], change.checks["better"]
    positions = size.slots * size.moves
    assert change.parts[0].evidence == {"positions": positions, "passed": sum(passes)}
    assert asked.budget.spent["tokens"] == positions * (size.simulations + 1)
    assert all(
        column in room(board) for board, (column, _) in zip(change.examples.inputs, change.examples.labels, strict=True)
    )
    assert positions <= sum(passes) < len(passes) and len(passes) > 2 * positions
    wins = [ok for board, (column, _), ok in zip(change.examples.inputs, change.examples.labels, passes, strict=True)
            if put(board, column)[1]]  # fmt: skip
    assert np.mean(wins) > 0.9 > np.mean(passes), "a search follows a win"


@pytest.mark.nightly
def test_a_round_of_searched_moves_teaches_and_as_many_at_random_teach_nothing() -> None:
    loop, asked = Connect(), view()
    change, rng = loop.propose(asked), np.random.default_rng(16)
    examples, passes = change.examples, np.array(change.checks["better"])
    places = np.random.default_rng(16).choice(telling(solution(), 0, 10), size=2000, replace=False)
    boards = [{"board": one, "simulations": 0} for one in texts(from_keys(solution().keys[places]))]
    right = best(solution())[places]
    shares = []
    for kept in (passes, rng.permutation(passes)):
        inputs, labels = ([given[at] for at in np.flatnonzero(kept)] for given in (examples.inputs, examples.labels))
        data = Part("data", Examples(inputs, labels))
        built = loop.build(asked.parent, Change([data]), Budget(), np.random.default_rng(17))
        shares.append(right[np.arange(2000), loop.answer(built, boards, Budget(), None)].mean())
    assert shares[0] > 0.46 and shares[0] > shares[1] + 0.03, (shares, "chance is 0.42")


def test_an_untrained_teacher_searches_as_if_there_were_no_network() -> None:
    there = some(200, 12)
    plain = {name: np.zeros_like(one) for name, one in fresh(np.random.default_rng(12)).items()}
    first = [look_ahead(one, there, 24).visits for one in (plain, fresh(np.random.default_rng(12)))]
    assert np.abs(first[0] - first[1]).max() <= 6 and np.abs(first[0] - first[1]).mean() < 0.5


def test_games_of_drawn_moves_ask_no_network_and_winners_pass() -> None:
    loop, asked = Connect(size="tiny"), view(improver={})
    change = loop.random_search(asked)
    assert asked.budget.spent["tokens"] == 0
    assert change.checks["better"] == [result > 0 for _, result in change.examples.labels]
    plain = loop.ordinary(view(improver={}))
    assert all(plain.checks["better"]) and [part.decided_by for part in plain.parts] == ["rule"]


def test_earlier_rounds_are_remembered_and_the_oldest_forgotten() -> None:
    loop, kept = Connect(size="tiny"), Examples(["." * 16], [[1, 0.5]])
    state = {"sets": [[[], [[at, 0.0]]] for at in range(MEMORY)]}
    change = loop.propose(view(feedback=Feedback(kept=kept), state=state))
    assert len(change.state["sets"]) == MEMORY and change.state["sets"][-1] == [["." * 16], [[1, 0.5]]]
    assert change.state["sets"][0] == state["sets"][1] and loop.propose(view()).state == {"sets": []}


def test_a_round_is_trained_as_long_as_due_and_on_nothing_not_at_all() -> None:
    loop, change, rng = Connect(size="tiny"), Connect(size="tiny").propose(view()), np.random.default_rng(13)
    system = view().parent
    for due, steps in ((None, 40), (0.0, 40), (100.0 * TRAINED * BATCH - 1, 100)):
        spent = Budget(tokens=due)
        built = loop.build(system, change, spent, rng)
        assert spent.spent["tokens"] == steps * TRAINED * BATCH and (built["out"] != system["out"]).any()
    nothing = Budget()
    assert loop.build(system, Change([]), nothing, rng) == system and nothing.spent["tokens"] == 0


def test_a_question_is_answered_by_the_network_or_by_search_and_each_is_booked() -> None:
    loop, system = Connect(), view().parent
    boards = texts(some(20, 14))
    alone = [{"board": one, "simulations": 0} for one in boards]
    looking = [{"board": one, "simulations": 24} for one in boards]
    spent = Budget()
    found = loop.answer(system, [one for pair in zip(alone, looking, strict=True) for one in pair], spent, None)
    assert spent.spent["tokens"] == 20 * 1 + 20 * 25 and spent.spent["calls"] == 40
    assert found[0::2] == judged(system, features(read(boards)), legal(read(boards)))[0].argmax(axis=1).tolist()
    assert found[1::2] == look_ahead(system, read(boards), 24).visits.argmax(axis=1).tolist()
    more = Budget(tries=50)
    assert (
        loop.sampled(system, alone, more, None) == look_ahead(system, read(boards), 50).visits.argmax(axis=1).tolist()
    )
    assert more.spent["tokens"] == 20 * 51
    twice = Budget(tries=2)
    assert (
        loop.sampled(system, looking, twice, None)
        == look_ahead(system, read(boards), 48).visits.argmax(axis=1).tolist()
    )
    assert twice.spent["tokens"] == 20 * 49


def test_the_loop_never_asks_the_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any) -> Any:
        raise AssertionError("the loop asked the solution")

    monkeypatch.setattr(connect, "solution", refuse)
    for name in ("_telling", "_late", "_urgent"):
        monkeypatch.setattr(connect, name, refuse)
    loop = Connect(size="tiny").loop()
    system = loop.start(np.random.default_rng(15)).system
    asked = view(parent=system, improver=system)
    for propose in (loop.propose, loop.random_search, loop.ordinary):
        system = loop.build(system, propose(asked), Budget(), np.random.default_rng(15))
    loop.answer(system, [{"board": "." * 16, "simulations": 4}], Budget(), None)
    assert 0 <= loop.own_score(system, system, Budget(), np.random.default_rng(15)) <= 1
    with pytest.raises(AssertionError):
        moves(1, 1)
    source = Path(connect.__file__).parent
    for module in ("game", "network", "search", "selfplay"):
        assert "solution import" not in (source / f"{module}.py").read_text()


@pytest.mark.parametrize(
    ("given", "said"), [({"decides": "luck"}, "decides"), ({"size": "huge"}, "size"), ({"decide": "search"}, "option")]
)
def test_bad_options_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_recipe("connect", {one: two for one, two in given.items() if one != "size"}, given.get("size", "tiny"))


def test_where_search_decides_the_network_alone_stands_beside() -> None:
    axes = {one.name: one.source.draw("0" * 64, 0)["input"]["simulations"] for one in Connect("search").suite().axes}
    assert axes == {"moves": 24, "tactics": 24, "late": 24, "alone": 0}
    axes = {one.name: one.source.draw("0" * 64, 0)["input"]["simulations"] for one in Connect().suite().axes}
    assert axes == {"moves": 0, "tactics": 0, "late": 0, "looking": 24}


ARMS = ("self", "frozen", "ordinary", "placebo", "one_step", "random_proposer", "sampled:4", "sampled:16")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of one start at size tiny, with the arms that search, train or play in ways of their own."""
    built = build_recipe("connect", {}, "tiny")
    study = Study(
        built.loop, built.suite, ARMS, built.claim, replicas=1, rounds=2,
        about={"recipe": "connect", "size": "tiny", "options": {}},
        reference=Reference("netgain.recipes.connect:make", {"size": "tiny"}),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("connect")
    run_study(study, path, workers=1)
    return path


def test_a_whole_study_verifies_and_one_start_decides_nothing(folder: Path) -> None:
    checked = verify(folder)
    assert [one["ok"] for one in checked["checks"] if one["ok"] is not None].count(False) == 0, checked["checks"]
    assert checked["verdict"] == "INCONCLUSIVE"


def test_every_control_that_trains_spent_what_the_loop_spent(folder: Path) -> None:
    with Ledger.open(folder, readonly=True) as log:
        rows = log.rows()
    trained = [row for row in rows.values() if row["arm"] != "frozen" and not row["arm"].startswith("sampled")]
    assert len(trained) == 5
    for row in trained:
        own = rows[f"r{row['replica']}/self"]["build"]["tokens"]
        assert own <= row["build"]["tokens"] <= 1.1 * own, row["arm"]


def test_the_curve_of_plain_search_is_drawn(folder: Path) -> None:
    with Ledger.open(folder, readonly=True) as log:
        found = search_curve(reading.read(facts_of(log)))
    assert not isinstance(found, Unknown) and found.tries == (1, 4, 16)
    asked = SIZES["tiny"].sealed + 2 * SIZES["tiny"].fewer  # one token a question and a simulation
    assert found.unit == "tokens" and [row[0] for row in found.costs] == [asked, 5 * asked, 17 * asked]
    assert found.own_cost[0] == asked
    assert found.scores[2][0] > found.scores[0][0] + 0.1, "plain search gets better with its size"
