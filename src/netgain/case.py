"""From a study's tables to the case that its verdict is decided on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from netgain.arms import samples
from netgain.budget import Spend, total
from netgain.evidence.tally import Tally, side_by_side
from netgain.evidence.transplant import FIRST, IMPROVERS, LAST, NULLS, SHUFFLED, Moved, moved
from netgain.evidence.verdict import Case, Course
from netgain.facts import Facts, RunFacts
from netgain.run import half_of

TRAINED = ("data", "weights")  # surfaces of a system that learns from examples
MATCHED = (("flops", "tokens"), ("calls",), ("device_seconds",))
SECONDS_THAT_COUNT = 5.0  # less than this on building is start-up noise: arms then match in rounds and looks only
BUILDING = ("start", "propose", "build")  # stages whose failure is an arm's own, and leaves it behind
TOLD = ("promote", "reject")  # outcomes that a proposal is told, one bit
DRAWABLE = (0.20, 0.80)  # share of rounds promoted between which other rounds can be drawn


def case_of(facts: Facts, *, broken: Sequence[str] = ()) -> Case:
    """The case of all replicas that were enrolled, whatever became of them."""
    claim, study = facts.claim, facts.study
    replicas = sorted(facts.enrolled)
    arm, metric = claim["arm"], claim["metric"]
    testable = [name for name in study["arms"] if name not in study["untestable"]]
    beside = arm == "self" and "ungated" in testable
    return Case(
        arm=arm,
        metric=metric,
        by=claim["by"],
        rung=claim["rung"],
        beats=claim["beats"],
        looks=claim["looks"],
        analysis=claim.get("analysis", "typical start"),
        share=claim.get("share", 0.5),
        alpha=claim.get("alpha", 0.05),
        about=claim.get("about", "loop"),
        items=_items(facts, replicas) if claim.get("about") == "version" else {},
        required=study["required"],
        scores={name: [_scored(facts, r, name) for r in replicas] for name in testable},
        lost=[not _finished(facts, r) for r in replicas],
        untestable=study["untestable"],
        transplant_by=claim.get("transplant_by", 0.0),
        unmoved=study.get("transplant", {}).get("missing", ""),
        uninformative={name: why for name in testable if (why := _uninformative(facts, name))},
        answers={name: [_answered(facts, r, name) for r in replicas] for name in testable},
        **vars(_course(facts, arm)),
        ungated=_course(facts, "ungated") if beside else None,
        sibling=_sibling(facts),
        underspent={name: underspent(facts, name) for name in testable if _builds(name, arm)},
        overspent={name: overspent(facts, name) for name in testable if _builds(name, arm)},
        residual=_residual(facts),
        neutral="ordinary" if {*TRAINED} & {*study["surfaces"]} else "frozen",
        people=_people(facts),
        epochs=len(_deciding_epochs(facts)),
        unbridged=_unbridged(facts),
        unseen=_unseen(facts),
        met=len({(run.replica, item) for run in _claimed(facts) for item in run.leaked}),
        unsearched=sum(documents is None for run in _claimed(facts) for *_, documents in run.searched),
        quarantined=_quarantined(facts),
        verdict_moved_path=_moved(facts),
        outside_labels=facts.suite["dev_items"],
        one_start=_one_start(facts),
        registered=facts.registered_seq is not None,
        sealed=bool(facts.seals),
        exploratory=bool(facts.registration["exploratory"]),
        given_root=bool(facts.registration["given_root"]),
        broken=[*broken, *_other_contract(facts)],
    )


def _builds(name: str, arm: str) -> bool:
    """Whether a control is to spend on building as the claimed arm does; those that only answer spend nothing."""
    return name not in ("frozen", arm) and not samples(name)


def _other_contract(facts: Facts) -> list[str]:
    """A stage done under a contract of no epoch, as by changed loop code between two looks, breaks the old claim."""
    what = "stages were done under another contract than registered: code, libraries or suite changed"
    return [what] if facts.strays else []


def _people(facts: Facts) -> int:
    """Decisions by a person or an outside model in the claimed arm; who opens an epoch touches every run."""
    asked = sum(choice["decided_by"] in ("person", "model") for run in _claimed(facts) for choice in run.choices)
    return asked + len(facts.epochs)


def _deciding_epochs(facts: Facts) -> list[int]:
    """Epochs in which a run was steered, and the last one, in which the sealed items were answered."""
    return sorted({*facts.decided, len(facts.epochs)})


def _unbridged(facts: Facts) -> list[str]:
    """Epochs that are not bridged to the one before in which something was decided, each with the first reason."""
    later = [epoch for epoch in facts.epochs if epoch.number in _deciding_epochs(facts)[1:]]
    return [f"epoch {one.number} is not bridged ({', '.join(one.unbridged)}: {next(iter(one.unbridged.values()))})"
            for one in later if one.unbridged]  # fmt: skip


def _answered(facts: Facts, replica: int, arm: str) -> str | None:
    """Digest of the answers of what an arm served to its sealed block on the claimed axis."""
    asked = facts.blocks.get((replica, facts.claim["metric"]), {}).get((arm, "served"))
    return None if asked is None else str(asked["outputs"])


def _uninformative(facts: Facts, arm: str) -> str:
    """Why an arm's run says nothing: rounds or people of `self` that it replaces are too few. "" when it does."""
    own = [run for run in facts.runs.values() if run.arm == "self"]
    pieces = arm.split("+")
    if "random_gate" in pieces:
        moved = sum(one["receipt"] is not None for run in own for one in run.decisions)
        rounds = sum(run.row["round"] for run in own)
        if not DRAWABLE[0] * rounds <= moved <= DRAWABLE[1] * rounds:
            return f"`self` promoted in {moved} of {rounds} rounds, and of so few or many none can be drawn otherwise"
    if "unaided" in pieces and not any(one["decided_by"] == "person" for run in own for one in run.choices):
        return "no person decided anything in `self`: there is nothing to replace"
    return ""


def _scored(facts: Facts, replica: int, arm: str) -> float | None:
    """Sealed score of an arm on the claimed axis. A control that failed has none: it may not help the claim."""
    control = arm not in (facts.claim["arm"], "ungated")
    failed = any(one["stage"] in BUILDING for run in facts.runs_of(replica, arm) for one in run.failures)
    return None if control and failed else _mean(facts.sealed_score(replica, arm, facts.claim["metric"]))


def _mean(found: Tally | None) -> float | None:
    return None if found is None else found.score


def _finished(facts: Facts, replica: int) -> bool:
    return all(run.row.get("stage") == "done" for run in facts.runs.values() if run.replica == replica)


def _claimed(facts: Facts) -> list[RunFacts]:
    return [run for run in facts.runs.values() if run.arm == facts.claim["arm"]]


def _one_start(facts: Facts) -> bool:
    """Whether starts that are claimed to be fresh share a generation 0: then they count as one."""
    rows = {run.replica: run.row.get("anchor") for run in facts.runs.values()}
    made = [anchor for anchor in rows.values() if anchor is not None]
    return facts.claim["starts"] == "fresh" and len(set(made)) < len(made)


def _course(facts: Facts, arm: str) -> Course:
    rows = [[run.row for run in facts.runs_of(replica, arm)] for replica in sorted(facts.enrolled)]
    metric, guards = facts.claim["metric"], {name: axis for name, axis in facts.axes.items() if axis["guard"]}
    listed = any((name, role) == (arm, "listed") for _, name, role, _ in facts.sealed)
    late = _change(facts, arm, metric, (arm, "listed")) if listed else []
    ended = [max((row["round"] for row in own), default=0) for own in rows]
    return Course(
        rounds=min((row["round"] for own in rows for row in own), default=0),
        guards={name: (axis["margin"], _change(facts, arm, name)) for name, axis in guards.items()},
        late=(facts.axes[metric]["margin"], _later(late, ended, half_of(facts.rounds))) if listed else None,
        changed=[any(row["released"] != row["anchor"] for row in own) for own in rows],
        improvers=_improvers(facts, arm),
        moved_short=_moved_short(facts, arm),
        alike=_alike(facts, arm),
    )


def _improvers(facts: Facts, arm: str) -> dict[str, list[Moved | None]]:
    """Improver of an arm -> (R,) what it was worth on foreign starts; empty when none was moved."""
    each = [_worth(facts, replica, arm) for replica in sorted(facts.enrolled)]
    return {name: [one.get(name) for one in each] for name in IMPROVERS} if any(each) else {}


def _worth(facts: Facts, replica: int, arm: str) -> dict[str, Moved]:
    tried: dict[str, list[int]] = {}
    for move in facts.moves.get((replica, arm), []):
        tried.setdefault(move["improver"], []).append(move["start"])
    return moved(facts.moved.get((replica, arm), {}), tried)


def _moved_short(facts: Facts, arm: str) -> dict[str, float | None]:
    """Null improver -> share by which its moved rounds spent less than those of the last one, median over starts."""
    spent = [{name: _moved_spend(facts, replica, arm, name) for name in (LAST, *NULLS)} for replica in facts.enrolled]
    pairs = {null: [(one[LAST], one[null]) for one in spent if one[LAST] and one[null]] for null in NULLS}
    return {null: _typical(_share_apart(own, theirs, most=False) for own, theirs in found)
            for null, found in pairs.items() if found}  # fmt: skip


def _alike(facts: Facts, arm: str) -> int:
    """Starts in which the improver that grew on feedback without content is that of generation 0."""
    moves = [facts.moves.get((replica, arm), []) for replica in facts.enrolled]
    each = [{move["improver"]: move["improver_system"] for move in one} for one in moves]
    return sum(SHUFFLED in one and one[SHUFFLED] == one.get(FIRST) for one in each)


def _moved_spend(facts: Facts, replica: int, arm: str, improver: str) -> Spend:
    """What the rounds of a moved improver spent that brought a system; nothing where none did."""
    made = [one["spend"]["transplant"] for one in facts.moves.get((replica, arm), [])
            if one["improver"] == improver and one["system"]]  # fmt: skip
    return total(made) if made else {}


def _later(changes: list[float | None], ended: list[int], half: int) -> list[float | None]:
    """Changes since half of the horizon, for starts that went on beyond it."""
    return [change if last > half else None for change, last in zip(changes, ended, strict=True)]


def _change(facts: Facts, arm: str, axis: str, since: tuple[str, str] = ("frozen", "served")) -> list[float | None]:
    """Change of an arm on an axis against another (arm, role), by start; None when either has no score."""
    pairs = [
        (_mean(facts.sealed_score(r, arm, axis)), _mean(facts.sealed_score(r, since[0], axis, since[1])))
        for r in sorted(facts.enrolled)
    ]
    return [None if own is None or other is None else own - other for own, other in pairs]


def _sibling(facts: Facts) -> list[float | None]:
    axes = [name for name, axis in facts.axes.items() if axis["kind"] == "sibling" and axis["sealed_items"]]
    return _change(facts, facts.claim["arm"], axes[0]) if axes else []


def underspent(facts: Facts, control: str) -> float | None:
    """Median over starts of the share by which a control spent less on building than the claimed loop; None unknown.

    Compared in two units that both meter: operations and tokens where the loop books them, else seconds and calls.
    The unit in which the control fell shortest counts.
    """
    return _typical(_apart(facts, replica, control, most=False) for replica in sorted(facts.enrolled))


def overspent(facts: Facts, control: str) -> float | None:
    """Median over starts of the share by which a control spent more than the claimed loop; None unknown.

    The unit in which it exceeded most counts, and of a menu the entry that spent most.
    """
    return _typical(_apart(facts, replica, control, most=True) for replica in sorted(facts.enrolled))


def _typical(shares: Iterable[float | None]) -> float | None:
    every = list(shares)
    known = [share for share in every if share is not None]
    return median(known) if known and len(known) == len(every) else None


def _apart(facts: Facts, replica: int, control: str, *, most: bool) -> float | None:
    own = facts.spent(replica, facts.claim["arm"], "build")
    return _share_apart(own, facts.spent(replica, control, "build", most=most), most=most)


def _share_apart(own: Spend, theirs: Spend, *, most: bool) -> float | None:
    """Share of the first spend by which the second exceeds it at `most`, else falls short; None unknown."""
    for units in MATCHED:
        metered = [unit for unit in units if own.get(unit)]
        ratios = [_ratio(theirs.get(unit), own[unit]) for unit in metered]
        if metered and None in ratios:
            return None
        if metered and units == ("device_seconds",) and not _timed(own):
            return 0.0
        known = [ratio for ratio in ratios if ratio is not None]
        if metered:
            return max(0.0, max(known) - 1.0 if most else 1.0 - min(known))
    return None


def _ratio(theirs: float | None, own: float | None) -> float | None:
    return None if theirs is None or not own else theirs / own


def _residual(facts: Facts) -> float | None:
    """Agreement of the placebo with the true feedback above chance, over all its examples; None without a record.

    Chance for a feedback that says yes to a share b of examples is b^2 + (1 - b)^2.
    """
    records = [one for run in facts.runs.values() if run.arm == "placebo" for one in run.channel.values()]
    told = [one for one in records if one.get("agreement") is not None and one["of"]]
    above = [one["of"] * (one["agreement"] - _chance(one["kept"] / one["of"])) for one in told]
    return sum(above) / sum(one["of"] for one in told) if told else None


def _chance(yes: float) -> float:
    return yes**2 + (1.0 - yes) ** 2


def _items(facts: Facts, replicas: Sequence[int]) -> dict[str, tuple[list[float | None], list[float | None]]]:
    """Axis -> scores by item of what the claimed arm serves and of generation 0, in the one start of a version."""
    own, first = (facts.claim["arm"], "served"), ("frozen", "served")
    found = {}
    for axis in facts.axes:
        sheets = facts.blocks.get((replicas[0], axis), {}) if len(replicas) == 1 else {}
        left, right = side_by_side(sheets, [key for key in sheets if key[0] in (own[0], "ungated")], own, first)
        found[axis] = (left, right)
    return found


def _timed(spend: Spend) -> bool:
    return (spend.get("device_seconds") or 0.0) >= SECONDS_THAT_COUNT


def _quarantined(facts: Facts) -> float:
    """Largest share of a sealed block of the claimed axis that had been trained on."""
    shares = [
        found.quarantined / (found.n + found.missing)
        for (_, _, _, axis), found in facts.sealed.items()
        if axis == facts.claim["metric"] and found.n + found.missing
    ]
    return max(shares, default=0.0)


def _unseen(facts: Facts) -> dict[str, tuple[int, int]]:
    """Monitor -> rounds of the claimed arm in which it could not look, and all rounds; monitors that always could are
    left out."""
    said = [one for run in _claimed(facts) for round in run.watched.values() for one in round["signals"]]
    blind = Counter(one["monitor"] for one in said if one["alarm"] is None)
    return {name: (gone, sum(one["monitor"] == name for one in said)) for name, gone in sorted(blind.items())}


def _moved(facts: Facts) -> int:
    """Starts in which the gate's use of targets altered what the claimed arm serves."""
    shown = bool(facts.study.get("sees_accepted"))
    return len({run.replica for run in _claimed(facts) if _altered(run, shown)})


def _altered(run: RunFacts, shown: bool) -> bool:
    """Whether a verdict of the gate altered the path: what is served, or what a later proposal was told."""
    said = [one for one in run.decisions if "shown" in one or (shown and one["outcome"] in TOLD)]
    told = any(one["round"] < run.row["round"] for one in said)
    held = any(one["mode"] == "strict" and one["outcome"] != "promote" for one in run.decisions)
    held = held or any(one["acted"] for one in run.watched.values())
    return held or told or run.row["restores"] > 0 or run.row["released"] != run.row["working"]
