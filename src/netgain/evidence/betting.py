"""Betting e-processes on bounded paired differences: the evidence of one gate test.

Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting" (JRSS-B 2024), section 4, with
the bet rule of ``statistics.md`` 1.3. For a null ``E[D_t | past] <= m`` the capital

    W_t = W_{t-1} * (1 + lam_t * (D_t - m)),  W_0 = 1,  lam_t chosen before D_t,  0 <= lam_t <= 0.9 / (1 + m)

is a non-negative supermartingale under the null: ``D_t - m >= -(1 + m)``, so each factor is at least 0.1. A mixture
over fixed weights of such capitals is one as well, hence ``P(exists t: E_t >= 1/a) <= a`` (Ville) under any stopping.

Nothing here covers dependence inside a cluster of items: cluster first, one difference per cluster
(``statistics.md`` 2.4).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SCALES = (0.5, 1.0, 2.0, 4.0)
"""Multiples c of the growth-optimal design bet, mixed with equal weights: costs at most log 4 = 1.39 nats."""

GRID = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Fixed bets for a test without a planned effect; order-free, so an auditor needs only counts."""

PRIOR_ITEMS = 50.0
"""Weight, in items, of the planned second moment in the running one."""

BET_CAP = 0.9
"""A bet is at most ``BET_CAP / (1 + null)``: one item never costs more than nine tenths of the capital."""


def log_capital(
    differences: npt.ArrayLike,
    *,
    null: npt.ArrayLike,
    gain: npt.ArrayLike,
    planned_second_moment: npt.ArrayLike,
) -> FloatArray:
    """Return the path of log E of the design mixture against ``E[D | past] <= null``.

    The bet is ``lam_t = min(c * gain / s2_{t-1}, 0.9 / (1 + null))`` for c in ``SCALES``, with
    ``s2_t = (50 * planned_second_moment + sum of D^2 so far) / (50 + pairs so far)``. The path at item t depends on the
    first t items only, so recomputing on appended items repeats the earlier path: that is the incremental form.

    Args:
        differences: (n,) or (streams, n) paired differences in [-1, 1]; NaN is a missing pair: it moves neither the
            capital nor the running moment. Valid only when missingness does not depend on the difference.
        null: Largest mean under the null, in (-1, 1); scalar or (streams,).
        gain: Mean excess over ``null`` that the bet is tuned for, in (0, 2]; scalar or (streams,).
        planned_second_moment: Expected D^2 (the discordance rate for 0/1 scores), in (0, 1]; scalar or (streams,).

    Returns:
        Same shape as ``differences``: log E after each item, natural log.

    Raises:
        ValueError: A difference or a parameter is out of range.
    """
    d = checked_differences(differences)
    margin = _column(null, d, "null", low=-1.0, high=1.0)
    target = _column(gain, d, "gain", low=0.0, high=2.0, high_included=True)
    planned = _column(planned_second_moment, d, "planned_second_moment", low=0.0, high=1.0, high_included=True)
    growth_bet = target / _predictable_second_moment(d, planned)
    cap = BET_CAP / (1.0 + margin)
    return _log_mixture([_log_path(d, margin, np.minimum(c * growth_bet, cap)) for c in SCALES])


def log_capital_grid(differences: npt.ArrayLike, *, null: npt.ArrayLike, bets: Sequence[float] = GRID) -> FloatArray:
    """Return the path of log E of fixed bets mixed with equal weights; same arguments and shapes as ``log_capital``.

    Order-free: the last value depends on how often each difference occurred, not on when.

    Raises:
        ValueError: A bet is outside [0, 1 / (1 + null)), or a difference is out of range.
    """
    d = checked_differences(differences)
    margin = _column(null, d, "null", low=-1.0, high=1.0)
    largest = 1.0 + float(margin.max())
    for bet in bets:
        if not 0.0 <= bet * largest < 1.0:
            raise ValueError(
                f"bet {bet!r} is outside [0, 1 / (1 + null)) for null {null!r}: capital could turn negative"
            )
    if not bets:
        raise ValueError("bets is empty: give at least one fixed bet")
    return _log_mixture([_log_path(d, margin, np.full_like(d, bet)) for bet in bets])


def log_futility(
    differences: npt.ArrayLike, *, gain: npt.ArrayLike, planned_second_moment: npt.ArrayLike
) -> FloatArray:
    """Return the path of log E against "the gain is at least ``gain``"; at log(1/b) the candidate may be given up.

    It never raises false promotions and loses at most b of the power at a true gain of ``gain``
    (``statistics.md`` 1.4).
    """
    d = checked_differences(differences)
    return log_capital(-d, null=-np.asarray(gain, float), gain=gain, planned_second_moment=planned_second_moment)


def items_to_reach(log_path: FloatArray, log_threshold: float) -> FloatArray:
    """Return, per stream, the number of items after which log E first reached the threshold; inf where it never did.

    Args:
        log_path: (n,) or (streams, n) path of log E.
        log_threshold: Natural log of 1 / level.
    """
    reached = np.atleast_2d(log_path) >= log_threshold
    first = np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1.0, np.inf)
    return first.reshape(log_path.shape[:-1])


def checked_differences(differences: npt.ArrayLike) -> FloatArray:
    """Return the differences as floats, or raise naming the first value outside [-1, 1]; NaN is a missing pair."""
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim == 0:
        raise ValueError(f"differences must have shape (n,) or (streams, n), got the scalar {differences!r}")
    wrong = ~np.isnan(d) & ~(np.abs(d) <= 1.0)
    if wrong.any():
        position = tuple(int(i) for i in np.argwhere(wrong)[0])
        value = float(d[position])
        raise ValueError(f"difference {value!r} at {position} is outside [-1, 1]: scores must lie in [0, 1]")
    return d


def _column(
    value: npt.ArrayLike, d: FloatArray, name: str, *, low: float, high: float, high_included: bool = False
) -> FloatArray:
    """Return a parameter shaped to broadcast along the items of ``d``, or raise naming it."""
    parameter = np.asarray(value, dtype=np.float64)
    inside = (parameter > low) & ((parameter <= high) if high_included else (parameter < high))
    if not inside.all():
        raise ValueError(f"{name} {value!r} is outside ({low:g}, {high:g}{']' if high_included else ')'}")
    if parameter.ndim and parameter.shape != d.shape[:-1]:
        raise ValueError(f"{name} has shape {parameter.shape}, expected a scalar or one per stream {d.shape[:-1]}")
    return parameter[..., None]


def _predictable_second_moment(d: FloatArray, planned: FloatArray) -> FloatArray:
    """Return s2_{t-1}: what the items before t say about D^2, shrunk to the plan; (…, n), always above 0."""
    present = ~np.isnan(d)
    total = _sum_before(np.where(present, d, 0.0) ** 2)
    count = _sum_before(present.astype(np.float64))
    return np.asarray((PRIOR_ITEMS * planned + total) / (PRIOR_ITEMS + count))


def _sum_before(values: FloatArray) -> FloatArray:
    """Return the sum of all earlier values along the last axis; 0 for the first."""
    shifted = np.zeros_like(values)
    np.cumsum(values[..., :-1], axis=-1, out=shifted[..., 1:])
    return shifted


def _log_path(d: FloatArray, null: FloatArray, bets: FloatArray) -> FloatArray:
    """Return log W after each item for given predictable bets; a missing pair multiplies by 1."""
    return np.cumsum(np.log1p(np.where(np.isnan(d), 0.0, bets * (d - null))), axis=-1)


def _log_mixture(log_paths: Sequence[FloatArray]) -> FloatArray:
    """Return log of the equal-weight average of capitals."""
    top = log_paths[0]
    for path in log_paths[1:]:
        top = np.maximum(top, path)
    total = sum((np.exp(path - top) for path in log_paths), start=np.zeros_like(top))
    return np.asarray(top + np.log(total / len(log_paths)))
