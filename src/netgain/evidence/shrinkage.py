"""Estimates of several gains that were not chosen for being large: drawn towards their mean.

Each start's gain on the report items is measured with an error of its own; the largest of several measured gains is
too large on average even without a gate. James & Stein (1961), in the positive-part form of Efron & Morris (JASA 1975)
with the variances of the errors taken as known: the estimate of start i is

    mean + max(0, 1 - (R - 3) v / S) * (x_i - mean),    S = sum (x_i - mean)^2

which for R >= 4 equal error variances v has a smaller total squared error than the x_i, whatever the truth is. With
unequal errors v is their mean, and the guarantee is approximate.
"""

from collections.abc import Sequence

import numpy as np


def shrunk(values: Sequence[float], variances: Sequence[float]) -> list[float]:
    """Return the estimates, drawn towards their mean; three or fewer values come back as they are.

    Args:
        values: (R,) measured gains.
        variances: (R,) of their errors, squared score units, each at least 0.

    Raises:
        ValueError: different lengths, or a negative variance.
    """
    x, v = np.asarray(values, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if x.shape != v.shape or x.ndim != 1 or not (np.isfinite(x).all() and (v >= 0.0).all()):
        raise ValueError(f"{x.size} values, {v.size} variances: expected as many of both, finite, variances from 0")
    spread = float(((x - x.mean()) ** 2).sum()) if x.size else 0.0
    if x.size <= 3 or spread == 0.0:
        return [float(one) for one in x]
    keep = max(0.0, 1.0 - (x.size - 3) * float(v.mean()) / spread)
    return [float(one) for one in x.mean() + keep * (x - x.mean())]
