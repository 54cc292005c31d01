"""What is found about one world: its truth, what was said, and how much was run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from netgain.evidence.looks import looks_of
from netgain.evidence.power import mean_chances, planned_chances, version_chances
from netgain.gauntlet.lineage import AXIS, suite
from netgain.gauntlet.record import claim_of
from netgain.gauntlet.studies import Outcome, run_studies
from netgain.gauntlet.truth import Truth, truth_of
from netgain.gauntlet.world import World

Json = Any


@dataclass(frozen=True)
class Size:
    """How much is run.

    Attributes:
        studies: per mechanism, spread over its strengths.
        truth: starts that a truth is computed from.
        rules: studies per mechanism that the rules of the field are run on.
        random: configurations that the search for the worst strength draws, of `probe` studies each.
        probe, again: studies of a drawn configuration; fresh studies of the worst one found.
        real: studies of each small real loop.
        engines: runs of each real engine on each of its mechanisms.
    """

    studies: int
    truth: int
    rules: int
    random: int
    probe: int
    again: int
    real: int
    engines: int


QUICK = Size(studies=60, truth=200, rules=60, random=0, probe=0, again=0, real=1, engines=1)
LONG = Size(studies=204, truth=10_000, rules=204, random=200, probe=6, again=200, real=20, engines=20)


@dataclass(frozen=True)
class Found:
    """One world: what is true of it, and what was said."""

    strength: float
    world: World
    truth: Truth
    outcomes: Sequence[Outcome]

    @property
    def true(self) -> bool:
        """Whether the claim is true."""
        return self.truth.bears(self.world)

    @property
    def supported(self) -> int:
        """Words beginning with SUPPORTED."""
        return sum(one.word.startswith("SUPPORTED") for one in self.outcomes)

    @property
    def over_claims(self) -> int:
        """Of these, at a rung above the true one or with a claimed effect that is not below the true net gain."""
        return 0 if self.true else self.supported

    @property
    def false_refuted(self) -> int:
        """REFUTED although the claim is true."""
        return sum(one.word == "REFUTED" for one in self.outcomes) if self.true else 0

    @property
    def invalid(self) -> int:
        """INVALID words."""
        return sum(one.word == "INVALID" for one in self.outcomes)

    @property
    def promised(self) -> float:
        """Chance of SUPPORTED that `plan` would print for this net gain, before the run."""
        claim, gain = claim_of(self.world), self.truth.gain
        if claim.about == "version":
            items, yes_no = suite(self.world.gain.guards)[AXIS].sealed_items, claim.by == 0.0
            return version_chances(items, gain=gain - claim.by, second_moment=max(0.15, gain), level=claim.alpha,
                                   yes_no=yes_no).supported  # fmt: skip
        if claim.analysis == "mean":
            return mean_chances(claim.sizes, expected=gain, delta=claim.by, starve=claim.starve, spread=0.05).supported
        looks = looks_of(claim.looks, share=claim.share, level=claim.alpha)
        return planned_chances(looks, expected=gain, delta=claim.by, starve=claim.starve, spread=0.05).supported


def seed_of(seed: int, world: World, purpose: str) -> list[int]:
    """Randomness of one world: from its numbers, never from its name."""
    text = json.dumps([world.to_json(), purpose], sort_keys=True)
    return [seed, int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")]


def look_at(world: World, studies: int, size: Size, seed: int, strength: float, purpose: str = "studies") -> Found:
    """Studies of one world, and its truth."""
    outcomes = run_studies(world, studies, seed_of(seed, world, purpose)) if studies else []
    return Found(strength, world, truth_of(world, starts=size.truth), outcomes)


def spread(total: int, parts: int) -> list[int]:
    """`total` in `parts` shares that differ by at most one."""
    return [total // parts + (place < total % parts) for place in range(parts)]
