"""Items and answers: each item has a latent difficulty that all systems share, each answer some noise of its own.

An item has difficulty u ~ U(0, 1). A system of ability p answers it by u < p with probability `AGREEMENT`, else by a
draw of its own: it is right on a share p of items, and two systems of abilities p and q differ on a share of about
(1 - AGREEMENT^2) (p (1 - q) + q (1 - p)) + AGREEMENT^2 |p - q|.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

AGREEMENT = 0.85
FLOOR, CEILING = 0.01, 0.99


def difficulties(rng: np.random.Generator, starts: int, items: int, cluster: int = 1) -> Singles:
    """(starts, items) latent difficulties; the items of a cluster share theirs."""
    return _in_clusters(rng, starts, items, cluster)


def luck(rng: np.random.Generator, starts: int, items: int, cluster: int = 1) -> Singles:
    """(starts, items) the answer noise of one system."""
    return _in_clusters(rng, starts, items, cluster)


def _in_clusters(rng: np.random.Generator, starts: int, items: int, cluster: int) -> Singles:
    drawn = rng.random((starts, -(-items // cluster)), dtype=np.float32)
    return drawn if cluster == 1 else np.repeat(drawn, cluster, axis=1)[:, :items]


def right(ability: npt.ArrayLike, hard: Singles, noise: Singles) -> Bools:
    """(starts, items) whether systems of `ability` (starts,) answer right."""
    level = np.clip(np.asarray(ability, dtype=np.float32), FLOOR, CEILING)[:, None]
    own = (noise - np.float32(AGREEMENT)) / np.float32(1.0 - AGREEMENT)
    return np.asarray(np.where(noise < AGREEMENT, hard, own) < level)


def true_score(ability: npt.ArrayLike) -> Floats:
    """The share of all items that systems of `ability` answer right: their score without item noise."""
    return np.clip(np.asarray(ability, dtype=np.float64), FLOOR, CEILING)
