"""Tables beside the guards: items lost and won, how confidence fits, how far a gain is aimed, tests told from work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netgain.evidence.churn import Churn, churn, targeting
from netgain.evidence.confidence import equal_mass_ece, selective_risk, smooth_ece, stated
from netgain.evidence.tally import side_by_side
from netgain.report.attribution_sentences import region
from netgain.report.figures import UNKNOWN, counted, middle, minus, named, percent, points, signed
from netgain.report.reading import Reading, Values
from netgain.report.table import Cell, Table

Json = Any
RULES = ("brier", "log_score")  # metrics from which a stated confidence comes back
COVERAGE = 0.8


def tables(reading: Reading) -> list[Table]:
    """Those of which the suite has the axes."""
    found = [_churn(reading), _confidence(reading), _targeting(reading), _marks(reading), _scorers(reading)]
    return [one for one in found if one is not None]


def _sealed_axes(reading: Reading) -> dict[str, dict[str, Json]]:
    return {name: axis for name, axis in reading.facts.axes.items() if axis["sealed_items"]}


def _scores(reading: Reading, replica: int, axis: str) -> tuple[Sequence[Json], Sequence[Json]]:
    """(n,) scores of generation 0 and of what the claimed arm served, on the items that its verdict is about."""
    sheets = reading.facts.blocks.get((replica, axis), {})
    strict = [key for key in sheets if key[0] in (reading.arm, "ungated")]
    first, last = side_by_side(sheets, strict, ("frozen", "served"), (reading.arm, "served"))
    return first, last


def _churn(reading: Reading) -> Table | None:
    """Lost and won items of the axes of retention and of the claim, start by start."""
    axes = [name for name, one in _sealed_axes(reading).items() if one["kind"] == "retention" or name == reading.metric]
    rows: list[Sequence[Cell]] = []
    for name in axes:
        for replica in reading.replicas:
            found = churn(*(_numbers(one) for one in _scores(reading, replica, name)))
            rows.append([named(name), f"start {replica}", *_shares(found), str(found.items)])
    caption = (
        f"Items that {named(reading.arm)} lost and won against generation 0, of those that both answered. A mean can "
        "stand still while abilities are exchanged."
    )
    return Table(caption, ["Axis", "Start", "lost", "won", "churn", "items"], rows, (0, 1)) if rows else None


def _shares(found: Churn) -> list[str]:
    return [percent(one, 1) for one in (found.lost, found.won, found.churn)]


def _numbers(values: Sequence[Json]) -> Any:
    return np.array([math.nan if one is None else one for one in values], dtype=np.float64)


def _confidence(reading: Reading) -> Table | None:
    """How confidence fits: medians over starts, where an axis of right and wrong asks the same questions."""
    axes = {name: one for name, one in _sealed_axes(reading).items() if one["metric"] in RULES and one["declared"]}
    rows: list[Sequence[Cell]] = []
    for name, axis in axes.items():
        truth = _truth_of(reading, axis)
        for arm, words in (("frozen", "generation 0"), (reading.arm, named(reading.arm))):
            if truth is None:
                rows.append([named(name), words, *[UNKNOWN] * 3, f"no axis scores its answers with {named('exact')}"])
                continue
            each = [_figures(reading, replica, arm, name, truth) for replica in reading.replicas]
            medians = [middle([one[place] for one in each]) for place in range(3)]
            rows.append([named(name), words, *map(_figure, medians), counted(sum(one[3] for one in each), "answer")])
    columns = ["Axis", "System", "ECE, equal mass", "smooth ECE", f"risk at {percent(COVERAGE)} coverage", "over"]
    caption = (
        "How stated confidence fits sealed answers, medians over starts. The binned error is above 0 for a calibrated "
        "system too. Risk: wrong among the most confident. No decision reads this table."
    )
    return Table(caption, columns, rows, (0, 1, 5)) if rows else None


def _figure(value: float | None) -> str:
    return UNKNOWN if value is None else points(value)


def _truth_of(reading: Reading, axis: Mapping[str, Json]) -> str | None:
    """The axis that says which of an axis' answers were right: the same source, scored with `exact`, item by item."""
    for name, one in _sealed_axes(reading).items():
        if one["metric"] == "exact" and one["declared"] and one["source"] == axis["source"] and not one.get("group"):
            return name
    return None


def _figures(
    reading: Reading, replica: int, arm: str, name: str, truth: str
) -> tuple[float | None, float | None, float | None, int]:
    """The three figures of one start, and the answers that they are over: those that both axes have a score on."""
    sheets = [reading.facts.blocks.get((replica, one), {}).get((arm, "served")) for one in (name, truth)]
    if sheets[0] is None or sheets[1] is None:
        return None, None, None, 0
    pairs = zip(sheets[0]["values"], sheets[1]["values"], strict=False)  # blocks of one source begin alike
    both = np.array([pair for pair in pairs if None not in pair], dtype=np.float64).reshape(-1, 2)
    right = both[:, 1]
    sure = stated(both[:, 0], right, reading.facts.axes[name]["metric"])
    return (
        equal_mass_ece(sure, right),
        smooth_ece(sure, right),
        selective_risk(sure, right, coverage=COVERAGE),
        len(both),
    )


def _targeting(reading: Reading) -> Table | None:
    """How much of the gain stays on the claimed axis instead of carrying over to a sibling."""
    near = [name for name, one in _sealed_axes(reading).items() if one["kind"] == "sibling"]
    rows: list[Sequence[Cell]] = []
    for name in near:
        gains, carried = reading.differences("frozen"), reading.differences("frozen", name)
        found = targeting(_numbers(gains), _numbers(carried))
        pairs = zip(found.by_start, gains, carried, strict=True)
        each = [UNKNOWN if None in both else _index(float(one)) for one, *both in pairs]
        ratio = found.overall
        all_starts = f"not reported: {ratio.reason}" if ratio.estimate is None else points(ratio.estimate)
        rows.append([named(name), *each, all_starts, "–" if ratio.region is None else region(ratio.region)])
    columns = ["Sibling", *(f"start {one}" for one in reading.replicas), "of the means", "set"]
    caption = (
        f"Targeting index: (gain on {named(reading.metric)} less gain on its sibling) / gain. 0: the gain carries over "
        "whole; 1: it stays where it was aimed; above 1: the sibling got worse"
    )
    return Table(caption, columns, rows, (0, len(columns) - 2, len(columns) - 1)) if rows else None


def _index(value: float) -> str:
    """An index; a start that gained nothing has none."""
    return "no gain" if math.isnan(value) else points(value)


def _marks(reading: Reading) -> Table | None:
    """Marked minus unmarked: what a system makes of knowing that it is tested."""
    rows: list[Sequence[Cell]] = []
    for name, marked in _marked_pairs(reading):
        for arm, words in (("frozen", "generation 0"), (reading.arm, named(reading.arm))):
            pairs = zip(reading.sealed(arm, marked), reading.sealed(arm, name), strict=True)
            each: Values = [minus(left, right) for left, right in pairs]
            rows.append([f"{named(marked)} less {named(name)}", words, *map(signed, each), signed(middle(each))])
    columns = ["Axes", "System", *(f"start {one}" for one in reading.replicas), "median"]
    caption = "Score on marked questions less score on the same questions without a sign of a test"
    return Table(caption, columns, rows, (0, 1)) if rows else None


def _marked_pairs(reading: Reading) -> list[tuple[str, str]]:
    """(unmarked axis, marked axis) of the same questions: one source is made of the other."""
    axes = _sealed_axes(reading)
    found = []
    for name in (name for name, one in axes.items() if one["kind"] == "unmarked"):
        own = axes[name]["source"]
        for other, one in axes.items():
            marked = one["source"]
            alike = one["metric"] == axes[name]["metric"] and other != name
            if alike and (marked == own.get("base") or (marked.get("twins") == "marked" and marked["base"] == own)):
                found.append((name, other))
    return found


def _scorers(reading: Reading) -> Table | None:
    """How often two scorers of an axis disagreed so much that its items were left out."""
    rows: list[Sequence[Cell]] = []
    for name, axis in _sealed_axes(reading).items():
        if "second" not in axis:
            continue
        sheets = [one for (_, of), block in reading.facts.blocks.items() if of == name for one in block.values()]
        why = [reason for sheet in sheets for reason in sheet["status"].values()]
        apart = sum(reason.startswith("scorers disagree") for reason in why)
        failed = sum(reason.startswith("second scorer") for reason in why)
        asked = sum(len(sheet["values"]) for sheet in sheets)
        rows.append(
            [named(name), named(axis["second"]), percent(axis["disagree"]), str(apart), str(failed), str(asked)]
        )
    columns = ["Axis", "Second scorer", "Allowed share", "left out: they disagree", "left out: it failed", "answers"]
    caption = "Two scorers on sealed answers of all arms; up to the allowed share of a block the first one holds"
    return Table(caption, columns, rows, (0, 1)) if rows else None
