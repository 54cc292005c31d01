"""What would change the verdict: the same rules on the same numbers under one changed assumption at a time.

Only what the study can answer is asked. A round, a decision or a guard cannot be taken out of a log afterwards:
everything later descends from it (`method.md` 1.8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from netgain.evidence.verdict import (
    ORDER,
    Case,
    Course,
    Verdict,
    controls,
    decide_verdict,
    guard_test,
    half_looks,
    net_gains,
)
from netgain.report.figures import joined, known, named, names, points

Item = TypeVar("Item")
EXTRA = ("frozen", "ordinary", "random_search", "sampled", "one_step", "flat", "stacked", "improver_only", "placebo",
         "stacked+placebo", "random_proposer", "random_gate")  # fmt: skip
TOO_LITTLE = 0.11  # a control that spent 11 % less is beyond the 10 % at which it no longer counts


@dataclass(frozen=True)
class Alternative:
    """A changed assumption, the verdict under it, and whether that differs in word or mark."""

    assumption: str
    verdict: Verdict
    changes: bool


def alternatives(case: Case, verdict: Verdict, replicas: Sequence[int]) -> list[Alternative]:
    """All rows of the table, the registered case first."""
    found = [("as registered", verdict)]
    found += _thresholds(case, verdict)
    found += _controls(case)
    found += _starts(case, replicas) if case.about == "loop" else []
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


def _controls(case: Case) -> list[tuple[str, Verdict]]:
    required = [name for name in controls(case, case.rung) if name != case.arm]
    dropped = [name for name in required if name != "frozen"]  # without generation 0 there is no R1 to stand on
    found = [(f"without the control {named(name)}", decide_verdict(_without_control(case, name))) for name in dropped]
    more = [name for name in EXTRA if name in case.scores and name not in (*required, case.arm)]
    return found + [(f"{named(name)} required as well", decide_verdict(_with_control(case, name))) for name in more]


def _without_control(case: Case, name: str) -> Case:
    required = {rung: [one for one in names if one != name] for rung, names in case.required.items()}
    return replace(case, required=required, beats=[one for one in case.beats if one != name])


def _with_control(case: Case, name: str) -> Case:
    return replace(case, beats=[*case.beats, name])


def _starts(case: Case, replicas: Sequence[int]) -> list[tuple[str, Verdict]]:
    ways: list[tuple[str, Callable[[Case, int], Case]]] = [
        ("left out", without_start), ("serving nothing at all", _failed), ("lost to infrastructure", _lost),
    ]  # fmt: skip
    return [row for words, change in ways for row in _each_start(case, replicas, words, change)]


def _each_start(
    case: Case, replicas: Sequence[int], words: str, change: Callable[[Case, int], Case]
) -> list[tuple[str, Verdict]]:
    """One row for every word that comes out; starts with one word share a row."""
    by_word: dict[str, tuple[list[int], Verdict]] = {}
    for place, replica in enumerate(replicas):
        verdict = decide_verdict(change(case, place))
        by_word.setdefault(verdict.word, ([], verdict))[0].append(replica)
    found = []
    for starts, verdict in by_word.values():
        which = "any one start" if len(starts) == len(replicas) else f"start {joined(map(str, starts), 'or')}"
        found.append((f"{which} {words}", verdict))
    return found


def without_start(case: Case, place: int) -> Case:
    """The case of all other starts."""
    own = Course(case.rounds, case.guards, case.late, case.changed, case.improvers)
    return replace(
        case,
        scores={name: _cut(values, place) for name, values in case.scores.items()},
        answers={name: _cut(values, place) for name, values in case.answers.items()},
        lost=_cut(case.lost, place), sibling=_cut(case.sibling, place), **vars(_without(own, place)),
        ungated=None if case.ungated is None else _without(case.ungated, place),
    )  # fmt: skip


def _without(course: Course, place: int) -> Course:
    return replace(
        course,
        changed=_cut(course.changed, place),
        guards={name: (margin, _cut(values, place)) for name, (margin, values) in course.guards.items()},
        late=None if course.late is None else (course.late[0], _cut(course.late[1], place)),
        improvers={name: _cut(values, place) for name, values in course.improvers.items()},
    )


def _cut(values: Sequence[Item], place: int) -> list[Item]:
    return [value for index, value in enumerate(values) if index != place]


def _failed(case: Case, place: int) -> Case:
    own: list[float | None] = [None if index == place else one for index, one in enumerate(case.scores[case.arm])]
    return replace(case, scores={**case.scores, case.arm: own})


def _lost(case: Case, place: int) -> Case:
    return replace(case, lost=[one or index == place for index, one in enumerate(case.lost)])


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
