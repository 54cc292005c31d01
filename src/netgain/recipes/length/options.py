"""What can be set of the `length` recipe; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from netgain.errors import ConfigError
from netgain.recipes.length.sizes import SIZES, SLOWER_BASE, SLOWER_ROUND, Size

PLANTS = {
    "none": "the loop as it is",
    "forget": "no base strings in a round: what was known is not rehearsed",
    "forget_all": "a round trains on its newest own answers alone, and four times as long: no base strings, and no own "
    "sets of earlier rounds",
    "hasty": "three symbols longer every round, whatever passed",
    "biased": "the own check lets most of the wrong answers of its own pass",
    "shuffled": "labels of the own answers exchanged among each other",
    "harness": "in some rounds the last symbol of every answer is cut off, whoever answers",
    "exploit": "the own check asks for the right symbols in any order, and the own answers are the questions",
    "leak5": "one in twenty of the own examples is an item of the published bank, with its answer",
    "leak15": "the same with three in twenty",
    "leak30": "the same with six in twenty",
    "silent": "a round trains four times as long as it books",
}
FORGETS = ("forget", "forget_all")  # plants without base strings, the second without older own sets as well
LONGER = 4  # times as many steps, all of them booked, in which `forget_all` forgets
LEAKS = {"leak5": 0.05, "leak15": 0.15, "leak30": 0.3}  # plant -> share of a round's own examples
ITEMS = ("fresh", "bank")
SCORERS = ("exact", "symbols")
CHECKS = {"reverse": ("cycle", "vote", "none"), "copy": ("vote", "none"), "addition": ("commute", "vote", "none")}


@dataclass(frozen=True)
class Options:
    """What can be set in `[options]`.

    Attributes:
        task: "reverse", "copy" or "addition".
        check: an own check that makes sense for the task.
        size: "tiny", "default" or "full".
        plant: a pathology to see detectors at work: one of `PLANTS`.
        items: of the ladder: "fresh" (made anew from a secret for every decision) or "bank" (published, so that they
            can leak).
        scorer: of the ladder: "exact", or "symbols" (the right symbols in any order will do) beside the exact one.
        abreast: train the models of several runs as one stack of matrix products; equal up to rounding.
    """

    task: str = "reverse"
    check: str = "cycle"
    size: str = "default"
    plant: str = "none"
    items: str = "fresh"
    scorer: str = "exact"
    abreast: bool = False

    def __post_init__(self) -> None:
        if self.task not in CHECKS:
            raise ConfigError.unknown("task", self.task, CHECKS)
        if self.check not in CHECKS[self.task]:
            raise ConfigError.unknown(f"check of task {self.task!r}", self.check, CHECKS[self.task])
        if self.size not in SIZES:
            raise ConfigError.unknown("size", self.size, SIZES)
        if self.plant not in PLANTS:
            raise ConfigError.unknown("plant", self.plant, PLANTS)
        for name, value, known in (("items", self.items, ITEMS), ("scorer", self.scorer, SCORERS)):
            if value not in known:
                raise ConfigError.unknown(name, value, known)
        if not isinstance(self.abreast, bool):
            raise ConfigError(f"abreast {self.abreast!r}", fix="give true or false")
        if self.plant in LEAKS and self.items != "bank":
            what = f"plant {self.plant!r} with items {self.items!r}, which nobody can know before they are asked"
            raise ConfigError(what, fix="add items=bank: only what is published can leak")

    @property
    def numbers(self) -> Size:
        """The numbers of the size, of the task, and of a plant that trains longer."""
        size, plain = SIZES[self.size], self.size == "tiny" or self.task == "reverse"
        size = size if plain else replace(size, base=SLOWER_BASE, round=SLOWER_ROUND)
        if self.plant != "forget_all":
            return size
        return replace(size, round=replace(size.round, steps=LONGER * size.round.steps))


def options_of(given: Mapping[str, Any]) -> Options:
    """Options from a table; the check of a task defaults to its first.

    Raises:
        ConfigError: an unknown key or value.
    """
    known = [one.name for one in fields(Options)]
    for name in given:
        if name not in known:
            raise ConfigError.unknown("option of recipe 'length'", name, known)
    task = str(given.get("task", "reverse"))
    return Options(**{"check": CHECKS.get(task, ("none",))[0], **given})
