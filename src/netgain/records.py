"""The frozen records that pass between the stages of a round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netgain.budget import Budget

if TYPE_CHECKING:
    from numpy.random import Generator

Json = Any
System = Any
DECIDERS = ("system", "rule", "model", "person")


@dataclass(frozen=True)
class Examples:
    """Self-made training examples: inputs as the suite would ask them, and the labels that the system gave.

    Attributes:
        inputs: (n,) questions, JSON values.
        labels: (n,) the system's own answers, JSON values.
    """

    inputs: Sequence[Json] = ()
    labels: Sequence[Json] = ()


@dataclass(frozen=True)
class Started:
    """Generation 0 with what making it cost: a `start` that counts gives this in place of the bare system.

    Attributes:
        system: generation 0.
        spent: unit -> amount (see `netgain.budget.UNITS`); a unit that is not in it is unknown. Seconds are measured.
    """

    system: System
    spent: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One part of a change.

    Attributes:
        surface: which of the eight surfaces it alters.
        payload: what is new there; a packable value, `Examples`, or a system.
        decided_by: "system", "rule", "model" or "person".
        reason: one sentence.
        options: how many alternatives were considered, or None when unknown.
        evidence: what the decider saw (names of numbers and their values).
    """

    surface: str
    payload: Any = None
    decided_by: str = "system"
    reason: str = ""
    options: int | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What a proposal would alter.

    Attributes:
        parts: the parts, each with its surface.
        state: the run's position after this round (counters, pool); packable; None keeps it.
        checks: verdicts of the loop's own checks over the examples, name -> (n,) bools.
    """

    parts: Sequence[Part]
    state: Any = None
    checks: Mapping[str, Sequence[bool]] = field(default_factory=dict)

    @property
    def examples(self) -> Examples | None:
        """The self-made examples of this change, if it has any."""
        return next((part.payload for part in self.parts if isinstance(part.payload, Examples)), None)


@dataclass(frozen=True)
class Feedback:
    """What came back of the last round's checks, after every filter.

    Attributes:
        kept: the examples that were kept and trained on.
        shares: check name -> share that passed, as the pacing rule may see it, in [0, 1].
    """

    kept: Examples = Examples()
    shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """Everything that a proposal may see. Gate, report, anchor and sealed items are not in it, in any form, nor a score
    on them but for `shown`, in studies that register it.

    Attributes:
        parent: the system that a change is applied to.
        improver: the system that proposes.
        state: the run's position as the loop left it, or None in round 1.
        accepted: last decision on a promotion: True, False, or None when undecided or none yet.
        feedback: what the checks let through last round.
        dev: [{"input", "target"}], items that the loop may use as it likes.
        budget: allowance and meter.
        rng: this round's random stream.
        round: from 1.
        closed: surfaces that may not be touched in this run, whatever the loop declares; a change on one is refused.
        shown: largest gain over generation 0 that the gate has seen in this run, in the registered steps; None before
            its first decision, and where none is shown (`[gate] show`).
    """

    parent: System
    improver: System
    state: Any
    accepted: bool | None
    feedback: Feedback
    dev: Sequence[Mapping[str, Json]]
    budget: Budget
    rng: Generator
    round: int
    closed: Sequence[str] = ()
    shown: float | None = None
