"""The default gate of a study: one registered plan, decided in the mode that an arm runs under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netgain.gates.judge import AxisScores, GateDecision, Receipt, decide, issue
from netgain.gates.plan import GatePlan, GuardRule
from netgain.suite import Suite

Column = Sequence[float | None]


class BettingGate:
    """Decides, and issues receipts. Arms differ in mode, and in guards that bind nothing: the rest is one plan's."""

    def __init__(self, plan: GatePlan) -> None:
        self.plan = plan

    def _plan(self, mode: str, waived: Sequence[str]) -> GatePlan:
        return replace(self.plan, mode=mode, waived=tuple(waived))  # type: ignore[arg-type]

    def decide(
        self,
        mode: str,
        k: int,
        columns: Mapping[str, Mapping[str, Column]],
        *,
        exhausted: bool,
        waived: Sequence[str] = (),
    ) -> GateDecision:
        """Judge decision `k` on {axis: {"candidate" | "released" | "anchor": (n,) scores, None where missing}}."""
        nan = float("nan")
        scores = {
            axis: AxisScores(
                **{role: [nan if one is None else one for one in values] for role, values in roles.items()}
            )
            for axis, roles in columns.items()
        }
        return decide(self._plan(mode, waived), k, scores, exhausted=exhausted)

    def receipt(
        self, mode: str, decision: GateDecision, candidate: str, released: str, *, waived: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The receipt of a promotion, as JSON.

        Raises:
            ValueError: the decision is no promotion.
        """
        plan = self._plan(mode, waived)
        return issue(plan, decision, candidate_digest=candidate, released_digest=released).to_json()

    def admits(
        self, receipt: Mapping[str, Any] | None, candidate: str, released: str, *, waived: Sequence[str] = ()
    ) -> bool:
        """True when a receipt carries this very move. Anything else, an error included, is no."""
        try:
            read = Receipt.from_json(dict(receipt or {}))
        except (TypeError, ValueError, KeyError):
            return False
        own = {self._plan(mode, waived).digest for mode in ("strict", "advance", "watch")}
        guarded = sorted(test.axis for test in read.tests if test.kind == "guard")
        this_move = (read.candidate_digest, read.released_digest) == (candidate, released)
        whole = guarded == sorted(one.axis for one in self.plan.guards) and read.waived == tuple(waived)
        return this_move and read.plan_digest in own and whole


def plan_of(suite: Suite, mode: str, rounds: int) -> GatePlan:
    """The gate plan that a suite registers: levels .05 and .10 over the run, one decision per round."""
    axis = suite.gate_axis
    guards = tuple(GuardRule(one.name, one.step_margin, one.margin, one.moment) for one in suite.guards)
    return GatePlan(
        axis=axis.name, mode=mode, confirmations=rounds, block=suite.block, max_pairs=suite.max_pairs,  # type: ignore[arg-type]
        design_gain=suite.design_gain, planned_second_moment=axis.moment, step_margin=axis.step_margin,
        total_margin=axis.margin, guards=guards,
    )  # fmt: skip
