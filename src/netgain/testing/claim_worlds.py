"""Simulated studies with known truth for the claim analysis: sealed scores of self and its controls, per start.

Public: an analysis of a third party can be run on the same studies. Every replica has its own sealed block, so item
noise is independent between starts; arms of one start answer independently (an upper bound of the paired noise).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from netgain.evidence.looks import Looks, default_looks, looks_of, words
from netgain.evidence.means import mean_words

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ClaimWorld:
    """A loop and its controls; levels are sealed scores in [0, 1].

    Attributes:
        level: True score of self in an ordinary start.
        controls: True score of each control.
        starve: Share of starts in which self ends at the best control's level (the loop never got going).
        jackpot: Share of starts in which self gains ``jackpot_gain`` over its level.
        jackpot_gain: Size of that gain.
        spread: Standard deviation between starts of every arm's own true score, arms independent.
        items: Size of a replica's sealed block; None for no item noise.
    """

    level: float
    controls: tuple[float, ...]
    starve: float = 0.0
    jackpot: float = 0.0
    jackpot_gain: float = 0.0
    spread: float = 0.0
    items: int | None = 500


GENUINE = ClaimWorld(level=0.75, controls=(0.20, 0.15, 0.10), spread=0.03)
"""A loop that gains .55 over its best control."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """A registered analysis as the table of characteristics names it: looks of the typical start, or starts of a mean.

    Exactly one of ``looks`` and ``mean`` is given; ``starts`` are drawn.
    """

    starts: int
    looks: Looks | None = None
    mean: int | None = None


@dataclass(frozen=True)
class Characteristics:
    """Shares of simulated studies by word, and the starts that they took on average."""

    supported: float
    refuted: float
    starts: float


def worlds() -> Mapping[str, tuple[ClaimWorld, float]]:
    """Name -> (world, claimed effect): genuine ones with starved starts, fakes, and the boundary of the claim."""
    starved = {f"gains .55, {share:.0%} starved": replace(GENUINE, starve=share) for share in (0.0, 0.05, 0.1, 0.2)}
    few = ClaimWorld(level=0.54, controls=(0.5, 0.48, 0.46), spread=0.015, items=2000)
    return {
        **{name: (world, 0.30) for name, world in starved.items()},
        "gains 4 points, one hump": (few, 0.01),
        "at the claimed effect": (boundary_world(0.30), 0.30),
        "compute only": (replace(GENUINE, controls=(0.75, 0.15, 0.10)), 0.30),
        "jackpot in 20%": (jackpot_world(), 0.10),
        "ruin in 10%, mean 0": (ruin_world(), 0.0),
    }


def jackpot_world() -> ClaimWorld:
    """Return a loop that gains .8 in a fifth of starts and nothing in the others."""
    return ClaimWorld(level=0.1, controls=(0.10, 0.05, 0.05), jackpot=0.2, jackpot_gain=0.8, spread=0.01)


def ruin_world() -> ClaimWorld:
    """Return a loop that gains .05 in nine starts of ten and loses .45 in the tenth: on average nothing."""
    return ClaimWorld(level=0.55, controls=(0.5,), jackpot=0.1, jackpot_gain=-0.5, spread=0.01)


def analyses() -> Mapping[str, Analysis]:
    """The analyses of the table, from 6 to 20 starts."""
    return {
        "typical start, 6": Analysis(starts=6, looks=looks_of((6,))),
        "typical start, 6 9 12": Analysis(starts=12, looks=default_looks()),
        "typical start, 10 15 20": Analysis(starts=20, looks=looks_of((10, 15, 20))),
        "share .8, 20": Analysis(starts=20, looks=looks_of((20,), share=0.8)),
        "open, up to 12": Analysis(starts=12, looks=looks_of("open")),
        "open, up to 20": Analysis(starts=20, looks=looks_of("open")),
        "mean, 10": Analysis(starts=10, mean=10),
        "mean, 12": Analysis(starts=12, mean=12),
        "mean, 20": Analysis(starts=20, mean=20),
    }


def characteristics(
    world: ClaimWorld, delta: float, analysis: Analysis, rng: np.random.Generator, *, studies: int
) -> Characteristics:
    """Return what an analysis says of so many simulated studies of a world."""
    drawn = draw_studies(world, rng, studies=studies, starts=analysis.starts)
    if analysis.looks is None:
        word = mean_words(drawn.own[:, None, :] - drawn.controls, delta=delta)
        return Characteristics(float((word == 1).mean()), float((word == -1).mean()), float(analysis.starts))
    above, taken = drawn.net_gains > delta, np.full(studies, analysis.starts)
    word = words(above, above, analysis.looks)
    for n in reversed([n for n in analysis.looks.sizes if n < analysis.starts]):
        taken = np.where(words(above[:, :n], above[:, :n], analysis.looks) != 0, n, taken)
    return Characteristics(float((word == 1).mean()), float((word == -1).mean()), float(taken.mean()))


@dataclass(frozen=True, eq=False)
class DrawnStudies:
    """Sealed scores: ``own`` (studies, starts), ``controls`` (studies, controls, starts), ``net_gains`` as ``own``."""

    own: FloatArray
    controls: FloatArray

    @property
    def net_gains(self) -> FloatArray:
        """Net gain of every start: the smallest distance to a control."""
        return np.asarray((self.own[:, None, :] - self.controls).min(axis=1))


def draw_studies(world: ClaimWorld, rng: np.random.Generator, *, studies: int, starts: int) -> DrawnStudies:
    """Return the sealed scores of ``studies`` independent studies of ``starts`` replicas each."""
    fate = rng.random((studies, starts))
    level = np.full((studies, starts), world.level)
    level[fate < world.starve] = max(world.controls)
    level[fate >= 1.0 - world.jackpot] += world.jackpot_gain
    own = _measured(level, world, rng)
    controls = np.broadcast_to(np.array(world.controls)[None, :, None], (studies, len(world.controls), starts))
    return DrawnStudies(own, _measured(controls, world, rng))


def true_net_gain(world: ClaimWorld, rng: np.random.Generator, *, starts: int = 10_000) -> float:
    """Return the median net gain over many starts without item noise: the truth that a claim is held against."""
    return float(np.median(draw_studies(replace(world, items=None), rng, studies=1, starts=starts).net_gains))


def boundary_world(delta: float, *, further: Sequence[float] = (0.1, 0.15)) -> ClaimWorld:
    """Return a loop whose net gain exceeds ``delta`` in exactly half of starts; the ``further`` controls never bind.

    Without item noise, whose ties at ``delta`` would count as no success.
    """
    return ClaimWorld(level=0.35 + delta, controls=(0.35, *further), spread=0.03, items=None)


def _measured(level: FloatArray, world: ClaimWorld, rng: np.random.Generator) -> FloatArray:
    """Return scores: between-start spread, then the items of the start's own block."""
    true = level + world.spread * rng.standard_normal(level.shape)
    if world.items is None:
        return np.asarray(true)
    return np.asarray(rng.binomial(world.items, np.clip(true, 0.0, 1.0)) / world.items)
