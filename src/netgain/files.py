"""Items from a file: JSONL, CSV or Parquet, read once and dealt like a bank."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netgain.errors import ConfigError
from netgain.suite import Bank, Item

Json = Any
FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
INSTALL = "pip install 'netgain[parquet]'"


@dataclass(frozen=True)
class File:
    """A file of items, one a row. Its digest is of the items, not of the path or the bytes.

    Attributes:
        path: where it lies when the axis is put together.
        format: "jsonl", "csv" or "parquet"; None: by the ending.
        input, target: columns of question and right answer. Every value of a CSV file is text.
        cluster: column of what an item belongs to; rows without a value there stand alone. None: no clusters.
        provenance, canary: columns that stay with us; None: provenance is file name and row, and there is no canary.
        shares: split -> share of the items, as of a `Bank`.
    """

    path: str | Path
    format: str | None = None
    input: str = "input"
    target: str = "target"
    cluster: str | None = None
    provenance: str | None = None
    canary: str | None = None
    shares: Mapping[str, float] = field(default_factory=lambda: dict(Bank(()).shares))

    def bank(self) -> Bank:
        """The items as a bank.

        Raises:
            ConfigError: the file cannot be read, is empty, or a row lacks a column; with the row.
        """
        rows = self._rows()
        if not rows:
            raise ConfigError(f"no row in {str(self.path)!r}, expected at least one", fix="give a file with items")
        return Bank(tuple(self._item(row, number) for number, row in enumerate(rows, 1)), self.shares)

    def _rows(self) -> Sequence[Mapping[str, Json]]:
        path = Path(self.path)
        chosen = self.format or FORMATS.get(path.suffix.lower(), "")
        if chosen not in READERS:
            raise ConfigError.unknown("format of a file", chosen or path.suffix, READERS, where=path.name)
        try:
            return READERS[chosen](path)
        except OSError as error:
            raise ConfigError(f"cannot read {str(path)!r}: {error.strerror or error}", fix="mend the path") from None
        except UnicodeDecodeError as error:
            raise ConfigError(f"byte {error.start} is not UTF-8", where=path.name, fix="save it as UTF-8") from None

    def _item(self, row: Mapping[str, Json], number: int) -> Item:
        item = {"input": self._cell(row, self.input, number), "target": self._cell(row, self.target, number)}
        if self.cluster is not None and (of := self._cell(row, self.cluster, number)) not in (None, ""):
            item["cluster"] = of
        place = f"{Path(self.path).name}:{number}"
        item["provenance"] = place if self.provenance is None else self._cell(row, self.provenance, number)
        if self.canary is not None:
            item["canary"] = self._cell(row, self.canary, number)
        return item

    def _cell(self, row: Mapping[str, Json], column: str, number: int) -> Json:
        if column not in row:
            known = ", ".join(map(repr, row)) or "none"
            raise ConfigError(
                f"no column {column!r}, found {known}", where=f"{Path(self.path).name}, row {number}",
                fix="name the column: File(path, input=…, target=…)",
            )  # fmt: skip
        return row[column]


def _jsonl(path: Path) -> list[Mapping[str, Json]]:
    rows: list[Mapping[str, Json]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_not_finite)
        except ValueError as error:
            raise ConfigError(f"not JSON: {error}", where=f"{path.name}:{number}", fix="one object a line") from None
        if not isinstance(row, dict):
            raise ConfigError(f"{row!r} is no object", where=f"{path.name}:{number}", fix="one object a line")
        rows.append(row)
    return rows


def _not_finite(name: str) -> Json:
    raise ValueError(f"{name} is no JSON number")


def _csv(path: Path) -> list[Mapping[str, Json]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            rows = list(reader)
        except csv.Error as error:
            raise ConfigError(f"not CSV: {error}", where=f"{path.name}:{reader.line_num}", fix="mend it") from None
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise ConfigError(
                f"another number of cells than the {len(reader.fieldnames or ())} columns",
                where=f"{path.name}, row {number}", fix="quote cells that hold a comma",
            )  # fmt: skip
    return list(rows)


def _parquet(path: Path) -> list[Mapping[str, Json]]:
    try:
        from pyarrow import parquet  # an extra, needed here only
    except ImportError:
        raise ConfigError("Parquet needs pyarrow, which is not installed", where=path.name, fix=INSTALL) from None
    try:
        return list(parquet.read_table(path).to_pylist())
    except ValueError as error:  # pyarrow's own errors of form are ValueErrors
        raise ConfigError(f"not Parquet: {error}", where=path.name, fix="write it anew") from None


READERS = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}
