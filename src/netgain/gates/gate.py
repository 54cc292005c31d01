"""The default gate of a study: one registered plan, decided in the mode that an arm runs under."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netgain.errors import ConfigError
from netgain.evidence.power import expected_items
from netgain.gates.judge import AxisScores, GateDecision, Receipt, decide, issue, screened_out
from netgain.gates.plan import EXACT, GateOptions, GatePlan, GuardRule
from netgain.metric import BINARY
from netgain.suite import Suite, clustered

ROLES = ("candidate", "released", "anchor")


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
        columns: Mapping[str, Mapping[str, Any]],
        *,
        exhausted: bool,
        waived: Sequence[str] = (),
        promoted: int = 0,
    ) -> GateDecision:
        """Judge confirmation `k` on {axis: {"candidate" | "released" | "anchor": (n,) scores, None where missing}}.

        `clusters` beside the three names what each item belongs to. `promoted` counts the promotions before.
        """
        nan = float("nan")
        scores = {
            axis: AxisScores(
                **{role: [nan if one is None else one for one in roles[role]] for role in ROLES if role in roles},
                clusters=roles.get("clusters"),
            )
            for axis, roles in columns.items()
        }
        return decide(self._plan(mode, waived), k, scores, exhausted=exhausted, promoted=promoted)

    def screen(
        self,
        mode: str,
        promoted: int,
        candidate: Sequence[float | None],
        released: Sequence[float | None],
        *,
        waived: Sequence[str] = (),
    ) -> GateDecision | None:
        """The decision on a candidate that the screen stops, from its scores on development items; else None."""
        plan = self._plan(mode, waived)
        if not plan.screen_items or mode != "strict":
            return None
        z, pairs = screen_z(candidate, released)
        if z > plan.screen_z:
            return None
        said = f"{z:.2f} standard errors better on {pairs} development items, {plan.screen_z:g} are asked for"
        return screened_out(plan, promoted, said)

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


def screen_z(candidate: Sequence[float | None], released: Sequence[float | None]) -> tuple[float, int]:
    """Mean paired difference over its standard error, and the pairs; -inf below two pairs, 0 or ±inf without spread.

    A screen only: it decides what is worth a confirmation, and no error budget rests on it.
    """
    pairs = zip(candidate, released, strict=True)
    found = [one - other for one, other in pairs if one is not None and other is not None]
    if len(found) < 2:
        return -math.inf, len(found)
    mean = math.fsum(found) / len(found)
    error = math.sqrt(math.fsum((one - mean) ** 2 for one in found) / (len(found) - 1) / len(found))
    if error:
        return mean / error, len(found)
    return (math.copysign(math.inf, mean) if mean else 0.0), len(found)


def plan_of(suite: Suite, mode: str, rounds: int, options: GateOptions | None = None) -> GatePlan:
    """The gate plan that a suite registers: levels .05 and .10 over the run, at most one confirmation per round.

    Raises:
        ConfigError: options that the suite or the mode cannot carry.
    """
    axis, chosen = suite.gate_axis, options or GateOptions()
    guards = tuple(GuardRule(one.name, one.step_margin, one.margin, one.moment) for one in suite.guards)
    if chosen.form in EXACT and axis.metric.declared and axis.metric.name not in BINARY:
        what = f"form {chosen.form!r} on axis {axis.name!r}, whose metric {axis.metric.name!r} is graded"
        raise ConfigError(what, fix="an exact test needs scores of 0 or 1: take form 'betting' or 'grid'")
    if chosen.form in EXACT and clustered(axis.source):
        what = f"form {chosen.form!r} on axis {axis.name!r}, whose items have clusters: their means are graded"
        raise ConfigError(what, fix="take form 'betting' or 'grid'")
    if chosen.screen_items and mode == "advance":
        what = "a screen in mode 'advance', in which every state of the loop is judged"
        raise ConfigError(what, fix="leave screen_items out, or take mode 'strict'")
    if chosen.show and mode == "watch":
        what = "a shown number in mode 'watch', in which the loop is told nothing of the gate"
        raise ConfigError(what, fix="leave show out, or take mode 'strict' or 'advance'")
    if chosen.show and chosen.show_step is None:
        chosen = replace(chosen, show_step=1.0 / math.sqrt(suite.max_pairs))
    return GatePlan(
        axis=axis.name, mode=mode, confirmations=rounds, block=suite.block, max_pairs=suite.max_pairs,  # type: ignore[arg-type]
        design_gain=suite.design_gain, planned_second_moment=axis.moment, step_margin=axis.step_margin,
        total_margin=axis.margin, guards=guards, **vars(chosen),
    )  # fmt: skip


def on_used_items(plan: GatePlan, log_raise: Mapping[str, float]) -> GatePlan:
    """The plan on items that were asked before, with the nats by which each axis' threshold rises.

    Raises:
        ConfigError: the set has answered so much that no level is left.
    """
    guards = tuple(replace(one, log_raise=log_raise.get(one.axis, 0.0)) for one in plan.guards)
    return replace(plan, log_raise=log_raise.get(plan.axis, 0.0), guards=guards)


def check_reach(raised: GatePlan) -> None:
    """Refuse a plan whose pairs cannot reach a threshold that was raised for used items.

    Raises:
        ConfigError: at the design gain (a guard: unchanged) the expected pairs are more than a decision may use.
    """
    level = raised.promotion_spending.level(1)
    for axis, gain, moment, nats in (
        (raised.axis, raised.design_gain, raised.planned_second_moment, raised.log_raise),
        *((one.axis, one.total_margin, one.planned_second_moment, one.log_raise) for one in raised.guards),
    ):
        needed = expected_items(gain=gain, second_moment=moment, level=level * math.exp(-nats))
        if nats and needed > raised.max_pairs:
            raise ConfigError(
                f"gate items of axis {axis!r} were asked before: the threshold rises by {nats:.1f} nats, which takes "
                f"{needed:.0f} pairs at the design gain, and a decision may use {raised.max_pairs}",
                fix="take new items, or more of them",
            )
