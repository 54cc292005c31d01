"""Simulated systems with known truth for gates: what a gate should promote, refuse or leave open is written here.

Public: a gate of a third party can be run through the same worlds. All levels and gains are in score units of [0, 1]
(0.01 is one point), all worlds draw fresh items for every decision, nothing is cached between systems.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.gates.judge import AxisScores, GateDecision, decide
from netgain.gates.plan import GatePlan

FloatArray = npt.NDArray[np.float64]


def paired_differences(
    rng: np.random.Generator, shape: tuple[int, ...], *, gain: float, discordance: float
) -> npt.NDArray[np.int8]:
    """Return 0/1 answer differences: +1 with chance (discordance + gain)/2, -1 with (discordance - gain)/2, else 0."""
    if abs(gain) > discordance or not 0.0 < discordance <= 1.0:
        raise ValueError(f"gain {gain!r} and discordance {discordance!r}: need |gain| <= discordance <= 1")
    draw = rng.random(shape, dtype=np.float32)
    up, down = (discordance + gain) / 2.0, (discordance - gain) / 2.0
    return (draw < up).astype(np.int8) - (draw >= 1.0 - down).astype(np.int8)


def brittle_differences(rng: np.random.Generator, shape: tuple[int, ...], *, failing: float) -> FloatArray:
    """Return graded differences of mean 0: a little better on most items, badly worse on a share ``failing`` of them.

    The self-edit that helps style and breaks a corner (``statistics.md`` 2.4): a loss of 0.9 on failing items, balanced
    by gains uniform on [0, 2 * failing * 0.9 / (1 - failing)] elsewhere.
    """
    loss = 0.9
    gain = rng.random(shape) * (2.0 * failing * loss / (1.0 - failing))
    return np.where(rng.random(shape) < failing, -loss, gain)


def three_systems(
    rng: np.random.Generator,
    items: int,
    *,
    candidate: float,
    released: float,
    anchor: float = 0.0,
    discordance: float = 0.08,
    base: float = 0.3,
) -> AxisScores:
    """Return 0/1 scores of three systems on the same items.

    Args:
        rng: Source of the items.
        items: Number of fresh items.
        candidate: True level above generation 0's.
        released: The same for the released system.
        anchor: The same for generation 0 itself, 0 but for a drifting harness.
        discordance: Share of items that released and another system answer differently; more where levels force it.
        base: Share of items that generation 0 answers right.
    """
    right = rng.random(items) < base + released
    others = (_flipped(rng, right, base + released, base + level, discordance) for level in (candidate, anchor))
    return AxisScores(next(others), right.astype(np.float64), next(others))


def _flipped(
    rng: np.random.Generator, right: npt.NDArray[np.bool_], level: float, other: float, discordance: float
) -> FloatArray:
    """Return a second system's answers: rate ``other``, different from the first on a share of items."""
    gain = other - level
    differ = max(discordance, abs(gain))
    lost = right & (rng.random(right.size) * level < (differ - gain) / 2.0)
    won = ~right & (rng.random(right.size) * (1.0 - level) < (differ + gain) / 2.0)
    return np.asarray((right & ~lost) | won, dtype=np.float64)


@dataclass(frozen=True)
class ServedRun:
    """A finished run: true level above generation 0 of the released and the working system after every round."""

    released: tuple[float, ...]
    working: tuple[float, ...]
    outcomes: tuple[str, ...]


Judge = Callable[[GatePlan, int, np.random.Generator, float, float], GateDecision]


def judge_round(plan: GatePlan, k: int, rng: np.random.Generator, candidate: float, released: float) -> GateDecision:
    """Return the real gate's decision on a candidate of known level, block by block on fresh items (no guard axis)."""
    collected = three_systems(rng, plan.block, candidate=candidate, released=released)
    while not (decision := decide(plan, k, {plan.axis: collected})).final:
        more = three_systems(rng, plan.block, candidate=candidate, released=released)
        collected = _appended(collected, more)
    return decision


def _appended(first: AxisScores, second: AxisScores) -> AxisScores:
    names = ("candidate", "released", "anchor")
    both = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names}
    return AxisScores(both["candidate"], both["released"], both["anchor"])


def run_gated(
    plan: GatePlan, steps: Sequence[float], rng: np.random.Generator, judge: Judge = judge_round
) -> ServedRun:
    """Run a loop whose round k moves its parent by ``steps[k]``, behind the gate of ``plan``.

    strict: the parent is the released system. advance: the parent is the working system, which returns to the released
    one on a shown harm. watch: every step is served.
    """
    released = working = 0.0
    history: list[tuple[float, float, str]] = []
    for k, step in enumerate(steps, start=1):
        working = (released if plan.mode == "strict" else working) + step
        outcome = judge(plan, k, rng, working, released).outcome
        if outcome == "promote" or plan.mode == "watch":
            released = working
        elif outcome == "reject" or plan.mode == "strict":
            working = released
        history.append((released, working, outcome))
    served, moving, outcomes = zip(*history, strict=True)
    return ServedRun(served, moving, outcomes)


def run_accepting_all(steps: Sequence[float]) -> ServedRun:
    """Run the same loop without a gate: every step is served. Not product code: the reckless rule to compare with."""
    levels = tuple(np.cumsum(steps).tolist())
    return ServedRun(levels, levels, ("accepted",) * len(levels))
