"""What is wanted, what a few labels say about it, and how far best-of-n climbs either; all vectorised.

Candidates are points in ten dimensions. What is wanted (gold) is a linear taste less a penalty for extreme coordinates.
A proxy is fitted by ridge regression to noisy labels of candidates near the origin. The curve of gold over the pressure
on a proxy, and KL = ln n - (n - 1) / n of best-of-n, are those of Gao, Schulman and Hilton 2022 (arXiv 2210.10760).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

DIMENSIONS = 10
COMFORT = 1.0  # coordinates beyond it are extreme
PENALTY = 1.0  # per squared unit beyond it
NOISE = 0.5  # of a label
RIDGE = 1.0
SIZES = (1, 4, 16, 64, 256, 1024, 4096, 16384)  # values of n


@dataclass(frozen=True)
class Gold:
    """What is wanted of a candidate: taste . x - PENALTY * sum max(|x_i| - COMFORT, 0)^2.

    Attributes:
        taste: (10,) of length 1.
    """

    taste: Floats

    @classmethod
    def drawn(cls, rng: Rng) -> Gold:
        """A taste in a random direction."""
        taste = rng.standard_normal(DIMENSIONS)
        return cls(taste / np.linalg.norm(taste))

    def __call__(self, candidates: Floats) -> Floats:
        """(..., 10) candidates to (...) values."""
        beyond = np.maximum(np.abs(candidates) - COMFORT, 0.0)
        return np.asarray(candidates @ self.taste - PENALTY * (beyond**2).sum(axis=-1))


def features(candidates: Floats) -> Floats:
    """Raw, absolute and squared coordinates, (..., 30)."""
    return np.concatenate([candidates, np.abs(candidates), candidates**2], axis=-1)


def fit_proxy(candidates: Floats, labels: Floats) -> Floats:
    """Ridge regression on features and a constant: (n, 10) and (n,) to (31,) weights; the constant is not shrunk."""
    table = np.hstack([features(candidates), np.ones((len(candidates), 1))])
    shrink = RIDGE * np.eye(table.shape[1])
    shrink[-1, -1] = 0.0
    return np.asarray(np.linalg.solve(table.T @ table + shrink, table.T @ labels))


def proxy_score(weights: Floats, candidates: Floats) -> Floats:
    """What a proxy (31,) says of candidates (..., 10)."""
    return np.asarray(features(candidates) @ weights[:-1] + weights[-1])


def labelled(gold: Gold, count: int, rng: Rng) -> tuple[Floats, Floats]:
    """Standard normal candidates and their noisy labels."""
    candidates = rng.standard_normal((count, DIMENSIONS))
    return candidates, gold(candidates) + NOISE * rng.standard_normal(count)


def best_of_n_kl(n: int) -> float:
    """KL divergence of best-of-n from the base policy, in nats: ln n - (n - 1) / n."""
    return float(np.log(n) - (n - 1) / n)


def best_of_n(chosen_by: Floats, values: Floats, sizes: tuple[int, ...]) -> Floats:
    """Expected value of the best of n candidates by a score, exact over a finite population drawn with replacement.

    With candidates sorted by score, the best of n has rank i (of M) with probability (i/M)^n - ((i-1)/M)^n.

    Args:
        chosen_by: (M,) scores that choose.
        values: (M,) what is looked at.
        sizes: values of n.

    Returns:
        (len(sizes),) means.
    """
    ordered = values[np.argsort(chosen_by, kind="stable")]
    ranks = np.arange(len(ordered) + 1) / len(ordered)
    return np.array([float(np.diff(ranks**n) @ ordered) for n in sizes])


def best_of_n_curve(
    labels: int, rng: Rng, *, sizes: tuple[int, ...] = SIZES, population: int = 100_000
) -> tuple[Floats, Floats]:
    """Gold and proxy of the best of n by a proxy from so many labels, each (len(sizes),)."""
    gold = Gold.drawn(rng)
    weights = fit_proxy(*labelled(gold, labels, rng))
    candidates = rng.standard_normal((population, DIMENSIONS))
    chosen = proxy_score(weights, candidates)
    return best_of_n(chosen, gold(candidates), sizes), best_of_n(chosen, chosen, sizes)
