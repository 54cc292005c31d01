"""Probation on the page: every look at a promoted generation beside the one before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netgain.report.figures import counted, named, percent
from netgain.report.reading import Reading
from netgain.report.table import Cell, Mark, Table

Json = Any


def said(reading: Reading) -> list[str]:
    """The registered rule, and how often a generation went back."""
    rule, runs = reading.facts.study["probation"], reading.runs(reading.arm)
    looks = [one for run in runs for one in run.trials.values()]
    backs = [one for one in looks if one["acted"]]
    blind = [one for one in looks if one["alarm"] is None]
    found = [
        f"A promoted generation was on trial for {counted(rule['rounds'], 'round')}, on {rule['items']} new items of "
        f"every judged axis in each, beside the last one that stood its trial. One that loses no more than the step "
        f"margin is taken back with a chance of at most {percent(rule['level'], 1)} per window.",
        f"Of {counted(len(looks), 'look')} at {named(reading.arm)}, {len(backs)} took a generation back.",
    ]
    return [*found, *([f"{counted(len(blind), 'look')} saw too little, which is no pass."] if blind else [])]


def table(reading: Reading) -> Table | None:
    """Every look by start and round; None without a probation."""
    if "probation" not in reading.facts.study:
        return None
    rounds = list(range(1, reading.facts.rounds + 1))
    rows: list[Sequence[Cell]] = [[f"start {run.replica}", *(_cell(run.trials.get(at)) for at in rounds)]
                                  for run in reading.runs(reading.arm)]  # fmt: skip
    caption = f"Looks at promoted generations of {named(reading.arm)} by round; –: none was on trial"
    return Table(caption, ["Start", *map(str, rounds)], rows, range(len(rounds) + 1))


def _cell(look: Mapping[str, Json] | None) -> Cell:
    if look is None:
        return "–"
    worst = max(look["tests"], key=lambda one: float(one["log_e_peak"]) - float(one["log_threshold"]))
    reached = f"log E {worst['log_e_peak']:.2f} of {worst['log_threshold']:.2f}"
    words = f"promoted in round {look['since']}; {worst['axis']}: {reached}"
    if look["alarm"] is None:
        return Mark("bad" if look["acted"] else "open", "saw too little", words)
    if not look["alarm"]:
        return Mark("good", "kept", words)
    return Mark("bad", "taken back", words) if look["acted"] else Mark("watch", "harm shown", words)
