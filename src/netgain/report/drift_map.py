"""How far every axis moved, round by round: the loop against generation 0, and against the arm `oracle` if it was run.

What falls with true feedback as well is no damage of the loop's own feedback, however far below generation 0 it is
(docs/incidents.md, 37). All differences are between arms of one start on the same report items.
"""

from __future__ import annotations

from collections.abc import Sequence

from netgain.evidence.student import MeanInterval
from netgain.report.figures import counted, interval, joined, middle, minus, named, signed
from netgain.report.frame import WIDE
from netgain.report.identified import mean_of
from netgain.report.reading import Reading, Values
from netgain.report.svg import Html, box, drawing, line, text
from netgain.report.table import Cell, Figure, Mark, Table

ORACLE, FROZEN = "oracle", "frozen"
ROLE = "working"
NAMES, CELL, GAP = 190.0, 26.0, 22.0  # pixels: names of axes, height of a cell, between two maps
NOT_EVALUATED = "not evaluated"


def pairs(reading: Reading) -> list[tuple[str, str]]:
    """Who is compared with whom: the loop with generation 0 and with `oracle`, and `oracle` with generation 0."""
    return [(reading.arm, FROZEN), (reading.arm, ORACLE), (ORACLE, FROZEN)]


def differences(reading: Reading, own: str, other: str, axis: str, at: int) -> Values:
    """(R,) score of one arm's working system less another's in a round; None where either was not evaluated."""
    sides = [{run.replica: reading.curve(run, ROLE, axis) for run in reading.runs(arm)} for arm in (own, other)]
    found = [[side.get(replica, {}).get(at) for side in sides] for replica in reading.replicas]
    return [minus(mine, theirs) for mine, theirs in found]


def moved(reading: Reading, own: str, other: str, axis: str, at: int) -> float | None:
    """Median over starts; None: not evaluated."""
    if own not in reading.arms or other not in reading.arms:
        return None
    return middle(differences(reading, own, other, axis, at))


def figure(reading: Reading) -> Figure:
    """The maps, one under the other, and their numbers."""
    said = (
        "Median over starts of the working system's difference on report items. ▼ and ▲: down or up by more than the "
        "axis' margin; no sign: within it; a crossed cell: not evaluated, which is no 0."
    )
    maps = [_map(reading, own, other, place) for place, (own, other) in enumerate(pairs(reading))]
    return Figure(said, maps, [_table(reading, own, other) for own, other in pairs(reading)])


def said(reading: Reading) -> list[str]:
    """For every axis that ended below generation 0 by more than its margin: whether true feedback lost it as well."""
    last = {axis: moved(reading, reading.arm, FROZEN, axis, reading.facts.rounds) for axis in reading.facts.axes}
    unseen = [named(axis) for axis, value in last.items() if value is None]
    found = [f"At the last round not evaluated, of which nothing is said: {joined(unseen)}."] if unseen else []
    fallen = [axis for axis, value in last.items() if value is not None and value < -_margin(reading, axis)]
    if not fallen and len(unseen) < len(last):
        found.append(f"No other axis of {named(reading.arm)} ended below generation 0 by more than its margin.")
    if ORACLE in reading.arms:
        return [*found, *(_of_whom(reading, axis) for axis in fallen)]
    fell = f"{joined([named(axis) for axis in fallen])} fell by more than the margin. " if fallen else ""
    return [*found, fell + "The arm `oracle` was not run: whether true feedback moves an axis as far is not known."]


def _of_whom(reading: Reading, axis: str) -> str:
    """Own feedback, shared with `oracle`, or open: by the interval of the mean difference to `oracle` over starts."""
    at = reading.facts.rounds
    found = mean_of(differences(reading, reading.arm, ORACLE, axis, at)).over
    fell = signed(moved(reading, reading.arm, FROZEN, axis, at))
    ends = "" if found.low is None else f", {interval(found.low, found.high)}"
    seen = f"{named(axis)}: {fell} against generation 0, {signed(found.mean)} against `oracle`{ends}"
    return f"{seen}; {_word(found, _margin(reading, axis))}."


def _word(found: MeanInterval, margin: float) -> str:
    if found.low is None or found.high is None:
        return "whether true feedback lost as much is open"
    if found.high < 0 and found.low < -margin:
        return "the loop's own feedback lost more than true feedback did"
    if found.low >= -margin:
        return "true feedback lost it as well, so this is no damage by own feedback"
    return "whether true feedback lost as much is open"


def _margin(reading: Reading, axis: str) -> float:
    return float(reading.facts.axes[axis].get("margin", 0.05))


def _title(reading: Reading, own: str, other: str) -> str:
    names = {FROZEN: "generation 0 (`frozen`)"}
    return f"{named(own)} less {names.get(other, named(other))}"


def _map(reading: Reading, own: str, other: str, place: int) -> Html:
    rounds, axes = range(reading.facts.rounds + 1), list(reading.facts.axes)
    wide = (WIDE - NAMES - 20) / len(rounds)
    title = _title(reading, own, other).replace("`", "")
    parts = [text(0, 14, title, class_="label ink")]
    for row, axis in enumerate(axes):
        top = GAP + CELL * row
        parts.append(text(NAMES - 8, top + 17, axis, anchor="end", class_="tick"))
        for at in rounds:
            value = moved(reading, own, other, axis, at)
            parts += _cell(NAMES + wide * at, top, wide, value, _margin(reading, axis))
    floor = GAP + CELL * len(axes) + 15
    parts += [text(NAMES + wide * (at + 0.5), floor, str(at), anchor="middle", class_="tick") for at in rounds]
    parts.append(text(WIDE - 18, floor, "round", anchor="end", class_="tick"))
    why = "" if {own, other} <= set(reading.arms) else f": {_absent(reading, own, other)}"
    return drawing(f"drift-{place}", WIDE, floor + 8, title, f"{title} by axis and round{why}", parts)


def _absent(reading: Reading, own: str, other: str) -> str:
    missing = next(name for name in (own, other) if name not in reading.arms)
    return f"the arm {missing} was not run, {NOT_EVALUATED}"


def _cell(x: float, y: float, wide: float, value: float | None, margin: float) -> list[Html]:
    left, right, top, floor = x + 1, x + wide - 1, y + 1, y + CELL - 1
    inside = (left, top, right - left, floor - top)
    if value is None:
        cross = [line(left, top, right, floor, "absent"), line(left, floor, right, top, "absent")]
        return [box(*inside, "heat none"), *cross]
    sign, class_ = _state(value, margin)
    words = text(x + wide / 2, y + 17, sign + signed(value), anchor="middle", class_="tick ink")
    return [box(*inside, f"heat {class_}"), words]


def _state(value: float, margin: float) -> tuple[str, str]:
    """Sign and class of a movement: twice the margin is the stronger shade."""
    if abs(value) <= margin:
        return "", "still"
    side = ("▼", "down") if value < 0 else ("▲", "up")
    return side[0], side[1] + ("-far" if abs(value) > 2 * margin else "")


def _table(reading: Reading, own: str, other: str) -> Table:
    rounds = range(reading.facts.rounds + 1)
    rows: list[Sequence[Cell]] = []
    for axis in reading.facts.axes:
        values = [moved(reading, own, other, axis, at) for at in rounds]
        rows.append([named(axis), *(Mark("open", NOT_EVALUATED) if one is None else signed(one) for one in values)])
    starts = counted(len(reading.replicas), "start")
    return Table(f"{_title(reading, own, other)}, median over {starts}, by round", ["Axis", *map(str, rounds)], rows)
