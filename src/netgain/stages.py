"""The seams of a loop: what a user writes, as Protocols, and the `Loop` that holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from netgain.budget import UNITS, Budget
from netgain.errors import ConfigError
from netgain.records import Change, Examples, Started, View
from netgain.surfaces import known_surfaces

Json = Any
System = Any
GATE_MODES = ("strict", "advance", "watch")
USES = ("filter", "pace")
RUNTIME = ("quarantined", "metering")  # numbers that no probe may stand for: a verifier derives them from the record
MOST_PARTS = 4  # of a system: 16 mixtures, each asked a sealed block


class Start(Protocol):
    def __call__(self, rng: Any, /) -> System | Started: ...


class Propose(Protocol):
    def __call__(self, view: View, /) -> Change: ...


class Build(Protocol):
    def __call__(self, parent: System, change: Change, budget: Budget, rng: Any, /) -> System: ...


@dataclass(frozen=True)
class Building:
    """One run's build: what `build` is given."""

    parent: System
    change: Change
    budget: Budget
    rng: Any


class BuildMany(Protocol):
    def __call__(self, buildings: Sequence[Building], /) -> Sequence[System]: ...


class Answer(Protocol):
    def __call__(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any, /) -> Sequence[Json]: ...


class Oracle(Protocol):
    def __call__(self, inputs: Sequence[Json], labels: Sequence[Json], /) -> Sequence[bool]: ...


class OwnScore(Protocol):
    def __call__(self, judge: System, system: System, budget: Budget, rng: Any, /) -> float: ...


class Codec(Protocol):
    """Systems as bytes and back: deterministic, and never by running code found in the bytes."""

    def encode(self, system: System) -> bytes: ...

    def decode(self, data: bytes) -> System: ...


@dataclass(frozen=True)
class Filter:
    """A check of the loop's own over its examples.

    Attributes:
        name: key of its verdicts in `Change.checks`.
        uses: what the verdicts do: "filter" (which examples are kept), "pace" (the share that passed is shown to the
            pacing rule).
    """

    name: str
    uses: tuple[str, ...] = USES


@dataclass(frozen=True)
class Inside:
    """What a probe is given.

    Attributes:
        first, system: generation 0 and the candidate.
        inputs: of the canary items of the gate axis, without targets.
        kept: own examples that the candidate was trained on; None where the loop has no checks.
        budget, rng: as everywhere.
    """

    first: System
    system: System
    inputs: Sequence[Json]
    kept: Examples | None
    budget: Budget
    rng: Any


class Look(Protocol):
    def __call__(self, inside: Inside, /) -> Mapping[str, Json]: ...


@dataclass(frozen=True)
class Probe:
    """A look inside: what monitors may read of a candidate beside its answers, such as the geometry of its activations.

    Attributes:
        name: small letters, digits and _; what monitors that read this name are given (`netgain.monitors`).
        look: `Inside` -> a record of plain JSON values, every number finite.
    """

    name: str
    look: Look

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ConfigError(f"probe {self.name!r}", fix="name it with small letters, digits and _")
        if self.name in RUNTIME:
            raise ConfigError(f"probe {self.name!r} has the name of a number that a run records itself",
                              fix=f"choose another than {', '.join(RUNTIME)}")  # fmt: skip


class Drift(Protocol):
    def __call__(self, first: System, last: System, rng: Any, /) -> System: ...


@dataclass(frozen=True)
class Transplant:
    """How an improver is tried alone, on systems and tasks that it has never met: what the rungs R6 and R7 rest on.

    Attributes:
        propose: view -> Change; one round by `view.improver` on `view.parent`, a generation 0 of another start, with
            tasks or a difficulty that no round of a run uses. The position is not moved: `view.state` is None.
        drifted: (first, last, rng) -> a system as far from `first` as `last` is, in a random direction: an improver
            that has changed as much and learnt nothing.
        starts: foreign starts that every improver is tried on, at most.
    """

    propose: Propose
    drifted: Drift
    starts: int = 2

    def __post_init__(self) -> None:
        if self.starts < 1:
            raise ConfigError(f"transplant to {self.starts!r} foreign starts", fix="give a whole number of at least 1")


@dataclass(frozen=True)
class Separable:
    """How a system comes apart into parts that also work in another one: weights, prompt, tools, retrieval store.

    At the seal all mixtures of the first and the final parts of the claimed arm are asked (`netgain attribution`).

    Attributes:
        names: two to four parts.
        split: system -> {name: part}.
        join: {name: part} -> system; what was split gives the same system again, to the byte.
    """

    names: Sequence[str]
    split: Callable[[System], Mapping[str, Any]]
    join: Callable[[Mapping[str, Any]], System]

    def __post_init__(self) -> None:
        fits = 2 <= len(self.names) <= MOST_PARTS and len(set(self.names)) == len(self.names)
        if not fits or not all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in self.names):
            raise ConfigError(
                f"separable parts {list(self.names)!r}",
                fix=f"give two to {MOST_PARTS} different names of small letters, digits and _",
            )


def build_single_part(parent: System, change: Change, budget: Budget, rng: Any) -> System:
    """The default build: the payload of the only part is the new system. It spends nothing, which it books.

    Raises:
        ValueError: several parts; such a loop has to say how they are put together.
    """
    if len(change.parts) != 1:
        raise ValueError(f"{len(change.parts)} parts: give the loop a build function")
    budget.spend(**{unit: 0.0 for unit in UNITS if unit != "device_seconds"})
    return change.parts[0].payload


@dataclass(frozen=True)
class Loop:
    """What changes itself, and how.

    Attributes:
        start: rng -> generation 0, or `Started(system, spent)` with what it cost; only seconds are known otherwise.
        propose: view -> Change; one turn of the closed loop.
        answer: (system, inputs, budget, rng) -> outputs, one per input.
        build: (parent, change, budget, rng) -> system; default: the single part's payload.
        build_many: builds of several runs at once -> their systems, each the same, to the byte, whoever is beside it,
            and what `build` gives; None: they are built one by one.
        ordinary: plain training or tuning without the loop's signal, view -> Change; or a menu {name: view -> Change}
            of which the best counts.
        random_search: view -> Change, one random admissible edit; the arm `random_search` falls back on `propose` on
            generation 0, `random_proposer` has nothing to fall back on.
        sampled: like `answer`, but may draw `budget.tries` answers per item and pick by the system's own check;
            default: `answer` so many times, and the answer that came most often.
        unaided: `propose` with every decision of a person replaced by its default.
        oracle: (inputs, labels) -> truth of self-made labels; used to measure, and by the arm `oracle`.
        own_score: how the loop scores a system by its own lights, in [0, 1]: `judge` asks and checks, `system` answers.
            With generation 0 as judge it is the loop's round-0 score of every later system, which the report shows.
        filters: the loop's own checks, each with its uses.
        probes: looks inside a candidate, for monitors; no verdict rests on them.
        state: what is parent, improver and position, in words; without it `flat`, `stacked` and `one_step` are not
            testable.
        transplant: how its improver is moved to foreign starts and tasks; without it R6 and R7 are not testable.
        not_testable: arm -> why this loop has no such control.
        surfaces: what a change may touch.
        closable: surfaces that `propose` leaves alone when `view.closed` names them; the arm `without:SURFACE`.
        gate: "strict", "advance" or "watch".
        sees_accepted: whether a proposal is told the last decision, one bit of outside truth; a loop that goes by its
            own signal alone does without.
        codec: systems as bytes; default: JSON and arrays.
        separable: how a system comes apart, for the mixtures of first and final parts; None: it is one piece.
        keeps_positions: whether positions stay in a finished study: for a loop that keeps what it asked there.
        environment: names of variables of the environment that its functions read; workers see few others.
        sandbox: lowest level of a sandbox that programs which it judges may run in; None: it judges no programs.
        apart: whether each task is done in a process of its own that finds nothing of earlier ones; False for a loop
            that starts something which is slow to start, and keeps nothing in memory that an arm should not find.
        ready: called before plans and runs; raises `ConfigError` where something that the loop needs is missing.
    """

    start: Start
    propose: Propose
    answer: Answer
    build: Build = build_single_part
    build_many: BuildMany | None = None
    ordinary: Propose | Mapping[str, Propose] | None = None
    random_search: Propose | None = None
    sampled: Answer | None = None
    unaided: Propose | None = None
    oracle: Oracle | None = None
    own_score: OwnScore | None = None
    filters: Sequence[Filter] = ()
    probes: Sequence[Probe] = ()
    state: Mapping[str, str] | None = None
    transplant: Transplant | None = None
    not_testable: Mapping[str, str] = field(default_factory=dict)
    surfaces: Sequence[str] = ("policy",)
    closable: Sequence[str] = ()
    gate: str = "strict"
    sees_accepted: bool = True
    codec: Codec | None = None
    separable: Separable | None = None
    keeps_positions: bool = False
    environment: Sequence[str] = ()
    sandbox: int | None = None
    apart: bool = True
    ready: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        known_surfaces(self.surfaces)
        for name in self.closable:
            if name not in self.surfaces:
                raise ConfigError.unknown("closable surface", name, self.surfaces)
        if self.gate not in GATE_MODES:
            raise ConfigError(f"unknown gate mode {self.gate!r}", fix=f"choose from {', '.join(GATE_MODES)}")
        for check in self.filters:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", check.name) or not set(check.uses) <= set(USES):
                raise ConfigError(f"filter {check.name!r} with uses {check.uses!r}", fix=f"uses are {', '.join(USES)}")

    @property
    def menu(self) -> dict[str, Propose]:
        """The registered variants of plain training."""
        if self.ordinary is None:
            return {}
        return dict(self.ordinary) if isinstance(self.ordinary, Mapping) else {"plain": self.ordinary}
