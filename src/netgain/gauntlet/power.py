"""The power curve: how often a genuine gain is SUPPORTED when it is half, once and twice what its claim expects."""

from __future__ import annotations

from dataclasses import dataclass

from netgain.gauntlet.found import Found, Size, look_at
from netgain.gauntlet.record import claim_of
from netgain.gauntlet.truth import truth_of
from netgain.gauntlet.world import World

TIMES = (0.5, 1.0, 2.0)
LIGHT = 1000  # starts behind each step of the search for a strength
CLOSE = 0.002  # how near the true net gain comes to the wanted one


@dataclass(frozen=True)
class Powered:
    """One point: the true net gain as a multiple of the expected one, and what was found there."""

    times: float
    found: Found


def power_curve(size: Size, seed: int, world: World | None = None) -> list[Powered]:
    """Studies of a steady gain at each multiple; nothing but its strength differs."""
    base = world or World()
    strengths = [_strength(base, times * float(claim_of(base).expected or 0.0), size) for times in TIMES]
    return [
        Powered(times, look_at(base.at("gain.signal", one), size.studies, size, seed, one, "power"))
        for times, one in zip(TIMES, strengths, strict=True)
    ]


def _strength(base: World, wanted: float, size: Size) -> float:
    """The signal at which the true net gain is the wanted one, by bisection: the gain rises with the signal."""
    low, high = 0.0, 0.9
    while high - low > CLOSE / 4:
        middle = (low + high) / 2
        gain = truth_of(base.at("gain.signal", middle), starts=min(size.truth, LIGHT)).gain
        if abs(gain - wanted) < CLOSE:
            return middle
        low, high = (middle, high) if gain < wanted else (low, middle)
    return (low + high) / 2
