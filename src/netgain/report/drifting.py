"""Measuring that moved: epochs of the contract with their bridges, and scores with the drift taken off.

The movement of the measuring at a score is that of generation 0 on items that stay the same, since it was first asked
them, from the first of these that says it: canary items of the same round, where monitors watched the run; anchor
items of `frozen`, where those were asked before and after the score; the bridge of the score's epoch. Otherwise it is
unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netgain.evidence.bridge import FIRST, LEVEL, RELEASED, Change, bounded, change, less
from netgain.facts import Epoch, RunFacts
from netgain.report.figures import counted, interval, joined, middle, named, points, signed
from netgain.report.reading import Reading
from netgain.report.table import Cell, Mark, Table

Json = Any
Series = Sequence[tuple[int, Mapping[str, Json]]]
WHICH = {FIRST: "generation 0", RELEASED: "the released system"}
SUBTRACTED = (
    "Scores less drift are the score minus the movement of generation 0 on items that stay the same, both intervals "
    "added. The verdict needs none of this: all arms of a start answer the same items at one time under one contract."
)


def movement(reading: Reading, run: RunFacts, at: int, axis: str) -> tuple[Change, str] | None:
    """How far the measuring had moved when a run was scored in a round, and what says so; None unknown."""
    seq, epoch = run.measured.get(at), run.epochs.get(at, 0)
    if seq is None:
        return None
    canaries = run.still.get(("canary", axis), [])
    beside = [data for _, data in canaries if data["round"] == at]
    if beside and len(canaries) > 1:
        return _since(canaries, beside[-1]), "canary items of the round"
    frozen = [
        one for found in reading.facts.runs_of(run.replica, "frozen") for one in found.still.get(("anchor", axis), [])
    ]
    if len(frozen) > 1 and frozen[0][0] <= seq <= frozen[-1][0]:
        nearest = min(frozen, key=lambda one: abs(one[0] - seq))[1]
        return _since(frozen, nearest), "anchor items of `frozen`"
    own = run.still.get(("report", axis), [])
    bridged = [data for place, data in own[1:] if place < seq and data.get("epoch", 0) == epoch]
    return (_since(own, bridged[-1]), f"bridge of epoch {epoch}") if bridged else None


def _since(series: Series, now: Mapping[str, Json]) -> Change:
    return change([(series[0][1], now)], LEVEL / 2.0)


def median_curve(reading: Reading) -> dict[int, float]:
    """Round -> median over starts of the claimed arm's score less drift, where the drift is known in every start."""
    rounds = sorted({at for run in reading.runs(reading.arm) for at in run.measured})
    found: dict[int, float] = {}
    for at in rounds:
        runs = [run for run in reading.runs(reading.arm) if at in reading.curve(run)]
        moves = [movement(reading, run, at, reading.metric) for run in runs]
        gone = [None if one is None else one[0].mean for one in moves]
        scores = [reading.curve(run)[at] - move for run, move in zip(runs, gone, strict=True) if move is not None]
        value = middle(list(scores)) if scores and len(scores) == len(runs) else None
        found |= {} if value is None else {at: value}
    return found


def corrected(reading: Reading) -> Table | None:
    """The claimed arm's last score by start, raw and less drift; None where no drift is known."""
    rows = [row for run in reading.runs(reading.arm) if (row := _row(reading, run))]
    if not any(row[-1] != "–" for row in rows):
        return None
    columns = ["Start", "Round", "Score", "Measuring moved by", "Shown by", "Score less drift", "95 %"]
    return Table(f"Last score of {named(reading.arm)} on report items, less drift", columns, rows, (0, 4))


def _row(reading: Reading, run: RunFacts) -> Sequence[Cell]:
    curve = reading.curve(run)
    if not curve:
        return []
    at = max(curve)
    moved, sheet = movement(reading, run, at, reading.metric), run.latest[reading.metric, RELEASED]
    if moved is None or moved[0].mean is None:
        return [f"start {run.replica}", str(at), points(curve[at]), "unknown", "nothing at that time", "–", "–"]
    values = [float("nan") if one is None else one for one in sheet["values"]]
    found = less(bounded(values, LEVEL / 2.0), moved[0])
    ends = f"{points(found.low)} to {points(found.high)}"
    return [
        f"start {run.replica}",
        str(at),
        points(curve[at]),
        signed(moved[0].mean),
        moved[1],
        points(found.mean),
        ends,
    ]


def caption(reading: Reading) -> str:
    """What is to be said of lines under several contracts."""
    if not reading.facts.epochs:
        return ""
    return " Lines end where the contract moved and no bridge ties both sides; where one does, see the epochs."


def said(reading: Reading) -> list[str]:
    """Who opened epochs and why; what the verdict makes of them."""
    told = [_opened(one) for one in reading.facts.epochs]
    return [
        *told,
        "The sealed items are answered by all arms under the last contract alone, and a gate decision compares scores "
        "of its own epoch only.",
    ]


def _opened(epoch: Epoch) -> str:
    data, parts = epoch.opened, joined(map(named, epoch.opened["moved"]))
    lacking = "; ".join(f"{what}: {why}" for what, why in list(epoch.unbridged.items())[:3])
    held = f"It is not bridged, so no line is drawn through it: {lacking}." if lacking else "It is bridged."
    waiting = f"while {counted(len(epoch.at), 'run')} went on"
    return f"Epoch {epoch.number} was opened by {data['by']} {waiting} ({data['reason']}): {parts} moved. {held}"


def epochs(reading: Reading) -> list[Table]:
    """The parts that moved, and what each new contract did to scores; empty under one contract."""
    moved: list[Sequence[Cell]] = [
        [str(epoch.number), named(part), *pair]
        for epoch in reading.facts.epochs for part, pair in epoch.opened["moved"].items()
    ]  # fmt: skip
    bridges: list[Sequence[Cell]] = [
        [str(epoch.number), named(one["axis"]), WHICH[one["of"]], signed(one["mean"]),
         interval(one["low"], one["high"]), f"{one['paired']} of {one['items']}", _held(epoch)]
        for epoch in reading.facts.epochs for one in (epoch.bridged or {"change": []})["change"]
    ]  # fmt: skip
    if not moved:
        return []
    columns = ["Epoch", "Axis", "Of", "New contract less old", "95 %", "items with both", "Bridge"]
    told = Table("The same systems on the same items, under the new contract and the old one", columns, bridges, (1, 2))
    return [Table("Parts of the contract that moved", ["Epoch", "Part", "before", "now"], moved, (1, 2, 3)), told]


def _held(epoch: Epoch) -> Mark:
    return Mark("open", "not bridged") if epoch.unbridged else Mark("good", "bridged")
