"""Programs tried on lists that nobody else draws: many on a few, the better ones on more, the best on many.

All lists are fresh in every stage of every round, so nothing is chosen twice for the same luck. What has been chosen is
still ahead of what it is worth; that is what gate, report and sealed lists are for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.recipes.pack.grammar import Tree, table_of
from netgain.recipes.pack.laws import Law, lists_of
from netgain.recipes.pack.packing import Ranks, excess, opened, packed, ranks_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ELSEWHERE = 1 << 60  # seeds of measured lists; those of a round lie below
BREED = 12  # programs that the next round starts from
SECOND, LAST = 36, 6  # programs of the second and of the last stage
POOL, SECOND_BRED = 40, 16  # programs of a generation, and of its second stage
WIDE, SECOND_WIDE, WORTH = 90, 22, 2  # the same of a wide one, and how many others it stands for
DOUBT = 10  # lists of 500 items
WIDTH = 17  # tables of one step of plain tuning, the one that there is among them
MANY = 500  # items of a list as the stages count lists


@dataclass(frozen=True)
class Tried:
    """What came of a pool of programs.

    Attributes:
        best: place of the best of the last stage.
        means: mean excess of each program over the lists that it met, a share.
        placed: items that were packed.
    """

    best: int
    means: Floats
    placed: int


@dataclass(frozen=True)
class Stages:
    """What a trial packs.

    Attributes:
        on: lists of 500 items that each of three stages adds; of longer ones there are fewer, one at least.
        law, length: of the lists.
    """

    on: tuple[int, int, int]
    law: Law
    length: int

    def lists_in(self, stage: int) -> int:
        """Lists of a stage."""
        return max(1, round(self.on[stage] * MANY / self.length))

    def drawn(self, stage: int, rng: Any) -> Ints:
        """(l, length) fresh lists for a stage."""
        return lists_of(self.law, rng.integers(ELSEWHERE, size=self.lists_in(stage)), self.length)

    def placed_by(self, pool: int) -> int:
        """Items that are packed when so many programs are tried."""
        counts = (pool, min(SECOND, pool), min(LAST + 1, pool))
        return sum(count * self.lists_in(at) for at, count in enumerate(counts)) * self.length

    def pool_for(self, placed: float) -> int:
        """The pool whose trial packs about so many items; 0 where they are too few for one."""
        each = self.lists_in(0) * self.length
        pool = round((placed - self.placed_by(SECOND)) / each) + SECOND
        return pool if pool >= SECOND else 0


def ranked(trees: Sequence[Tree], law: Law) -> Ranks:
    """(s, items, capacity + 1) tables of programs."""
    return np.stack([ranks_of(table_of(tree, law)) for tree in trees])


def tried(trees: Sequence[Tree], stages: Stages, rng: Any) -> Tried:
    """Try a pool of programs in three stages.

    Args:
        trees: the pool; the first one comes into every stage, so that it is left for a better one only.
        stages: what is packed.
        rng: draws the lists.
    """
    law, placed = stages.law, 0
    ranks, sums, met = ranked(trees, law), np.zeros(len(trees)), np.zeros(len(trees))
    alive = order = np.arange(len(trees))
    for stage, left in enumerate((SECOND, LAST + 1, 1)):
        lists = stages.drawn(stage, rng)
        bins = opened(packed(ranks[alive], lists, law.least), law.capacity)
        sums[alive] += excess(bins, lists, law.capacity).sum(axis=1)
        met[alive] += len(lists)
        placed += len(alive) * lists.size
        order = alive[np.argsort(sums[alive] / met[alive], kind="stable")]
        alive = order[:left] if 0 in order[:left] else np.append(order[: left - 1], 0)
    return Tried(int(order[0]), sums / met, placed)


@dataclass(frozen=True)
class Bred:
    """What came of some generations.

    Attributes:
        trees: every program that was tried, in order.
        breed, best: places of the last parents, and of the best of the exam.
        gain: by how much less than the first one the best exceeds the bound, a share.
        placed: items that were packed.
    """

    trees: list[Tree]
    breed: Ints
    best: int
    gain: float
    placed: int


def generation_costs(stages: Stages) -> int:
    """Items that a generation packs."""
    return (POOL * stages.lists_in(0) + SECOND_BRED * stages.lists_in(1)) * stages.length


def exam_costs(stages: Stages) -> int:
    """Items that the last trial of a round packs."""
    return (LAST + 1) * stages.lists_in(2) * stages.length


def bred(
    first: Sequence[Tree], make: Callable[[Sequence[Tree]], Tree], stages: Stages, generations: int, rng: Any,
    *, wide: Callable[[Sequence[Tree]], Tree] | None = None,
) -> Bred:  # fmt: skip
    """Generations of programs, each from the best of the last one, and an exam of the best at the end.

    What a program is worth is its mean difference to the first one on the same lists, over all lists that it met, drawn
    towards 0 as if it had met `DOUBT` more on which it was no different: few lists make no champion.

    Args:
        first: the program that there is, and those to breed from besides.
        make: parents -> a new program.
        stages: what is packed: the first two stages in every generation, the last one at the end.
        generations: how many.
        rng: draws the lists.
        wide: makes the programs of a larger first generation, in place of `WORTH` others; None: there is none.
    """
    book = _Book(stages, rng)
    alive = book.enter(first)
    if wide is not None and generations >= WORTH:
        alive, generations = book.generation(alive, wide, WIDE, SECOND_WIDE), generations - WORTH
    for _ in range(generations):
        alive = book.generation(alive, make, POOL, SECOND_BRED)
    book.meet(book.best(alive, LAST + 1), 2)
    worth = book.worth(alive)
    return Bred(book.trees, alive, int(alive[worth.argmin()]), float(-worth.min()), book.placed)


class _Book:
    """Programs with their tables and what they did on the lists that they met, beside the first one."""

    def __init__(self, stages: Stages, rng: Any) -> None:
        self.stages, self.rng, self.placed = stages, rng, 0
        self.trees: list[Tree] = []
        self._ranks: list[Ranks] = []
        self._known: set[Tree] = set()
        self._sums: Floats = np.zeros(0)
        self._met: Floats = np.zeros(0)

    def enter(self, trees: Sequence[Tree]) -> Ints:
        """Places of programs; one that is there already stands once."""
        new = [tree for tree in dict.fromkeys(trees) if tree not in self._known]
        self.trees += new
        self._known.update(new)
        self._ranks += list(ranked(new, self.stages.law)) if new else []
        more = np.zeros(len(new))
        self._sums, self._met = np.append(self._sums, more), np.append(self._met, more)
        return np.arange(len(self.trees) - len(new), len(self.trees))

    def enter_new(self, make: Callable[[Sequence[Tree]], Tree], parents: Sequence[Tree], count: int) -> Ints:
        """Places of so many programs that were not there."""
        made: dict[Tree, None] = {}
        while len(made) < count:
            tree = make(parents)
            if tree not in self._known:
                made[tree] = None
        return self.enter(list(made))

    def generation(self, alive: Ints, make: Callable[[Sequence[Tree]], Tree], size: int, second: int) -> Ints:
        """Places of the parents that come of one generation: of so many programs, so many see the second stage."""
        pool = np.append(alive, self.enter_new(make, [self.trees[at] for at in alive], size - len(alive)))
        self.meet(pool, 0)
        self.meet(self.best(pool, second), 1)
        return self.best(pool, BREED)

    def meet(self, places: Ints, stage: int) -> None:
        """Pack fresh lists of a stage with some programs, the first among them."""
        law, lists = self.stages.law, self.stages.drawn(stage, self.rng)
        bins = opened(packed(np.stack([self._ranks[at] for at in places]), lists, law.least), law.capacity)
        found = excess(bins, lists, law.capacity)
        self._sums[places] += (found - found[list(places).index(0)]).sum(axis=1)
        self._met[places] += len(lists)
        self.placed += bins.size * self.stages.length

    def worth(self, places: Ints) -> Floats:
        """(k,) excess over that of the first program, drawn towards 0."""
        return np.asarray(self._sums[places] / (self._met[places] + DOUBT * MANY / self.stages.length))

    def best(self, places: Ints, count: int) -> Ints:
        """The best so many of some programs, the first one always among them."""
        order = places[np.argsort(self.worth(places), kind="stable")]
        return order[:count] if 0 in order[:count] else np.append(order[: count - 1], 0)


def pool_of(first: Sequence[Tree], make: Callable[[], Tree], count: int) -> list[Tree]:
    """So many different programs, those given first."""
    found = dict.fromkeys(first)
    while len(found) < count:
        found[make()] = None
    return list(found)[:count]


@dataclass(frozen=True)
class Climbed:
    """The end of a climb: the table, how many steps were taken of how many, and the items that were packed."""

    tree: Tree
    taken: int
    steps: int
    placed: int


def climbed(
    tree: Tree, move: Callable[[Tree], Tree], stages: Stages, rng: Any, *, placed: float
) -> Climbed:  # fmt: skip
    """Plain tuning: moves of a table side by side on fresh lists, the best taken where it is better, till all is spent.

    The last step is as large as what is left.
    """
    law, each, spent, taken, steps = stages.law, stages.lists_in(1) * stages.length, 0, 0, 0
    while (count := min(WIDTH, round((placed - spent) / each))) >= 2:
        pool, lists = [tree, *(move(tree) for _ in range(count - 1))], stages.drawn(1, rng)
        bins = opened(packed(ranked(pool, law), lists, law.least), law.capacity)
        best = int(excess(bins, lists, law.capacity).mean(axis=1).argmin())
        tree, taken, steps, spent = pool[best], taken + (best > 0), steps + 1, spent + count * each
    return Climbed(tree, taken, steps, spent)
