"""The bounds that people set beside the claim: policy, sizes, gate, guards, budget; and what people answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from netgain.policy import FORBIDDEN, PEOPLE, SIZES
from netgain.report.figures import UNKNOWN, amount, counted, joined, named, percent, points
from netgain.report.monitoring import told_rule
from netgain.report.reading import Reading
from netgain.report.table import Cell, Table

ENDS = ("approved", "denied", "expired", "given up")
UNLIMITED = "no limit"


def said(reading: Reading) -> list[str]:
    """The policy in one sentence, and how many changes waited for people."""
    policy = reading.facts.policy
    source = "" if policy.binds else " (no policy was registered)"
    asked = [one for run in reading.facts.runs.values() for one in run.asked.values()]
    told = [f"People set these bounds before the first round; by their policy {policy.sentence()}{source}."]
    if asked:
        ends = Counter(one["end"] or "still waiting" for one in asked)
        parts = joined(f"{count} {end}" for end, count in sorted(ends.items()))
        told.append(f"Over all arms {counted(len(asked), 'change')} waited for people: {parts}.")
    return told


def table(reading: Reading) -> Table:
    """Every bound with its value."""
    rows = [*_policy(reading), *_gate(reading), *_budget(reading)]
    return Table("Bounds set by people, fixed with the claim", ["Bound", "Value"], rows, (0, 1))


def _policy(reading: Reading) -> list[Sequence[Cell]]:
    policy, facts = reading.facts.policy, reading.facts
    rows: list[Sequence[Cell]] = [[f"changes of {name}", _rule(policy.surfaces.get(name, "unattended"))]
                                  for name in facts.study["surfaces"]]  # fmt: skip
    for what in SIZES:
        limit = getattr(policy, f"max_{what}")
        rows.append([f"{what} of a change", UNLIMITED if limit is None else f"at most {limit:,}"])
    if policy.people(facts.study["surfaces"]):
        rows.append(["time for an answer", f"{policy.expires_hours:g} hours, then denied"])
    return rows


def _rule(rule: str) -> str:
    if rule == FORBIDDEN:
        return "forbidden"
    return f"wait for {counted(PEOPLE[rule], 'person', 'people')}" if PEOPLE[rule] else "run unattended"


def _gate(reading: Reading) -> list[Sequence[Cell]]:
    facts = reading.facts
    plan, guards = facts.registration["contract"]["gate"], [one for one in facts.axes.values() if one["guard"]]
    mode = f"mode {plan.get('mode', UNKNOWN)}, on {named(facts.gate_axis)}"
    rows: list[Sequence[Cell]] = [["gate", f"{mode}; a false promotion in a run: at most {percent(plan['level'])}"]]
    rows += [[f"guard {named(one['name'])}", f"may lose {points(one['margin'])} in all"] for one in guards]
    rows += [[f"check {named(one['name'])}", f"the loop's own, used to {joined(one['uses'])}"]
             for one in facts.study["filters"]]  # fmt: skip
    rows += [[f"monitor {named(one['name'])}", told_rule(one)] for one in facts.study.get("monitors", [])]
    return rows


def _budget(reading: Reading) -> list[Sequence[Cell]]:
    study = reading.facts.study
    limits = [[f"budget of {unit}", f"{amount(limit)} a run"] for unit, limit in study["limits"].items()]
    return [*(limits or [["budget", UNLIMITED]]), ["horizon", counted(int(study["rounds"]), "round")]]


def answers(reading: Reading) -> Table | None:
    """What people answered, by arm: unequal answers would be a difference between arms; None where nobody was asked."""
    rows: list[Sequence[Cell]] = []
    for arm in reading.arms:
        asked = [one for run in reading.runs(arm) for one in run.asked.values()]
        ends = Counter(one["end"] for one in asked)
        rows += [[named(arm), str(len(asked)), *(str(ends[end]) for end in ENDS)]] if asked else []
    return Table("Changes that waited for people, by arm", ["Arm", "asked", *ENDS], rows) if rows else None
