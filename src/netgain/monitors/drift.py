"""Did the measuring move? A frozen system is asked again on the same items, and should score as before.

Generation 0, and one middle generation, are re-measured on schedule, interleaved with candidates. Their score
differences (now - then, one per anchor item, in [-1, 1]) feed an e-detector (Shin, Ramdas & Rinaldo, "E-detectors",
NEJSDS 2024, arXiv 2203.03532; the Shiryaev-Roberts form), which starts anew with every item:

    M_n = (M_{n-1} + 1) * (1 + bet * (side * D_n - tolerance)),   M_0 = 0,   averaged over `BETS` and sides

While the mean difference stays within the tolerance, M_n - n is a supermartingale, so the first time that M reaches A
comes after at least A items on average: an average run length. Within n items it comes with a chance of at most n / A
(optional stopping), so a run of N sentinel items in all has an error probability where A is N divided by it.

Not covered: `then` scores that are asked once and compared with many rounds. Their luck comes back in every round and
looks like drift; ask generation 0 as often at the start as it will be re-measured, or make the tolerance exceed it. A
system that always answers alike has no such luck.
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


def log_detector(differences: npt.ArrayLike, *, tolerance: float, side: Side = "both") -> FloatArray:
    """Return the path of log M over items.

    Args:
        differences: (n,) or (streams, n) of now - then in [-1, 1]; NaN is a missing pair and is passed over.
        tolerance: mean difference that counts as none, in [0, 0.15).
        side: which drift is looked for; "both" averages two detectors and takes longer.

    Raises:
        ConfigError: a tolerance or a side that is none.
        ValueError: a difference outside [-1, 1].
    """
    d = checked_differences(differences)
    _check(tolerance, side)
    signs = {"both": (1.0, -1.0), "up": (1.0,), "down": (-1.0,)}[side]
    paths = [_log_restarted(np.log1p(_stake(sign * d, bet, tolerance)), np.isnan(d)) for sign in signs for bet in BETS]
    return np.asarray(np.logaddexp.reduce(paths, axis=0) - math.log(len(paths)))


def drift(
    *,
    reads: str = "sentinel",
    threshold: float = math.log(2000.0),
    tolerance: float = 0.01,
    side: Side = "both",
    action: Action = "freeze",
) -> Monitor:
    """Alarm when a frozen system's scores have moved; promotion is to be frozen until the cause is found.

    Record: `{"differences": [now - then, one per anchor item]}`, null for a missing pair. ``threshold`` is the natural
    log of the average run length in items. Once it has alarmed it stays alarmed: after the cause is mended, a new
    history begins.
    """

    _check(tolerance, side)

    def measure(points: Sequence[Point]) -> Reading:
        rounds = [np.array([np.nan if d is None else d for d in p.value["differences"]], float) for p in points]
        if not np.isfinite(rounds[-1]).any():
            raise ValueError("no pair of this round was scored: nothing was measured")
        path = log_detector(np.concatenate(rounds), tolerance=tolerance, side=side)
        return Reading(float(path.max()), numbers={"drift": float(np.nanmean(rounds[-1])), "items": int(path.size)})

    length = f"{math.exp(threshold):.0f}"
    said = f"one in {length} items on average at most, within n items a chance of at most n / {length}"
    return Monitor("drift", reads, threshold, "at_least", action, said, measure,
                   {"tolerance": tolerance, "side": side})  # fmt: skip


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
    if not 0.0 <= tolerance < 0.15:
        raise ConfigError(f"tolerance {tolerance!r} of a drift is outside [0, 0.15)", fix="0.01 is usual")
    if side not in get_args(Side):
        raise ConfigError.unknown("side of a drift", side, get_args(Side))


def _stake(d: FloatArray, bet: float, tolerance: float) -> FloatArray:
    return np.where(np.isnan(d), 0.0, bet * (d - tolerance))


def _log_restarted(log_factors: FloatArray, missing: npt.NDArray[np.bool_]) -> FloatArray:
    """Return log M for factors per item: capitals started before every item that was scored, summed."""
    capital = np.cumsum(log_factors, axis=-1)
    before = np.where(missing, -np.inf, log_factors - capital)  # -(log capital before the item)
    return np.asarray(capital + np.logaddexp.accumulate(before, axis=-1))
