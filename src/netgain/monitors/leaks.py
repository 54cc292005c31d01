"""Protected items among what a loop made to train on: how they get in does not matter here.

Items of report, anchor, canary and bank splits that stand among a round's own examples are dropped before anything is
trained on them (`netgain.proposal`); how many were is the record `{"hits": dropped, "asked": made}`. A loop that draws
its own questions meets some by chance. A share above that is a leak.
"""

from collections.abc import Sequence

from netgain.monitors.bounds import shown_above
from netgain.monitors.signal import Action, Monitor, Point, Reading


def leak(
    *, reads: str = "quarantined", threshold: float = 0.02, level: float = 0.05, looks: int = 20,
    action: Action = "halt",
) -> Monitor:  # fmt: skip
    """Alarm when the share of protected items among own examples is shown to be above ``threshold``.

    While no more than that is met by chance, the chance of any alarm in ``looks`` rounds is at most ``level``.
    """

    def measure(points: Sequence[Point]) -> Reading:
        return shown_above(points, level=level, looks=looks)

    return Monitor("leak", reads, threshold, "at_least", action, level, measure, {"level": level, "looks": looks})
