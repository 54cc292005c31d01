"""A table as data: what every plot has under it, and what a status looks like in a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STATUSES = ("good", "part", "watch", "open", "bad")


@dataclass(frozen=True)
class Mark:
    """A cell with a status: shape, word and colour."""

    status: str
    word: str
    title: str = ""


Cell = str | Mark


@dataclass(frozen=True)
class Table:
    """Columns and rows; the first column heads its row.

    Attributes:
        caption: what it shows.
        columns: names.
        rows: cells, one per column.
        words: indices of columns that hold words (set left and wrapped); the others hold numbers.
        strong: indices of rows that stand out.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    words: Sequence[int] = (0,)
    strong: Sequence[int] = ()


@dataclass(frozen=True)
class Figure:
    """A picture with its caption and the numbers that it shows; `refused` says why there is none."""

    caption: str
    pictures: Sequence[str]
    tables: Sequence[Table]
    refused: str = ""
