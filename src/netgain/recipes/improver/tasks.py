"""Functions to be minimised: random rotated quadratics, and a family with many valleys that no round trains on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

MOST = 12  # dimensions; functions of fewer leave the other coordinates out
FEWEST = 4
STEPS = 120  # evaluations that a strategy gets for one function
CONDITION = 1.5  # log10 of the largest ratio of curvatures
DECADES = 4.0  # by which a value has to fall for a score of 1
QUADRATIC, VALLEYS, STEEP = "quadratic", "valleys", "steep"
STEEPER = {QUADRATIC: CONDITION, VALLEYS: 0.0, STEEP: 2 * CONDITION}
USED = np.tri(MOST + 1, MOST, -1)  # number of dimensions -> (12,) 1 for the used ones
SHARES = np.arange(MOST) / np.maximum(np.arange(MOST + 1) - 1, 1)[:, None]  # the same -> (12,) shares of the condition

ALONE = np.eye(MOST)


@dataclass(frozen=True)
class Batch:
    """Functions that are computed alike, with their starting points and the noise that a strategy draws on them.

    Attributes:
        family: `QUADRATIC` or `STEEP` (quadratic, worse conditioned), which are computed alike, or `VALLEYS`
            (Rastrigin's function, rotated).
        matrix: (t, 12, 12) what turns a point into the coordinates of `values`; zero outside a function's own ones.
        first: (t, 12) starting points.
        steps: (t, 12, 120) standard normal draws.
        lots: (t, 12, 120) uniform draws: which coordinates move.
    """

    family: str
    matrix: Floats
    first: Floats
    steps: Singles
    lots: Singles


def drawn(family: str, count: int, rng: np.random.Generator) -> Batch:
    """So many functions that nobody else draws."""
    sizes, raw = rng.integers(FEWEST, MOST + 1, size=count), rng.standard_normal((count, MOST, MOST))
    matrix = turned(sizes, STEEPER[family] * rng.random(count), raw)
    first = rng.standard_normal((count, MOST)) * USED[sizes]
    steps, lots = _noise((count, MOST, STEPS), rng)
    return Batch(family, matrix, first, steps, lots)


def turned(sizes: npt.NDArray[np.int64], condition: Floats, raw: Floats) -> Floats:
    """(t, 12, 12) rotations, times the roots of the curvatures.

    Args:
        sizes: (t,) dimensions.
        condition: (t,) log10 of the largest ratio of curvatures.
        raw: (t, 12, 12) standard normal draws, of which those of a function's own dimensions are used.
    """
    used = USED[sizes]
    own = used[:, :, None] * used[:, None]
    rotation, _ = np.linalg.qr(np.where(own, raw, ALONE))
    curved = 10.0 ** (0.5 * condition[:, None] * SHARES[sizes])
    return np.asarray(rotation * own * curved[:, None])


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Singles, Singles]:
    return rng.standard_normal(shape, dtype=np.float32), rng.random(shape, dtype=np.float32)


@lru_cache(maxsize=4096)
def place(family: str, seed: int) -> tuple[Floats, Floats, float]:
    """(12, 12) matrix of the function of a seed, its (12,) starting point and its value there: what a scorer needs."""
    size, condition, raw, first = _begun(family, _generator(seed))
    (matrix,), first = turned(np.array([size]), np.array([condition]), raw[None]), first * USED[size]
    return matrix, first, float(values(family, first.dot(matrix)))


@lru_cache(maxsize=64)
def batch(asked: tuple[tuple[str, int], ...]) -> Batch:
    """The functions of these families, which are computed alike, and seeds: the same in every process.

    What else is asked for changes none of them.
    """
    rngs = [_generator(seed) for _, seed in asked]
    begun = [_begun(family, rng) for (family, _), rng in zip(asked, rngs, strict=True)]
    sizes, conditions, raw, first = (np.array(part) for part in zip(*begun, strict=True))
    steps, lots = (np.stack(part) for part in zip(*(_noise((MOST, STEPS), rng) for rng in rngs), strict=True))
    return Batch(asked[0][0], turned(sizes, conditions, raw), first * USED[sizes], steps, lots)


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def _begun(family: str, rng: np.random.Generator) -> tuple[int, float, Floats, Floats]:
    """The first draws of a function of a seed: what `turned` takes, and the starting point."""
    size = int(rng.integers(FEWEST, MOST + 1))
    return size, STEEPER[family] * rng.random(), rng.standard_normal((MOST, MOST)), rng.standard_normal(MOST)


def values(family: str, turned: npt.NDArray[np.floating], out: npt.NDArray[np.floating] | None = None) -> Floats:
    """(n,) value at each of (12, n) turned points; the minimum is 0, at the origin.

    Rastrigin's function (1974): 10 d + sum of z_i^2 - 10 cos(2 pi z_i), on rotated coordinates z.

    Args:
        family: as in a `Batch`.
        turned: points times the function's matrix.
        out: written over, to save the memory.
    """
    terms = np.multiply(turned, turned, out=out)
    if family == VALLEYS:
        terms += 10.0 - 10.0 * np.cos(2 * math.pi * turned)
    summed: Floats = np.add.reduce(terms, axis=0)
    return summed


def score(family: str, seed: int, point: Sequence[float]) -> float:
    """How far a function's value has fallen from its starting point, in [0, 1]: 1 is four decades or more.

    A point that is no point of this space scores nothing; it is no error of the measuring.
    """
    (matrix, _, before), found = place(family, seed), np.asarray(point, dtype=np.float64)
    if found.shape != (MOST,) or not np.isfinite(found).all():
        return 0.0
    return fallen(before, float(values(family, found.dot(matrix))))


def fallen(before: float, after: float) -> float:
    """The share of `DECADES` by which a value fell."""
    if not after < before:
        return 0.0
    return min(1.0, (math.log10(before) - math.log10(max(after, 1e-300))) / DECADES)
