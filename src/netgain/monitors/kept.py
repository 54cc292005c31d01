"""How much of what a loop makes its own checks let through: the cheapest early sign of an avalanche.

A check that shares the generator's errors delays an avalanche and does not stop it; what it keeps falls meanwhile
(``loops.md`` loop B: kept .64, .27, .14, .08 while label accuracy goes .90, .63, .20, .03). Record:
`{"hits": kept, "asked": made}`.
"""

from collections.abc import Sequence
from dataclasses import replace

from netgain.monitors.bounds import shown_below
from netgain.monitors.signal import Action, Monitor, Point, Reading
from netgain.monitors.trend import trend


def kept_share(
    *, reads: str = "kept", threshold: float = 0.5, level: float = 0.05, looks: int = 20, action: Action = "pause"
) -> Monitor:
    """Alarm when the kept share is shown to be below ``threshold``: its exact upper bound is.

    While the true share stays at or above the threshold, the chance of any alarm in ``looks`` rounds is at most
    ``level``.
    """

    def measure(points: Sequence[Point]) -> Reading:
        return shown_below(points, level=level, looks=looks)

    return Monitor("kept_share", reads, threshold, "below", action, level, measure, {"level": level, "looks": looks})


def kept_trend(
    *, reads: str = "kept", threshold: float = 0.5, ahead: int = 3, level: float = 0.05, action: Action = "watch"
) -> Monitor:
    """Alarm when the kept share falls from round to round and will be below ``threshold`` in ``ahead`` rounds."""
    plain = trend(reads=reads, threshold=threshold, ahead=ahead, level=level, scale="logit", action=action)
    return replace(plain, name="kept_trend", options={"ahead": ahead, "level": level})
