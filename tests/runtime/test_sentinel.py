"""A measuring that moves while a study runs: seen by the sentinel, frozen, named by part, and taken off the scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny
from test_epochs import facts_in, failing

from netgain import contract, session
from netgain.errors import Stopped
from netgain.facts import Facts
from netgain.generators import Strings
from netgain.ledger import Event
from netgain.monitors import MONITORS
from netgain.report import drifting
from netgain.report.reading import read
from netgain.session import Study, run_study
from netgain.study import Stepped, leave_request
from netgain.suite import Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.verify import verify
from study_forgery import forged, places

Json = Any
SCORED = {"by": "equality"}
FOUND = contract.libraries()


def right(output: Json, target: Json) -> float:
    """What scores is not in this process' hands: a service, say, that changes from one day to the next."""
    return {"equality": float(output == target), "nothing": 0.0, "anything": 1.0}[SCORED["by"]]


def watched_study(**more: Any) -> Study:
    source = Strings("copy", (6,))
    echo = axis("echo", source, right, gate_items=120, report_items=20, sealed_items=60, moment=0.5, canary_items=40)
    suite = Suite([echo], block=120, max_pairs=240, design_gain=0.3)
    return tiny.study(**{"suite": suite, "replicas": 1, "rounds": 4, "monitors": [MONITORS["drift"]()], **more})


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    class Here(InProcess):
        def __init__(self, reference: Any, count: int) -> None:
            super().__init__(tiny.loop)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session, "LocalWorkers", Here)
    monkeypatch.setitem(SCORED, "by", "equality")
    return monkeypatch


@dataclass(frozen=True)
class Once:
    """A monitor that alarms in the first round and is quiet from then on."""

    name: str = "once"
    reads: str = "restores"
    threshold: float = 0.5
    direction: str = "at_least"
    action: str = "freeze"

    def look(self, history: Sequence[Any]) -> Any:
        value = float(history[-1]["round"] == 1)
        return SimpleNamespace(value=value, alarm=value >= self.threshold, reason=None, numbers={})

    def to_json(self) -> dict[str, Json]:
        return asdict(self)


def after_round(at: int, do: Callable[[], object]) -> Callable[[Stepped], None]:
    """A watcher that does something once the claimed run has been measured in a round."""

    def watch(one: Stepped) -> None:
        if (one.row.id, one.row.round, one.row.stage) == ("r0/self", at, "measure"):
            do()

    return watch


def drifted(folder: Path, by: str = "anything", at: int = 1, **more: Any) -> Facts:
    """A study of four rounds whose scorer changes after a round, behind everybody's back."""
    run_study(watched_study(**more), folder, workers=1, watch=after_round(at, lambda: SCORED.update(by=by)))
    return facts_in(folder)


def test_a_drift_freezes_promotion_and_says_that_no_recorded_part_moved(tmp_path: Path) -> None:
    own = drifted(tmp_path / "study").runs["r0/self"]
    assert [told["acted"] for told in own.watched.values()] == [None, "freeze", "freeze", "freeze"]
    assert [told.get("moved") for told in own.watched.values()] == [None, [], [], []]
    assert [one["round"] for one in own.decisions] == [1] and own.decisions[0]["receipt"]
    assert failing(tmp_path / "study") == []
    page = (tmp_path / "study" / "report.html").read_text("utf-8")
    assert "no recorded part moved: look at the machine, the data source, the model server" in page


def test_without_a_drift_nothing_is_frozen_and_nothing_named(tmp_path: Path) -> None:
    own = drifted(tmp_path / "study", by="equality").runs["r0/self"]
    assert [told["acted"] for told in own.watched.values()] == [None] * 4
    assert not any("moved" in told for told in own.watched.values())


def test_a_part_that_moved_meanwhile_is_named(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    def upgraded() -> None:
        SCORED.update(by="anything")
        machine.setattr(session, "libraries", lambda reference: {**FOUND, "numpy": "9.9.9"})

    run_study(watched_study(), tmp_path / "study", workers=1, watch=after_round(1, upgraded))
    own = facts_in(tmp_path / "study").runs["r0/self"]
    assert [told.get("moved") for told in own.watched.values()] == [None, *[["library numpy"]] * 3]
    assert failing(tmp_path / "study") == []
    page = (tmp_path / "study" / "report.html").read_text("utf-8")
    assert "these parts of the contract have moved: library numpy" in page


@pytest.mark.parametrize("later", ["equality", "anything"], ids=["mended", "as it is now"])
def test_the_freeze_of_a_drift_ends_with_the_epoch_in_which_the_measuring_begins_anew(
    tmp_path: Path, machine: pytest.MonkeyPatch, later: str
) -> None:
    folder = tmp_path / "study"

    def worse() -> None:
        SCORED.update(by="anything")

    def stop() -> None:
        leave_request(folder, "stop", by="anna", reason="to mend it")

    def watch(one: Stepped) -> None:
        after_round(1, worse)(one)
        after_round(2, stop)(one)

    with pytest.raises(Stopped):
        run_study(watched_study(), folder, workers=1, watch=watch)
    SCORED.update(by=later)  # mended, or accepted; and with it a library was pinned
    machine.setattr(session, "libraries", lambda reference: {**FOUND, "numpy": "9.9.9"})
    run_study(watched_study(), folder, workers=1, new_epoch="pinned what had moved")
    own = facts_in(folder).runs["r0/self"]
    assert [told["acted"] for told in own.watched.values()] == [None, "freeze", None, None]
    assert [told.get("epoch", 0) for told in own.watched.values()] == [0, 0, 1, 1]
    assert [one["round"] for one in own.decisions] == [1, 3, 4]
    assert failing(folder) == []


def test_a_freeze_for_another_reason_outlives_the_epoch(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study"
    study = watched_study(monitors=[Once(), MONITORS["drift"]()])
    with pytest.raises(Stopped):
        run_study(study, folder, workers=1,
                  watch=after_round(2, lambda: leave_request(folder, "stop", by="anna", reason="lunch")))  # fmt: skip
    machine.setattr(session, "libraries", lambda reference: {**FOUND, "numpy": "9.9.9"})
    run_study(study, folder, workers=1, new_epoch="upgraded")
    own = facts_in(folder).runs["r0/self"]
    assert {told["acted"] for told in own.watched.values()} == {"freeze"} and own.decisions == []
    assert failing(folder) == []


def test_the_middle_generation_is_a_sentinel_too_and_an_item_counts_once(tmp_path: Path) -> None:
    facts = drifted(tmp_path / "study", by="nothing", at=3)
    own = facts.runs["r0/self"]
    assert own.row["kept_at"]["2"] != own.row["anchor"]  # a generation of its own
    differences = own.watched[4]["vitals"]["sentinel"]["differences"]
    first, middle = (own.canary[3, role, "echo"].mean for role in ("anchor", "middle"))
    assert len(differences) == 40
    assert sum(differences) / 40 == pytest.approx(-(first + middle) / 2)  # all that either had is gone
    assert own.watched[4]["acted"] == "freeze" and failing(tmp_path / "study") == []


def test_scores_less_drift_take_the_sentinel_of_their_own_round(tmp_path: Path) -> None:
    facts = drifted(tmp_path / "study")
    reading, own = read(facts), facts.runs["r0/self"]
    move = own.canary[4, "anchor", "echo"].mean - own.canary[1, "anchor", "echo"].mean
    table = drifting.corrected(reading)
    assert table is not None and move > 0.5
    ((_, at, score, shift, shown, corrected, _),) = table.rows
    assert (at, shown, score) == ("4", "canary items of the round", "1.000")
    assert float(str(shift)) == pytest.approx(move, abs=1e-3)
    assert float(str(corrected)) == pytest.approx(1.0 - move, abs=1e-3)
    page = (tmp_path / "study" / "report.html").read_text("utf-8")
    assert "less drift" in page and "The verdict needs none of this" in page


# --- A system that answers by chance ---------------------------------------------------------------------------------
def by_chance(folder: Path, machine: pytest.MonkeyPatch, **more: Any) -> Facts:
    """A study whose systems are right on half of all questions, others each time."""

    def answer(system: Json, inputs: Sequence[str], budget: Any, rng: Any) -> list[str]:
        return [one.rstrip(">") if yes else "?" for one, yes in zip(inputs, rng.random(len(inputs)) < 0.5, strict=True)]

    machine.setattr(tiny, "loop", replace(tiny.loop, answer=answer))
    run_study(watched_study(**more), folder, workers=1)
    return facts_in(folder)


def test_answers_by_chance_are_no_drift(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    facts = by_chance(tmp_path / "study", machine)
    own, frozen = facts.runs["r0/self"], facts.runs["r0/frozen"]
    errors = [told["vitals"]["sentinel"]["then_error"] for told in own.watched.values()]
    assert all(0.04 < error < 0.12 for error in errors)  # of a half: .079
    assert [told["acted"] for told in own.watched.values()] == [None] * 4
    moved = read(facts).drift()["echo"]
    assert moved.most > 0.0 and moved.floor is not None and moved.most < moved.floor and moved.beyond == 0.0
    again = frozen.again["echo"]["values"]
    assert again != frozen.still["anchor", "echo"][0][1]["values"] and len(again) == 20
    assert failing(tmp_path / "study") == []
    page = (tmp_path / "study" / "report.html").read_text("utf-8")
    assert "no drift of the harness is seen" in page and ": drift of the harness" not in page


def test_the_luck_of_the_middle_generation_is_measured_too(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    machine.setattr(tiny, "loop", replace(tiny.loop, gate="watch"))  # every candidate is released
    own = by_chance(tmp_path / "study", machine).runs["r0/self"]
    errors = [told["vitals"]["sentinel"]["then_error"] for told in own.watched.values()]
    assert [role for at, role, _ in own.canary if at == 3 and "middle" in role] == ["middle", "again_middle"]
    assert errors[0] == errors[1] == errors[2] and errors[3] < 0.85 * errors[0]  # the mean of two is luckier by less
    assert failing(tmp_path / "study") == []


def test_a_drift_of_answers_by_chance_is_beyond_the_luck_of_both(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    watch = after_round(2, lambda: SCORED.update(by="nothing"))
    real = run_study
    machine.setitem(globals(), "run_study", lambda *given, **more: real(*given, **more, watch=watch))
    facts = by_chance(tmp_path / "study", machine)
    assert facts.runs["r0/self"].watched[4]["acted"] == "freeze"
    assert failing(tmp_path / "study") == []


@pytest.mark.parametrize("error", [0.5, 0.0, None])
def test_a_forged_luck_is_found(tmp_path: Path, machine: pytest.MonkeyPatch, error: float | None) -> None:
    by_chance(tmp_path / "study", machine)

    def edit(events: list[Event]) -> list[Event]:
        found: Any = events[places(events, "watched")[2]].data["vitals"]["sentinel"]
        found.update(then_error=error)
        if error is None:
            del found["then_error"]
        return events

    checks = verify(forged(tmp_path / "study", tmp_path / "forged", edit))["checks"]
    assert "watched" in [one["name"] for one in checks if one["ok"] is False]


def test_a_second_asking_of_another_system_is_found(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    """Luck that another system shows would excuse a drift of this one."""
    by_chance(tmp_path / "study", machine)

    def edit(split: str) -> Callable[[list[Event]], list[Event]]:
        def edit(events: list[Event]) -> list[Event]:
            data: Any = events[places(events, "scores", split=split, role="again")[0]].data
            data["system"] = "0" * 64
            return events

        return edit

    for split, name in (("anchor", "measures"), ("canary", "watched")):
        checks = verify(forged(tmp_path / "study", tmp_path / f"forged {split}", edit(split)))["checks"]
        assert name in [one["name"] for one in checks if one["ok"] is False]


def test_a_record_without_a_second_asking_of_the_anchor_is_read_and_excuses_nothing(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    by_chance(tmp_path / "study", machine)

    def edit(events: list[Event]) -> list[Event]:
        gone = places(events, "scores", split="anchor", role="again")
        return [one for at, one in enumerate(events) if at not in gone]

    copy = forged(tmp_path / "study", tmp_path / "older", edit)
    assert [one["name"] for one in failing(copy)] == ["seal"]  # which counts the entries before it, and nothing else
    moved = read(facts_in(copy)).drift()["echo"]
    assert moved.floor is None and moved.beyond == moved.most > 0.0


@pytest.mark.parametrize(
    "values", [{"moved": ["the moon"]}, {"moved": None}, {"epoch": 1}], ids=["unknown part", "unnamed", "epoch"]
)
def test_a_forged_alarm_is_found(tmp_path: Path, values: dict[str, Any]) -> None:
    drifted(tmp_path / "study")

    def edit(events: list[Event]) -> list[Event]:
        data: Any = events[places(events, "watched")[1]].data
        data.update(values)
        for name in [name for name, value in values.items() if value is None]:
            del data[name]
        return events

    checks = verify(forged(tmp_path / "study", tmp_path / "forged", edit))["checks"]
    assert "watched" in [one["name"] for one in checks if one["ok"] is False]
