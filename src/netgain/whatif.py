"""The verdict under one changed assumption, computed by the same rules from the same record: never a counterfactual.

A round, a decision or a guard cannot be taken out of a log afterwards: everything later descends from it. What can be
recomputed is recomputed; what only an arm could show is read from that arm, or is not identifiable (`method.md` 1.8).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netgain.case import BUILDING, case_of
from netgain.errors import ConfigError
from netgain.evidence.tally import paired
from netgain.evidence.verdict import Case, Verdict, controls, decide_verdict
from netgain.facts import Facts, RunFacts
from netgain.items import fingerprint
from netgain.run import half_of

Json = Any
Gone = Callable[[Mapping[str, Json], int], bool]  # of a sheet and an item's place in it
SEALED, REPORT = "sealed items", "report items"
STOP = "stop"  # the one use of a monitor
GATE = "gate"  # the one guard whose arm is `ungated`
NO_ROUND = (
    "a round cannot be dropped: all later rounds descend from it, so no recorded number says how the run would have "
    "gone without it"
)
AFTERWARDS = "chosen after the fact: leaving out {} is never evidence, whatever the word"


@dataclass(frozen=True)
class WhatIf:
    """One changed assumption and what follows.

    Attributes:
        drop: as it was asked, `KIND` or `KIND:NAME`.
        assumption: in words.
        case, verdict: under it; None where this study cannot identify them.
        reason: why not, and what would; "" otherwise.
        rests_on: the split whose scores the verdict reads.
        horizon: rounds that the claimed arm is taken over.
        notes: what must be read with it.
    """

    drop: str
    assumption: str
    case: Case | None
    verdict: Verdict | None
    reason: str
    rests_on: str
    horizon: int
    notes: tuple[str, ...] = ()

    @property
    def identifiable(self) -> bool:
        """Whether the study can answer."""
        return self.verdict is not None


def whatif(facts: Facts, drop: str) -> WhatIf:
    """Recompute the verdict of a finished study.

    Args:
        facts: its tables, with a verdict on all enrolled starts.
        drop: human, guard:NAME, replica:K, arm:NAME, axis:NAME or item-cluster:K.

    Raises:
        ConfigError: another kind, or a name that this study does not have.
    """
    kind, colon, name = drop.partition(":")
    if kind == "round":
        fix = "drop human (the lineage then ends earlier), a guard whose arm was run, or a replica"
        raise ConfigError(NO_ROUND, where=f"--drop {drop}", fix=fix)
    if kind not in KINDS:
        raise ConfigError.unknown("kind of assumption", kind, KINDS, where=f"--drop {drop}")
    if (kind == "human") is bool(colon) or (colon and not name):
        what = f"{drop!r}: `human` takes no name, every other kind takes one"
        raise ConfigError(what, where=f"--drop {drop}", fix="write for example replica:3 or arm:placebo")
    return KINDS[kind](facts, name)


def _answered(
    facts: Facts,
    drop: str,
    assumption: str,
    case: Case,
    *notes: str,
    rests_on: str = SEALED,
    horizon: int | None = None,
) -> WhatIf:
    at = horizon if horizon is not None else facts.rounds
    return WhatIf(drop, assumption, case, decide_verdict(case), "", rests_on, at, tuple(note for note in notes if note))


def _unknown(facts: Facts, drop: str, assumption: str, reason: str, *notes: str) -> WhatIf:
    why = f"not identifiable from this study: {reason}"
    return WhatIf(drop, assumption, None, None, why, SEALED, facts.rounds, notes)


# --- Starts, arms, axes, items: recomputed ----------------------------------------------------------------------------
def _drop_replica(facts: Facts, name: str) -> WhatIf:
    known = [str(one) for one in sorted(facts.enrolled)]
    if name not in known:
        raise ConfigError.unknown("replica", name, known, where=f"--drop replica:{name}")
    drop, assumption = f"replica:{name}", f"start {name} left out"
    if len(known) == 1:
        return _unknown(facts, drop, assumption, "no start would be left", AFTERWARDS.format("a start"))
    case = case_of(without_replica(facts, int(name)))
    return _answered(facts, drop, assumption, case, AFTERWARDS.format("a start"))


def without_replica(facts: Facts, replica: int) -> Facts:
    """The record without one start: every other start is as it was, since no item or stream is shared with it."""
    return replace(
        facts,
        enrolled={one: arms for one, arms in facts.enrolled.items() if one != replica},
        runs={name: run for name, run in facts.runs.items() if run.replica != replica},
        blocks={place: one for place, one in facts.blocks.items() if place[0] != replica},
        sealed={place: one for place, one in facts.sealed.items() if place[0] != replica},
    )


def _drop_arm(facts: Facts, name: str) -> WhatIf:
    drop, study = f"arm:{name}", facts.study
    if name not in study["arms"]:
        raise ConfigError.unknown("arm of this study", name, study["arms"], where=f"--drop {drop}")
    if name == facts.claim["arm"]:
        raise ConfigError(f"the claim is about {name!r}", where=f"--drop {drop}", fix="drop one of its controls")
    assumption = f"without the arm `{name}`"
    if name == "frozen":
        return _unknown(facts, drop, assumption, "without generation 0 there is no R1 that a rung could stand on")
    required = name in controls(case_of(facts), facts.claim["rung"])
    note = (
        f"`{name}` is required for the registered claim: a study that had not run it would be INCONCLUSIVE, and what "
        "is computed here is a weaker claim than the registered one"
    )
    return _answered(facts, drop, assumption, case_of(without_arm(facts, name)), note if required else "")


def without_arm(facts: Facts, arm: str) -> Facts:
    """The record without an arm, which no rung requires then. Items that only it left unanswered count again."""
    claim, study = facts.claim, facts.study
    required = {rung: [one for one in names if one != arm] for rung, names in study["required"].items()}
    study = {**study, "arms": [one for one in study["arms"] if one != arm], "required": required}
    claim = {**claim, "beats": [one for one in claim["beats"] if one != arm]}
    blocks = {place: {asked: one for asked, one in sheets.items() if asked[0] != arm}
              for place, sheets in facts.blocks.items()}  # fmt: skip
    marred = [place for place, sheets in facts.blocks.items() if any(
        asked[0] == arm and one["status"] for asked, one in sheets.items())]  # fmt: skip
    less = replace(
        facts, registration={**facts.registration, "claim": claim, "study": study}, blocks=blocks,
        runs={name: run for name, run in facts.runs.items() if run.arm != arm},
        sealed={place: one for place, one in facts.sealed.items() if place[1] != arm},
    )  # fmt: skip
    return _paired_again(less, marred)


def _paired_again(facts: Facts, places: Collection[tuple[int, str]]) -> Facts:
    """The record with the sealed scores of some blocks (start, axis) computed again from what is in them."""
    sealed = {key: one for key, one in facts.sealed.items() if (key[0], key[3]) not in places}
    for replica, axis in places:
        sheets = facts.blocks[replica, axis]
        strict = [asked for asked in sheets if asked[0] in (facts.claim["arm"], "ungated")]
        sealed |= {(replica, *asked, axis): one for asked, one in paired(sheets, strict).items()}
    return replace(facts, sealed=sealed)


def _drop_axis(facts: Facts, name: str) -> WhatIf:
    drop = f"axis:{name}"
    if name not in facts.axes:
        raise ConfigError.unknown("axis", name, facts.axes, where=f"--drop {drop}")
    if name == facts.claim["metric"]:
        raise ConfigError(f"the claim is about {name!r}", where=f"--drop {drop}", fix="drop another axis")
    guarded = facts.axes[name]["guard"] or name == facts.suite["axes"][0]["name"]
    note = "the gate used this axis while the runs went on: only the verdict's own test of it is dropped"
    case = case_of(without_axis(facts, name))
    return _answered(facts, drop, f"without the axis `{name}`", case, note if guarded else "")


def without_axis(facts: Facts, axis: str) -> Facts:
    """The record without the sealed scores of an axis that the claim is not about."""
    contract = facts.registration["contract"]
    axes = [one for one in contract["suite"]["axes"] if one["name"] != axis]
    contract = {**contract, "suite": {**contract["suite"], "axes": axes}}
    return replace(
        facts, registration={**facts.registration, "contract": contract},
        blocks={place: one for place, one in facts.blocks.items() if place[1] != axis},
        sealed={place: one for place, one in facts.sealed.items() if place[3] != axis},
    )  # fmt: skip


def _drop_cluster(facts: Facts, name: str) -> WhatIf:
    drop, axis = f"item-cluster:{name}", facts.axes[facts.claim["metric"]]
    assumption = f"without the items of cluster {name} of `{axis['name']}`"
    lengths = axis["source"].get("lengths")
    if not lengths:
        return _drop_labelled(facts, drop, assumption, name)
    if name not in map(str, lengths):
        raise ConfigError.unknown("cluster of items (a length)", name, map(str, lengths), where=f"--drop {drop}")
    if len(set(lengths)) == 1:
        return _unknown(facts, drop, assumption, "no other cluster would be left")
    without = _without_items(facts, lambda sheet, i: str(lengths[(sheet["start"] + i) % len(lengths)]) == name)
    return _answered(facts, drop, assumption, case_of(without), AFTERWARDS.format("items"))


def _drop_labelled(facts: Facts, drop: str, assumption: str, name: str) -> WhatIf:
    """Without the items of a cluster that the items name themselves; the record holds its short digest."""
    metric = facts.claim["metric"]
    sheets = [one for place, each in facts.blocks.items() if place[1] == metric for one in each.values()]
    known = {label for one in sheets for label in one.get("clusters") or ()}
    if not known:
        return _unknown(facts, drop, assumption, f"axis {metric!r} declares no clusters of items")
    labels: list[Json] = [name, *([int(name)] if name.isdecimal() else [])]
    wanted = {name, *(fingerprint({"cluster": label}) for label in labels)} & known
    if not wanted:
        fix = "name it as its items do, or by its short digest in the record"
        raise ConfigError(f"no sealed item of `{metric}` has the cluster {name!r}", where=f"--drop {drop}", fix=fix)
    if known == wanted:
        return _unknown(facts, drop, assumption, "no other cluster would be left")
    without = _without_items(facts, lambda sheet, i: sheet["clusters"][i] in wanted)
    return _answered(facts, drop, assumption, case_of(without), AFTERWARDS.format("items"))


def _without_items(facts: Facts, gone: Gone) -> Facts:
    """The record without some items of the claimed axis, for all arms alike."""
    metric = facts.claim["metric"]
    blocks = {place: {asked: _fewer(one, gone) for asked, one in sheets.items()} if place[1] == metric else sheets
              for place, sheets in facts.blocks.items()}  # fmt: skip
    return _paired_again(replace(facts, blocks=blocks), [place for place in blocks if place[1] == metric])


def _fewer(sheet: Mapping[str, Json], gone: Gone) -> dict[str, Json]:
    kept = [index for index in range(len(sheet["values"])) if not gone(sheet, index)]
    status = {str(new): sheet["status"][str(old)] for new, old in enumerate(kept) if str(old) in sheet["status"]}
    labels = {"clusters": [sheet["clusters"][index] for index in kept]} if sheet.get("clusters") else {}
    return {**sheet, **labels, "values": [sheet["values"][index] for index in kept], "status": status}


# --- Guards: read from the arm that ran without them ------------------------------------------------------------------
def _drop_guard(facts: Facts, name: str) -> WhatIf:
    drop, arm = f"guard:{name}", guard_arm(facts, name)
    assumption = f"without the guard {name}"
    if arm not in _run(facts):
        why = facts.study["untestable"].get(arm)
        return _unknown(
            facts, drop, assumption, f"add arm `{arm}`" + (f", which this loop cannot run: {why}" if why else "")
        )
    case = case_of(claiming(facts, arm))
    kept = "no generation at half of its horizon was kept, so R4 cannot be tested for it" if case.late is None else ""
    read = f"read from the arm `{arm}`, a run of its own that this use of the guard never touched"
    return _answered(facts, drop, assumption, case, read, kept)


def _run(facts: Facts) -> list[str]:
    return [name for name in facts.study["arms"] if name not in facts.study["untestable"]]


def guard_arm(facts: Facts, name: str) -> str:
    """The arm that shows a guard: `unguarded:CHECK[.USE]`, `unguarded:AXIS[.gate]`, `unguarded:MONITOR[.stop]`, or
    `ungated` for the whole gate.

    Raises:
        ConfigError: the study has no such guard.
    """
    if name == GATE:
        return "ungated"
    axes = [{"name": axis, "uses": [GATE]} for axis, one in facts.axes.items() if one["guard"]]
    monitors = [{"name": one["name"], "uses": [STOP]} for one in facts.study.get("monitors", [])]
    monitors += [{"name": "probation", "uses": [STOP]}] if "probation" in facts.study else []
    known = [full for one in [*facts.study["filters"], *axes, *monitors] for full in _uses(one)]
    if name not in known:
        raise ConfigError.unknown("guard", name, [GATE, *known], where=f"--drop guard:{name}")
    alike = [f"unguarded:{name}", f"unguarded:{name}.{GATE}", f"unguarded:{name.removesuffix('.' + GATE)}"]
    axis = any(name.removesuffix(f".{GATE}") == one["name"] for one in axes)  # its one use is the gate
    return next((one for one in alike if axis and one in facts.study["arms"]), alike[0])


def _uses(check: Mapping[str, Json]) -> list[str]:
    return [str(check["name"]), *(f"{check['name']}.{use}" for use in check["uses"])]


def claiming(facts: Facts, arm: str) -> Facts:
    """The record as if the claim had been about another arm that was run."""
    claim = {**facts.claim, "arm": arm, "beats": [one for one in facts.claim["beats"] if one != arm]}
    changed = replace(facts, registration={**facts.registration, "claim": claim})
    return _paired_again(changed, list(changed.blocks))


# --- People: the lineage ends before their first decision -------------------------------------------------------------
def _drop_human(facts: Facts, name: str) -> WhatIf:
    arm = str(facts.claim["arm"])
    touched = [one["round"] for run in facts.runs.values() if run.arm == arm for one in run.choices
               if one["decided_by"] == "person"]  # fmt: skip
    touched += [max(1, at) for epoch in facts.epochs for run, at in epoch.at.items() if facts.runs[run].arm == arm]
    if not touched:
        note = f"no decision by a person is recorded in `{arm}`: there is nothing to drop"
        if facts.epochs:
            note += "; a person opened an epoch when it was over, and no sealed item was answered before that"
        return _answered(facts, "human", "without the decisions of people", case_of(facts), note)
    horizon = min(touched) - 1
    case, split = before(facts, horizon)
    notes = [
        f"{len(touched)} decisions by people in `{arm}`, the first in round {min(touched)}: every lineage ends after "
        f"round {horizon} of the registered {facts.rounds}",
        f"scores are those of {split} at round {horizon}"
        + ("" if split == SEALED else "; they are not sealed, so the evidence level is 2 at most"),
        "how the loop would have gone on without them is not in this log"
        + ("" if "unaided" in _run(facts) else ": add arm `unaided`"),
    ]
    assumption = f"without the decisions of people: the lineage ends after round {horizon}"
    return _answered(facts, "human", assumption, case, *notes, rests_on=split, horizon=horizon)


def before(facts: Facts, horizon: int) -> tuple[Case, str]:
    """The case of a shorter horizon, and the split that it rests on.

    Sealed scores where the claim kept a generation there and compares with generation 0 alone; else the report items of
    that round, which are the same for all arms of a start and which no decider read.
    """
    arm, case = str(facts.claim["arm"]), case_of(facts)
    shorter = replace(
        case, rounds=min(case.rounds, horizon), people=_models(facts, arm, horizon), ungated=None, sibling=(),
        late=None, changed=[_released(facts, replica, arm, horizon) for replica in sorted(facts.enrolled)],
    )  # fmt: skip
    alone = set(controls(case, case.rung)) == {"frozen"}
    listed = any(place[1:3] == (arm, "listed") for place in facts.sealed)
    if alone and listed and horizon == half_of(facts.rounds):
        return _on_listed(facts, shorter), SEALED
    return _on_report(facts, shorter, horizon), REPORT


def _models(facts: Facts, arm: str, horizon: int) -> int:
    """Decisions by an outside model that are left."""
    choices = [one for run in facts.runs.values() if run.arm == arm for one in run.choices]
    return sum(one["decided_by"] == "model" and one["round"] <= horizon for one in choices)


def _released(facts: Facts, replica: int, arm: str, horizon: int) -> bool:
    decisions = [one for run in facts.runs_of(replica, arm) for one in run.decisions]
    return any(one["receipt"] is not None and one["round"] <= horizon for one in decisions)


def _on_listed(facts: Facts, case: Case) -> Case:
    def column(arm: str, axis: str, role: str) -> list[float | None]:
        found = [facts.sealed_score(replica, arm, axis, role) for replica in sorted(facts.enrolled)]
        return [None if one is None else one.score for one in found]

    guards = {axis: (margin, _minus(column(case.arm, axis, "listed"), column("frozen", axis, "served")))
              for axis, (margin, _) in case.guards.items()}  # fmt: skip
    scores = {case.arm: column(case.arm, case.metric, "listed"), "frozen": case.scores["frozen"]}
    return replace(case, scores=scores, guards=guards)


def _on_report(facts: Facts, case: Case, horizon: int) -> Case:
    """Every arm in the round in which the claimed one stood: at the horizon, or where its budget had ended it."""
    starts = {replica: min(horizon, _last(facts, replica, case.arm)) for replica in sorted(facts.enrolled)}
    halves = {replica: half_of(at) for replica, at in starts.items()}

    def gain(axis: str, rounds: Mapping[int, int]) -> list[float | None]:
        own, first = (_reported(facts, arm, axis, rounds) for arm in (case.arm, "frozen"))
        return _minus(own, first)

    scores = {arm: _reported(facts, arm, case.metric, starts) for arm in case.scores}
    gone = {arm: f"it was not measured in round {horizon}" for arm in scores if not _measured(facts, arm, starts)}
    late = (facts.axes[case.metric]["margin"], _minus(gain(case.metric, starts), gain(case.metric, halves)))
    return replace(
        case, scores={arm: one for arm, one in scores.items() if arm not in gone}, sealed=False,
        untestable={**case.untestable, **gone}, late=late if half_of(horizon) < horizon else None,
        guards={axis: (margin, gain(axis, starts)) for axis, (margin, _) in case.guards.items()},
    )  # fmt: skip


def _last(facts: Facts, replica: int, arm: str) -> int:
    return max((place[0] for run in facts.runs_of(replica, arm) for place in run.report), default=0)


def _measured(facts: Facts, arm: str, rounds: Mapping[int, int]) -> bool:
    """Whether an arm was measured in these rounds: one that spends everything in one long round was not."""
    return all(
        any(place[0] == at for run in facts.runs_of(replica, arm) for place in run.report)
        for replica, at in rounds.items()
    )


def _reported(facts: Facts, arm: str, axis: str, rounds: Mapping[int, int]) -> list[float | None]:
    """Score of what an arm had released after a round, by start; of a menu, of the entry that was best by then."""
    return [_in_round(facts, replica, arm, axis, at) for replica, at in rounds.items()]


def _in_round(facts: Facts, replica: int, arm: str, axis: str, at: int) -> float | None:
    runs = facts.runs_of(replica, arm)
    control = arm not in (facts.claim["arm"], "ungated")
    if control and any(one["stage"] in BUILDING and one["round"] <= at for run in runs for one in run.failures):
        return None
    ranked = [(score, run) for run in runs if (score := _score(run, facts.claim["metric"], at)) is not None]
    return _score(max(ranked, key=lambda one: one[0])[1], axis, at) if ranked else None


def _score(run: RunFacts, axis: str, at: int) -> float | None:
    found = run.report.get((at, "released", axis))
    return None if found is None else found.score


def _minus(left: Sequence[float | None], right: Sequence[float | None]) -> list[float | None]:
    return [None if a is None or b is None else a - b for a, b in zip(left, right, strict=True)]


KINDS: Mapping[str, Callable[[Facts, str], WhatIf]] = {
    "human": _drop_human, "guard": _drop_guard, "replica": _drop_replica, "arm": _drop_arm, "axis": _drop_axis,
    "item-cluster": _drop_cluster,
}  # fmt: skip
