"""Which backend runs foreign code on this machine: the first in order that works and keeps the level asked for.

A backend that is missing or runs nothing is passed over, and who was and why is part of the answer. One that runs
programs and lets an attack succeed ends the search: nothing weaker is tried in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netgain.errors import ConfigError, SandboxError
from netgain.sandbox import remedies
from netgain.sandbox.bare import Bare, Limited
from netgain.sandbox.bubblewrap import Bubblewrap
from netgain.sandbox.landlock import Landlock
from netgain.sandbox.probe import Outcome, probed, refuse_weak, works
from netgain.sandbox.seam import Backend, Level
from netgain.sandbox.server import ForkServer
from netgain.sandbox.wasm import Wasm

AUTO = "auto"


@dataclass(frozen=True)
class Kind:
    """A backend by its name: how it is made, the level it is for, and what to do where it is missing."""

    make: Callable[[], Backend]
    level: Level
    remedy: Callable[[remedies.Machine], str]


def _nothing(here: remedies.Machine) -> str:
    return "nothing to install"


# in the order of choice; `process` and `none` are below S2 and only taken where that is asked for
KINDS: Mapping[str, Kind] = {
    "bubblewrap": Kind(Bubblewrap, Level.S2, remedies.for_bubblewrap),
    "sandlock": Kind(Landlock, Level.S1, remedies.for_landlock),
    "wasm": Kind(Wasm, Level.S3, remedies.for_wasm),
    "process": Kind(Limited, Level.S1, _nothing),
    "none": Kind(Bare, Level.S0, _nothing),
}


@dataclass(frozen=True)
class Choice:
    """A backend, and those before it that could not be had, with the reason."""

    backend: Backend
    passed_over: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Row:
    """One backend in the table of `netgain doctor`.

    Attributes:
        name: Its name.
        level: What it is for.
        available: Whether it can be made here.
        why: What keeps it from that, or which limits nobody keeps.
        outcomes: What became of the attacks; None when it was not probed.
        remedy: The next step where it is not available or does not hold.
    """

    name: str
    level: Level
    available: bool
    why: str = ""
    outcomes: tuple[Outcome, ...] | None = None
    remedy: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether every attack was stopped; None when it was not probed."""
        return None if self.outcomes is None else all(one.stopped for one in self.outcomes)


def chosen(name: str = AUTO, *, least: Level = Level.S2, probe: bool = True) -> Choice:
    """The backend of this name, or the first that works.

    Args:
        name: One of `KINDS`, or "auto".
        least: The lowest level that will do.
        probe: Whether to attack it first, which takes a second or two; else it runs one harmless job.

    Raises:
        ConfigError: an unknown name, or a backend that is below the level asked for.
        SandboxError: none works, or an attack succeeded. The message has the remedy for this machine.
    """
    if name != AUTO and name not in KINDS:
        raise ConfigError.unknown("sandbox", name, [AUTO, *KINDS])
    if name != AUTO and KINDS[name].level < least:
        what = f"sandbox {name!r} keeps level S{int(KINDS[name].level)}, expected S{int(least)} at least"
        raise ConfigError(what, fix="take another, or say that the code is trusted by asking for a lower level")
    wanted = [one for one, kind in KINDS.items() if kind.level >= least] if name == AUTO else [name]
    passed: list[tuple[str, str]] = []
    for one in wanted:
        try:
            backend = KINDS[one].make()
            works(backend)
            outcomes = probed(backend) if probe else []
        except SandboxError as error:  # missing, or runs no program here: as good as missing
            passed.append((one, error.what))
            continue
        refuse_weak(backend, outcomes)
        return Choice(backend, tuple(passed))
    here = remedies.machine()
    told = "; ".join(f"{one}: {why}" for one, why in passed)
    raise SandboxError(f"no sandbox of level S{int(least)} works here ({told})", fix=KINDS[wanted[0]].remedy(here))


def warm(**options: Any) -> Backend:
    """A fork server in bubblewrap where that runs programs, else the first other backend of level S2 that does.

    Nothing is attacked here: `netgain.sandbox.probe.held` does that before a study begins.

    Args:
        options: of `ForkServer`.

    Raises:
        SandboxError: none works. The message has the remedy for this machine.
    """
    try:
        served = ForkServer(Bubblewrap(), **options)
        works(served)
    except SandboxError:  # no bwrap, or one that may make no namespaces
        return chosen(probe=False).backend
    return served


def table(*, attack: bool) -> list[Row]:
    """Every backend from level S1 up on this machine, attacked or only looked for."""
    here = remedies.machine()
    return [_row(name, kind, here, attack=attack) for name, kind in KINDS.items() if kind.level > Level.S0]


def _row(name: str, kind: Kind, here: remedies.Machine, *, attack: bool) -> Row:
    try:
        backend = kind.make()
        outcomes = tuple(probed(backend)) if attack else None
    except SandboxError as error:
        return Row(name, kind.level, False, error.what, None, kind.remedy(here))
    held = outcomes is None or all(one.stopped for one in outcomes)
    missing = "; ".join(getattr(backend, "missing", ()))
    return Row(name, kind.level, True, missing, outcomes, "" if held else "do not run foreign code in it")
