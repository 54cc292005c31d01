"""Diversity of what a loop makes: distinct contexts, mass in the tail, entropy of its outputs.

A loop that learns from its own output loses rare things first, long before a mean score moves (model collapse, Nature
2024; ``loops.md`` loop G). Record: `{"contexts": n, "tail": share, "entropy": nats}` or any part of it, made by
`diversity` from samples of equal size in every round: all three numbers grow with the sample. As `first` it may hold
the same of generation 0's sample of that size.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from netgain.monitors.signal import Action, Monitor, Point, Reading
from netgain.monitors.trend import factor, since_first

RARE = 0.1
"""The tail is made of the contexts that hold the last tenth of generation 0's mass."""


def diversity(tokens: npt.ArrayLike, tail: set[tuple[int, ...]], *, order: int = 3) -> dict[str, float]:
    """Return the three numbers of one round's output.

    Args:
        tokens: (samples, length) or (length,) whole numbers; contexts do not run over the end of a sample.
        tail: contexts of the tail, from `tail_of` on generation 0's output.
        order: tokens in a context.

    Returns:
        `contexts`, distinct contexts; `tail`, the share of context positions in ``tail``; `entropy` of the contexts in
        nats, as counted (it is too low by about distinct / (2 positions): equal samples only).
    """
    seen, counts = _contexts(tokens, order)
    share = counts / counts.sum()
    inside = np.array([tuple(context) in tail for context in seen.tolist()], dtype=bool)
    return {
        "contexts": len(seen),
        "tail": float(share[inside].sum()),
        "entropy": float(-(share * np.log(share)).sum()),
    }


def tail_of(tokens: npt.ArrayLike, *, order: int = 3, rare: float = RARE) -> set[tuple[int, ...]]:
    """Return generation 0's rarest contexts: as many as hold at most a share ``rare`` of its positions."""
    seen, counts = _contexts(tokens, order)
    rarest = np.argsort(counts, kind="stable")
    inside = rarest[np.cumsum(counts[rarest]) <= rare * counts.sum()]
    return {tuple(context) for context in seen[inside].tolist()}


def fewer(
    *,
    reads: str = "diversity",
    threshold: float = 0.8,
    of: str = "contexts",
    level: float | None = 0.05,
    action: Action = "pause",
) -> Monitor:
    """Alarm when ``of`` ("contexts", "tail" or "entropy") is below ``threshold`` times its first value, and falling.

    Proven by the trend of all rounds: chance of any alarm at most ``level`` while rounds are exchangeable. ``level``
    None asks for no proof, and there is no error rate.
    """
    said: float | str = "none: one round below the threshold is an alarm" if level is None else level

    def measure(points: Sequence[Point]) -> Reading:
        return since_first(points, lambda a, b: factor(a[of], b[of]), falling=True, level=level)

    return Monitor("diversity", reads, threshold, "below", action, said, measure, {"of": of, "level": level})


def _contexts(tokens: npt.ArrayLike, order: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the distinct contexts (n, order) and how often each occurs (n,)."""
    rows = np.atleast_2d(np.asarray(tokens, dtype=np.int64))
    if order < 1 or rows.shape[-1] < order:
        raise ValueError(f"samples of {rows.shape[-1]} tokens have no context of order {order!r}")
    windows = np.lib.stride_tricks.sliding_window_view(rows, order, axis=-1).reshape(-1, order)
    seen, counts = np.unique(windows, axis=0, return_counts=True)
    return seen, counts
