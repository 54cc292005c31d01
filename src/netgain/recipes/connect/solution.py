"""The exact solution of the game, worked out backwards from the ends: used by axes and tests, never by the loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from netgain.recipes.connect.game import CELLS, SIDE, Bools, Ints, Positions, after, empty, four, from_keys, full, legal

Values = npt.NDArray[np.int8]
NONE = -2  # of a move that is not legal: below every value


@dataclass(frozen=True)
class Solution:
    """Every position that can be reached, in order of `keys` (which is not that of stones).

    Attributes:
        keys: (161029,) ascending.
        values: (161029,) 1 where the side to move wins, 0 draw, -1 where it loses, both playing without fault.
        moves: (161029, 4) what each move is worth to the side to move; -2 where not legal or the game is over.
    """

    keys: Ints
    values: Values
    moves: Values

    def at(self, positions: Positions) -> Ints:
        """(n,) places of positions in the table; they have to be ones that can be reached."""
        return np.searchsorted(self.keys, positions.keys)


@lru_cache(maxsize=1)
def solution() -> Solution:
    """All positions, solved by retrograde analysis."""
    layers = _layers()
    values: Values = np.zeros(0, dtype=np.int8)
    solved: list[tuple[Ints, Values, Values]] = []
    below: Ints = np.zeros(0, dtype=np.int64)
    for keys in reversed(layers):
        moves = _worth(keys, below, values)
        there = from_keys(keys)
        lost, drawn = four(there.filled ^ there.own), full(there)
        values = np.where(lost, -1, np.where(drawn, 0, moves.max(axis=1, initial=NONE))).astype(np.int8)
        solved.append((keys, values, moves))
        below = keys
    keys, values, moves = (np.concatenate(parts) for parts in zip(*solved, strict=True))
    order = np.argsort(keys)
    return Solution(keys[order], values[order], moves[order])


def _layers() -> list[Ints]:
    """The keys of positions with 0, 1, … 16 stones, each ascending."""
    layers = [empty(1).keys]
    for _ in range(CELLS):
        there = from_keys(layers[-1])
        there = there[~four(there.filled ^ there.own)]
        further = [_next(there, column)[0].keys for column in range(SIDE)]
        layers.append(np.unique(np.concatenate(further)))
    return layers


def _next(there: Positions, column: int) -> tuple[Positions, Bools]:
    """What a column leads to from where it is legal, and (n,) where that is."""
    can = legal(there)[:, column]
    return after(there[can], np.full(int(can.sum()), column))[0], can


def _worth(keys: Ints, below: Ints, values: Values) -> Values:
    """(n, 4) worth of each move from the values one stone further."""
    there = from_keys(keys)
    moves = np.full((len(keys), SIDE), NONE, dtype=np.int8)
    on = np.flatnonzero(~four(there.filled ^ there.own))
    for column in range(SIDE if len(below) else 0):
        further, can = _next(there[on], column)
        moves[on[can], column] = -values[np.searchsorted(below, further.keys)]
    return moves


def best(solved: Solution) -> Bools:
    """(N, 4) whether a move is as good as any."""
    return np.asarray((solved.moves == solved.moves.max(axis=1, keepdims=True)) & (solved.moves > NONE))


def telling(solved: Solution, fewest: int, most: int) -> Ints:
    """Places of the positions with so many stones in which at least one legal move is worse than another."""
    worst = np.where(solved.moves > NONE, solved.moves, 2).min(axis=1)
    stones = from_keys(solved.keys).stones
    open_ = solved.moves.max(axis=1) > NONE
    return np.flatnonzero(open_ & (worst < solved.moves.max(axis=1)) & (stones >= fewest) & (stones <= most))
