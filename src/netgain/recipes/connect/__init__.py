"""`connect`: a network learns Connect Four on a small board from its own searched games, beside a teacher that stays.

The system is a network that names a column. Each round it plays itself: a tree search that asks the network looks ahead
from every position, the check `better` passes the moves that the search followed most, and the network is trained on
those. A better network makes a better search, if it does. Beside it stand the search of the untrained network as a
teacher for ever (`stacked`), in one long step (`one_step`) or from scratch every round (`flat`), moves kept at random
(`placebo`) or all of them, moves of winners among players who draw evenly (`random_proposer`), and plain search with
more and more simulations (`sampled:TRIES`). The game is solved exactly, on our side of the wall alone. Numbers:
docs/recipes/connect.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.connect.game import (
    CELLS,
    Bools,
    Ints,
    Positions,
    features,
    four,
    from_keys,
    legal,
    openings,
    passed,
    read,
    texts,
    winning,
)
from netgain.recipes.connect.network import BATCH, FLOPS, TRAINED, Lessons, fresh, judged, train
from netgain.recipes.connect.search import look_ahead, preferred
from netgain.recipes.connect.selfplay import OPENING, Played, by_search, play, whole_games
from netgain.recipes.connect.solution import best, solution, telling
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop
from netgain.suite import Suite, axis

Json = Any
System = Mapping[str, Any]

MEMORY = 5  # earlier rounds whose examples are trained on again
A_GAME = 12  # moves of a game between players who draw evenly, about
OWN = 200  # positions of a round-0 score
STATE = {"parent": "network", "improver": "network that guides the search", "position": "examples of earlier rounds"}
NOTES = {
    "decides": "what answers the deciding questions: network (it alone), or search (24 simulations that it guides)"
}
CONTROLS = ("frozen", "ordinary", "placebo", "unguarded:better.filter", "stacked")
MORE = {
    "network": ("flat", "one_step", "random_proposer", "shuffled", "sampled:4", "sampled:16", "sampled:64"),
    "search": ("sampled:2", "sampled:4", "sampled:8"),
}
CLAIMS = {
    "network": Claim("moves", by=0.03, beats=("frozen", "random_proposer", "shuffled"), rung="R2", expected=0.12),
    "search": Claim("moves", by=0.02, beats=("frozen",), rung="R1", expected=0.1),
}


@dataclass(frozen=True)
class Size:
    """Numbers of a size: games at a time, moves in each, simulations a move, steps of a round; rounds and starts; gate
    and report items of an axis; sealed items of the deciding axis and of the others."""

    slots: int
    moves: int
    simulations: int
    steps: int
    rounds: int
    starts: int
    gate: int
    report: int
    sealed: int
    fewer: int


SIZES = {
    "tiny": Size(24, 6, 8, 40, 2, 6, 8, 8, 80, 20),
    "default": Size(128, 10, 24, 300, 5, 6, 16, 60, 2000, 300),
}


@dataclass(frozen=True)
class Connect:
    """The loop of one setting.

    Attributes:
        decides: "network" or "search": what answers the deciding questions.
        size: of `SIZES`.
    """

    decides: str = "network"
    size: str = "default"

    def __post_init__(self) -> None:
        for kind, value, known in (("decides", self.decides, ("network", "search")), ("size", self.size, SIZES)):
            if value not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'connect'", value, known)

    @property
    def numbers(self) -> Size:
        """Numbers of the size."""
        return SIZES[self.size]

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0: an untrained network, which prefers hardly any move; its search is plain search."""
        return Started(fresh(rng), {"tokens": 0, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Play against oneself with the improver's search; every legal move is an example, the followed ones pass."""
        size = self.numbers
        moves = round(view.budget.scale * size.moves)
        played = play(by_search(view.improver, size.simulations, view.rng), size.slots, moves, view.rng)
        _book(view.budget, len(played.moves) * (size.simulations + 1))
        return _lessons(view, played, legal(played.positions), played.better, "moves of own games, searched")

    def random_search(self, view: View) -> Change:
        """Games of players who draw their moves evenly; what the winner played passes."""
        played = self._drawn_games(view, 2)
        better = played.better & (played.value > 0)[:, None]
        return _lessons(view, played, played.better, better, "moves of winners who drew them evenly")

    def ordinary(self, view: View) -> Change:
        """Plain training: the moves and results of games whose moves were drawn evenly."""
        played = self._drawn_games(view, 1)
        made = _lessons(view, played, played.better, played.better, "moves drawn evenly, and what came of them")
        return replace(made, parts=[replace(one, decided_by="rule") for one in made.parts])

    def _drawn_games(self, view: View, times: int) -> Played:
        """Games that no network has a part in, times as many positions as a round of self-play has."""
        _book(view.budget, 0)
        games = round(times * view.budget.scale * self.numbers.slots * self.numbers.moves / A_GAME)
        return whole_games(games, view.rng)

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """Train on the kept examples and those of earlier rounds; longer where a control has to spend more."""
        kept = change.examples or Examples()
        sets = [*(change.state or {}).get("sets", []), [list(kept.inputs), list(kept.labels)]]
        inputs, labels = ([each for one in sets for each in one[at]] for at in (0, 1))
        due = math.ceil((budget.tokens or 0) / (TRAINED * BATCH))
        steps = max(round(budget.scale * self.numbers.steps), due) if inputs else 0
        _book(budget, TRAINED * BATCH * steps)
        return train(parent, _as_lessons(inputs, labels), steps, rng) if steps else dict(parent)

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """A column each: the network's likeliest, or the most followed one where simulations are asked for."""
        found: list[Json] = [None] * len(inputs)
        for simulations in dict.fromkeys(one["simulations"] for one in inputs):
            places = [at for at, one in enumerate(inputs) if one["simulations"] == simulations]
            columns = _columns(system, [inputs[at]["board"] for at in places], simulations, budget)
            for at, column in zip(places, columns, strict=True):
                found[at] = column
        return found

    def sampled(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """Plain search: as many simulations as tries are allowed, or so many times those that a question asks for."""
        more = [{**one, "simulations": budget.tries * max(1, one["simulations"])} for one in inputs]
        return self.answer(system, more, budget, rng)

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """Share of positions in which the system's own move is the one that the judge's search follows most."""
        there = openings(OWN, OPENING, rng)
        found = preferred(look_ahead(judge, there, self.numbers.simulations))
        _book(budget, OWN * (self.numbers.simulations + 2))
        return float(found[np.arange(OWN), _raw(system, there)].mean())

    def suite(self) -> Suite:
        """Moves with up to ten stones decide; wins and threats at once guard; later positions stand beside."""
        size, other = self.numbers, "looking" if self.decides == "network" else "alone"
        asked = [moves, tactics, late, moves_looking]
        if self.decides == "search":
            asked = [moves_looking, tactics_looking, late_looking, moves]
        counts: dict[str, Any] = {"gate_items": size.gate, "report_items": size.report}
        beside: dict[str, Any] = {"gate_items": 0, "report_items": size.report}
        more = {"overlap": True, "moment": 0.3}  # own games meet the same positions, and label them by themselves
        return Suite(
            [
                axis("moves", asked[0], among, sealed_items=size.sealed, **more, **counts),
                axis("tactics", asked[1], among, guard=True, sealed_items=size.fewer, **more, **counts),
                axis("late", asked[2], among, kind="sibling", sealed_items=size.fewer, **more, **beside),
                axis(other, asked[3], among, kind="sibling", **more, **beside),
            ],
            block=size.gate, max_pairs=size.gate, design_gain=0.1,
        )  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its own search alone decides; the gate only watches."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary=self.ordinary, sampled=self.sampled,
            random_search=self.random_search, own_score=self.own_score, filters=(Filter("better", ("filter",)),),
            state=STATE, surfaces=("data", "weights"), gate="watch", sees_accepted=False,
            not_testable={"oracle": "the exact solution stays on our side of the wall, and never labels an example"},
        )  # fmt: skip


def _book(budget: Budget, tokens: float) -> None:
    """A token is one position through the network, or one simulation; a trained position counts three."""
    budget.spend(tokens=tokens, flops=tokens * FLOPS, calls=0)


def _lessons(view: View, played: Played, candidates: Bools, better: Bools, reason: str) -> Change:
    """A change of examples, a position and a move with the result of the game each; those that are better pass."""
    rows, columns = np.nonzero(candidates)
    boards, results = texts(played.positions), np.round(played.value, 3).tolist()
    inputs = [boards[row] for row in rows]
    labels = [[column, results[row]] for row, column in zip(rows.tolist(), columns.tolist(), strict=True)]
    passes = [bool(one) for one in better[rows, columns]]
    seen = {"positions": len(boards), "passed": sum(passes)}
    data = Part("data", Examples(inputs, labels), reason=reason, options=len(inputs), evidence=seen)
    kept = view.feedback.kept
    sets = [*(view.state or {"sets": []})["sets"], *([[list(kept.inputs), list(kept.labels)]] if kept.inputs else [])]
    return Change([data], {"sets": sets[-MEMORY:]}, {"better": passes})


def _as_lessons(inputs: Sequence[str], labels: Sequence[Sequence[float]]) -> Lessons:
    there, wanted = read(inputs), np.array(labels, dtype=np.float64)
    return Lessons(features(there), legal(there), wanted[:, 0].astype(np.int64), wanted[:, 1].astype(np.float32))


def _columns(system: System, boards: Sequence[str], simulations: int, budget: Budget) -> list[int]:
    there = read(boards)
    _book(budget, len(boards) * (simulations + 1))
    budget.spend(calls=len(boards))
    moves = look_ahead(system, there, simulations).visits.argmax(axis=1) if simulations else _raw(system, there)
    return [int(one) for one in moves]


def _raw(system: System, there: Positions) -> Ints:
    return np.asarray(judged(system, features(there), legal(there))[0].argmax(axis=1))


# ---- what is asked, on our side of the wall


LOOKING = 24  # simulations of an answer that searches


Pool = tuple[Ints, Bools]  # keys of positions (n,), and which moves are right in each (n, 4)


@lru_cache(maxsize=1)
def _telling() -> Pool:
    """Positions of up to ten stones in which some move is worse than another, and the best moves of each."""
    return _posed(telling(solution(), 0, OPENING))


@lru_cache(maxsize=1)
def _late() -> Pool:
    """The same with more stones."""
    return _posed(telling(solution(), OPENING + 1, CELLS))


def _posed(places: Ints) -> Pool:
    return solution().keys[places], best(solution())[places]


@lru_cache(maxsize=2)
def _urgent(threat: bool) -> Pool:
    """Positions of up to ten stones with a win at once, or with none and one place where the other side would win."""
    there = from_keys(solution().keys)
    there = there[(there.stones <= OPENING) & ~four(there.filled ^ there.own)]
    own, other = winning(there), winning(passed(there))
    asked: Bools = np.asarray(own.any(axis=1))
    if threat:
        asked = ~asked & (other.sum(axis=1) == 1)
    return there.keys[asked], (other if threat else own)[asked]


def _question(pool: Pool, seed: int, index: int, simulations: int) -> tuple[Json, Json]:
    at = int(np.random.default_rng([seed, index]).integers(len(pool[0])))
    (board,) = texts(from_keys(pool[0][at : at + 1]))
    return {"board": board, "simulations": simulations}, np.flatnonzero(pool[1][at]).tolist()


def moves(seed: int, index: int) -> tuple[Json, Json]:
    """A board of up to ten stones, drawn evenly from all in which moves differ, and its best columns."""
    return _question(_telling(), seed, index, 0)


def tactics(seed: int, index: int) -> tuple[Json, Json]:
    """In turn a board with a win at once, and one on which a win of the other side has to be stopped."""
    return _question(_urgent(index % 2 == 1), seed, index, 0)


def late(seed: int, index: int) -> tuple[Json, Json]:
    """A board of more than ten stones."""
    return _question(_late(), seed, index, 0)


def moves_looking(seed: int, index: int) -> tuple[Json, Json]:
    """As `moves`, to be answered by search."""
    return _question(_telling(), seed, index, LOOKING)


def tactics_looking(seed: int, index: int) -> tuple[Json, Json]:
    """As `tactics`, to be answered by search."""
    return _question(_urgent(index % 2 == 1), seed, index, LOOKING)


def late_looking(seed: int, index: int) -> tuple[Json, Json]:
    """As `late`, to be answered by search."""
    return _question(_late(), seed, index, LOOKING)


def among(output: Json, target: Json) -> float:
    """1 when the column is one of the right ones."""
    return float(output in target)


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device.
    """
    made = with_options(Connect, "connect", given, device)
    small, claim = made.size == "tiny", CLAIMS[made.decides]
    if small:
        claim = replace(claim, beats=("frozen",))
    arms = ("self", *CONTROLS, *(() if small else MORE[made.decides]))
    return Built(
        made.loop(), made.suite(), claim, arms, made.numbers.rounds, made.numbers.starts, options=options_of(made),
        notes=NOTES,
    )  # fmt: skip
