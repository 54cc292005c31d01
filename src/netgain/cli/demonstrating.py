"""`netgain demo`: a taste for somebody who has just installed the package: a loop, its controls, a verdict, a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from netgain.arms import WORDS
from netgain.cli.answer import Reply, note
from netgain.cli.folder import STUDIES, make_folder, open_project
from netgain.cli.running import Run, conduct
from netgain.cli.words import verdict_in_words
from netgain.ledger import FolderLock, Ledger
from netgain.report.figures import middle, points
from netgain.report.reading import Reading, read
from netgain.seal import facts_of
from netgain.session import registered

Json = Any
FOLDER = STUDIES / "demo"
RECIPE, SIZE = "improver", "demo"
OPENING = (
    "An evolution strategy edits its own numbers, in 6 starts, beside 6 controls. It does get better. The question is\n"
    "whether that is more than what plain tuning, numbers drawn at random, or chance would have given. No torch."
)


def demo(*, folder: Path | None, workers: int, as_json: bool) -> Reply:
    """`netgain demo`."""
    where = folder or FOLDER
    if not where.is_dir() or not any(where.iterdir()):
        make_folder(where, RECIPE, size=SIZE, root=None)
    project = open_project(where, device="cpu")
    if not registered(where):
        note(OPENING)
    with FolderLock(where):
        pass
    quiet = as_json or not sys.stdout.isatty()  # a line for each decision is for longer studies
    verdict = conduct(Run(project, workers, extend=False, exploratory=False, quiet=quiet), None)
    with Ledger.open(where, readonly=True) as log:
        found = _scores(read(facts_of(log)))
    record = {
        "schema": "netgain.demo/1", "folder": str(where), "verdict": verdict.word, "rung": verdict.rung,
        "effect": verdict.to_json()["effect"], "scores": found, "report": str(where / "report.html"),
    }  # fmt: skip
    return Reply(record, f"{_table(found)}\n\n{verdict_in_words(verdict.to_json(), where)}")


def _scores(reading: Reading) -> dict[str, float | None]:
    """Arm -> median over starts of the sealed score of what it served, best first."""
    found = {arm: middle(reading.sealed(arm)) for arm in reading.arms}
    return dict(sorted(found.items(), key=lambda one: -1.0 if one[1] is None else one[1], reverse=True))


def _table(scores: dict[str, float | None]) -> str:
    rows = [f"{points(score):>6}  {arm:<24} {_words(arm)}" for arm, score in scores.items()]
    return "\n".join(["median sealed score of what each arm serves", *rows])


def _words(arm: str) -> str:
    return WORDS.get(arm, "its own check never consulted" if arm.startswith("unguarded:") else arm)
