"""One measurement: repeated figures with their median and spread, a target, a rival beside it, or why there is none."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from netgain.errors import NetgainError

Json = Any


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        repeats: figures per measurement.
        share: of the full sizes, in (0, 1]; targets are judged at 1 only.
        processes: whether to measure whole processes and trainings, which take minutes.
    """

    repeats: int = 5
    share: float = 1.0
    processes: bool = True

    def of(self, count: int, least: int = 1) -> int:
        """So many of a full count, at least `least`."""
        return max(least, round(count * self.share))


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured.

    Attributes:
        name: "group.what".
        what: in words, with the size.
        unit: of the values, as "s of CPU" or "events/s".
        values: one per repeat, in order; empty when it was skipped.
        at_most, at_least: the target, None without one.
        rival: what the same was measured with, in turn with ours.
        ratios: per repeat, how many times as fast as the rival we were (above 1: faster).
        skipped: why there are no values.
        no_rival: why there are no ratios.
    """

    name: str
    what: str
    unit: str
    values: Sequence[float] = ()
    at_most: float | None = None
    at_least: float | None = None
    rival: str | None = None
    ratios: Sequence[float] = ()
    skipped: str | None = None
    no_rival: str = "there is no rival"
    judged: bool = True
    notes: Mapping[str, Json] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target; None without values, without a target, or at a reduced size."""
        if not self.values or not self.judged or (self.at_most is None and self.at_least is None):
            return None
        middle = median(self.values)
        return (self.at_most is None or middle <= self.at_most) and (self.at_least is None or middle >= self.at_least)

    def to_json(self) -> dict[str, Json]:
        """Plain JSON; `NAME_reason` beside every null."""
        record = {"name": self.name, "what": self.what, "unit": self.unit, "repeats": len(self.values)}
        record |= {"value": None, "low": None, "high": None, "ratio": None, "target": None, "met": self.met}
        if self.values:
            record |= {"value": median(self.values), "low": min(self.values), "high": max(self.values)}
        if self.ratios:
            record["ratio"] = {
                "to": self.rival, "median": median(self.ratios), "low": min(self.ratios), "high": max(self.ratios),
            }  # fmt: skip
        if self.at_most is not None or self.at_least is not None:
            record["target"] = {"at_most": self.at_most, "at_least": self.at_least}
        missing = self.skipped or "nothing was measured"
        unjudged = missing if not self.values else "no target is set" if record["target"] is None else "a reduced size"
        why = {"value": missing, "low": missing, "high": missing, "ratio": self.skipped or self.no_rival,
               "target": "no target is set", "met": unjudged}  # fmt: skip
        reasons = {f"{name}_reason": text for name, text in why.items() if record[name] is None}
        return {**record, **reasons, **self.notes}


@dataclass(frozen=True)
class Spent:
    """What a process took, its own children included: CPU and wall seconds, and what it printed."""

    cpu: float
    wall: float
    out: str


def cpu_seconds(do: Callable[[], object]) -> float:
    """CPU seconds of this process during a call."""
    began = time.process_time()
    do()
    return time.process_time() - began


def in_turn(repeats: int, *calls: Callable[[], object]) -> list[tuple[float, ...]]:
    """CPU seconds of each call, one after the other, so often: what disturbs one disturbs its neighbours too."""
    return [tuple(cpu_seconds(do) for do in calls) for _ in range(repeats)]


def process(*arguments: str, environment: Mapping[str, str] | None = None, allowed: Sequence[int] = (0,)) -> Spent:
    """Run the interpreter with these arguments to its end.

    Raises:
        NetgainError: it ended with another code than those allowed.
    """
    began = time.monotonic()
    command = [sys.executable, *arguments]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}, text=True)
    assert child.stdout is not None
    with child.stdout:
        out = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in allowed:
        raise NetgainError(f"{command!r} ended with code {child.returncode}", fix="see what it printed above")
    wall = time.monotonic() - began
    return Spent(used.ru_utime + used.ru_stime, wall, out)


def peak_bytes() -> int:
    """Largest memory that this program has held.

    Linux says so itself; its figure for a process that was waited for counts what the parent held at the fork too.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
