"""Does a number fall (or rise) from round to round, and in how many rounds will it cross a threshold?

Evidence. If the rounds are exchangeable (no trend, independent noise), the rank of the latest value among all values so
far is uniform and independent of the earlier ranks (Rényi 1962), so with r_n = earlier values that are not above the
latest one

    log E_n = log E_{n-1} - tilt * r_n - log( (1/n) * sum_{r < n} exp(-tilt * r) )

is an e-process, and so is the mean over `TILTS`: P(E ever >= 1/level) <= level, at any number of looks (Ville). The sum
of the r_n is Mann and Kendall's count, so this is their test made valid at every round. Ties count against a trend.

Not covered: a number that wanders (a random walk has no trend and is not exchangeable), and autocorrelated noise.

Forecast. Line of Theil (1950) and Sen (1968): median of pairwise slopes, through the medians of rounds and values. On
the scale "logit" the line is one of log(p / (1 - p)), with half a count added on both sides of a recorded share: errors
that grow by a factor each round, as in an avalanche, are a straight line there and a bend on the plain scale.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError
from netgain.monitors.bounds import share
from netgain.monitors.signal import Action, Monitor, Point, Reading

FloatArray = npt.NDArray[np.float64]
Scale = Literal["plain", "logit"]

TILTS = (0.3, 1.0, 3.0)
"""How strongly a trend is bet on: 3 finds five falling values in a row, 0.3 a slope under noise."""


def log_trend(values: npt.ArrayLike, *, falling: bool = True) -> FloatArray:
    """Return the path of log E against "no trend".

    Args:
        values: (n,) or (streams, n) finite numbers, one per round.
        falling: bet on falling values; False bets on rising ones.

    Returns:
        Same shape: natural log of E after each round, 0 after the first.
    """
    x = np.asarray(values, dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError("a trend needs finite values: leave out rounds without one")
    x = x if falling else -x
    n = x.shape[-1]
    against = np.tril(x[..., None, :] <= x[..., :, None], k=-1).sum(axis=-1)  # (…, n): r_n
    paths = [np.cumsum(-tilt * against - _log_mean_weight(n, tilt), axis=-1) for tilt in TILTS]
    return np.asarray(np.logaddexp.reduce(paths, axis=0) - math.log(len(TILTS)))


def mann_kendall(values: Sequence[float], *, falling: bool = True) -> float:
    """Return the exact one-sided p-value of Mann (1945) and Kendall, for one look; ties count against a trend."""
    x = np.asarray(values, dtype=np.float64) * (1.0 if falling else -1.0)
    against = int(np.tril(x[None, :] <= x[:, None], k=-1).sum())
    ways = [1]
    for n in range(2, x.size + 1):  # counts of the sum of independent uniforms on 0..n-1
        ways = [sum(ways[max(0, s - n + 1) : s + 1]) for s in range(len(ways) + n - 1)]
    return float(Fraction(sum(ways[: against + 1]), math.factorial(x.size)))


def theil_sen(rounds: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return slope per round and value at round 0 of the Theil-Sen line; slope 0 for one round.

    Raises:
        ValueError: no value, or lengths that differ.
    """
    t, x = np.asarray(rounds, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if t.size != x.size or not t.size:
        raise ValueError(f"{t.size} rounds and {x.size} values: expected as many of both, at least one")
    i, j = np.triu_indices(t.size, k=1)
    slope = float(np.median((x[j] - x[i]) / (t[j] - t[i]))) if i.size else 0.0
    return slope, float(np.median(x) - slope * np.median(t))


def rounds_until(rounds: Sequence[float], values: Sequence[float], threshold: float) -> float | None:
    """Return after how many further rounds the line crosses ``threshold``; 0 if it has, None if it goes elsewhere.

    Falling lines cross from above and rising ones from below.
    """
    slope, start = theil_sen(rounds, values)
    now = start + slope * rounds[-1]
    if slope == 0.0:
        return None
    return max(0.0, (threshold - now) / slope)


def number(value: Any) -> float:
    """Return a recorded number: itself, or the share of `{"hits", "asked"}`."""
    return share(value).value if isinstance(value, dict) else float(value)


def logit(value: Any) -> float:
    """Return log(p / (1 - p)) of a recorded number, or of a share with half a count added on both sides.

    Raises:
        ValueError: a number outside (0, 1).
    """
    if isinstance(value, dict):
        hits, asked = share(value)
        return math.log((hits + 0.5) / (asked - hits + 0.5))
    p = float(value)
    if not 0.0 < p < 1.0:
        raise ValueError(f"{p!r} has no logit: expected a number between 0 and 1, ends excluded")
    return math.log(p / (1.0 - p))


def forecast(
    points: Sequence[Point], *, ahead: int, falling: bool, level: float, threshold: float, scale: Scale
) -> Reading:
    """Read the line's value ``ahead`` rounds on; proven when the trend is."""
    there = logit if scale == "logit" else number
    rounds, values = [p.round for p in points], [there(p.value) for p in points]
    slope, start = theil_sen(rounds, values)
    limit = there(threshold)
    log_e = float(log_trend(values, falling=falling).max())
    numbers = {
        "log_e": log_e,
        "slope": slope,
        "rounds_until": rounds_until(rounds, values, limit) if slope * (-1 if falling else 1) > 0 else None,
        "mann_kendall_p": mann_kendall(values, falling=falling),
    }
    then = start + slope * (rounds[-1] + ahead)
    return Reading(1.0 / (1.0 + math.exp(-then)) if scale == "logit" else then, **proof(log_e, level), numbers=numbers)


def since_first(
    points: Sequence[Point], change: Callable[[Any, Any], float], *, falling: bool, level: float | None
) -> Reading:
    """Read how far the latest value is from `first_of`; proven by the trend of all, or by nothing where level is None.

    Args:
        points: series of the key.
        change: (first, latest) -> number that is compared with the threshold.
        falling: whether the changes fall or rise when there is damage.
        level: error level of the trend; None asks for no proof, and the monitor has no error rate.
    """
    changes = [change(first_of(points[0], point), point.value) for point in points]
    if level is None:
        return Reading(changes[-1])
    log_e = float(log_trend(changes, falling=falling).max())
    return Reading(changes[-1], **proof(log_e, level), numbers={"log_e": log_e})


def first_of(begun: Point, now: Point) -> Any:
    """Return what a value is compared with: the `first` in its own record, else the record of the first round seen.

    Monitors of a study first look at the candidate of round 1. A record that also says what the same look made of
    generation 0 lets them see what that round did.
    """
    return now.value.get("first", begun.value) if isinstance(now.value, Mapping) else begun.value


def factor(first: float, latest: float) -> float:
    """Return latest / first; both must be above 0."""
    if not (first > 0.0 and latest >= 0.0 and math.isfinite(latest)):
        raise ValueError(f"first {first!r} must be above 0 and latest {latest!r} at least 0")
    return latest / first


def proof(log_e: float, level: float) -> dict[str, Any]:
    """Return `proven` and `reason` of a reading whose e-process reached ``log_e`` nats at most."""
    proven = log_e >= -math.log(level)
    return {"proven": proven, "reason": None if proven else f"log E {log_e:.2f} is below {-math.log(level):.2f}"}


def trend(
    *,
    reads: str,
    threshold: float,
    falling: bool = True,
    ahead: int = 3,
    level: float = 0.05,
    scale: Scale = "plain",
    action: Action = "pause",
) -> Monitor:
    """Alarm ``ahead`` rounds before a number that falls (or rises) crosses ``threshold``.

    Reads numbers, or shares `{"hits", "asked"}`. The value is the line's forecast; the alarm also needs E >= 1/level,
    which five values that all fall reach, and no four do.
    """
    options = {"falling": falling, "ahead": ahead, "level": level, "scale": scale}
    if scale not in get_args(Scale):
        raise ConfigError.unknown("scale of a trend", scale, get_args(Scale))

    def measure(points: Sequence[Point]) -> Reading:
        return forecast(points, ahead=ahead, falling=falling, level=level, threshold=threshold, scale=scale)

    return Monitor("trend", reads, threshold, "below" if falling else "at_least", action, level, measure, options)


def _log_mean_weight(n: int, tilt: float) -> FloatArray:
    """Log of the mean of exp(-tilt r) over r = 0..m-1, for m = 1..n."""
    m = np.arange(1, n + 1)
    return np.asarray(np.log(-np.expm1(-tilt * m) / -np.expm1(-tilt) / m))
