"""The state of one run: the row that its next stage is read from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from netgain.budget import Spend, total

Json = Any
PLAN = 1  # version of the rows of new runs


@dataclass(frozen=True)
class Row:
    """Where a run stands. Systems, positions and feedback are named by digest.

    Attributes:
        replica, arm, variant: which run this is.
        round: the round of the stage that comes next; 0 before the first.
        stage: what is to be done next, or "done".
        horizon: rounds of this run.
        anchor: generation 0.
        working: the system that the next change is applied to.
        released: the system that moved with a receipt; what is served.
        position, feedback: the loop's own state, and what its checks let through last round.
        safe_position, safe_feedback: the same as of the released system, for a rollback.
        change, candidate: what is between its stages.
        verdict: outcome of the last gate decision.
        accepted: the one bit that the loop sees: True, False, or None when undecided.
        shown: the number that the loop is shown of the gate (`netgain.evidence.ladder`); None where there is none.
        restores: rollbacks so far.
        seen: digest of the fingerprints of all inputs that were trained on.
        kept_at: round -> released system, for generations that the claim names.
        build, answer: spend so far.
        end: why the run is over.
        plan: version of what the fields mean, which a stage has to accept (`netgain.loop`); None in rows written before
            there were versions, which are left as they were.
    """

    replica: int
    arm: str
    variant: str = ""
    round: int = 0
    stage: str = "start"
    horizon: int = 1
    anchor: str | None = None
    working: str | None = None
    released: str | None = None
    position: str | None = None
    feedback: str | None = None
    safe_position: str | None = None
    safe_feedback: str | None = None
    change: str | None = None
    candidate: str | None = None
    verdict: str | None = None
    accepted: bool | None = None
    restores: int = 0
    seen: str | None = None
    kept_at: dict[str, str] = field(default_factory=dict)
    build: dict[str, float | None] = field(default_factory=dict)
    answer: dict[str, float | None] = field(default_factory=dict)
    end: str | None = None
    plan: int | None = None
    shown: float | None = None

    @property
    def id(self) -> str:
        """Run id, as in the ledger."""
        return f"r{self.replica}/{self.arm}" + (f".{self.variant}" if self.variant else "")

    @property
    def done(self) -> bool:
        """True when nothing is left to do before the seal."""
        return self.stage == "done"

    def spend(self, phase: str, amounts: Spend) -> Row:
        """The row after spending more in phase "build" or "answer"; a unit once unknown stays unknown."""
        before = getattr(self, phase)
        after = total([before, amounts]) if before else dict(amounts)
        return replace(self, build=after) if phase == "build" else replace(self, answer=after)

    def to_json(self) -> dict[str, Json]:
        """Plain JSON; `from_json` is its inverse."""
        record = {name: dict(value) if isinstance(value, dict) else value for name, value in vars(self).items()}
        for name in ("plan", "shown"):
            if record[name] is None:
                del record[name]
        return record

    @classmethod
    def from_json(cls, record: dict[str, Json]) -> Row:
        """The row of `to_json`."""
        return cls(**record)


def half_of(rounds: int) -> int:
    """The round at half of a horizon, whose released system is kept for the late value."""
    return (rounds + 1) // 2


def run_id(replica: int, run_name: str) -> str:
    """Id of a run from its replica and the arm's run name."""
    return f"r{replica}/{run_name}"
