"""Label accuracy on a small audited slice: the labels that a loop made for itself, checked from outside.

Record: `{"hits": right labels, "asked": audited labels}`. The slice is drawn at random from what the loop trains on,
after it is made. For length generalisation by own labels, pilots that started at .99 went on for 8 to 12 rounds and
those at .90 or less were below .25 within three (``loops.md`` loop B).
"""

from collections.abc import Sequence

from netgain.monitors.bounds import shown_below
from netgain.monitors.signal import Action, Monitor, Point, Reading


def label_accuracy(
    *, reads: str = "audit", threshold: float = 0.9, level: float = 0.05, looks: int = 20, action: Action = "pause"
) -> Monitor:
    """Alarm when label accuracy is shown to be below ``threshold``: its exact upper bound is.

    While the true accuracy stays at or above the threshold, the chance of any alarm in ``looks`` rounds is at most
    ``level``. What a slice cannot show is printed: of 100 audited labels, 80 right ones are the most that alarm.
    """

    def measure(points: Sequence[Point]) -> Reading:
        return shown_below(points, level=level, looks=looks)

    return Monitor("label_accuracy", reads, threshold, "below", action, level, measure,
                   {"level": level, "looks": looks})  # fmt: skip
