"""Thirteen known bugs, each planted as a patch: the checks of this folder have to see every one of them.

A check that sees nothing where nothing is planted stands beside; a plant that no check sees is a hole in the suite.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from netgain import evaluation, loop, poison, promotion
from netgain.canonical import canonical
from netgain.executors import LocalWorkers, Reference
from netgain.leases import Leases
from netgain.ledger import Event, Ledger, files, fold
from netgain.metric import METRICS, Metric, answer_of
from netgain.stores import ObjectStore
from netgain.suite import Axis, score_axis
from netgain.testing import crashdb, cycle
from netgain.testing.crashfs import scratch, swapped
from netgain.testing.powerloss import objects_workload, survives, workload
from netgain.testing.simulation import Rates, simulate
from netgain.testing.trials import record
from netgain.wire import pack

pytestmark = pytest.mark.counted

Plant = AbstractContextManager[None]
Check = Callable[[Path], list[str]]
SEEDS = range(300, 312)
FOUR = 4  # rounds: the third and fourth gain too little, so the gate does not promote


# --- What looks -------------------------------------------------------------------------------------------------------
def power_loss(folder: Path) -> list[str]:
    """Images of a ledger's disk."""
    pytest.importorskip("apsw")
    with scratch() as disk:
        found = survives(workload(folder, 3, steps=5), 3, disk / "image", most=250)
    return [what for _, what in found.wrong]


def torn_objects(folder: Path) -> list[str]:
    """Images of an object store's disk."""
    pytest.importorskip("apsw")
    with scratch() as disk:
        found = survives(objects_workload(folder, 4, steps=10), 4, disk / "image", most=200)
    return [what for _, what in found.wrong]


def simulated(folder: Path, rates: Rates | None = None) -> list[str]:
    """Histories with faults, against one without."""
    none = Rates(dies=0, late=0, twice=0, coordinator=0, full=0, short=0, jump=0)
    wrong: list[str] = []
    with scratch() as memory:
        whole = simulate(memory / "whole", 1, rates=none, rounds=FOUR)
        wrong += whole.broken
        for seed in SEEDS:
            if wrong:
                break
            history = simulate(memory / str(seed), seed, rounds=FOUR, rates=rates)
            wrong += [*history.broken, *([] if history.digest == whole.digest else ["another result"])]
    return wrong


def types_compared(folder: Path) -> list[str]:
    """Outputs of another type than the target, which loop code may well give."""
    axis = Axis("a", cycle.suite().axes[0].source, METRICS["exact"], "capability", 2, 2, 2)
    pairs = [(True, 1), (1, True), (1.0, 1), (False, 0)]
    return [
        f"{output!r} passed for {target!r}" for output, target in pairs
        if score_axis(axis, [output], [{"input": "x", "target": target}])[0] != [0.0]
    ]  # fmt: skip


def silent_candidate(folder: Path) -> list[str]:
    """A candidate that answers nothing."""

    def mute(system, inputs, budget, rng):
        if system["skill"] > 0.2:
            raise RuntimeError("no answer")
        return cycle.answer(system, inputs, budget, rng)

    with swapped((cycle, "loop", cycle.Loop(cycle.start, cycle.propose, mute, surfaces=["policy"], gate="strict"))):
        world = cycle.world_in(folder / "study")
        cycle.finish(world)
    row = world.log.row("r0/self")
    return [] if row["released"] == row["anchor"] else ["a candidate without one answer was promoted"]


def repeated_delivery(folder: Path) -> list[str]:
    """A real worker whose loop code forks: the copy must not answer the next task."""
    path = folder / "forks.py"
    path.write_text(FORKS)
    system = {"digest": "d", "data": pack(None)}
    task = {"op": "answer", "seed": "1", "budget": {}, "sampled": False, "system": system}
    with LocalWorkers(Reference(f"{path}:loop"), 1) as workers:
        said = [workers.call({**task, "inputs": [number]})["value"]["outputs"] for number in range(4)]
    return [] if said == [[number] for number in range(4)] else [f"asked 0 to 3, told {said}"]


FORKS = """
import gc, io
from netgain import records, stages
from netgain.executors.frames import send


def answer(system, inputs, budget, rng):
    if inputs == [1]:  # a copy of the last result arrives once more
        pipes = [f for f in gc.get_objects() if isinstance(f, io.BufferedWriter) and isinstance(f.name, int)]
        again = {"ok": True, "value": {"outputs": [0]}, "spent": {}, "device_seconds": 0.0, "lease": [0, 1]}
        send(next(f for f in pipes if f.name > 2), again)
    return inputs


loop = stages.Loop(lambda rng: 0, lambda view: records.Change([]), answer, apart=False)
"""


# --- What is planted --------------------------------------------------------------------------------------------------
def skip_a_flush() -> Plant:
    return swapped((crashdb, "SETTINGS", ("journal_mode = WAL", "synchronous = NORMAL")))


def rename_before_flush() -> Plant:
    def write(path: Path, data: bytes) -> None:
        temporary = path.with_name(files.TEMPORARY + path.name)
        handle = files.os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        left = memoryview(data)
        while left:
            left = left[files.os.write(handle, left) :]
        files.os.replace(temporary, path)
        files.os.fsync(handle)
        files.os.close(handle)
        files.sync_folder(path.parent)

    return swapped((files, "write_durably", write))


def forget_the_folder() -> Plant:
    return swapped((files, "sync_folder", lambda folder: None))


def believe_one_write() -> Plant:
    def write(path: Path, data: bytes) -> None:
        handle = files.os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        files.os.write(handle, data)
        files.os.fsync(handle)
        files.os.close(handle)

    return swapped((files, "_write_flushed", write))


def trust_a_name_that_is_there() -> Plant:
    def keep(self: ObjectStore, path: Path, data: bytes) -> None:
        if not path.exists():
            self._make(path.parent)
            files.write_durably(path, data)

    return swapped((ObjectStore, "_keep", keep))


def drop_the_fence() -> Plant:
    return swapped((Ledger, "_require_epoch", lambda self: None), (Ledger, "_write", _write_at_the_end))


def _write_at_the_end(self: Ledger, batch) -> None:
    """Without the fence, and without the size that the writer expects, which would also stop a zombie."""
    self._db.execute("BEGIN IMMEDIATE")
    (first,) = self._db.execute("SELECT count(*) FROM events").fetchone()
    table = [(first + n, e.event.run or "", e.event.kind, e.body.decode(), e.leaf) for n, e in enumerate(batch.entries)]
    self._db.execute("UPDATE head SET size = ?, root = ?", (first + len(table), batch.frontier.root().hex()))
    self._db.executemany("INSERT INTO events (seq, run, kind, body, leaf) VALUES (?, ?, ?, ?, ?)", table)
    rows = [(run, canonical(row).decode()) for run, row in fold(one.event for one in batch.entries).items()]
    self._db.executemany("INSERT OR REPLACE INTO rows (run, row) VALUES (?, ?)", rows)
    self._db.execute("COMMIT")


def move_the_pointer_before_the_log() -> Plant:
    write = Ledger._write

    def early(self: Ledger, batch) -> None:
        rows = [(run, canonical(row).decode()) for run, row in fold(one.event for one in batch.entries).items()]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO rows (run, row) VALUES (?, ?)", rows)
        self._db.execute("COMMIT")
        write(self, batch)

    return swapped((Ledger, "_write", early))


def compare_before_the_type() -> Plant:
    loose = Metric("exact", lambda output, target: float(answer_of(output) == target), declared=True)
    return _entry(METRICS, "exact", loose)


@contextmanager
def _entry(table: dict, key: str, value: object) -> Iterator[None]:
    held = table[key]
    table[key] = value
    try:
        yield
    finally:
        table[key] = held


def count_invalid_as_pass() -> Plant:
    score = evaluation.score_axis

    def kind(axis, outputs, items):
        values, _ = score(axis, outputs, items)
        return [1.0 if value is None else value for value in values], {}

    return swapped((evaluation, "score_axis", kind))


def promote_without_a_receipt() -> Plant:
    def always(row, mode):
        return promotion.replace(row, working=row.candidate, released=row.candidate)

    return swapped((promotion, "_not_promoted", always))


def count_a_retry_twice() -> Plant:
    record_one = poison.Deaths._record

    def twice(self, task, about, error):
        self._count[task] += 1
        record_one(self, task, about, error)

    return swapped((poison.Deaths, "_record", twice))


def record_a_stage_again() -> Plant:
    step = loop.step

    def again(run, world):
        outcome = step(run, world)
        (*_, last) = world.log.events("stage_done", run)
        if outcome.row.stage == "judge":
            world.log.append([Event(last.kind, last.run, last.data)])
        return outcome

    from netgain.testing import simulation

    return swapped((simulation, "step", again))


def lease_by_clock() -> Plant:
    """Whatever arrives while the lease has not run out counts, whoever it is of."""

    def first(self, job, lease, results):
        for result in results:
            given = dict(result)
            given.pop("lease", None)
            return given

    return swapped((Leases, "first", first))


PLANTS: list[tuple[Callable[[], Plant], Check]] = [
    (skip_a_flush, power_loss),
    (rename_before_flush, torn_objects),
    (forget_the_folder, torn_objects),
    (forget_the_folder, power_loss),
    (believe_one_write, torn_objects),
    (trust_a_name_that_is_there, torn_objects),
    (move_the_pointer_before_the_log, power_loss),
    (drop_the_fence, simulated),
    (compare_before_the_type, types_compared),
    (count_invalid_as_pass, silent_candidate),
    (promote_without_a_receipt, simulated),
    (count_a_retry_twice, simulated),
    (record_a_stage_again, simulated),
    (lease_by_clock, simulated),
    (lease_by_clock, repeated_delivery),
]
CHECKS = list(dict.fromkeys(check for _, check in PLANTS))


@pytest.mark.parametrize(("plant", "check"), PLANTS, ids=lambda one: one.__name__)
def test_a_planted_bug_is_seen(tmp_path: Path, plant: Callable[[], Plant], check: Check) -> None:
    with plant():
        seen = check(tmp_path)
    record("planted", "bugs that have to be seen", trials=1, failures=int(not seen), seed=None,
           command="pytest tests/reliability/test_planted_bugs.py")  # fmt: skip
    assert seen, f"{plant.__name__} goes unseen by {check.__name__}"


@pytest.mark.parametrize("check", CHECKS, ids=lambda one: one.__name__)
def test_where_nothing_is_planted_nothing_is_seen(tmp_path: Path, check: Check) -> None:
    assert check(tmp_path) == []
