"""Tree search guided by a network, one tree for each of many positions, all grown side by side on arrays.

The rule is that of Silver et al. 2018 (Science 362, "PUCT"): from the root the move with the largest Q + U is followed,
U = c P sqrt(sum N) / (1 + N), until a position that is not in the tree yet; the network's value of it, or the result of
a game that is over, is booked along the way with its sign turned at every move. Deviations: sum N counts one visit
more, so that the first choice follows the network; a move that was never tried has Q = 0; one constant c.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.recipes.connect.game import CELLS, SIDE, Bools, Floats, Ints, Positions, after, features, full, legal
from netgain.recipes.connect.network import Network, judged

EXPLORE = 1.5  # c of the rule
NOISE, SPREAD = 0.25, 1.0  # share and Dirichlet parameter of noise on the root's probabilities, in self-play only
BETTER = 0.5  # share of the visits of the most followed move from which a move is held for as good
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Searched:
    """What a search found: visits (n, 4) of each move of the root, value (n,) of the root to the side to move."""

    visits: Ints
    value: Doubles


class Trees:
    """Trees of n positions with room for `room` nodes each; node 0 is the root.

    Attributes:
        own, filled: (n, room) the positions.
        next: (n, room, 4) node that a move leads to; 0: none yet.
        visits, total: (n, room, 4) how often a move was followed, and the sum of what came of it.
        likely: (n, room, 4) the network's probabilities; -inf where not legal.
        over, result: (n, room) whether the game is over there, and its value to the side to move.
    """

    def __init__(self, positions: Positions, room: int) -> None:
        shape = (len(positions), room)
        self.own, self.filled = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        self.own[:, 0], self.filled[:, 0] = positions.own, positions.filled
        self.next = np.zeros((*shape, SIDE), dtype=np.int64)
        self.visits, self.total = np.zeros((*shape, SIDE)), np.zeros((*shape, SIDE))
        self.likely = np.zeros((*shape, SIDE))
        self.over, self.result = np.zeros(shape, dtype=np.bool_), np.zeros(shape)

    def judge(self, network: Network, rows: Ints, nodes: Ints) -> Floats:
        """Ask the network about undecided nodes, keep its probabilities, and give its (r,) values."""
        there = Positions(self.own[rows, nodes], self.filled[rows, nodes])
        can = legal(there)
        likely, value = judged(network, features(there), can)
        self.likely[rows, nodes] = np.where(can, likely, -np.inf)
        return value

    def choose(self, rows: Ints, nodes: Ints) -> Ints:
        """(r,) the move that the rule follows next."""
        visits = self.visits[rows, nodes]
        found = self.total[rows, nodes] / np.maximum(visits, 1.0)
        found += EXPLORE * self.likely[rows, nodes] * np.sqrt(visits.sum(axis=1, keepdims=True) + 1.0) / (1.0 + visits)
        return np.asarray(found.argmax(axis=1))

    def grow(self, rows: Ints, nodes: Ints, moves: Ints, new: int) -> None:
        """Add node `new` to these trees, where a move leads from a node."""
        there, won = after(Positions(self.own[rows, nodes], self.filled[rows, nodes]), moves)
        self.own[rows, new], self.filled[rows, new] = there.own, there.filled
        self.next[rows, nodes, moves] = new
        self.over[rows, new] = won | full(there)
        self.result[rows, new] = -1.0 * won


def look_ahead(
    network: Network, positions: Positions, simulations: int, rng: np.random.Generator | None = None
) -> Searched:
    """Search from undecided positions.

    Args:
        simulations: at least 1; each adds one position to every tree or meets the end of a game once more.
        rng: for the noise on the root's probabilities; None: none, and the search is a function of its inputs.
    """
    trees, everyone = Trees(positions, simulations + 1), np.arange(len(positions))
    root = trees.judge(network, everyone, np.zeros_like(everyone))
    if rng is not None:
        lots = rng.dirichlet([SPREAD] * SIDE, size=len(positions)) * legal(positions)
        trees.likely[:, 0] = (1 - NOISE) * trees.likely[:, 0] + NOISE * lots / lots.sum(axis=1, keepdims=True)
    for new in range(1, simulations + 1):
        _simulate(trees, network, new)
    visits, total = trees.visits[:, 0], trees.total[:, 0].sum(axis=1)
    return Searched(visits.astype(np.int64), (total + root) / (simulations + 1))


def _simulate(trees: Trees, network: Network, new: int) -> None:
    """Follow the rule down every tree, add one node, and book what was found on the way back."""
    trail, leaves = _descend(trees, new)
    everyone = np.arange(len(leaves))
    worth = trees.result[everyone, leaves]
    unknown = ~trees.over[everyone, leaves]
    if unknown.any():
        rows = np.flatnonzero(unknown)
        worth[rows] = trees.judge(network, rows, leaves[rows])
    for rows, nodes, moves in reversed(trail):
        worth[rows] = -worth[rows]
        trees.visits[rows, nodes, moves] += 1.0
        trees.total[rows, nodes, moves] += worth[rows]


def _descend(trees: Trees, new: int) -> tuple[list[tuple[Ints, Ints, Ints]], Ints]:
    """The way down: (rows, nodes, moves) at every depth, and (n,) the leaf that each tree ended in."""
    trail: list[tuple[Ints, Ints, Ints]] = []
    leaves = np.zeros(len(trees.own), dtype=np.int64)
    rows, nodes = np.arange(len(leaves)), leaves.copy()
    for _ in range(CELLS):
        moves = trees.choose(rows, nodes)
        trail.append((rows, nodes, moves))
        there = trees.next[rows, nodes, moves]
        first = there == 0
        if first.any():
            trees.grow(rows[first], nodes[first], moves[first], new)
            there = np.where(first, new, there)
        leaves[rows] = there
        on = ~first & ~trees.over[rows, there]
        if not on.any():
            break
        rows, nodes = rows[on], there[on]
    return trail, leaves


def preferred(searched: Searched) -> Bools:
    """(n, 4) the moves that were followed at least half as often as the one followed most."""
    return np.asarray(searched.visits >= BETTER * searched.visits.max(axis=1, keepdims=True))
