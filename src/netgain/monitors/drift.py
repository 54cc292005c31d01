"""Did the measuring move? A frozen system is asked again on the same items, and should score as before.

Generation 0, and one middle generation, are re-measured on schedule, interleaved with candidates. Their score
differences (now - then, one per anchor item, in [-1, 1]) feed an e-detector (Shin, Ramdas & Rinaldo, "E-detectors",
NEJSDS 2024, arXiv 2203.03532; the Shiryaev-Roberts form), which starts anew with every item:

    M_n = (M_{n-1} + 1) * (1 + bet * (side * D_n - tolerance)),   M_0 = 0,   averaged over `BETS` and sides

While the mean difference stays within the tolerance, M_n - n is a supermartingale, so the first time that M reaches A
comes after at least A items on average: an average run length. Within n items it comes with a chance of at most n / A
(optional stopping), so a run of N sentinel items in all has an error probability where A is N divided by it.

The `then` scores are asked once and compared in every round, so their luck comes back in every round and would look
like drift. A record says how large it is (`then_error`, a standard error from asking them twice), and `errors` times
that is added to the tolerance: while the luck stays within it, all of the above holds. That it does is a normal
approximation, of .3 % at 3. A system that always answers alike has no such luck, and nothing is added.

Not covered: a drift that is smaller than the luck. Canary items make both visible: n times as many shrink the luck by
the square root of n.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError
from netgain.evidence.betting import checked_differences
from netgain.monitors.signal import Action, Monitor, Point, Reading

FloatArray = npt.NDArray[np.float64]
Side = Literal["both", "up", "down"]

BETS = (0.15, 0.3, 0.6, 0.85)
"""Multiples of the best bet for a drift of 3 points at discordance .10; the last is what one item may cost."""

MOST = 0.15  # of a tolerance with all `BETS`; beyond, where luck is added, bets shrink so that capital stays above 0


def log_detector(
    differences: npt.ArrayLike, *, tolerance: float, side: Side = "both", luck: npt.ArrayLike = 0.0
) -> FloatArray:
    """Return the path of log M over items.

    Args:
        differences: (n,) or (streams, n) of now - then in [-1, 1]; NaN is a missing pair and is passed over.
        tolerance: mean difference that counts as none, in [0, 0.15).
        luck: what is added to it, of one item or of all; both together below 1.
        side: which drift is looked for; "both" averages two detectors and takes longer.

    Raises:
        ConfigError: a tolerance or a side that is none.
        ValueError: a difference outside [-1, 1]; or so much luck that no difference is beyond it.
    """
    d = checked_differences(differences)
    _check(tolerance, side)
    allowed = tolerance + np.asarray(luck, dtype=np.float64)
    if (allowed >= 1.0).any():
        raise ValueError(f"luck explains differences of {float(allowed.max()):.2f}: ask more canary items")
    signs = {"both": (1.0, -1.0), "up": (1.0,), "down": (-1.0,)}[side]
    paths = [_log_restarted(np.log1p(_stake(sign * d, bet, allowed)), np.isnan(d)) for sign in signs for bet in BETS]
    return np.asarray(np.logaddexp.reduce(paths, axis=0) - math.log(len(paths)))


def drift(
    *,
    reads: str = "sentinel",
    threshold: float = math.log(2000.0),
    tolerance: float = 0.01,
    side: Side = "both",
    errors: float = 3.0,
    action: Action = "freeze",
) -> Monitor:
    """Alarm when a frozen system's scores have moved; promotion is to be frozen until the cause is found.

    Record: `{"differences": [now - then, one per anchor item]}`, null for a missing pair, and `"then_error"`, the
    standard error of the `then` scores' mean; without it, nothing is allowed for. ``errors`` of these are no drift.
    ``threshold`` is the natural log of the average run length in items. Once it has alarmed it stays alarmed: after
    the cause is mended, a new history begins.
    """

    _check(tolerance, side)
    if not 0.0 <= errors < math.inf:
        raise ConfigError(f"errors {errors!r} of a drift must be at least 0", fix="3 is usual")

    def measure(points: Sequence[Point]) -> Reading:
        rounds = [np.array([np.nan if d is None else d for d in p.value["differences"]], float) for p in points]
        if not np.isfinite(rounds[-1]).any():
            raise ValueError("no pair of this round was scored: nothing was measured")
        luck = [errors * float(p.value.get("then_error", 0.0)) for p in points]
        each = np.repeat(luck, [one.size for one in rounds])
        path = log_detector(np.concatenate(rounds), tolerance=tolerance, side=side, luck=each)
        seen = {"drift": float(np.nanmean(rounds[-1])), "luck": luck[-1], "items": int(path.size)}
        return Reading(float(path.max()), numbers=seen)

    length = f"{math.exp(threshold):.0f}"
    said = f"one in {length} items on average at most, within n items a chance of at most n / {length}"
    return Monitor("drift", reads, threshold, "at_least", action, said, measure,
                   {"tolerance": tolerance, "side": side, "errors": errors})  # fmt: skip


def net_of_drift(now: npt.ArrayLike, sentinel_now: npt.ArrayLike) -> float:
    """Return the gain of a system over the sentinel that was asked the same items in the same round.

    Never subtract a score of another round: a change of the harness would be in it.

    Raises:
        ValueError: other items, or no pair with both scores.
    """
    a, b = np.asarray(now, dtype=np.float64), np.asarray(sentinel_now, dtype=np.float64)
    if a.shape != b.shape or np.isnan(a - b).all():
        raise ValueError(f"scores {a.shape} and {b.shape}: expected the same items, at least one scored on both sides")
    return float(np.nanmean(a - b))


def moved(registered: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the parts of the contract whose digest is not the registered one, sorted; gone and new parts among them.

    Empty after an alarm means that something moved which the contract does not hold: a provider, or the machine.
    """
    return sorted(name for name in {*registered, *now} if registered.get(name) != now.get(name))


def sentinel_rounds(rounds: int, *, every: int = 1) -> dict[int, list[int]]:
    """Return round -> generations that are re-measured in it: generation 0, and the middle one once it is there.

    Args:
        rounds: the horizon.
        every: rounds between two measurements; the last round has one in any case.
    """
    if rounds < 1 or every < 1:
        raise ValueError(f"rounds {rounds!r} and every {every!r} must be at least 1")
    middle = rounds // 2
    due = [r for r in range(1, rounds + 1) if r % every == 0 or r == rounds]
    return {r: [0, middle] if 0 < middle < r else [0] for r in due}


def interleaved(systems: Sequence[str], items: int, rng: np.random.Generator) -> list[tuple[int, str]]:
    """Return the order in which systems are asked: all of them about item 0, in random order, then about item 1, …

    What changes during a round then meets all systems alike.
    """
    return [(item, systems[i]) for item in range(items) for i in rng.permutation(len(systems))]


def _check(tolerance: float, side: str) -> None:
    if not 0.0 <= tolerance < MOST:
        raise ConfigError(f"tolerance {tolerance!r} of a drift is outside [0, 0.15)", fix="0.01 is usual")
    if side not in get_args(Side):
        raise ConfigError.unknown("side of a drift", side, get_args(Side))


def _stake(d: FloatArray, bet: float, allowed: FloatArray) -> FloatArray:
    bets = bet * np.minimum(1.0, (1.0 + MOST) / (1.0 + allowed))
    return np.where(np.isnan(d), 0.0, bets * (d - allowed))


def _log_restarted(log_factors: FloatArray, missing: npt.NDArray[np.bool_]) -> FloatArray:
    """Return log M for factors per item: capitals started before every item that was scored, summed."""
    capital = np.cumsum(log_factors, axis=-1)
    before = np.where(missing, -np.inf, log_factors - capital)  # -(log capital before the item)
    return np.asarray(capital + np.logaddexp.accumulate(before, axis=-1))
