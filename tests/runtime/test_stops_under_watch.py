"""Monitors that act where the gate only watches: what they hold back is not released; the twin goes on."""

import planted_stops
import pytest


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """Action -> arm -> (rounds, released moved after the alarm, end)."""
    return {action: planted_stops.run(tmp_path_factory.mktemp(action), action) for action in ("halt", "freeze")}


def test_a_halt_ends_the_run_before_its_candidate_is_released(ends):
    own = ends["halt"]["self"]
    assert own.row["end"] == "halted by the monitor harm" and own.row["round"] < 8
    assert own.row["released"] == released_at(own, own.row["round"] - 1) == own.row["working"]


def test_a_freeze_keeps_what_is_served_and_its_twin_serves_the_last(ends):
    own, off = ends["freeze"]["self"], ends["freeze"]["stop:off"]
    first = min(at for at, told in own.watched.items() if told["acted"] == "freeze")
    assert own.row["round"] == off.row["round"] == 8
    assert own.row["released"] == released_at(own, first - 1) != own.row["working"]
    assert off.row["released"] == off.row["working"] != own.row["released"]
    assert first not in {one["round"] for one in own.decisions} and first in {one["round"] for one in off.decisions}


def released_at(run, at):
    return run.sheets["report", at, "released"]["system"]
