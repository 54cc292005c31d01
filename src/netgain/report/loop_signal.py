"""What the loop's own signals were worth: its check against truth, its gate's figures against the seal, its people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from netgain.evidence.attribution import FloatArray, verifier_gap
from netgain.evidence.student import MeanInterval, mean_interval
from netgain.facts import RunFacts
from netgain.report.figures import minus
from netgain.report.identified import Unknown, mean_of
from netgain.report.reading import Reading, Values

Json = Any
COUNTS = ("right", "of", "passed_right", "passed")


@dataclass(frozen=True)
class Claimed:
    """Inflation: gain over generation 0 as somebody inside saw it, less the sealed gain of the served version.

    Attributes:
        by: "gate" or "report".
        axis: where both were measured.
        seen, sealed: (R,) gains by start.
        over: their difference, mean over starts.
    """

    by: str
    axis: str
    seen: tuple[float | None, ...]
    sealed: tuple[float | None, ...]
    over: MeanInterval | Unknown


@dataclass(frozen=True)
class Gaps:
    """Generator-verifier gap by round: share right among what the check passed, less that among all own answers.

    Attributes:
        rounds: those with counts.
        gap, relative: mean over starts in each round; `relative` is over the head-room.
        overall: mean over starts of each start's mean over rounds.
        repeated: whether some question was answered more than once in a round.
        auroc: area under the curve of the check over the answers of a round, mean over starts of each start's mean
            over rounds; unknown where no round of a start had both right and wrong answers.
    """

    rounds: tuple[int, ...]
    gap: tuple[MeanInterval, ...]
    relative: tuple[MeanInterval, ...]
    overall: MeanInterval
    repeated: bool | Unknown
    auroc: MeanInterval | Unknown


@dataclass(frozen=True)
class Human:
    """What people decided, and the share of the gain that went with them where an arm did without.

    Attributes:
        decisions: by a person, of the claimed arm, in all starts.
        of: all recorded decisions.
        first: round of the first one.
        before: gain on report items before the first one, mean over the starts that have one.
        share: self less `unaided`.
    """

    decisions: int
    of: int
    first: int | Unknown
    before: MeanInterval | Unknown
    share: MeanInterval | Unknown


def claimed(reading: Reading) -> tuple[Claimed, ...]:
    """Inflation of what the report split said, drawn towards the mean of the starts, as the page of the study has it.

    The gate's own estimate is published nowhere (decision 0018).
    """
    seen, sealed = reading.reported_gains(), reading.differences("frozen", reading.gate_axis)
    seen = seen if len(seen) == len(sealed) else [None] * len(sealed)
    return (_claimed("report", reading.gate_axis, seen, sealed),)


def _claimed(by: str, axis: str, seen: Values, sealed: Values) -> Claimed:
    over = [minus(one, other) for one, other in zip(seen, sealed, strict=True)]
    found = mean_of(over).over
    missing = Unknown(f"missing: scores of the {by} and of the seal on `{axis}` in one start")
    return Claimed(by, axis, tuple(seen), tuple(sealed), found if found.starts else missing)


def _reported(reading: Reading, replica: int, upto: int | None = None) -> float | None:
    """Gain over generation 0 on the report items of the last round (or of an earlier one), asked side by side."""
    curves = [{run.replica: reading.curve(run) for run in reading.runs(arm)} for arm in (reading.arm, "frozen")]
    own, first = (one.get(replica, {}) for one in curves)
    both = [at for at in own if at in first and (upto is None or at <= upto)]
    return own[max(both)] - first[max(both)] if both else None


def verifier_gaps(reading: Reading) -> Gaps | Unknown:
    """The gap of the claimed arm's own check, or what is missing for it."""
    runs = {run.replica: run for run in reading.runs(reading.arm)}
    rounds = sorted({at for run in runs.values() for at, record in run.channel.items() if record.get("right")})
    if not rounds:
        checks = reading.facts.study["filters"]
        oracle = "missing: `Loop.oracle`, the truth of its own answers"
        return Unknown(oracle if checks else "missing: a check of the loop's own")
    counts = {name: [[_count(runs.get(one), at, name) for at in rounds] for one in reading.replicas] for name in COUNTS}
    found = verifier_gap(**{name: np.array(values) for name, values in counts.items()})
    auroc = mean_interval(_over_rounds(found.auroc))
    return Gaps(
        tuple(rounds),
        tuple(mean_interval(column) for column in found.gap.T),
        tuple(mean_interval(column) for column in found.relative.T),
        mean_interval(_over_rounds(found.gap)),
        _repeated([run.channel[at]["right"] for run in runs.values() for at in run.channel if at in rounds]),
        auroc if auroc.starts else Unknown("no round had both right and wrong answers"),
    )


def _over_rounds(values: FloatArray) -> FloatArray:
    """(R,) each start's mean over the rounds that have a value; NaN for a start without one."""
    there = np.isfinite(values)
    return np.where(
        there.any(axis=1), np.where(there, values, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1), np.nan
    )


def _count(run: RunFacts | None, at: int, name: str) -> float:
    record = run.channel.get(at, {}).get("right") if run else None
    return np.nan if not record else float(record[name])


def _repeated(records: list[Mapping[str, Json] | None]) -> bool | Unknown:
    known = [record for record in records if record and "questions" in record]
    if not known:
        return Unknown("missing: how many questions a round had")
    return any(record["questions"] < record["of"] for record in known)


def human(reading: Reading) -> Human:
    """Decisions of people, the gain before the first of them, and what the arm `unaided` lacks."""
    choices = [(run.replica, choice) for run in reading.runs(reading.arm) for choice in run.choices]
    by_person = [(replica, int(choice["round"])) for replica, choice in choices if choice["decided_by"] == "person"]
    first = {replica: min(at for one, at in by_person if one == replica) for replica, _ in by_person}
    before = mean_of([_reported(reading, replica, at - 1) for replica, at in sorted(first.items())]).over
    nobody = Unknown("no decision by a person is on record")
    return Human(
        decisions=len(by_person),
        of=len(choices),
        first=min(first.values()) if first else nobody,
        before=before if first else nobody,
        share=_share_of_people(reading),
    )


def _share_of_people(reading: Reading) -> MeanInterval | Unknown:
    if "unaided" in reading.arms:
        return mean_of(reading.differences("unaided", own="self")).over
    why = reading.facts.study["untestable"].get("unaided")
    return Unknown("missing: the arm `unaided`" + (f" (not testable: {why})" if why else ""))
