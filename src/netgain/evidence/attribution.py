"""Where a gain came from, in plain numbers per start: parts, the two-by-two, the loop's own check, inflation.

Nothing here decides a verdict. Whatever is a mean over starts comes with the t interval of `student.mean_interval`:
shares and steps sum in their means, which medians would not do.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.shapley import shapley

FloatArray = npt.NDArray[np.float64]
HALF = 0.5  # added to right and wrong answers before the logit, so that none and all have one


@dataclass(frozen=True)
class Recombination:
    """What each part of a system contributes, from all mixtures of first and final parts.

    Attributes:
        total: (R,) final system minus first.
        shares: (R, k) exact Shapley value of each part; each row sums to ``total``.
        alone: (R, k) one final part among first ones, minus the first system: "final weights in the first scaffold".
        missed: (R, k) the final system, minus itself with one first part put back.
    """

    total: FloatArray
    shares: FloatArray
    alone: FloatArray
    missed: FloatArray


def recombination(scores: npt.ArrayLike) -> Recombination:
    """Return the contributions of k parts.

    Args:
        scores: (R, 2**k) scores of the mixtures of each start; bit i of the column: part i is the final one.

    Raises:
        ValueError: another shape.
    """
    values = np.asarray(scores, dtype=np.float64)
    shares = shapley(values)
    ones = [1 << place for place in range(shares.shape[1])]
    full = values.shape[1] - 1
    first, final = values[:, :1], values[:, full:]
    return Recombination(
        total=(final - first)[:, 0],
        shares=shares,
        alone=values[:, ones] - first,
        missed=final - values[:, [full - one for one in ones]],
    )


@dataclass(frozen=True)
class Complementarity:
    """Y11 - Y10 - Y01 + Y00 of each start, on two scales. It changes sign under rescaling and decides nothing.

    Attributes:
        score: (R,) in points of the score.
        logit: (R,) in log odds.
    """

    score: FloatArray
    logit: FloatArray

    @property
    def depends_on_scale(self) -> bool | None:
        """Return whether the means have opposite signs; None where either is not known."""
        both = np.isfinite(self.score) & np.isfinite(self.logit)
        if not both.any():
            return None
        return bool(self.score[both].mean() * self.logit[both].mean() < 0)


def complementarity(cells: npt.ArrayLike, items: npt.ArrayLike) -> Complementarity:
    """Return what changed parent and changed improver do together beyond what each does by itself.

    Args:
        cells: (R, 4) scores in [0, 1] of self, stacked, improver_only, flat: Y11, Y10, Y01, Y00.
        items: (R, 4) items that each score is a mean of.

    Raises:
        ValueError: another shape.
    """
    y, n = np.asarray(cells, dtype=np.float64), np.asarray(items, dtype=np.float64)
    if y.ndim != 2 or y.shape[1] != 4 or n.shape != y.shape:
        raise ValueError(f"cells of shape {y.shape}, items of shape {n.shape}: expected (starts, 4) for both")
    signs = np.array([1.0, -1.0, -1.0, 1.0])
    logits = np.log((y * n + HALF) / ((1.0 - y) * n + HALF))
    return Complementarity(y @ signs, logits @ signs)


@dataclass(frozen=True)
class Gap:
    """Generator-verifier gap of the loop's own check on its own answers (after Song et al. 2025), by start and round.

    Attributes:
        gap: (R, T) share of right answers among those that the check passed, minus that among all.
        relative: (R, T) the same over the head-room 1 - share of right answers; NaN where there is none.
        auroc: (R, T) area under the curve of a check that says yes or no, over the answers of a round: the chance that
            a right answer is passed and a wrong one not, ties half (Mann & Whitney 1947), which for two values is
            (share of right ones passed + share of wrong ones not passed) / 2. NaN where all are right or all wrong.
    """

    gap: FloatArray
    relative: FloatArray
    auroc: FloatArray


def verifier_gap(right: npt.ArrayLike, of: npt.ArrayLike, passed_right: npt.ArrayLike, passed: npt.ArrayLike) -> Gap:
    """Return the gap from counts, each (R, T); NaN where nothing was answered, nothing passed, or a count is missing.

    Answers of one question hang together, and answers of one start do: intervals go over starts, which holds every
    question inside one cluster.
    """
    counts = [np.asarray(one, dtype=np.float64) for one in (right, of, passed_right, passed)]
    all_right, answers, kept_right, kept = counts
    with np.errstate(divide="ignore", invalid="ignore"):
        before = np.where(answers > 0, all_right / answers, np.nan)
        after = np.where(kept > 0, kept_right / kept, np.nan)
        gap = after - before
        caught = 1.0 - (kept - kept_right) / (answers - all_right)
        auroc = np.where((all_right > 0) & (all_right < answers), (kept_right / all_right + caught) / 2.0, np.nan)
        return Gap(gap, np.where(before < 1.0, gap / (1.0 - before), np.nan), auroc)
