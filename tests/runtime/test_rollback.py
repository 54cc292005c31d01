"""People take a run back, pause it, or stop it by a file: recorded, obeyed before the next stage, and measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
from worlds import conduct, final, world_in

from netgain import session, verify
from netgain.deciders import autonomy_of
from netgain.errors import IntegrityError, Stopped, Waiting
from netgain.facts import Facts
from netgain.ledger import Event, Ledger
from netgain.policy import Policy
from netgain.rollback import generations, unwanted
from netgain.seal import facts_of
from netgain.session import run_study
from netgain.stores import ObjectStore
from netgain.study import Conductor, Stepped, enrol, leave_request
from netgain.testing.inprocess import InProcess
from study_forgery import Events, forged, places

ROOT = "5a" * 32
Json = Any


class Here(InProcess):
    """Loop code in this process, in place of worker processes."""

    def __init__(self, reference: object, count: int) -> None:
        super().__init__(tiny.loop)

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session, "LocalWorkers", Here)
    return monkeypatch


def study(**more: Any) -> session.Study:
    return tiny.study(**{"replicas": 1, "root": ROOT, "rounds": 3, **more})


def facts_in(folder: Path) -> Facts:
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def events_in(folder: Path, kind: str) -> list[Json]:
    with Ledger.open(folder, readonly=True) as log:
        return [event.data for event in log.events(kind)]


def failing(folder: Path) -> dict[str, str]:
    return {one["name"]: one["detail"] for one in verify.verify(folder)["checks"] if one["ok"] is False}


def when(stage: str, at: int, do: Callable[[], object]) -> Callable[[Stepped], None]:
    """A watcher that does something once `self` has done a stage of a round."""

    def watch(one: Stepped) -> None:
        if (one.row.arm, one.row.stage, one.row.round) == ("self", stage, at):
            do()

    return watch


def back(folder: Path, to: str, run: str = "r0/self") -> Path:
    return leave_request(folder, "rollback", by="anna", reason="worse in use", run=run, to=to)


@pytest.fixture
def rolled_back(tmp_path: Path) -> Path:
    """A study whose round 1 was promoted and taken back in the middle of round 2."""
    folder = tmp_path / "study"
    run_study(study(), folder, watch=when("build", 2, lambda: back(folder, "0")), workers=1)
    return folder


def test_a_rollback_restores_measures_and_gives_the_round_in_progress_up(rolled_back: Path) -> None:
    (moved,) = events_in(rolled_back, "rollback")
    run = facts_in(rolled_back).runs["r0/self"]
    assert (moved["to"], moved["by"], moved["system"]) == (0, "anna", run.row["anchor"])
    scored = [one for one in events_in(rolled_back, "scores") if one["split"] == "report" and one["round"] == 2]
    assert {one["system"] for one in scored} == {run.row["anchor"]}
    assert [one["round"] for one in run.decisions] == [1, 3], "round 2 was given up, and 3 started from generation 0"
    assert run.decisions[1]["released"] == run.row["anchor"] and run.row["restores"] == 1
    assert failing(rolled_back) == {}


def test_a_rollback_is_a_decision_by_a_person(rolled_back: Path) -> None:
    facts = facts_in(rolled_back)
    (choice,) = [one for one in facts.runs["r0/self"].choices if one["locus"] == "rollback"]
    assert (choice["decided_by"], choice["round"], choice["reason"]) == ("person", 2, "anna: worse in use")
    assert {one.name: one.counts["person"] for one in autonomy_of(facts).loci}["rollback"] == 1
    assert facts.verdict is not None and facts.verdict["endogenous"] is False


@pytest.mark.parametrize(
    ("to", "run", "why"),
    [
        ("2", "r0/self", "generation '2' of r0/self was not promoted, expected one of 0, 1"),
        ("x", "r0/self", "generation 'x' of r0/self was not promoted"),
        ("1", "r0/self", "is what r0/self has released already"),
        ("0", "r9/self", "no run 'r9/self', expected one of"),
    ],
)
def test_a_rollback_that_cannot_be_done_is_recorded_with_the_reason(
    tmp_path: Path, to: str, run: str, why: str
) -> None:
    folder = tmp_path / "study"
    run_study(study(rounds=2), folder, watch=when("build", 2, lambda: back(folder, to, run)), workers=1)
    assert [why in one["refused"] for one in events_in(folder, "request")] == [True]
    assert not events_in(folder, "rollback")


def test_a_generation_that_is_not_stored_is_not_gone_back_to(tmp_path: Path) -> None:
    folder = tmp_path / "study"

    def lose() -> None:
        store = ObjectStore(folder / "objects")
        run = facts_in(folder).runs["r0/self"]
        store.delete(run.row["anchor"])
        back(folder, "0")

    with pytest.raises(IntegrityError):  # the gate needs generation 0 as well
        run_study(study(rounds=2), folder, watch=when("build", 2, lose), workers=1)
    assert "generation 0 of r0/self is not stored" in events_in(folder, "request")[0]["refused"]


def test_a_run_that_is_over_serves_what_it_serves(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run_study(study(rounds=1), folder, workers=1)
    with Ledger.open(folder, readonly=True) as log:
        assert list(generations(log, "r0/self")) == [0, 1]
        assert "is over" in unwanted(log, "r0/self", "0")


def test_the_pointer_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study"

    def nowhere(request: Json, world: Json) -> Json:
        return [Event("rollback", "r0/self", {"system": "0" * 64, "row": world.log.row("r0/self")})], ""

    monkeypatch.setattr("netgain.study.rolled_back", nowhere)
    with pytest.raises(IntegrityError, match="did not go back"):
        run_study(study(), folder, watch=when("build", 2, lambda: back(folder, "0")), workers=1)


def test_a_rollback_gives_a_change_up_that_waits(tmp_path: Path) -> None:
    folder, what = tmp_path / "study", study(policy=Policy({"policy": "one"}), rounds=2)
    for kind in ("approve", ""):
        with pytest.raises(Waiting):
            run_study(what, folder, workers=1)
        one = facts_in(folder).waiting[0]
        if kind:
            leave_request(folder, kind, by="anna", reason="read", id=one["id"], digest=one["change"])
    back(folder, "0")
    run_study(what, folder, workers=1)
    facts = facts_in(folder)
    assert [one["end"] for one in facts.runs["r0/self"].asked.values()] == ["approved", "given up"]
    assert facts.waiting == [] and failing(folder) == {}
    assert autonomy_of(facts).overall.touches.promotions == 1


def test_verify_finds_a_rollback_to_what_was_never_released(rolled_back: Path, tmp_path: Path) -> None:
    def elsewhere(events: Events) -> None:
        (place,) = places(events, "rollback")
        one = events[place]
        row = {**one.data["row"], "released": "0" * 64, "working": "0" * 64}
        events[place] = Event(one.kind, one.run, {**one.data, "system": "0" * 64, "row": row})

    assert "never released that" in failing(forged(rolled_back, tmp_path / "forged", elsewhere))["runs"]


def test_verify_finds_a_rollback_without_its_decision_record(rolled_back: Path, tmp_path: Path) -> None:
    def hidden(events: Events) -> None:
        del events[places(events, "decision", locus="rollback")[0]]

    assert "no decision of a person" in failing(forged(rolled_back, tmp_path / "forged", hidden))["runs"]


# --- Stop and pause --------------------------------------------------------------------------------------------------
def test_the_file_stop_ends_a_run_before_its_next_stage_as_long_as_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    with pytest.raises(Stopped, match="remove .*STOP to go on") as stopped:
        run_study(study(), folder, watch=when("propose", 1, (folder / "STOP").touch), workers=1)
    assert stopped.value.exit_code == 5
    done = len(events_in(folder, "stage_done"))
    with pytest.raises(Stopped):
        run_study(study(), folder, workers=1)
    facts = facts_in(folder)
    assert len(events_in(folder, "stage_done")) == done and facts.states[-1]["state"] == "stopped"
    assert {(one["kind"], one["by"]) for one in facts.requests} == {("stop", "the file STOP")}
    (folder / "STOP").unlink()
    run_study(study(), folder, workers=1)
    assert failing(folder) == {}


def test_a_pause_really_stops_the_next_stage_and_a_run_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    seen: list[Stepped] = []

    def watch(one: Stepped) -> None:
        seen.append(one)
        if len(seen) == 4:
            leave_request(folder, "pause", by="anna", reason="lunch")

    with pytest.raises(Stopped):
        run_study(study(), folder, watch=watch, workers=1)
    assert len(seen) == 4 == len(events_in(folder, "stage_done"))
    assert facts_in(folder).states[-1]["state"] == "paused"
    run_study(study(), folder, workers=1)
    assert facts_in(folder).states[-1]["state"] == "done"


def test_while_one_run_waits_the_others_go_on(tmp_path: Path) -> None:
    """Both starts come to their own request, and what waits for `self` waits with it."""
    folder = tmp_path / "study"
    with pytest.raises(Waiting, match="2 changes wait"):
        run_study(study(replicas=2, policy=Policy({"policy": "one"})), folder, workers=1)
    assert {run: found.row["stage"] for run, found in facts_in(folder).runs.items()} == {
        "r0/self": "approve", "r1/self": "approve", "r0/frozen": "start", "r1/frozen": "start",
    }  # fmt: skip


def test_a_world_without_a_registration_runs_unattended(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    enrol(world, [0], 1, lambda: "0" * 16)
    assert Conductor(world, tmp_path / "inbox", lambda _: None).conduct(1) == "done"
    assert conduct(world, tmp_path) == [] and final(world, 0, "self").done
