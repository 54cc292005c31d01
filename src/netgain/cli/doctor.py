"""`netgain doctor`: what a study needs of this machine."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from netgain import __version__
from netgain.cli.answer import Reply
from netgain.ledger import FolderLock, held
from netgain.sandbox.choice import Row, table

Json = Any
NEEDED = ("numpy", "click", "rich", "jinja2", "pydantic")
OPTIONAL = {  # package -> what needs it, and the extra that brings it
    "torch": ("the recipe `length`", "torch"),
    "safetensors": ("the recipe `length`", "torch"),
    "scikit-learn": ("the recipe `drift`", "sklearn"),
}
OLDEST = (3, 11)
ENOUGH_BYTES = 1 << 30


def doctor(*, sandbox: bool = False) -> Reply:
    """All checks; exit code 2 when something that every study needs is missing, or a sandbox lets an attack succeed."""
    checks = [_python(), *map(_package, NEEDED), *_extras(), _database(), _lock(), _cores(), _disk()]
    rows = table(attack=sandbox)
    checks += [_sandbox(row) for row in rows]
    failed = [one["name"] for one in checks if one["ok"] is False]
    marks = {True: "ok  ", False: "FAIL", None: "-   "}
    lines = [f"{marks[one['ok']]} {one['name']:<12} {one['detail']}" for one in checks]
    if not sandbox:
        lines.append("sandboxes were looked for, not attacked; next: netgain doctor --sandbox")
    record = {"schema": "netgain.doctor/1", "version": __version__, "ok": not failed, "checks": checks,
              "sandboxes": [_kept(row) for row in rows]}  # fmt: skip
    return Reply(record, "\n".join(lines), 2 if failed else 0)


def _sandbox(row: Row) -> dict[str, Json]:
    """One line of the table: level, what became of the attacks, and the next step where it is not to be had."""
    level = f"S{int(row.level)}"
    if not row.available:
        return _check(row.name, None, f"{level}, not here: {row.why}; next: {row.remedy}")
    told = f"{level}, " + (f"not kept together: {row.why}; " if row.why else "")
    if row.outcomes is None:
        return _check(row.name, True, f"{told}not attacked")
    won = [one for one in row.outcomes if not one.stopped]
    if won:
        breaches = "; ".join(f"{one.what} ({one.detail})" for one in won)
        return _check(row.name, False, f"{told}LET A PROGRAM {breaches}; next: {row.remedy}")
    return _check(row.name, True, f"{told}{len(row.outcomes)} attacks stopped")


def _kept(row: Row) -> dict[str, Json]:
    """One backend for `--json`: everything that the line of text says, field by field."""
    attacks = None if row.outcomes is None else [
        {"name": one.attack, "what": one.what, "stopped": one.stopped, "detail": one.detail} for one in row.outcomes
    ]  # fmt: skip
    reason = {} if attacks is not None else {"attacks_reason": row.why if not row.available else "not asked for"}
    return {"name": row.name, "level": int(row.level), "available": row.available, "why": row.why, "attacks": attacks,
            "holds": row.holds, "remedy": row.remedy, **reason}  # fmt: skip


def _check(name: str, ok: bool | None, detail: str) -> dict[str, Json]:
    return {"name": name, "ok": ok, "detail": detail}


def _python() -> dict[str, Json]:
    return _check("python", sys.version_info >= OLDEST, f"{platform.python_version()} on {platform.platform()}")


def _package(name: str) -> dict[str, Json]:
    try:
        return _check(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return _check(name, False, "missing; next: pip install netgain")


def _extras() -> list[dict[str, Json]]:
    found = [(_package(name), use, extra) for name, (use, extra) in OPTIONAL.items()]
    missing = "not installed, needed by {}; next: pip install 'netgain[{}]'"
    return [one if one["ok"] else _check(one["name"], None, missing.format(use, extra)) for one, use, extra in found]


def _database() -> dict[str, Json]:
    return _check("sqlite", sqlite3.sqlite_version_info >= (3, 24), sqlite3.sqlite_version)


def _lock() -> dict[str, Json]:
    """Whether two runs in one folder would see each other here."""
    try:
        with tempfile.TemporaryDirectory(prefix=".netgain-", dir=".") as name, FolderLock(Path(name)):
            works = held(Path(name))
    except OSError as error:
        return _check("locks", False, f"cannot write in {os.getcwd()}: {error.strerror}")
    return _check("locks", works, f"hold in {os.getcwd()}" if works else "locks do not hold here")


def _cores() -> dict[str, Json]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _check("cores", True, f"{usable} usable: --workers of as many is the most that helps")


def _disk() -> dict[str, Json]:
    free = shutil.disk_usage(".").free
    return _check("disk", free >= ENOUGH_BYTES or None, f"{free / 1e9:.1f} GB free in {os.getcwd()}")
