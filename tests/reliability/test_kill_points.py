"""G2, G3: kill -9 at every write and at random moments: no decision lost or made twice, each stage recorded once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from netgain.ledger import Event, Ledger
from netgain.result import result_digest
from netgain.testing import cycle
from netgain.testing.crashfs import scratch
from netgain.testing.killing import ACKED, Children, broken, run_cycle
from netgain.testing.trials import record

SEED = 7
COMMAND = "pytest tests/reliability/test_kill_points.py"
SHORT, LONG = 0.002, 0.05  # seconds after which a child is killed: from before its first write to near its end
NEVER = 10**9


def whole(children: Children, folder: Path) -> tuple[str, int]:
    """Result of a cycle that nobody disturbed, and how many operations it takes."""
    folder.mkdir()
    ops = children.run(run_cycle, folder, at=NEVER).ops
    assert ops is not None and broken(folder, 0) == []
    with Ledger.open(folder / "study", readonly=True) as log:
        assert len(list(log.events("gate_decision"))) == 2
        return result_digest(log.events()), ops


def keep(what: str, kills: int, wrong: list[str]) -> None:
    for goal in ("G2", "G3"):
        record(goal, what, trials=kills, failures=len(wrong), seed=SEED, command=COMMAND)


@pytest.fixture
def memory() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.nightly)])
def test_a_cycle_that_is_killed_at_any_write_comes_to_the_same_result(memory: Path, every: int) -> None:
    pytest.importorskip("apsw")
    wrong: list[str] = []
    with Children() as children:
        result, ops = whole(children, memory / "whole")
        assert ops > 300
        points = range(Random(SEED).randrange(every), ops, every)
        for at in points:
            folder = memory / str(at)
            folder.mkdir()
            assert children.run(run_cycle, folder, at=at).killed
            wrong += [f"at {at}: {one}" for one in broken(folder, 1)]
            children.run(run_cycle, folder)
            wrong += [f"after {at}: {one}" for one in broken(folder, 1, whole=result)]
    keep("kills at an enumerated write", len(points), wrong)
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("kills", [240, pytest.param(20_000, marks=pytest.mark.nightly)])
def test_cycles_that_are_killed_at_random_moments_come_to_the_same_result(memory: Path, kills: int) -> None:
    chance, done, wrong = Random(SEED), 0, list[str]()
    with Children() as children:
        result, _ = whole(children, memory / "whole") if _apsw() else (_undisturbed(memory / "whole"), 0)
        while done < kills:
            folder, own = memory / f"after{done}", 0
            folder.mkdir()
            while own < 40 and children.run(run_cycle, folder, after=chance.uniform(SHORT, LONG)).killed:
                own += 1
                wrong += [f"{folder.name}, kill {own}: {one}" for one in broken(folder, own)]
            children.run(run_cycle, folder)
            wrong += [f"{folder.name}: {one}" for one in broken(folder, own, whole=result)]
            done += max(own, 1)
    keep("kills at a random moment", done, wrong)
    assert not wrong, wrong[:5]


def _apsw() -> bool:
    try:
        import apsw  # noqa: F401
    except ImportError:
        return False
    return True


def _undisturbed(folder: Path) -> str:
    world = cycle.world_in(folder / "study")
    cycle.finish(world)
    return result_digest(world.log.events())


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    folder = tmp_path / "cycle"
    folder.mkdir()
    run_cycle(str(folder))
    return folder


def test_a_whole_cycle_has_nothing_broken(finished: Path) -> None:
    assert broken(finished, 0) == []


def test_a_stage_that_is_recorded_twice_is_seen(finished: Path) -> None:
    with Ledger.open(finished / "study") as log:
        (first, *_) = log.events("stage_done", "r0/frozen")
        log.append([Event(first.kind, first.run, first.data)])
    assert any("is recorded 2 times" in one for one in broken(finished, 0))


def test_a_decision_that_is_made_twice_is_seen(finished: Path) -> None:
    with Ledger.open(finished / "study") as log:
        (first, *_) = log.events("gate_decision")
        log.append([Event(first.kind, first.run, first.data)])
    assert any("decided 2 times" in one for one in broken(finished, 0))


def test_an_effect_that_is_had_too_often_is_seen(finished: Path) -> None:
    path = finished / cycle.EFFECTS
    path.write_text(path.read_text() + path.read_text())
    assert any("was done 2 times" in one for one in broken(finished, 0)) and broken(finished, 1) == []


def test_an_acknowledged_entry_that_is_gone_is_seen(finished: Path) -> None:
    (finished / ACKED).write_text("1000\n")
    assert any("were acknowledged" in one for one in broken(finished, 0))


def test_another_result_is_seen(finished: Path) -> None:
    assert broken(finished, 0, whole="0" * 64) == ["another result than undisturbed"]


def test_a_child_that_fails_by_itself_is_no_kill(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Children() as children, pytest.raises(RuntimeError, match="ended with status 1"):
        children.run(run_cycle, tmp_path / "file")
