"""Shapley shares drawn: a row for each player, a dot for each start, a tick at the mean, a line for its interval."""

from __future__ import annotations

from collections.abc import Mapping

from netgain.report.figures import interval, known, named, signed
from netgain.report.frame import WIDE, bounds
from netgain.report.identified import Mean
from netgain.report.reading import Reading
from netgain.report.svg import Html, Scale, dot, drawing, line, text
from netgain.report.table import Figure, Table

ROW = 34.0
TOP = 40.0


def figure(reading: Reading, ident: str, title: str, said: str, shares: Mapping[str, Mean], total: Mean) -> Figure:
    """Shares of a gain and the gain itself, which they sum to in every start.

    Args:
        ident: name of the picture within the page.
        title, said: what it shows, in words for those who do not see it.
        shares, total: by player, and together.
    """
    rows = {**shares, "together": total}
    caption = f"{title}; one dot per start, tick: mean, line: interval of the mean. The shares of a start sum."
    return Figure(caption, [_picture(ident, rows, title, said)], [_table(reading, rows, title)])


def _picture(ident: str, rows: Mapping[str, Mean], title: str, said: str) -> Html:
    values = [value for one in rows.values() for value in (*known(one.each), *known((one.over.low, one.over.high)))]
    x, floor = Scale(*bounds(values), 130, WIDE - 80), TOP + ROW * len(rows)
    parts = [text(8, 18, title, class_="label")]
    parts += [line(x(tick), TOP - 8, x(tick), floor, "grid") for tick in x.ticks(8)]
    parts += [text(x(tick), floor + 16, signed(tick), anchor="middle", class_="tick") for tick in x.ticks(8)]
    parts.append(line(x(0), TOP - 8, x(0), floor, "zero"))
    for place, (name, one) in enumerate(rows.items()):
        parts += _row(name, one, "other" if name == "together" else "own", TOP + ROW * (place + 0.5), x)
    return drawing(ident, WIDE, floor + 26, title, said, parts)


def _row(name: str, one: Mean, class_: str, y: float, x: Scale) -> list[Html]:
    parts, found, there = [text(120, y + 4, name, anchor="end", class_=f"label {class_}")], one.over, known(one.each)
    if found.mean is None:
        return [*parts, text(x(0) + 6, y + 4, "no share", class_="tick")]
    if found.low is not None and found.high is not None:
        parts.append(line(x(found.low), y, x(found.high), y, "span"))
    parts.append(line(x(found.mean), y - 10, x(found.mean), y + 10, f"median {class_}"))
    for place, value in enumerate(there):  # a small fan, so that equal starts stay visible
        parts.append(dot(x(value), y + 2.2 * (place - (len(there) - 1) / 2), 3.6, f"disc {class_}"))
    return [*parts, text(WIDE - 66, y + 4, signed(found.mean), class_=f"label {class_}")]


def _table(reading: Reading, rows: Mapping[str, Mean], title: str) -> Table:
    columns = ["Share of", *(f"start {one}" for one in reading.replicas), "mean", "interval"]
    body = []
    for name, one in rows.items():
        ends = "–" if one.over.low is None else interval(one.over.low, one.over.high)
        body.append([name if name == "together" else named(name), *map(signed, one.each), signed(one.over.mean), ends])
    return Table(title, columns, body, strong=(len(body) - 1,))
