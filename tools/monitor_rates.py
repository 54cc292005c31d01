"""Error rates and lead times of the monitors: `python tools/monitor_rates.py [--write]`.

Draws the histories of `netgain.testing.monitor_worlds` from one fixed seed and prints the tables of docs/monitors.md;
with --write it puts them there. Takes about five minutes of one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from netgain.monitors import MONITORS, Monitor
from netgain.monitors.raters import UNKNOWN, dawid_skene, majority
from netgain.testing.monitor_worlds import cases, first_alarm, goodhart, measured, votes

PAGE = Path(__file__).parents[1] / "docs" / "monitors.md"
SEED = 41
TIMES = 2
"""Multiple of the histories that a case affords in tests."""


def defaults() -> str:
    """A row per monitor as its constructor makes it."""
    rows = [
        "| Monitor | Reads | Alarm when its value is | Action | Chance of a false alarm in a run |",
        "|---|---|---|---|---|",
    ]
    for name, constructor in MONITORS.items():
        made = constructor(**({"reads": "any number", "threshold": 0.5} if name == "trend" else {}))
        said = f"at most {made.false_alarm:.2g}" if isinstance(made.false_alarm, float) else made.false_alarm
        rows.append(f"| `{name}` | `{made.reads}` | {limit(made)} | {made.action.replace('_', ' ')} | {said} |")
    return "\n".join(rows) + "\n"


def limit(made: Monitor) -> str:
    """The comparison, in words; `trend` has no default threshold."""
    if made.name == "trend":
        return "below (or at least) the threshold given"
    return f"{made.direction.replace('_', ' ')} {made.threshold:.3g}"


def rates(times: int = TIMES) -> str:
    """A row per case: what was simulated, false alarms, how many were found and when."""
    rows = [
        f"Seed {SEED}. Rounds are counted from 0; first alarms and damage are rounds.\n",
        "| Monitor | Null world; planted world | Histories each | False alarms | Found | First alarm, mean | Damage |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, case in cases().items():
        found = measured(case, times * case.histories, SEED)
        first = "–" if found.round is None else f"{found.round:.1f}"
        damage = "–" if case.damage is None else str(case.damage)
        rows.append(
            f"| {name} | {case.worlds} | {found.histories} | {100 * found.false:.1f} % | {100 * found.found:.0f} % "
            f"| {first} | {damage} |"
        )
    return "\n".join(rows) + "\n"


def by_the_peak(worlds: int = 60) -> str:
    """How many turning worlds `proxy_gold_gap` finds by their gold peak, at several thresholds."""
    rows = [
        "| Threshold | Alarm by the peak of gold | one step later or sooner | False, 3000 labels | False, 300 labels |"
    ]
    rows.append("|---|---|---|---|---|")
    rng = np.random.default_rng(SEED)
    turning = [goodhart(labels=30, turns=True)(rng) for _ in range(worlds)]
    sound = {labels: [goodhart(labels=labels, turns=False)(rng) for _ in range(worlds)] for labels in (3000, 300)}
    peaks = np.array([np.argmax([record["proxy"]["gold"] for record in world]) for world in turning])
    for threshold in (0.2, 0.3, 0.4, 0.5):
        made = MONITORS["proxy_gold_gap"](threshold=threshold)
        late = np.array([np.inf if (r := first_alarm(made, world)) is None else r for world in turning]) - peaks
        cells = [np.mean(late <= 0), np.mean(late <= 1)]
        cells += [np.mean([first_alarm(made, world) is not None for world in sound[labels]]) for labels in (3000, 300)]
        rows.append(f"| {threshold:g} | " + " | ".join(f"{100 * cell:.0f} %" for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def honesty(items: int = 5000, gold: int = 100) -> str:
    """Share of labels right by majority, Dawid-Skene, and Dawid-Skene started from gold."""
    rows = ["| Raters | Majority | Dawid-Skene | started from 100 gold items |", "|---|---|---|---|"]
    for said, right in (
        ("three at 75 %, two at 20 %", (0.75,) * 3 + (0.2,) * 2),
        ("two at 75 %, three at 20 %", (0.75,) * 2 + (0.2,) * 3),
    ):
        truth, given = votes(np.random.default_rng(SEED), items, right)
        known = np.where(np.arange(items) < gold, truth, UNKNOWN)
        found = (majority(given), dawid_skene(given).labels, dawid_skene(given, gold=known).labels)
        rows.append(f"| {said} | " + " | ".join(f"{np.mean(one[gold:] == truth[gold:]):.2f}" for one in found) + " |")
    return "\n".join(rows) + "\n"


TABLES = {"defaults": defaults, "rates": rates, "peak": by_the_peak, "raters": honesty}


def marked(name: str) -> tuple[str, str]:
    """Where a table begins and ends on the page."""
    return f"<!-- {name}, by tools/monitor_rates.py -->\n", "<!-- end -->\n"


def written(page: str, tables: Iterator[tuple[str, str]]) -> str:
    """Return the page with the text between the marks of each table replaced."""
    for name, text in tables:
        begin, end = marked(name)
        before, _, rest = page.partition(begin)
        page = before + begin + "\n" + text + "\n" + end + rest.partition(end)[2]
    return page


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/monitors.md")
    tables = ((name, table()) for name, table in TABLES.items())
    if not parser.parse_args().write:
        print("\n".join(text for _, text in tables))
        return 0
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
