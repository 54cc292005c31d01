"""What generation 0 reaches by answering more often, at several budgets, and where the loop stands beside that.

It separates a better policy from more search: read at the loop's own cost of an answer, the curve of plain search says
what the same answering would have bought without any loop (``statistics.md`` 3, compute-matched gain, answer side).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netgain.arms import SAMPLED, samples
from netgain.budget import COUNTED
from netgain.evidence.isocompute import FEWEST_BUDGETS, score_at
from netgain.evidence.student import MeanInterval
from netgain.report.figures import UNITS as UNIT_WORDS
from netgain.report.figures import amount, counted, interval, known, middle, named, points, signed
from netgain.report.frame import WIDE, plain
from netgain.report.identified import Unknown, array, mean_of
from netgain.report.reading import Reading
from netgain.report.svg import Html, Points, Scale, dot, drawing, line, path, text
from netgain.report.table import Figure, Table

UNITS = (*COUNTED, "device_seconds")
RIGHT, FLOOR = WIDE - 60, 280.0
Row = tuple[float | None, ...]  # (R,)


@dataclass(frozen=True)
class Search:
    """Plain search at several budgets, and the claimed arm at its own.

    Attributes:
        unit: what the spend on the sealed answers is counted in.
        tries: answers per question of each budget, ascending; 1 is `frozen`.
        costs, scores: budget -> (R,) spend on the sealed block, and sealed score; None where unknown.
        own_cost, own_score: (R,) of the claimed arm.
        gain: (R,) its score less that of plain search at its cost; None where that was not measured around it.
        over: mean over starts; Unknown with the reason where no start has one.
        reason: why some starts have none; "".
        reached: (R,) fewest tries of those run at which plain search scores at least as much; None: at none of them.
    """

    unit: str
    tries: tuple[int, ...]
    costs: tuple[Row, ...]
    scores: tuple[Row, ...]
    own_cost: Row
    own_score: Row
    gain: Row
    over: MeanInterval | Unknown
    reason: str
    reached: tuple[int | None, ...]


def search_curve(reading: Reading) -> Search | Unknown:
    """The curve, where generation 0 answered at three or more budgets; else what is missing."""
    arms = _budgets(reading)
    if len(arms) < FEWEST_BUDGETS:
        lacking = f"{len(arms)} budgets of plain search, expected at least {FEWEST_BUDGETS}"
        return Unknown(f"{lacking}: add arms such as `sampled:4`")
    if reading.arm in arms.values():
        return Unknown("the claimed arm is itself plain search")
    everyone = [*arms.values(), reading.arm]
    unit = next((unit for unit in UNITS if all(None not in _costs(reading, arm, unit) for arm in everyone)), "")
    if not unit:
        return Unknown("missing: a unit of spend on sealed answers that all of these arms book")
    costs, scores = _table(reading, list(arms.values()), unit)
    own_cost, own_score = _costs(reading, reading.arm, unit), tuple(reading.sealed(reading.arm))
    by_start = list(zip(*scores, strict=True))
    found = [_gain(*one) for one in zip(zip(*costs, strict=True), by_start, own_cost, own_score, strict=True)]
    gain, reason = tuple(one for one, _ in found), next((why for _, why in found if why), "")
    reached = tuple(_reached(tuple(arms), *one) for one in zip(by_start, own_score, strict=True))
    over = mean_of(gain).over
    over_or = over if over.starts else Unknown(reason)
    return Search(unit, tuple(arms), costs, scores, own_cost, own_score, gain, over_or, reason, reached)


def _budgets(reading: Reading) -> dict[int, str]:
    """Tries -> arm, ascending; generation 0 with one try is `frozen`."""
    registered = int(reading.facts.study["tries"])
    found = {registered if arm == SAMPLED else int(arm.partition(":")[2]): arm for arm in reading.arms if samples(arm)}
    return dict(sorted({1: "frozen", **found}.items()))


def _table(reading: Reading, arms: Sequence[str], unit: str) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    return tuple(_costs(reading, arm, unit) for arm in arms), tuple(tuple(reading.sealed(arm)) for arm in arms)


def _costs(reading: Reading, arm: str, unit: str) -> Row:
    """(R,) spend on answering the sealed block; all arms of a start answer the same items."""
    runs = {run.replica: run for run in reading.runs(arm)}
    return tuple(runs[one].answered.get(unit) if one in runs else None for one in reading.replicas)


def _gain(costs: Row, scores: Row, cost: float | None, score: float | None) -> tuple[float | None, str]:
    """Gain of one start over plain search at its own cost, or None and why."""
    if cost is None or score is None:
        return None, "a sealed score or its cost is missing"
    found = score_at(array(costs), array(scores), cost)
    return (None if found.score is None else score - found.score), found.reason


def _reached(tries: Sequence[int], scores: Row, own: float | None) -> int | None:
    pairs = [
        (n, one) for n, one in zip(tries, scores, strict=True) if one is not None and own is not None and one >= own
    ]
    return pairs[0][0] if pairs else None


def figure(reading: Reading, found: Search) -> Figure:
    """The picture: plain search, a thin line per start and their median, and the claimed arm at its own cost."""
    caption = (
        "Sealed score against the cost of answering. Thin lines: generation 0 with more answers per question, one per "
        f"start; thick: their median. Dots: {named(reading.arm)} at its own cost."
    )
    return Figure(caption, [_picture(found)], [_rows(reading, found)])


def _picture(found: Search) -> Html:
    costs = [one for row in (*found.costs, found.own_cost) for one in known(row)]
    scores = [one for row in (*found.scores, found.own_score) for one in known(row)]
    x, y = Scale(0.0, max(costs), 60, RIGHT), Scale(min(0.0, *scores), max(1.0, *scores), FLOOR, 20)
    parts = [line(60, y(tick), RIGHT, y(tick), "grid") for tick in y.ticks(6)]
    parts += [text(52, y(tick) + 4, plain(tick), anchor="end", class_="tick") for tick in y.ticks(6)]
    parts.append(line(60, FLOOR, RIGHT, FLOOR, "axis"))
    for start in zip(zip(*found.costs, strict=True), zip(*found.scores, strict=True), strict=True):
        parts.append(path(_points(*start, x, y), "thin other"))
    ends = _points([middle(row) for row in found.costs], [middle(row) for row in found.scores], x, y)
    parts.append(path(ends, "line other"))
    for n, (at, up) in zip(found.tries, ends, strict=False):
        parts += [dot(at, up, 3.0, "disc other"), text(at, up + 16, f"×{n}", anchor="middle", class_="tick")]
    parts += [dot(at, up, 4.0, "disc own") for at, up in _points(found.own_cost, found.own_score, x, y)]
    parts.append(text(RIGHT, FLOOR + 20, f"{UNIT_WORDS[found.unit]} for the sealed block", anchor="end", class_="tick"))
    return drawing("search", WIDE, FLOOR + 30, "Plain search at several budgets", sentence(found), parts)


def _points(costs: Sequence[float | None], scores: Sequence[float | None], x: Scale, y: Scale) -> Points:
    there = zip(costs, scores, strict=True)
    return [(x(cost), y(score)) for cost, score in there if cost is not None and score is not None]


def _rows(reading: Reading, found: Search) -> Table:
    columns = ["answers per question", *(f"start {one}" for one in reading.replicas), "median", "median cost"]
    names = [*map(str, found.tries), named(reading.arm)]
    scores, costs = (*found.scores, found.own_score), (*found.costs, found.own_cost)
    body = [
        [name, *map(points, row), points(middle(row)), amount(middle(cost))]
        for name, row, cost in zip(names, scores, costs, strict=True)
    ]
    return Table("Sealed score of plain search at each budget", columns, body, strong=(len(body) - 1,))


def sentence(found: Search) -> str:
    """Where the claimed arm stands beside plain search."""
    reached = [one for one in found.reached if one is not None]
    said = (
        f"Plain search with up to {counted(found.tries[-1], 'answer')} per question scores at least as much in "
        f"{len(reached)} of {counted(len(found.reached), 'start')}"
        + (f", with {max(reached)} at most" if reached else "")
    )
    if isinstance(found.over, Unknown):
        return f"{said}. At the claimed arm's own cost of an answer: not identifiable; {found.over.reason}."
    ends = "" if found.over.low is None else f" ({interval(found.over.low, found.over.high)})"
    return (
        f"{said}. At the claimed arm's own cost of an answer plain search is passed by {signed(found.over.mean)}{ends}."
    )
