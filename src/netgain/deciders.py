"""Who decided what in a study: its decision records, gate decisions and ends, as the autonomy profile takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netgain.evidence.autonomy import Decision, Profile, Share, gain_share, profile
from netgain.facts import Facts, RunFacts

GATE_OPTIONS = 3  # promote, reject, undecided
FIXED = ("objective", "evaluation", "gate rule", "open surfaces", "horizon and stopping")


def autonomy_of(facts: Facts, arm: str | None = None) -> Profile:
    """The autonomy profile of an arm; of the claimed one without a name."""
    name = arm or str(facts.claim["arm"])
    runs = {run: found for run, found in facts.runs.items() if found.arm == name}
    return profile(
        [one for run, found in runs.items() for one in _decisions(run, found)] + _epochs(facts, runs),
        rounds={run: int(found.row["round"]) for run, found in runs.items()},
        promotions=sum(_promoted(found, one) for found in runs.values() for one in found.decisions),
        gain=_gain_share(facts, name, list(runs.values())), fixed=FIXED,
        requests=sum(one["kind"] in ("stop", "pause") for one in facts.requests),
    )  # fmt: skip


def _decisions(name: str, run: RunFacts) -> list[Decision]:
    """Parts of proposals by surface; the gate, a rule that the developer fixed; the end, which was fixed as well."""
    found = [Decision(name, one["round"], _locus(one), one["decided_by"], one["options"]) for one in run.choices]
    found += [Decision(name, one["round"], "gate", "rule", GATE_OPTIONS) for one in run.decisions]
    ended = run.row.get("stage") == "done"
    return found + ([Decision(name, int(run.row["round"]), "stop", "rule", 1)] if ended else [])


def _epochs(facts: Facts, runs: Mapping[str, RunFacts]) -> list[Decision]:
    """Who opens an epoch touches every run that was not over."""
    return [
        Decision(run, at, "epoch", "person") for epoch in facts.epochs for run, at in epoch.at.items() if run in runs
    ]


def _locus(choice: Mapping[str, Any]) -> str:
    """A surface of a proposal; an answer to a change that waited, and a rollback, by themselves."""
    return str(choice["surface"] if choice.get("locus", "proposal") == "proposal" else choice["locus"])


def _promoted(run: RunFacts, decision: Mapping[str, Any]) -> bool:
    """Whether a decision moved the released system: it has a receipt, and people did not say no."""
    ends = [one["end"] for one in run.asked.values() if one["round"] == decision["round"]]
    return decision["receipt"] is not None and not any(end in ("denied", "expired", "given up") for end in ends)


def _gain_share(facts: Facts, arm: str, runs: Sequence[RunFacts]) -> Share:
    """From the arms `without:SURFACE` over all subsets; with every surface closed nothing changes: `frozen`."""
    surfaces = sorted({choice["surface"] for run in runs for choice in run.choices})
    scores = {}
    for name in facts.study["arms"]:
        closed = {piece.partition(":")[2] for piece in name.split("+") if piece.startswith("without:")}
        if closed and all(piece.startswith("without:") for piece in name.split("+")):
            scores[frozenset(surfaces) - closed] = _sealed(facts, name)
    scores |= {frozenset(surfaces): _sealed(facts, arm)}
    scores.setdefault(frozenset(), _sealed(facts, "frozen"))
    return gain_share(scores, surfaces, {name: _owner(runs, name) for name in surfaces})


def _sealed(facts: Facts, arm: str) -> list[float | None]:
    found = [facts.sealed_score(replica, arm, facts.claim["metric"]) for replica in sorted(facts.enrolled)]
    return [None if one is None else one.score for one in found]


def _owner(runs: Sequence[RunFacts], surface: str) -> str | None:
    who = {choice["decided_by"] for run in runs for choice in run.choices if choice["surface"] == surface}
    return who.pop() if len(who) == 1 else None
