"""The one picture: every rule on one axis, what it misses to the left, what it claims falsely to the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netgain.report.svg import Html, Scale, box, dot, drawing, line, text

Json = Any
WIDE, ROW, TOP, FOOT = 940.0, 19.0, 46.0, 30.0
NAMES = 250.0  # left margin, for names
OURS = "netgain"


@dataclass(frozen=True)
class Row:
    """One rule: shares in [0, 1], and the same with a larger set of tasks at our study's budget (None without)."""

    name: str
    missed: float
    false: float
    missed_at_budget: float | None = None
    false_at_budget: float | None = None

    @property
    def wrong(self) -> float:
        """Both kinds of error together."""
        return self.missed + self.false


def rows_of(found: Mapping[str, Json]) -> list[Row]:
    """Ours first, then the rules from the fewest errors to the most; rules without both rates are left out."""
    ours, rules = found["netgain"], []
    for one in found["rules"]:
        if one["false_claims"] is None or one["missed_gains"] is None:
            continue
        large = one["same_budget"]
        rules.append(Row(f"{one['id']} {one['name']}", one["missed_gains"], one["false_claims"],
                         large["missed_gains"], large["false_claims"]))  # fmt: skip
    rules.sort(key=lambda row: (row.wrong, row.name))
    known = ours["missed_gains"] is not None and ours["false_claims"] is not None
    return [*([Row(OURS, ours["missed_gains"], ours["false_claims"])] if known else []), *rules]


def picture(rows: Sequence[Row]) -> Html:
    """The drawing."""
    height = TOP + ROW * len(rows) + FOOT
    middle = NAMES + (WIDE - NAMES - 16.0) / 2.0
    left, right = Scale(0.0, 1.0, middle, NAMES), Scale(0.0, 1.0, middle, WIDE - 16.0)
    parts = _axes(left, right, middle, height)
    for place, row in enumerate(rows):
        parts += _row(row, TOP + ROW * place + ROW / 2.0, left, right, middle)
    described = f"{len(rows)} rules. {_said(rows[0])}" if rows else "no rules"
    return drawing("rules", WIDE, height, "Missed gains and false claims of every rule", described, parts)


def _said(row: Row) -> str:
    return f"{row.name} misses {100 * row.missed:.0f} % of the gains and claims {100 * row.false:.0f} % of the fakes."


def _axes(left: Scale, right: Scale, middle: float, height: float) -> list[Html]:
    floor = height - FOOT
    parts: list[Html] = []
    for share in (0.25, 0.5, 0.75, 1.0):
        for scale in (left, right):
            parts.append(line(scale(share), TOP - 4, scale(share), floor, "grid"))
            parts.append(text(scale(share), floor + 17, f"{100 * share:.0f} %", anchor="middle", class_="tick"))
    parts += [
        line(middle, TOP - 8, middle, floor, "zero"),
        text(middle, floor + 17, "0", anchor="middle", class_="tick"),
    ]
    parts.append(text(middle - 10, TOP - 16, "missed gains: genuine, and not claimed", anchor="end", class_="label c4"))
    parts.append(text(middle + 10, TOP - 16, "false claims: fake, and claimed", class_="label c1"))
    return parts


def _row(row: Row, y: float, left: Scale, right: Scale, middle: float) -> list[Html]:
    own = row.name == OURS
    missed, false = ("disc own", "disc own") if own else ("disc c4", "disc c1")
    thick = 12.0 if own else 9.0
    parts = [
        text(NAMES - 14, y + 4, row.name, anchor="end", class_="label own" if own else None),
        box(left(row.missed), y - thick / 2, middle - left(row.missed), thick, missed),
        box(middle, y - thick / 2, right(row.false) - middle, thick, false),
    ]
    for share, scale in ((row.missed_at_budget, left), (row.false_at_budget, right)):
        if share is not None:
            parts.append(dot(scale(share), y, 3.4, "ring", f"{row.name}, at our budget: {100 * share:.0f} %"))
    if own:
        told = f"{100 * row.missed:.1f} %", f"{100 * row.false:.1f} %"
        parts.append(text(left(row.missed) - 7, y + 4, told[0], anchor="end", class_="label own"))
        parts.append(text(right(row.false) + 7, y + 4, told[1], class_="label own"))
    return parts
