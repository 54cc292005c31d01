"""Finished mechanisms on disk: a long run that was killed goes on where it was.

A folder of pickles that this program itself wrote, each named by the digest of everything that its content follows
from: mechanism, size, seed, code. A changed number or a changed line is another name, so nothing old is read by
mistake. Unpickling runs code: only give it a folder of your own.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from netgain.canonical import digest
from netgain.contract import code_digest, libraries
from netgain.gauntlet.found import Size
from netgain.gauntlet.population import Mechanism
from netgain.ledger.files import write_durably

Json = Any

T = TypeVar("T")


@dataclass(frozen=True)
class Kept:
    """A folder of finished parts, or None: nothing is kept."""

    folder: Path | None = None

    def get(self, what: Json, compute: Callable[[], T]) -> T:
        """What was found for this before, else what `compute` finds now.

        Args:
            what: everything besides the code that the result follows from.
            compute: called where nothing is kept.
        """
        if self.folder is None:
            return compute()
        path = self._path(self.folder, what)
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_durably(path, pickle.dumps(compute()))
        found: T = pickle.loads(path.read_bytes())
        return found

    def has(self, what: Json) -> bool:
        """Whether it was found before."""
        return self.folder is not None and self._path(self.folder, what).exists()

    @staticmethod
    def _path(folder: Path, what: Json) -> Path:
        return folder / f"{digest([what, _code(), libraries()])[:32]}.pickle"


def mechanism_of(mechanism: Mechanism, size: Size, seed: int) -> Json:
    """What the figures of a mechanism follow from: its words, its worlds, the seed, and no run of a real loop."""
    worlds = [[strength, mechanism.at(strength).to_json()] for strength in mechanism.grid]
    said = {name: getattr(mechanism, name) for name in ("name", "kind", "letter", "detector", "right", "adversarial")}
    return [said, worlds, list(mechanism.strength), asdict(replace(size, real=0, engines=0)), seed]


@cache
def _code() -> str:
    """Digest of the source that a figure follows from: what moves a result, what checks it, and the gauntlet itself."""
    package = Path(__file__).parents[1]
    files = sorted([package / "verify.py", *(package / "gauntlet").glob("*")])
    return digest(
        [code_digest(None), *(hashlib.sha256(one.read_bytes()).hexdigest() for one in files if one.is_file())]
    )
