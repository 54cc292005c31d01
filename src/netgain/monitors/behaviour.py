"""Drift of behaviour (refusals, lengths, tool calls) beyond the noise of asking generation 0 twice.

Each probe of a fixed set is answered by the present system once and by generation 0 twice, and every answer is put into
a class. With JSD the Jensen-Shannon divergence of two class distributions (Lin 1991; in bits, 0 to 1), the value is

    excess = ( JSD(now, first) + JSD(now, again) ) / 2 - JSD(first, again)

and the subtracted term is the noise floor. If the present system answers as generation 0 would a third time, then which
of a probe's three answers is the present one is arbitrary; permuting that within probes gives an exact p-value (Fisher
1935). Record: `{"first": labels, "again": labels, "now": labels}`, one label per probe.

Permutations come from the Mersenne Twister, seeded as `random.Random(seed)` seeds it, so that `random.random` gives a
stranger the same ones. Not covered: generation 0 that always answers alike has a floor of 0, and every change counts
that the p-value and the threshold let through.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError
from netgain.monitors.bounds import spent_at
from netgain.monitors.signal import Action, Monitor, Point, Reading

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def jensen_shannon(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Return the Jensen-Shannon divergence in bits over the last axis of (…, classes) counts or shares, each above 0.

    scipy's `jensenshannon` is the square root of this.
    """
    a, b = (x / x.sum(axis=-1, keepdims=True) for x in (np.asarray(p, float), np.asarray(q, float)))
    middle = (a + b) / 2.0
    return np.asarray((_relative(a, middle) + _relative(b, middle)) / 2.0)


def length_bands(lengths: Sequence[int | None], edges: Sequence[int]) -> list[int | None]:
    """Return the class of each length: how many ``edges`` it reaches; None (no answer) stays a class of its own."""
    cuts = sorted(edges)
    return [None if length is None else sum(length >= edge for edge in cuts) for length in lengths]


def excess(first: IntArray, again: IntArray, now: IntArray, classes: int) -> tuple[FloatArray, FloatArray]:
    """Return excess and noise floor in bits, of (…, probes) class numbers below ``classes``."""
    a, b, c = (_counts(x, classes) for x in (first, again, now))
    floor = jensen_shannon(a, b)
    return (jensen_shannon(c, a) + jensen_shannon(c, b)) / 2.0 - floor, floor


def permutation(
    first: Sequence[Any], again: Sequence[Any], now: Sequence[Any], *, permutations: int, seed: int
) -> tuple[float, float, float]:
    """Return excess, noise floor and p-value of labels (probes,) each.

    The p-value counts permutations whose excess is at least the observed one, and the observed one itself:
    (1 + hits) / (1 + permutations), exact for any number of them (Phipson & Smyth 2010).

    Raises:
        ValueError: no probes, or different numbers of them.
    """
    if not len(first) == len(again) == len(now) or not len(now):
        raise ValueError(f"{len(first)}, {len(again)} and {len(now)} labels: expected one each per probe, at least one")
    numbers = {label: i for i, label in enumerate(dict.fromkeys([*first, *again, *now]))}
    coded = np.array([[numbers[label] for label in each] for each in (first, again, now)])
    observed, floor = excess(coded[0], coded[1], coded[2], len(numbers))
    draws = np.random.RandomState([seed]).random_sample((permutations, len(now)))  # as random.Random(seed).random()
    roles = np.floor(3.0 * draws).astype(np.int64)  # 0: nothing moves; 1, 2: now changes places with first, again
    shuffled = [np.where(roles == r, coded[2], coded[r - 1]) for r in (1, 2)]
    presented = np.where(roles == 0, coded[2], np.where(roles == 1, coded[0], coded[1]))
    again_at = excess(shuffled[0], shuffled[1], presented, len(numbers))[0]
    hits = int((again_at >= observed - 1e-12).sum())
    return float(observed), float(floor), (1 + hits) / (1 + permutations)


def behaviour(
    *,
    reads: str = "behaviour",
    threshold: float = 0.005,
    level: float = 0.05,
    looks: int = 20,
    permutations: int = 1999,
    seed: int = 0,
    action: Action = "reject",
) -> Monitor:
    """Alarm when the excess divergence is at least ``threshold`` bits and its p-value within the level of one look.

    While the system answers every probe as generation 0 would, the chance of any alarm in ``looks`` looks is at most
    ``level``.

    Raises:
        ConfigError: too few ``permutations`` for the level of one look: no data could alarm.
    """
    least = math.ceil(looks / level) - 1
    if permutations < least:
        what = f"{permutations!r} permutations cannot show a level of {level!r} over {looks!r} looks"
        raise ConfigError(what, fix=f"take at least {least}, or fewer looks")

    def measure(points: Sequence[Point]) -> Reading:
        labels = [points[-1].value[role] for role in ("first", "again", "now")]
        value, floor, p = permutation(*labels, permutations=permutations, seed=seed)
        may = spent_at(len(points), level=level, looks=looks)
        reason = None if p <= may else f"p {p:.4f} is above {may:.4f}: as far as two runs of generation 0 may differ"
        return Reading(value, p <= may, reason, {"floor": floor, "p": p})

    options = {"level": level, "looks": looks, "permutations": permutations, "seed": seed}
    return Monitor("behaviour", reads, threshold, "at_least", action, level, measure, options)


def _counts(classes_of: IntArray, classes: int) -> FloatArray:
    """Return (…, classes) counts of (…, probes) class numbers."""
    return np.stack([(classes_of == c).sum(axis=-1) for c in range(classes)], axis=-1).astype(np.float64)


def _relative(p: FloatArray, q: FloatArray) -> FloatArray:
    """Relative entropy in bits; q is above 0 wherever p is."""
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0.0)
    return np.asarray((p * np.log2(ratio)).sum(axis=-1))
