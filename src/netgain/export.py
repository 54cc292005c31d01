"""A study's tables as CSV: what the reducer makes of the log, and every raw score."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from netgain.budget import UNITS, total
from netgain.errors import ConfigError
from netgain.evidence.tally import Tally
from netgain.facts import MIXTURE, Facts, reduce
from netgain.ledger import Ledger, Stored

Row = Sequence[Any]
PHASES = ("start", "build", "answer", "sealed")
TALLY = ("mean", "n", "missing", "quarantined")


def export_csv(log: Ledger, folder: Path) -> dict[str, int]:
    """Write all tables; an empty cell is unknown, never 0.

    Returns:
        file name -> rows.

    Raises:
        ConfigError: a file of that name is there already.
    """
    entries = list(log.events())
    facts = reduce(entries)
    run = ("run", "replica", "arm", "variant", "round", "stage", "end", "restores", "released", *_spent())
    tables = {
        "runs.csv": (run, _runs(facts)),
        "curves.csv": (("run", "round", "split", "role", "axis", *TALLY), _curves(facts)),
        "decisions.csv": (("seq", "time", "run", "round", "outcome", "reason", "axis", "sentence"), _decisions(facts)),
        "sealed.csv": (("replica", "arm", "role", "axis", *TALLY), _sealed(facts)),
        "items.csv": (("seq", "run", "round", "split", "axis", "role", "index", "value", "status"), _items(entries)),
    }  # fmt: skip
    there = [name for name in tables if (folder / name).exists()]
    if there:
        raise ConfigError(f"{there[0]!r} is there already", where=str(folder), fix="give a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _write(folder / name, header, rows) for name, (header, rows) in tables.items()}


def _write(path: Path, header: Row, rows: Iterable[Row]) -> int:
    count = 0
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _spent() -> list[str]:
    return [f"{phase}_{unit}" for phase in PHASES for unit in UNITS]


def _runs(facts: Facts) -> Iterator[Row]:
    for name, run in facts.runs.items():
        row = run.row
        spent = [total(run.phase(phase))[unit] if run.phase(phase) else None for phase in PHASES for unit in UNITS]
        plain = [row[key] for key in ("round", "stage", "end", "restores", "released")]
        yield [name, run.replica, run.arm, run.variant, *plain, *spent]


def _curves(facts: Facts) -> Iterator[Row]:
    for name, run in facts.runs.items():
        for (round, role, axis), found in run.report.items():
            yield [name, round, "report", role, axis, *_cells(found)]
        for (round, axis), found in run.anchor.items():
            yield [name, round, "anchor", "anchor", axis, *_cells(found)]


def _decisions(facts: Facts) -> Iterator[Row]:
    for name, run in facts.runs.items():
        for one in run.decisions:
            rest = [one[key] for key in ("round", "outcome", "reason", "axis", "sentence")]
            yield [one["seq"], one["time"], name, *rest]


def _sealed(facts: Facts) -> Iterator[Row]:
    for (replica, arm, role, axis), found in facts.sealed.items():
        yield [replica, arm, role, axis, *_cells(found)]
    for (replica, axis, taken), found in facts.mixed.items():
        yield [replica, facts.claim["arm"], f"{MIXTURE}{taken}", axis, *_cells(found)]


def _items(entries: Iterable[Stored]) -> Iterator[Row]:
    for entry in entries:
        if entry.kind == "scores":
            data = entry.data
            where = [entry.seq, entry.run, *(data[key] for key in ("round", "split", "axis", "role"))]
            for index, value in enumerate(data["values"]):
                yield [*where, data["start"] + index, value, data["status"].get(str(index), "")]


def _cells(found: Tally) -> list[Any]:
    return [getattr(found, name) for name in TALLY]
