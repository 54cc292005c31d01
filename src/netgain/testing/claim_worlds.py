"""Simulated studies with known truth for the claim analysis: sealed scores of self and its controls, per start.

Public: an analysis of a third party can be run on the same studies. Every replica has its own sealed block, so item
noise is independent between starts; arms of one start answer independently (an upper bound of the paired noise).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

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
