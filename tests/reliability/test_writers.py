"""G17: eight writers through the ledger's queue and two readers beside it: no "locked", no reader that waits."""

from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path

import pytest

from netgain.errors import NetgainError
from netgain.ledger import Event, Ledger, fold
from netgain.testing.trials import record

COMMAND = "pytest tests/reliability/test_writers.py"
WRITERS, READERS = 8, 2
READ_LIMIT_SECONDS = 1.0
NIGHTLY = [pytest.param(seconds, marks=pytest.mark.nightly) for seconds in (30.0, 600.0)]


@pytest.mark.parametrize("seconds", [3.0, *NIGHTLY])
def test_writers_and_readers_do_not_get_into_each_others_way(tmp_path: Path, seconds: float) -> None:
    errors: list[str] = []
    commits: list[float] = []
    reads: list[float] = []
    end = time.monotonic() + seconds
    with Ledger.create(tmp_path) as log:

        def write(run: str) -> None:
            number = 0
            while time.monotonic() < end:
                began = time.monotonic()
                attempt(lambda n=number: log.append([Event("stage_done", run, {"key": str(n), "row": {"n": n}})]))
                commits.append(time.monotonic() - began)
                number += 1

        def read() -> None:
            with Ledger.open(tmp_path, readonly=True) as reader:
                while time.monotonic() < end:
                    began = time.monotonic()
                    attempt(reader.rows)
                    reads.append(time.monotonic() - began)
                    time.sleep(0.02)

        def attempt(call) -> None:
            try:
                call()
            except NetgainError as error:
                errors.append(str(error))

        threads = [threading.Thread(target=write, args=(f"r{number}/self",)) for number in range(WRITERS)]
        threads += [threading.Thread(target=read) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        entries = list(log.events())
        assert len(entries) == len(commits) and log.rows() == fold(entries)
    blocked = sum(one > READ_LIMIT_SECONDS for one in reads)
    figures = {
        "p99_commit_seconds": round(statistics.quantiles(commits, n=100)[98], 4),
        "median_commit_seconds": round(statistics.median(commits), 4), "longest_read_seconds": round(max(reads), 3),
        "commits_per_second": round(len(commits) / seconds), "reads_over_1_second": blocked,
    }  # fmt: skip
    record("G17", "commits by eight writers beside two readers", trials=len(commits), failures=len(errors), seed=None,
           command=COMMAND, **figures)  # fmt: skip
    assert not errors, errors[:3]
