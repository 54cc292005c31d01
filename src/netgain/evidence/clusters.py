"""Items that belong together bet once: the mean difference of a cluster takes the place of its items'.

Answers to questions about one passage, repository or template rise and fall together. Betting on each of them as if it
were new evidence breaks the level (``statistics.md`` 2.4: .148 instead of .05); one bet per cluster keeps it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from netgain.evidence.betting import FloatArray


def cluster_starts(labels: Sequence[str], *, ended: bool) -> npt.NDArray[np.intp]:
    """Return where the clusters that can bet begin, and where the last of them ends; (clusters + 1,).

    Items of a cluster stand together. While further items may come, the last cluster may not be whole yet: it waits.

    Raises:
        ValueError: a label that comes back after another one.
    """
    marks = np.array([i for i, one in enumerate(labels) if i == 0 or one != labels[i - 1]], dtype=np.intp)
    first = [labels[i] for i in marks]
    if len(set(first)) < len(first):
        twice = next(one for one in first if first.count(one) > 1)
        raise ValueError(f"cluster {twice!r} comes back after another one: items of a cluster have to stand together")
    return np.append(marks, len(labels)).astype(np.intp) if ended else marks


def cluster_means(differences: FloatArray, starts: npt.NDArray[np.intp]) -> FloatArray:
    """Return the mean over the pairs that are there, per cluster; NaN for a cluster that has none.

    Args:
        differences: (n,) or (streams, n) paired differences, NaN where a pair is missing.
        starts: (clusters + 1,) of ``cluster_starts``.
    """
    if starts.size < 2:
        return np.full((*differences.shape[:-1], 0), np.nan)
    d = differences[..., : starts[-1]]
    there = ~np.isnan(d)
    total = np.add.reduceat(np.where(there, d, 0.0), starts[:-1], axis=-1)
    count = np.add.reduceat(there.astype(np.float64), starts[:-1], axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
