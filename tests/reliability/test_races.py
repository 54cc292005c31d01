"""G5: of coordinators that race for one promotion exactly one makes it; who was stopped and wakes up is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest

from netgain.ledger import Event, FolderLock, Ledger
from netgain.testing.crashfs import scratch
from netgain.testing.trials import record

SEED = 11
COMMAND = "pytest tests/reliability/test_races.py"
RUN = "r0/self"
CONTESTANT = """
import sys, time, random
from pathlib import Path
from netgain.errors import NetgainError
from netgain.ledger import Event, Ledger
chance = random.Random(int(sys.argv[1]))
for line in sys.stdin:
    try:
        log = Ledger.open(Path(line.strip()))
        row = log.row("r0/self")
        time.sleep(chance.uniform(0, 0.002))
        if row["released"] is None:
            log.append([Event("promoted", "r0/self", {"by": sys.argv[1], "row": {"released": sys.argv[1]}})])
            said = "won"
        else:
            said = "late"
        log.close()
    except NetgainError as error:
        said = type(error).__name__
    print(said, flush=True)
"""


@contextmanager
def contestant(number: int) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, "-c", CONTESTANT, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)


def begun(folder: Path) -> Path:
    with Ledger.create(folder) as log:
        log.append([Event("run_started", RUN, {"row": {"released": None}})])
    return folder


def raced(folder: Path, contestants: list[subprocess.Popen[str]], chance: Random) -> tuple[str, int]:
    """One race; what is wrong with its end ("" if nothing), and how many were refused by their epoch."""
    stopped = [one for one in contestants if chance.random() < 0.3]
    for one in contestants:
        assert one.stdin is not None
        one.stdin.write(f"{folder}\n")
        one.stdin.flush()
        if one in stopped:
            one.send_signal(signal.SIGSTOP)
    for one in stopped:
        one.send_signal(signal.SIGCONT)
    said = [one.stdout.readline().strip() for one in contestants if one.stdout is not None]
    with Ledger.open(folder, readonly=True) as log:
        promoted = list(log.events("promoted"))
    if len(promoted) != 1 or said.count("won") != 1:
        return f"{len(promoted)} promotions, {json.dumps(said)}", 0
    return "" if {*said} <= {"won", "late", "LedgerError"} else f"told {said}", said.count("LedgerError")


@pytest.mark.parametrize("races", [500, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_exactly_one_of_several_coordinators_makes_a_promotion(races: int) -> None:
    chance, wrong, refused = Random(SEED), list[str](), 0
    with scratch() as memory, ExitStack() as stack:
        processes = [stack.enter_context(contestant(number)) for number in range(5)]
        for number in range(races):
            those = processes[: chance.randint(2, 5)]
            found, fenced = raced(begun(memory / str(number)), those, chance)
            refused += fenced
            wrong += [f"race {number}: {found}"] if found else []
    record("G5", "races of two to five processes", trials=races, failures=len(wrong), seed=SEED, command=COMMAND)
    assert not wrong, wrong[:5]
    assert refused > races // 50, "hardly anybody was overtaken: the test shows nothing"


def test_a_coordinator_that_lost_the_folder_while_it_was_stopped_writes_nothing(tmp_path: Path) -> None:
    with FolderLock(begun(tmp_path)), Ledger.open(tmp_path) as first:
        (tmp_path / "lock").unlink()  # what a network disk without locks, or a careless hand, amounts to
        with FolderLock(tmp_path), Ledger.open(tmp_path) as second:
            second.append([Event("promoted", RUN, {"row": {"released": "second"}})])
        with pytest.raises(Exception, match="its epoch is 3, that of this one is 2"):
            first.append([Event("promoted", RUN, {"row": {"released": "first"}})])
        assert first.row(RUN) == {"released": "second"}
