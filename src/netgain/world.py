"""What the stages of a study share: the loop and its suite, the doers, the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from netgain.arms import Arm, answers_per_item
from netgain.evaluation import Asking, Under
from netgain.items import Dealer
from netgain.jobs import Jobs, Spend, Store
from netgain.ledger.events import Event, Stored
from netgain.planted import Canaries
from netgain.probation import Probation
from netgain.run import Row
from netgain.seeding import stream
from netgain.stages import Loop
from netgain.suite import Suite
from netgain.wire import pack, unpack

Json = Any


class Log(Protocol):
    """The ledger, as a step sees it."""

    def append(self, events: Sequence[Event]) -> object: ...

    def row(self, run: str) -> dict[str, Json] | None: ...

    def rows(self) -> dict[str, dict[str, Json]]: ...

    def events(self, kind: str | None = ..., run: str | None = ...) -> Iterator[Stored]: ...


class Gate(Protocol):
    """Decides on scores, and lets nothing through without a receipt."""

    def decide(
        self,
        mode: str,
        k: int,
        columns: Mapping[str, Mapping[str, Any]],
        *,
        exhausted: bool,
        waived: Sequence[str],
        promoted: int = 0,
    ) -> Any: ...

    def screen(
        self, mode: str, promoted: int, candidate: Sequence[Any], released: Sequence[Any], *, waived: Sequence[str]
    ) -> Any: ...

    def receipt(
        self, mode: str, decision: Any, candidate: str, released: str, *, waived: Sequence[str]
    ) -> dict[str, Json]: ...

    def admits(
        self, receipt: Mapping[str, Json] | None, candidate: str, released: str, *, waived: Sequence[str]
    ) -> bool: ...


class Scanner(Protocol):
    """Looks for protected items: documents -> place of one that holds any -> short digests of their questions."""

    def __call__(self, documents: Sequence[Json], /) -> Mapping[int, frozenset[str]]: ...


class Monitor(Protocol):
    """Looks at what a run has shown so far (`netgain.monitors`): registered with its threshold, pure, re-computable."""

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> str: ...

    @property
    def action(self) -> str: ...

    def look(self, history: Sequence[Mapping[str, Json]]) -> Any: ...

    def to_json(self) -> dict[str, Json]: ...


@dataclass(frozen=True)
class World:
    """Everything that the stages of a study share. No stage writes to it but through `log` and `store`."""

    loop: Loop
    suite: Suite
    arms: Mapping[str, Arm]  # run name -> arm
    gate: Gate
    mode: str
    dealer: Dealer
    root: str
    log: Log
    store: Store
    jobs: Jobs
    rounds: int
    limits: Mapping[str, float] = field(default_factory=dict)  # tokens, flops, calls of one run of `self`
    tries: int = 8
    schedule: Callable[[str], Mapping[int, Spend]] = lambda run: {}  # round -> build spend of a run up to its end
    keep_at: tuple[int, ...] = ()
    one_generation_0: bool = False  # all starts share it: the claim is about runs from this one
    screen_items: int = 0  # development items on which a candidate is screened before it is confirmed
    draws: int = 1  # answers per item at the gate, averaged inside the item
    show_step: float | None = None  # width of the steps of the number that loops are shown; None: none is
    scanner: Scanner = lambda documents: {}  # looks for protected items in what a loop makes
    monitors: Sequence[Monitor] = ()  # registered; they look at every candidate before the gate does
    probation: Probation | None = None  # registered: promoted generations are on trial beside the one before
    canaries: Canaries | None = None  # planted in protected items; looked for in proposals and answers
    contract: Under = field(default_factory=Under)  # contract and epoch that every score belongs to
    asked: Callable[[], bool] = lambda: False  # whether somebody wants the run to end
    moved: Callable[[], Sequence[str]] = tuple  # parts of the contract that are no longer what they were recorded as

    def arm(self, row: Row) -> Arm:
        """The arm of a run."""
        return self.arms[f"{row.arm}.{row.variant}" if row.variant else row.arm]

    def asking(self, row: Row, stage: str) -> Asking:
        """How the systems of a run are asked in a stage."""
        trained_on = frozenset(unpack(self.store.get(row.seen))) if row.seen else frozenset()
        return Asking(row.replica, self.seed(row, stage, "answer"), self.tries_of(row), trained_on, self.canaries)

    def tries_of(self, row: Row) -> int:
        """Answers per item that a run may draw before it gives one."""
        return answers_per_item(self.arm(row), self.tries)

    def known(self, row: Row, questions: Iterable[str]) -> str:
        """What a run has been trained on so far, by short digests, with these questions."""
        before = unpack(self.store.get(row.seen)) if row.seen else []
        return self.store.put(pack(sorted({*before, *questions})))

    def start_seed(self, row: Row) -> str:
        """The stream that generation 0 is made from."""
        return self.seed(replace(row, replica=0) if self.one_generation_0 else row, "start")

    def seed(self, row: Row, stage: str, purpose: str = "", arm: str | None = None) -> str:
        """A random stream as hex; shared by all arms of a replica unless `arm` is given or the arm draws its own."""
        own = self.arm(row).name if self.arm(row).own_streams and row.round else arm
        return f"{stream(self.root, row.replica, row.round, stage, purpose, arm=own):032x}"


@dataclass(frozen=True)
class Outcome:
    """What a stage gives: the next row, its record, further events, and what it spent."""

    row: Row
    out: dict[str, Json] = field(default_factory=dict)
    events: Sequence[Event] = ()
    start: Spend | None = None  # for generation 0: once per replica, the same for all its arms
    build: Spend | None = None
    answer: Spend | None = None
