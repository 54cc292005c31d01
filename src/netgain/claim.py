"""The frozen sentence that gets a verdict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from netgain.errors import ConfigError

RUNGS = ("R0", "R1", "R2", "R4", "R5", "R6", "R7")
CLAIMABLE = RUNGS[1:]
STARTS = ("fresh", "this generation 0")
EXTENDS = "[0-9a-f]{64}@[0-9a-f]{64}"
ANALYSES = ("typical start", "mean")
ABOUT = ("loop", "version")
OPEN = "open"
OPEN_STARTS = 24  # looks = "open" looks at every number of starts up to here
MEAN_STARTS = (10, 20)  # fewest: method.md 3.1; most: all 2^20 sign flips are counted
USUAL_LOOKS = (6, 9, 12)


def registered_sizes(looks: Sequence[int] | str) -> tuple[int, ...]:
    """The numbers of starts at which a claim may be decided, increasing; "open" is every number up to 24."""
    return tuple(range(1, OPEN_STARTS + 1)) if looks == OPEN else tuple(int(size) for size in looks)


@dataclass(frozen=True)
class Claim:
    """In more than half of starts, the net gain of `arm` on `metric` exceeds `by`.

    With `analysis = "mean"` the sentence is about the mean over starts. With `about = "version"` it is about the one
    system that `arm` served in a study of one start, over items, and says nothing about the loop.

    Attributes:
        metric: name of an axis of the suite, scored on sealed items.
        by: claimed net gain, in score units.
        beats: controls that the net gain is taken over, beside those that the rung requires.
        rung: R1 improvement, R2 attributable, R4 sustained, R5 iterated, R6 recursive, R7 accelerating.
        arm: the arm that the claim is about.
        alpha: chance of a false word on each side, at most.
        looks: numbers of starts at which the claim may be decided, or "open": any number up to 24, by an e-process
            whose price is a later decision.
        expected: net gain that the claimant expects; needed by `plan`.
        starve: share of starts expected to fail; used by `plan`.
        starts: "fresh", or "this generation 0": all starts share one, and the claim is about runs from it.
        analysis: "typical start", or "mean" from ten starts on.
        mode: gate mode, or None for the loop's own.
        share: in more than which share of starts the net gain has to exceed `by`.
        about: "loop", or "version".
        transplant_by: for R6, by how much one round by the last improver exceeds one by its nulls on foreign starts.
        extends: "CLAIM DIGEST@TREE HEAD" of an earlier, INCONCLUSIVE study of this claim that is named, not counted.
    """

    metric: str
    by: float
    beats: Sequence[str] = ("frozen",)
    rung: str = "R1"
    arm: str = "self"
    alpha: float = 0.05
    looks: Sequence[int] | str = USUAL_LOOKS
    expected: float | None = None
    starve: float = 0.05
    starts: str = "fresh"
    analysis: str = "typical start"
    mode: str | None = None
    share: float = 0.5
    about: str = "loop"
    transplant_by: float = 0.0
    extends: str | None = None

    def __post_init__(self) -> None:
        if self.rung not in CLAIMABLE:
            raise ConfigError(f"rung {self.rung!r} cannot be claimed", fix=f"choose from {', '.join(CLAIMABLE)}")
        if self.starts not in STARTS:
            raise ConfigError(f"starts {self.starts!r}", fix=f"choose from {', '.join(map(repr, STARTS))}")
        if not 0 <= self.by < 1:
            raise ConfigError(f"claimed net gain {self.by!r}", fix="give a number from 0 to below 1, in score units")
        if not 0 <= self.transplant_by < 1:
            what = f"margin of the transplant test {self.transplant_by!r}"
            raise ConfigError(what, fix="give a number from 0 to below 1, in score units")
        if not 0 < self.alpha <= 0.05:
            raise ConfigError(f"alpha {self.alpha!r}", fix="give a number above 0 and at most 0.05")
        if self.extends is not None and not re.fullmatch(EXTENDS, self.extends):
            raise ConfigError(f"extends {self.extends!r}", fix="leave it out: `netgain extend` writes it")
        if not 0 < self.share < 1:
            raise ConfigError(f"share {self.share!r}", fix="give a number between 0 and 1; left out it is one half")
        for name, value, known in (("analysis", self.analysis, ANALYSES), ("about", self.about, ABOUT)):
            if value not in known:
                raise ConfigError(f"{name} {value!r}", fix=f"choose from {', '.join(map(repr, known))}")
        self._check_unit()
        self._check_looks()

    def _check_looks(self) -> None:
        sizes: list[Any] = list(self.looks)
        least, most = MEAN_STARTS
        if self.looks != OPEN and (not sizes or sizes != sorted({size for size in sizes if _at_least_one(size)})):
            raise ConfigError(f"looks {sizes!r}", fix="give increasing numbers of starts, as in 6, 9, 12, or 'open'")
        if self.analysis != "mean":
            return
        if self.looks == OPEN or not all(least <= size <= most for size in self.sizes):
            raise ConfigError(
                f"looks {self.looks!r} with analysis 'mean': fewer than {least} starts do not bound a mean",
                fix=f"give numbers of starts from {least} to {most}, best a single one, as in looks = [{least}]",
            )
        if self.share != 0.5:
            raise ConfigError(f"share {self.share!r} with analysis 'mean'", fix="leave `share` out: a mean has none")

    def _check_unit(self) -> None:
        """A claim about a version has items as its unit: what needs starts does not fit."""
        if self.about != "version":
            return
        wrong = [
            ("rung", self.rung, self.rung == "R1", "R1: one run attributes nothing to a loop"),
            ("beats", tuple(self.beats), tuple(self.beats) == ("frozen",), "('frozen',): generation 0"),
            ("analysis", self.analysis, self.analysis == "typical start", "none: it is about starts"),
            ("share", self.share, self.share == 0.5, "none: it is a share of starts"),
            ("looks", self.looks, tuple(self.looks) in (USUAL_LOOKS, (1,)), "none: its items are looked at once"),
        ]
        for name, value, fits, expected in wrong:
            if not fits:
                raise ConfigError(
                    f"{name} {value!r} in a claim about a version, whose unit is items; it can have {expected}",
                    fix="claim about = 'loop', whose unit is starts, or change it",
                )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of starts at which the claim may be decided; a version has one."""
        return (1,) if self.about == "version" else registered_sizes(self.looks)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as registered."""
        looks = self.looks if self.looks == OPEN else list(self.looks)
        return {**asdict(self), "beats": list(self.beats), "looks": looks}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Claim:
        """The claim of `to_json`."""
        return cls(**record)


def _at_least_one(size: object) -> bool:
    return isinstance(size, int) and size >= 1
