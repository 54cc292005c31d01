"""What a design can show, before anything is spent: chances of the words, items and starts that an effect needs."""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

from netgain.claim import MEAN_STARTS
from netgain.evidence.betting import BET_CAP
from netgain.evidence.looks import LookChances, Looks, chances
from netgain.evidence.means import t_lower
from netgain.evidence.student import t_quantile

MIXTURE_COST = 1.4
"""Nats that the design mixture costs at most (log 4, rounded up): ``statistics.md`` 1.3."""

REQUIRED_POWER = 0.8

GRID_COST = math.log(7.0)
"""Nats that the grid of fixed bets costs at most, in the test of a version."""

DRAWN = 4000
"""Simulated studies behind the power of a mean; its standard error is at most .008."""


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


def least_items(*, gain: float, level: float) -> float:
    """Return the pairs below which no betting test can be expected to find ``gain``, however alike the pairs are.

    A bet is at most ``BET_CAP``, so log E grows by at most log(1 + .9 gain) a pair in the mean (Jensen): it binds where
    differences are small and all of one sign, and the second moment alone promises too much.
    """
    if not 0.0 < gain <= 1.0:
        raise ValueError(f"gain {gain!r} is outside (0, 1]")
    return math.log(1.0 / level) / math.log1p(BET_CAP * gain)


def least_gain(*, items: int, level: float) -> float:
    """Return the gain whose ``least_items`` are ``items``; above 1 where no gain at all reaches the threshold."""
    if items < 1:
        raise ValueError(f"items {items!r} must be at least 1")
    return math.expm1(math.log(1.0 / level) / items) / BET_CAP


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
    return too_weak(odds, expected=expected, delta=delta, starve=starve)


def too_weak(odds: LookChances, *, expected: float, delta: float, starve: float) -> str | None:
    """Return the sentence that refuses a study whose P(SUPPORTED) is below .8, or None."""
    if odds.supported >= REQUIRED_POWER:
        return None
    return (
        f"P(SUPPORTED) is {odds.supported:.2f} at the expected net gain {expected:g} against the claimed {delta:g} "
        f"with a starve share of {starve:g}: at least {REQUIRED_POWER:g} is required"
    )


def starts_of_looks(looks: Looks, success: float) -> int | None:
    """Return the number of starts after which P(SUPPORTED so far) reaches .8; None when no registered look has it."""
    for j, size in enumerate(looks.sizes, start=1):
        taken = Looks(looks.sizes[:j], looks.support[:j], looks.refute[:j], looks.share)
        if chances(taken, success).supported >= REQUIRED_POWER:
            return size
    return None


def mean_chances(
    sizes: Sequence[int], *, expected: float, delta: float, starve: float = 0.0, spread: float = 0.0,
    level: float = 0.05,
) -> LookChances:  # fmt: skip
    """Return what the analysis "mean" says at the planned effect, by 4,000 simulated studies of a fixed stream.

    By the t bounds against the one control that comes closest: sign flips agree within .02 (``method.md`` 0). A starved
    start gains nothing.
    """
    rng = np.random.default_rng(20)
    gains = rng.normal(expected, spread, (DRAWN, sizes[-1]))
    gains[rng.random(gains.shape) < starve] = 0.0
    word, stopped = np.zeros(DRAWN), np.full(DRAWN, sizes[-1])
    for n in sizes:
        seen, each = gains[:, :n], level / len(sizes)
        said = np.where(t_lower(seen, each) > delta, 1, np.where(-t_lower(-seen, each) < delta, -1, 0))
        now = (word == 0) & (said != 0)
        word, stopped = np.where(now, said, word), np.where(now, n, stopped)
    up, down, open_ = (float((word == value).mean()) for value in (1, -1, 0))
    return LookChances(up, down, open_, float(stopped.mean()))


def starts_of_mean(
    *, expected: float, delta: float, starve: float = 0.0, spread: float = 0.0, level: float = 0.05
) -> int | None:
    """Return the number of starts at which one look at a mean has a P(SUPPORTED) of .8; None for none from 10 to 20."""
    effect = {"expected": expected, "delta": delta, "starve": starve, "spread": spread, "level": level}
    every = range(MEAN_STARTS[0], MEAN_STARTS[1] + 1)
    return next((n for n in every if mean_chances((n,), **effect).supported >= REQUIRED_POWER), None)


def version_chances(items: int, *, gain: float, second_moment: float, level: float, yes_no: bool) -> LookChances:
    """Return what the test of a version says when its mean excess over the claimed effect is ``gain``.

    Normal approximation: of log E for the bounded test (growth gain^2 / (2 s2) an item, the grid costs log 7), of the
    binomial for McNemar's (``yes_no``: scores 0 and 1, claimed effect 0), which has half of the level. Items needed are
    its inverse, ``items_of_version``.
    """
    up = _version_power(items, gain, second_moment, level, yes_no)
    down = _version_power(items, -gain, second_moment, level, yes_no)
    return LookChances(up, down, max(0.0, 1.0 - up - down), 1.0)


def _version_power(items: int, gain: float, second_moment: float, level: float, yes_no: bool) -> float:
    if gain <= 0.0:
        return 0.0
    x, each = math.sqrt(items / second_moment) * gain, level / 2.0 if yes_no else level
    found = [NormalDist().cdf(x / 2.0 - (math.log(1.0 / each) + GRID_COST) / x)]
    found += [NormalDist().cdf(x + NormalDist().inv_cdf(each))] if yes_no else []
    return max(found)


def items_of_version(*, gain: float, second_moment: float, level: float, yes_no: bool) -> int | None:
    """Return the sealed items at which P(SUPPORTED) of a version reaches .8; None for a gain that is not above 0."""
    if gain <= 0.0:
        return None
    each, z = level / 2.0 if yes_no else level, NormalDist().inv_cdf(REQUIRED_POWER)
    x = z + math.sqrt(z * z + 2.0 * (math.log(1.0 / each) + GRID_COST))
    x = min(x, z - NormalDist().inv_cdf(each)) if yes_no else x
    return math.ceil(second_moment * (x / gain) ** 2)


def items_for_starts(room: float, *, spread: float, variance: float) -> int | None:
    """Return the sealed items a start that keep the noise of its items within ``room``, beside the spread of starts.

    Args:
        room: Standard deviation of a start's net gain that the design allows (``room_of_looks``, ``room_of_mean``).
        spread: Standard deviation of the true net gain between starts.
        variance: Variance of one item's paired difference.

    Returns:
        None when the spread alone takes more than the room: no number of items suffices.
    """
    left = room**2 - spread**2
    return max(2, math.ceil(variance / left)) if left > 0.0 else None


def room_of_looks(looks: Looks, *, expected: float, delta: float, starve: float = 0.0) -> float:
    """Return the standard deviation of a start's net gain at which P(SUPPORTED) is still .8; 0 for none."""
    share = needed_share(looks)
    if share >= 1.0 - starve or expected <= delta:
        return 0.0
    z = NormalDist().inv_cdf(share / (1.0 - starve))
    return (expected - delta) / z if z > 0.0 else math.inf


def room_of_mean(starts: int, *, expected: float, delta: float, starve: float = 0.0, level: float = 0.05) -> float:
    """Return the same for one look at a mean (normal approximation of the power of t)."""
    mean, jumps = (1.0 - starve) * expected - delta, starve * (1.0 - starve) * expected**2
    quantile = t_quantile(1.0 - level, starts - 1) + NormalDist().inv_cdf(REQUIRED_POWER)
    left = max(0.0, (mean * math.sqrt(starts) / quantile) ** 2 - jumps) if mean > 0.0 else 0.0
    return math.sqrt(left / (1.0 - starve))


def smallest_effect(odds_at: Callable[[float], LookChances], *, delta: float) -> float | None:
    """Return the smallest expected net gain above ``delta`` with a P(SUPPORTED) of .8; None when 1 has not.

    Bisection to 1e-3; for analyses without a closed form.
    """
    low, high = delta, 1.0
    if odds_at(high).supported < REQUIRED_POWER:
        return None
    while high - low > 1e-3:
        middle = (low + high) / 2.0
        low, high = (low, middle) if odds_at(middle).supported >= REQUIRED_POWER else (middle, high)
    return high


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
