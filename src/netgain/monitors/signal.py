"""What a monitor is, and what one look of it says.

A monitor reads one declared key of the records of all rounds so far, makes one number of them and compares it with a
threshold that stands in the claim. Its signal is a pure function of recorded numbers, so a stranger can compute it
again. An alarm is True or False; None means that the monitor could not run, which is a limit of the verdict and never
a pass.

A record is a mapping with `round` (0 for generation 0) and the keys that monitors read. A key that is absent or null
is missing, not zero; `record["why"][key]` may say why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal, NamedTuple, get_args

from netgain.errors import ConfigError

Json = Any
Action = Literal["watch", "freeze", "pause", "reject", "roll_back", "halt"]
Direction = Literal["at_least", "below"]
History = Sequence[Mapping[str, Json]]

NOT_RUN = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What malformed recorded numbers raise: the monitor has not run, and says so."""


class Point(NamedTuple):
    """What the declared key held in one round; rounds without it are left out of a series."""

    round: int
    value: Json


@dataclass(frozen=True)
class Reading:
    """What a rule makes of a series.

    Attributes:
        value: the number that is compared with the threshold.
        proven: False while chance is not ruled out at the registered level: then there is no alarm, whatever the value.
        reason: why nothing is proven, None where it is.
        numbers: further numbers to show; nothing is decided on them.
    """

    value: float
    proven: bool = True
    reason: str | None = None
    numbers: Mapping[str, Json] = field(default_factory=dict)


Measure = Callable[[Sequence[Point]], Reading]
"""A rule: from the series of a key to a reading. It raises one of `NOT_RUN` where it cannot."""


@dataclass(frozen=True)
class Signal:
    """One look of one monitor.

    Attributes:
        monitor, reads: which monitor, over which key of the records.
        round: round of the latest record.
        value: the number compared, None where the monitor could not run.
        threshold, direction, action: as registered.
        alarm: True, False, or None where the monitor could not run.
        reason: why it could not run, or why there is no alarm in spite of the value; else None.
        false_alarm: bound on the chance of any false alarm in a run, or a sentence that says what is known.
        numbers: further numbers to show.
    """

    monitor: str
    reads: str
    round: int
    value: float | None
    threshold: float
    direction: Direction
    action: Action
    alarm: bool | None
    reason: str | None
    false_alarm: float | str
    numbers: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """Return the signal as plain JSON values."""
        return {**asdict(self), "numbers": dict(self.numbers)}


@dataclass(frozen=True)
class Monitor:
    """One registered monitor; made by a constructor of `netgain.monitors.MONITORS`.

    Attributes:
        name: the constructor's name.
        reads: key of the records.
        threshold: alarm when the value is `at_least` the threshold, or `below` it, as `direction` says.
        action: what the loop does on an alarm.
        false_alarm: bound on the chance of any false alarm in a run, or a sentence.
        measure: the rule, from the series of the key to a reading.
        options: further arguments of the constructor, JSON values.
    """

    name: str
    reads: str
    threshold: float
    direction: Direction
    action: Action
    false_alarm: float | str
    measure: Measure = field(repr=False, compare=False)
    options: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise ConfigError.unknown("action of a monitor", self.action, get_args(Action))
        if not math.isfinite(self.threshold):
            raise ConfigError(f"threshold {self.threshold!r} of monitor {self.name!r} must be finite")
        level, looks = self.options.get("level"), self.options.get("looks", 1)
        if level is not None and not 0.0 < level < 1.0:
            raise ConfigError(f"level {level!r} of monitor {self.name!r} is outside (0, 1)", fix="0.05 is usual")
        if looks < 1:
            raise ConfigError(f"looks {looks!r} of monitor {self.name!r} must be at least 1", fix="count the rounds")

    def look(self, history: History) -> Signal:
        """Return the signal after the latest record of ``history``; never raises on what records hold.

        Args:
            history: records of the rounds so far, one per round, rounds rising.
        """
        try:
            points, missing = _series(history, self.reads)
            if missing:
                return self._signal(history, None, missing)
            return self._signal(history, self.measure(points), None)
        except NOT_RUN as error:
            return self._signal(history, None, f"{type(error).__name__}: {error}")

    def to_json(self) -> dict[str, Json]:
        """Return what is registered in a claim; `netgain.monitors.from_json` is its inverse."""
        return {
            "name": self.name,
            "reads": self.reads,
            "threshold": self.threshold,
            "direction": self.direction,
            "action": self.action,
            "options": dict(self.options),
            "false_alarm": self.false_alarm,
        }

    def _signal(self, history: History, reading: Reading | None, reason: str | None) -> Signal:
        value: float | None = None
        alarm: bool | None = None
        numbers: Mapping[str, Json] = {}
        if reading is not None and not math.isfinite(reading.value):
            reason = f"value {reading.value!r} is not finite"
        elif reading is not None:
            value, numbers = float(reading.value), dict(reading.numbers)
            crossed = value >= self.threshold if self.direction == "at_least" else value < self.threshold
            alarm = crossed and reading.proven
            reason = reading.reason if crossed and not reading.proven else None
        return Signal(
            self.name, self.reads, _last_round(history), value, self.threshold, self.direction, self.action,
            alarm, reason, self.false_alarm, numbers,
        )  # fmt: skip


def reasons_to_stop(signals: Sequence[Signal]) -> list[str]:
    """Return why a loop stops after these signals; empty when it goes on. A signal that could not run stops it too.

    Args:
        signals: of the monitors whose action is not to watch; watching ones are passed over.
    """
    return [
        f"{signal.monitor} ({signal.reads}): " + ("alarm" if signal.alarm else f"could not run, {signal.reason}")
        for signal in signals
        if signal.action != "watch" and signal.alarm is not False
    ]


def _series(history: History, key: str) -> tuple[list[Point], str | None]:
    """Return the rounds that have the key, and why the latest is missing, if it is."""
    if not history:
        return [], "no round is recorded"
    rounds = [int(record["round"]) for record in history]
    if any(later <= earlier for earlier, later in pairwise(rounds)):
        raise ValueError(f"rounds {rounds!r} must rise: one record per round")
    points = [Point(int(record["round"]), record[key]) for record in history if record.get(key) is not None]
    if not points or points[-1].round != rounds[-1]:
        why = (history[-1].get("why") or {}).get(key)
        return points, f"round {rounds[-1]} has no {key!r}" + (f": {why}" if why else "")
    return points, None


def _last_round(history: History) -> int:
    """Return the round of the latest record; -1 where there is none to name."""
    last = history[-1].get("round") if history else None
    return last if isinstance(last, int) else -1
