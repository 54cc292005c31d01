"""Finished studies of the simulated ladder, and forged copies of them whose digests, chains and tree all fit."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from here import run_here
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.ledger import Event, Ledger, Stored
from netgain.ledger.files import DIGESTS, write_digests
from netgain.session import Study
from netgain.testing.ladder import Ladder

Events = list[Event]
Edit = Callable[[Events], Events | None]


def ladder_study(
    folder: Path,
    *,
    options: dict[str, Any] | None = None,
    claim: Claim | None = None,
    extend: bool = False,
    **changes: Any,
) -> Path:
    """A study of the ladder with both of its files, run to its verdict in a second or two."""
    options = {"target": 6, **(options or {})}
    ladder = Ladder(**options)
    files = {"netgain.toml": "# how\n", "claim.toml": "# what\n"}
    exploratory = changes.pop("exploratory", False)
    study = Study(
        ladder.loop(),
        ladder.suite(),
        claim=claim or Claim("ladder", by=0.05, rung="R1", looks=(5,)),
        **{"arms": ("self", "frozen", "ordinary"), "replicas": 5, "rounds": 2, **changes},
        reference=Reference("netgain.testing.ladder:make", options),
        files=files,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    run_here(study, folder, extend=extend, exploratory=exploratory)
    return folder


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """A study that all test processes use and none changes; the first one that comes makes it."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with open(root / f"{name}.turn", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        return root / name if (root / name / DIGESTS).exists() else make(root / name)


def entries(folder: Path) -> list[Stored]:
    with Ledger.open(folder, readonly=True) as log:
        return list(log.events())


def forged(honest: Path, copy: Path, edit: Edit) -> Path:
    """A copy with an edited log: every hash is made again, so that only what the events say can be found wrong."""
    shutil.copytree(honest, copy)
    for name in ("ledger.db", DIGESTS):
        (copy / name).unlink()
    before = entries(honest)
    events = [Event(entry.kind, entry.run, entry.data) for entry in before]
    events = edit(events) or events
    times = [entry.time for entry in before] + [before[-1].time] * len(events)
    clock = iter(times)
    with Ledger.create(copy, clock=lambda: next(clock)) as log:
        log.append(events)
        log.seal_files()
    return copy


def resealed(folder: Path) -> Path:
    """The digests of all files as they are now: what a forger would write."""
    (folder / DIGESTS).unlink(missing_ok=True)
    write_digests(folder)
    return folder


def places(events: Sequence[Event], kind: str, **wanted: object) -> list[int]:
    """Indices of events of a kind whose data has these values."""
    matching = (i for i, event in enumerate(events) if event.kind == kind)
    return [i for i in matching if all(events[i].data.get(key) == value for key, value in wanted.items())]


def flipped(path: Path, position: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1 << bit
    path.write_bytes(data)


def fingerprint(folder: Path) -> dict[str, str]:
    """Digest of every file, the lock included: nothing may change it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
