"""Paired differences: one row per control, one dot per start, zero line and claimed-effect line."""

from __future__ import annotations

from netgain.report import sentences
from netgain.report.curves import style
from netgain.report.figures import known, middle, named, points, signed
from netgain.report.frame import WIDE, bounds
from netgain.report.reading import Reading, Values
from netgain.report.svg import Html, Scale, dot, drawing, line, text
from netgain.report.table import Figure, Table

ROW = 30.0
TOP = 26.0


def paired(reading: Reading) -> Figure:
    """The claimed arm minus each control on sealed items, and the net gain of each start."""
    said = sentences.differences(reading)
    rows = _rows(reading)
    caption = (
        f"{named(reading.arm)} minus each other arm on the sealed items of the same start; one dot per start, "
        "tick: median. Net gain: the "
        "smallest of a start's differences to the controls that the claim has to beat "
        f"({', '.join(named(name) for name in reading.controls)})."
    )
    return Figure(caption, [_picture(reading, rows, said)], [_table(reading, rows)])


def _rows(reading: Reading) -> list[tuple[str, Values, str]]:
    gains: Values = list(reading.verdict.gains) if reading.verdict else []
    rows: list[tuple[str, Values, str]] = [("net gain", gains, "own")] if known(gains) else []
    others = [arm for arm in reading.arms if arm != reading.arm]
    return rows + [(arm, reading.differences(arm), style(reading, arm)[0]) for arm in others]


def _picture(reading: Reading, rows: list[tuple[str, Values, str]], said: str) -> Html:
    values = [value for _, row, _ in rows for value in known(row)]
    x = Scale(*bounds(values, most=reading.by), 180, WIDE - 80)
    floor = TOP + ROW * len(rows)
    parts = [line(x(tick), TOP - 8, x(tick), floor, "grid") for tick in x.ticks(8)]
    parts += [text(x(tick), floor + 16, signed(tick), anchor="middle", class_="tick") for tick in x.ticks(8)]
    parts += [line(x(0), TOP - 8, x(0), floor, "zero"), line(x(reading.by), TOP - 8, x(reading.by), floor, "claimed")]
    parts += [text(x(reading.by), 13, f"claimed {points(reading.by)}", anchor="middle", class_="label claimed-text")]
    for place, (name, row, class_) in enumerate(rows):
        parts += _row(name, row, class_, TOP + ROW * (place + 0.5), x)
    title = f"Paired differences of {reading.arm} by start"
    return drawing("paired", WIDE, floor + 26, title, said, parts)


def _row(name: str, row: Values, class_: str, y: float, x: Scale) -> list[Html]:
    there = known(row)
    parts = [text(170, y + 4, name, anchor="end", class_=f"label {class_}")]
    if not there:
        return [*parts, text(x(0) + 6, y + 4, "no score", class_="tick")]
    mid = middle(there) or 0.0
    parts += [
        line(x(min(there)), y, x(max(there)), y, "span"),
        line(x(mid), y - 10, x(mid), y + 10, f"median {class_}"),
    ]
    for place, value in enumerate(there):  # a small fan, so that equal starts stay visible
        parts.append(dot(x(value), y + 2.2 * (place - (len(there) - 1) / 2), 3.6, f"disc {class_}"))
    return [*parts, text(WIDE - 66, y + 4, signed(mid), class_=f"label {class_}")]


def _table(reading: Reading, rows: list[tuple[str, Values, str]]) -> Table:
    columns = ["Against", *(f"start {one}" for one in reading.replicas), "median"]
    body = [
        [named(name) if name != "net gain" else name, *map(signed, row), signed(middle(row))] for name, row, _ in rows
    ]
    return Table(f"Differences on {named(reading.metric)}, sealed", columns, body, strong=(0,))
