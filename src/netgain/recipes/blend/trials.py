"""Trials of `blend`: policies and learning rates tried on own questions, judged by the system's own check alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from netgain.recipes.blend.sizes import CHECK, FACTORS, FASTEST, POLICIES, SLOWEST, TASK, WORTH
from netgain.recipes.blend.system import answers
from netgain.recipes.length import ask, tasks, train
from netgain.recipes.length.model import Weights, Work
from netgain.recipes.length.sizes import Size
from netgain.recipes.length.tasks import Pairs


@dataclass(frozen=True)
class Trial:
    """What was tried, the share of own answers that passed under each, which one was taken, and the work."""

    shares: tuple[float, ...]
    taken: int
    work: Work


def policies(weights: Weights, length: int, count: int, rng: np.random.Generator) -> Trial:
    """Try every policy on the same own questions; more tries are taken only where clearly more passes."""
    asked = tasks.questions(TASK, length, count, rng)
    shares, work = [], Work()
    for tries, pick in POLICIES:
        share, spent = passing(weights, weights, tries, pick, asked, rng)
        shares.append(share)
        work += spent
    return Trial(tuple(shares), cheapest(shares), work)


def cheapest(shares: Sequence[float]) -> int:
    """The policy to take: the one that passes most, where it passes more by `WORTH` than every one with fewer tries."""
    taken = 0
    for at, share in enumerate(shares):
        if share >= shares[taken] + (WORTH if POLICIES[at][0] > POLICIES[taken][0] else 0.0) + 1e-9:
            taken = at
    return taken


def rates_beside(rate: float) -> tuple[float, ...]:
    """The rate in use, then its neighbours within bounds, each once."""
    return tuple(dict.fromkeys(min(FASTEST, max(SLOWEST, rate * one)) for one in FACTORS))


def rates(
    weights: Weights, judge: Weights, size: Size, rate: float, sets: Sequence[Pairs], length: int, steps: int,
    count: int, rng: np.random.Generator,
) -> Trial:  # fmt: skip
    """Train a few steps at each rate beside the one in use, on the same strings, and ask the same own questions.

    Args:
        weights: that are trained; left as they are.
        judge: weights whose check decides what passes.
        sets: own sets of earlier rounds, the newest last.
        length: of the questions.
        steps, count: of one trial, and its questions.
    """
    asked, seed = tasks.questions(TASK, length, count, rng), int(rng.integers(1 << 60))
    newest, older = (sets[-1], sets[:-1]) if sets else (None, ())
    shares, work = [], Work()
    for one in rates_beside(rate):
        same = np.random.default_rng(seed)
        trained = train.train_round(weights, TASK, at_rate(size, one), same, newest, older, steps)
        share, spent = passing(judge, trained.weights, 1, "first", asked, same)
        shares.append(share)
        work += trained.work + spent
    return Trial(tuple(shares), int(np.argmax(shares)), work)


def at_rate(size: Size, rate: float) -> Size:
    """The size with another peak learning rate of a round."""
    return replace(size, round=replace(size.round, peak=rate))


def passing(
    judge: Weights, weights: Weights, tries: int, pick: str, asked: list[str], rng: np.random.Generator
) -> tuple[float, Work]:
    """Share of the answers under a policy that pass the judge's check, and the work of answering and checking."""
    given = answers(weights, tries, pick, asked, rng)
    passed, spent = ask.passes(CHECK, judge, TASK, Pairs(tuple(asked), given.texts))
    return float(passed.mean()), given.work + spent
