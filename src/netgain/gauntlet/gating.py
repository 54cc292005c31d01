"""The product's gate on many runs at once: the tests of `gates.questions`, the capital of `evidence.betting`.

`gates.judge.decide` rules on one run. Here the same questions are asked of many runs in one array, and ruled on in the
same order; `tests/gauntlet/test_gating.py` holds both against each other. With `quick=True` the capital is the same
product without logarithms, five times as fast: for the truth of a world, which needs 10,000 starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.betting import BET_CAP, PRIOR_ITEMS, SCALES, log_capital
from netgain.gates.plan import GatePlan
from netgain.gates.questions import Question, questions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Columns = Mapping[str, Mapping[str, Floats]]  # axis -> candidate, released, anchor -> (runs, pairs)
Draw = Callable[[Ints, int], Columns]

PROMOTE, UNDECIDED, REJECT, CONTINUE = 1, 0, -1, 2
OUTCOMES = {PROMOTE: "promote", UNDECIDED: "undecided", REJECT: "reject"}
CHUNK = 256  # runs at a time: arrays that stay in the processor's cache


@dataclass(frozen=True)
class Ruled:
    """Decisions: `outcome` (runs,) of `OUTCOMES`, `looks` (runs,) blocks that each took."""

    outcome: Ints
    looks: Ints


def judge(plan: GatePlan, k: int, draw: Draw, runs: int, *, looks: int, quick: bool = False) -> Ruled:
    """Rule on confirmation `k` of many runs, block by block.

    Args:
        plan: the registered rule.
        k: number of the confirmation, from 1.
        draw: (rows, look) -> the scores of one more block for these runs; NaN is a missing score.
        runs: how many.
        looks: blocks at most, as `suite.max_pairs // suite.block`.
        quick: leave out the logarithms.
    """
    outcome, used = np.full(runs, CONTINUE), np.zeros(runs, dtype=np.int64)
    for start in range(0, runs, CHUNK):
        rows = np.arange(start, min(runs, start + CHUNK))
        seen: dict[str, dict[str, Floats]] = {}
        for look in range(looks):
            seen = _appended(seen, draw(rows, look))
            found = _rule(plan, k, seen, exhausted=look == looks - 1, quick=quick)
            outcome[rows], used[rows] = found, look + 1
            going = found == CONTINUE
            if not going.any():
                break
            rows = rows[going]
            seen = {axis: {role: one[going] for role, one in roles.items()} for axis, roles in seen.items()}
    return Ruled(outcome, used)


def _appended(seen: dict[str, dict[str, Floats]], new: Columns) -> dict[str, dict[str, Floats]]:
    if not seen:
        return {axis: dict(roles) for axis, roles in new.items()}
    return {
        axis: {role: np.concatenate([one, new[axis][role]], axis=1) for role, one in roles.items()}
        for axis, roles in seen.items()
    }


def _rule(plan: GatePlan, k: int, seen: Columns, *, exhausted: bool, quick: bool) -> Ints:
    """The rulings of `gates.judge`, in its order: missing, better, harm, futility, exhausted."""
    asked = questions(plan, k)
    reached, missing, pairs = (np.stack(one) for one in zip(*_tests(asked, seen, quick=quick), strict=True))
    size = pairs + missing
    void = ((missing > plan.void_share * size) & (size > 0)).any(axis=0) | (pairs == 0).any(axis=0)
    kind = np.array([one.kind for one in asked])
    required = reached[np.isin(kind, ("release", "guard"))].all(axis=0)
    harmed = reached[np.isin(kind, ("harm_step", "harm_total"))].any(axis=0)
    futile = reached[kind == "futility"].any(axis=0) & ~reached[0]
    full = exhausted or all(one["candidate"].shape[1] >= plan.max_pairs for one in seen.values())
    gave_up = REJECT if plan.mode == "strict" else UNDECIDED
    ruled = np.where(futile, gave_up, UNDECIDED if full else CONTINUE)
    ruled = np.where(required, PROMOTE, np.where(harmed, REJECT, ruled))
    return np.asarray(np.where(void, UNDECIDED, ruled))


def _tests(asked: Sequence[Question], seen: Columns, *, quick: bool) -> list[tuple[Bools, Ints, Ints]]:
    """Per question: whether its threshold was reached, missing pairs, pairs; each (runs,)."""
    found = []
    peak = _quick_peak if quick else _peak
    for one in asked:
        difference = seen[one.axis][one.plus] - seen[one.axis][one.minus]
        gone = np.isnan(difference).sum(axis=1)
        reached = peak(one, difference) >= math.log(1.0 / one.level)
        found.append((reached & (gone < difference.shape[1]), gone, difference.shape[1] - gone))
    return found


def _peak(one: Question, difference: Floats) -> Floats:
    """(runs,) the highest log E so far, 0 at least."""
    path = log_capital(difference, null=one.null, gain=one.gain, planned_second_moment=one.planned_second_moment)
    return np.asarray(path.max(axis=1, initial=0.0))


def _quick_peak(one: Question, difference: Floats) -> Floats:
    """The same from products in single precision; a capital that underflows is far below any threshold."""
    d = np.nan_to_num(difference).astype(np.float32) if np.isnan(difference).any() else None
    step = np.asarray(difference if d is None else d, dtype=np.float32)
    present = None if d is None else ~np.isnan(difference)
    moment = np.zeros_like(step)
    np.cumsum(step[:, :-1] ** 2, axis=1, out=moment[:, 1:])
    seen = np.arange(step.shape[1], dtype=np.float32)[None] if present is None else _before(present)
    growth = np.float32(one.gain) * (np.float32(PRIOR_ITEMS) + seen)
    growth = growth / (np.float32(PRIOR_ITEMS * one.planned_second_moment) + moment)
    cap = np.float32(BET_CAP / (1.0 + one.null))
    step = step - np.float32(one.null) if present is None else np.where(present, step - np.float32(one.null), 0.0)
    total = np.zeros_like(step)
    for c in SCALES:
        factor = np.minimum(np.float32(c) * growth, cap)
        factor *= step
        factor += np.float32(1.0)
        total += np.cumprod(factor, axis=1, out=factor)
    return np.asarray(np.log(np.maximum(1.0, total.max(axis=1) / len(SCALES))), dtype=np.float64)


def _before(present: Bools) -> npt.NDArray[np.float32]:
    """Pairs before each one."""
    count = np.zeros(present.shape, dtype=np.float32)
    np.cumsum(present[:, :-1], axis=1, out=count[:, 1:])
    return count
