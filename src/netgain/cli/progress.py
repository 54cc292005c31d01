"""What one sees of a run while it goes on: a live board on a terminal, else one plain line per decision."""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from netgain.arms import Arm
from netgain.cli.folder import Project
from netgain.inert import plain
from netgain.ledger import Ledger, utc_now
from netgain.ledger.files import DIGESTS
from netgain.planning import Plan, run_seconds
from netgain.run import Row, run_id
from netgain.study import Stepped, Watcher

if TYPE_CHECKING:
    from rich.console import RenderableType

Json = Any
STAGES = ("propose", "build", "judge", "apply", "probation", "measure")
SHOWN_DECISIONS = 8
QUIET_SECONDS = 30.0  # between two lines on progress where nothing is redrawn


@contextmanager
def shown(project: Project, workers: int, plan: Plan | None, *, quiet: bool) -> Iterator[Watcher]:
    """A watcher that shows progress in the way that suits where it goes.

    Args:
        quiet: stdout is for one JSON object; people read stderr.
    """
    sink = sys.stderr if quiet else sys.stdout
    clock = Clock.started(project, workers, plan)
    if not _redraws(sink):
        yield Lines(clock, sink)
        return
    board = Board(clock)
    from rich.live import Live  # a terminal only

    with Live(get_renderable=board.drawn, refresh_per_second=2, transient=True, redirect_stdout=False):
        yield board


def _redraws(sink: TextIO) -> bool:
    """Whether to draw: on a terminal that can, and neither in CI nor where colours are unwanted."""
    refused = os.environ.get("CI") or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sink is sys.stdout and sink.isatty() and not refused


@dataclass
class Clock:
    """Time left, from measured seconds of stages; before the first, from the plan's calibration.

    Attributes:
        arms: run name -> arm.
        seconds: stage -> seconds of one, as planned.
        measured: stage -> [seconds, times].
        rows: run -> where it stands, as far as it is known.
    """

    project: Project
    workers: int
    arms: Mapping[str, Arm]
    seconds: dict[str, float]
    measured: dict[str, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    rows: dict[str, Row] = field(default_factory=dict)
    done: int = 0
    of: int = 0

    @classmethod
    def started(cls, project: Project, workers: int, plan: Plan | None) -> Clock:
        """From the plan just made, or from the ledger of a study that is continued."""
        rows, seconds = _held(project.folder)
        return cls(project, workers, project.study.chosen(), dict(plan.seconds) if plan else seconds, rows=rows)

    def __call__(self, stepped: Stepped) -> None:
        found = self.measured[stepped.row.stage]
        found[0] += stepped.seconds
        found[1] += 1
        self.rows[stepped.row.id] = stepped.outcome.row
        self.done, self.of = stepped.done, stepped.of

    @property
    def replicas(self) -> list[int]:
        """Starts, of which some may not have begun."""
        return sorted({*range(self.project.study.replicas), *(row.replica for row in list(self.rows.values()))})

    def left(self) -> float:
        """Seconds until all runs are done, if stages go on as they did."""
        pace = {**self.seconds, **{stage: total / times for stage, (total, times) in list(self.measured.items())}}
        pace = {**dict.fromkeys(("start", *STAGES), 0.0), **pace}
        alone = {name: run_seconds(self.project.study, arm, pace) for name, arm in self.arms.items()}
        rest = sum(alone[name] * (1.0 - self.share(replica, name)) for replica in self.replicas for name in self.arms)
        return rest / self.workers

    def share(self, replica: int, name: str) -> float:
        """How much of a run is done, in [0, 1]."""
        row = self.rows.get(run_id(replica, name))
        if row is None or row.done:
            return 0.0 if row is None else 1.0
        stage = STAGES.index(row.stage) / len(STAGES) if row.stage in STAGES else 0.0
        return max(0.0, row.round - 1 + stage) / max(1, self.project.study.rounds)

    def sentence(self) -> str:
        """How far the study is."""
        return f"{self.done} of {self.of} runs done, about {_duration(self.left())} left"


def _held(folder: Path) -> tuple[dict[str, Row], dict[str, float]]:
    if not Ledger.begun(folder) or (folder / DIGESTS).exists():
        return {}, {}
    with Ledger.open(folder, readonly=True) as log:
        rows = {run: Row.from_json(row) for run, row in log.rows().items()}
        planned = [event.data["seconds"] for event in log.events("planned")]
    return rows, dict(planned[-1]) if planned else {}


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def lines_of(stepped: Stepped) -> Iterator[str]:
    """A line per gate decision, per failure of the system, and for a run that is over."""
    row, after = stepped.row, stepped.outcome.row
    for event in stepped.outcome.events:
        if event.kind == "gate_decision":
            yield f"{row.id}  round {row.round}  {event.data['outcome']}  {event.data['sentence']}"
        elif event.kind == "approval_requested":
            yield f"{event.data['id']}  waits for {event.data['people']} to approve, until {event.data['expires']}"
        elif event.kind == "stage_failed":
            yield f"{row.id}  round {row.round}  failed in {event.data['stage']}  {event.data['message']}"
    if after.done:
        yield f"{row.id}  done  {after.end} ({stepped.done} of {stepped.of} runs)"


@dataclass
class Lines:
    """Plain lines with their time: no colour, nothing redrawn."""

    clock: Clock
    sink: TextIO
    told: float = field(default_factory=time.monotonic)

    def __call__(self, stepped: Stepped) -> None:
        self.clock(stepped)
        for line in lines_of(stepped):
            _put(f"{utc_now()}  {_one_line(line)}", self.sink)
        if time.monotonic() - self.told >= QUIET_SECONDS:
            self.told = time.monotonic()
            _put(self.clock.sentence(), sys.stderr)


@dataclass
class Board:
    """Arms by starts, the last decisions, the time left."""

    clock: Clock
    decisions: deque[str] = field(default_factory=lambda: deque(maxlen=SHOWN_DECISIONS))

    def __call__(self, stepped: Stepped) -> None:
        self.clock(stepped)
        self.decisions.extend(_one_line(line) for line in lines_of(stepped))

    def drawn(self) -> RenderableType:
        """The board as it stands."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        grid = Table(box=None, pad_edge=False, padding=(0, 1))
        grid.add_column("arm", no_wrap=True)
        for replica in self.clock.replicas:
            grid.add_column(f"r{replica}", justify="right", no_wrap=True)
        for name in self.clock.arms:
            grid.add_row(Text(name), *(Text(self._cell(replica, name)) for replica in self.clock.replicas))
        recent = [Text(line, no_wrap=True, overflow="ellipsis") for line in list(self.decisions)]
        return Group(grid, *recent, Text(f"{self.clock.sentence()}; Ctrl-C keeps all of it"))

    def _cell(self, replica: int, name: str) -> str:
        row = self.clock.rows.get(run_id(replica, name))
        if row is None or (row.round == 0 and not row.done):
            return "·" if row is None else "0"
        return "done" if row.done else f"{row.round}/{self.clock.project.study.rounds}"


def _put(line: str, sink: TextIO) -> None:
    with suppress(OSError):  # nobody reads any more: no reason to end a run
        print(line, file=sink, flush=True)


def _one_line(text: str) -> str:
    return plain(text).replace("\n", " ")
