"""Objects that nothing in a study names any more, such as a kill leaves behind, found and removed.

What the log names last in a record that it was dropped or redacted counts as not named; everything else that the log,
or a request that no run has read yet, mentions by digest stays, whether or not a verdict needs it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netgain.canonical import canonical
from netgain.errors import ConfigError
from netgain.ledger import FolderLock, Ledger, files
from netgain.stores import ObjectStore

DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
GIVEN_UP = ("objects_dropped", "objects_redacted")


@dataclass(frozen=True)
class Collected:
    """What was removed, or would be.

    Attributes:
        removed: digests, sorted.
        size: their bytes.
        kept: how many objects stay.
    """

    removed: Sequence[str]
    size: int
    kept: int


def collect(folder: Path, *, dry: bool = False) -> Collected:
    """Remove objects that nothing names, and in a finished study their lines in the list of digests.

    Killed in between, the same call finishes it. No other line of the list changes, so a changed file stays found.

    Args:
        dry: only say what would be removed.

    Raises:
        Busy: a run holds the folder, whose newest objects are named only after they are stored.
        ConfigError: no study.
    """
    with FolderLock(folder):
        store = ObjectStore(folder / "objects")
        with Ledger.open(folder, readonly=True) as log:
            if log.size == 0:
                raise ConfigError("no claim is registered here", where=str(folder), fix="start it with `netgain run`")
            named = named_by(log, folder)
        held = list(store.digests())
        removed = [name for name in held if name not in named]
        size = sum((store.folder / name[:2] / name[2:]).stat().st_size for name in removed)
        if not dry:
            _unlist(folder, set(removed))
            for name in removed:
                store.delete(name)
            files.sweep(folder)
    return Collected(removed, size, len(held) - len(removed))


def named_by(log: Ledger, folder: Path) -> set[str]:
    """Every digest that the log or a waiting request names, but those that were last named as given up."""
    last: dict[bytes, str] = {}
    for event in log.events():
        last |= dict.fromkeys(DIGEST.findall(canonical(event.data)), event.kind)
    named = {name.decode() for name, kind in last.items() if kind not in GIVEN_UP}
    waiting = [path.read_bytes() for path in sorted((folder / "inbox").glob("*"))]
    return named | {name.decode() for text in waiting for name in DIGEST.findall(text)}


def _unlist(folder: Path, removed: set[str]) -> None:
    path = folder / files.DIGESTS
    if removed and path.exists():
        lines = path.read_text().splitlines(keepends=True)
        gone = {f"objects/{name[:2]}/{name[2:]}" for name in removed}
        files.write_durably(path, "".join(line for line in lines if line[66:].rstrip("\n") not in gone).encode())
