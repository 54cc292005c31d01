"""What a design can show, before anything is spent: chances of the words, items and starts that an effect needs."""

import math
from statistics import NormalDist

from netgain.evidence.looks import LookChances, Looks, chances

MIXTURE_COST = 1.4
"""Nats that the design mixture costs at most (log 4, rounded up): ``statistics.md`` 1.3."""

REQUIRED_POWER = 0.8


def expected_items(*, gain: float, second_moment: float, level: float) -> float:
    """Return the expected pairs of one gate test at the true ``gain``: 2 s2 (log(1/level) + 1.4) / gain^2.

    Source: ``statistics.md`` 1.3, checked by simulation in its 2.3 and in our tests (within about a tenth).
    """
    if not 0.0 < gain <= 1.0:
        raise ValueError(f"gain {gain!r} is outside (0, 1]")
    return 2.0 * second_moment * (math.log(1.0 / level) + MIXTURE_COST) / gain**2


def smallest_gain(*, items: int, second_moment: float, level: float) -> float:
    """Return the gain whose expected pairs equal the cap ``items``: the smallest effect that the gate can resolve."""
    if items < 1:
        raise ValueError(f"items {items!r} must be at least 1")
    return math.sqrt(2.0 * second_moment * (math.log(1.0 / level) + MIXTURE_COST) / items)


def exact_items(*, gain: float, second_moment: float, level: float, power: float = REQUIRED_POWER) -> float:
    """Return the pairs at which an exact one-look test finds ``gain``: s2 (z_level + z_power)^2 / gain^2.

    Normal approximation of McNemar's test (Miettinen 1968), for planning only; five looks take about 3 % more.
    """
    if not 0.0 < gain <= 1.0:
        raise ValueError(f"gain {gain!r} is outside (0, 1]")
    z = NormalDist().inv_cdf(power) - NormalDist().inv_cdf(level)
    return second_moment * z**2 / gain**2


def smallest_exact_gain(*, items: int, second_moment: float, level: float, power: float = REQUIRED_POWER) -> float:
    """Return the gain that an exact test on ``items`` pairs finds with chance ``power``."""
    if items < 1:
        raise ValueError(f"items {items!r} must be at least 1")
    return math.sqrt(exact_items(gain=1.0, second_moment=second_moment, level=level, power=power) / items)


def success_share(*, expected: float, delta: float, starve: float = 0.0, spread: float = 0.0) -> float:
    """Return p = P(g > delta): starved starts never succeed, the others gain normally around ``expected``.

    Args:
        expected: Net gain of a start that does not starve, in score points.
        delta: The claimed effect.
        starve: Share of starts that fail, in [0, 1].
        spread: Standard deviation of the net gain among the others (item noise included); 0 means all gain the same.
    """
    if not 0.0 <= starve <= 1.0 or spread < 0.0:
        raise ValueError(f"starve {starve!r} must lie in [0, 1] and spread {spread!r} must not be negative")
    if spread == 0.0:
        return (1.0 - starve) * float(expected > delta)
    return (1.0 - starve) * NormalDist().cdf((expected - delta) / spread)


def planned_chances(
    looks: Looks, *, expected: float, delta: float, starve: float = 0.0, spread: float = 0.0
) -> LookChances:
    """Return P(SUPPORTED), P(REFUTED) and the expected starts at the planned effect, by enumeration."""
    return chances(looks, success_share(expected=expected, delta=delta, starve=starve, spread=spread))


def refusal(
    looks: Looks, starts: int, *, expected: float, delta: float, starve: float = 0.0, spread: float = 0.0
) -> str | None:
    """Return why a study with ``starts`` replicas cannot answer its claim, or None when it can.

    Refused when no outcome can decide at the first look, or P(SUPPORTED) < .8 at ``expected`` (``method.md`` 3.1).
    """
    if starts < looks.sizes[0]:
        return f"{starts} starts never reach the first look at {looks.sizes[0]}: no outcome can decide"
    if looks.support[0] > looks.sizes[0] and looks.refute[0] < 0:
        return f"no outcome of the first look at {looks.sizes[0]} starts can decide"
    odds = planned_chances(looks, expected=expected, delta=delta, starve=starve, spread=spread)
    if odds.supported < REQUIRED_POWER:
        return (
            f"P(SUPPORTED) is {odds.supported:.2f} at the expected net gain {expected:g} against the claimed {delta:g} "
            f"with a starve share of {starve:g}: at least {REQUIRED_POWER:g} is required"
        )
    return None


def needed_share(looks: Looks, *, power: float = REQUIRED_POWER) -> float:
    """Return the smallest share of successful starts at which P(SUPPORTED) reaches ``power``; bisection to 1e-9."""
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2.0
        low, high = (low, middle) if chances(looks, middle).supported >= power else (middle, high)
    return high


def smallest_net_gain(looks: Looks, *, delta: float, starve: float = 0.0, spread: float = 0.0) -> float | None:
    """Return the smallest expected net gain for which the study is not refused; None when no gain suffices.

    Units of ``delta`` and ``spread``. With a spread of 0 it is ``delta`` itself (any gain above it).
    """
    share = needed_share(looks)
    if share >= 1.0 - starve:
        return None
    return delta + (spread * NormalDist().inv_cdf(share / (1.0 - starve)) if spread > 0.0 else 0.0)
