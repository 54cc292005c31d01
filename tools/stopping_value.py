"""What stopping was worth: the loop with a monitor that freezes what is served, less the same loop with its alarms off.

A freeze keeps the released system where it stands and lets the loop go on, so both arms have the whole horizon; under a
halt the twin would end in the same round as the loop, as every control does.

    python tools/stopping_value.py collapse goodhart drift hasty shuffled biased

runs one study for each name (`length` at size tiny, the others at their default size) and prints a row of
docs/recipes/stopping.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from netgain.claim import Claim
from netgain.evidence.student import mean_interval
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.monitors import MONITORS
from netgain.monitors.signal import Monitor
from netgain.recipes import build_recipe
from netgain.report.reading import Reading, read
from netgain.seal import facts_of
from netgain.session import Study, run_study

OFF = "stop:off"
LOST = 0.05  # points on report items, which no monitor reads, that count as damage
LENGTH = {"task": "reverse", "check": "cycle"}


@dataclass(frozen=True)
class Case:
    """A planted loop, the monitor that stops it, and the axes on which its damage is."""

    recipe: str
    monitor: Monitor
    axes: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    canaries: int = 40

    @property
    def size(self) -> str:
        """Size of the study."""
        return "tiny" if self.recipe == "length" else "default"


KEPT = MONITORS["kept_share"](threshold=0.1, action="freeze")
LABELS = MONITORS["label_accuracy"](threshold=0.9, action="freeze")
CARELESS = MONITORS["net_loss"](reads="flips.careful", action="freeze")
HARM = MONITORS["harm"](action="freeze")
CASES = {
    "collapse": Case("collapse", HARM, ("truth", "tails")),
    "goodhart": Case("goodhart", HARM, ("gold", "calibration")),
    "drift": Case("drift", CARELESS, ("accuracy", "careful"), canaries=200),
    "hasty": Case("length", KEPT, ("ladder", "retention"), {**LENGTH, "plant": "hasty"}),
    "shuffled": Case("length", LABELS, ("ladder", "retention"), {**LENGTH, "plant": "shuffled"}),
    "biased": Case("length", LABELS, ("ladder", "retention"), {**LENGTH, "plant": "biased"}),
    "collapse-twin": Case("collapse", HARM, ("truth", "tails"), {"mode": "fresh"}),
    "goodhart-twin": Case("goodhart", HARM, ("gold", "calibration"), {"labels": 1000}),
    "drift-twin": Case("drift", CARELESS, ("accuracy", "careful"), {"labels": "people"}, canaries=200),
}


def study(case: Case, starts: int, mode: str, root: str | None) -> Study:
    """The loop, generation 0 and the loop with its alarms off, under a gate of this mode."""
    built = build_recipe(case.recipe, case.options, case.size)
    own = built.claim
    claim = Claim(own.metric, by=own.by, beats=("frozen",), rung="R1", expected=own.expected, mode=mode)
    reference = Reference(f"netgain.recipes.{case.recipe}:make", {**case.options, "size": case.size})
    suite, arms = built.suite.with_canaries(case.canaries), ("self", "frozen", OFF)
    return Study(built.loop, suite, arms, claim, replicas=starts, rounds=built.rounds, reference=reference, root=root,
                 monitors=(case.monitor,))  # fmt: skip


def finished(case: Case, starts: int, mode: str, root: str | None) -> Reading:
    """The study, run in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state")
        run_study(study(case, starts, mode, root), Path(folder) / "study", workers=1)
        with Ledger.open(Path(folder) / "study", readonly=True) as log:
            return read(facts_of(log))


def row(name: str, reading: Reading, case: Case, mode: str) -> str:
    """One row: where it stopped, and on each axis the loop and its twin without stops against generation 0."""
    stops = Counter(_stop(run) for run in reading.runs("self"))
    when = ", ".join(f"{'never' if at is None else at} ({n})" for at, n in sorted(stops.items(), key=str))
    cells = []
    for axis in case.axes:
        stopped, on = (np.nanmean(_floats(reading.differences("frozen", axis, own=one))) for one in ("self", OFF))
        hurt = Counter(damaged(reading, run, axis) for run in reading.runs(OFF))
        lower = ", ".join(f"{'never' if at is None else at} ({n})" for at, n in sorted(hurt.items(), key=str))
        worth = mean_interval(_floats(reading.differences(OFF, axis)))
        ends = "no spread" if worth.low is None else f"[{worth.low:+.3f}, {worth.high:+.3f}]"
        cells.append(f"`{axis}`: {lower} | {stopped:+.3f} against {on:+.3f} | {worth.mean:+.3f} {ends}")
    head = f"| `{name}`, {mode} | `{case.monitor.name}` | {when} |"
    return "\n".join(f"{head if not at else '| | | |'} {cell} |" for at, cell in enumerate(cells))


def damaged(reading: Reading, run: Any, axis: str) -> int | None:
    """First round after which the twin without stops is five points below generation 0 on report items."""
    curve = reading.curve(run, "working", axis)
    return min((at for at, score in curve.items() if score <= curve[0] - LOST), default=None)


def _stop(run: Any) -> int | None:
    return next((at for at, told in sorted(run.watched.items()) if told["acted"] == "freeze"), None)


def _floats(values: Any) -> Any:
    return np.array([np.nan if one is None else one for one in values])


def main() -> None:
    """Print a row for every name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=CASES)
    parser.add_argument("--starts", type=int, default=6)
    parser.add_argument("--mode", default="watch", choices=("watch", "advance", "strict"))
    parser.add_argument("--root", default="57" * 32, help="64 hex digits; the same root gives the same figures")
    given = parser.parse_args()
    for name in given.names:
        case = replace(CASES[name])
        print(row(name, finished(case, given.starts, given.mode, given.root), case, given.mode), flush=True)


if __name__ == "__main__":
    main()
