"""The frozen sentence that gets a verdict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from netgain.errors import ConfigError

RUNGS = ("R0", "R1", "R2", "R4", "R5")
CLAIMABLE = RUNGS[1:]
STARTS = ("fresh", "this generation 0")
EXTENDS = "[0-9a-f]{64}@[0-9a-f]{64}"


@dataclass(frozen=True)
class Claim:
    """In more than half of starts, the net gain of `arm` on `metric` exceeds `by`.

    Attributes:
        metric: name of an axis of the suite, scored on sealed items.
        by: claimed net gain, in score units.
        beats: controls that the net gain is taken over, beside those that the rung requires.
        rung: R1 improvement, R2 attributable, R4 sustained, R5 iterated.
        arm: the arm that the claim is about.
        alpha: chance of a false word on each side, at most.
        looks: numbers of starts at which the claim may be decided.
        expected: net gain that the claimant expects; needed by `plan`.
        starve: share of starts expected to fail; used by `plan`.
        starts: "fresh", or "this generation 0": all starts share one, and the claim is about runs from it.
        analysis: "typical start".
        mode: gate mode, or None for the loop's own.
        extends: "CLAIM DIGEST@TREE HEAD" of an earlier, INCONCLUSIVE study of this claim that is named, not counted.
    """

    metric: str
    by: float
    beats: Sequence[str] = ("frozen",)
    rung: str = "R1"
    arm: str = "self"
    alpha: float = 0.05
    looks: Sequence[int] = (6, 9, 12)
    expected: float | None = None
    starve: float = 0.05
    starts: str = "fresh"
    analysis: str = "typical start"
    mode: str | None = None
    extends: str | None = None

    def __post_init__(self) -> None:
        if self.rung not in CLAIMABLE:
            raise ConfigError(f"rung {self.rung!r} cannot be claimed", fix=f"choose from {', '.join(CLAIMABLE)}")
        if self.starts not in STARTS:
            raise ConfigError(f"starts {self.starts!r}", fix=f"choose from {', '.join(map(repr, STARTS))}")
        if not 0 <= self.by < 1:
            raise ConfigError(f"claimed net gain {self.by!r}", fix="give a number from 0 to below 1, in score units")
        if not 0 < self.alpha <= 0.05:
            raise ConfigError(f"alpha {self.alpha!r}", fix="give a number above 0 and at most 0.05")
        if self.analysis != "typical start":
            raise ConfigError(f"analysis {self.analysis!r}", fix="leave it out: 'typical start' is the only one so far")
        if not self.looks or list(self.looks) != sorted({size for size in self.looks if size >= 1}):
            raise ConfigError(f"looks {list(self.looks)!r}", fix="give increasing numbers of starts, as in 6, 9, 12")
        if self.extends is not None and not re.fullmatch(EXTENDS, self.extends):
            raise ConfigError(f"extends {self.extends!r}", fix="leave it out: `netgain extend` writes it")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as registered."""
        return {**asdict(self), "beats": list(self.beats), "looks": list(self.looks)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Claim:
        """The claim of `to_json`."""
        return cls(**record)
