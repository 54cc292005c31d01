"""The program, called from tests: what it said, and as a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import netgain

SOURCE = Path(netgain.__file__).parents[1]
DRAWN = Path(__file__).parents[1] / "drawn.py"
ROOT = "ab" * 32
TWO_ARMS = (
    "--size", "tiny", "--set", 'study.arms=["self", "frozen"]', "--set", "study.rounds=2", "--set", "claim.rung=R1",
    "--set", "claim.by=0.05",
)  # fmt: skip
ONE_START = (*TWO_ARMS, "--set", "study.replicas=1", "--set", "study.workers=1")


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        (line,) = self.out.splitlines()
        return json.loads(line)


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "XDG_STATE_HOME": str(home / "state"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def started(home: Path, *words: object, **options: Any) -> "subprocess.Popen[str]":
    """The program as a process of its own."""
    command = [sys.executable, str(DRAWN), *(str(word) for word in words)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=home, env=environment(home), **{**streams, **options})


def process(home: Path, *words: object, **options: Any) -> Said:
    """Run the program as a process of its own to its end."""
    running = started(home, *words, **options)
    out, err = running.communicate(timeout=120)
    return Said(running.returncode, out, err)


def wait_for(what: Callable[[], object], *, seconds: float = 60.0, pause: float = 0.02) -> None:
    """Look again and again until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(pause)
