"""The ledger: appending in groups and one by one, appending from threads, opening, and verifying 100,000 events."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from netgain import verify as verifier
from netgain.bench.measurement import Measurement, Scale, process
from netgain.bench.study import Written, write_study
from netgain.errors import NetgainError
from netgain.ledger import Event, Ledger

EVENTS, GROUP, SINGLE, THREADS = 100_000, 500, 200, 8


def measure(scale: Scale) -> list[Measurement]:
    """A study of 100,000 events, made by the runtime's own stages, is written in groups and verified."""
    written, judged = write_study(scale.of(EVENTS, 500)), scale.share == 1.0
    size = f"{len(written.events):,} events"
    with tempfile.TemporaryDirectory(prefix="netgain-bench-") as name:
        study = written.save(Path(name) / "study")
        grouped = [_append(Path(name) / f"g{i}", written) for i in range(scale.repeats)]
        apart = [_one_by_one(Path(name) / f"o{i}", scale.of(SINGLE, 20), threads=1) for i in range(scale.repeats)]
        together = [
            _one_by_one(Path(name) / f"t{i}", scale.of(SINGLE, 20), threads=THREADS) for i in range(scale.repeats)
        ]
        checked = [process(str(verifier.__file__), str(study), allowed=(0, 3, 4)) for _ in range(min(3, scale.repeats))]
    lines = checked[0].out.splitlines()
    if not all(line.startswith("ok") for line in lines[: len(verifier.CHECKS)]):
        raise NetgainError(f"verify finds something wrong with the study that is measured: {lines}")
    return [
        Measurement(name="ledger.append", what=f"{size}, durable, in groups of {GROUP}", unit="events/s",
                    values=[one[0] for one in grouped], at_least=20_000.0, judged=judged,
                    notes={"per_second_of_cpu": sorted(one[1] for one in grouped)[len(grouped) // 2]}),
        Measurement(name="ledger.append threads", what=f"calls of one event each, {THREADS} threads at once",
                    unit="events/s", values=together, rival="one thread",
                    ratios=[mine / theirs for mine, theirs in zip(together, apart, strict=True)]),
        Measurement(name="ledger.verify", what=f"verify.py on {size}, start-up included", unit="s",
                    values=[one.wall for one in checked], at_most=5.0, judged=judged,
                    notes={"cpu_seconds": sorted(one.cpu for one in checked)[len(checked) // 2]}),
    ]  # fmt: skip


def _append(folder: Path, written: Written) -> tuple[float, float]:
    """Events per second of wall and of CPU."""
    groups = list(written.groups(GROUP))
    with Ledger.create(folder) as log:
        wall, cpu = time.monotonic(), time.process_time()
        for events in groups:
            log.append(events)
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    return len(written.events) / wall, len(written.events) / cpu


def _one_by_one(folder: Path, calls: int, *, threads: int) -> float:
    """Events per second when each is a call of its own, shared by so many threads."""
    with Ledger.create(folder) as log:

        def work(run: str) -> None:
            for number in range(calls // threads):
                log.append([Event("note", run, {"number": number})])

        hands = [threading.Thread(target=work, args=(f"r{hand}/self",)) for hand in range(threads)]
        began = time.monotonic()
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        return threads * (calls // threads) / (time.monotonic() - began)
