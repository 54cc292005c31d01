"""Stop rules on measured gains: convergence, futility, and harm against generation 0.

Record: `{"differences": [one per item, in [-1, 1]]}`, each round on items of its own; null is a missing pair. The
capital of fixed bets against the rule's null (Waudby-Smith & Ramdas, JRSS-B 2024) is multiplied over rounds, from every
starting round s with weight 1 / (s (s + 1)), so that a late change is found, and averaged over the bets of
`netgain.evidence.betting.GRID`:

    E_n = mean over bets of ( sum over s <= n of w_s * product over items of rounds s..n of (1 + bet * (D - null))
                              + what is left of the weights )

While the null holds in every round, E is an e-process: P(E ever >= exp(threshold)) <= exp(-threshold). Which items may
be used is the caller's business: a rule that ends a run is a decider and sees no sealed item.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError
from netgain.evidence.betting import GRID, checked_differences
from netgain.monitors.signal import Action, Measure, Monitor, Point, Reading

LOG_20 = math.log(20.0)
"""Threshold of a chance of at most .05."""


def log_restarts(log_rounds: npt.ArrayLike) -> float:
    """Return log E after the last round, from the log capital (rounds, bets) that each bet made in each round alone."""
    each = np.asarray(log_rounds, dtype=np.float64)
    s = np.arange(1, len(each) + 1)[:, None]
    from_s = np.cumsum(each[::-1], axis=0)[::-1] - np.log(s * (s + 1.0))
    left = np.full((1, each.shape[1]), -math.log(len(each) + 1.0))
    return float(np.logaddexp.reduce(np.concatenate([from_s, left]), axis=None) - math.log(each.shape[1]))


def futility(*, reads: str = "step", threshold: float = LOG_20, gain: float = 0.02, action: Action = "halt") -> Monitor:
    """Stop when "every round still gains at least ``gain`` over the one before" is shown to be false.

    Reads the differences between this round's system and the last one's. While every round does gain as much, the
    chance of ever stopping is at most exp(-threshold).
    """

    def measure(points: Sequence[Point]) -> Reading:
        return Reading(log_restarts([_log_e(point, -1.0, gain) for point in points]))

    return _monitor("futility", reads, threshold, action, measure, gain=gain)


def convergence(
    *, reads: str = "step", threshold: float = LOG_20, change: float = 0.02, action: Action = "halt"
) -> Monitor:
    """Stop when both "still gains ``change`` a round" and "still loses ``change`` a round" are shown to be false.

    The value is the smaller log E of the two. While every round gains at least as much, or every round loses as much,
    the chance of ever stopping is at most exp(-threshold).
    """

    def measure(points: Sequence[Point]) -> Reading:
        sides = [log_restarts([_log_e(point, sign, change) for point in points]) for sign in (-1.0, 1.0)]
        return Reading(min(sides), numbers={"no_gain": sides[0], "no_loss": sides[1]})

    return _monitor("convergence", reads, threshold, action, measure, change=change)


def harm(
    *, reads: str = "since_start", threshold: float = LOG_20, margin: float = 0.01, action: Action = "roll_back"
) -> Monitor:
    """Stop when the system is shown to be worse than generation 0 by more than ``margin``.

    Reads the differences between this round's system and generation 0. While no round is worse by more, the chance of
    ever stopping is at most exp(-threshold).
    """

    def measure(points: Sequence[Point]) -> Reading:
        each = [_log_e(point, -1.0, -margin) for point in points]
        return Reading(log_restarts(each), numbers={"difference": float(np.nanmean(_differences(points[-1])))})

    return _monitor("harm", reads, threshold, action, measure, margin=margin)


def _log_e(point: Point, sign: float, bound: float) -> npt.NDArray[np.float64]:
    """Log capital (bets,) of one round against "the mean of sign * D is at most -bound"."""
    d = checked_differences(_differences(point))
    stakes = np.array(GRID)[:, None] * (sign * d[~np.isnan(d)] + bound)
    return np.asarray(np.log1p(stakes).sum(axis=1))


def _differences(point: Point) -> npt.NDArray[np.float64]:
    """Return the round's differences, or raise: a round without a scored pair was not measured."""
    found = np.array([np.nan if d is None else d for d in point.value["differences"]], dtype=np.float64)
    if not np.isfinite(found).any():
        raise ValueError(f"round {point.round} has no scored pair")
    return found


def _monitor(name: str, reads: str, threshold: float, action: Action, measure: Measure, **options: float) -> Monitor:
    if not threshold > 0.0:
        raise ConfigError(
            f"threshold {threshold!r} must be above 0: the natural log of 1 / error rate", fix="log 20 is 3"
        )
    (bound,) = options.values()
    if not 0.0 <= bound < 0.5:
        raise ConfigError(f"{next(iter(options))} {bound!r} is outside [0, 0.5)", fix="0.02 is 2 points")
    return Monitor(name, reads, threshold, "at_least", action, math.exp(-threshold), measure, options)
