"""Losses: what a loop sees of its own data against data from outside, and whether training itself went well.

Own against outside: a model refitted on its own output likes that output ever better while the world likes it ever
less (``loops.md`` loop G). Record: `{"own": nats, "outside": nats}`, mean losses on own data and on outside data.

Training health: record of `health`, made from the losses and gradient norms of all steps of one round.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.monitors.signal import Action, Monitor, Point, Reading
from netgain.monitors.trend import since_first

WINDOW = 20
"""Steps before a step that it is compared with."""

SCALE_FLOOR = 0.01
"""Smallest robust scale of logarithms that a spike is measured in: one per cent is no spike."""

NORMAL = 1.4826
"""Median absolute deviation of a normal sample times this estimates its standard deviation."""


def own_against_outside(
    *, reads: str = "losses", threshold: float = 0.05, level: float | None = 0.05, action: Action = "pause"
) -> Monitor:
    """Alarm when the outside loss has risen by ``threshold`` nats more than the own loss shows, and keeps rising.

    The value is (rise of the outside loss since the first round) - (rise of the own loss, 0 where it fell). It has to
    be proven by the trend of all rounds: chance of any alarm at most ``level`` while rounds are exchangeable. ``level``
    None asks for no proof, and there is no error rate.
    """
    said: float | str = "none: one round above the threshold is an alarm" if level is None else level

    def measure(points: Sequence[Point]) -> Reading:
        return since_first(points, hidden_rise, falling=False, level=level)

    return Monitor("own_against_outside", reads, threshold, "at_least", action, said, measure, {"level": level})


def hidden_rise(first: Mapping[str, float], latest: Mapping[str, float]) -> float:
    """Return the rise of the outside loss that the own loss does not show, in nats."""
    return (latest["outside"] - first["outside"]) - max(0.0, latest["own"] - first["own"])


def health(losses: npt.ArrayLike, gradient_norms: npt.ArrayLike) -> dict[str, Any]:
    """Return what is recorded of one round's training.

    Args:
        losses, gradient_norms: (steps,) of the round, above 0 where finite; NaN and infinity are what is looked for.

    Returns:
        `steps`; `non_finite`, steps whose loss or norm is not finite; `loss_spike` and `gradient_spike`, the largest
        robust excess (see `largest_spike`), None where there are too few finite steps.
    """
    loss, norm = np.asarray(losses, dtype=np.float64), np.asarray(gradient_norms, dtype=np.float64)
    if loss.shape != norm.shape or loss.ndim != 1:
        raise ValueError(f"losses {loss.shape} and gradient norms {norm.shape}: expected (steps,) each")
    return {
        "steps": int(loss.size),
        "non_finite": int((~np.isfinite(loss) | ~np.isfinite(norm)).sum()),
        "loss_spike": largest_spike(loss),
        "gradient_spike": largest_spike(norm),
    }


def largest_spike(values: npt.ArrayLike, *, window: int = WINDOW) -> float | None:
    """Return by how many robust standard deviations some step lies above the ``window`` steps before it, in logarithms.

    Centre and scale are median and 1.4826 median absolute deviations of the window (Hampel 1974), the scale at least
    ``SCALE_FLOOR``. None with no step after a full window. Steps that are not finite and above 0 are left out.
    """
    x = np.asarray(values, dtype=np.float64)
    logs = np.log(x[np.isfinite(x) & (x > 0.0)])
    if logs.size <= window:
        return None
    before = np.lib.stride_tricks.sliding_window_view(logs, window)[:-1]
    centre = np.median(before, axis=1)
    scale = np.maximum(NORMAL * np.median(np.abs(before - centre[:, None]), axis=1), SCALE_FLOOR)
    return float(((logs[window:] - centre) / scale).max())


def non_finite(*, reads: str = "health", threshold: float = 1.0, action: Action = "reject") -> Monitor:
    """Alarm when ``threshold`` steps of a round had a loss or a gradient that is not finite."""

    def measure(points: Sequence[Point]) -> Reading:
        return Reading(float(points[-1].value["non_finite"]), numbers={"steps": points[-1].value["steps"]})

    said = "none needed: a count of what happened, not an estimate"
    return Monitor("non_finite", reads, threshold, "at_least", action, said, measure)


def spikes(
    *, reads: str = "health", threshold: float = 12.0, of: str = "gradient_spike", action: Action = "watch"
) -> Monitor:
    """Alarm when ``of`` ("loss_spike" or "gradient_spike") exceeds ``threshold`` robust standard deviations."""

    def measure(points: Sequence[Point]) -> Reading:
        value = points[-1].value[of]
        if value is None:
            raise ValueError(f"{of} is unknown: no step after a window of {WINDOW} finite ones")
        return Reading(float(value))

    said = "none guaranteed: it depends on the noise of training; measured in docs/monitors.md"
    return Monitor("spikes", reads, threshold, "at_least", action, said, measure, {"of": of})
