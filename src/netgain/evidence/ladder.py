"""A number from gate items that may be shown: it moves by whole steps, and what its moves told is counted in nats.

Source: Blum & Hardt, "The Ladder" (ICML 2015), sections 2 and 3. Deviations: it starts at 0, a gain over generation 0
that is known without asking; where a decision rests on few pairs it takes the margin 1/sqrt(pairs) of ``statistics.md``
1.5 in place of a smaller step. The book is exact where theirs bounds: an answer that leaves the number as it is tells
something too, so both when it moved and where to are counted.

Not covered: the number itself is no estimate. It was taken at stops and from the best of many; never publish it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class LadderStep:
    """The largest gain shown so far.

    Attributes:
        step: width of a step in score units, in (0, 1].
        level: steps shown; 0 before the first move.
        asked: answers in which the number could have moved.
        moved: those in which it did.
    """

    step: float
    level: int = 0
    asked: int = 0
    moved: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.step <= 1.0:
            raise ValueError(f"step {self.step!r} is outside (0, 1]")
        if not 0 <= self.level <= self.levels or not 0 <= self.moved <= self.asked:
            raise ValueError(f"{self!r}: expected a level from 0 to {self.levels}, and moves among what was asked")

    @property
    def levels(self) -> int:
        """How many steps there are up to a gain of 1."""
        return math.floor(1.0 / self.step + 0.5)

    @property
    def best(self) -> float:
        """What may be shown, in score units."""
        return self.level * self.step

    def after(self, gain: float | None, pairs: int) -> Self:
        """Return the ladder after one more answer.

        Args:
            gain: mean paired difference to generation 0, in [-1, 1]; None where there is none: the number stays.
            pairs: how many differences the mean is of.

        Raises:
            ValueError: a gain outside [-1, 1], or of no pairs.
        """
        asked = replace(self, asked=self.asked + 1)
        if gain is None:
            return asked
        if not -1.0 <= gain <= 1.0 or pairs < 1:
            raise ValueError(f"gain {gain!r} of {pairs!r} pairs: expected a number in [-1, 1] of at least 1 pair")
        if gain <= self.best + max(self.step, 1.0 / math.sqrt(pairs)):
            return asked
        return replace(asked, level=round(gain / self.step), moved=self.moved + 1)

    @property
    def nats(self) -> float:
        """What the answers gave away.

        A history with M moves among K answers says when (C(K, M) ways) and to which of S rising levels (C(S, M)). M was
        not declared, so each value that it could have had gets an equal share: the levels of all histories add up to 1.
        """
        ways = math.comb(self.asked, self.moved) * math.comb(self.levels, self.moved)
        return math.log(ways) + math.log(min(self.asked, self.levels) + 1)


def mean_gain(candidate: Sequence[float | None], first: Sequence[float | None]) -> tuple[float | None, int]:
    """Return the mean of candidate - first over pairs with both scores, and how many those are; None of no pairs."""
    both = zip(candidate, first, strict=True)
    found = [one - other for one, other in both if one is not None and other is not None]
    return (math.fsum(found) / len(found), len(found)) if found else (None, 0)


def nats_shown(step: float, runs: Sequence[Sequence[float]]) -> float:
    """Return the nats that runs gave away, each by what it was shown after every answer, in order."""
    return math.fsum(
        LadderStep(step, 0, len(told), sum(new > old for old, new in zip([0.0, *told], told, strict=False))).nats
        for told in runs
    )
