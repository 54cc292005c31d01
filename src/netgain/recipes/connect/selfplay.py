"""Games that a system plays against itself, many side by side, and games of two players who draw their moves evenly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.recipes.connect.game import SIDE, Bools, Ints, Positions, after, drawn, empty, full, legal, openings
from netgain.recipes.connect.network import Network
from netgain.recipes.connect.search import look_ahead, preferred

OPENING = 10  # moves drawn evenly before a game begins, at most: as many stones as the deciding questions have
Doubles = npt.NDArray[np.float64]
Player = Callable[[Positions], tuple[Ints, Bools, Doubles]]  # moves (n,), better ones (n, 4), value (n,) of positions


@dataclass(frozen=True)
class Played:
    """Positions in the order in which they were met.

    Attributes:
        positions: n of them.
        moves: (n,) what was played there.
        better: (n, 4) which moves the player holds for the better ones.
        value: (n,) result of the game to the side to move, in [-1, 1]; where the game was broken off, what the player
            thought of its last position.
    """

    positions: Positions
    moves: Ints
    better: Bools
    value: Doubles


def play(player: Player, slots: int, moves: int, rng: np.random.Generator) -> Played:
    """So many moves in each of so many games at a time; where one is over the next begins, from an opening of its own.

    The number of positions is fixed, so that a round costs the same whatever the games are like.
    """
    there, ends, thought = openings(slots, OPENING, rng), np.full((moves, slots), np.nan), np.zeros(slots)
    own, filled = (np.empty((moves, slots), dtype=np.int64) for _ in range(2))
    chosen, better = np.empty((moves, slots), dtype=np.int64), np.empty((moves, slots, SIDE), dtype=np.bool_)
    for at in range(moves):
        own[at], filled[at] = there.own, there.filled
        chosen[at], better[at], thought = player(there)
        there, won = after(there, chosen[at])
        over = won | full(there)
        ends[at] = np.where(over, won.astype(np.float64), np.nan)
        new = openings(slots, OPENING, rng)
        there = Positions(np.where(over, new.own, there.own), np.where(over, new.filled, there.filled))
    value = _results(ends, thought).reshape(-1)
    return Played(Positions(own.reshape(-1), filled.reshape(-1)), chosen.reshape(-1), better.reshape(-1, SIDE), value)


def _results(ends: Doubles, thought: Doubles) -> Doubles:
    """(moves, slots) what came of every position, from where games ended, turned at every move before."""
    found = np.empty_like(ends)
    following = -thought  # of the last position, the player's own thought
    for at in reversed(range(len(ends))):
        following = np.where(np.isnan(ends[at]), -following, ends[at])
        found[at] = following
    return found


def by_search(network: Network, simulations: int, rng: np.random.Generator) -> Player:
    """Plays what a search follows, as often as it follows it; holds what it follows most for better."""

    def player(there: Positions) -> tuple[Ints, Bools, Doubles]:
        found = look_ahead(network, there, simulations, rng)
        return drawn(found.visits.astype(np.float64), rng), preferred(found), found.value

    return player


def evenly(rng: np.random.Generator) -> Player:
    """Draws every move evenly and thinks nothing."""

    def player(there: Positions) -> tuple[Ints, Bools, Doubles]:
        moves = drawn(legal(there).astype(np.float64), rng)
        return moves, np.asarray(np.arange(SIDE) == moves[:, None]), np.zeros(len(there))

    return player


def whole_games(slots: int, rng: np.random.Generator) -> Played:
    """Games of two who draw their moves evenly, from the empty board to the end; every result is known."""
    there, going = empty(slots), np.ones(slots, dtype=np.bool_)
    seen: list[tuple[Ints, Positions, Ints]] = []
    result = np.zeros(slots)  # of a game, to the side that made an even number of moves before
    while going.any():
        rows = np.flatnonzero(going)
        moves = evenly(rng)(there[rows])[0]
        seen.append((rows, there[rows], moves))
        further, won = after(there[rows], moves)
        there.own[rows], there.filled[rows] = further.own, further.filled
        result[rows[won]] = 1.0 if len(seen) % 2 else -1.0
        going[rows] = ~(won | full(further))
    own, filled = (np.concatenate([getattr(one, name) for _, one, _ in seen]) for name in ("own", "filled"))
    chosen = np.concatenate([moves for *_, moves in seen])
    value = np.concatenate([(1.0 if at % 2 == 0 else -1.0) * result[rows] for at, (rows, *_) in enumerate(seen)])
    return Played(Positions(own, filled), chosen, np.asarray(np.arange(SIDE) == chosen[:, None]), value)
