"""Measures the goals that are about time, which tests leave alone.

Start-up: CPU seconds over a bare interpreter, best of 7. A run of the flagship at size tiny: wall seconds, planning
and seal included, over the runs of one start on one worker. `make study` and `make test` say how long they took.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

GOALS = {
    "import netgain": (["-c", "import netgain"], 0.2),
    "netgain --help": (["-c", "from netgain.cli import main; main(['--help'])"], 0.3),
}
TINY_GOAL = 20.0
TINY_ARMS = ("self", "frozen", "placebo")


def cpu_seconds(arguments: list[str]) -> float:
    """Return the least CPU time of seven runs of the interpreter, children's user and system time."""
    times = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def tiny_seconds() -> float:
    """Return the wall seconds of a run of `length` at size tiny."""
    arms = ", ".join(f'"{name}"' for name in TINY_ARMS)
    settings = ["study.replicas=1", f"study.arms=[{arms}]", "claim.rung=R1", 'claim.beats=["frozen"]']
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "XDG_STATE_HOME": home}
        words = ["init", "tiny", "--from", "length", "--size", "tiny", *(f"--set={one}" for one in settings)]
        began = time.monotonic()
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        for command in (words, ["run", "tiny", "--exploratory", "--workers", "1"]):
            subprocess.run([sys.executable, "-m", "netgain.cli", *command], cwd=home, env=environment, **quiet)
        return (time.monotonic() - began) / len(TINY_ARMS)


def main() -> int:
    """Print one line per goal; exit 1 if one is missed."""
    bare = cpu_seconds(["-c", "pass"])
    found = [(name, cpu_seconds(arguments) - bare, goal) for name, (arguments, goal) in GOALS.items()]
    found.append(("a tiny run", tiny_seconds(), TINY_GOAL))
    for name, seconds, goal in found:
        print(f"{'ok  ' if seconds <= goal else 'MISS'}  {name:<16} {seconds:.3f} s  goal {goal} s")
    return 1 if any(seconds > goal for _, seconds, goal in found) else 0


if __name__ == "__main__":
    sys.exit(main())
