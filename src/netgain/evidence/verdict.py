"""From sealed scores to one of five words: rungs in order, level, limits, and the sentence's numbers.

Rules: `docs/concepts.md`, "Verdict"; the analysis is `evidence.looks`. Pure: a `Case` in, a `Verdict` out. `verify.py`
holds an independent twin in plain Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from netgain.claim import registered_sizes
from netgain.evidence.effects import mean_beside_median
from netgain.evidence.looks import Looks, TypicalStart, looks_of, typical_start
from netgain.evidence.means import MeanGain, mean_gain
from netgain.evidence.transplant import Moved, accelerations, advantages
from netgain.evidence.version import VersionGain, version_gain

WORDS = ("SUPPORTED", "SUPPORTED WITH LIMITS", "INCONCLUSIVE", "REFUTED", "INVALID")
ORDER = ("R0", "R1", "R2", "R4", "R5", "R6", "R7")
QUARANTINE_LIMIT = 0.05
QUARANTINE_PRINTED = 0.01
UNDERSPENT_PRINTED = 0.02
UNDERSPENT_BLOCKS = 0.10
OVERSPENT_PRINTED = 0.02  # as for under-spending: both rules hold a control to between .9 and 1.1 of the loop's spend
OVERSPENT_BLOCKS = 0.10
RESIDUAL = 0.02  # agreement of the placebo with the true feedback above chance that still counts as inert
ROUNDS_SUSTAINED = 5
VACUOUS = 0.80  # share of starts with the same answers at which a contrast says nothing of its own
ONE_START = (
    "starts share a generation 0, which makes them one start: claim starts = 'this generation 0' for a loop that "
    "always begins alike"
)
ABOUT_A_VERSION = (
    "this is about the one version that `{arm}` served, over items: it says nothing about the loop that made it, whose "
    "unit is starts"
)
OF_A_MEAN = (
    "a mean says nothing of single starts: a failure mode in up to {share:.0f} % of starts would not have been seen "
    "in {starts}"
)
Found = TypicalStart | MeanGain | VersionGain


@dataclass(frozen=True)
class Course:
    """What a verdict reads of one arm's own course, beside its score on the claimed axis; fields as in `Case`."""

    rounds: int
    guards: Mapping[str, tuple[float, Sequence[float | None]]]
    late: tuple[float, Sequence[float | None]] | None
    changed: Sequence[bool]
    improvers: Mapping[str, Sequence[Moved | None]] = field(default_factory=dict)
    moved_short: Mapping[str, float | None] = field(default_factory=dict)
    alike: int = 0


@dataclass(frozen=True)
class Case:
    """Everything a verdict rests on. Scores in [0, 1]; R enrolled starts in id order.

    Attributes:
        arm, metric, by, rung, beats, looks, analysis, share, alpha, about: from the claim.
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
        moved_short: null improver -> share by which its moved rounds spent less than those of the last; None unknown.
        alike: starts in which the null `shuffled` is the improver of generation 0 once more.
        transplant_by: by how much the last improver has to exceed its nulls there.
        unmoved: why no improver could be moved.
        ungated: the course of the arm `ungated`, when it was run beside a claimed `self`: the mark R3 tests its rungs.
        sibling: (R,) gain over generation 0 on the sibling axis; empty without one.
        underspent: control -> share by which it spent less than the claimed arm (median over starts); None unknown.
        overspent: control -> share by which it spent more, as `underspent`.
        residual: agreement of the placebo with the true feedback above chance, in [-1, 1]; None unknown.
        neutral: the arm that a placebo without any effect ends level with: "ordinary" where a system is trained, and
            content without information is training still; "frozen" where changes are searched for.
        items: axis -> sealed scores of the claimed version and of generation 0 by item; for a claim about a version.
        people: decisions by a person or an outside model in the claimed arm.
        met: protected items whose planted canary was met in what the claimed arm made or answered.
        unsearched: stages of the claimed arm in which planted canaries had expired and nothing was searched.
        epochs: contracts under which runs were steered or the sealed items answered; 1 for a study that nothing moved.
        unbridged: of the epochs after the first of these, those whose measuring is not tied to the one before, and why.
        unseen: monitor -> (rounds of the claimed arm in which it could not look, rounds in which it should have).
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
    looks: Sequence[int] | str
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
    moved_short: Mapping[str, float | None] = field(default_factory=dict)
    alike: int = 0
    transplant_by: float = 0.0
    unmoved: str = ""
    ungated: Course | None = None
    sibling: Sequence[float | None] = ()
    underspent: Mapping[str, float | None] = field(default_factory=dict)
    overspent: Mapping[str, float | None] = field(default_factory=dict)
    residual: float | None = 0.0
    neutral: str = "ordinary"
    analysis: str = "typical start"
    share: float = 0.5
    alpha: float = 0.05
    about: str = "loop"
    items: Mapping[str, tuple[Sequence[float | None], Sequence[float | None]]] = field(default_factory=dict)
    people: int = 0
    met: int = 0
    unsearched: int = 0
    epochs: int = 1
    unbridged: Sequence[str] = ()
    unseen: Mapping[str, tuple[int, int]] = field(default_factory=dict)
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
    analysis: Found | None
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
        analysis = None if self.analysis is None else asdict(self.analysis)
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
    what = "items" if effect["unit"].endswith("over items") else "starts"
    return f"net gain {effect['estimate']:+.3f} [{ends[0]}, {ends[1]}] in {effect['n']} {what}"


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
        elif name == "placebo" and (harm := placebo_harm(case)) is not None:
            what = f"it did harm (at most {harm:+.3f} against `{case.neutral}`)"
            found[name] = f"{what}, which shows no value of information"
    return found


def placebo_harm(case: Case) -> float | None:
    """Upper bound of the placebo's own effect when it lies below 0: then it is no placebo but harm.

    Against what content without information is worth in such a loop (`Case.neutral`). A start in which either has no
    score counts for the placebo.
    """
    if not {"placebo", case.neutral} <= case.scores.keys():
        return None
    pairs = zip(case.scores["placebo"], case.scores[case.neutral], strict=True)
    gaps = [None if own is None or other is None else own - other for own, other in pairs]
    known = [1.0 if gap is None else gap for gap in gaps]
    high = typical_start(known, delta=0.0, looks=half_looks(case), lost=list(case.lost)).high
    return high if high is not None and high < 0 else None


def weakened(case: Case) -> bool:
    """Whether the placebo still carries some of the true feedback, so that it takes part of the gain away."""
    return case.residual is not None and case.residual > RESIDUAL


def half_looks(case: Case) -> Looks:
    """The claim's looks with one half as share: for what is asked of "more than half of starts" in every claim."""
    return looks_of((1,) if case.about == "version" else case.looks, level=case.alpha)


def claim_test(case: Case, names: Sequence[str]) -> Found:
    """The claim's own test against these controls: PASS(C, by) of ``method.md`` 2."""
    if case.about == "version":
        return _version_gain(case, case.metric, case.by)
    if case.analysis == "mean":
        columns = {name: _differences(case, name) for name in names}
        sizes = registered_sizes(case.looks)
        return mean_gain(columns, delta=case.by, sizes=sizes, level=case.alpha, lost=list(case.lost))
    looks = looks_of(case.looks, share=case.share, level=case.alpha)
    return typical_start(net_gains(case, names)[0], delta=case.by, looks=looks, lost=list(case.lost))


def _differences(case: Case, name: str) -> list[float]:
    """Claimed arm minus a control, by start. An arm that could not answer scores nothing; a control's gap is NaN."""
    own, theirs = case.scores[case.arm], case.scores[name]
    pairs = zip(own, theirs, case.lost, strict=True)
    return [math.nan if lost or other is None else (0.0 if one is None else one) - other for one, other, lost in pairs]


def _version_gain(case: Case, axis: str, delta: float) -> VersionGain:
    """The version against generation 0 on an axis; nothing to compare where infrastructure lost the run."""
    own, first = ((), ()) if any(case.lost) else case.items.get(axis, ((), ()))
    return version_gain(_numbers(own), _numbers(first), delta=delta, level=case.alpha)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


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
    if case.about == "version" and name != "R1":
        return _version_rung(case, name)
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
    return _judged(name, claim_test(case, names), f"net gain over {', '.join(names)} above {case.by:g}")


def _judged(name: str, found: Found, what: str) -> Rung:
    result = "pass" if found.word == "SUPPORTED" else "fail"
    counted = isinstance(found, TypicalStart) and found.look is not None
    told = f"{found.successes} of {found.starts} starts" if counted else found.reason
    return Rung(name, result, f"{what}: {told}", found.successes, found.starts)


def _version_rung(case: Case, name: str) -> Rung:
    """R0 of one version; what is above R1 speaks of loops, and one run has no answer to it."""
    if name == "R0":
        moved = any(case.changed)
        told = f"what is served {'differs from' if moved else 'is'} generation 0"
        return Rung(name, "pass" if moved else "fail", told)
    return Rung(name, "not testable", "it is about a loop, whose unit is starts: this claim is about a version")


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
    parts = [_judged("R4", claim_test(case, controls(case, "R4")), "net gain")]
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
    if wanting := _unequal_rounds(case) or _alike_nulls(case):
        return Rung(name, "not testable", wanting)
    starts, names = len(case.lost), controls(case, name)
    parts = [_judged(name, claim_test(case, names), f"net gain over {', '.join(names)} above {case.by:g}")]
    what = f"a round by the last improver on a foreign start exceeds one by any null by {case.transplant_by:g}"
    parts.append(_indicator(case, name, advantages(case.improvers, starts), case.transplant_by, looks, what))
    for scale in ("score", "logit") if name == "R7" else ():
        what = f"the advantage grew more in the second half than in the first, on the {scale} scale"
        parts.append(_indicator(case, name, accelerations(case.improvers, starts, scale), 0.0, looks, what))
    failed = [part for part in parts if part.result != "pass"]
    detail = "; ".join(part.detail for part in (failed or parts))
    return Rung(name, "fail" if failed else "pass", detail, parts[-1].successes, parts[-1].starts)


def _unequal_rounds(case: Case) -> str:
    """Why the moved rounds do not compare improvers: the last one was given more than a null (``method.md`` 1.3)."""
    for null, short in case.moved_short.items():
        if short is None:
            return f"what the moved rounds of the improver `{null}` spent is unknown"
        if short > UNDERSPENT_BLOCKS:
            return f"moved rounds of the improver `{null}` spent {100 * short:.0f} % less than those of the last one"
    return ""


def _alike_nulls(case: Case) -> str:
    """Why nothing is known of feedback without content: what grew on it is generation 0 in most starts."""
    if not case.alike >= VACUOUS * len(case.lost) > 0:
        return ""
    return (
        f"the improver `shuffled` is that of generation 0 in {case.alike} of {len(case.lost)} starts: `placebo` kept "
        "no change, so nothing shows what feedback without content makes of an improver"
    )


def guard_test(case: Case, axis: str, looks: Looks) -> Rung:
    """Whether a guard axis lost no more than its total margin against generation 0, in more than half of starts."""
    margin, changes = case.guards[axis]
    if case.about == "version":
        return _judged(axis, _version_gain(case, axis, -margin), f"{axis} kept within {margin:g}")
    return _kept(axis, margin, changes, case, looks)


def _kept(what: str, margin: float, changes: Sequence[float | None], case: Case, looks: Looks) -> Rung:
    gains = [-math.inf if change is None else change for change in changes]
    return _indicator(case, what, gains, -margin, looks, f"{what} kept within {margin:g}")


def decide_verdict(case: Case) -> Verdict:
    """The verdict: the first line that holds (design: words of a verdict)."""
    looks = half_looks(case)
    rungs = _tested(case, looks)
    top = highest(rungs)
    names = [
        name for name in controls(case, case.rung) if name not in missing_controls(case, controls(case, case.rung))
    ]
    gains, closest = net_gains(case, names)
    analysis = claim_test(case, names) if names else None
    missing = missing_controls(case, controls(case, case.rung))
    limits = _limits(case, looks, analysis, gains)
    level = _level(case, analysis)
    word, reasons = _word(case, analysis, rungs, missing, limits, level, closest, top, names)
    reasons += _scope(case, analysis) if word != "INVALID" else []
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


def _scope(case: Case, analysis: Found | None) -> list[str]:
    """What the word does not say, printed with it."""
    if case.about == "version":
        return [ABOUT_A_VERSION.format(arm=case.arm)]
    if isinstance(analysis, MeanGain) and analysis.look is not None:
        return [OF_A_MEAN.format(share=100 * analysis.hidden_failure, starts=analysis.starts)]
    return []


def _level(case: Case, analysis: Found | None) -> int:
    if case.exploratory or analysis is None:
        return 1
    enough = analysis.look is not None and not case.one_start and not case.unbridged
    whole = case.registered and case.sealed and not case.given_root and enough
    return 3 if whole else 2


def _word(
    case: Case, analysis: Found | None, rungs: Sequence[Rung], missing: Mapping[str, str], limits: Sequence[str],
    level: int, closest: Sequence[str | None], top: str | None, names: Sequence[str],
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
    if case.unbridged:
        return "INCONCLUSIVE", [f"decided under {case.epochs} epochs of the contract, unbridged", *case.unbridged]
    if analysis.word == "REFUTED":
        return _below(case, analysis, closest, top, names, missing)
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


def _below(
    case: Case, analysis: Found, closest: Sequence[str | None], top: str | None, names: Sequence[str],
    missing: Mapping[str, str],
) -> tuple[str, list[str]]:  # fmt: skip
    """REFUTED, if the gain is below the claim without the controls that could flatter its denial as well.

    A control that spent over a tenth more than the claimed arm, or a placebo that carries true feedback, may come near
    the loop for that reason alone: it stands against SUPPORTED, and shows nothing for REFUTED (``method.md`` 1.5).
    """
    unfair = unfair_controls(case, names)
    told = [f"`{name}` {why}, so it cannot refute the claim" for name, why in unfair.items()]
    fair = [name for name in names if name not in unfair]
    found = claim_test(case, fair) if fair else None
    if unfair and (found is None or found.word != "REFUTED"):
        kept = "no other control is left" if found is None else f"without it: {found.reason}"
        return "INCONCLUSIVE", [f"{analysis.reason}; {'; '.join(told)}; {kept}", *_told(missing)]
    nearest = net_gains(case, fair)[1] if unfair else closest
    more = [name for name in fair if (case.overspent.get(name) or 0.0) > OVERSPENT_PRINTED]
    told += [f"`{name}` spent {100 * (case.overspent[name] or 0.0):.1f} % more than `{case.arm}`" for name in more]
    return "REFUTED", [_refuted(case, found or analysis, nearest, top), *_told(missing), *told]


def unfair_controls(case: Case, names: Sequence[str]) -> dict[str, str]:
    """Controls that may not refute, and why: they were given more than the claimed arm, or part of its signal."""
    found: dict[str, str] = {}
    for name in names:
        more = case.overspent.get(name, 0.0)
        if more is None:
            found[name] = "may have spent more: its spend is unknown"
        elif more > OVERSPENT_BLOCKS:
            found[name] = f"spent {100 * more:.0f} % more than `{case.arm}`"
        elif name == "placebo" and weakened(case):
            above = f"{100 * (case.residual or 0.0):.1f} points above chance"
            found[name] = f"is weakened (it agrees with the true feedback {above})"
    return found


def _why_level_2(case: Case) -> str:
    if not case.registered:
        return "the claim was not registered"
    return "the root was given by the claimant" if case.sealed else "the scores are not sealed"


def _told(missing: Mapping[str, str]) -> list[str]:
    return [f"required arm `{name}` is not testable: {why}" for name, why in missing.items()]


def _refuted(case: Case, analysis: Found, closest: Sequence[str | None], top: str | None) -> str:
    named = [name for name in closest if name]
    nearest = max(sorted(set(named)), key=named.count) if named else "none"
    gained = f"the highest rung that passed is {top}" if top else "no rung passed"
    if nearest == case.arm:
        near = f"`{nearest}` is itself a control that {case.rung} requires, and nothing exceeds itself"
    else:
        times = f"{named.count(nearest)} of {len(case.lost)} starts"
        near = f"the control that most often came within it is `{nearest}` ({times})"
    return f"net gain of `{case.arm}` is not above {case.by:g}: {analysis.reason}; {near}; {gained}"


def _limits(case: Case, looks: Looks, analysis: Found | None, gains: Sequence[float]) -> list[str]:
    """The closed list of limits, each with its number."""
    if analysis is None or analysis.look is None:
        return []
    found: list[str] = []
    short = 0 if isinstance(analysis, VersionGain) else analysis.starts - analysis.successes
    if short:
        found.append(f"{short} of {analysis.starts} starts did not exceed the claimed effect")
    undecided = [axis for axis in case.guards if guard_test(case, axis, looks).result != "pass"]
    found += [f"guard {axis} is not shown to be kept" for axis in undecided]
    if not case.guards:
        found.append("no guard axis was run")
    if case.people:
        found.append(f"{case.people} decisions by a person or an outside model on the path")
    found += [f"planted canaries of {case.met} protected items were met"] if case.met else []
    found += [f"planted canaries had expired in {case.unsearched} stages"] if case.unsearched else []
    if case.epochs > 1:
        found.append(f"decided under {case.epochs} epochs of the contract, {'un' if case.unbridged else ''}bridged")
    found += [f"monitor {name} could not look in {gone} of {of} rounds" for name, (gone, of) in case.unseen.items()]
    found += _spend_limits(case)
    found += _placebo_limits(case)
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


def _placebo_limits(case: Case) -> list[str]:
    if "placebo" not in controls(case, case.rung) or "placebo" in missing_controls(case, ["placebo"]):
        return []
    if case.residual is None:
        return ["whether `placebo` was inert is unknown: its agreement with the true feedback was not recorded"]
    return [f"`placebo` is weakened: {100 * case.residual:.1f} points above chance"] if weakened(case) else []


def _effect(case: Case, analysis: Found | None) -> dict[str, Any]:
    """The effect as it is printed; what is unknown is None, with its reason beside it."""
    numbers = {name: getattr(analysis, name, None) for name in ("estimate", "low", "high", "confidence")}
    if analysis is None:
        why = "no control to compare with"
    else:
        why = analysis.reason if analysis.look is None else "unbounded: a start was lost, or an arm of it has no score"
    reasons = {f"{name}_reason": why for name, value in numbers.items() if value is None}
    starts = len(case.lost) if analysis is None else analysis.starts
    return {**numbers, "unit": f"points of {case.metric} in [0, 1]{_over(case)}", "n": starts, **reasons}


def _over(case: Case) -> str:
    """What an effect is taken over, when it is not the typical start."""
    return ", mean over items" if case.about == "version" else ", mean over starts" if case.analysis == "mean" else ""


def _endogenous(case: Case, looks: Looks, top: str | None) -> tuple[bool | None, str]:
    """The mark R3: no outside label, model or person decided, and no outside verdict altered the path."""
    if case.about == "version":
        return None, "the mark is about a loop's signal, and this claim about one version"
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
