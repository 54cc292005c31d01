"""Small studies of the recipes with planted pathologies: six starts at size tiny, the loop beside generation 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netgain import session
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.recipes import build_recipe
from netgain.report.reading import Reading, read
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.testing.inprocess import InProcess

ROOT = "4" * 64


def run_small(name: str, folder: Path, *, starts: int = 6, size: str = "tiny", **options: Any) -> Path:
    """A finished study of a recipe in a folder; its loop runs in this process."""
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
        built.loop, built.suite, ("self", "frozen"), claim, replicas=starts, rounds=built.rounds,
        reference=Reference(f"netgain.recipes.{name}:make", {**options, "size": size}), root=ROOT,
        about={"recipe": name, "size": size, "options": options},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "LocalWorkers", Here)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        run_study(study, folder / "study", workers=1)
    return folder / "study"


def reading_of(folder: Path) -> Reading:
    """What the report reads of it."""
    with Ledger.open(folder, readonly=True) as log:
        return read(facts_of(log))


def risen(curves: list[dict[int, float]]) -> list[float]:
    """By start, the last value less the first."""
    return [curve[max(curve)] - curve[min(curve)] for curve in curves]
