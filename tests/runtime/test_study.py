"""Which runs there are, which goes next, what somebody may ask of a running study, and what a failure leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds import conduct, final, sent, world_in

from netgain.errors import ConfigError, IntegrityError, SandboxError
from netgain.jobs import Jobs
from netgain.study import Conductor, Stepped, enrol, enrolled, leave_request
from netgain.testing.ladder import Ladder
from netgain.world import World

ARMS = ["self", "frozen", "ordinary", "placebo"]


def labels() -> str:
    return "0" * 16


def test_every_arm_of_every_replica_is_a_run_and_a_menu_is_several(tmp_path: Path) -> None:
    world = world_in(tmp_path, ARMS)
    enrol(world, range(2), 2, labels)
    assert sorted(world.log.rows()) == sorted(
        f"r{replica}/{name}"
        for replica in (0, 1)
        for name in ("self", "frozen", "ordinary.restarts", "ordinary.long", "placebo")
    )
    assert {row["round"] for row in world.log.rows().values()} == {0}


def test_enrolled_replicas_stay_and_none_is_enrolled_twice(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"])
    enrol(world, range(2), 2, labels)
    enrol(world, range(3), 3, labels)
    assert enrolled(world) == [0, 1, 2]
    looks = {event.data["replica"]: event.data["look"] for event in world.log.events("replica_enrolled")}
    assert looks == {0: 2, 1: 2, 2: 3}


def test_one_long_step_and_several_tries_have_a_horizon_of_one_round(tmp_path: Path) -> None:
    world = world_in(tmp_path, [*ARMS, "one_step", "sampled"], rounds=3)
    enrol(world, [0], 1, labels)
    horizons = {name: row["horizon"] for name, row in world.log.rows().items()}
    assert {name for name, rounds in horizons.items() if rounds == 1} == {
        "r0/one_step", "r0/sampled", "r0/ordinary.long"
    }  # fmt: skip
    assert horizons["r0/self"] == horizons["r0/ordinary.restarts"] == 3


def test_controls_run_after_the_loop_of_their_replica_whose_spend_they_are_given(tmp_path: Path) -> None:
    world = world_in(tmp_path, ARMS, rounds=1)
    told = [one.row.id for one in conduct(world, tmp_path, replicas=2)]
    for replica in (0, 1):
        ours = [run for run in told if run.startswith(f"r{replica}/")]
        own = ours.count(f"r{replica}/self")
        assert 0 < own < len(ours)
        assert set(ours[:own]) == {f"r{replica}/self"}


def test_a_watcher_hears_of_every_stage_and_how_far_things_are(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    told = conduct(world, tmp_path)
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert (told[-1].done, told[-1].of) == (2, 2)
    assert len(told) == len(list(world.log.events("stage_done")))


def test_the_number_of_hands_changes_no_result(tmp_path: Path) -> None:
    ends = []
    for hands in (1, 3):
        world = world_in(tmp_path / str(hands), ARMS, rounds=1)
        conduct(world, tmp_path / str(hands), replicas=2, hands=hands)
        ends.append({run: timeless(row) for run, row in world.log.rows().items()})
    assert ends[0] == ends[1]


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    """A row without clocks."""
    spend = {phase: {**row[phase], "device_seconds": None} for phase in ("build", "answer")}
    return {**row, **spend}


def asking(folder: Path, told: list[Stepped], *, after: int, kind: str = "stop") -> Any:
    """A watcher that leaves a request in the inbox after so many stages."""

    def watch(one: Stepped) -> None:
        told.append(one)
        if len(told) == after:
            leave_request(folder, kind, by="anna", reason="lunch")

    return watch


@pytest.mark.parametrize("kind", ["stop", "pause"])
def test_a_request_is_recorded_and_obeyed_before_the_next_stage(tmp_path: Path, kind: str) -> None:
    world = world_in(tmp_path, ["self", "frozen"])
    enrol(world, [0], 1, labels)
    told: list[Stepped] = []
    assert Conductor(world, tmp_path / "inbox", asking(tmp_path, told, after=3, kind=kind)).conduct(1) == kind
    assert len(told) == 3
    (request,) = world.log.events("request")
    assert request.data == {"kind": kind, "by": "anna", "reason": "lunch"}
    assert not list((tmp_path / "inbox").iterdir())
    assert Conductor(world, tmp_path / "inbox", told.append).conduct(1) == "done"
    assert final(world, 0, "self").done


def test_a_limit_in_seconds_pauses_and_says_so(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    enrol(world, [0], 1, labels)
    conductor = Conductor(world, tmp_path / "inbox", lambda _: None, {"device_seconds": 1e-9})
    assert conductor.conduct(1) == "pause"
    assert "device_seconds" in conductor.why
    assert not final(world, 0, "self").done


def test_a_request_that_nobody_can_read_is_recorded_and_obeyed_by_nobody(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    (tmp_path / "inbox").mkdir()
    for name, text in (("1", "{"), ("2", "[]"), ("3", '{"by": "x"}'), ("4", '{"kind": "promote"}')):
        (tmp_path / "inbox" / f"{name}.json").write_text(text)
    conduct(world, tmp_path)
    kinds = [event.data["kind"] for event in world.log.events("request")]
    assert kinds == ["unreadable"] * 3 + ["promote"]
    assert final(world, 0, "self").done


def test_a_half_written_request_is_not_read(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "1-stop.part").write_text('{"kind": "st')
    conduct(world, tmp_path)
    assert not list(world.log.events("request"))


def test_an_unknown_request_is_an_error_that_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'halt'.*stop, pause"):
        leave_request(tmp_path, "halt", by="anna", reason="")
    assert json.loads(leave_request(tmp_path, "stop", by="anna", reason="x").read_text())["by"] == "anna"


class Dying:
    """An executor that dies once, at its n-th task."""

    def __init__(self, inner: Any, at: int) -> None:
        self.inner, self.left = inner, at

    def call(self, task: Any) -> Any:
        self.left -= 1
        if not self.left:
            raise SandboxError("the machine is on fire")
        return self.inner.call(task)


def test_a_failure_of_the_machine_scores_nothing_and_the_next_call_goes_on(tmp_path: Path) -> None:
    undisturbed = world_in(tmp_path / "a", ["self", "frozen"])
    conduct(undisturbed, tmp_path / "a")
    world = world_in(tmp_path / "b", ["self", "frozen"])
    world.jobs._executor = Dying(world.jobs._executor, at=5)
    enrol(world, [0], 1, labels)
    with pytest.raises(SandboxError, match="on fire"):
        Conductor(world, tmp_path / "inbox", lambda _: None).conduct(2)
    assert not list(world.log.events("stage_failed"))
    assert Conductor(world, tmp_path / "inbox", lambda _: None).conduct(2) == "done"
    same = [{run: timeless(row) for run, row in one.log.rows().items()} for one in (undisturbed, world)]
    assert same[0] == same[1]


def test_an_error_of_a_watcher_reaches_the_caller(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"])
    enrol(world, [0], 1, labels)

    def watch(one: Stepped) -> None:
        raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError):
        Conductor(world, tmp_path / "inbox", watch).conduct(2)


def test_results_of_a_finished_replica_are_not_kept(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen"], rounds=1)
    conduct(world, tmp_path)
    before = len(sent(world))
    world.jobs.do(0, "start", seed=world.seed(final(world, 0, "self"), "start"))
    assert len(sent(world)) == before + 1


def test_a_budget_in_tokens_ends_the_loop_cleanly_and_its_controls_in_the_same_round(tmp_path: Path) -> None:
    world = world_in(tmp_path, ["self", "frozen", "placebo", "ungated", "self_again", "ordinary"], rounds=3)
    spent = 4000.0  # of the first round's build
    limited: World = replace(world, limits={"tokens": spent})
    conduct(limited, tmp_path)
    own = final(limited, 0, "self")
    assert own.done and own.round == 1
    assert own.end == "budget of tokens used up"
    assert not list(limited.log.events("stage_failed"))
    for arm in ("placebo", "ungated", "self_again"):  # with more rounds they would be loops of another horizon
        assert (final(limited, 0, arm).round, final(limited, 0, arm).end) == (1, own.end)
    assert (final(limited, 0, "frozen").round, final(limited, 0, "frozen").end) == (3, "planned length reached")


def test_a_start_that_does_not_give_the_same_generation_0_to_every_arm_ends_the_run(tmp_path: Path) -> None:
    """Loop code that draws from elsewhere than its rng: after a restart it would begin another loop in mid-study."""
    made = iter(range(100))
    loop = replace(Ladder(target=7, own=60).loop(), start=lambda rng: {"right": [0.5] * 16, "mark": next(made)})
    world = world_in(tmp_path, ["self", "frozen"], loop=loop)
    world.jobs.do = forgetful(world.jobs)  # type: ignore[method-assign]
    with pytest.raises(IntegrityError, match="another generation 0"):
        conduct(world, tmp_path)


def forgetful(jobs: Jobs) -> Any:
    """Jobs as after a restart: nothing is remembered from one task to the next."""
    do = jobs.do

    def afresh(replica: int, *given: Any, **fields: Any) -> Any:
        jobs.forget(replica)
        return do(replica, *given, **fields)

    return afresh


def test_a_limit_that_is_not_reached_ends_nothing(tmp_path: Path) -> None:
    world = replace(world_in(tmp_path, ["self", "frozen"], loop=Ladder(target=7, own=60).loop()), limits={"calls": 1.0})
    conduct(world, tmp_path)
    assert final(world, 0, "self").end == "planned length reached"  # building books no calls: unknown is not used up
