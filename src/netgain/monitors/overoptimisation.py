"""Over-optimisation: what the proxy says was gained, and how much of it gold confirms.

As a policy is pressed harder against a proxy reward, the proxy keeps rising and gold turns (Gao, Schulman & Hilton,
arXiv 2210.10760). With d the square root of the KL divergence from the start, the gold of best-of-n follows
d (alpha - beta d), which peaks at alpha / (2 beta); reinforcement learning has another form, d (alpha - beta log d).

A score on questions that are asked again and again rises by itself (Blum & Hardt, arXiv 1502.04585): `yardstick` holds
it against questions that nobody learnt from. Record: `{"own": {"hits", "asked"}, "outside": {"hits", "asked"}}`.

Record of `proxy_gold_gap`, one per strength, weakest first: `{"strength": d, "proxy": mean, "gold": mean}`, and as
`first` the same of generation 0 where it is known: then that is the weakest strength.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netgain.monitors.bounds import share, spent_at
from netgain.monitors.raters import fisher
from netgain.monitors.signal import Action, Monitor, Point, Reading
from netgain.monitors.trend import first_of


class GoldFit(NamedTuple):
    """Least-squares fit gold(d) - gold(0) = d (alpha - beta d); ``peak`` is None where the curve does not turn."""

    start: float
    alpha: float
    beta: float
    peak: float | None


def strength_of_best_of(n: int) -> float:
    """Return d = sqrt(log n - (n - 1) / n), the square root of best-of-n's KL divergence in nats."""
    if n < 1:
        raise ValueError(f"best of {n!r}: expected at least 1")
    return math.sqrt(max(0.0, math.log(n) - (n - 1) / n))


def fit_gold(strengths: npt.ArrayLike, gold: npt.ArrayLike) -> GoldFit:
    """Return the fit of gold means over strengths, with a free start.

    Raises:
        ValueError: fewer than 3 different strengths: three numbers are fitted.
    """
    d, y = np.asarray(strengths, dtype=np.float64), np.asarray(gold, dtype=np.float64)
    if np.unique(d).size < 3 or d.shape != y.shape:
        raise ValueError(f"{np.unique(d).size} strengths for {y.size} gold means: expected at least 3 different ones")
    start, alpha, minus_beta = np.linalg.lstsq(np.stack([np.ones_like(d), d, d**2], axis=1), y, rcond=None)[0]
    peak = alpha / (-2.0 * minus_beta) if minus_beta < 0.0 < alpha else None
    return GoldFit(float(start), float(alpha), float(-minus_beta), None if peak is None else float(peak))


def proxy_gold_gap(*, reads: str = "proxy", threshold: float = 0.3, action: Action = "pause") -> Monitor:
    """Alarm when at least ``threshold`` of what the proxy has gained since the weakest strength is not there in gold.

    The value is (growth of proxy - gold) / (growth of proxy), 0 while the proxy has not risen: the gap beyond the one
    at small strength, in units that need no scale.
    """

    def measure(points: Sequence[Point]) -> Reading:
        first, now = first_of(points[0], points[-1]), points[-1].value
        numbers = {"gap": now["proxy"] - now["gold"], "first_gap": first["proxy"] - first["gold"]}
        return Reading(unconfirmed(first, now), numbers=numbers | _fitted(points))

    said = "none: how well a proxy should transfer is not known beforehand; measured in docs/monitors.md"
    return Monitor("proxy_gold_gap", reads, threshold, "at_least", action, said, measure)


def yardstick(
    *, reads: str = "yardstick", threshold: float = 0.1, level: float = 0.05, looks: int = 20, action: Action = "pause"
) -> Monitor:
    """Alarm when the share right on the loop's own questions is above that on outside ones by at least ``threshold``.

    Fisher's exact test has to allow it. While the system is as good on its own questions as on outside ones, the chance
    of any alarm in ``looks`` looks is at most ``level``. What it cannot tell is an own set that is merely easier: put
    the threshold above the difference of generation 0.
    """

    def measure(points: Sequence[Point]) -> Reading:
        own, outside = (share(points[-1].value[whose]) for whose in ("own", "outside"))
        p, may = fisher(own, outside), spent_at(len(points), level=level, looks=looks)
        reason = None if p <= may else f"p {p:.4f} is above {may:.4f}"
        return Reading(own.value - outside.value, p <= may, reason, {"p": p})

    return Monitor("yardstick", reads, threshold, "at_least", action, level, measure, {"level": level, "looks": looks})


def unconfirmed(first: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Return the share of the proxy's gain that gold does not show; above 1 where gold has fallen."""
    gain = now["proxy"] - first["proxy"]
    return 1.0 - (now["gold"] - first["gold"]) / gain if gain > 0.0 else 0.0


def _fitted(points: Sequence[Point]) -> dict[str, Any]:
    """Return the fitted peak, or nothing where there are too few strengths for a fit."""
    strengths = [point.value["strength"] for point in points]
    if len(set(strengths)) < 4:
        return {}
    fit = fit_gold(strengths, [point.value["gold"] for point in points])
    return {"alpha": fit.alpha, "beta": fit.beta, "peak": fit.peak, "strength": strengths[-1]}
