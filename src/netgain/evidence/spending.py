"""The error budget of a whole run, spent per confirmation: P(any false promotion in the run) <= total.

Union bound over confirmations (``statistics.md`` 1.4). Spend per confirmation, not per proposal: screening on dev items
costs nothing. Each confirmation needs items drawn after its candidate is frozen.
"""

import math
from dataclasses import dataclass

OPEN_SERIES_BOUND = 3.38774
"""Upper bound of the sum over j >= 1 of 1 / (j log^2(j+1)).

The first J = 10^6 terms are added; the rest is at most (1 + 1/J) / log J, because with i = j + 1 > J
1/(j log^2(j+1)) <= (1 + 1/J) / (i log^2 i) and the sum over i > J of 1/(i log^2 i) is at most the integral from J of
dx/(x log^2 x) = 1/log J. A test recomputes it.
"""


@dataclass(frozen=True)
class Spending:
    """An error budget ``total`` in (0, 1) over ``confirmations`` declared decisions; None means an open-ended run."""

    total: float
    confirmations: int | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.total < 1.0:
            raise ValueError(f"level {self.total!r} is outside (0, 1)")
        if self.confirmations is not None and self.confirmations < 1:
            raise ValueError(f"confirmations {self.confirmations!r} must be at least 1, or None for an open-ended run")

    def level(self, k: int) -> float:
        """Return the level of confirmation ``k`` (counted from 1).

        Declared K: total / K. Open-ended: total / (OPEN_SERIES_BOUND * k * log^2(k + 1)).

        Raises:
            ValueError: ``k`` is below 1, or beyond the declared number: nothing is left to spend.
        """
        if k < 1:
            raise ValueError(f"confirmation {k!r} must be counted from 1")
        if self.confirmations is None:
            return self.total / (OPEN_SERIES_BOUND * k * math.log(k + 1) ** 2)
        if k > self.confirmations:
            raise ValueError(f"confirmation {k} is beyond the {self.confirmations} declared: the error budget is spent")
        return self.total / self.confirmations

    def spent(self, k: int) -> float:
        """Return the sum of the levels of confirmations 1 to ``k``; at most ``total``."""
        return math.fsum(self.level(j) for j in range(1, k + 1))
