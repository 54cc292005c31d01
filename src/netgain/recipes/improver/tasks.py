"""Functions to be minimised: random rotated quadratics, and a family with many valleys that no round trains on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST = 12  # dimensions; functions of fewer leave the other coordinates out
FEWEST = 4
STEPS = 120  # evaluations that a strategy gets for one function
CONDITION = 1.5  # log10 of the largest ratio of curvatures
DECADES = 4.0  # by which a value has to fall for a score of 1
QUADRATIC, VALLEYS, STEEP = "quadratic", "valleys", "steep"
STEEPER = {QUADRATIC: CONDITION, VALLEYS: 0.0, STEEP: 2 * CONDITION}
USED = [(np.arange(MOST) < size).astype(np.float64) for size in range(MOST + 1)]  # number of dimensions -> used ones
EVEN = [np.linspace(0.0, 1.0, size) for size in range(MOST + 1)]  # number of dimensions -> shares of the condition


@dataclass(frozen=True)
class Task:
    """One function with its starting point and the noise that a strategy draws on it.

    Attributes:
        family: `QUADRATIC`, `STEEP` (quadratic, worse conditioned) or `VALLEYS` (Rastrigin's function, rotated).
        matrix: (12, 12) curvatures, or the rotation; zero outside the function's own coordinates.
        first: (12,) starting point.
        used: (12,) 1 for the function's own coordinates.
        steps: (120, 12) standard normal draws.
        lots: (120, 12) uniform draws: which coordinates move.
    """

    family: str
    matrix: Floats
    first: Floats
    used: Floats
    steps: Floats
    lots: Floats


@lru_cache(maxsize=4096)
def task(family: str, seed: int) -> Task:
    """The function of a seed: the same in every process."""
    rng = np.random.default_rng(seed)
    matrix, first, used = _drawn(family, rng)
    return Task(family, matrix, first, used, rng.standard_normal((STEPS, MOST)) * used, rng.random((STEPS, MOST)))


@lru_cache(maxsize=4096)
def place(family: str, seed: int) -> tuple[Floats, Floats, Floats]:
    """Matrix, starting point and used coordinates of the function of a seed: all that a scorer needs of a `Task`."""
    return _drawn(family, np.random.default_rng(seed))


def _drawn(family: str, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    size = int(rng.integers(FEWEST, MOST + 1))
    turned, _ = np.linalg.qr(rng.standard_normal((size, size)))
    curved = 10.0 ** (rng.uniform() * STEEPER[family] * EVEN[size])
    matrix = np.zeros((MOST, MOST))
    matrix[:size, :size] = turned if family == VALLEYS else (turned * curved) @ turned.T
    return matrix, rng.standard_normal(MOST) * USED[size], USED[size]


@dataclass(frozen=True)
class Batch:
    """Several functions that are computed alike, stacked: (t, 12, 12), (t, 12), (t, 12), (120, t, 12), (120, t, 12)."""

    family: str
    matrix: Floats
    first: Floats
    used: Floats
    steps: Floats
    lots: Floats


def batch(family: str, seeds: Iterable[int]) -> Batch:
    """The functions of these seeds."""
    return stacked([task(family, int(seed)) for seed in seeds])


def stacked(tasks: Sequence[Task]) -> Batch:
    """Functions that are computed alike: both kinds of quadratics, or those with many valleys."""
    return Batch(
        tasks[0].family, *(np.stack([getattr(one, name) for one in tasks]) for name in ("matrix", "first", "used")),
        *(np.stack([getattr(one, name) for one in tasks], axis=1) for name in ("steps", "lots")),
    )  # fmt: skip


def values(family: str, matrices: Floats, used: Floats, points: Floats) -> Floats:
    """(t, m) value of each function at each of its points; its minimum is 0, at the origin.

    Rastrigin's function (1974): 10 d + sum of z_i^2 - 10 cos(2 pi z_i), on rotated coordinates z.

    Args:
        matrices, used: (t, 12, 12) and (t, 12), of each function.
        points: (t, m, 12).
    """
    turned = points @ matrices
    if family != VALLEYS:
        return np.asarray(np.einsum("tmi,tmi->tm", turned, points))
    return np.asarray(((turned**2 + 10.0 - 10.0 * np.cos(2 * np.pi * turned)) * used[:, None]).sum(axis=-1))


def score(family: str, seed: int, point: Sequence[float]) -> float:
    """How far a function's value has fallen from its starting point, in [0, 1]: 1 is four decades or more.

    A point that is no point of this space scores nothing; it is no error of the measuring.
    """
    (matrix, first, used), found = place(family, seed), np.asarray(point, dtype=np.float64)
    if found.shape != (MOST,) or not np.isfinite(found).all():
        return 0.0
    pair = np.stack([first, found * used])
    ((before, after),) = values(family, matrix[None], used[None], pair[None]).tolist()
    return fallen(before, after)


def fallen(before: float, after: float) -> float:
    """The share of `DECADES` by which a value fell."""
    if not after < before:
        return 0.0
    return min(1.0, (math.log10(before) - math.log10(max(after, 1e-300))) / DECADES)
