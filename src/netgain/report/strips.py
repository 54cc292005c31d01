"""Decisions as strips: who decided what, round by round, and where the looks lie in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from netgain.report import sentences
from netgain.report.figures import named
from netgain.report.frame import WIDE
from netgain.report.reading import Reading
from netgain.report.svg import Html, Scale, drawing, line, text
from netgain.report.table import Cell, Mark, Table

OUTCOME_STATUS = {"promote": "good", "undecided": "open", "reject": "bad"}
LETTERS = {"system": "S", "rule": "R", "model": "M", "person": "P"}


def gate(reading: Reading) -> Table:
    """The gate's decision on every candidate of the claimed arm."""
    rounds = list(range(1, reading.facts.rounds + 1))
    rows: list[Sequence[Cell]] = []
    for run in reading.runs(reading.arm):
        by_round = {one["round"]: one for one in run.decisions}
        rows.append([f"start {run.replica}", *(_cell(by_round.get(at)) for at in rounds)])
    return Table(
        f"Gate decisions on {named(reading.arm)} by round", ["Start", *map(str, rounds)], rows, range(len(rounds) + 1)
    )


def _cell(decision: dict[str, object] | None) -> Cell:
    if decision is None:
        return "–"
    outcome = str(decision["outcome"])
    return Mark(OUTCOME_STATUS.get(outcome, "watch"), outcome, f"{decision['reason']}: {decision['sentence']}")


def counts(reading: Reading) -> Table:
    """Decisions of every arm, counted."""
    rows: list[Sequence[Cell]] = []
    for arm in reading.arms:
        found = Counter(one["outcome"] for one in reading.decisions(arm))
        restores = sum(int(run.row.get("restores", 0)) for run in reading.all_runs(arm))
        pairs = sum(_pairs(one) for one in reading.decisions(arm))
        cells = [*(str(found[one]) for one in sentences.OUTCOMES), str(restores), f"{pairs:,}"]
        rows.append([named(arm), *(cells if found else ["–"] * len(cells))])
    columns = ["Arm", *sentences.OUTCOMES, "rollbacks", "gate pairs asked"]
    return Table(
        "Gate decisions of every arm; –: plain training and arms without proposals are not judged", columns, rows
    )


def _pairs(decision: dict[str, list[dict[str, int]]]) -> int:
    asked = (int(test["asked"]) if "asked" in test else test["pairs"] + test["missing"] for test in decision["tests"])
    return max(asked, default=0)  # a cluster is one bet and several pairs


def autonomy(reading: Reading) -> Table:
    """Who decided each part of each proposal of the claimed arm: one letter per part."""
    rounds = list(range(1, reading.facts.rounds + 1))
    rows = []
    for run in reading.runs(reading.arm):
        letters = {
            at: "".join(LETTERS.get(one["decided_by"], "?") for one in run.choices if one["round"] == at)
            for at in rounds
        }
        rows.append([f"start {run.replica}", *(letters[at] or "–" for at in rounds)])
    caption = f"Parts of the proposals of {named(reading.arm)} by round: S system, R rule, M outside model, P person"
    if any(choice.get("locus", "proposal") != "proposal" for choice in reading.choices()):
        caption += "; answers to changes that waited, and rollbacks, are among them"
    return Table(caption, ["Start", *map(str, rounds)], rows)


def surfaces(reading: Reading) -> Table:
    """Decision records by surface and decider."""
    choices = reading.choices()
    names = sorted({choice["surface"] for choice in choices})
    rows = []
    for name in names:
        found = Counter(choice["decided_by"] for choice in choices if choice["surface"] == name)
        rows.append([name, *(str(found[who]) for who in LETTERS), str(sum(found.values()))])
    return Table("Recorded decisions by surface", ["Surface", *sentences.DECIDERS.values(), "in all"], rows)


def timeline(reading: Reading) -> Html:
    """Registration, every gate decision, the seal and the verdict along the log."""
    facts = reading.facts
    x = Scale(0, max(1, facts.events), 20, WIDE - 20)
    parts = [line(20, 52, WIDE - 20, 52, "axis")]
    for arm in reversed(reading.arms):
        class_ = "tick-own" if arm == reading.arm else "tick-other"
        parts += [
            line(x(int(one["seq"])), 38 if arm == reading.arm else 44, x(int(one["seq"])), 52, class_)
            for one in reading.decisions(arm)
        ]
    marks = [("registered", facts.registered_seq or 0, "start")]
    marks += [(f"seal, {seal['look']} starts", int(seal["seq"]), "end") for seal in facts.seals]
    if reading.verdict is not None:
        marks.append(("verdict", facts.events - 1, "end"))
    for place, (words, seq, anchor) in enumerate(marks):
        parts.append(line(x(seq), 20 if place % 2 == 0 else 34, x(seq), 62, "mark"))
        parts.append(text(x(seq), 15 if place % 2 == 0 else 30, words, anchor=anchor, class_="label ink"))
    parts.append(text(WIDE - 20, 76, f"{facts.events:,} log entries", anchor="end", class_="tick"))
    parts.append(text(20, 76, f"ticks: gate decisions, tall ones about {reading.arm}", class_="tick"))
    return drawing("looks", WIDE, 84, "Looks and seal along the log", sentences.looks(reading), parts)
