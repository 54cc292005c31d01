"""`netgain run`: plan what is new, run or continue it, print the verdict."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netgain.cli.answer import Reply, note
from netgain.cli.folder import STUDIES, Project, folder_of, make_folder, open_project
from netgain.cli.planned import REFUSED, no_size, planned, table
from netgain.cli.progress import shown
from netgain.cli.words import verdict_in_words
from netgain.config import STUDY_NAME
from netgain.errors import ConfigError
from netgain.evidence.verdict import Verdict
from netgain.inert import plain
from netgain.ledger import FolderLock
from netgain.ledger.files import DIGESTS
from netgain.planning import Plan
from netgain.session import registered, run_study

Json = Any


@dataclass(frozen=True)
class Run:
    """How `run` was called."""

    project: Project
    workers: int
    extend: bool
    exploratory: bool
    quiet: bool
    new_epoch: str | None = None


def run(
    *, target: str, size: str | None, workers: int | None, device: str, extend: bool, exploratory: bool,
    root: str | None, as_json: bool, new_epoch: bool = False, reason: str | None = None,
) -> Reply:  # fmt: skip
    """`netgain run`."""
    _check_epoch(new_epoch, reason)
    project = _project(target, size=size, device=device, root=root)
    if extend or not (project.folder / DIGESTS).exists():
        with FolderLock(project.folder):  # busy, or not to be written: said before the minutes of a plan
            pass
    asked = Run(project, workers or project.workers, extend, exploratory, as_json, reason if new_epoch else None)
    plan = None
    if not registered(project.folder):
        plan = planned(project, asked.workers)
        (note if as_json else _say)(table(project.study, plan))
        if not plan.answerable and not exploratory:
            return _refused(project, plan)
    verdict = conduct(asked, plan)
    return replied(project.folder, verdict, plan)


def _check_epoch(new_epoch: bool, reason: str | None) -> None:
    """Refuse a new epoch without a reason, and a reason for nothing."""
    if new_epoch and not (reason or "").strip():
        raise ConfigError("--new-epoch without a reason", fix="say why the contract moved: --reason TEXT")
    if reason is not None and not new_epoch:
        raise ConfigError(f"--reason {reason!r} without --new-epoch", fix="leave it out, or add --new-epoch")


def replied(folder: Path, verdict: Verdict, plan: Plan | None) -> Reply:
    """A verdict as record and text."""
    return Reply(_record(folder, verdict, plan), verdict_in_words(verdict.to_json(), folder))


def _say(text: str) -> None:
    print(plain(text), flush=True)  # noqa: T201 - the results of `run` come one by one


def _project(target: str, *, size: str | None, device: str, root: str | None) -> Project:
    folder = folder_of(target)
    if folder.is_dir() and any(folder.iterdir()):
        no_size(size, folder)
        if not (folder / STUDY_NAME).exists() and (folder / "ledger.db").exists():
            raise ConfigError(
                f"no {STUDY_NAME} beside the ledger: this study was started from Python", where=str(folder),
                fix="run that script again: it continues the study",
            )  # fmt: skip
        return open_project(folder, device=device, root=root)
    if folder.parent != STUDIES or folder.name != target:
        raise ConfigError(f"{target!r} holds no study", where=target, fix="`netgain init DIR --from RECIPE` makes one")
    make_folder(folder, target, size=size, root=root)
    return open_project(folder, device=device)


def conduct(asked: Run, plan: Plan | None) -> Verdict:
    """Run a study with its progress shown; ended from outside it keeps its state."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside: the same as Ctrl-C
    try:
        with shown(asked.project, asked.workers, plan, quiet=asked.quiet) as watch:
            return run_study(
                asked.project.study, asked.project.folder, workers=asked.workers, watch=watch, say=note,
                exploratory=asked.exploratory, extend=asked.extend, plan=plan.to_json() if plan else None,
                new_epoch=asked.new_epoch,
            )  # fmt: skip
    finally:
        signal.signal(signal.SIGTERM, before)


def _refused(project: Project, plan: Plan) -> Reply:
    record = {
        "schema": "netgain.run/1", "folder": str(project.folder), "state": "planned", "verdict": None,
        "verdict_reason": "the plan cannot answer the claim", "reasons": list(plan.reasons), "plan": plan.to_json(),
    }  # fmt: skip
    fix = f"change {project.folder / STUDY_NAME}, or run it with --exploratory, which can never be evidence"
    return Reply(record, f"not started: this study cannot answer its claim\nnext     {fix}", REFUSED)


def _record(folder: Path, verdict: Verdict, plan: Plan | None) -> dict[str, Json]:
    told = ("verdict", "level", "rung", "endogenous", "endogenous_reason", "effect", "reasons", "limits")
    found = verdict.to_json()
    return {
        "schema": "netgain.run/1", "folder": str(folder), "state": "done", **{name: found[name] for name in told},
        "report": str(folder / "report.html"), "next": f"netgain verify {folder}",
        "plan": plan.to_json() if plan else None,
    }  # fmt: skip
