"""Puzzles of arithmetic: numbers that have to be joined, all of them, into a goal; made, taken a step further, checked.

As in the numbers round of the game show *Countdown*, but with every number used, so that a puzzle of k numbers takes
exactly k - 1 steps. Every result is a whole number from 1 to `MOST`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

Json = Any
Ints = npt.NDArray[np.int64]

LARGEST = 25  # of the numbers given
MOST = 9999  # of any result on the way
GOALS = (10, 999)
OPERATIONS = "+-*/"
PIECES = 4  # children of a pair at most


@dataclass(frozen=True)
class Puzzle:
    """Numbers, the goal, and one way that leads there: (k - 1) steps of (left, operation, right)."""

    numbers: tuple[int, ...]
    goal: int
    way: tuple[tuple[int, str, int], ...]


def puzzle(rng: np.random.Generator, size: int) -> Puzzle:
    """A puzzle of `size` numbers that has a solution: numbers drawn evenly, joined at random until one is left."""
    while True:
        numbers = tuple(rng.integers(1, LARGEST + 1, size=size).tolist())
        way, goal = _joined(list(numbers), rng)
        if GOALS[0] <= goal <= GOALS[1] and goal not in numbers:
            return Puzzle(numbers, goal, tuple(way))


def _joined(left: list[int], rng: np.random.Generator) -> tuple[list[tuple[int, str, int]], int]:
    way = []
    while len(left) > 1:
        steps = [(at, one) for at in combinations(range(len(left)), 2) for one in _steps(left[at[0]], left[at[1]])]
        (first, second), step = steps[int(rng.random() * len(steps))]
        way.append(step[:3])
        left = [one for at, one in enumerate(left) if at not in (first, second)] + [step[3]]
    return way, left[0]


def _steps(one: int, other: int) -> Iterator[tuple[int, str, int, int]]:
    """Every admissible step of two numbers, with its result; dividing by 1 is multiplying by 1."""
    high, low = max(one, other), min(one, other)
    if high + low <= MOST:
        yield high, "+", low, high + low
    if high > low:
        yield high, "-", low, high - low
    if high * low <= MOST:
        yield high, "*", low, high * low
    if low > 1 and high % low == 0:
        yield high, "/", low, high // low


def reached(numbers: Sequence[int], goal: int, steps: Json) -> bool:
    """Whether steps join exactly these numbers into the goal; what is no list of such steps does not."""
    left = list(numbers)
    if not isinstance(steps, list | tuple) or len(steps) != len(left) - 1:
        return False
    for step in steps:
        if not isinstance(step, list | tuple) or len(step) != 3 or not {type(step[0]), type(step[2])} <= {int}:
            return False
        for one in (step[0], step[2]):
            if one not in left:
                return False
            left.remove(one)
        found = [result for first, sign, second, result in _steps(step[0], step[2])
                 if (first, sign, second) == tuple(step)]  # fmt: skip
        if not found:
            return False
        left.append(found[0])
    return left == [goal]


@dataclass(frozen=True)
class Children:
    """All admissible next states of n states of m numbers, in the order of the states.

    Attributes:
        numbers: (c, m - 1) what is left, the result last.
        of: (c,) place of the state that each came from.
        code: (c,) which step it was: `way_of` reads it.
    """

    numbers: Ints
    of: Ints
    code: Ints


@lru_cache
def _pairs(size: int) -> tuple[Ints, Ints, Ints]:
    """First and second place of each pair (p,), and the places that a pair leaves (p, size - 2)."""
    pairs = list(combinations(range(size), 2))
    rest = [[at for at in range(size) if at not in pair] for pair in pairs]
    first, second = np.array(pairs, dtype=np.int64).T
    return first, second, np.array(rest, dtype=np.int64).reshape(len(pairs), size - 2)


def children(states: Ints) -> Children:
    """Take n states of m numbers, (n, m), one step further in every admissible way."""
    first, second, rest = _pairs(states.shape[1])
    one, other = states[:, first], states[:, second]
    high, low = np.maximum(one, other), np.minimum(one, other)
    ratio = high / low  # of numbers below 1e4: whole just where it divides, and faster than dividing whole numbers
    quotient = ratio.astype(np.int64)
    results = np.stack([high + low, high - low, high * low, quotient], axis=2)
    fits = (results > 0) & (results <= MOST)
    fits[:, :, 3] &= (low > 1) & (quotient == ratio)
    at = np.flatnonzero(fits)
    of, code = np.divmod(at, len(first) * PIECES)
    left = states[of[:, None], rest[code // PIECES]]
    return Children(np.concatenate([left, results.reshape(-1)[at, None]], axis=1), of, code)


def way_of(numbers: Sequence[int], codes: Sequence[int]) -> list[list[Json]]:
    """The steps that codes of `children` stand for, from these numbers on: [[left, operation, right], …]."""
    left, way = [int(one) for one in numbers], []
    for code in codes:
        first, second, rest = _pairs(len(left))
        pair, sign = divmod(int(code), PIECES)
        one, other = left[first[pair]], left[second[pair]]
        high, low = max(one, other), min(one, other)
        result = {"+": high + low, "-": high - low, "*": high * low, "/": high // low}[OPERATIONS[sign]]
        way.append([high, OPERATIONS[sign], low])
        left = [left[at] for at in rest[pair]] + [result]
    return way
