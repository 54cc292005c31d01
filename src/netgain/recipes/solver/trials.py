"""Edits of a search policy, tried on puzzles that the system makes itself and judged by its own exact check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.recipes.solver.guess import Floats, Network
from netgain.recipes.solver.search import HIGH, LOW, STOP, TOOLS, WIDTHS, Found, admissible, looks_of, search
from netgain.recipes.solver.sums import Ints, Puzzle, puzzle

UNIT = (HIGH - LOW) / 4.0  # what a step of 1 means for each number
EDITS = 8  # of a try
MOVED = 0.35  # share of the numbers that an edit moves
HEATS = ((1, 3), (2, 1), (3, 1))  # of a race: times as many puzzles as the first, edits that stay
USUAL = 14  # looks of a race, in puzzles of its first heat times their allowance; measured about generation 0
GROW, SHRINK = 1.3, 0.9  # of the length of edits, after one that was taken and after none
SHORTEST, LONGEST = 0.3, 2.0
SIZES = (4, 5, 6)  # numbers of the puzzles of a round

Edits = Callable[[Floats, float], Floats]


@dataclass(frozen=True)
class Asked:
    """Puzzles of one size: numbers (n, k), goals (n,) and looks allowed (n,); `at` are their places among all."""

    numbers: Ints
    goals: Ints
    allowed: Ints
    at: Ints


def by_size(numbers: Sequence[Sequence[int]], goals: Sequence[int], allowed: Sequence[int]) -> list[Asked]:
    """Puzzles put together by how many numbers they have, as `search` takes them."""
    sizes = np.array([len(one) for one in numbers])
    found = []
    for size in np.unique(sizes):
        at = np.flatnonzero(sizes == size)
        rows = np.array([numbers[int(place)] for place in at], dtype=np.int64)
        found.append(Asked(rows, np.array(goals)[at], np.array(allowed)[at], at))
    return found


def drawn(rng: np.random.Generator, count: int, allowed: int) -> list[Asked]:
    """New puzzles as a round draws them: as many of each size."""
    made = [puzzle(rng, SIZES[at % len(SIZES)]) for at in range(count)]
    return asked_of(made, allowed)


def asked_of(made: Sequence[Puzzle], allowed: int) -> list[Asked]:
    """Puzzles with one allowance for all of them."""
    return by_size([one.numbers for one in made], [one.goal for one in made], [allowed] * len(made))


def solving(
    network: Network, policies: Floats, asked: Asked, rng: np.random.Generator, times: int = 1
) -> tuple[Found, int]:
    """Every policy on every puzzle of one size: rows policy by policy, and the looks of all."""
    count = len(asked.goals)
    rows = np.repeat(policies, count, axis=0)
    numbers, goals = np.tile(asked.numbers, (len(policies), 1)), np.tile(asked.goals, len(policies))
    most = looks_of(rows, np.tile(asked.allowed, len(policies)), times)
    found = search(network, rows, numbers, goals, most, rng)
    return found, int(found.looks.sum())


def valued(
    network: Network, policies: Floats, asked: Sequence[Asked], rng: np.random.Generator, *, within: bool = True
) -> tuple[Floats, int]:
    """What policies are worth on puzzles: (p,) share solved within the allowance, less the share that went over it.

    Args:
        within: False counts every solved puzzle, whatever it took: more search then passes for a better policy.

    Returns:
        Values from -1 to 1, and the looks that all of it took.
    """
    worth, total, count = np.zeros(len(policies)), 0, sum(len(one.goals) for one in asked)
    for one in asked:
        found, looks = solving(network, policies, one, rng)
        over = found.looks > np.tile(one.allowed, len(policies))
        scores = found.solved & ~over if within else found.solved
        scored = scores.astype(np.float64) - (over if within else 0.0)
        worth += scored.reshape(len(policies), -1).sum(axis=1)
        total += looks
    return worth / count, total


@dataclass(frozen=True)
class Climb:
    """What a chain of tries was.

    Attributes:
        steps: (tries * 8, 12) every edit that was tried, as a difference from what it was tried on.
        taken: (tries * 8,) whether it won its race, and was better there than what it was tried on.
        stretch: what success and failure have made of the length of edits.
        before, after: what a try began with and the winner of its race were worth there, means over tries.
        looks: that all of it took.
    """

    steps: Floats
    taken: npt.NDArray[np.bool_]
    stretch: float
    before: float
    after: float
    looks: int

    @property
    def tries(self) -> int:
        """How many there were."""
        return len(self.taken) // EDITS


def climb(
    network: Network, numbers: Floats, edits: Edits, stretch: float, rng: np.random.Generator, *,
    tries: int, on: int, allowed: int, due: float | None = None, within: bool = True,
) -> Climb:  # fmt: skip
    """Race edits, take the winner where it is better than what it was tried on, and go on from there.

    Args:
        numbers: (12,) policy that is edited.
        edits: (numbers, stretch) -> (8, 12) edited policies.
        tries, on: how many races, and on how many puzzles their first heats.
        allowed: looks of a puzzle.
        due: looks that are to be spent in place of `tries`; the last race is on fewer puzzles.
    """
    steps, taken, scores, spent = [np.zeros((0, len(numbers)))], [np.zeros(0, dtype=bool)], [(0.0, 0.0)], 0
    while (len(taken) <= tries) if due is None else (spent < due):
        made = edits(numbers, stretch)
        usual = spent / (len(taken) - 1) if spent else USUAL * on * allowed
        count = on if due is None else _fitting(due - spent, usual, on)
        won = race(network, np.vstack([numbers, made]), count, allowed, rng, within=within)
        better = won.worth > won.before
        spent += won.looks
        steps.append(made - numbers)
        taken.append(np.arange(EDITS) == (won.winner - 1 if better else -1))
        scores.append((won.before, won.worth))
        numbers = made[won.winner - 1] if better else numbers
        stretch = float(np.clip(stretch * (GROW if better else SHRINK), SHORTEST, LONGEST))
    before, after = np.mean(scores[1:] or scores, axis=0).tolist()
    return Climb(np.vstack(steps), np.concatenate(taken), stretch, before, after, spent)


def _fitting(left: float, usual: float, on: int) -> int:
    """Puzzles of a race that is to spend no more than what is left: a whole number of each size, at least one."""
    return max(1, round(min(1.0, left / usual) * on / len(SIZES))) * len(SIZES)


@dataclass(frozen=True)
class Won:
    """The winner of a race: its row, what it and row 0 were worth on all puzzles of its heats, and looks of all."""

    winner: int
    worth: float
    before: float
    looks: int


def race(
    network: Network, policies: Floats, on: int, allowed: int, rng: np.random.Generator, *, within: bool = True
) -> Won:
    """Heats on new puzzles, each longer and with fewer policies, all beside row 0, which is never dropped.

    So that few looks go to what is plainly worse (successive halving; Karnin, Koren and Somekh 2013).

    Args:
        policies: (p, 12); row 0 is what the others have to beat.
        on: puzzles of the first heat; `HEATS` has the others.
    """
    alive, total, asked, looks = np.arange(1, len(policies)), np.zeros(len(policies)), 0, 0
    for times, stay in HEATS:
        rows = np.append(0, alive)
        worth, more = valued(network, policies[rows], drawn(rng, times * on, allowed), rng, within=within)
        total[rows] += worth * times * on
        asked, looks = asked + times * on, looks + more
        alive = alive[np.argsort(-total[alive], kind="stable")[:stay]]
    winner = int(alive[0])
    return Won(winner, float(total[winner]) / asked, float(total[0]) / asked, looks)


def stepping(rng: np.random.Generator) -> Edits:
    """Edits that move about a third of the numbers, by normal steps."""

    def edits(numbers: Floats, stretch: float) -> Floats:
        shape = (EDITS, len(numbers))
        return admissible(numbers + UNIT * stretch * rng.standard_normal(shape) * (rng.random(shape) < MOVED))

    return edits


def anywhere(rng: np.random.Generator) -> Edits:
    """Policies drawn evenly from the boxes, wherever one stands."""
    return lambda numbers, stretch: LOW + (HIGH - LOW) * rng.random((EDITS, len(numbers)))


def without_tools(edits: Edits) -> Edits:
    """Edits that leave the numbers of the tool alone."""

    def rest(numbers: Floats, stretch: float) -> Floats:
        made = edits(numbers, stretch)
        made[:, TOOLS] = numbers[list(TOOLS)]
        return made

    return rest


def width_and_stop(edits: Edits) -> Edits:
    """Edits of which one width, for the whole beam, and the stop count."""

    def plain(numbers: Floats, stretch: float) -> Floats:
        drawn_, made = edits(numbers, stretch), np.tile(numbers, (EDITS, 1))
        made[:, WIDTHS], made[:, STOP] = drawn_[:, :1], drawn_[:, STOP]
        return made

    return plain
