"""What would change the verdict: the same rules on the same numbers under one changed assumption at a time.

Only what the study can answer is asked. A round, a decision or a guard cannot be taken out of a log afterwards:
everything later descends from it (`method.md` 1.8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from netgain.case import case_of
from netgain.evidence.verdict import (
    ORDER,
    Case,
    Verdict,
    controls,
    decide_verdict,
    guard_test,
    half_looks,
    net_gains,
)
from netgain.facts import Facts
from netgain.report.figures import joined, known, named, names, points
from netgain.whatif import whatif, without_arm, without_replica

EXTRA = ("frozen", "ordinary", "random_search", "sampled", "one_step", "flat", "stacked", "improver_only", "placebo",
         "stacked+placebo", "random_proposer", "random_gate")  # fmt: skip
TOO_LITTLE = 0.11  # a control that spent 11 % less is beyond the 10 % at which it no longer counts


@dataclass(frozen=True)
class Alternative:
    """A changed assumption, the verdict under it, and whether that differs in word or mark."""

    assumption: str
    verdict: Verdict
    changes: bool


def alternatives(facts: Facts, case: Case, verdict: Verdict) -> list[Alternative]:
    """All rows of the table, the registered case first."""
    found = [("as registered", verdict)]
    found += _thresholds(case, verdict)
    found += _controls(facts, case)
    found += _starts(facts, case) if case.about == "loop" else []
    found += _path(facts, case)
    found += _conditions(case)
    return [Alternative(text, one, _differs(one, verdict)) for text, one in found]


def _differs(one: Verdict, verdict: Verdict) -> bool:
    return (one.word, one.endogenous) != (verdict.word, verdict.endogenous)


def _thresholds(case: Case, verdict: Verdict) -> list[tuple[str, Verdict]]:
    found = []
    for direction, by in (("raised", flip_above(case, verdict.word)), ("lowered", flip_below(case, verdict.word))):
        if by is not None:
            found.append((f"claimed effect {direction} to {points(by)}", decide_verdict(replace(case, by=by))))
    rungs = [rung for rung in ORDER[1:] if rung != case.rung and case.about == "loop"]
    found += [
        (f"rung {rung} claimed instead of {case.rung}", decide_verdict(replace(case, rung=rung))) for rung in rungs
    ]
    found += [(f"margin of {named(axis)} tightened to {points(margin)}", one) for axis, margin, one in _margins(case)]
    return found


def flip_above(case: Case, word: str) -> float | None:
    """The smallest larger claimed effect, of those at which a start drops out, that changes the word."""
    above = [by for by in _breaks(case) if case.by < by < 1]
    return next((by for by in above if decide_verdict(replace(case, by=by)).word != word), None)


def flip_below(case: Case, word: str) -> float | None:
    """The largest smaller claimed effect that changes the word, half-way between two starts' gains."""
    below = [0.0, *(by for by in _breaks(case) if 0 < by < case.by)]
    halves = [(low + high) / 2 for low, high in zip(below, [*below[1:], case.by], strict=True)]
    tried = [*reversed(halves), 0.0]
    return next((by for by in tried if by < case.by and decide_verdict(replace(case, by=by)).word != word), None)


def _breaks(case: Case) -> list[float]:
    """Net gains of all starts over the controls of every rung: where a success count can change."""
    found: set[float] = set()
    for rung in ORDER[1:]:
        there = [name for name in controls(case, rung) if name in case.scores]
        found |= set(known(net_gains(case, there)[0])) if there else set()
    analysis = decide_verdict(case).analysis
    found |= set(known((analysis.low, analysis.high))) if analysis is not None else set()
    return sorted(found)


def _margins(case: Case) -> Iterable[tuple[str, float, Verdict]]:
    """For each guard the margin below which it would fail, when it passes now."""
    looks = half_looks(case)
    for axis, (margin, changes) in case.guards.items():
        if guard_test(case, axis, looks).result != "pass":
            continue
        tighter = sorted({max(0.0, -change) for change in known(changes)}, reverse=True)
        for value in (one for one in tighter if one < margin):
            other = replace(case, guards={**case.guards, axis: (value, changes)})
            if guard_test(other, axis, looks).result != "pass":
                yield axis, value, decide_verdict(other)
                break


def _controls(facts: Facts, case: Case) -> list[tuple[str, Verdict]]:
    required = [name for name in controls(case, case.rung) if name != case.arm]
    dropped = [name for name in required if name != "frozen"]  # without generation 0 there is no R1 to stand on
    found = [
        (f"without the control {named(name)}", decide_verdict(case_of(without_arm(facts, name), broken=case.broken)))
        for name in dropped
    ]
    more = [name for name in EXTRA if name in case.scores and name not in (*required, case.arm)]
    return found + [(f"{named(name)} required as well", decide_verdict(_with_control(case, name))) for name in more]


def _with_control(case: Case, name: str) -> Case:
    return replace(case, beats=[*case.beats, name])


def _starts(facts: Facts, case: Case) -> list[tuple[str, Verdict]]:
    replicas = sorted(facts.enrolled)
    ways: list[tuple[str, Callable[[int], Case]]] = [
        ("left out", lambda place: case_of(without_replica(facts, replicas[place]), broken=case.broken)),
        ("serving nothing at all", lambda place: _failed(case, place)),
        ("lost to infrastructure", lambda place: _lost(case, place)),
    ]
    return [row for words, change in ways for row in _each_start(replicas, words, change)]


def _each_start(replicas: Sequence[int], words: str, change: Callable[[int], Case]) -> list[tuple[str, Verdict]]:
    """One row for every word that comes out; starts with one word share a row."""
    by_word: dict[str, tuple[list[int], Verdict]] = {}
    for place, replica in enumerate(replicas):
        verdict = decide_verdict(change(place))
        by_word.setdefault(verdict.word, ([], verdict))[0].append(replica)
    found = []
    for starts, verdict in by_word.values():
        which = "any one start" if len(starts) == len(replicas) else f"start {joined(map(str, starts), 'or')}"
        found.append((f"{which} {words}", verdict))
    return found


def _failed(case: Case, place: int) -> Case:
    own: list[float | None] = [None if index == place else one for index, one in enumerate(case.scores[case.arm])]
    return replace(case, scores={**case.scores, case.arm: own})


def _lost(case: Case, place: int) -> Case:
    return replace(case, lost=[one or index == place for index, one in enumerate(case.lost)])


def _path(facts: Facts, case: Case) -> list[tuple[str, Verdict]]:
    """What stood on the path: people, where there were any, and every guard that an arm was run without."""
    if case.broken or case.arm != "self":
        return []
    drops = ["human"] if any(one["decided_by"] == "person" for run in facts.runs.values() if run.arm == case.arm
                             for one in run.choices) else []  # fmt: skip
    bare = [name.removeprefix("unguarded:") for name in case.scores if name.startswith("unguarded:")]
    drops += [f"guard:{name}" for name in bare if "+" not in name]
    asked = [whatif(facts, drop) for drop in drops]
    return [(one.assumption, one.verdict) for one in asked if one.verdict is not None]


def _conditions(case: Case) -> list[tuple[str, Verdict]]:
    """Changed circumstances, each decided by the same rules."""
    found: list[tuple[str, Case]] = []
    if not case.people:
        found.append(("one decision by a person on the path", replace(case, people=1)))
    if not case.outside_labels:
        found.append(("one outside label on the path", replace(case, outside_labels=1)))
    if "ungated" in case.scores and case.arm != "ungated":
        kept = {name: values for name, values in case.scores.items() if name != "ungated"}
        found.append(("without the arm `ungated`", replace(case, scores=kept, ungated=None)))
    spending = [name for name in controls(case, case.rung) if name in case.underspent]
    if spending:
        less = dict.fromkeys(spending, TOO_LITTLE)
        found.append(
            (f"{names(spending)} having spent 11 % less", replace(case, underspent={**case.underspent, **less}))
        )
    if not case.given_root:
        found.append(("the root of randomness given by the claimant", replace(case, given_root=True)))
    return [(text, decide_verdict(one)) for text, one in found]
