"""What a reliability test did, kept for docs/reliability.md: how many trials, how many failures, from which seed.

Nothing is kept unless NETGAIN_RELIABILITY names a file; then each call adds one line of JSON to it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
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
        measured: further figures, with units in their names: ``p99_seconds``; how busy the machine is stands beside.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return
    line = {
        "goal": goal, "what": what, "trials": trials, "failures": failures, "seed": seed, "command": command,
        "python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}",
        **({"measured": measured, "busy": busy()} if measured else {}),
    }  # fmt: skip
    with open(path, "a") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")


def busy() -> dict[str, float | None]:
    """How busy this machine is: what a time that was measured on it has to be read with.

    Returns:
        ``load_per_core``: runnable processes of the last minute over cores, None where the system does not tell;
        ``wall_per_processor_second``: of a fixed piece of work, 1.0 on an idle core; the median of nine.
    """
    ratios = []
    for _ in range(9):
        wall, own = time.perf_counter(), time.thread_time()
        sum(number * number for number in range(200_000))
        ratios.append((time.perf_counter() - wall) / max(time.thread_time() - own, 1e-9))
    load = round(os.getloadavg()[0] / (os.cpu_count() or 1), 1) if hasattr(os, "getloadavg") else None
    return {"load_per_core": load, "wall_per_processor_second": round(statistics.median(ratios), 2)}
