"""Measures the goals that are about time, which tests leave alone: CPU seconds over a bare interpreter, best of 7."""

import resource
import subprocess
import sys

GOALS = {
    "import netgain": (["-c", "import netgain"], 0.2),
    "netgain --help": (["-c", "from netgain.cli import main; main(['--help'])"], 0.3),
}


def cpu_seconds(arguments: list[str]) -> float:
    """Return the least CPU time of seven runs of the interpreter, children's user and system time."""
    times = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> int:
    """Print one line per goal; exit 1 if one is missed."""
    bare = cpu_seconds(["-c", "pass"])
    missed = 0
    for name, (arguments, goal) in GOALS.items():
        seconds = cpu_seconds(arguments) - bare
        missed += seconds > goal
        print(f"{'ok  ' if seconds <= goal else 'MISS'}  {name:<16} {seconds:.3f} s  goal {goal} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
