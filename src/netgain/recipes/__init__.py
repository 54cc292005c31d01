"""Built-in real loops. A recipe is one module (or folder) readable alone; this is their register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any, TypeVar

from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.stages import Loop
from netgain.suite import Suite


@dataclass(frozen=True)
class Recipe:
    """What `netgain recipes` says of a recipe.

    Attributes:
        name: as in `netgain run NAME`.
        module: where its `make(options, device=…)` is.
        surfaces: what the loop changes.
        needs: extras that have to be installed.
        minutes: wall time of the default study on two idle cores.
        summary: one sentence.
    """

    name: str
    module: str
    surfaces: tuple[str, ...]
    needs: tuple[str, ...]
    minutes: float
    summary: str


@dataclass(frozen=True)
class Built:
    """A recipe with its options applied.

    Attributes:
        loop, suite, claim: what changes itself, how it is measured, what is claimed by default.
        arms: arms of this size.
        replicas, rounds: of this size.
        limits: of one run of `self`.
        notes: option -> what it means, for the written file.
        imports: modules that the loop's functions import when first called; a worker does it before its clock runs.
    """

    loop: Loop
    suite: Suite
    claim: Claim
    arms: Sequence[str]
    rounds: int
    replicas: int = 6
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    imports: Sequence[str] = ()


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "length",
            "netgain.recipes.length",
            ("data", "curriculum", "weights"),
            ("torch",),
            13.0,
            "a small transformer teaches itself longer strings on answers that it checked itself",
        ),
        Recipe(
            "blend",
            "netgain.recipes.blend",
            ("data", "weights", "training", "policy"),
            ("torch",),
            4.0,
            "the loop of `length` on three surfaces at once: which of them was its gain due to",
        ),
        Recipe(
            "ladder",
            "netgain.recipes.ladder",
            ("data", "curriculum", "weights"),
            (),
            1.0,
            "a simulated learner of known truth climbs the same ladder without torch: for trying things out",
        ),
        Recipe(
            "improver",
            "netgain.recipes.improver",
            ("improver", "curriculum"),
            (),
            2.0,
            "an evolution strategy edits its own numbers, beside strategies that stay, drift, or are drawn at random",
        ),
        Recipe(
            "trainer",
            "netgain.recipes.trainer",
            ("training", "architecture"),
            ("sklearn",),
            2.0,
            "a classifier of digits edits its own training procedure, and claims more than fresh trainings give",
        ),
        Recipe(
            "solver",
            "netgain.recipes.solver",
            ("policy", "tools"),
            (),
            5.0,
            "a network and a search solve puzzles; the loop edits how it searches, beside plain search with more looks",
        ),
        Recipe(
            "connect",
            "netgain.recipes.connect",
            ("data", "weights"),
            (),
            3.0,
            "a network learns Connect Four from its own searched games, beside a teacher that stays and plain search",
        ),
        Recipe(
            "collapse",
            "netgain.recipes.collapse",
            ("data", "weights"),
            (),
            1.0,
            "planted: a model fitted to its own samples thinks ever better of itself and gets worse",
        ),
        Recipe(
            "goodhart",
            "netgain.recipes.goodhart",
            ("data", "weights"),
            (),
            1.0,
            "planted: a policy climbs a proxy that few labels taught, past the peak of what is wanted",
        ),
        Recipe(
            "drift",
            "netgain.recipes.drift",
            ("data", "weights"),
            ("sklearn",),
            2.0,
            "planted: digits labelled by the learner itself; it dares more and refuses less at unchanged accuracy",
        ),
        Recipe(
            "leader",
            "netgain.recipes.leader",
            ("data", "policy"),
            (),
            1.0,
            "planted: one evaluation set asked again and again, until its score rises on nothing",
        ),
        Recipe(
            "scaffold",
            "netgain.recipes.scaffold",
            ("policy", "improver"),
            (),
            2.0,
            "a language model of yours edits a program, a prompt or a skill file, and the instructions for its edits",
        ),
        Recipe(
            "pack",
            "netgain.recipes.pack",
            ("policy",),
            (),
            4.0,
            "a bin-packing heuristic rewrites its own program, judged in a sandbox, beside random and tuned ones",
        ),
    )
}


Settings = TypeVar("Settings")


def with_options(kind: type[Settings], recipe: str, given: Mapping[str, Any], device: str) -> Settings:
    """The settings of a recipe that computes on this processor alone, a dataclass of its own, with these options.

    Raises:
        ConfigError: another device, an option that the recipe does not have, or a value that it does not take.
    """
    if device != "cpu":
        raise ConfigError(f"device {device!r}", fix=f"`{recipe}` runs on 'cpu'")
    known = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise ConfigError.unknown(f"option of recipe {recipe!r}", name, known)
    return kind(**given)


def options_of(made: Any) -> dict[str, Any]:
    """What stands in the written file: every setting but the size, which has a key of its own."""
    return {one.name: getattr(made, one.name) for one in fields(made) if one.name != "size"}


def recipe_named(name: str) -> Recipe:
    """A recipe from its name.

    Raises:
        ConfigError: no such recipe; lists those there are.
    """
    if name not in RECIPES:
        raise ConfigError.unknown("recipe", name, RECIPES)
    return RECIPES[name]


def build_recipe(name: str, options: Mapping[str, Any], size: str | None, device: str = "cpu") -> Built:
    """A recipe with its options and size applied.

    Raises:
        ConfigError: an unknown recipe, option or size.
    """
    module = import_module(recipe_named(name).module)
    return module.make({**options, "size": size or "default"}, device=device)  # type: ignore[no-any-return]
