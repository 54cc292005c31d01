"""`[gate] show = "ladder"` in whole studies: what a loop is told, what it books, forged numbers."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny

from netgain import session
from netgain.attempts import asked_before, book_answers
from netgain.canonical import digest
from netgain.errors import ConfigError
from netgain.evidence.ladder import nats_shown
from netgain.gates import GateOptions, GatePlan
from netgain.ledger import Event
from netgain.records import Change, View
from netgain.session import Study, run_study
from netgain.suite import Bank, Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.verify import verify
from study_forgery import entries, forged, places

Json = Any
Events = list[Event]
Edit = Callable[[Events], Events | None]
STEP = 0.05
SHOWN = GateOptions(show="ladder", show_step=STEP)
ARMS = ("self", "frozen", "ungated", "random_gate", "random_proposer")
views: list[tuple[int, float | None]] = []


def watching(view: View) -> Change:
    views.append((view.round, view.shown))
    return tiny.propose(view)


class Here(InProcess):
    """Loop code in this process, in place of worker processes."""

    def __init__(self, reference: session.Reference, count: int) -> None:
        super().__init__(replace(tiny.loop, propose=watching))

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


def in_this_process(patch: pytest.MonkeyPatch, home: Path) -> None:
    patch.setenv("XDG_STATE_HOME", str(home / "state"))
    patch.setattr(session, "LocalWorkers", Here)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    in_this_process(monkeypatch, tmp_path)
    return tmp_path / "state" / "netgain" / "exposure"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two starts of three rounds; the third round brings nothing that a step could show."""
    home = tmp_path_factory.mktemp("shown")
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch, home)
        run_study(tiny.study(replicas=2, rounds=3, arms=ARMS[:4], gate=SHOWN), home / "study", workers=1)
    return home / "study"


def decided(folder: Path, run: str) -> list[Json]:
    return [one.data for one in entries(folder) if one.kind == "gate_decision" and one.run == run]


def gain(folder: Path, run: str, at: int) -> float:
    """Dumb twin: candidate less generation 0 on the round's gate items; all items of this world have scores."""
    told = [one.data for one in entries(folder) if one.kind == "scores" and one.run == run]
    (a,), (b,) = (
        [one["values"] for one in told if (one["split"], one["round"], one["role"]) == ("gate", at, role)]
        for role in ("candidate", "anchor")
    )
    return (sum(a) - sum(b)) / len(a)


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_a_loop_is_shown_the_largest_gain_so_far_in_steps(honest: Path, tmp_path: Path) -> None:
    assert [one["name"] for one in verify(honest)["checks"] if not one["ok"]] == []
    for run in ("r0/self", "r1/self"):
        best = 0.0
        for made in decided(honest, run):
            found = gain(honest, run, made["round"])
            if found > best + 1.0 / math.sqrt(120):  # more than a step of .05
                best = round(found / STEP) * STEP
            assert made["shown"] == pytest.approx(best)
        assert best > 0.5


def test_the_view_has_what_the_decision_before_showed(tmp_path: Path) -> None:
    views.clear()
    run_study(tiny.study(replicas=1, rounds=3, arms=("self", "frozen"), gate=SHOWN), tmp_path / "study", workers=1)
    shown = [made["shown"] for made in decided(tmp_path / "study", "r0/self")]
    assert views == [(1, None), (2, shown[0]), (3, shown[1])]


def test_runs_whose_gate_only_watches_or_is_drawn_are_shown_nothing(honest: Path) -> None:
    for arm in ("ungated", "random_gate"):
        made = decided(honest, f"r0/{arm}")
        assert made and not any("shown" in one for one in made)
        rows = [one.data["row"] for one in entries(honest) if one.run == f"r0/{arm}" and "row" in one.data]
        assert not any("shown" in row for row in rows)


def test_a_study_that_registers_no_number_has_none_in_its_plan_rows_and_decisions(tmp_path: Path) -> None:
    """Old records stay as they are, byte for byte."""
    views.clear()
    plan = tiny.study().gate_plan().to_json()
    assert not {"show", "show_step"} & plan.keys()
    run_study(tiny.study(replicas=1, arms=("self", "frozen")), tmp_path / "study", workers=1)
    assert b'"shown"' not in b"".join(json.dumps(one.data).encode() for one in entries(tmp_path / "study"))
    assert {shown for _, shown in views} == {None}


def test_a_screened_candidate_moves_nothing_and_a_void_decision_neither(
    tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not scored is no gain: the number stays, and it is on record that it did."""
    idle = GateOptions(show="ladder", show_step=STEP, screen_items=50, screen_z=9.9)
    study = replace(tiny.study(replicas=1, arms=("self", "frozen"), gate=idle), loop=tiny.loop)
    monkeypatch.setattr(tiny, "STEP", 0.0)
    run_study(study, tmp_path / "screened", workers=1)
    made = decided(tmp_path / "screened", "r0/self")
    assert {(one["reason"], one["shown"]) for one in made} == {("screened", 0.0)}
    assert [one["name"] for one in verify(tmp_path / "screened")["checks"] if one["ok"] is False] == []


def test_void_decisions_move_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Generation 0 leaves a third of the items unanswered: the rest would show a gain."""

    def shy(system: Json, inputs: Sequence[str], budget: Any, rng: Any) -> list[Json]:
        answers = tiny.answer(system, inputs, budget, rng)
        return [
            None if system["skill"] < 0.3 and hash_of(q) % 3 == 0 else a for q, a in zip(inputs, answers, strict=True)
        ]

    monkeypatch.setattr(tiny, "loop", replace(tiny.loop, answer=shy))
    run_study(tiny.study(replicas=1, arms=("self", "frozen"), gate=SHOWN), tmp_path / "study", workers=1)
    made = decided(tmp_path / "study", "r0/self")
    assert {(one["reason"], one["shown"]) for one in made} == {("missing", 0.0)}
    assert [one["name"] for one in verify(tmp_path / "study")["checks"] if one["ok"] is False] == []


def hash_of(text: str) -> int:
    return int(digest(text)[:8], 16)


def test_a_number_that_was_shown_steers_the_loop_though_it_sees_no_decision(honest: Path) -> None:
    """R3: a loop that goes by its own signal alone is told no truth from outside, and this is some."""
    from netgain.case import case_of
    from netgain.facts import reduce

    facts = reduce(entries(honest))
    facts.registration["study"]["sees_accepted"] = False
    for run in facts.runs.values():
        run.decisions[:] = [{**one, "mode": "advance"} for one in run.decisions]
        run.row = {**run.row, "restores": 0, "working": run.row["released"]}
    assert case_of(facts).verdict_moved_path == 2
    for run in facts.runs.values():
        run.decisions[:] = [{name: one[name] for name in one if name != "shown"} for one in run.decisions]
    assert case_of(facts).verdict_moved_path == 0


# --- what it costs ---------------------------------------------------------------------------------------------------


def bank() -> Suite:
    items = [{"input": f"word{n}>", "target": f"word{n}"} for n in range(500)]
    shares = {"dev": 0.1, "gate": 0.5, "report": 0.1, "sealed": 0.3}
    echo = axis("echo", Bank(items, shares), gate_items=100, report_items=20, sealed_items=20, moment=0.5)
    return Suite([echo], block=100, max_pairs=100, design_gain=0.3)


def on(suite: Suite, **more: Any) -> Study:
    return replace(tiny.study(replicas=2, **more), suite=suite)


def test_what_was_shown_is_booked_on_the_bank_that_it_came_from(tmp_path: Path, machine: Path) -> None:
    run_study(on(bank(), gate=SHOWN), tmp_path / "study", workers=1)
    told = [[one["shown"] for one in decided(tmp_path / "study", f"r{r}/self")] for r in (0, 1)]
    (path,) = machine.glob("*.json")
    (booked,) = json.loads(path.read_text())["studies"].values()
    assert booked["shown_nats"] == pytest.approx(nats_shown(STEP, told)) and booked["shown_nats"] > 0.0
    held = asked_before(bank())["echo"]
    without = math.log(sum(math.comb(held["queries"], j) for j in range(held["accepts"] + 1)))
    assert held["log_raise"] >= without + booked["shown_nats"]


def test_only_the_gate_axis_pays_for_the_number(machine: Path) -> None:
    other = [{"input": f"other{n}>", "target": f"other{n}"} for n in range(500)]
    shares = {"dev": 0.1, "gate": 0.5, "report": 0.1, "sealed": 0.3}
    guard = axis("guard", Bank(other, shares), guard=True, gate_items=100, report_items=20, sealed_items=20)
    both = Suite([*bank().axes, guard], block=100, max_pairs=100, design_gain=0.3)
    assert book_answers(both, "study", [], told_apart=False, shown_nats=2.5)
    found = asked_before(both)
    assert {name: one["shown_nats"] for name, one in found.items()} == {"echo": 2.5, "guard": 0.0}


# --- what is refused -------------------------------------------------------------------------------------------------


def test_a_step_that_is_left_out_is_what_the_pairs_can_tell() -> None:
    plan = tiny.study(gate=GateOptions(show="ladder")).gate_plan()
    assert (plan.show, plan.show_step) == ("ladder", pytest.approx(1.0 / math.sqrt(240)))
    assert GatePlan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (GateOptions(show="scores", show_step=0.1), "number that a gate shows"),  # type: ignore[arg-type]
        (GateOptions(show_step=0.1), "give both"),
        (GateOptions(show="ladder", show_step=0.0), "outside"),
        (GateOptions(show="ladder", show_step=1.0), "outside"),
    ],
)
def test_numbers_that_cannot_be_shown_are_refused(options: GateOptions, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tiny.study(gate=options).gate_plan()
    assert words in f"{caught.value}"


def test_a_gate_that_only_watches_shows_nothing() -> None:
    with pytest.raises(ConfigError, match="mode 'watch'"):
        replace(tiny.study(gate=SHOWN), loop=replace(tiny.loop, gate="watch")).gate_plan()


# --- forgeries: all hashes fit ---------------------------------------------------------------------------------------


def found(honest: Path, tmp_path: Path, edit: Edit) -> dict[str, str]:
    """Check that fails -> what it says."""
    checks = verify(forged(honest, tmp_path / "forged", lambda events: edit(copied(events))))["checks"]
    return {one["name"]: one["detail"] for one in checks if one["ok"] is False}


def copied(events: Sequence[Event]) -> Events:
    return [Event(one.kind, one.run, copy.deepcopy(dict(one.data))) for one in events]


def told(run: str, at: int, value: float | None, *, rows: bool = True) -> Edit:
    """Another number in the decision of a round and in every row until the next one; None: none."""

    def edit(events: Events) -> Events:
        now = None
        for event in (one for one in events if one.run == run):
            now = event.data["round"] if event.kind == "gate_decision" else now
            here = [event.data] if event.kind == "gate_decision" else [event.data["row"]] if "row" in event.data else []
            for record in here if now == at and (rows or event.kind == "gate_decision") else []:
                record.pop("shown", None) if value is None else record.update(shown=value)
        return _keyed(events)

    return edit


def _keyed(events: Events) -> Events:
    """Keys of stages made again from the rows before them."""
    before: dict[str, Json] = {}
    for event in events:
        run = str(event.run)
        if event.kind in ("stage_started", "stage_done"):
            event.data["key"] = digest([run, before[run]])  # type: ignore[index]
        if "row" in event.data:
            before[run] = event.data["row"]
    return events


def another_step(events: Events) -> Events:
    """A plan of wider steps than the numbers came in, with every digest of it made again."""
    data: Json = events[places(events, "claim_registered")[0]].data
    data["contract"]["gate"]["show_step"] = 0.3
    return events


def rows_only(events: Events) -> Events:
    for event in events:
        if event.run == "r0/self" and event.kind == "stage_done" and event.data["stage"] == "measure":
            event.data["row"]["shown"] = 0.95
    return _keyed(events)


FORGERIES: dict[str, tuple[Edit, str]] = {
    "raised": (told("r0/self", 1, 0.9), "the number shown is 0.9"),
    "moved without the step": (told("r0/self", 3, 1.0), "the number shown is 1.0"),
    "lowered": (told("r0/self", 2, 0.0), "the number shown is 0.0"),
    "missing": (told("r0/self", 2, None), "is not shown a number, against the plan"),
    "missing in the rows": (told("r0/self", 1, 0.9, rows=False), "the number shown is 0.9"),
    "shown where the gate only watches": (told("r0/ungated", 2, 0.5), "is shown a number, against the plan"),
    "shown where promotions are drawn": (told("r0/random_gate", 2, 0.5), "is shown a number, against the plan"),
    "told to the loop alone": (rows_only, "the number shown in its row"),
    "of another step": (another_step, "the number shown"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_number_is_found(honest: Path, tmp_path: Path, name: str) -> None:
    edit, words = FORGERIES[name]
    assert words in found(honest, tmp_path, edit).get("gate", "not found")


def test_an_honest_copy_is_sound(honest: Path, tmp_path: Path) -> None:
    assert found(honest, tmp_path, lambda events: _keyed(events)) == {}


def test_a_number_in_a_study_that_registered_none_is_found(tmp_path: Path) -> None:
    run_study(tiny.study(replicas=1, arms=("self", "frozen")), tmp_path / "study", workers=1)
    said = found(tmp_path / "study", tmp_path, told("r0/self", 1, 0.5))["gate"]
    assert "is shown a number, against the plan" in said
