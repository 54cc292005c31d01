"""From sealed scores to one of five words: rungs in order, level, limits, and the sentence's numbers.

Rules: `docs/concepts.md`, "Verdict"; the analysis is `evidence.looks`. Pure: a `Case` in, a `Verdict` out. `verify.py`
holds an independent twin in plain Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from netgain.evidence.effects import mean_beside_median
from netgain.evidence.looks import Looks, TypicalStart, default_looks, derived_looks, typical_start
from netgain.evidence.transplant import Moved, accelerations, advantages

WORDS = ("SUPPORTED", "SUPPORTED WITH LIMITS", "INCONCLUSIVE", "REFUTED", "INVALID")
ORDER = ("R0", "R1", "R2", "R4", "R5", "R6", "R7")
QUARANTINE_LIMIT = 0.05
QUARANTINE_PRINTED = 0.01
UNDERSPENT_PRINTED = 0.02
UNDERSPENT_BLOCKS = 0.10
ROUNDS_SUSTAINED = 5
VACUOUS = 0.80  # share of starts with the same answers at which a contrast says nothing of its own
ONE_START = (
    "starts share a generation 0, which makes them one start: claim starts = 'this generation 0' for a loop that "
    "always begins alike"
)


@dataclass(frozen=True)
class Course:
    """What a verdict reads of one arm's own course, beside its score on the claimed axis; fields as in `Case`."""

    rounds: int
    guards: Mapping[str, tuple[float, Sequence[float | None]]]
    late: tuple[float, Sequence[float | None]] | None
    changed: Sequence[bool]
    improvers: Mapping[str, Sequence[Moved | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Everything a verdict rests on. Scores in [0, 1]; R enrolled starts in id order.

    Attributes:
        arm, metric, by, rung, beats, looks: from the claim.
        required: rung -> controls that it needs.
        rounds: rounds that the claimed arm ran: the registered horizon, or fewer when a budget ended it.
        scores: arm -> (R,) sealed score on the claimed axis of what the arm served; None when it could not answer.
        lost: (R,) starts that infrastructure lost for good.
        untestable: arm -> why the study cannot run it as a control.
        uninformative: arm -> why its run says nothing, which only the run could show.
        answers: arm -> (R,) digest of what it served answered to the sealed items; None when it was not asked.
        guards: guard axis -> (total margin, (R,) change of the claimed arm against generation 0, None unknown).
        late: (R,) change on the claimed axis between half of the horizon and its end, and the axis' margin.
        changed: (R,) whether what is served differs from generation 0.
        improvers: improver of the claimed arm -> (R,) its worth, moved to foreign starts; empty: none was moved.
        transplant_by: by how much the last improver has to exceed its nulls there.
        unmoved: why no improver could be moved.
        ungated: the course of the arm `ungated`, when it was run beside a claimed `self`: the mark R3 tests its rungs.
        sibling: (R,) gain over generation 0 on the sibling axis; empty without one.
        underspent: control -> share by which it spent less than the claimed arm (median over starts); None unknown.
        people: decisions by a person or an outside model in the claimed arm.
        quarantined: largest share of a sealed block that was quarantined.
        verdict_moved_path: starts in which a gate decision based on targets altered what the claimed arm served.
        outside_labels: outside labels, models or persons on the path.
        one_start: starts that are claimed to be fresh share a generation 0, which makes them one.
        registered, sealed, exploratory, given_root: how the study was made.
        broken: integrity checks that failed.
    """

    arm: str
    metric: str
    by: float
    rung: str
    beats: Sequence[str]
    looks: Sequence[int]
    required: Mapping[str, Sequence[str]]
    rounds: int
    scores: Mapping[str, Sequence[float | None]]
    lost: Sequence[bool]
    untestable: Mapping[str, str] = field(default_factory=dict)
    uninformative: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    guards: Mapping[str, tuple[float, Sequence[float | None]]] = field(default_factory=dict)
    late: tuple[float, Sequence[float | None]] | None = None
    changed: Sequence[bool] = ()
    improvers: Mapping[str, Sequence[Moved | None]] = field(default_factory=dict)
    transplant_by: float = 0.0
    unmoved: str = ""
    ungated: Course | None = None
    sibling: Sequence[float | None] = ()
    underspent: Mapping[str, float | None] = field(default_factory=dict)
    people: int = 0
    quarantined: float = 0.0
    verdict_moved_path: int = 0
    outside_labels: int = 0
    one_start: bool = False
    registered: bool = True
    sealed: bool = True
    exploratory: bool = False
    given_root: bool = False
    broken: Sequence[str] = ()


@dataclass(frozen=True)
class Rung:
    """One rung's test: "pass", "fail", or "not testable" with what is missing."""

    name: str
    result: str
    detail: str
    successes: int | None = None
    starts: int | None = None


@dataclass(frozen=True)
class Verdict:
    """The word and everything printed with it."""

    word: str
    level: int
    rung: str | None
    endogenous: bool | None
    endogenous_reason: str
    effect: dict[str, Any]
    reasons: tuple[str, ...]
    limits: tuple[str, ...]
    rungs: tuple[Rung, ...]
    gains: tuple[float | None, ...]
    closest: tuple[str | None, ...]
    analysis: TypicalStart | None
    vacuous: tuple[dict[str, Any], ...] = ()

    @property
    def rung_reason(self) -> str:
        """Why there is no rung."""
        return f"R0 did not pass: {self.rungs[0].detail}" if self.rungs else "nothing was scored"

    def __str__(self) -> str:
        """Word, effect with its exact interval, rung and level, and the reasons, as text for people."""
        mark = {True: ", endogenous", False: ", with outside verdicts or labels", None: ""}[self.endogenous]
        head = f"{self.word}   {effect_words(self.effect)}   rung {self.rung or 'none'}{mark}, level {self.level}"
        return "\n".join([head, *(f"  {reason}" for reason in self.reasons)])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as recorded in the log."""
        analysis = None if self.analysis is None else dict(vars(self.analysis))
        return {
            "verdict": self.word, "level": self.level, "rung": self.rung, "endogenous": self.endogenous,
            **({} if self.rung else {"rung_reason": self.rung_reason}),
            "endogenous_reason": self.endogenous_reason, "effect": self.effect, "reasons": list(self.reasons),
            "limits": list(self.limits), "rungs": [vars(rung) for rung in self.rungs], "gains": list(self.gains),
            "closest": list(self.closest), "analysis": analysis, "vacuous": [dict(one) for one in self.vacuous],
        }  # fmt: skip


def effect_words(effect: Mapping[str, Any]) -> str:
    """The effect and its interval in words: an unknown or unbounded end is said, never a number."""
    if effect["estimate"] is None:
        return "net gain unknown"
    ends = ["unbounded" if end is None else f"{end:+.3f}" for end in (effect["low"], effect["high"])]
    return f"net gain {effect['estimate']:+.3f} [{ends[0]}, {ends[1]}] in {effect['n']} starts"


def looks_of(sizes: Sequence[int]) -> Looks:
    """The registered looks: the default design for 6, 9, 12, else the one derived for these sizes."""
    return default_looks() if tuple(sizes) == (6, 9, 12) else derived_looks(tuple(sizes))


def controls(case: Case, rung: str) -> tuple[str, ...]:
    """Controls of a rung, those of the rungs below it included; the claimed rung adds those that the claim names."""
    names = list(case.required.get(rung, ()))
    names += [name for name in case.beats if rung == case.rung and name not in names]
    return tuple(names)


def net_gains(case: Case, names: Sequence[str]) -> tuple[list[float], list[str | None]]:
    """Net gain of each start: the smallest paired difference over the controls, and the control it was against.

    A control that could not answer cannot help the claim: the start counts as no success (-inf). The claimed arm that
    could not answer scores nothing and loses to every control. A lost start is NaN.
    """
    gains: list[float] = []
    closest: list[str | None] = []
    for start, lost in enumerate(case.lost):
        gain, name = (math.nan, None) if lost else _net_gain(case, names, start)
        gains.append(gain)
        closest.append(name)
    return gains, closest


def _net_gain(case: Case, names: Sequence[str], start: int) -> tuple[float, str | None]:
    own = case.scores[case.arm][start]
    best, against = math.inf, None
    for name in names:
        theirs = case.scores[name][start]
        if own is None or theirs is None:
            return -math.inf, name
        if own - theirs < best:
            best, against = own - theirs, name
    return (best, against) if against is not None else (-math.inf, None)


def missing_controls(case: Case, names: Sequence[str]) -> dict[str, str]:
    """Controls that cannot be compared with, and why."""
    found: dict[str, str] = {}
    for name in names:
        if name == case.arm:
            continue
        short = case.underspent.get(name, 0.0)
        if name in case.untestable:
            found[name] = case.untestable[name]
        elif name not in case.scores:
            found[name] = "the study did not run it"
        elif name in case.uninformative:
            found[name] = f"not informative: {case.uninformative[name]}"
        elif short is not None and short > UNDERSPENT_BLOCKS:
            found[name] = f"it spent {100 * short:.0f} % less than `{case.arm}`"
    return found


def vacuous(case: Case) -> list[dict[str, Any]]:
    """Arms whose contrast repeats another one: in most starts they answered as generation 0 did, or as the claimed arm.

    Behind a gate that promotes nothing of theirs, controls are `frozen` under other names (``method.md`` 4.3).
    """
    found = []
    for arm in (name for name in case.answers if name not in (case.arm, "frozen")):
        for other in ("frozen", case.arm):
            pairs = zip(case.answers[arm], case.answers.get(other, ()), strict=False)
            same = sum(one is not None and one == two for one, two in pairs)
            if same >= VACUOUS * len(case.lost) > 0:
                found.append({"arm": arm, "same_as": other, "starts": same, "of": len(case.lost)})
    return found


def test_rung(case: Case, name: str, looks: Looks) -> Rung:
    """Test one rung at the full level (rungs are tested in fixed order, so no correction is needed)."""
    if name == "R0":
        return _indicator(
            case,
            name,
            [1.0 if one else -1.0 for one in case.changed],
            0.0,
            looks,
            "what is served differs from generation 0",
        )
    names = controls(case, name)
    missing = missing_controls(case, names)
    if missing:
        return Rung(name, "not testable", "; ".join(f"{control}: {why}" for control, why in missing.items()))
    if name == "R4":
        return _sustained(case, looks)
    if name in ("R6", "R7"):
        return _recursive(case, name, looks)
    gains, _ = net_gains(case, names)
    return _judged(
        name,
        typical_start(gains, delta=case.by, looks=looks, lost=list(case.lost)),
        f"net gain over {', '.join(names)} above {case.by:g}",
    )


def _judged(name: str, found: TypicalStart, what: str) -> Rung:
    result = "pass" if found.word == "SUPPORTED" else "fail"
    told = f"{found.successes} of {found.starts} starts" if found.look is not None else found.reason
    return Rung(name, result, f"{what}: {told}", found.successes, found.starts)


def _indicator(case: Case, name: str, gains: Sequence[float], delta: float, looks: Looks, what: str) -> Rung:
    return _judged(name, typical_start(list(gains), delta=delta, looks=looks, lost=list(case.lost)), what)


def _sustained(case: Case, looks: Looks) -> Rung:
    """R4: at least five rounds, late value kept and every guard non-inferior (intersection-union), gain as claimed."""
    if case.rounds < ROUNDS_SUSTAINED:
        return Rung("R4", "not testable", f"{case.rounds} rounds, {ROUNDS_SUSTAINED} are needed")
    if not case.guards or case.late is None:
        return Rung(
            "R4", "not testable", "the suite has no guard axis, or no generation at half of the horizon was kept"
        )
    parts = [
        _judged(
            "R4",
            typical_start(net_gains(case, controls(case, "R4"))[0], delta=case.by, looks=looks, lost=list(case.lost)),
            "net gain",
        )
    ]
    parts += [guard_test(case, axis, looks) for axis in case.guards]
    parts.append(_kept("late value", *case.late, case, looks))
    failed = [part for part in parts if part.result != "pass"]
    detail = "; ".join(part.detail for part in (failed or parts))
    return Rung(
        "R4", "fail" if failed else "pass", f"over {case.rounds} rounds: {detail}", parts[0].successes, parts[0].starts
    )


def _recursive(case: Case, name: str, looks: Looks) -> Rung:
    """R6: the last improver, moved alone, beats its nulls; R7: and its advantage grew faster later, on both scales.

    A loss that slows down would accelerate by the second test alone.
    """
    if not case.improvers:
        return Rung(name, "not testable", case.unmoved or "no improver was moved to a foreign start")
    starts, names = len(case.lost), controls(case, name)
    gains = typical_start(net_gains(case, names)[0], delta=case.by, looks=looks, lost=list(case.lost))
    parts = [_judged(name, gains, f"net gain over {', '.join(names)} above {case.by:g}")]
    what = f"a round by the last improver on a foreign start exceeds one by any null by {case.transplant_by:g}"
    parts.append(_indicator(case, name, advantages(case.improvers, starts), case.transplant_by, looks, what))
    for scale in ("score", "logit") if name == "R7" else ():
        what = f"the advantage grew more in the second half than in the first, on the {scale} scale"
        parts.append(_indicator(case, name, accelerations(case.improvers, starts, scale), 0.0, looks, what))
    failed = [part for part in parts if part.result != "pass"]
    detail = "; ".join(part.detail for part in (failed or parts))
    return Rung(name, "fail" if failed else "pass", detail, parts[-1].successes, parts[-1].starts)


def guard_test(case: Case, axis: str, looks: Looks) -> Rung:
    """Whether a guard axis lost no more than its total margin against generation 0, in more than half of starts."""
    margin, changes = case.guards[axis]
    return _kept(axis, margin, changes, case, looks)


def _kept(what: str, margin: float, changes: Sequence[float | None], case: Case, looks: Looks) -> Rung:
    gains = [-math.inf if change is None else change for change in changes]
    return _indicator(case, what, gains, -margin, looks, f"{what} kept within {margin:g}")


def decide_verdict(case: Case) -> Verdict:
    """The verdict: the first line that holds (design: words of a verdict)."""
    looks = looks_of(case.looks)
    rungs = _tested(case, looks)
    top = highest(rungs)
    names = [
        name for name in controls(case, case.rung) if name not in missing_controls(case, controls(case, case.rung))
    ]
    gains, closest = net_gains(case, names)
    analysis = typical_start(gains, delta=case.by, looks=looks, lost=list(case.lost)) if names else None
    missing = missing_controls(case, controls(case, case.rung))
    limits = _limits(case, looks, analysis, gains)
    level = _level(case, analysis)
    word, reasons = _word(case, analysis, rungs, missing, limits, level, closest, top)
    level = 0 if word == "INVALID" else level
    endogenous, why = _endogenous(case, looks, top)
    return Verdict(
        word, level, top, endogenous, why, _effect(case, analysis), tuple(reasons), tuple(limits), tuple(rungs),
        tuple(gain if math.isfinite(gain) else None for gain in gains), tuple(closest), analysis, tuple(vacuous(case)),
    )  # fmt: skip


def _tested(case: Case, looks: Looks) -> list[Rung]:
    return [test_rung(case, name, looks) for name in ORDER] if any(len(s) for s in case.scores.values()) else []


def highest(rungs: Sequence[Rung]) -> str | None:
    """The highest rung below which none failed."""
    top = None
    for rung in rungs:
        if rung.result != "pass":
            break
        top = rung.name
    return top


def _level(case: Case, analysis: TypicalStart | None) -> int:
    if case.exploratory or analysis is None:
        return 1
    enough = analysis.look is not None and not case.one_start
    whole = case.registered and case.sealed and not case.given_root and enough
    return 3 if whole else 2


def _word(
    case: Case, analysis: TypicalStart | None, rungs: Sequence[Rung], missing: Mapping[str, str], limits: Sequence[str],
    level: int, closest: Sequence[str | None], top: str | None,
) -> tuple[str, list[str]]:  # fmt: skip
    if case.broken:
        return "INVALID", list(case.broken)
    if case.quarantined > QUARANTINE_LIMIT:
        return "INVALID", [f"{100 * case.quarantined:.1f} % of a sealed block had been trained on; 5 % is the most"]
    if case.exploratory:
        return "INCONCLUSIVE", ["the study was run as exploratory: it can never be evidence"]
    if analysis is None:
        return "INCONCLUSIVE", ["no control could be compared with", *_told(missing)]
    if analysis.look is None:
        return "INCONCLUSIVE", [analysis.reason]
    if case.one_start:
        return "INCONCLUSIVE", [ONE_START]
    if analysis.word == "REFUTED":
        return "REFUTED", [_refuted(case, analysis, closest, top), *_told(missing)]
    failed = [rung for rung in rungs[: ORDER.index(case.rung) + 1] if rung.result != "pass"]
    if analysis.word is None or missing or failed:
        return "INCONCLUSIVE", [
            analysis.reason,
            *_told(missing),
            *(f"{rung.name} {rung.result}: {rung.detail}" for rung in failed),
        ]
    if level < 3:
        return "INCONCLUSIVE", [f"{_why_level_2(case)}: evidence level 2", analysis.reason]
    return ("SUPPORTED WITH LIMITS" if limits else "SUPPORTED"), [analysis.reason, *limits]


def _why_level_2(case: Case) -> str:
    if not case.registered:
        return "the claim was not registered"
    return "the root was given by the claimant" if case.sealed else "the scores are not sealed"


def _told(missing: Mapping[str, str]) -> list[str]:
    return [f"required arm `{name}` is not testable: {why}" for name, why in missing.items()]


def _refuted(case: Case, analysis: TypicalStart, closest: Sequence[str | None], top: str | None) -> str:
    named = [name for name in closest if name]
    nearest = max(sorted(set(named)), key=named.count) if named else "none"
    gained = f"the highest rung that passed is {top}" if top else "no rung passed"
    if nearest == case.arm:
        near = f"`{nearest}` is itself a control that {case.rung} requires, and nothing exceeds itself"
    else:
        times = f"{named.count(nearest)} of {len(case.lost)} starts"
        near = f"the control that most often came within it is `{nearest}` ({times})"
    return f"net gain of `{case.arm}` is not above {case.by:g}: {analysis.reason}; {near}; {gained}"


def _limits(case: Case, looks: Looks, analysis: TypicalStart | None, gains: Sequence[float]) -> list[str]:
    """The closed list of limits, each with its number."""
    if analysis is None or analysis.look is None:
        return []
    found: list[str] = []
    short = analysis.starts - analysis.successes
    if short:
        found.append(f"{short} of {analysis.starts} starts did not exceed the claimed effect")
    undecided = [axis for axis in case.guards if guard_test(case, axis, looks).result != "pass"]
    found += [f"guard {axis} is not shown to be kept" for axis in undecided]
    if not case.guards:
        found.append("no guard axis was run")
    if case.people:
        found.append(f"{case.people} decisions by a person or an outside model on the path")
    found += _spend_limits(case)
    if QUARANTINE_PRINTED <= case.quarantined <= QUARANTINE_LIMIT:
        found.append(f"{100 * case.quarantined:.1f} % of a sealed block was quarantined")
    finite = [gain for gain in gains if math.isfinite(gain)]
    if finite and mean_beside_median(finite, delta=case.by).agree is False:
        found.append("mean and median of the net gain disagree about the claimed effect")
    gained = [gain for gain in case.sibling if gain is not None]
    if case.sibling and (not gained or sorted(gained)[len(gained) // 2] <= 0):
        found.append("narrow: no gain on the sibling axis")
    return found


def _spend_limits(case: Case) -> list[str]:
    found = []
    for name in controls(case, case.rung):
        short = case.underspent.get(name, 0.0)
        if short is None:
            found.append(f"cost of `{name}` is unknown")
        elif short > UNDERSPENT_PRINTED:
            found.append(f"`{name}` spent {100 * short:.1f} % less than `{case.arm}`")
    return found


def _effect(case: Case, analysis: TypicalStart | None) -> dict[str, Any]:
    """The effect as it is printed; what is unknown is None, with its reason beside it."""
    numbers = {name: getattr(analysis, name, None) for name in ("estimate", "low", "high", "confidence")}
    if analysis is None:
        why = "no control to compare with"
    else:
        why = analysis.reason if analysis.look is None else "unbounded: a start was lost, or an arm of it has no score"
    reasons = {f"{name}_reason": why for name, value in numbers.items() if value is None}
    starts = len(case.lost) if analysis is None else analysis.starts
    return {**numbers, "unit": f"points of {case.metric} in [0, 1]", "n": starts, **reasons}


def _endogenous(case: Case, looks: Looks, top: str | None) -> tuple[bool | None, str]:
    """The mark R3: no outside label, model or person decided, and no outside verdict altered the path."""
    outside = case.outside_labels + case.people
    if outside:
        return False, f"{outside} outside labels, models or persons decided something on the path"
    if top in (None, "R0"):
        return None, "no rung passed that the mark could stand on"
    if case.ungated is not None:
        alone = highest(_tested(replace(case, arm="ungated", **vars(case.ungated)), looks))
        passed = alone is not None and ORDER.index(alone) >= ORDER.index(str(top))
        return passed, f"the arm `ungated` {'passes' if passed else 'does not pass'} {top} by itself"
    if case.verdict_moved_path:
        return (
            None,
            f"an outside verdict chose what is served in {case.verdict_moved_path} starts: add the arm `ungated`",
        )
    return True, "no outside label, model or person decided anything, and no gate decision altered what was served"
