"""Whether a round spends what it books: measured seconds of computing against the operations on the loop's own meter.

The clock is the executor's, the operations are the loop's word. Record: `{"unit", "seconds", "booked", "first":
{"seconds", "booked"}}`, of a round's proposal and build, and of making generation 0. A loop that books too little in
both is not found, nor is work that needs no processor of this machine.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from netgain.monitors.signal import Action, Monitor, Point, Reading


def unbooked(*, reads: str = "metering", threshold: float = 2.0, action: Action = "pause") -> Monitor:
    """Alarm when a booked operation takes ``threshold`` times the seconds that it took in making generation 0.

    A round whose work is of another kind (searching, not training) has another rate: measure a healthy loop first.
    """

    def measure(points: Sequence[Point]) -> Reading:
        last = points[-1].value
        now, first = _rate(last), _rate(last["first"])
        return Reading(now / first, numbers={"unit": last["unit"], "rate": now, "first": first})

    said = "none: how evenly seconds follow operations on a machine is not known beforehand"
    return Monitor("unbooked", reads, threshold, "at_least", action, said, measure)


def _rate(spent: Mapping[str, Any]) -> float:
    """Seconds per booked operation."""
    seconds, booked = spent["seconds"], spent["booked"]
    if seconds is None or booked is None or not (seconds > 0.0 and booked > 0.0):
        raise ValueError(f"seconds {seconds!r} for booked {booked!r}: expected known amounts above 0")
    return float(seconds / booked)
