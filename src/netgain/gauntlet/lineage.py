"""Runs of many starts at once: each arm is its intervention on the step (`netgain.arms`), behind the product's gate.

A system is a row of traits: what it really can, what only measurements show, and what it keeps silent about.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from netgain.arms import GENERATION_0, Arm, arm_named, required_controls
from netgain.gates.gate import plan_of
from netgain.gauntlet.answers import difficulties, luck, right
from netgain.gauntlet.exploits import as_scored
from netgain.gauntlet.gating import PROMOTE, REJECT, Columns, judge
from netgain.gauntlet.leaks import Leaked
from netgain.gauntlet.leftovers import found_again
from netgain.gauntlet.world import World
from netgain.generators import Strings
from netgain.metric import METRICS
from netgain.run import half_of
from netgain.stages import Loop
from netgain.suite import Axis, Suite
from netgain.testing.ladder import Ladder

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SKILL, SIBLING, GATE, SEALED, SELECTION, SILENT, UNSCORABLE, MET, EXPLOIT, LEAK, GUARDS = range(11)
GUARD_BASE = 0.9
LOOKS = 2  # blocks of one gate decision
AXIS = "task"  # the claimed axis


@lru_cache(maxsize=16)
def suite(guards: int) -> Suite:
    """The suite of every simulated study: the claimed axis, guard axes with a margin of 10 points, a sibling axis."""
    exact = METRICS["exact"]
    kept = [
        Axis(f"kept{j + 1}", Strings("copy", (4 + j,)), exact, "retention", 50, 50, 80, guard=True, margin=0.10,
             step_margin=0.08, moment=0.05)
        for j in range(guards)
    ]  # fmt: skip
    task = Axis(AXIS, Strings("reverse", (12,)), exact, "capability", 100, 80, 160, margin=0.05, moment=0.15)
    sibling = Axis("sibling", Strings("reverse", (12,), "doubled"), exact, "sibling", 0, 0, 80)
    return Suite([task, *kept, sibling], block=100, max_pairs=100 * LOOKS, design_gain=0.08)


@lru_cache(maxsize=2)
def loop(*, moves: bool = False) -> Loop:
    """The loop whose declarations a simulated study registers: what its surfaces are, which controls it supports.

    Args:
        moves: whether the loop changes its improver, and can move it.
    """
    return Ladder(improver="saturating" if moves else "answers").loop()


def arms_of(world: World) -> tuple[str, ...]:
    """Names of the arms of a simulated study: the claimed loop, and what its claim needs."""
    return tuple(dict.fromkeys(["self", *required(world.asked.rung, moves=world.improver.moves), *world.asked.beats]))


@lru_cache(maxsize=16)
def required(rung: str, *, moves: bool = False) -> tuple[str, ...]:
    """Controls that a rung needs, of a loop that changes its improver or not."""
    return required_controls(rung, (), loop(moves=moves))


@lru_cache(maxsize=64)
def arm(name: str) -> Arm:
    """The intervention of an arm."""
    return arm_named(name, loop())


@dataclass(frozen=True)
class Starts:
    """What is drawn once per start and shared by its arms; all (starts,)."""

    base: Floats
    signal: Floats
    phase: Floats
    catastrophe: Bools
    grok: Bools

    @property
    def size(self) -> int:
        """How many."""
        return int(self.base.size)


def draw_starts(world: World, rng: np.random.Generator, starts: int, group: int) -> Starts:
    """Draw starts; of one study (`group` starts each) where they share a generation 0."""
    gain, shared = world.gain, world.conduct.shared_start
    base = gain.base + gain.spread * _drawn(rng, starts, group if shared else 1)
    suited = world.conduct.start_luck * _drawn(rng, starts, group if shared else 1)
    fate = rng.random((4, starts))
    signal = np.where(fate[0] < gain.starve, 0.0, gain.signal) + suited
    signal += np.where(fate[1] < gain.jackpot, gain.jackpot_gain, 0.0)
    phase = 2.0 * math.pi * rng.random(starts)
    return Starts(base, signal, phase, fate[2] < gain.catastrophe, fate[3] < gain.grok)


def _drawn(rng: np.random.Generator, starts: int, group: int) -> Floats:
    return np.repeat(rng.standard_normal(-(-starts // group)), group)[:starts]


@dataclass(frozen=True)
class Ran:
    """One arm of many starts at its horizon.

    Attributes:
        served, half: (starts, traits) of what is served, and of what was served at half of the horizon.
        changed: (starts,) whether what is served differs from generation 0; `half_changed` the same at half.
        steps: (starts,) round in which the served system was built, 0 for generation 0.
        outcomes, looks: (rounds, starts) of the gate; no rounds without one.
        restores: (starts,) rollbacks; `ahead` whether the working system is another than the served one.
    """

    served: Floats
    half: Floats
    changed: Bools
    half_changed: Bools
    steps: Ints
    outcomes: Ints
    looks: Ints
    restores: Ints
    ahead: Bools


def generation_0(world: World, starts: Starts) -> Floats:
    """(starts, traits) of generation 0."""
    traits = np.zeros((starts.size, GUARDS + world.gain.guards))
    traits[:, SKILL] = traits[:, SIBLING] = starts.base
    traits[:, GUARDS:] = GUARD_BASE
    return traits


def run_arm(world: World, own: Arm, starts: Starts, rng: np.random.Generator) -> Ran:
    """Run one arm to its horizon.

    Args:
        own: the intervention.
        rng: the arm's own randomness: its training, its answers, its gate items.
    """
    first = generation_0(world, starts)
    rounds = (1 if own.one_long_step else world.asked.rounds) if own.proposer else 0
    mode = own.gate or world.asked.mode
    now = _State.of(first)
    half, half_changed = first, np.zeros(starts.size, dtype=bool)
    outcomes, looks = [], []
    for t in range(1, rounds + 1):
        parent = first if own.parent == GENERATION_0 else now.working
        candidate = parent + increment(world, own, starts, t, rng)
        if mode in ("none", "watch"):
            now = now.served(candidate, t)
        else:
            ruled = _judged(world, mode, t, (candidate, now.released, first), rng)
            now = now.after(ruled.outcome, candidate, t, strict=mode == "strict")
            outcomes.append(ruled.outcome)
            looks.append(ruled.looks)
        if t == half_of(world.asked.rounds):
            half, half_changed = now.released, now.steps > 0
    if own.proposer == "ordinary":
        now = _never_below(world, now, first, rng)
    none = np.zeros((0, starts.size), dtype=np.int64)
    return Ran(
        now.released, half, now.steps > 0, half_changed, now.steps, np.array(outcomes) if outcomes else none,
        np.array(looks) if looks else none, now.restores, now.ahead,
    )  # fmt: skip


@dataclass(frozen=True)
class _State:
    """Where many runs stand: the two pointers, and when the released system was built."""

    working: Floats
    released: Floats
    steps: Ints
    restores: Ints
    ahead: Bools

    @classmethod
    def of(cls, first: Floats) -> _State:
        zero = np.zeros(len(first), dtype=np.int64)
        return cls(first, first, zero, zero, zero > 0)

    def served(self, candidate: Floats, t: int) -> _State:
        """After a round in which nothing is decided: what was built is served."""
        return _State(candidate, candidate, np.full_like(self.steps, t), self.restores, self.ahead & False)

    def after(self, outcome: Ints, candidate: Floats, t: int, *, strict: bool) -> _State:
        """After a decision, as `promotion.apply` moves the pointers."""
        promoted = outcome == PROMOTE
        released = np.where(promoted[:, None], candidate, self.released)
        back = (outcome != PROMOTE) if strict else (outcome == REJECT)
        working = np.where(back[:, None], released, candidate)
        restored = (outcome == REJECT) & (not strict)
        steps = np.where(promoted, t, self.steps)
        return _State(working, released, steps, self.restores + restored, ~promoted & ~back)


def _never_below(world: World, now: _State, first: Floats, rng: np.random.Generator) -> _State:
    """Plain training serves generation 0 where it looks no worse on the report split (`seal.served`)."""
    items = suite(world.gain.guards)[AXIS].report_items
    hard = difficulties(rng, len(first), items)
    ended, began = (
        right(one[:, SKILL], hard, luck(rng, len(first), items)).mean(axis=1) for one in (now.released, first)
    )
    below = ended < began
    released = np.where(below[:, None], first, now.released)
    return _State(released, released, np.where(below, 0, now.steps), now.restores, now.ahead)


def increment(world: World, own: Arm, starts: Starts, t: int, rng: np.random.Generator) -> Floats:
    """(starts, traits) what one round of an arm adds to its parent."""
    rounds = world.asked.rounds
    share = 1.0 if own.one_long_step else 1.0 / rounds
    added = np.zeros((starts.size, GUARDS + world.gain.guards))
    skill = _real(world, own, starts, t, share)
    if own.proposer != "ordinary":
        skill = skill + _edited(world, own, starts.size, rng)
    if t == 1 or own.parent == GENERATION_0:
        skill = skill + world.gain.luck * rng.standard_normal(starts.size)
    if own.proposer == "propose" and t == rounds:
        skill = skill - starts.catastrophe
    added[:, SKILL], added[:, SIBLING] = skill, world.gain.transfer * skill
    if own.proposer == "propose":
        added[:, GUARDS:] += _on_guards(world, t, share)
    _shown(world, own, added, share)
    return added


def _real(world: World, own: Arm, starts: Starts, t: int, share: float) -> Floats:
    """What training, proposing and the feedback really bring in a round."""
    gain = world.gain
    skill = np.full(starts.size, gain.compute * share)
    if own.proposer == "ordinary":
        return skill + share * (np.where(starts.grok, gain.grok_gain, 0.0) - gain.harm_ordinary)
    if own.proposer != "propose":
        return skill
    told = 1.0 if _informed(own) else gain.residual if own.channel == "placebo" else 0.0
    told *= gain.first_improver if own.improver == GENERATION_0 and own.parent != GENERATION_0 else 1.0
    at = 1 if own.position == GENERATION_0 else t
    came = np.full(starts.size, gain.one_step) if own.one_long_step else _profile(world, starts, at)
    skill += gain.proposal * (gain.one_step if own.one_long_step else share) + told * came * starts.signal
    skill -= gain.harm_placebo * share if own.channel == "placebo" else 0.0
    return skill + (_hidden(world) * share if own.name == "self" else 0.0)


def _hidden(world: World) -> float:
    """What the claimed arm alone is given, where nothing has to be left for it or what was left is found."""
    there = not world.conduct.left or found_again(world.conduct.left)
    return world.conduct.hidden if there else 0.0


def _informed(own: Arm) -> bool:
    """Whether what the feedback says reaches the loop: not through a placebo, and not where its filter is off."""
    return own.channel == "true" and not own.disabled


def _profile(world: World, starts: Starts, t: int) -> Floats:
    """(starts,) share of the signal that comes in round t."""
    rounds, name = world.asked.rounds, world.gain.profile
    if name == "oscillate":
        return np.asarray(np.sin(math.pi * t / 2 + starts.phase) - np.sin(math.pi * (t - 1) / 2 + starts.phase))
    curve = {"steady": lambda x: x, "front": lambda x: float(x > 0), "late": _late, "peak": _peak}[name]
    return np.full(starts.size, curve(t / rounds) - curve((t - 1) / rounds))


def _late(x: float) -> float:
    return max(0.0, (x - 0.6) / 0.4)


def _peak(x: float) -> float:
    return x / 0.6 if x <= 0.6 else 1.0 - 1.5 * (x - 0.6) / 0.4


def _edited(world: World, own: Arm, starts: int, rng: np.random.Generator) -> Floats:
    """The real effect of the edit that was chosen on 100 dev items, or at random where the feedback says nothing."""
    gain = world.gain
    if not gain.edits and gain.tries == 1:
        return np.zeros(starts)
    effects = gain.edits * rng.standard_normal((starts, gain.tries))
    told = _informed(own) and own.proposer == "propose"
    looks = effects + rng.normal(0.0, math.sqrt(0.5 / 100), effects.shape) if told else effects[:, :1]
    return np.asarray(np.take_along_axis(effects, looks.argmax(axis=1)[:, None], axis=1)[:, 0])


def _on_guards(world: World, t: int, share: float) -> Floats:
    gain = world.gain
    if not gain.rotate:
        return np.full(gain.guards, gain.guard * share)
    turn = np.arange(gain.guards) == (t - 1) % gain.guards
    return np.asarray(turn * gain.guard * share * gain.guards)


def _shown(world: World, own: Arm, added: Floats, share: float) -> None:
    """What only measurements will show of the round."""
    faults = world.faults
    reached = {
        "channel": own.proposer == "propose" and _informed(own),
        "proposal": own.proposer == "propose",
        "build": bool(own.proposer),
        "claimed": own.name == "self",
    }[faults.route]
    if not reached:
        return
    planted = {
        GATE: faults.gate + world.gain.quirk, SEALED: faults.sealed + world.gain.quirk, SELECTION: faults.selection,
        SILENT: faults.unanswered, UNSCORABLE: faults.unscorable, MET: faults.met, EXPLOIT: faults.exploit,
        LEAK: faults.leak,
    }  # fmt: skip
    for trait, points in planted.items():
        added[:, trait] += points * share


@dataclass(frozen=True)
class _Ruled:
    outcome: Ints
    looks: Ints


def _judged(
    world: World, mode: str, t: int, systems: tuple[Floats, Floats, Floats], rng: np.random.Generator
) -> _Ruled:
    plan = plan_of(suite(world.gain.guards), mode, world.asked.rounds)
    ruled = judge(
        plan, t, lambda rows, look: _block(world, [one[rows] for one in systems], rng), len(systems[0]), looks=LOOKS,
    )  # fmt: skip
    return _Ruled(ruled.outcome, ruled.looks)


def _block(world: World, systems: list[Floats], rng: np.random.Generator) -> Columns:
    """One more block of every gate axis: candidate, released and generation 0 on the same fresh items."""
    axes, cluster = suite(world.gain.guards), world.faults.cluster
    columns: dict[str, dict[str, Floats]] = {}
    for place, axis in enumerate((axes.gate_axis, *axes.guards)):
        hard = difficulties(rng, len(systems[0]), axis.gate_items, cluster)
        if place == 0 and world.faults.leak:
            leaked = Leaked.drawn(world.faults, rng, hard.shape)
        columns[axis.name] = {}
        for role, traits in zip(("candidate", "released", "anchor"), systems, strict=True):
            noise = luck(rng, len(traits), axis.gate_items, cluster)
            ability = _on_gate(world, traits, role) if place == 0 else traits[:, GUARDS + place - 1]
            answers = right(ability, hard, noise)
            if place == 0 and world.faults.leak:
                answers = answers | leaked.taught(traits[:, LEAK])
            scores = answers.astype(np.float64)
            if place == 0 and world.faults.exploit:
                scores = as_scored(world.faults, answers, traits[:, EXPLOIT], rng)
            if place == 0 and world.faults.leak:
                scores = np.where(leaked.quarantined(systems[0][:, LEAK]), np.nan, scores)
            if place == 0 and (world.faults.unanswered or world.faults.unscorable):
                scores = _incomplete(scores, traits, role, rng)
            columns[axis.name][role] = scores
    return columns


def _on_gate(world: World, traits: Floats, role: str) -> Floats:
    """Ability that the gate sees; a challenger seems to beat the released system, and not generation 0."""
    return traits[:, SKILL] + traits[:, GATE] + (world.faults.challenger if role != "released" else 0.0)


def _incomplete(scores: Floats, traits: Floats, role: str, rng: np.random.Generator) -> Floats:
    """Silence and unscorable answers, both among wrong ones. A candidate's silence is wrong (`evidence.tally`)."""
    fate = rng.random(scores.shape)
    silent = fate < traits[:, SILENT, None]
    broken = fate > 1.0 - traits[:, UNSCORABLE, None]
    gone = (scores == 0) & (broken | (silent if role != "candidate" else False))
    return np.asarray(np.where(gone, np.nan, scores))


def run_arms(world: World, starts: Starts, seed: np.random.SeedSequence) -> Mapping[str, Ran]:
    """All arms of a study's starts, each on randomness of its own."""
    names = arms_of(world)
    rngs = [np.random.default_rng(one) for one in seed.spawn(len(names))]
    return {name: run_arm(world, arm(name), starts, rng) for name, rng in zip(names, rngs, strict=True)}
