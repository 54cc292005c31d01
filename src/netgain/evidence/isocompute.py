"""Gain over a control at the loop's own cost, from the control's scores at three or more budgets."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FEWEST_BUDGETS = 3
ROUNDING = 1e-9  # of spends that were added up in another order


@dataclass(frozen=True)
class AtCost:
    """Score of a control at one cost; None with the reason where it was not measured around it."""

    score: float | None
    reason: str = ""


def score_at(costs: npt.ArrayLike, scores: npt.ArrayLike, cost: float) -> AtCost:
    """Return S_a(cost), interpolated in straight lines between the budgets at which a control was measured.

    Nothing is said beyond the smallest or largest budget, and nothing with fewer than three: a line through two points
    always fits (``statistics.md`` 3, compute-matched gain).

    Args:
        costs: (k,) spend of the control, any unit, in any order; of equal ones the last is taken.
        scores: (k,) its scores there; NaN is left out.
        cost: spend of the loop in the same unit.
    """
    points = dict(zip(np.asarray(costs, dtype=np.float64), np.asarray(scores, dtype=np.float64), strict=True))
    there = sorted((float(at), float(score)) for at, score in points.items() if np.isfinite(at) and np.isfinite(score))
    if len(there) < FEWEST_BUDGETS:
        return AtCost(None, f"{len(there)} budgets with a score, expected at least {FEWEST_BUDGETS}")
    at, score = (np.array(column) for column in zip(*there, strict=True))
    slack = ROUNDING * abs(at[-1])
    if not at[0] - slack <= cost <= at[-1] + slack:
        return AtCost(None, f"the loop's cost {cost:.4g} is outside the measured {at[0]:.4g} to {at[-1]:.4g}")
    return AtCost(float(np.interp(cost, at, score)))
