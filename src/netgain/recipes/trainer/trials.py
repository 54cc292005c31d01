"""What a round tries: edits of a procedure one after another, or a population that trains side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from netgain.recipes.trainer.network import Images, Networks, accuracy, cost, fresh, further, trained
from netgain.recipes.trainer.population import evolve
from netgain.recipes.trainer.procedure import (
    ARCHITECTURE,
    HIGH,
    LOW,
    NAMES,
    RATE,
    SLICES,
    UNIT,
    Floats,
    admissible,
    procedure,
)

Rng = np.random.Generator
Edit = Callable[[Floats, Rng], Floats]
Bools = npt.NDArray[np.bool_]

SEEDS = 1 << 62
STEP = 0.6  # of an edit, in units of each number
AGAIN = 3  # further trainings of both sides before an edit is believed


@dataclass
class Own:
    """Training and validation images of a start, and a count of what was spent on them.

    Attributes:
        known, asked: images that networks are trained on, and that they are tried on.
        tokens, flops, trainings: images that went through a network, operations, trainings from scratch.
    """

    known: Images
    asked: Images
    tokens: int = 0
    flops: int = 0
    trainings: int = 0

    def score(self, rows: Floats, seeds: Sequence[int]) -> float:
        """Mean accuracy on the validation images of trainings from these seeds."""
        self.count(rows, len(seeds))
        return float(accuracy(trained(rows, self.known, seeds), self.asked).mean())

    def count(self, rows: Floats, trainings: int, askings: int = 1) -> None:
        """Book trainings, each asked so many times."""
        tokens, flops = cost(rows, len(self.known.digits), askings * len(self.asked.digits))
        self.tokens, self.flops = self.tokens + trainings * tokens, self.flops + trainings * flops
        self.trainings += trainings


@dataclass(frozen=True)
class Allowance:
    """How much a round may try: so many trainings; where a control has to spend, until both amounts are spent."""

    trainings: int
    tokens: float | None = None
    flops: float | None = None

    def left(self, own: Own) -> bool:
        """Whether there is something left to spend."""
        if self.tokens is None and self.flops is None:
            return own.trainings < self.trainings
        return own.tokens < (self.tokens or 0.0) or own.flops < (self.flops or 0.0)

    def members(self, rows: Floats, own: Own) -> int:
        """Trainings of this shape that use up the allowance, at least two."""
        if self.tokens is None and self.flops is None:
            return max(2, self.trainings - own.trainings)
        tokens, flops = cost(rows, len(own.known.digits), SLICES * len(own.asked.digits))
        due = ((self.tokens or 0.0) - own.tokens) / tokens, ((self.flops or 0.0) - own.flops) / flops
        return max(2, int(np.ceil(max(due))))


@dataclass(frozen=True)
class Record:
    """The best that the loop has seen: a validation score, and the procedure and seed that gave it."""

    score: float
    rows: Floats
    seed: int


@dataclass(frozen=True)
class Tried:
    """What a round tried.

    Attributes:
        record: as it stands after the round.
        steps: (n, 4, 11) each try, as a difference from what it was an edit of.
        seeds: of each try.
        taken: (n,) whether it beat the record.
    """

    record: Record
    steps: list[Floats] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)

    def then(self, rows: Floats, seed: int, score: float) -> Tried:
        """One more try, which takes over the record where it beats it."""
        better = score > self.record.score
        record = Record(score, rows, seed) if better else self.record
        step = rows - self.record.rows
        return Tried(record, [*self.steps, step], [*self.seeds, seed], [*self.taken, better])


def climb(record: Record, edit: Edit, own: Own, allowance: Allowance, rng: Rng, *, again: bool = False) -> Tried:
    """A ratchet: edit what holds the record, train it once from a new seed, and take it where it beats the record.

    Args:
        again: an edit that beat the record is trained three times more, and so is what it was an edit of; it has to
            be better in the mean, which is then the record.
    """
    tried = Tried(record)
    while allowance.left(own):
        rows, seed = edit(tried.record.rows, rng), int(rng.integers(SEEDS))
        score = own.score(rows, [seed])
        if again and score > tried.record.score:
            score, tried = _repeated(tried, rows, own, rng)
        tried = tried.then(rows, seed, score)
    return tried


def _repeated(tried: Tried, rows: Floats, own: Own, rng: Rng) -> tuple[float, Tried]:
    """Mean scores of a try and of what holds the record, from the same new seeds."""
    seeds = [int(one) for one in rng.integers(SEEDS, size=AGAIN)]
    before, score = (own.score(one, seeds) for one in (tried.record.rows, rows))
    return score, Tried(Record(before, tried.record.rows, tried.record.seed), tried.steps, tried.seeds, tried.taken)


@dataclass(frozen=True)
class Member:
    """A member of a population.

    Attributes:
        networks: one network, as far as it is trained.
        seed: of its first weights and order; a copy takes it over, so that the winner can be trained again alone.
        offset: (11,) by which it departs from the parent's numbers now.
        used: rows that it has been trained with.
    """

    networks: Networks
    seed: int
    offset: Floats
    used: tuple[Floats, ...] = ()


def breed(record: Record, edit: Edit, own: Own, allowance: Allowance, rng: Rng) -> Tried:
    """A population in place of a chain: what it finds is a schedule, with numbers of its own for each quarter.

    Every member is a try; the best one takes the record where it beats it. Width and depth stay.
    """
    start = record.rows

    def advance(member: Member, part: int) -> Member:
        row = admissible(start[part] + member.offset)
        networks = further(member.networks, procedure(row), own.known, [member.seed], part)
        return Member(networks, member.seed, member.offset, (*member.used, row))

    def explore(member: Member, lots: Rng) -> Member:
        return Member(member.networks, member.seed, _offset(edit, start, member.offset, lots), member.used)

    count = allowance.members(start, own)
    members = []
    for place in range(count):
        seed, offset = int(rng.integers(SEEDS)), np.zeros(len(NAMES))
        members.append(Member(fresh(procedure(start[0]), [seed]), seed, offset))
        members[-1] = explore(members[-1], rng) if place else members[-1]
    own.count(start, count, SLICES)
    ended, scores = evolve(members, advance, lambda one: float(accuracy(one.networks, own.asked)[0]), explore, SLICES,
                           rng)  # fmt: skip
    best = int(np.argmax(scores))
    taken = [place == best and scores[best] > record.score for place in range(count)]
    rows: list[Floats] = [np.stack(one.used).round(6).astype(np.float64) for one in ended]
    after = Record(scores[best], rows[best], ended[best].seed) if any(taken) else record
    return Tried(after, [one - start for one in rows], [one.seed for one in ended], taken)


def _offset(edit: Edit, start: Floats, offset: Floats, rng: Rng) -> Floats:
    """One edit more; numbers of the architecture and what would leave a box stay."""
    moved = edit(admissible(start[:1] + offset), rng)[0] - start[0]
    return np.where(ARCHITECTURE, 0.0, moved)


def one_or_two(free: Bools) -> Edit:
    """Edits of one number or two, drawn from the free ones, by a normal step in the units of each."""
    places = np.flatnonzero(free)

    def edit(rows: Floats, rng: Rng) -> Floats:
        step = np.zeros(len(NAMES))
        chosen = rng.choice(places, size=min(len(places), int(rng.integers(1, 3))), replace=False)
        step[chosen] = STEP * rng.standard_normal(len(chosen)) * UNIT[chosen]
        return np.round(admissible(rows + step), 6)

    return edit


def anywhere(free: Bools) -> Edit:
    """Procedures drawn evenly from the boxes, the same in all quarters, wherever one stands; other numbers stay."""

    def edit(rows: Floats, rng: Rng) -> Floats:
        drawn = np.repeat((LOW + (HIGH - LOW) * rng.random(len(NAMES)))[None], SLICES, axis=0)
        return np.where(free, drawn, rows).round(6).astype(np.float64)

    return edit


def nothing(rows: Floats, rng: Rng) -> Floats:
    """The same procedure: only the seed of its training is another one."""
    return rows


def rate_alone(rows: Floats, rng: Rng) -> Floats:
    """Another rate, drawn evenly from its box on the logarithmic scale."""
    return anywhere(np.arange(len(NAMES)) == RATE)(rows, rng)
