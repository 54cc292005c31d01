"""Small studies of recipes with planted pathologies, the loop beside generation 0: what fired, and what was hurt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netgain import session
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.facts import Facts
from netgain.ledger import Ledger
from netgain.monitors.signal import Monitor
from netgain.recipes import build_recipe
from netgain.report.reading import Reading, read
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.suite import Suite
from netgain.testing.inprocess import InProcess

ROOT = "4" * 64
LOST = 0.05  # points on report items, which no monitor reads, that count as damage


def run_small(
    name: str, folder: Path, *, starts: int = 6, size: str = "tiny", root: str = ROOT, canaries: int = 0,
    dated_on: str | None = None, report_items: int = 0, monitors: Sequence[Monitor] = (), rounds: int | None = None,
    **options: Any,
) -> Path:  # fmt: skip
    """A finished study of a recipe in a folder; its loop runs in this process.

    `dated_on` is an axis of which so many `report_items` are asked: the size's own are too few to date five points.
    """
    built = build_recipe(name, options, size)

    class Here(InProcess):
        def __init__(self, reference: Reference, count: int) -> None:
            super().__init__(built.loop)

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    own = built.claim
    claim = Claim(own.metric, by=own.by, beats=("frozen",), rung="R1", expected=own.expected)
    study = Study(
        built.loop, dated(built.suite, dated_on, report_items).with_canaries(canaries), ("self", "frozen"), claim,
        replicas=starts, rounds=rounds or built.rounds, monitors=monitors,
        reference=Reference(f"netgain.recipes.{name}:make", {**options, "size": size}), root=root,
        about={"recipe": name, "size": size, "options": options},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "LocalWorkers", Here)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        run_study(study, folder / "study", workers=1)
    return folder / "study"


def dated(suite: Suite, axis: str | None, report_items: int) -> Suite:
    """The suite with so many report items of an axis."""
    return replace(suite, axes=[replace(one, report_items=report_items) if one.name == axis else one
                                for one in suite.axes])  # fmt: skip


def facts_in(folder: Path) -> Facts:
    """What a finished study recorded."""
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def reading_of(folder: Path) -> Reading:
    """What the report reads of it."""
    with Ledger.open(folder, readonly=True) as log:
        return read(facts_of(log))


def risen(curves: list[dict[int, float]]) -> list[float]:
    """By start, the last value less the first."""
    return [curve[max(curve)] - curve[min(curve)] for curve in curves]


def first_alarms(facts: Facts, replica: int) -> dict[str, int]:
    """Monitor -> first round of a start in which it alarmed."""
    found: dict[str, int] = {}
    for at, told in sorted(facts.runs[f"r{replica}/self"].watched.items()):
        for one in told["signals"]:
            if one["alarm"]:
                found.setdefault(one["monitor"], at)
    return found


def blind(facts: Facts, replica: int) -> dict[str, str]:
    """Monitor -> why it could not look, of the last round of a start in which that was so."""
    told = facts.runs[f"r{replica}/self"].watched.values()
    return {one["monitor"]: one["reason"] for each in told for one in each["signals"] if one["alarm"] is None}


def damaged(facts: Facts, replica: int, axis: str) -> int | None:
    """First round after which the working system is five points below generation 0 on report items."""
    run = facts.runs[f"r{replica}/self"]
    scores = {at: run.report[at, "working", axis].mean for at in range(facts.rounds + 1)}
    low = [at for at, score in scores.items() if score is not None and score <= (scores[0] or 0.0) - LOST]
    return min(low, default=None)
