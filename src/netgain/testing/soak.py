"""A long run under random kills: memory, open files and database growth of a coordinator that works for hours.

A coordinator does one reference cycle after the other, with a real worker process; it is killed at random moments and
started again. What grows is looked at within its longest life after a warm-up, and over all studies.

Run as `python -m netgain.testing.soak --seconds 300`: prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from netgain.executors import LocalWorkers, Reference
from netgain.ledger import Ledger
from netgain.result import result_digest
from netgain.testing import cycle
from netgain.testing.killing import broken

STATS = "stats.jsonl"
ROUNDS = 4
WARM_UP = 5  # studies of a coordinator before its memory is compared
KEPT = 20  # studies left on the disk


def work(root: str) -> None:
    """One coordinator: study after study until it is killed, with a line of figures after each."""
    folder = Path(root)
    done = len(_stats(folder))
    with LocalWorkers(Reference("netgain.testing.cycle:loop"), 1) as workers:
        for number in count(done):
            place = folder / f"study{number}"
            place.mkdir(exist_ok=True)
            world = cycle.world_in(place / "study", cycle.Counted(place / cycle.EFFECTS, workers), rounds=ROUNDS)
            cycle.finish(world)
            log = world.log
            assert isinstance(log, Ledger)
            told = {"digest": result_digest(log.events()), "entries": log.size, "pid": os.getpid(), **_figures()}
            log.close()
            told["bytes"] = (place / "study" / "ledger.db").stat().st_size
            with open(folder / STATS, "a") as file:
                file.write(json.dumps(told) + "\n")
            if number >= KEPT:
                shutil.rmtree(folder / f"study{number - KEPT}", ignore_errors=True)


def _figures() -> dict[str, int]:
    """Resident memory in KiB and open descriptors of this process, by /proc."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {"rss_kib": int(status["VmRSS"].split()[0]), "handles": len(os.listdir("/proc/self/fd"))}


def _stats(folder: Path) -> list[dict[str, Any]]:
    path = folder / STATS
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def soak(folder: Path, seconds: float, *, seed: int = 1, lives: tuple[float, float] = (60.0, 600.0)) -> dict[str, Any]:
    """Let a coordinator work for so long.

    Args:
        folder: empty.
        seconds: in all.
        seed: of the moments of the kills.
        lives: shortest and longest time, in seconds, after which a coordinator is killed.

    Returns:
        Figures of `summary`, with `kills`, and `broken`: what did not hold, empty if all is well.
    """
    chance, end, kills, wrong = Random(seed), time.monotonic() + seconds, 0, list[str]()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", f"from netgain.testing.soak import work; work({str(folder)!r})"]
    while (left := end - time.monotonic()) > 0:
        running = subprocess.Popen(command, env=environment)
        try:
            running.wait(min(left, chance.uniform(*lives)))
            wrong.append(f"a coordinator ended by itself with status {running.returncode}")
            break
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            running.wait()
            kills += 1
    done = _stats(folder)
    for number in range(max(0, len(done) + 1 - KEPT), len(done)):
        wrong += broken(folder / f"study{number}", kills, whole=done[0]["digest"])
    wrong += [f"study {n}: another result" for n, one in enumerate(done) if one["digest"] != done[0]["digest"]]
    return {"seconds": round(seconds), "kills": kills, **summary(done), "broken": wrong}


def summary(done: list[dict[str, Any]]) -> dict[str, Any]:
    """What grew.

    Returns:
        `studies`; `rss_growth` within the coordinator that did most studies, between the quarter after its warm-up and
        its last one (share, None when it lived too short); `handles`: fewest and most in it; `bytes_of_a_study`: median
        of the first and of the last quarter of all studies.
    """
    if not done:
        return {"studies": 0}
    longest = max({one["pid"] for one in done}, key=lambda pid: sum(one["pid"] == pid for one in done))
    life = [one for one in done if one["pid"] == longest][WARM_UP:]
    quarter, ends = max(1, len(life) // 4), max(1, len(done) // 4)
    parts = (life[:quarter], life[-quarter:]) if life else ()
    memory = [median(one["rss_kib"] for one in part) for part in parts]
    handles = [one["handles"] for one in life]
    return {
        "studies": len(done), "studies_of_one_coordinator": len(life) + WARM_UP,
        "rss_kib": memory[-1] if memory else None,
        "rss_growth": round(memory[1] / memory[0] - 1.0, 4) if len(life) > 1 else None,
        "handles": [min(handles), max(handles)] if handles else None,
        "bytes_of_a_study": [median(one["bytes"] for one in part) for part in (done[:ends], done[-ends:])],
    }  # fmt: skip


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lives", type=float, nargs=2, default=(60.0, 600.0))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="netgain-soak-") as folder:
        found = soak(Path(folder), asked.seconds, seed=asked.seed, lives=tuple(asked.lives))
    print(json.dumps(found))  # noqa: T201  the command's result


if __name__ == "__main__":
    main()
