"""What a study will cost and can show, from a short calibration on streams that no run uses."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from netgain.arms import Arm, missing_piece, required_controls
from netgain.budget import Budget, total
from netgain.claim import RUNGS, Claim
from netgain.errors import ConfigError, EvaluateError, StageError
from netgain.evidence.power import expected_items, planned_chances, refusal, smallest_gain, smallest_net_gain
from netgain.evidence.verdict import ROUNDS_SUSTAINED, looks_of
from netgain.executors import LocalWorkers, Reference, reference_of
from netgain.items import Dealer
from netgain.jobs import Done, Jobs
from netgain.metric import score_item
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.suite import Axis, Bank, Suite, score_all

Json = Any
RESPONSIVE_ITEMS = 200
UNRESPONSIVE = 0.90
QUICK_SECONDS = 2.0  # a start that takes less is tried twice
SPREAD = 0.05  # assumed standard deviation of the net gain among starts that do not fail, until data say better
MARGIN = 1.3  # upper end of the time estimate over its lower end


class Study(Protocol):
    """What planning reads of a study (`netgain.session.Study`)."""

    @property
    def loop(self) -> Loop: ...

    @property
    def suite(self) -> Suite: ...

    @property
    def claim(self) -> Claim: ...

    @property
    def replicas(self) -> int: ...

    @property
    def rounds(self) -> int: ...

    @property
    def tries(self) -> int: ...

    @property
    def limits(self) -> Mapping[str, float]: ...

    @property
    def arms(self) -> Sequence[str]: ...

    def arm(self, name: str) -> Arm: ...

    @property
    def reference(self) -> Reference | None: ...

    def chosen(self) -> dict[str, Arm]: ...

    def untestable(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Plan:
    """What `netgain plan` prints.

    Attributes:
        answerable: whether the study can answer its claim.
        reasons: why not, one sentence each.
        unsupportable: why no outcome can be SUPPORTED: controls that the claimed rung needs and the loop cannot have.
        spend: unit -> what building in all runs is expected to take; None when the loop does not book it.
        starts: expected starts until a word at the expected effect; None when no effect is expected.
        runs: number of runs, by arm name -> seconds of one run on one core.
        replicas, rounds, workers: as asked.
        minutes: wall time, low and high.
        seconds: stage -> seconds measured in the calibration.
        power: chances of the words at the expected effect; None when no effect is expected in the claim.
        smallest_net_gain: smallest expected net gain that the starts resolve at 80 %; None when none does.
        gate: pairs that a decision needs at the design gain, pairs it may use, and the smallest gain it resolves.
        items: pairs and sealed items by axis.
        responsive: share of gate items that generation 0 and its plainly trained twin both got right, both got wrong.
    """

    answerable: bool
    reasons: tuple[str, ...]
    unsupportable: tuple[str, ...]
    runs: Mapping[str, float]
    replicas: int
    rounds: int
    workers: int
    minutes: tuple[float, float]
    seconds: Mapping[str, float]
    spend: Mapping[str, float | None]
    power: Mapping[str, float] | None
    starts: float | None
    smallest_net_gain: float | None
    gate: Mapping[str, float]
    items: Mapping[str, Mapping[str, int]]
    responsive: Mapping[str, float]

    def to_json(self) -> dict[str, Json]:
        """Plain JSON, schema netgain.plan/1."""
        return {
            "schema": "netgain.plan/1",
            **asdict(self),
            "reasons": list(self.reasons),
            "unsupportable": list(self.unsupportable),
            **self._unknown(),
            "minutes": list(self.minutes),
        }

    def _unknown(self) -> dict[str, str]:
        """Why a value of the record is null."""
        expects = "the claim names no `expected` net gain"
        found = {"power_reason": expects, "starts_reason": expects} if self.power is None else {}
        return found if self.smallest_net_gain is not None else {**found, "smallest_net_gain_reason": "none suffices"}


def plan_study(study: Study, *, workers: int = 2, watch: Callable[[str], None] | None = None) -> Plan:
    """Calibrate shortly and plan.

    Raises:
        ConfigError: the loop or a metric fails on its first use, or a number is impossible.
    """
    _possible(study)
    seen = _calibrated(study, watch or (lambda _: None))
    runs = {name: run_seconds(study, arm, seen.seconds) for name, arm in study.chosen().items()}
    sealed = seen.seconds["sealed"] * sum(study.tries if arm.tries else 1 for arm in study.chosen().values())
    wall = study.replicas * (sum(runs.values()) + seen.seconds["start"] + sealed) / workers / 60
    unsupportable = _out_of_reach(study)
    power, starts, smallest, reasons = _power(study, bool(unsupportable))
    reasons += [*_unresponsive(study.suite.gate_axis, seen.responsive), *_left_out(study), *seen.alike]
    return Plan(
        not reasons, tuple(reasons), tuple(unsupportable), runs, study.replicas, study.rounds, workers,
        (wall, MARGIN * wall), seen.seconds, _spend(study, seen.a_round), power, starts, smallest, _gate(study),
        _items(study), seen.responsive,
    )  # fmt: skip


def _rungs(study: Study) -> Sequence[str]:
    return RUNGS[1 : RUNGS.index(study.claim.rung) + 1]


def _left_out(study: Study) -> list[str]:
    """What the claimed rung or one below it needs and the study could have, but has not."""
    needed = {name: rung for rung in reversed(_rungs(study)) for name in required_controls(rung, (), study.loop)}
    found = [f"{rung} needs the arm `{name}`: add it to `arms`" for name, rung in needed.items()
             if name not in study.arms and missing_piece(study.arm(name), study.loop) is None]  # fmt: skip
    if "R4" in _rungs(study):
        few = study.rounds < ROUNDS_SUSTAINED
        found += [f"R4 needs {ROUNDS_SUSTAINED} rounds, {study.rounds} are registered"] if few else []
        found += [] if study.suite.guards else ["R4 needs a guard axis: give one axis `guard=True`"]
    return found


def _out_of_reach(study: Study) -> list[str]:
    """Controls that the claim needs and this loop cannot have: the claim can be refuted, and never supported."""
    needed = [name for rung in _rungs(study) for name in required_controls(rung, (), study.loop)]
    lacking = {name: missing_piece(study.arm(name), study.loop)
               for name in dict.fromkeys([*needed, *study.claim.beats])}  # fmt: skip
    return [f"`{name}` is not testable: {why}" for name, why in lacking.items() if why is not None]


def _spend(study: Study, a_round: Mapping[str, float | None]) -> dict[str, float | None]:
    """Building of all runs, from one round: every arm that builds spends what `self` spends."""
    building = sum(1 for arm in study.chosen().values() if arm.proposer)
    rounds = building * study.rounds * study.replicas
    return {unit: None if one is None else rounds * one for unit, one in a_round.items()}


def _possible(study: Study) -> None:
    """Numbers that cannot work, found before anything runs."""
    for axis in study.suite.axes:
        if isinstance(axis.source, Bank):
            _enough(axis, study)
    booked = ("tokens", "flops", "calls")
    for unit in study.limits:
        if unit not in booked:
            raise ConfigError(f"limit on {unit!r}", fix=f"a limit that may end a run is counted in {', '.join(booked)}")


def _enough(axis: Axis, study: Study) -> None:
    assert isinstance(axis.source, Bank)
    dealer = Dealer(b"plan" * 8, study.rounds, max(study.claim.looks[-1], study.replicas))
    gate, sealed = dealer.gate(axis, "plan", 0, axis.gate_items, 1), dealer.sealed(axis, 0, b"plan")
    for what, block, least in (("gate", gate, 2 if axis.gate_items else 0), ("sealed", sealed, 2)):
        if len(block.items) < least:
            raise ConfigError(
                f"axis {axis.name!r}: {len(axis.source.items)} items leave {len(block.items)} {what} items a decision",
                fix="give more items, or generate them: axis(name, make) with make(seed, index) -> (input, target)",
            )


@dataclass
class _Bench:
    """A worker, a store and a clock, on streams of their own."""

    study: Study
    jobs: Jobs
    store: ObjectStore
    seconds: dict[str, float]

    def do(self, stage: str, op: str, **fields: Any) -> Done:
        began = time.monotonic()
        try:
            done = self.jobs.do(0, op, seed=secrets.token_hex(16), **fields)
        except StageError as error:
            raise ConfigError(
                f"the loop fails at its first {stage}: {error.what}", where=error.where, fix="mend it first"
            ) from None
        self.seconds[stage] = time.monotonic() - began
        return done


@dataclass(frozen=True)
class _Seen:
    """What a calibration saw: seconds by stage, what a round of building booked, how the gate axis responds, and
    whether generation 0 is always the same."""

    seconds: dict[str, float]
    a_round: dict[str, float | None]
    responsive: dict[str, float]
    alike: list[str]


def _calibrated(study: Study, watch: Callable[[str], None]) -> _Seen:
    """One start, one round, and a plainly trained twin."""
    reference = study.reference or reference_of(study.loop)
    with tempfile.TemporaryDirectory(prefix="netgain-plan-") as folder, LocalWorkers(reference, 1) as executor:
        store = ObjectStore(Path(folder) / "objects")
        bench = _Bench(study, Jobs(executor, store), store, {})
        watch("calibrating: generation 0")
        first = store.put(bench.do("start", "start").value["system"])
        alike = _alike(bench, first)
        outputs = _self_test(bench, first)
        watch("calibrating: one round")
        booked = _one_round(bench, first)
        twin = _twin(bench, first)
        _stage_seconds(bench, first)
        return _Seen(bench.seconds, booked, _responsive(bench, outputs, twin), alike)


def _alike(bench: _Bench, first: str) -> list[str]:
    """Why starts would count as one: another stream gives the same generation 0. Tried where a start takes no time."""
    if bench.study.claim.starts != "fresh" or bench.seconds["start"] > QUICK_SECONDS:
        return []
    again = bench.jobs.do(0, "start", seed=secrets.token_hex(16)).value["system"]
    if bench.store.put(again) != first:
        return []
    return ["every start has the same generation 0, which makes them one start: claim starts = 'this generation 0'"]


def _dealer(study: Study) -> Dealer:
    return Dealer(b"calibration-" + b"0" * 20, study.rounds, max(study.claim.looks[-1], study.replicas))


def _self_test(bench: _Bench, system: str) -> list[Json]:
    """Score generation 0 on every axis before anything is registered: a metric that fails here would fail in the run.

    Returns:
        Outputs of generation 0 on the gate axis.
    """
    gate_outputs: list[Json] = []
    for axis in bench.study.suite.axes:
        count = RESPONSIVE_ITEMS if axis is bench.study.suite.gate_axis else 8
        block = _dealer(bench.study).dev(axis, 0, 0, count)
        done = bench.do("answer", "answer", systems={"system": system}, inputs=block.inputs, sampled=False)
        outputs = list(done.value["outputs"])
        for output, item in zip(outputs, block.items, strict=True):
            try:
                score_item(axis.metric, output, item["target"])
            except EvaluateError as error:
                raise ConfigError(f"axis {axis.name!r}: {error.what}", fix=error.fix) from None
        gate_outputs = gate_outputs or outputs
    return gate_outputs


def _one_round(bench: _Bench, system: str) -> dict[str, float | None]:
    study = bench.study
    dev = _dealer(study).dev(study.suite.gate_axis, 0, 1, study.suite.dev_items)
    proposed = bench.do(
        "propose", "propose", systems={"parent": system, "improver": system}, state=None, feedback=None, accepted=None,
        dev=[dict(item) for item in dev.items], round=1, proposer="propose",
    )  # fmt: skip
    built = bench.do("build", "build", systems={"parent": system}, change=proposed.value["change"])
    booked = total([proposed.spend, built.spend])
    for unit in study.limits:
        if booked[unit] is None:
            raise ConfigError(
                f"limit on {unit!r}, which the loop does not book: it could never be held against anything",
                fix=f"call budget.spend({unit}=…) in propose and build, or take the limit out",
            )
    return booked


def _twin(bench: _Bench, system: str) -> str:
    """Generation 0 after one round of plain training; itself when the loop has none."""
    if not bench.study.loop.menu:
        bench.seconds["ordinary"] = 0.0
        return system
    name = next(iter(bench.study.loop.menu))
    proposed = bench.do(
        "ordinary", "propose", systems={"parent": system, "improver": system}, state=None, feedback=None, accepted=None,
        dev=[], round=1, proposer=f"ordinary.{name}",
    )  # fmt: skip
    built = bench.do("ordinary", "build", systems={"parent": system}, change=proposed.value["change"], budget=Budget())
    return bench.store.put(built.value["system"])


def _stage_seconds(bench: _Bench, system: str) -> None:
    """Time of one report measurement, of one decision of the gate (three systems), and of one system's sealed block."""
    suite = bench.study.suite
    looks = _gate(bench.study)["pairs_at_design_gain"] / suite.block
    wanted = {
        "measure": [(axis, axis.report_items) for axis in suite.axes],
        "judge": [(axis, axis.gate_items) for axis in (suite.gate_axis, *suite.guards)],
        "sealed": [(axis, axis.sealed_items) for axis in suite.axes],
    }
    for stage, counts in wanted.items():
        longest = {axis.source_key: (axis, count) for axis, count in sorted(counts, key=lambda pair: pair[1])}
        dealt = [_dealer(bench.study).dev(axis, 0, 2, count) for axis, count in longest.values()]
        inputs = [question for block in dealt for question in block.inputs]
        bench.do(stage, "answer", systems={"system": system}, inputs=inputs, sampled=False)
    bench.seconds["judge"] *= 3 * min(max(1.0, looks), suite.max_pairs / suite.block)


def _responsive(bench: _Bench, outputs: Sequence[Json], twin: str) -> dict[str, float]:
    axis = bench.study.suite.gate_axis
    block = _dealer(bench.study).dev(axis, 0, 0, RESPONSIVE_ITEMS)
    done = bench.do("answer", "answer", systems={"system": twin}, inputs=block.inputs, sampled=False)
    first, _ = score_all(axis.metric, outputs, block.items)
    second, _ = score_all(axis.metric, done.value["outputs"], block.items)
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    both = max(1, len(pairs))
    return {
        "both_right": sum(a == 1.0 and b == 1.0 for a, b in pairs) / both,
        "both_wrong": sum(a == 0.0 and b == 0.0 for a, b in pairs) / both,
        "items": float(len(pairs)),
    }


def _unresponsive(axis: Axis, responsive: Mapping[str, float]) -> list[str]:
    found = []
    for name, words in (("both_right", "right"), ("both_wrong", "wrong")):
        if responsive[name] > UNRESPONSIVE:
            found.append(
                f"gate axis {axis.name!r} does not respond: generation 0 and its plainly trained twin both got "
                f"{100 * responsive[name]:.0f} % of items {words}; take a wider range of difficulty"
            )
    return found


def run_seconds(study: Study, arm: Arm, seconds: Mapping[str, float]) -> float:
    """Seconds of one run of an arm on one core, from the seconds of its stages."""
    measured = seconds["measure"] * (study.tries if arm.tries else 1)
    if not arm.proposer:
        return measured * (2 if arm.tries else study.rounds + 1)
    a_round = seconds["propose"] + seconds["build"]
    judged = 0.0 if arm.gate == "none" else seconds["judge"]
    return measured + study.rounds * (a_round + judged + measured)


def _power(study: Study, unsupportable: bool) -> tuple[dict[str, float] | None, float | None, float | None, list[str]]:
    """Chances of the words, expected starts, smallest net gain, and why the number of starts is too small."""
    claim, looks = study.claim, looks_of(study.claim.looks)
    smallest = smallest_net_gain(looks, delta=claim.by, starve=claim.starve, spread=SPREAD)
    if claim.expected is None:
        few = study.replicas < looks.sizes[0]
        reasons = [f"{study.replicas} starts never reach the first look at {looks.sizes[0]}"] if few else []
        return None, None, smallest, reasons
    effect = {"expected": claim.expected, "delta": claim.by, "starve": claim.starve, "spread": SPREAD}
    odds = planned_chances(looks, **effect)
    why = refusal(looks, study.replicas, **effect)
    chances = {**asdict(odds), **({"supported": 0.0} if unsupportable else {})}
    return chances, odds.expected_starts, smallest, [why] if why else []


def _gate(study: Study) -> dict[str, float]:
    suite, level = study.suite, 0.05 / study.rounds
    moment = suite.gate_axis.moment
    return {
        "pairs_at_design_gain": expected_items(gain=suite.design_gain, second_moment=moment, level=level),
        "pairs_at_most": float(suite.max_pairs),
        "smallest_gain": smallest_gain(items=suite.max_pairs, second_moment=moment, level=level),
    }


def _items(study: Study) -> dict[str, dict[str, int]]:
    names = ("gate_items", "report_items", "sealed_items")
    return {axis.name: {name: getattr(axis, name) for name in names} for axis in study.suite.axes}


def with_workers(plan: Plan, workers: int) -> Plan:
    """The same plan on another number of workers."""
    factor = plan.workers / workers
    return replace(plan, workers=workers, minutes=(plan.minutes[0] * factor, plan.minutes[1] * factor))
