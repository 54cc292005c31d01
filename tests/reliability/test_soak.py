"""G13: hours of work under random kills: nothing breaks, and neither memory nor open files nor studies grow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netgain.testing.soak import soak, summary
from netgain.testing.trials import record

SEED = 3
SECONDS = float(os.environ.get("NETGAIN_SOAK_SECONDS", "3600"))
GROWTH = 0.05


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory in /proc")
def test_hours_of_kills_break_nothing_and_let_nothing_grow(tmp_path: Path) -> None:
    lives = (min(60.0, SECONDS / 20), min(600.0, SECONDS / 3))
    found = soak(tmp_path, SECONDS, seed=SEED, lives=lives)
    record("G13", f"studies in {SECONDS:g} s of random kills", trials=found["studies"], failures=len(found["broken"]),
           seed=SEED, command="NETGAIN_SOAK_SECONDS=3600 pytest -m nightly tests/reliability/test_soak.py",
           **{name: one for name, one in found.items() if name != "broken"})  # fmt: skip
    assert not found["broken"] and found["kills"] > 2
    assert found["rss_growth"] is not None and found["rss_growth"] < GROWTH, found
    few, most = found["handles"]
    assert most == few, found
    first, last = found["bytes_of_a_study"]
    assert last < (1 + GROWTH) * first, found


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory in /proc")
def test_a_short_soak_is_killed_and_goes_on(tmp_path: Path) -> None:
    found = soak(tmp_path, 30.0, seed=SEED, lives=(8.0, 10.0))
    assert found["broken"] == [] and found["kills"] >= 2 and found["studies"] >= 1


def test_growth_is_seen_where_there_is_some() -> None:
    done = [{"pid": 1, "rss_kib": 1000 + 100 * n, "handles": 5 + n, "bytes": 10 + n} for n in range(40)]
    found = summary([{"pid": 2, "rss_kib": 1, "handles": 1, "bytes": 10}, *done])
    assert found["rss_growth"] > 1 and found["handles"] == [10, 44] and found["bytes_of_a_study"][1] > 40
    assert summary([{"pid": 2, "rss_kib": 1, "handles": 1, "bytes": 10}])["rss_growth"] is None
