"""`ladder`: the simulated learner of `netgain.testing.ladder` as a recipe; needs no torch and a minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.recipes import Built
from netgain.testing.ladder import Ladder

SIZES = {"tiny": (7, 5, 60), "default": (10, 5, 200), "full": (12, 9, 200)}  # target, rounds, own answers a round
NOTES = {
    "check": "share of wrong answers that the own check catches; 0: no check",
    "gain": "how much is learnt; 0: nothing",
    "improver": "what it is worth elsewhere: answers, fixed, overfit, saturating, accelerating",
}
ARMS = ("self", "frozen", "ordinary", "placebo", "flat", "stacked", "unguarded:own.filter", "sampled", "ungated")
MORE_ARMS = ("one_step", "random_proposer")  # what the rungs of an improver of its own need besides
CONTROLS = ("frozen", "ordinary", "placebo", "flat", "stacked", "sampled")


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options."""
    if device != "cpu":
        raise ConfigError(f"device {device!r}", fix="`ladder` is simulated on 'cpu'")
    options = dict(given)
    size = str(options.pop("size", "default"))
    if size not in SIZES:
        raise ConfigError.unknown("size", size, SIZES)
    known = [one.name for one in fields(Ladder)]
    for name in options:
        if name not in known:
            raise ConfigError.unknown("option of recipe 'ladder'", name, known)
    target, rounds, own = SIZES[size]
    ladder = Ladder(**{"target": target, "own": own, **options})
    arms = tuple(name for name in ARMS if ladder.check or ":" not in name)
    arms += () if ladder.improver == "answers" else MORE_ARMS
    rung = "R4" if ladder.improver == "answers" else "R6"
    claim = Claim("ladder", by=0.2, beats=tuple(name for name in CONTROLS if name in arms), rung=rung, expected=0.4)
    return Built(
        ladder.loop(), ladder.suite(), claim, arms, rounds,
        options={"check": ladder.check, "gain": ladder.gain, "improver": ladder.improver}, notes=NOTES,
    )  # fmt: skip
