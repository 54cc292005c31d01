"""The search at answer time: a beam that is guided by the network, begun again until solved or spent, many at once.

A policy of twelve numbers says what to expand (how wide with how many numbers left, by which weights, with how much
chance), when to hand a state to the exact tool, and when to stop. The unit of compute is a *look*: one result that was
worked out. A state that the network was asked about costs `ASKED` looks more, whichever way the search goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.recipes.solver.guess import Floats, Network, features, guess
from netgain.recipes.solver.sums import Children, Ints, children

NAMES = (
    "log2 of the width with 5 or more numbers left", "with 4", "with 3", "with 2",
    "log10 of the noise in what is expanded", "log2 of the widening from one pass to the next",
    "weight of being near the goal", "weight of the largest number", "weight of dividing the goal",
    "log2 of the share of the allowance after which it stops",
    "numbers left at which the tool takes over", "log-odds from which on it does",
)  # fmt: skip
LOW = np.array([0.0, 0.0, 0.0, 0.0, -2.0, 0.0, -3.0, -3.0, -3.0, -3.0, 1.51, -6.0])
HIGH = np.array([6.0, 6.0, 6.0, 6.0, 1.0, 1.5, 3.0, 3.0, 3.0, 2.0, 4.49, 6.0])
PLAIN = np.array([1.0, 1.0, 1.0, 1.0, -0.5, 0.0, 0.0, 0.0, 0.0, -1.0, 2.0, 0.0])  # generation 0
WIDTHS, STOP, TOOL, LEAST = slice(0, 4), 9, 10, 11
TOOLS = (TOOL, LEAST)
ASKED = 4  # looks that asking the network about a state costs, beside the one that made it
MOST_PASSES = 60


@dataclass(frozen=True)
class Found:
    """What searches came to, one a row.

    Attributes:
        codes: (r, k - 1) steps of the first solution, as `sums.way_of` reads them; -1 where there is none.
        solved: (r,) whether there is one.
        looks: (r,) what was spent.
    """

    codes: Ints
    solved: npt.NDArray[np.bool_]
    looks: Ints


@dataclass
class _Beam:
    """States of one pass, those of a row together and the most promising first.

    Attributes:
        left: (n, m) numbers left.
        of: (n,) row.
        codes: (n, k - m) steps so far.
        exact: (n,) whether the tool has it: then nothing is asked and nothing dropped any more.
    """

    left: Ints
    of: Ints
    codes: Ints
    exact: npt.NDArray[np.bool_]


def search(
    network: Network, policies: Floats, numbers: Ints, goals: Ints, most: Ints, rng: np.random.Generator
) -> Found:
    """Search in r rows at once, each by its own policy, until it is solved or has looked as often as it may.

    Args:
        network: guesses for all rows.
        policies: (r, 12), see `NAMES`.
        numbers, goals: (r, k) and (r,).
        most: (r,) looks; never exceeded.
        rng: noise of the second pass and later; the first one has none.
    """
    rows, size = numbers.shape
    found = Found(np.full((rows, size - 1), -1), np.zeros(rows, dtype=bool), np.zeros(rows, dtype=np.int64))
    for turn in range(MOST_PASSES):
        open_ = np.flatnonzero(~found.solved & (found.looks < most))
        if not len(open_):
            break
        before = found.looks.copy()
        beam = _Beam(numbers[open_], open_, np.empty((len(open_), 0), dtype=np.int64), np.zeros(len(open_), dtype=bool))
        beam = _taken_over(beam, np.zeros(len(open_)), policies)
        while len(beam.of) and beam.left.shape[1] > 1:
            beam = _further(network, policies, goals, most, found, beam, turn, rng)
        most = np.where(found.looks == before, found.looks, most)  # what cannot go on has ended
    return found


def _further(
    network: Network, policies: Floats, goals: Ints, most: Ints, found: Found, beam: _Beam, turn: int,
    rng: np.random.Generator,
) -> _Beam:  # fmt: skip
    """One step further: work out children as far as the looks go, ask the network where needed, keep the best."""
    made, last = children(beam.left), beam.left.shape[1] == 2
    of = beam.of[made.of]
    exact = beam.exact[made.of]
    price = np.where(exact | last, 1, 1 + ASKED)
    within = _affordable(of, price, (most - found.looks))
    made = Children(made.numbers[within], made.of[within], made.code[within])
    of, exact, price = of[within], exact[within], price[within]
    np.add.at(found.looks, of, price)
    codes = np.concatenate([beam.codes[made.of], made.code[:, None]], axis=1)
    if last:
        _note(found, of, codes, made.numbers[:, 0] == goals[of])
        return _Beam(made.numbers, of, codes, exact)
    return _kept(network, policies, goals, _Beam(made.numbers, of, codes, exact), turn, rng)


def _affordable(of: Ints, price: Ints, left: Ints) -> npt.NDArray[np.bool_]:
    """(c,) which children their rows can still pay for, in order; `of` is sorted."""
    spent = np.cumsum(price)
    begins = np.searchsorted(of, of, side="left")
    return np.asarray(spent - (spent - price)[begins] <= left[of])


def _note(found: Found, of: Ints, codes: Ints, right: npt.NDArray[np.bool_]) -> None:
    """Write down the first solution of each row."""
    rows, first = np.unique(of[right], return_index=True)
    found.solved[rows] = True
    found.codes[rows] = codes[right][first]


def _kept(network: Network, policies: Floats, goals: Ints, beam: _Beam, turn: int, rng: np.random.Generator) -> _Beam:
    """The most promising states of each row, within its width, beside all that the tool has."""
    asked, size = np.flatnonzero(~beam.exact), beam.left.shape[1]
    mine = policies[beam.of[asked]]
    seen = features(beam.left[asked], goals[beam.of[asked]])
    odds = guess(network, seen)
    worth = odds - mine[:, 6] * seen[:, 9] + mine[:, 7] * seen[:, 5] + mine[:, 8] * seen[:, 12]
    if turn:
        worth = worth + 10.0 ** mine[:, 4] * rng.gumbel(size=len(worth))
    order = np.lexsort((-worth, beam.of[asked]))
    ranked = beam.of[asked][order]
    place = np.arange(len(order)) - np.searchsorted(ranked, ranked, side="left")
    width = np.floor(2.0 ** (mine[order, 5 - min(size, 5)] + turn * mine[order, 5]))
    chosen = order[place < width]
    every = np.concatenate([np.flatnonzero(beam.exact), asked[chosen]])
    every = every[np.argsort(beam.of[every], kind="stable")]
    sure = np.full(len(beam.of), np.inf)
    sure[asked] = odds
    kept = _Beam(beam.left[every], beam.of[every], beam.codes[every], beam.exact[every])
    return _taken_over(kept, sure[every], policies)


def _taken_over(beam: _Beam, odds: Floats, policies: Floats) -> _Beam:
    """The same states; those promising enough with few enough numbers left go to the tool."""
    mine = policies[beam.of]
    tool = (beam.left.shape[1] <= np.rint(mine[:, TOOL])) & (odds >= mine[:, LEAST])
    return _Beam(beam.left, beam.of, beam.codes, beam.exact | tool)


def admissible(numbers: Floats) -> Floats:
    """Into the boxes."""
    return np.clip(numbers, LOW, HIGH)


def looks_of(policies: Floats, allowed: Ints, times: int = 1) -> Ints:
    """(r,) looks after which each policy stops, for allowances (r,); `times` as many where it may try so often."""
    return np.asarray(np.floor(allowed * 2.0 ** policies[:, STOP] * times), dtype=np.int64)
