"""What loops claim for themselves, beside what others find: one row for each arm of a study whose loop has a record.

    python tools/claimed_gains.py STUDY

*Claimed* is the last record of a run less the score that generation 0 had there, by the loop's own lights. *Report* is
the gain of the run's working system over generation 0 on report items in the last round, which no decision used; of a
menu every entry has a row, and not the best one alone. Means over starts, with Student's t interval.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

from netgain.evidence.student import MeanInterval, mean_interval
from netgain.facts import RunFacts
from netgain.ledger import Ledger
from netgain.report.reading import Reading, latest, read
from netgain.seal import facts_of

BREAKS = ("placebo", "unguarded", "random_search", "flat")  # what they serve is not what holds their record


def claimed(run: RunFacts) -> float | None:
    """The record at the end less that of generation 0, from the evidence of the run's own decisions."""
    seen = [one["evidence"] for one in run.choices if "after" in one["evidence"]]
    return seen[-1]["after"] - seen[0]["before"] if seen else None


def reported(reading: Reading, run: RunFacts) -> float | None:
    """Gain over generation 0 on the report items of the last round."""
    first = next(iter(reading.facts.runs_of(run.replica, "frozen")), None)
    own, old = reading.curve(run), reading.curve(first) if first else {}
    return latest(own) - latest(old) if own and old and max(own) == max(old) else None


def rows(reading: Reading) -> dict[str, tuple[list[float], list[float]]]:
    """Arm with its menu entry -> gains that are known, by start: claimed and reported."""
    found: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for arm in reading.arms:
        for run in reading.all_runs(arm) if not arm.startswith(BREAKS) else ():
            name = f"{arm}.{run.variant}" if run.variant else arm
            for values, value in zip(found[name], (claimed(run), reported(reading, run)), strict=True):
                values.extend([] if value is None else [value])
    return {name: both for name, both in found.items() if both[0]}


def written(found: MeanInterval) -> str:
    """A mean with its interval where there is one; a dash where nothing is known."""
    if found.mean is None:
        return "–"
    ends = "" if found.low is None or found.high is None else f" [{found.low:+.3f}, {found.high:+.3f}]"
    return f"{found.mean:+.3f}{ends}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    with Ledger.open(parser.parse_args().study, readonly=True) as log:
        reading = read(facts_of(log))
    print("| Arm | Starts | Claimed | Report |\n|---|---|---|---|")
    for name, both in rows(reading).items():
        print(f"| `{name}` | {len(both[0])} | " + " | ".join(written(mean_interval(one)) for one in both) + " |")


if __name__ == "__main__":
    main()
