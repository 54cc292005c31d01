"""What the report reads out of a study's tables: scores by start, curves, decisions, spend. No words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from netgain.budget import COUNTED
from netgain.canonical import canonical
from netgain.case import case_of
from netgain.evidence.clusters import cluster_means, cluster_starts
from netgain.evidence.rerun import errors_allowed, movement_error
from netgain.evidence.sequences import Bounds, confidence_sequence
from netgain.evidence.shrinkage import shrunk
from netgain.evidence.tally import unanswered_is_wrong
from netgain.evidence.verdict import UNDERSPENT_PRINTED, Case, Verdict, controls, decide_verdict, missing_controls
from netgain.facts import Facts, RunFacts
from netgain.report.figures import known, middle, minus

Json = Any
Values = list[float | None]
INSTRUMENTS = ("oracle", "shuffled", "self_again", "ungated")  # arms that show something, but subtract nothing
DECIDED = ("verdict", "level", "rung", "endogenous", "effect", "gains", "closest")
MISMATCH = "the recorded verdict differs from the one recomputed from this log: run `netgain verify`"


@dataclass(frozen=True)
class Booked:
    """Spend of an arm in one unit: the amount that was booked, and whether every part of it was."""

    amount: float
    complete: bool


@dataclass(frozen=True)
class Movement:
    """How far generation 0 moved on the same items, in points of [0, 1].

    Attributes:
        most: the largest movement of a mean over all starts and rounds.
        floor: what luck explains of it: two askings of one time differ by as much, at 5 % over all movements looked at.
            None: nobody asked twice.
        beyond: the largest movement less its floor, at least 0; an unknown floor excuses nothing.
    """

    most: float
    floor: float | None
    beyond: float

    @classmethod
    def of(cls, steps: Sequence[tuple[float, float | None]], allowed: float) -> Movement:
        """From (movement, standard error) by start and round, and how many errors luck may explain."""
        floors = [None if error is None else allowed * error for _, error in steps]
        over = [max(0.0, step - (floor or 0.0)) for (step, _), floor in zip(steps, floors, strict=True)]
        most, floor = max(zip((step for step, _ in steps), floors, strict=True), key=lambda one: one[0])
        return cls(most, floor, max(over))


@dataclass(frozen=True)
class Reading:
    """A study as the page sees it.

    Attributes:
        facts: its tables.
        case, verdict: None until a verdict on all enrolled replicas is in the log.
    """

    facts: Facts
    case: Case | None
    verdict: Verdict | None

    @property
    def arm(self) -> str:
        """The arm that the claim is about."""
        return str(self.facts.claim["arm"])

    @property
    def metric(self) -> str:
        """The axis of the claim."""
        return str(self.facts.claim["metric"])

    @property
    def by(self) -> float:
        """The claimed net gain."""
        return float(self.facts.claim["by"])

    @property
    def gate_axis(self) -> str:
        """The axis on which promotions are decided."""
        return str(self.facts.suite["axes"][0]["name"])

    @property
    def replicas(self) -> list[int]:
        """Ids of all enrolled starts."""
        return sorted(self.facts.enrolled)

    @cached_property
    def arms(self) -> list[str]:
        """Arms that were run, the claimed one first, then those that the claim has to beat, then the others."""
        untestable = self.facts.study["untestable"]
        there = [name for name in self.facts.study["arms"] if name not in untestable]
        rank = {name: place for place, name in enumerate((self.arm, *self.controls))}
        return sorted(there, key=lambda name: rank.get(name, len(rank) + there.index(name)))

    @cached_property
    def controls(self) -> tuple[str, ...]:
        """Controls that the claimed rung requires, as registered."""
        claim, study = self.facts.claim, self.facts.study
        required = [*study["required"].get(claim["rung"], ()), *claim["beats"]]
        return tuple(name for name in dict.fromkeys(required) if name != self.arm)

    @cached_property
    def compared(self) -> tuple[str, ...]:
        """Controls that the net gain was taken over: those required that could be compared with."""
        if self.case is None:
            return ()
        names = controls(self.case, self.case.rung)
        missing = missing_controls(self.case, names)
        return tuple(name for name in names if name not in missing)

    def sealed(self, arm: str, axis: str | None = None, role: str = "served") -> Values:
        """(R,) sealed score of what an arm served."""
        found = [self.facts.sealed_score(one, arm, axis or self.metric, role) for one in self.replicas]
        return [one.score if one else None for one in found]

    def differences(self, control: str, axis: str | None = None, *, own: str | None = None) -> Values:
        """(R,) sealed score of the claimed arm (or another) minus that of a control."""
        pairs = zip(self.sealed(own or self.arm, axis), self.sealed(control, axis), strict=True)
        return [minus(left, right) for left, right in pairs]

    def runs(self, arm: str) -> list[RunFacts]:
        """The run of each start whose system the arm serves (of a menu: the entry that was chosen)."""
        found = [self._chosen(one, arm) for one in self.replicas]
        return [run for run in found if run is not None]

    def all_runs(self, arm: str) -> list[RunFacts]:
        """Every run of an arm, all entries of a menu."""
        return [run for one in self.replicas for run in self.facts.runs_of(one, arm)]

    def _chosen(self, replica: int, arm: str) -> RunFacts | None:
        name = f"r{replica}/{arm}"
        sources = [seal["from"][name] for seal in self.facts.seals if name in seal["from"]]
        if sources:
            return self.facts.runs.get(sources[-1])
        menu = self.facts.runs_of(replica, arm)  # before the seal: the entry that is ahead on the report items
        return max(menu, key=lambda run: latest(self.curve(run)), default=None)

    def curve(self, run: RunFacts, role: str = "released", axis: str | None = None) -> dict[int, float]:
        """Round -> mean score on the report items."""
        name = axis or self.metric
        found = {key[0]: one.mean for key, one in run.report.items() if key[1:] == (role, name)}
        return {at: mean for at, mean in sorted(found.items()) if mean is not None}

    def median_curve(self, arm: str, role: str = "released") -> dict[int, float]:
        """Round -> median over the starts that were measured there."""
        return by_round([self.curve(run, role) for run in self.runs(arm)])

    def breaks(self, *runs: RunFacts) -> frozenset[int]:
        """Rounds before which lines of runs end: measured under a contract that no bridge ties to the one before."""
        apart = [one.number for one in self.facts.epochs if one.unbridged]
        found: set[int] = set()
        for before, at in (pair for run in runs for pair in pairwise(sorted(run.epochs))):
            in_ = [run.epochs for run in runs if {before, at} <= run.epochs.keys()]
            found |= {at} if any(one[before] < number <= one[at] for one in in_ for number in apart) else set()
        return frozenset(found)

    def serves_first(self, arm: str) -> int:
        """Starts in which an arm serves generation 0 itself."""
        served = {name: system for seal in self.facts.seals for name, system in seal["served"].items()}
        pairs = [(served.get(f"r{run.replica}/{arm}"), run.row.get("anchor")) for run in self.runs(arm)]
        return sum(1 for system, first in pairs if system is not None and system == first)

    def reported_gains(self) -> Values:
        """(R,) gain over generation 0 of what was served, on report items that no decision used; None unknown.

        Starts are drawn towards their mean (`evidence.shrinkage`). This stands where the gate's own estimate would be
        the larger for having been promoted: that one is nowhere on the page.
        """
        measured = [self._reported(run) for run in self.runs(self.arm)]
        known_ones = [one for one in measured if one is not None]
        estimates = iter(shrunk([gain for gain, _ in known_ones], [spread for _, spread in known_ones]))
        return [None if one is None else next(estimates) for one in measured]

    def _reported(self, run: RunFacts) -> tuple[float, float] | None:
        """Mean paired difference on the last report block, and the variance of its error."""
        first, at = self.facts.runs_of(run.replica, "frozen"), int(run.row["round"])
        new, old = run.sheets.get(("report", at, "released")), first and first[0].sheets.get(("report", at, "released"))
        found = [one for one in _differences(new, old) if one is not None] if new and old else []
        if len(found) < 2:
            return None
        middle_one = sum(found) / len(found)
        return middle_one, sum((one - middle_one) ** 2 for one in found) / (len(found) - 1) / len(found)

    def gate_bounds(self) -> list[Bounds | None]:
        """(R,) 95 % confidence sequence of the gain over generation 0 at the gate's last release; None without one.

        It holds at every time at which a gate may stop, on the items that it decided on.
        """
        return [self._gate_bounds(run) for run in self.runs(self.arm)]

    def _gate_bounds(self, run: RunFacts) -> Bounds | None:
        moves = [one["round"] for one in run.decisions if one["receipt"] is not None]
        new, first = (run.sheets.get(("gate", moves[-1], role)) if moves else None for role in ("candidate", "anchor"))
        if new is None or first is None:
            return None
        pairs = [float("nan") if one is None else one for one in _differences(unanswered_is_wrong(new), first)]
        found = np.asarray(pairs, dtype=np.float64)
        if clusters := new.get("clusters"):
            found = cluster_means(found, cluster_starts(clusters, ended=True))
        axis = self.facts.suite["axes"][0]
        design = {"gain": self.facts.suite["design_gain"], "planned_second_moment": axis.get("moment", 0.1)}
        return confidence_sequence(found, alpha=0.05, **design)

    def own_scores(self) -> list[dict[int, float]]:
        """By start, round -> share of its own answers that passed the loop's own checks; empty without a check."""
        found = [{at: own_score(record) for at, record in sorted(run.channel.items())} for run in self.runs(self.arm)]
        return [{at: share for at, share in one.items() if share is not None} for one in found]

    def round_0_scores(self) -> list[dict[int, float]]:
        """By start, round -> the loop's own score with generation 0 judging; empty where it has none."""
        found = [sorted(run.round_0.items()) for run in self.runs(self.arm)]
        return [{at: score for at, score in one if score is not None} for one in found]

    def shares(self, arm: str, share: Callable[[Mapping[str, Json]], float | None]) -> list[dict[int, float]]:
        """By start, round -> a share of the checks' record, where it is known."""
        found = [{at: share(record) for at, record in sorted(run.channel.items())} for run in self.runs(arm)]
        return [{at: value for at, value in one.items() if value is not None} for one in found]

    def choices(self, arm: str | None = None) -> list[dict[str, Json]]:
        """Decision records of an arm's proposals."""
        return [choice for run in self.runs(arm or self.arm) for choice in run.choices]

    def decisions(self, arm: str) -> list[dict[str, Json]]:
        """Gate decisions of an arm, in order of the log."""
        return sorted((one for run in self.all_runs(arm) for one in run.decisions), key=lambda one: int(one["seq"]))

    def booked(self, replica: int, arm: str, phase: str, unit: str) -> Booked | None:
        """What an arm spent; of a menu, the entry that spent least. None when nothing was booked at all."""
        parts = [self._run_booked(run, phase, unit) for run in self.facts.runs_of(replica, arm)]
        there = [part for part in parts if part is not None]
        return min(there, key=lambda part: part.amount) if there and len(there) == len(parts) else None

    def _run_booked(self, run: RunFacts, phase: str, unit: str) -> Booked | None:
        amounts = [spend.get(unit) for spend in run.phase(phase)]
        there = known(amounts)
        return Booked(sum(there), len(there) == len(amounts)) if there else None

    def spend(self, arm: str, phase: str, unit: str) -> Booked | None:
        """Median over starts of what an arm spent; complete only when it is in every start."""
        parts = [self.booked(one, arm, phase, unit) for one in self.replicas]
        there = [part for part in parts if part is not None]
        found = middle([part.amount for part in there])
        if found is None or len(there) < len(parts):
            return None
        return Booked(found, all(part.complete for part in there))

    def ratio(self, arm: str, phase: str, unit: str) -> float | None:
        """Median over starts of booked spend against the claimed arm's; None when either side is unknown in a start."""
        pairs = [[self.booked(one, name, phase, unit) for name in (arm, self.arm)] for one in self.replicas]
        ratios = [theirs.amount / own.amount if theirs and own and own.amount else None for theirs, own in pairs]
        return middle(ratios) if len(known(ratios)) == len(ratios) else None

    def least_ratio(self, arm: str) -> tuple[float, str] | None:
        """Ratio and unit in which a control booked least on building, when it is over 2 % below the claimed arm."""
        found = [(ratio, unit) for unit in COUNTED if (ratio := self.ratio(arm, "build", unit)) is not None]
        return min(found) if found and min(found)[0] < 1 - UNDERSPENT_PRINTED else None

    def drift(self) -> dict[str, Movement]:
        """Axis -> largest movement of generation 0 on the same items from round to round, and what luck explains."""
        found: dict[str, list[tuple[float, float | None]]] = {}
        for run in self.all_runs("frozen"):
            for (_, axis), now in run.anchor.items():
                first, again = run.still["anchor", axis][0][1], run.again.get(axis)
                error = None if again is None else movement_error(first["values"], again["values"])
                step = minus(now.mean, run.anchor[0, axis].mean if (0, axis) in run.anchor else None)
                if step is not None:
                    found.setdefault(axis, []).append((abs(step), error))
        rounds = {at for run in self.all_runs("frozen") for at, _ in run.anchor} - {0}
        allowed = errors_allowed(len(rounds) * len(found) * len(self.all_runs("frozen")))
        return {axis: Movement.of(steps, allowed) for axis, steps in found.items()}

    def failures(self) -> dict[str, int]:
        """Arm -> failed stages."""
        counts = {arm: sum(len(run.failures) for run in self.all_runs(arm)) for arm in self.arms}
        return {arm: count for arm, count in counts.items() if count}


def read(facts: Facts) -> Reading:
    """Read a study; a verdict is decided anew from the tables, and one that was recorded otherwise is INVALID."""
    if not facts.registration or not facts.concluded:
        return Reading(facts, None, None)
    case = case_of(facts)
    verdict = decide_verdict(case)
    if not _same(facts.verdict or {}, verdict.to_json()):
        case = case_of(facts, broken=[MISMATCH])
        verdict = decide_verdict(case)
    return Reading(facts, case, verdict)


def _same(recorded: Mapping[str, Json], now: Mapping[str, Json]) -> bool:
    """Whether two verdicts agree in word and numbers; the wording of reasons may change with the version."""
    return canonical({name: recorded.get(name) for name in DECIDED}) == canonical({name: now[name] for name in DECIDED})


def own_score(record: Mapping[str, Json]) -> float | None:
    """Share of its own answers that passed the loop's own check; of several checks, the share that was kept."""
    passed, of = record.get("passed") or {}, record.get("of")
    if not passed or not of:
        return None
    counts = list(passed.values())
    return float((counts[0] if len(counts) == 1 else record["kept"]) / of)


def kept_share(record: Mapping[str, Json]) -> float | None:
    """Share of its own answers that a run kept."""
    return float(record["kept"] / record["of"]) if record.get("of") else None


def right_share(record: Mapping[str, Json]) -> float | None:
    """Share of right answers among all of its own."""
    right = record.get("right")
    return float(right["right"] / right["of"]) if right and right["of"] else None


def right_passed(record: Mapping[str, Json]) -> float | None:
    """Share of right answers among those that the checks passed."""
    right = record.get("right")
    return float(right["passed_right"] / right["passed"]) if right and right["passed"] else None


def _differences(new: Mapping[str, Json], old: Mapping[str, Json]) -> Values:
    """Paired differences of two sheets over the same items; None where either has no score."""
    pairs = zip(new["values"], old["values"], strict=True) if new["items"] == old["items"] else ()
    return [None if one is None or other is None else one - other for one, other in pairs]


def by_round(curves: list[dict[int, float]]) -> dict[int, float]:
    """Round -> median over the curves that have it."""
    rounds = sorted({at for curve in curves for at in curve})
    found = {at: middle([curve.get(at) for curve in curves]) for at in rounds}
    return {at: value for at, value in found.items() if value is not None}


def latest(curve: dict[int, float]) -> float:
    """The last point of a curve; below every score when there is none."""
    return curve[max(curve)] if curve else -1.0
