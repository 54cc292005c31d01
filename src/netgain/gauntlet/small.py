"""Studies of small real loops, end to end: workers, ledger, seal, verdict, and `verify` on each finished folder.

Their roots are drawn by the operating system, as for every study that may be evidence: two calls differ.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from netgain import verify
from netgain.gauntlet.kept import Kept
from netgain.gauntlet.moons import KINDS, study
from netgain.session import run_study

GENUINE = ("frontier",)
QUICK_KINDS = ("frontier", "teacher inside")


@dataclass(frozen=True)
class RealLoop:
    """What became of the studies of one small loop.

    Attributes:
        name, kind: which loop; "genuine" or "fake".
        n: studies.
        words: as `verify` computed them from the finished folders.
        disagreed: studies whose own word was another one.
        seconds: wall time of all of them.
    """

    name: str
    kind: str
    n: int
    words: dict[str, int]
    disagreed: int
    seconds: float


def run_small(studies: int, kept: Kept, *, workers: int = 2) -> list[RealLoop]:
    """Run `studies` of every loop; of two of them only when it is one (a quick look)."""
    names = KINDS if studies > 1 else QUICK_KINDS
    return [kept.get(["real", name, studies], partial(run_loop, name, studies, workers=workers)) for name in names]


def run_loop(name: str, studies: int, *, workers: int = 2) -> RealLoop:
    """Run studies of one loop in folders that are removed."""
    began, words, disagreed = time.monotonic(), Counter[str](), 0
    for _ in range(studies):
        with tempfile.TemporaryDirectory(prefix="netgain-gauntlet-") as folder:
            own = run_study(study(name), Path(folder) / "study", workers=workers)
            found = verify.verify(Path(folder) / "study")
        words[str(found["verdict"])] += 1
        disagreed += found["verdict"] != own.word
    kind = "genuine" if name in GENUINE else "fake"
    return RealLoop(name, kind, studies, dict(words), disagreed, round(time.monotonic() - began, 1))
