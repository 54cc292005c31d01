"""What a study will cost and can show, from a short calibration on streams that no run uses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from netgain.arms import Arm, answers_per_item, missing_piece, required_controls
from netgain.attempts import asked_before, raised
from netgain.calibration import Study, calibrated, gate_needs
from netgain.claim import MEAN_STARTS, OPEN, RUNGS, USUAL_LOOKS, Claim
from netgain.errors import ConfigError
from netgain.evidence.looks import LookChances, Looks, looks_of
from netgain.evidence.power import (
    items_for_starts,
    items_of_version,
    mean_chances,
    planned_chances,
    room_of_looks,
    room_of_mean,
    smallest_effect,
    starts_of_looks,
    starts_of_mean,
    success_share,
    too_weak,
    version_chances,
)
from netgain.evidence.transplant import IMPROVERS
from netgain.evidence.verdict import ROUNDS_SUSTAINED
from netgain.gates.gate import check_reach, on_used_items
from netgain.items import Dealer
from netgain.suite import Axis, bank_of
from netgain.transplant import NEEDED, missing_transplant

Json = Any
UNRESPONSIVE = 0.90
YES_NO = ("exact",)  # metrics whose scores are 0 and 1 only
SPREAD = 0.05  # assumed standard deviation of the net gain among starts that do not fail, until data say better
MARGIN = 1.3  # upper end of the time estimate over its lower end


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
        required: what 80 % take at the expected effect: starts of the claim's own analysis and by each, sealed items of
            a start, pairs of one gate decision, and money for building; None with its reason where unknown.
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
    required: Mapping[str, Json]
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
    seen = calibrated(study, watch or (lambda _: None))
    runs = {name: run_seconds(study, arm, seen.seconds) for name, arm in study.chosen().items()}
    asked = sum(answers_per_item(arm, study.tries) for arm in study.chosen().values())
    asked += 1 << len(study.loop.separable.names) if study.loop.separable else 0  # mixtures of first and final parts
    a_start = sum(runs.values()) + seen.seconds["start"] + seen.seconds["sealed"] * asked + _moving(study, seen.seconds)
    wall = study.replicas * a_start / workers / 60
    unsupportable = _out_of_reach(study)
    power, starts, smallest, reasons = _power(study, bool(unsupportable))
    reasons += [*_unresponsive(study.suite.gate_axis, seen.responsive), *_left_out(study), *seen.alike]
    spend = _spend(study, seen.a_round)
    return Plan(
        not reasons, tuple(reasons), tuple(unsupportable), runs, study.replicas, study.rounds, workers,
        (wall, MARGIN * wall), seen.seconds, spend, power, starts, smallest, gate_needs(study),
        _items(study), _required(study, spend), seen.responsive,
    )  # fmt: skip


def _moving(study: Study, seconds: Mapping[str, float]) -> float:
    """Seconds of one start's transplanted rounds, with their answers to the sealed block; 0 for a claim below R6."""
    if study.loop.transplant is None or missing_transplant(study.loop, study.claim):
        return 0.0
    arms = len({study.claim.arm, "ungated"} & {*study.chosen()})
    rounds = arms * len(IMPROVERS) * min(study.loop.transplant.starts, study.replicas - 1)
    return rounds * (seconds["propose"] + seconds["build"] + seconds["sealed"])


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
    found = [f"`{name}` is not testable: {why}" for name, why in lacking.items() if why is not None]
    unmoved = missing_transplant(study.loop, study.claim) if study.claim.rung in NEEDED else ""
    return [*found, f"`{study.claim.rung}` is not testable: {unmoved}"] if unmoved else found


def _spend(study: Study, a_round: Mapping[str, float | None]) -> dict[str, float | None]:
    """Building of all runs, from one round: every arm that builds spends what `self` spends."""
    building = sum(1 for arm in study.chosen().values() if arm.proposer)
    rounds = building * study.rounds * study.replicas
    return {unit: None if one is None else rounds * one for unit, one in a_round.items()}


def _possible(study: Study) -> None:
    """Numbers that cannot work, found before anything runs."""
    for axis in study.suite.axes:
        if (bank := bank_of(axis.source)) is not None:
            _enough(axis, study, len(bank.items))
    check_reach(on_used_items(study.gate_plan(), raised(asked_before(study.suite))))
    booked = ("tokens", "flops", "calls")
    for unit in study.limits:
        if unit not in booked:
            raise ConfigError(f"limit on {unit!r}", fix=f"a limit that may end a run is counted in {', '.join(booked)}")


def _enough(axis: Axis, study: Study, count: int) -> None:
    dealer = Dealer(b"plan" * 8, study.rounds, max(study.claim.sizes[-1], study.replicas))
    gate, sealed = dealer.gate(axis, "plan", 0, axis.gate_items, 1), dealer.sealed(axis, 0, b"plan")
    for what, block, asked in (("gate", gate, axis.gate_items), ("sealed", sealed, axis.sealed_items)):
        least = 2 if asked else 0
        if len(block.items) < least:
            raise ConfigError(
                f"axis {axis.name!r}: {count} items leave {len(block.items)} {what} items a decision",
                fix="give more items, or generate them: axis(name, make) with make(seed, index) -> (input, target)",
            )


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
    measured = seconds["measure"] * answers_per_item(arm, study.tries)
    if not arm.proposer:
        return measured * (2 if arm.tries else study.rounds + 1)
    a_round = seconds["propose"] + seconds["build"]
    judged = 0.0 if arm.gate == "none" else seconds["judge"]
    return measured + study.rounds * (a_round + judged + measured)


@dataclass(frozen=True)
class _Effect:
    """What the claimant expects of a start, and how noisy one is: between starts, and over its sealed items."""

    expected: float
    delta: float
    starve: float
    items: int
    moment: float
    level: float
    yes_no: bool

    @property
    def variance(self) -> float:
        """Of one item's difference. A gain of so much flips at least that share of items, whatever the gate plans."""
        return max(self.moment, self.expected) - self.expected**2

    @property
    def spread(self) -> float:
        """Standard deviation of a start's net gain, noise of its items included."""
        return math.hypot(SPREAD, math.sqrt(self.variance / self.items))

    def at(self, expected: float) -> _Effect:
        """The same with another expected net gain."""
        return replace(self, expected=expected)

    def of_starts(self) -> dict[str, float]:
        """As the functions of `evidence.power` take it."""
        return {"expected": self.expected, "delta": self.delta, "starve": self.starve, "spread": self.spread}


def _effect(study: Study, expected: float) -> _Effect:
    claim, axis = study.claim, study.suite[study.claim.metric]
    yes_no = axis.metric.name in YES_NO and claim.by == 0
    return _Effect(expected, claim.by, claim.starve, axis.sealed_items, axis.moment, claim.alpha, yes_no)


def _odds(study: Study, effect: _Effect) -> LookChances:
    """Chances of the words by the claim's own analysis."""
    claim = study.claim
    if claim.about == "version":
        moment = max(effect.moment, effect.expected)
        found = {"gain": effect.expected - effect.delta, "second_moment": moment, "level": effect.level}
        return version_chances(effect.items, **found, yes_no=effect.yes_no)
    if claim.analysis == "mean":
        return mean_chances(claim.sizes, **effect.of_starts(), level=claim.alpha)
    return planned_chances(_looks(claim), **effect.of_starts())


def _looks(claim: Claim) -> Looks:
    return looks_of(claim.looks, share=claim.share, level=claim.alpha)


def _power(study: Study, unsupportable: bool) -> tuple[dict[str, float] | None, float | None, float | None, list[str]]:
    """Chances of the words, expected starts, smallest net gain, and why the number of starts is too small."""
    claim, first = study.claim, study.claim.sizes[0]
    guess = _effect(study, claim.expected or claim.by)
    smallest = smallest_effect(lambda expected: _odds(study, guess.at(expected)), delta=claim.by)
    few = f"{study.replicas} starts never reach the first look at {first}: no outcome can decide"
    reasons = [few] if study.replicas < first else []
    if claim.expected is None:
        return None, None, smallest, reasons
    odds = _odds(study, guess)
    weak = too_weak(odds, expected=claim.expected, delta=claim.by, starve=claim.starve)
    reasons = reasons or ([weak] if weak else [])
    chances = {**asdict(odds), **({"supported": 0.0} if unsupportable else {})}
    return chances, odds.expected_starts, smallest, reasons


def _required(study: Study, spend: Mapping[str, float | None]) -> dict[str, Json]:
    """What 80 % at the expected effect take: starts by analysis, sealed items of each, pairs of a decision, money."""
    pairs = math.ceil(gate_needs(study)["pairs_at_design_gain"])
    if study.claim.expected is None:
        why = "the claim names no `expected` net gain"
        unknown = dict.fromkeys(("starts", "sealed_items", "cost_usd"))
        return {**unknown, **{f"{name}_reason": why for name in unknown}, "gate_items": pairs, "by_analysis": {}}
    effect = _effect(study, study.claim.expected)
    each = {name: _needs(study, effect, name) for name in ("typical start", "open looks", "mean", "version")}
    own = each[_name(study.claim)]
    cost = _money(spend.get("cost_usd"), own["starts"], study.replicas)
    found = {"starts": own["starts"], "sealed_items": own["sealed_items"], "cost_usd": cost}
    whys = {
        "starts": "no registered number of starts reaches it", "sealed_items": "no number of items suffices",
        "cost_usd": "the loop books no money, or no number of starts suffices",
    }  # fmt: skip
    reasons = {f"{name}_reason": whys[name] for name, value in found.items() if value is None}
    return {**found, **reasons, "gate_items": pairs, "by_analysis": {name: one["starts"] for name, one in each.items()}}


def _name(claim: Claim) -> str:
    if claim.about == "version":
        return "version"
    return "open looks" if claim.looks == OPEN else claim.analysis


def _needs(study: Study, effect: _Effect, name: str) -> dict[str, int | None]:
    """Starts, and sealed items of a start, that an analysis takes; of the registered one at its registered looks."""
    claim, plain = study.claim, {"expected": effect.expected, "delta": effect.delta, "starve": effect.starve}
    if name == "version":
        moment, gain = max(effect.moment, effect.expected), effect.expected - effect.delta
        items = items_of_version(gain=gain, second_moment=moment, level=effect.level, yes_no=effect.yes_no)
        return {"starts": 1, "sealed_items": items}
    if name == "mean":
        starts = starts_of_mean(**effect.of_starts(), level=claim.alpha)
        room = room_of_mean(starts or MEAN_STARTS[1], **plain, level=claim.alpha)
    else:
        own = name == _name(claim)
        looks = _looks(claim) if own else looks_of(OPEN if name == "open looks" else USUAL_LOOKS, level=claim.alpha)
        starts, room = starts_of_looks(looks, success_share(**effect.of_starts())), room_of_looks(looks, **plain)
    return {"starts": starts, "sealed_items": items_for_starts(room, spread=SPREAD, variance=effect.variance)}


def _money(planned: float | None, starts: int | None, replicas: int) -> float | None:
    """Money for building in so many starts: unknown stays unknown."""
    return None if planned is None or starts is None else planned / replicas * starts


def _items(study: Study) -> dict[str, dict[str, int]]:
    names = ("gate_items", "report_items", "sealed_items")
    return {axis.name: {name: getattr(axis, name) for name in names} for axis in study.suite.axes}


def with_workers(plan: Plan, workers: int) -> Plan:
    """The same plan on another number of workers."""
    factor = plan.workers / workers
    return replace(plan, workers=workers, minutes=(plan.minutes[0] * factor, plan.minutes[1] * factor))
