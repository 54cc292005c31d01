"""What a study's log says, reduced to the tables that verdict, report and status are made from.

One pure function over the events: every page and every command shows the same numbers because it reads these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from netgain.evidence.bridge import FIRST, RELEASED, Pair
from netgain.evidence.tally import Tally, paired, tally
from netgain.ledger.events import Stored
from netgain.policy import Policy

Json = Any
AGAIN = "again"  # role of generation 0 that is asked its anchor items a second time at one time
BRIDGE = "bridge"  # role of a system that is asked once more at the opening of an epoch
DECIDING = ("propose", "build", "watch", "judge", "approve", "apply")  # stages that say what becomes of a run
MIXTURE = "mixture:"  # role of a mixture of first (0) and final (1) parts, in registered order: "mixture:01"


@dataclass
class RunFacts:
    """One run: arm (and menu entry) of one replica."""

    replica: int
    arm: str
    variant: str
    row: dict[str, Json] = field(default_factory=dict)
    report: dict[tuple[int, str, str], Tally] = field(default_factory=dict)  # (round, role, axis)
    anchor: dict[tuple[int, str], Tally] = field(default_factory=dict)  # (round, axis)
    again: dict[str, dict[str, Json]] = field(default_factory=dict)  # axis -> anchor items asked twice in round 0
    gate: dict[tuple[int, str, str], Tally] = field(default_factory=dict)  # (round, role, axis)
    sheets: dict[tuple[str, int, str], dict[str, Json]] = field(default_factory=dict)  # (split, round, role), gate axis
    decisions: list[dict[str, Json]] = field(default_factory=list)  # of the gate, with seq and time
    watched: dict[int, dict[str, Json]] = field(default_factory=dict)  # round -> what monitors saw, said and did
    beside: dict[tuple[str, int, str], dict[str, Json]] = field(default_factory=dict)  # (axis, round, role), report
    met: list[dict[str, Json]] = field(default_factory=list)  # planted canaries that were met, with seq and time
    searched: list[tuple[int, str, int | None]] = field(default_factory=list)  # (round, stage, documents) of a search
    trials: dict[int, dict[str, Json]] = field(default_factory=dict)  # round -> look of a probation
    canary: dict[tuple[int, str, str], Tally] = field(default_factory=dict)  # (round, role, axis)
    choices: list[dict[str, Json]] = field(default_factory=list)  # decision records of the proposals
    channel: dict[int, dict[str, Json]] = field(default_factory=dict)  # round -> what the checks' channel did
    round_0: dict[int, float | None] = field(default_factory=dict)  # round -> own score, generation 0 judging
    spend_by_round: dict[int, dict[str, dict[str, float | None]]] = field(default_factory=dict)
    answered: dict[str, float | None] = field(default_factory=dict)  # spend on the sealed items, by what is served
    failures: list[dict[str, Json]] = field(default_factory=list)
    asked: dict[str, dict[str, Json]] = field(default_factory=dict)  # id -> request for people, its answers, its end
    epochs: dict[int, int] = field(default_factory=dict)  # round -> epoch in which it was measured
    measured: dict[int, int] = field(default_factory=dict)  # round -> seq of that
    still: dict[tuple[str, str], list[tuple[int, dict[str, Json]]]] = field(default_factory=dict)
    # (split, axis) -> (seq, scores) of generation 0 on items that stay the same: anchor, canary, report of round 0
    latest: dict[tuple[str, str], dict[str, Json]] = field(default_factory=dict)  # (axis, which system) -> its scores

    @property
    def leaked(self) -> set[str]:
        """Items whose planted canary was met while it was a test, by short digests."""
        return {item for one in self.met for item, state in one["met"] if state == "live"}

    def phase(self, name: str) -> list[dict[str, float | None]]:
        """What was spent in a phase (start, build, answer, sealed), by round."""
        return [spend[name] for spend in self.spend_by_round.values() if name in spend]


@dataclass
class Epoch:
    """A stretch under another contract than before.

    Attributes:
        number: from 1; the registered contract is epoch 0.
        opened: the record of its opening.
        at: run -> round in which it stood then, of the runs that were not over.
        pairs: systems asked under the contract before and under this one, on the same items.
        bridged: what that came to; None while the opening is not through.
    """

    number: int
    opened: dict[str, Json]
    at: dict[str, int]
    pairs: list[Pair] = field(default_factory=list)
    bridged: dict[str, Json] | None = None

    @property
    def unbridged(self) -> dict[str, str]:
        """What is not bridged, and why; empty for a bridge that holds."""
        if self.bridged is None:
            return {"the bridge": "it was not measured to its end"}
        return dict(self.bridged["unbridged"])


@dataclass
class Facts:
    """A whole study."""

    opened: dict[str, Json] = field(default_factory=dict)
    registration: dict[str, Json] = field(default_factory=dict)
    registered_seq: int | None = None
    registered_time: str | None = None
    gate_axis: str = ""
    planned: dict[str, Json] | None = None
    runs: dict[str, RunFacts] = field(default_factory=dict)
    enrolled: dict[int, list[str]] = field(default_factory=dict)
    blocks: dict[tuple[int, str], dict[tuple[str, str], dict[str, Json]]] = field(default_factory=dict)
    mixtures: dict[tuple[int, str], dict[tuple[str, str], dict[str, Json]]] = field(default_factory=dict)
    sealed: dict[tuple[int, str, str, str], Tally] = field(default_factory=dict)  # (replica, arm, role, axis)
    moves: dict[tuple[int, str], list[dict[str, Json]]] = field(default_factory=dict)  # (replica, arm) -> transplants
    moved: dict[tuple[int, str], dict[tuple[str, int], dict[str, Json]]] = field(default_factory=dict)  # and scores
    mixed: dict[tuple[int, str, str], Tally] = field(default_factory=dict)  # (replica, axis, which parts are final)
    inseparable: dict[int, str] = field(default_factory=dict)  # replica -> why its parts do not mix
    seals: list[dict[str, Json]] = field(default_factory=list)
    verdict: dict[str, Json] | None = None
    states: list[dict[str, Json]] = field(default_factory=list)
    requests: list[dict[str, Json]] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)  # contract digests under which stages were done
    strays: set[str] = field(default_factory=set)  # of these, those of no epoch that was open then
    sandboxes: set[tuple[str, int]] = field(default_factory=set)  # that programs ran in: backend, level
    epochs: list[Epoch] = field(default_factory=list)  # opened after the first
    decided: set[int] = field(default_factory=set)  # epochs in which something was proposed, built or decided
    events: int = 0

    @property
    def starts(self) -> dict[int, dict[str, float | None]]:
        """Start -> what its generation 0 cost: every run of the start has it on record, and it was paid for once."""
        made = ((run.replica, run.phase("start")) for run in self.runs.values())
        return {replica: spends[0] for replica, spends in made if spends}

    @property
    def contract(self) -> dict[str, Json]:
        """The contract of the present epoch."""
        return dict(self.epochs[-1].opened["contract"] if self.epochs else self.registration.get("contract", {}))

    @property
    def contract_digest(self) -> str:
        """Its digest."""
        holder = self.epochs[-1].opened if self.epochs else self.registration
        return str(holder.get("contract_digest", ""))

    @property
    def limits(self) -> dict[str, float]:
        """Limits that end a run in the present epoch."""
        return dict(self.contract.get("limits", {}) if self.epochs else self.registration["study"]["limits"])

    @property
    def claim(self) -> dict[str, Json]:
        """The registered claim."""
        return dict(self.registration["claim"])

    @property
    def study(self) -> dict[str, Json]:
        """The registered study."""
        return dict(self.registration["study"])

    @property
    def suite(self) -> dict[str, Json]:
        """The registered suite."""
        return dict(self.registration["contract"]["suite"])

    @property
    def axes(self) -> dict[str, dict[str, Json]]:
        """Axes of the suite by name."""
        return {axis["name"]: axis for axis in self.suite["axes"]}

    @cached_property
    def marked_pairs(self) -> list[tuple[str, str]]:
        """(marked axis, the axis of the same questions without the mark), scored alike."""
        found = [(name, other) for name, one in self.axes.items() for other, plain in self.axes.items()
                 if _base(one) is not None and _base(one) == plain.get("source")]  # fmt: skip
        return [(name, other) for name, other in found if self.axes[name]["metric"] == self.axes[other]["metric"]]

    @cached_property
    def canary_pairs(self) -> set[str]:
        """Axes whose report scores are compared item by item on the page: placebos, and marked questions and their
        twins."""
        if "contract" not in self.registration:  # a log without its suite: nothing can be told apart
            return set()
        placebos = {name for name, one in self.axes.items() if one.get("kind") == "placebo"}
        return placebos.union(*self.marked_pairs)

    @property
    def policy(self) -> Policy:
        """What people allow, as registered; without a policy everything runs unattended."""
        return Policy.from_json(self.registration.get("study", {}).get("policy"))

    @property
    def waiting(self) -> list[dict[str, Json]]:
        """Requests that wait for an answer, oldest first. The run is not among what they say: who answers is blind."""
        return sorted(
            (one for run in self.runs.values() for one in run.asked.values() if one["end"] is None),
            key=lambda one: (str(one["since"]), str(one["id"])),
        )

    @property
    def rounds(self) -> int:
        """The registered horizon."""
        return int(self.study["rounds"])

    @property
    def concluded(self) -> bool:
        """True when the verdict on all enrolled replicas is in the log."""
        return self.verdict is not None and self.verdict["look"] == len(self.enrolled)

    def sealed_score(self, replica: int, arm: str, axis: str, role: str = "served") -> Tally | None:
        """Sealed score of what an arm served, or None when it was not asked."""
        return self.sealed.get((replica, arm, role, axis))

    def runs_of(self, replica: int, arm: str) -> list[RunFacts]:
        """The runs of an arm in a replica."""
        return [run for run in self.runs.values() if (run.replica, run.arm) == (replica, arm)]

    def spent(self, replica: int, arm: str, phase: str, *, most: bool = False) -> dict[str, float | None]:
        """Spend of an arm: of a menu, the entry that spent least (or most) in each unit; the whole was paid for."""
        spends = [run.row.get(phase, {}) for run in self.runs_of(replica, arm)]
        units = {unit for spend in spends for unit in spend}
        return {unit: _end([spend.get(unit) for spend in spends], most) for unit in units}


def _base(axis: Mapping[str, Json]) -> Json:
    """The source that marked questions were made of; None for others."""
    source = axis.get("source", {})
    return source["base"] if source.get("twins") == "marked" else None


def _end(amounts: list[float | None], most: bool) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return (max if most else min)(known) if known and len(known) == len(amounts) else None


def reduce(events: Iterable[Stored]) -> Facts:
    """All tables of a study, from its events in order."""
    facts = Facts()
    for event in events:
        facts.events += 1
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(facts, event)
    for (replica, axis), mixtures in facts.mixtures.items():
        found = paired(mixtures)
        facts.mixed |= {(replica, axis, role.removeprefix(MIXTURE)): one for (_, role), one in found.items()}
    for (replica, axis), sheets in facts.blocks.items():
        strict = [asked for asked in sheets if asked[0] in (facts.claim["arm"], "ungated")]
        facts.sealed |= {(replica, *asked, axis): one for asked, one in paired(sheets, strict).items()}
    return facts


def _run(facts: Facts, event: Stored) -> RunFacts:
    return facts.runs[str(event.run)]


def _opened(facts: Facts, event: Stored) -> None:
    facts.opened = event.data


def _registered(facts: Facts, event: Stored) -> None:
    facts.registration, facts.registered_seq, facts.registered_time = event.data, event.seq, event.time
    axes = event.data.get("contract", {}).get("suite", {}).get("axes", [])
    facts.gate_axis = axes[0]["name"] if axes else ""


def _planned(facts: Facts, event: Stored) -> None:
    facts.planned = event.data


def _enrolled(facts: Facts, event: Stored) -> None:
    facts.enrolled[event.data["replica"]] = event.data["arms"]


def _started(facts: Facts, event: Stored) -> None:
    row = event.data["row"]
    facts.runs[str(event.run)] = RunFacts(row["replica"], row["arm"], row["variant"], row)


def _stage_done(facts: Facts, event: Stored) -> None:
    run, data = _run(facts, event), event.data
    run.row = data["row"]
    _book(run, data)
    if data["stage"] in DECIDING:
        facts.decided.add(len(facts.epochs))
    if data["stage"] == "approve":
        _ended_request(run, data)
    if "canaries" in data["out"]:
        run.searched.append((data["round"], data["stage"], data["out"]["canaries"]["searched"]))
    if data["stage"] == "propose" and "channel" in data["out"]:
        run.channel[data["round"]] = data["out"]["channel"]


def _approval_requested(facts: Facts, event: Stored) -> None:
    _run(facts, event).asked[event.data["id"]] = {**event.data, "since": event.time, "answers": [], "end": None}


def _approval(facts: Facts, event: Stored) -> None:
    _run(facts, event).asked[event.data["id"]]["answers"].append(event.data)


def _ended_request(run: RunFacts, data: Mapping[str, Json]) -> None:
    for one in run.asked.values():
        if one["round"] == data["round"] and one["end"] is None:
            one["end"] = data["out"]["answer"]


def _rollback(facts: Facts, event: Stored) -> None:
    """The round in progress was given up, and with it a request that waited."""
    run = _run(facts, event)
    run.row = event.data["row"]
    for one in run.asked.values():
        one["end"] = one["end"] or "given up"


def _book(run: RunFacts, data: Mapping[str, Json]) -> None:
    by_phase = run.spend_by_round.setdefault(data["round"], {})
    for phase, amounts in data["spend"].items():
        for unit, amount in (amounts or {}).items():
            held = by_phase.setdefault(phase, {})
            before = held.get(unit, 0.0)
            held[unit] = None if amount is None or before is None else before + amount


def _scores(facts: Facts, event: Stored) -> None:
    data = event.data
    if data["split"] == "sealed":  # summed up when all arms of the start are there: they are compared on the same items
        run = _run(facts, event)
        # Mixtures apart: one that fails to answer must not take an item away from the verdict.
        blocks = facts.mixtures if data["role"].startswith(MIXTURE) else facts.blocks
        blocks.setdefault((run.replica, data["axis"]), {})[run.arm, data["role"]] = data
        return
    if data["split"] == "transplant":
        run, (improver, _, start) = _run(facts, event), data["role"].partition("|")
        facts.moved.setdefault((run.replica, run.arm), {})[improver, int(start)] = data
        return
    if data["split"] == "report" and data["axis"] in facts.canary_pairs:  # compared item by item with another sheet
        _run(facts, event).beside[data["axis"], data["round"], data["role"]] = data
    if (data["split"], data["role"]) == ("anchor", AGAIN):
        _run(facts, event).again[data["axis"]] = data
        return
    if data["split"] in ("report", "anchor") and _measured(facts, event):
        return
    if data["axis"] == facts.gate_axis:  # on the axis that decides, intervals need the pairs
        _run(facts, event).sheets[data["split"], data["round"], data["role"]] = data
    found = tally(data)
    if data["split"] == "report":
        _run(facts, event).report[data["round"], data["role"], data["axis"]] = found
    elif data["split"] == "anchor":
        _run(facts, event).anchor[data["round"], data["axis"]] = found
    elif data["split"] == "canary":
        _run(facts, event).canary[data["round"], data["role"], data["axis"]] = found
        if data["role"] == "anchor":
            _stood(_run(facts, event), event)
    elif data["split"] == "gate":
        _run(facts, event).gate[data["round"], data["role"], data["axis"]] = found


def _measured(facts: Facts, event: Stored) -> bool:
    """Keep what a later epoch is bridged from; True for the second half of such a pair, which is on no curve."""
    run, data = _run(facts, event), event.data
    if data["role"] == BRIDGE:
        places = [(data["axis"], name) for name in (FIRST, RELEASED)]  # in round 0 both are one sheet
        same = [one for one in places if one in run.latest and _again(run.latest[one], data)]
        for axis, name in same[:1]:
            facts.epochs[-1].pairs.append(Pair(str(event.run), axis, name, run.latest[axis, name], data))
        run.latest |= dict.fromkeys(same, data)
        if same and same[0][1] == FIRST:
            _stood(run, event)
        return True
    if data["split"] == "anchor":
        run.latest[data["axis"], FIRST] = data
        _stood(run, event)
    elif data["role"] == "released":
        run.epochs[data["round"]], run.measured[data["round"]] = data.get("epoch", 0), event.seq
        run.latest[data["axis"], RELEASED] = data
        if data["round"] == 0:
            run.latest.setdefault((data["axis"], FIRST), data)
            _stood(run, event)
    return False


def _stood(run: RunFacts, event: Stored) -> None:
    run.still.setdefault((event.data["split"], event.data["axis"]), []).append((event.seq, event.data))


def _again(old: Mapping[str, Json], new: Mapping[str, Json]) -> bool:
    return all(old[name] == new[name] for name in ("split", "items", "system"))


def _gate_decision(facts: Facts, event: Stored) -> None:
    _run(facts, event).decisions.append({**event.data, "seq": event.seq, "time": event.time})


def _watched(facts: Facts, event: Stored) -> None:
    _run(facts, event).watched[event.data["round"]] = {**event.data, "seq": event.seq, "time": event.time}


def _canary_met(facts: Facts, event: Stored) -> None:
    _run(facts, event).met.append({**event.data, "seq": event.seq, "time": event.time})


def _trial(facts: Facts, event: Stored) -> None:
    _run(facts, event).trials[event.data["round"]] = {**event.data, "seq": event.seq, "time": event.time}


def _choice(facts: Facts, event: Stored) -> None:
    _run(facts, event).choices.append(event.data)


def _failure(facts: Facts, event: Stored) -> None:
    if event.run is not None:
        _run(facts, event).failures.append(event.data)


def _sealed_answered(facts: Facts, event: Stored) -> None:
    _book(_run(facts, event), event.data)
    if event.data.get("role") == "served":
        _run(facts, event).answered = event.data["spend"]["sealed"]


def _own_score(facts: Facts, event: Stored) -> None:
    run, data = _run(facts, event), event.data
    run.round_0[data["round"]] = data["score"]
    _book(run, data)


def _transplanted(facts: Facts, event: Stored) -> None:
    run = _run(facts, event)
    facts.moves.setdefault((run.replica, run.arm), []).append(event.data)
    _book(run, event.data)


def _seal(facts: Facts, event: Stored) -> None:
    facts.seals.append({**event.data, "seq": event.seq, "time": event.time})
    refused = event.data.get("not_separable", {})
    facts.inseparable |= {facts.runs[run].replica: why for run, why in refused.items()}


def _not_separable(facts: Facts, event: Stored) -> None:
    facts.inseparable.setdefault(_run(facts, event).replica, event.data["message"])


def _verdict(facts: Facts, event: Stored) -> None:
    facts.verdict = event.data


def _state(facts: Facts, event: Stored) -> None:
    facts.states.append({**event.data, "since": event.time})


def _request(facts: Facts, event: Stored) -> None:
    facts.requests.append({**event.data, "time": event.time})


def _session(facts: Facts, event: Stored) -> None:
    facts.sessions.add(event.data["contract_digest"])
    if event.data["contract_digest"] != facts.contract_digest:
        facts.strays.add(event.data["contract_digest"])


def _sandbox_used(facts: Facts, event: Stored) -> None:
    facts.sandboxes.add((event.data["backend"], event.data["level"]))


def _epoch_opened(facts: Facts, event: Stored) -> None:
    at = {name: int(run.row["round"]) for name, run in facts.runs.items() if run.row["stage"] != "done"}
    facts.epochs.append(Epoch(event.data["epoch"], {**event.data, "time": event.time, "seq": event.seq}, at))


def _epoch_asked(facts: Facts, event: Stored) -> None:
    _book(_run(facts, event), event.data)


def _epoch_bridged(facts: Facts, event: Stored) -> None:
    facts.epochs[-1].bridged = event.data


_HANDLERS: dict[str, Callable[[Facts, Stored], None]] = {
    "study_opened": _opened,
    "claim_registered": _registered,
    "planned": _planned,
    "replica_enrolled": _enrolled,
    "run_started": _started,
    "stage_done": _stage_done,
    "stage_failed": _failure,
    "scores": _scores,
    "gate_decision": _gate_decision,
    "watched": _watched,
    "probation": _trial,
    "canary_met": _canary_met,
    "decision": _choice,
    "sandbox_used": _sandbox_used,
    "seal_opened": _seal,
    "not_separable": _not_separable,
    "sealed_answered": _sealed_answered,
    "own_score": _own_score,
    "transplanted": _transplanted,
    "verdict": _verdict,
    "state": _state,
    "request": _request,
    "approval_requested": _approval_requested,
    "approval": _approval,
    "rollback": _rollback,
    "session": _session,
    "epoch_opened": _epoch_opened,
    "epoch_asked": _epoch_asked,
    "epoch_bridged": _epoch_bridged,
}
