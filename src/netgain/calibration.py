"""A short calibration on streams that no run uses: one start, one round, and a plainly trained twin."""

from __future__ import annotations

import math
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from netgain.arms import Arm
from netgain.attempts import asked_before, raised
from netgain.budget import Budget, total
from netgain.claim import Claim
from netgain.errors import ConfigError, EvaluateError, StageError
from netgain.evaluators import check_evaluator, require_sound
from netgain.evidence.power import (
    exact_items,
    expected_items,
    least_gain,
    least_items,
    smallest_exact_gain,
    smallest_gain,
)
from netgain.executors import LocalWorkers, Reference, reference_of
from netgain.gates import GatePlan
from netgain.gates.gate import on_used_items
from netgain.items import Dealer
from netgain.jobs import Done, Jobs
from netgain.metric import score_item
from netgain.planting import Planted, Planter
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.suite import Suite, score_all
from netgain.transplant import NEEDED, missing_transplant

Json = Any
RESPONSIVE_ITEMS = 200
QUICK_SECONDS = 2.0  # a start that takes less is tried twice


class Study(Protocol):
    """What planning and calibration read of a study (`netgain.session.Study`)."""

    @property
    def loop(self) -> Loop: ...

    @property
    def suite(self) -> Suite: ...

    @property
    def claim(self) -> Claim: ...

    @property
    def canaries(self) -> Planted | None: ...

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

    def gate_plan(self) -> GatePlan: ...


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
class Seen:
    """What a calibration saw: seconds by stage, what a round of building booked, how the gate axis responds, and
    whether generation 0 is always the same."""

    seconds: dict[str, float]
    a_round: dict[str, float | None]
    responsive: dict[str, float]
    alike: list[str]


def calibrated(study: Study, watch: Callable[[str], None]) -> Seen:
    """One start, one round, and a plainly trained twin."""
    reference = replace(study.reference or reference_of(study.loop), environment=tuple(study.loop.environment))
    if study.loop.ready is not None:
        study.loop.ready()
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
        _try_transplant(bench, first)
        _stage_seconds(bench, first)
        return Seen(bench.seconds, booked, _responsive(bench, outputs, twin), alike)


def _alike(bench: _Bench, first: str) -> list[str]:
    """Why starts would count as one: another stream gives the same generation 0. Tried where a start takes no time."""
    if bench.study.claim.starts != "fresh" or bench.seconds["start"] > QUICK_SECONDS:
        return []
    again = bench.jobs.do(0, "start", seed=secrets.token_hex(16)).value["system"]
    if bench.store.put(again) != first:
        return []
    return ["every start has the same generation 0, which makes them one start: claim starts = 'this generation 0'"]


def _dealer(study: Study) -> Dealer:
    secret, starts = b"calibration-" + b"0" * 20, max(study.claim.sizes[-1], study.replicas)
    return Dealer(secret, study.rounds, starts, Planter(study.canaries, secret, "0" * 64) if study.canaries else None)


def _self_test(bench: _Bench, system: str) -> list[Json]:
    """Score generation 0 on every axis before anything is registered: a metric that fails here would fail in the run.

    So would one that doing nothing or a planted cheat passes: see `netgain.evaluators`.

    Returns:
        Outputs of generation 0 on the gate axis.
    """
    gate_outputs: list[Json] = []
    for axis in bench.study.suite.axes:
        count = RESPONSIVE_ITEMS if axis is bench.study.suite.gate_axis else 8
        dealer = _dealer(bench.study)
        block = dealer.planted(axis, dealer.dev(axis, 0, 0, count))  # as a test will ask it
        done = bench.do("answer", "answer", systems={"system": system}, inputs=block.inputs, sampled=False)
        outputs = list(done.value["outputs"])
        for output, item in zip(outputs, block.items, strict=True):
            try:
                score_item(axis.metric, output, item["target"])
            except EvaluateError as error:
                raise ConfigError(f"axis {axis.name!r}: {error.what}", fix=error.fix) from None
        require_sound(check_evaluator(axis, block.items, decides=axis is bench.study.suite.gate_axis))
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


def _try_transplant(bench: _Bench, system: str) -> None:
    """A claim of R6 rests on code that runs only when all rounds are over: it is tried before the first."""
    if bench.study.claim.rung not in NEEDED or missing_transplant(bench.study.loop, bench.study.claim):
        return
    bench.do(
        "transplant", "propose", systems={"parent": system, "improver": system}, state=None, feedback=None,
        accepted=None, dev=[], round=1, proposer="transplant",
    )  # fmt: skip
    bench.do("transplant", "drift", systems={"first": system, "last": system})


def _stage_seconds(bench: _Bench, system: str) -> None:
    """Time of one report measurement, of one decision of the gate (three systems), and of one system's sealed block."""
    suite = bench.study.suite
    looks = gate_needs(bench.study)["pairs_at_design_gain"] / suite.block
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


def gate_needs(study: Study) -> dict[str, float]:
    """Pairs of a decision and the gain it resolves, at the level that is left in the last round."""
    plan = on_used_items(study.gate_plan(), raised(asked_before(study.suite)))
    level = plan.promotion_spending.level(study.rounds) * math.exp(-plan.log_raise)
    rule = {"second_moment": plan.planned_second_moment, "level": level}
    if plan.looks:
        need, least = exact_items(gain=plan.design_gain, **rule), smallest_exact_gain(items=plan.max_pairs, **rule)
    else:  # a bet has a largest size: small differences of one sign take more pairs than their spread says
        need = max(expected_items(gain=plan.design_gain, **rule), least_items(gain=plan.design_gain, level=level))
        least = max(smallest_gain(items=plan.max_pairs, **rule), least_gain(items=plan.max_pairs, level=level))
    return {"pairs_at_design_gain": need, "pairs_at_most": float(plan.max_pairs), "smallest_gain": least}
