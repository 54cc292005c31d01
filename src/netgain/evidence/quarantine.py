"""A gain computed again without the items that were found where they must not be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError


@dataclass(frozen=True)
class Recomputed:
    """A mean paired difference with and without the quarantined items.

    Attributes:
        before, after: None where no item has a score: not known, and not 0.
        items, kept: how many scored items each rests on.
        quarantined: ids of the scored items that were left out, sorted.
        unknown: affected ids that no score belongs to, sorted: a wrong list of ids is seen by them.
        reason: why there is no `after`.
    """

    before: float | None
    after: float | None
    items: int
    kept: int
    quarantined: tuple[str, ...]
    unknown: tuple[str, ...]
    reason: str = ""


def recomputed(differences: npt.ArrayLike, ids: Sequence[str], affected: Collection[str]) -> Recomputed:
    """Return a mean gain with and without the affected items.

    Args:
        differences: (n,) score of the one minus score of the other system, per item; NaN where there is none.
        ids: (n,) the id of the item of each; one may occur in several draws.
        affected: ids to leave out (`Scan.affected`).

    Raises:
        ConfigError: as many ids as differences are needed.
    """
    scores = np.asarray(differences, np.float64)
    if scores.shape != (len(ids),):
        raise ConfigError(f"{scores.size} differences for {len(ids)} ids", fix="give one id for each difference")
    scored, out = ~np.isnan(scores), np.isin(np.array(ids, np.str_), np.array(sorted(affected), np.str_))
    kept = scored & ~out
    gone = tuple(sorted({ids[place] for place in np.flatnonzero(scored & out).tolist()}))
    reason = "" if kept.any() else "no scored item is left"
    return Recomputed(_mean(scores[scored]), _mean(scores[kept]), int(scored.sum()), int(kept.sum()), gone,
                      tuple(sorted(set(affected) - set(ids))), reason)  # fmt: skip


def _mean(scores: npt.NDArray[np.float64]) -> float | None:
    return float(scores.mean()) if len(scores) else None
