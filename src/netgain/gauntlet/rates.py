"""Rates with exact one-sided 95 % bounds (Clopper & Pearson 1934), in logarithms: 10,000 trials are no matter."""

from __future__ import annotations

import math
from dataclasses import dataclass

LEVEL = 0.05


@dataclass(frozen=True)
class Rate:
    """`hits` of `n`; None where nothing was tried."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.hits / self.n if self.n else None

    @property
    def upper(self) -> float:
        """One-sided 95 % upper bound; 1 without trials."""
        return 1.0 - lower_bound(self.n - self.hits, self.n) if self.n else 1.0

    @property
    def lower(self) -> float:
        """One-sided 95 % lower bound; 0 without trials."""
        return lower_bound(self.hits, self.n)

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.hits + other.hits, self.n + other.n)


def lower_bound(hits: int, n: int, *, level: float = LEVEL) -> float:
    """Largest p at which P(Bin(n, p) >= hits) is still at most `level`; bisection to 1e-10."""
    if hits <= 0:
        return 0.0
    low, high = 0.0, 1.0
    while high - low > 1e-10:
        middle = (low + high) / 2.0
        low, high = (middle, high) if at_least(hits, n, middle) <= level else (low, middle)
    return low


def at_least(hits: int, n: int, p: float) -> float:
    """P(Bin(n, p) >= hits), from the side with fewer terms."""
    if hits <= n // 2:
        return 1.0 - math.fsum(_mass(k, n, p) for k in range(hits))
    return math.fsum(_mass(k, n, p) for k in range(hits, n + 1))


def two_sided(hits: int, n: int, p: float) -> float:
    """Exact two-sided binomial p-value by doubling the smaller tail, at most 1."""
    up, down = at_least(hits, n, p), 1.0 - at_least(hits + 1, n, p)
    return min(1.0, 2.0 * min(up, down))


def _mass(k: int, n: int, p: float) -> float:
    if p in (0.0, 1.0):
        return float(k == (n if p else 0))
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log + k * math.log(p) + (n - k) * math.log1p(-p))
