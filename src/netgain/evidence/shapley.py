"""Exact Shapley values of up to five players, start by start: what is shared is score, and the shares sum to it.

Two uses, never mixed (``method.md`` 1.6): surfaces, from runs that were told which are closed, say which changes were
needed; parts of a system, from mixtures of first and final ones, say where the gain ended up.
"""

from collections.abc import Iterable, Sequence
from math import factorial

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
MOST_PLAYERS = 5


def mask_of(subset: Iterable[str], players: Sequence[str]) -> int:
    """Return the column of a subset: bit i stands for ``players[i]``."""
    return sum(1 << players.index(name) for name in set(subset))


def subset_of(mask: int, players: Sequence[str]) -> tuple[str, ...]:
    """Return the players of a column, in their order; the inverse of `mask_of`."""
    return tuple(name for place, name in enumerate(players) if mask >> place & 1)


def shapley(values: npt.ArrayLike) -> FloatArray:
    """Return (R, n) Shapley values of each start.

    phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S)); Shapley (1953), eq. 13.

    Args:
        values: (R, 2**n) score of each start for every subset, in the order of `mask_of`, n from 1 to 5. NaN is a
            subset without a score; its start has no shares at all, since all subsets enter every share.

    Raises:
        ValueError: another shape.
    """
    scores = np.asarray(values, dtype=np.float64)
    players = (scores.shape[1]).bit_length() - 1 if scores.ndim == 2 else 0
    if not 1 <= players <= MOST_PLAYERS or scores.shape[1] != 1 << players:
        raise ValueError(f"subset scores of shape {scores.shape}: expected (starts, 2**n) with n from 1 to 5")
    shares = scores @ _weights(players)
    shares[np.isnan(scores).any(axis=1)] = np.nan
    return np.asarray(shares)


def _weights(players: int) -> FloatArray:
    """Return (2**n, n): how much the score of each subset counts for each player."""
    weights = np.zeros((1 << players, players))
    for mask in range(1 << players):
        size = mask.bit_count()
        for player in range(players):
            inside = mask >> player & 1
            others = size - inside  # of the subset that the player joins
            each = factorial(others) * factorial(players - others - 1) / factorial(players)
            weights[mask, player] = each if inside else -each
    return weights
