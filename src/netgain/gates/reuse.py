"""A gate on one fixed set of items that is asked again and again: one bit out, everything it gave away booked.

Use it when no further items can be had; new items for every candidate are better in every way (``statistics.md`` 1.2).
The threshold of each question is raised by what the answers before have given away, and once the items cannot reach it
any more, the set is used up and every further answer is no.
"""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError
from netgain.evidence.exposure import Exposure
from netgain.evidence.ladder import LadderStep
from netgain.gates.gate import check_reach, on_used_items
from netgain.gates.judge import AxisScores, GateDecision, decide
from netgain.gates.plan import GatePlan


class ReusedGate:
    """Asks "is the candidate better?" about the same items many times.

    ``exposure`` is what the set has answered so far, in earlier runs and in this one. What a proposer may be told is
    the return value of ``ask`` and ``show``; ``decisions`` is for the record.
    """

    def __init__(self, plan: GatePlan, items: int, exposure: Exposure | None = None) -> None:
        if plan.guards or plan.mode != "strict":
            raise ConfigError("a reused gate has one axis and mode 'strict'", fix="take new items for anything else")
        self.plan = replace(plan, max_pairs=items, block=items)
        self.exposure = exposure or Exposure()
        self.decisions: list[GateDecision] = []
        self._ladder = LadderStep(1.0 / math.sqrt(items))

    @property
    def used_up(self) -> str | None:
        """Why no candidate can be promoted on these items any more; None while one can."""
        try:
            check_reach(self._raised())
        except ConfigError as error:
            return error.what
        return None

    def _raised(self) -> GatePlan:
        return on_used_items(self.plan, {self.plan.axis: self.exposure.log_raise})

    def ask(self, candidate: npt.ArrayLike, released: npt.ArrayLike) -> bool:
        """Return whether the candidate is promoted, and nothing else; books the question and its answer.

        Args:
            candidate, released: (items,) scores in [0, 1] on the whole set, NaN where there is none.

        Raises:
            ValueError: scores of another number of items.
        """
        size = np.asarray(candidate).size
        if size != self.plan.max_pairs:
            raise ValueError(f"{size} scores, expected one for each of the {self.plan.max_pairs} items of the set")
        accepted = False
        if self.used_up is None:
            promoted = sum(one.outcome == "promote" for one in self.decisions)
            scores = {self.plan.axis: AxisScores(candidate, released, released)}
            made = decide(self._raised(), len(self.decisions) + 1, scores, exhausted=True, promoted=promoted)
            self.decisions.append(made)
            accepted = made.outcome == "promote"
        self.exposure += Exposure(queries=1, accepts=int(accepted))
        return accepted

    def show(self, candidate: npt.ArrayLike, released: npt.ArrayLike) -> float:
        """Return the largest gain so far in steps of 1/sqrt(items), where a number must be shown; books what it tells.

        It moves when a candidate beats it by a step, and is 0 before the first (`LadderStep`).
        """
        gains = np.asarray(candidate, dtype=np.float64) - np.asarray(released, dtype=np.float64)
        found = gains[~np.isnan(gains)]
        before = self._ladder.nats
        self._ladder = self._ladder.after(float(found.mean()) if found.size else None, found.size)
        self.exposure += Exposure(shown_nats=max(0.0, self._ladder.nats - before))
        return self._ladder.best
