"""Error ledgers: how the error budget of a whole run is shared out over its confirmations.

    uniform    a_k = a / K for K declared confirmations                  P(any false promotion in the run) <= a
    spending   a_k = a * g_k, open-ended                                 P(any false promotion in the run) <= a
    e-lond     a_k = a * g_k * (promotions before k + 1), open-ended     FDR <= a: of what was promoted, the expected
               (Xu & Ramdas, AISTATS 2024)                               share that is no gain

with g_k = 1 / (C k log^2(k+1)), whose sum is at most 1. The first two are a union bound (``statistics.md`` 1.4); e-LOND
holds under any dependence, for e-values stopped at any time. Spend per confirmation, not per proposal: screening on dev
items costs nothing. Each confirmation needs items drawn after its candidate is frozen.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

ErrorLedger = Literal["uniform", "spending", "e-lond"]

OPEN_SERIES_BOUND = 3.38774
"""Upper bound of the sum over j >= 1 of 1 / (j log^2(j+1)).

The first J = 10^6 terms are added; the rest is at most (1 + 1/J) / log J, because with i = j + 1 > J
1/(j log^2(j+1)) <= (1 + 1/J) / (i log^2 i) and the sum over i > J of 1/(i log^2 i) is at most the integral from J of
dx/(x log^2 x) = 1/log J. A test recomputes it.
"""


def open_weight(k: int) -> float:
    """Return g_k = 1 / (OPEN_SERIES_BOUND * k * log^2(k + 1)), k from 1; the sum over all k is at most 1."""
    if k < 1:
        raise ValueError(f"confirmation {k!r} must be counted from 1")
    return 1.0 / (OPEN_SERIES_BOUND * k * math.log(k + 1) ** 2)


@dataclass(frozen=True)
class Spending:
    """An error budget ``total`` in (0, 1) and how confirmations draw on it.

    ``confirmations``: how many are declared; None for an open-ended run.
    ``ledger``: None means uniform where a number is declared, else spending.
    """

    total: float
    confirmations: int | None = None
    ledger: ErrorLedger | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.total < 1.0:
            raise ValueError(f"level {self.total!r} is outside (0, 1)")
        if self.confirmations is not None and self.confirmations < 1:
            raise ValueError(f"confirmations {self.confirmations!r} must be at least 1, or None for an open-ended run")
        if self.ledger is not None and self.ledger not in get_args(ErrorLedger):
            raise ValueError(f"ledger {self.ledger!r} is none of {get_args(ErrorLedger)!r}")
        if self.ledger == "uniform" and self.confirmations is None:
            raise ValueError("ledger 'uniform' needs declared confirmations: declare them, or take 'spending'")

    @property
    def kind(self) -> ErrorLedger:
        """The ledger that applies."""
        return self.ledger or ("spending" if self.confirmations is None else "uniform")

    def level(self, k: int, promoted: int = 0) -> float:
        """Return the level of confirmation ``k`` (counted from 1).

        Args:
            k: number of this confirmation.
            promoted: promotions among the confirmations before; only e-LOND makes use of them.

        Raises:
            ValueError: ``k`` is below 1 or beyond the declared number (nothing is left to spend), or more promotions
                than confirmations before.
        """
        if not 0 <= promoted <= max(0, k - 1):
            raise ValueError(f"{promoted!r} promotions before confirmation {k!r}: expected 0 to {max(0, k - 1)}")
        weight = open_weight(k)
        if self.confirmations is not None and k > self.confirmations:
            raise ValueError(f"confirmation {k} is beyond the {self.confirmations} declared: the error budget is spent")
        if self.kind == "uniform":
            return self.total / (self.confirmations or 1)
        return self.total * weight * ((promoted + 1) if self.kind == "e-lond" else 1)

    def spent(self, k: int) -> float:
        """Return the sum of the levels of confirmations 1 to ``k`` without a promotion; at most ``total``."""
        return math.fsum(self.level(j) for j in range(1, k + 1))


def e_lond(log_e: npt.ArrayLike, level: float) -> npt.NDArray[np.bool_]:
    """Return which of a sequence of hypotheses e-LOND rejects: log E_k >= log(1 / a_k), in order; FDR <= level.

    Args:
        log_e: (n,) natural logs of e-values, each valid given the past; at a stopping time each.
        level: of the false discovery rate, in (0, 1).
    """
    budget = Spending(level, None, "e-lond")
    rejected: list[bool] = []
    for k, one in enumerate(np.asarray(log_e, dtype=np.float64).tolist(), start=1):
        rejected.append(one >= -math.log(budget.level(k, sum(rejected))))
    return np.array(rejected, dtype=np.bool_)


def e_bh(log_e: npt.ArrayLike, level: float) -> npt.NDArray[np.bool_]:
    """Return which of a batch of hypotheses e-BH rejects; FDR <= level under any dependence.

    Wang & Ramdas, JRSS-B 2022: the k largest, for the largest k whose k-th largest e-value is at least n / (k level).

    Args:
        log_e: (n,) natural logs of e-values of one batch of candidates, stopped at any time.
        level: of the false discovery rate, in (0, 1).
    """
    logs = np.asarray(log_e, dtype=np.float64)
    if logs.ndim != 1 or np.isnan(logs).any():
        raise ValueError(f"log_e has shape {logs.shape} or holds NaN: expected (n,) numbers")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level!r} is outside (0, 1)")
    needed = math.log(max(logs.size, 1) / level) - np.log(np.arange(1, logs.size + 1))
    passing = np.flatnonzero(np.sort(logs)[::-1] >= needed)
    if not passing.size:
        return np.zeros(logs.shape, dtype=np.bool_)
    return np.asarray(logs >= np.sort(logs)[::-1][passing[-1]])
