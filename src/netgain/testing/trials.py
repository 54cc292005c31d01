"""What a reliability test did, kept for docs/reliability.md: how many trials, how many failures, from which seed.

Nothing is kept unless NETGAIN_RELIABILITY names a file; then each call adds one line of JSON to it.
"""

from __future__ import annotations

import json
import os
import platform
from typing import Any

VARIABLE = "NETGAIN_RELIABILITY"


def record(
    goal: str, what: str, *, trials: int, failures: int, seed: int | None, command: str, **measured: Any
) -> None:
    """Keep what a test saw; call it before the assertion, so that failures are kept too.

    Args:
        goal: "G1" to "G20", as in docs/reliability.md.
        what: a trial, in words: "images of a disk".
        trials: independent trials.
        failures: of these.
        seed: root of what was drawn; None where nothing was.
        command: what repeats it.
        measured: further figures, with units in their names: ``p99_seconds``.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return
    line = {
        "goal": goal, "what": what, "trials": trials, "failures": failures, "seed": seed, "command": command,
        "python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}",
        **({"measured": measured} if measured else {}),
    }  # fmt: skip
    with open(path, "a") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
