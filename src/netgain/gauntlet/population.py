"""Populations of mechanisms: the public one to develop with, and a held-out file, each opening of which is a look.

A file is JSON (`docs/gauntlet.md`): {"schema": "netgain.population/1", "name", "mechanisms": [...]}. The development
population is such a file too and comes through the same door.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from netgain.attempts import registry
from netgain.errors import ConfigError
from netgain.gauntlet.world import World

Json = Any
SCHEMA = "netgain.population/1"
KINDS = ("fake", "genuine", "boundary", "a/a", "outside")
CLASSES = {  # incidents of each mechanism class in the catalogue: weights of the average over classes (method 5.2)
    "S": ("scorer exploit", 11), "N": ("noise or selection", 8), "A": ("attribution", 6), "L": ("leak", 6),
    "B": ("biased or self-made feedback", 3), "C": ("compute", 2), "H": ("harness change", 1), "D": ("drift", 1),
}  # fmt: skip
DETECTORS = ("engine", "guards", "none")
KEYS = ("mechanism", "kind", "class", "detector", "adversarial", "strength", "grid", "world", "right")


@dataclass(frozen=True)
class Mechanism:
    """One planted mechanism, genuine or fake.

    Attributes:
        name, kind: what it is called, and one of `KINDS`.
        letter: its class, a key of `CLASSES`, or "-".
        detector: "engine" when this evidence has to catch it, "guards" when that needs detectors of the guards, "none"
            for what no evidence inside the wall can show.
        strength: numbers of the world that the strength sets, as `part.field`.
        grid: at least six strengths.
        world: the rest.
        right: what the right answer is, one line.
        adversarial: number in the list of adversarial worlds, None outside it.
    """

    name: str
    kind: str
    letter: str
    detector: str
    strength: Sequence[str]
    grid: Sequence[float]
    world: World
    right: str = ""
    adversarial: int | None = None

    def at(self, strength: float) -> World:
        """The world at a strength."""
        world = self.world
        for path in self.strength:
            world = world.at(path, strength)
        return world


@dataclass(frozen=True)
class Opening:
    """One look at a held-out population on this machine.

    Attributes:
        number: openings so far, this one included; None when the list cannot be kept: unknown, not 0.
        changed: whether the code of the verdict is another than at the last opening; None at the first.
    """

    number: int | None
    changed: bool | None


@dataclass(frozen=True)
class Population:
    """Mechanisms that are run together."""

    name: str
    mechanisms: Sequence[Mechanism]
    digest: str
    held_out: bool = False
    opening: Opening | None = None  # of a held-out file


def development() -> Population:
    """The public population."""
    text = resources.files("netgain.gauntlet").joinpath("development.json").read_text("utf-8")
    return _read(text, "development.json")


def chosen(population: Population, names: Sequence[str]) -> Population:
    """Some mechanisms of a population, in its order; digest and name stay those of the whole.

    Raises:
        ConfigError: a name that it does not have.
    """
    known = [one.name for one in population.mechanisms]
    for name in names:
        if name not in known:
            raise ConfigError.unknown("mechanism", name, known)
    return replace(population, mechanisms=tuple(one for one in population.mechanisms if one.name in names))


def held_out(path: Path) -> Population:
    """A population from a file. Opening it is a look, which is booked on this machine before anything is run.

    Raises:
        ConfigError: no such file, or not a population.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read a population: {error}", where=str(path), fix="see docs/gauntlet.md") from None
    found = _read(text, str(path))
    return Population(found.name, found.mechanisms, found.digest, held_out=True, opening=book_look(found.digest))


def _read(text: str, where: str) -> Population:
    fix = "the format is in docs/gauntlet.md"
    try:
        record = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"not JSON: {error}", where=where, fix=fix) from None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise ConfigError(f"no population: its `schema` is not {SCHEMA!r}", where=where, fix=fix)
    listed = record.get("mechanisms")
    if not isinstance(listed, list) or not listed:
        raise ConfigError("no mechanisms", where=where, fix=fix)
    found = [_mechanism(one, f"{where}: mechanism {place}") for place, one in enumerate(listed)]
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise ConfigError("two mechanisms share a name", where=where, fix="name each once")
    return Population(str(record.get("name", "unnamed")), tuple(found), _digest(found))


def _digest(mechanisms: Sequence[Mechanism]) -> str:
    """What a population is known by: its worlds over their strengths. Names, words and order are no part of it."""
    worlds = [{"strength": sorted(one.strength), "grid": sorted(one.grid), "world": one.world.to_json()}
              for one in mechanisms]  # fmt: skip
    said = sorted(json.dumps(one, sort_keys=True) for one in worlds)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _mechanism(one: Mapping[str, Json], where: str) -> Mechanism:
    if not isinstance(one, dict):
        raise ConfigError(f"{one!r}", where=where, fix="give an object")
    for key in one:
        if key not in KEYS:
            raise ConfigError.unknown(f"key of {where}", key, KEYS)
    if absent := [key for key in ("mechanism", "kind", "strength", "grid", "world") if key not in one]:
        raise ConfigError(f"{where} has no {absent[0]!r}", fix=f"keys are {', '.join(KEYS)}")
    for name, value, known in (
        ("kind", one["kind"], KINDS), ("class", one.get("class", "-"), (*CLASSES, "-")),
        ("detector", one.get("detector", "engine"), DETECTORS),
    ):  # fmt: skip
        if value not in known:
            raise ConfigError.unknown(f"{name} of {where}", value, known)
    grid = [float(value) for value in one["grid"]]
    if len(grid) < 6:
        raise ConfigError(f"{where} has {len(grid)} strengths", fix="give at least 6")
    found = Mechanism(
        str(one["mechanism"]), one["kind"], one.get("class", "-"), one.get("detector", "engine"),
        tuple(one["strength"]), tuple(grid), World.from_json(one["world"]), str(one.get("right", "")),
        one.get("adversarial"),
    )  # fmt: skip
    for strength in grid:
        found.at(strength)  # an unknown number is an error now, not in the middle of a run
    return found


def exposure_ledger() -> Path:
    """The machine-local list of openings, beside the registry of attempts."""
    return registry().with_name("exposure.json")


def book_look(digest: str) -> Opening:
    """Book one opening of a population by the digest of its content: a renamed file is the same population."""
    path, code = exposure_ledger(), verdict_code()
    try:
        held = json.loads(path.read_text("utf-8")) if path.exists() else []
        earlier = [one for one in held if one["population"] == digest]
        opened = datetime.now(UTC).isoformat(timespec="seconds")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps([*held, {"population": digest, "opened": opened, "verdict_code": code}], indent=1))
        part.replace(path)
        return Opening(len(earlier) + 1, earlier[-1]["verdict_code"] != code if earlier else None)
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return Opening(None, None)


def verdict_code() -> str:
    """Digest of the modules in which a threshold of gate or verdict could be changed."""
    package = resources.files("netgain")
    found = hashlib.sha256()
    for folder in ("evidence", "gates", ""):
        for one in sorted(package.joinpath(folder).iterdir(), key=lambda path: path.name):
            if one.name.endswith(".py") and (folder or one.name in ("case.py", "facts.py")):
                found.update(one.name.encode() + one.read_bytes())
    return found.hexdigest()
