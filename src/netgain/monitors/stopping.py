"""Stop rules that count: divergence, oscillation, rollbacks in a row, canaries, budget.

`netgain.monitors.progress` has the rules on measured gains. All are monitors, so they are registered, looked at and
recomputed like any other; `netgain.monitors.reasons_to_stop` says what a loop does with their signals.
"""

from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import Any

from netgain.monitors.bounds import share
from netgain.monitors.signal import Action, Monitor, Point, Reading
from netgain.monitors.trend import factor, number, since_first


def divergence(
    *, reads: str = "step_size", threshold: float = 3.0, level: float | None = 0.05, action: Action = "halt"
) -> Monitor:
    """Stop when the size of a round's change is ``threshold`` times the first and has kept rising.

    Reads a number above 0, such as the norm of the update. Proven by the trend: chance of any alarm at most ``level``
    while rounds are exchangeable; ``level`` None asks for no proof, and there is no error rate.
    """
    said: float | str = "none: one round above the threshold is an alarm" if level is None else level

    def measure(points: Sequence[Point]) -> Reading:
        return since_first(points, lambda a, b: factor(number(a), number(b)), falling=False, level=level)

    return Monitor("divergence", reads, threshold, "at_least", action, said, measure, {"level": level})


def oscillation(*, reads: str = "working", threshold: float = 3.0, action: Action = "halt") -> Monitor:
    """Stop when the working system has come back ``threshold`` times to one that it had left.

    Reads digests. A rollback is such a return, and counts.
    """

    def measure(points: Sequence[Point]) -> Reading:
        return Reading(float(returns([point.value for point in points])))

    said = "none needed: equal digests are equal systems"
    return Monitor("oscillation", reads, threshold, "at_least", action, said, measure)


def returns(states: Sequence[Any]) -> int:
    """Return how often a sequence comes back to a value that it had left."""
    changes = [now for before, now in zip([object(), *states], states, strict=False) if now != before]
    return len(changes) - len(set(changes))


def rollbacks(*, reads: str = "rolled_back", threshold: float = 3.0, action: Action = "halt") -> Monitor:
    """Stop after ``threshold`` rounds in a row that were rolled back; reads True or False."""

    def measure(points: Sequence[Point]) -> Reading:
        gaps = [later.round - earlier.round for earlier, later in pairwise(points)]
        if any(gap != 1 for gap in gaps[-int(threshold) :]):
            raise ValueError("a round before says nothing about a rollback: rounds in a row cannot be counted")
        if any(not isinstance(point.value, bool) for point in points):
            raise ValueError(f"rolled back {points[-1].value!r}: expected True or False")
        return Reading(float(len(list(takewhile(lambda point: point.value, reversed(points))))))

    said = "that of the harm test: three false rollbacks are no likelier than one of them"
    return Monitor("rollbacks", reads, threshold, "at_least", action, said, measure)


def canary(*, reads: str = "canary", threshold: float = 1.0, action: Action = "halt") -> Monitor:
    """Stop when ``threshold`` canaries were met; reads `{"hits", "asked"}`: nothing asked is nothing seen, no pass."""

    def measure(points: Sequence[Point]) -> Reading:
        found = share(points[-1].value)
        return Reading(float(found.hits), numbers={"asked": found.asked})

    said = "the chance of meeting a keyed string by accident: asked / 2^bits of the key"
    return Monitor("canary", reads, threshold, "at_least", action, said, measure)


def budget(*, reads: str = "budget", threshold: float = 1.0, action: Action = "halt") -> Monitor:
    """Stop when the share ``threshold`` of the budget is spent; reads `{"spent", "limit"}` in one unit.

    Unknown spend is unknown: the rule has not run, and the loop stops.
    """

    def measure(points: Sequence[Point]) -> Reading:
        spent, limit = points[-1].value["spent"], points[-1].value["limit"]
        if spent is None or not limit > 0.0:
            raise ValueError(f"spent {spent!r} of limit {limit!r}: expected a known amount and a limit above 0")
        return Reading(spent / limit)

    return Monitor("budget", reads, threshold, "at_least", action, "none needed: what was booked", measure)
