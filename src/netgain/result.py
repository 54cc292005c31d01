"""The result digest: equal for two studies that came to the same result, whenever, wherever and however interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netgain.canonical import digest
from netgain.ledger import Stored

Json = Any
SPENT = ("start", "build", "answer")  # seconds are among it
SCORED = ("round", "split", "axis", "role", "items", "system", "values", "outputs")
DECIDED = ("round", "candidate", "released", "outcome", "reason", "axis", "level", "tests")


def result_digest(entries: Iterable[Stored]) -> str:
    """SHA-256 over every run's result, by run id.

    Covered: for each stage (round, stage), in the order of the run: the digests of what it made and of all outputs,
    every item score, the decisions, the pointers it left. Outside: clocks, durations, spend, worker and session, and
    repeated attempts at a stage; the sealed scores too, since their items are drawn from the log's final root, which
    holds clocks.
    """
    return digest(run_digests(entries))


def run_digests(entries: Iterable[Stored]) -> dict[str, str]:
    """Run -> SHA-256 of its result; the name of the run is outside, so that runs that did the same have the same."""
    runs: dict[str, list[Json]] = {}
    for entry in entries:
        if entry.run is not None and (told := _told(entry)) is not None:
            runs.setdefault(entry.run, []).append(told)
    return {run: digest(records) for run, records in sorted(runs.items())}


def _told(entry: Stored) -> Json:
    """What an event says about the result; None for one that says nothing."""
    data = entry.data
    if entry.kind == "stage_done":
        return ["stage", data["round"], data["stage"], _made(data["out"]), _pointers(data["row"])]
    if entry.kind == "scores" and data["split"] not in ("sealed", "transplant"):
        return ["scores", *(data[name] for name in SCORED)]
    if entry.kind == "gate_decision":
        return ["decision", *(data[name] for name in DECIDED)]
    return None


def _made(out: Mapping[str, Json]) -> dict[str, Json]:
    """What a stage made; the name of an arm's channel is what it was meant to do, not what it did."""
    channel = {name: value for name, value in out.get("channel", {}).items() if name != "channel"}
    return {**out, "channel": channel}


def _pointers(row: Mapping[str, Json]) -> dict[str, Json]:
    named = ("replica", "arm", "variant", "plan", *SPENT)
    return {name: value for name, value in row.items() if name not in named}
