"""Monitors on the page: what each said of every candidate, with "could not look" as a state of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from netgain.report.figures import counted, interval, joined, named, signed
from netgain.report.identified import mean_of, no_spread
from netgain.report.reading import Reading
from netgain.report.table import Cell, Mark, Table

Json = Any
DID = {
    "watch": "recorded only", "freeze": "no candidate was promoted from then on",
    "pause": "the study waited for a person", "reject": "the candidate was not used",
    "roll_back": "back to the released system", "halt": "the run ended",
}  # fmt: skip


def said(reading: Reading) -> list[str]:
    """What monitors found on the claimed arm, alarms and blind rounds counted apart; nothing without monitors."""
    rules = _rules(reading)
    if not rules:
        return []
    told = [one for run in reading.runs(reading.arm) for one in run.watched.values()]
    signals = [signal for one in told for signal in one["signals"]]
    alarms = Counter(one["monitor"] for one in signals if one["alarm"])
    blind = Counter(one["monitor"] for one in signals if one["alarm"] is None)
    found = [
        f"{counted(len(rules), 'monitor')} looked at {counted(len(told), 'candidate')} of {named(reading.arm)} in all."
    ]
    found += [f"{named(name)} alarmed {counted(n, 'time')}: {_did(reading, name)}." for name, n in alarms.items()]
    found += [f"{named(name)} could not look {counted(n, 'time')}, which is no pass." for name, n in blind.items()]
    found += [_moved(one["moved"]) for one in told if "moved" in one][:1]
    return [*found, *([] if alarms or blind else ["None alarmed, and every one could look."]), *worth(reading)]


def worth(reading: Reading) -> list[str]:
    """What acting on alarms was worth: the claimed arm less itself without it, served scores, mean over starts."""
    arms = [arm for arm in reading.arms if arm == "stop:off" or arm.endswith(".stop")]
    return [_worth(reading, arm) for arm in arms] if reading.verdict else []


def _worth(reading: Reading, arm: str) -> str:
    stopped = sum(any(told["acted"] for told in run.watched.values()) for run in reading.runs(reading.arm))
    found = mean_of(reading.differences(arm)).over
    of = counted(len(reading.replicas), "start")
    ends = no_spread(found) if found.low is None else f"{interval(found.low, found.high)}, 95 % over starts"
    said = f"Alarms acted in {stopped} of {of}; against {named(arm)} this was worth {signed(found.mean)} on"
    return f"{said} {named(reading.metric)} of what is served ({ends})."


def _moved(parts: Sequence[str]) -> str:
    """What a drift of the measuring was put down to, when it was first seen."""
    if parts:
        return f"The measuring drifted; since it was recorded, these parts of the contract have moved: {joined(parts)}."
    return "The measuring drifted, and no recorded part moved: look at the machine, the data source, the model server."


def table(reading: Reading) -> Table | None:
    """Monitor and start by round; None without monitors."""
    rules, rounds = _rules(reading), list(range(1, reading.facts.rounds + 1))
    if not rules:
        return None
    rows: list[Sequence[Cell]] = []
    for rule in rules:
        for run in reading.runs(reading.arm):
            cells = [_cell(run.watched.get(at), rule["name"]) for at in rounds]
            rows.append([named(rule["name"]), told_rule(rule), f"start {run.replica}", *cells])
    caption = f"What monitors said of every candidate of {named(reading.arm)}; –: not reached"
    return Table(caption, ["Monitor", "Alarm when", "Start", *map(str, rounds)], rows, range(len(rounds) + 3))


def _rules(reading: Reading) -> list[Mapping[str, Json]]:
    return list(reading.facts.study.get("monitors", []))


def told_rule(rule: Mapping[str, Json]) -> str:
    """When a registered monitor alarms, and what it does then."""
    edge = "at least" if rule["direction"] == "at_least" else "below"
    return f"{rule['reads']} {edge} {rule['threshold']:g}: {rule['action'].replace('_', ' ')}"


def _cell(told: Mapping[str, Json] | None, name: str) -> Cell:
    if told is None:
        return "–"
    found = next(one for one in told["signals"] if one["monitor"] == name)
    if found["alarm"] is None:
        return Mark("open", "not run", str(found["reason"]))
    value = str(found["reason"]) if found["value"] is None else f"{found['value']:.3g}"
    return Mark("bad", "alarm", value) if found["alarm"] else Mark("good", "quiet", value)


def _did(reading: Reading, name: str) -> str:
    acts = [told["acted"] for run in reading.runs(reading.arm) for told in run.watched.values() if told["by"] == name]
    return joined(sorted({DID[one] for one in acts if one})) if any(acts) else DID["watch"]
