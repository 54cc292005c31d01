"""The registered tests of one confirmation: which difference is held against which null, at which level.

For confirmation k, with a_k and b_k from the run's error budgets (``GatePlan``) and H the number of harm tests:

    release       gate axis, candidate - released,        null mean <= 0,              level a_k
    guard         guard j, candidate - generation 0,      null mean <= -total margin,  level a_k
    harm_step     every axis, released - candidate,       null mean <= step margin,    level b_k / H
    harm_total    every axis, generation 0 - candidate,   null mean <= total margin,   level b_k / H
    futility      gate axis, candidate - released,        null mean >= design gain,    level b, outside the budgets

On items that were asked before, the levels of release and guard are divided by the number of answer histories
(``evidence/exposure.py``). a_k is that of the plan's error ledger, which may depend on the promotions so far.

Promotion needs the release test and every guard (intersection-union, Berger 1982: no correction over guards). Guards
are held against frozen generation 0, never the previous release, or small losses ratchet (``statistics.md`` 2.5).
"""

import math
from dataclasses import dataclass
from typing import Literal

from netgain.gates.plan import GatePlan

TestKind = Literal["release", "guard", "harm_step", "harm_total", "futility"]
System = Literal["candidate", "released", "anchor"]


@dataclass(frozen=True)
class Question:
    """One test: the mean of (``plus`` - ``minus``) on ``axis`` against "at most ``null``".

    ``gain`` is the excess over the null that the bet is tuned for, ``level`` the test's own error level.
    """

    kind: TestKind
    axis: str
    plus: System
    minus: System
    null: float
    gain: float
    planned_second_moment: float
    level: float


def questions(plan: GatePlan, k: int, promoted: int = 0) -> tuple[Question, ...]:
    """Return the tests of confirmation ``k``, counted from 1, in a fixed order: release, guards, harm, futility.

    ``promoted`` counts the promotions among the confirmations before.

    Raises:
        ValueError: ``k`` is below 1 or beyond the declared confirmations.
    """
    level, harm_level = plan.promotion_spending.level(k, promoted), plan.harm_spending.level(k) / (2 * len(plan.axes))
    gain, moment = plan.design_gain, plan.planned_second_moment
    own = level * math.exp(-plan.log_raise)
    asked = [Question("release", plan.axis, "candidate", "released", 0.0, gain, moment, own)]
    for guard in plan.guards:
        total, spread, own = guard.total_margin, guard.planned_second_moment, level * math.exp(-guard.log_raise)
        asked.append(Question("guard", guard.axis, "candidate", "anchor", -total, total, spread, own))
    asked += _harm(plan.axis, plan.step_margin, plan.total_margin, gain, moment, harm_level)
    for guard in plan.guards:
        # A guard has no design gain of its own: the bet is tuned for a loss of twice the step margin.
        step, total, spread = guard.step_margin, guard.total_margin, guard.planned_second_moment
        asked += _harm(guard.axis, step, total, step, spread, harm_level)
    if plan.futility_level is not None:
        asked.append(Question("futility", plan.axis, "released", "candidate", -gain, gain, moment, plan.futility_level))
    return tuple(asked)


def _harm(axis: str, step: float, total: float, gain: float, moment: float, level: float) -> tuple[Question, Question]:
    """Return the two harm tests of an axis: against the released system and against generation 0."""
    return (
        Question("harm_step", axis, "released", "candidate", step, gain, moment, level),
        Question("harm_total", axis, "anchor", "candidate", total, gain, moment, level),
    )
