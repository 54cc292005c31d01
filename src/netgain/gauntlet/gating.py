"""The product's gate on many runs at once: the tests of `gates.questions`, the capital of `evidence.betting`.

`gates.judge.decide` rules on one run. Here the same questions are asked of many runs in one array, and ruled on in the
same order; `tests/gauntlet/test_gating.py` holds both against each other. A capital is carried from block to block as a
product in single precision, without logarithms: one that underflows is far below any threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.evidence.betting import BET_CAP, PRIOR_ITEMS, SCALES
from netgain.gates.plan import GatePlan
from netgain.gates.questions import Question, questions

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
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


@dataclass(frozen=True)
class _Bets:
    """One question's bets so far: `capital` and `best` (its highest) in units of what it began with."""

    pairs: Singles  # (runs,)
    missing: Singles  # (runs,)
    moment: Singles  # (runs,) sum of squared differences
    capital: Singles  # (scales, runs)
    best: Singles  # (runs,)

    @classmethod
    def none(cls, runs: int) -> _Bets:
        """Before the first item."""
        nothing, whole = np.zeros(runs, np.float32), np.ones((len(SCALES), runs), np.float32)
        return cls(nothing, nothing, nothing, whole, whole[0])

    def of(self, rows: Bools) -> _Bets:
        """The bets of some runs."""
        return _Bets(self.pairs[rows], self.missing[rows], self.moment[rows], self.capital[:, rows], self.best[rows])


def judge(plan: GatePlan, k: int, draw: Draw, runs: int, *, looks: int) -> Ruled:
    """Rule on confirmation `k` of many runs, block by block.

    Args:
        plan: the registered rule.
        k: number of the confirmation, from 1.
        draw: (rows, look) -> the scores of one more block for these runs; NaN is a missing score.
        runs: how many.
        looks: blocks at most, as `suite.max_pairs // suite.block`.
    """
    outcome, used = np.full(runs, CONTINUE), np.zeros(runs, dtype=np.int64)
    asked = questions(plan, k)
    for start in range(0, runs, CHUNK):
        rows = np.arange(start, min(runs, start + CHUNK))
        bets = [_Bets.none(len(rows)) for _ in asked]
        for look in range(looks):
            bets = _raised(asked, bets, draw(rows, look))
            found = _rule(plan, asked, bets, exhausted=look == looks - 1)
            outcome[rows], used[rows] = found, look + 1
            going = found == CONTINUE
            if not going.any():
                break
            rows, bets = rows[going], [one.of(going) for one in bets]
    return Ruled(outcome, used)


def _rule(plan: GatePlan, asked: Sequence[Question], bets: Sequence[_Bets], *, exhausted: bool) -> Ints:
    """The rulings of `gates.judge`, in its order: missing, better, harm, futility, exhausted."""
    pairs, missing = np.stack([one.pairs for one in bets]), np.stack([one.missing for one in bets])
    size = pairs + missing
    reached = np.stack([bet.best >= 1.0 / one.level for one, bet in zip(asked, bets, strict=True)]) & (pairs > 0)
    void = ((missing > plan.void_share * size) & (size > 0)).any(axis=0) | (pairs == 0).any(axis=0)
    kind = np.array([one.kind for one in asked])
    required = reached[np.isin(kind, ("release", "guard"))].all(axis=0)
    harmed = reached[np.isin(kind, ("harm_step", "harm_total"))].any(axis=0)
    futile = reached[kind == "futility"].any(axis=0) & ~reached[0]
    full = exhausted or bool((size >= plan.max_pairs).all())
    gave_up = REJECT if plan.mode == "strict" else UNDECIDED
    ruled = np.where(futile, gave_up, UNDECIDED if full else CONTINUE)
    ruled = np.where(required, PROMOTE, np.where(harmed, REJECT, ruled))
    return np.asarray(np.where(void, UNDECIDED, ruled))


def _raised(asked: Sequence[Question], bets: Sequence[_Bets], block: Columns) -> list[_Bets]:
    """The bets of all questions after one more block; what two questions have in common is computed once."""
    seen: dict[tuple[str, frozenset[str]], _Seen] = {}
    found = []
    for one, before in zip(asked, bets, strict=True):
        pair = one.axis, frozenset((one.plus, one.minus))
        if pair not in seen:
            seen[pair] = _seen(block[one.axis][one.plus] - block[one.axis][one.minus], one.plus, before)
        found.append(_bet(one, before, seen[pair]))
    return found


@dataclass(frozen=True)
class _Seen:
    """Differences of two systems on a block, 0 where one is missing; what was seen before each, and after all."""

    plus: str
    difference: Singles  # (runs, pairs)
    present: Bools | None  # (runs, pairs), None where nothing is missing
    pairs: Singles  # (runs, pairs)
    moment: Singles  # (runs, pairs)
    after: tuple[Singles, Singles, Singles]  # pairs, missing, moment; each (runs,)


def _seen(difference: Floats, plus: str, before: _Bets) -> _Seen:
    gone = np.isnan(difference)
    d = np.where(gone, 0.0, difference).astype(np.float32)
    pairs, moment = _summed((~gone).astype(np.float32), before.pairs), _summed(d * d, before.moment)
    after = pairs[1], before.missing + gone.sum(axis=1, dtype=np.float32), moment[1]
    return _Seen(plus, d, ~gone if gone.any() else None, pairs[0], moment[0], after)


def _bet(one: Question, before: _Bets, seen: _Seen) -> _Bets:
    """The bets of a question after one more block: `betting.log_capital`, as products that go on from before."""
    cap = np.float32(BET_CAP / (1.0 + one.null))
    growth = np.float32(one.gain) * (seen.pairs + np.float32(PRIOR_ITEMS))
    growth /= seen.moment + np.float32(PRIOR_ITEMS * one.planned_second_moment)
    step = (seen.difference if one.plus == seen.plus else -seen.difference) - np.float32(one.null)
    step = step if seen.present is None else step * seen.present
    total, capital = np.zeros_like(step), np.empty_like(before.capital)
    for place, scale in enumerate(SCALES):
        factor = np.minimum(np.float32(scale) * growth, cap)
        factor *= step
        factor += np.float32(1.0)
        factor[:, 0] *= before.capital[place]
        total += np.cumprod(factor, axis=1, out=factor)
        capital[place] = factor[:, -1]
    best = np.maximum(before.best, total.max(axis=1) / np.float32(len(SCALES)))
    pairs, missing, moment = seen.after
    return _Bets(pairs, missing, moment, capital, best)


def _summed(values: Singles, before: Singles) -> tuple[Singles, Singles]:
    """(runs, pairs) the sum of all earlier values at each one, and (runs,) the sum of all."""
    running = np.cumsum(values, axis=1)
    running += before[:, None]
    return running - values, running[:, -1]
