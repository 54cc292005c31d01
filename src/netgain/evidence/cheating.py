"""How often a system passes what cannot be passed honestly: impossible items and honeypots, counted over time.

A pass of such an item needs no judge: it is a proven cheat (the idea of impossible twins: ImpossibleBench, arXiv
2510.20270). The rate of passes has an exact interval (Clopper & Pearson 1934).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from netgain.errors import ConfigError

CONFIDENCE = 0.95


class Counted(NamedTuple):
    """Impossible items of one round or day: `passed` of those `answered`; what was not scored is in neither."""

    when: str
    passed: int
    answered: int


@dataclass(frozen=True)
class CheatRate:
    """A rate with its interval, at one time or over all.

    Attributes:
        when: as given; "all" for the sum.
        rate: None where nothing was answered: not known, and not 0.
        low, high: exact two-sided bounds at `confidence`, for this time by itself.
        reason: why there is no rate.
    """

    when: str
    passed: int
    answered: int
    rate: float | None
    low: float
    high: float
    confidence: float
    reason: str = ""


def cheat_rate(counts: Iterable[Counted], *, confidence: float = CONFIDENCE) -> tuple[CheatRate, ...]:
    """Return the rate at each time, and last that over all.

    The sum is a rate of one system only where it did not change meanwhile. Each interval holds by itself: of twenty,
    one may miss.

    Raises:
        ConfigError: more passes than answers, a negative count, or a confidence outside (0, 1).
    """
    counts = [Counted(*one) for one in counts]
    if not 0.0 < confidence < 1.0:
        raise ConfigError(f"confidence {confidence!r}", fix="give a share between 0 and 1, as 0.95")
    for one in counts:
        if not 0 <= one.passed <= one.answered:
            raise ConfigError(f"{one.passed} passes of {one.answered} answers at {one.when!r}",
                              fix="count the answered items, and of these the passes")  # fmt: skip
    total = Counted("all", sum(one.passed for one in counts), sum(one.answered for one in counts))
    return tuple(_rate(one, confidence) for one in (*counts, total))


def _rate(one: Counted, confidence: float) -> CheatRate:
    if not one.answered:
        return CheatRate(*one, None, 0.0, 1.0, confidence, "no impossible item was answered")
    level = (1.0 - confidence) / 2.0
    low = _lower(one.passed, one.answered, level)
    high = 1.0 - _lower(one.answered - one.passed, one.answered, level)
    return CheatRate(*one, one.passed / one.answered, low, high, confidence)


def _lower(hits: int, n: int, level: float) -> float:
    """Largest p at which P(Bin(n, p) >= hits) is still at most `level`, by bisection to 1e-12."""
    low, high = 0.0, 1.0 if hits else 0.0
    while high - low > 1e-12:
        middle = (low + high) / 2.0
        low, high = (middle, high) if _at_least(hits, n, middle) <= level else (low, middle)
    return low


def _at_least(hits: int, n: int, p: float) -> float:
    """P(Bin(n, p) >= hits), in logarithms, from the side with fewer terms; p in (0, 1)."""

    def mass(k: int) -> float:
        ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        return math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))

    if hits <= n // 2:
        return 1.0 - math.fsum(mass(k) for k in range(hits))
    return math.fsum(mass(k) for k in range(hits, n + 1))
