"""Population-based training: members train side by side, the worse copy the better and change what they copied.

Jaderberg et al. 2017, arXiv 1711.09846, algorithm 1, with its binary tournament: a member draws a rival, and
one that does not score more takes over the rival's weights and numbers (*exploit*) and then changes the numbers
(*explore*). Deviation: all members move in step, so that a population is the same in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Member = TypeVar("Member")
Rng = np.random.Generator


def evolve(
    members: Sequence[Member],
    advance: Callable[[Member, int], Member],
    score: Callable[[Member], float],
    explore: Callable[[Member, Rng], Member],
    slices: int,
    rng: Rng,
    *,
    copies: bool = True,
    explores: bool = True,
) -> tuple[list[Member], list[float]]:
    """Train a population.

    Args:
        members: at the beginning: weights with the numbers that train them. They are replaced, never changed in place.
        advance: (member, slice from 0) -> the member after one more slice of training.
        score: of a member as it stands, higher is better; NaN loses against everything.
        explore: the same weights with other numbers.
        slices: of a training; between two of them members are compared.
        copies: False leaves every member its own weights and numbers, and each explores between slices.
        explores: False copies without a change.

    Returns:
        The members after the last slice, and their scores.
    """
    now = list(members)
    for part in range(slices):
        now = [advance(member, part) for member in now]
        scores = [score(member) for member in now]
        if part < slices - 1:
            now = _compared(now, scores, explore, rng, copies, explores)
    return now, scores


def _compared(
    now: Sequence[Member], scores: Sequence[float], explore: Callable[[Member, Rng], Member], rng: Rng,
    copies: bool, explores: bool,
) -> list[Member]:  # fmt: skip
    after = []
    for place, member in enumerate(now):
        rival = (place + 1 + int(rng.integers(len(now) - 1))) % len(now)
        # A tie counts as lost: two equal members that left each other alone would never explore again.
        loses = not scores[place] > scores[rival] and not np.isnan(scores[rival])
        taken = now[rival] if copies and loses else member
        after.append(explore(taken, rng) if explores and (loses or not copies) else taken)
    return after
