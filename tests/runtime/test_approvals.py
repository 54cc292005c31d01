"""Changes that wait for people: asked once, answered by name and digest, and silence is a no."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny

from netgain import session, verify
from netgain.errors import ConfigError, Waiting
from netgain.facts import Facts
from netgain.ledger import Event, Ledger
from netgain.policy import Policy
from netgain.records import Change, Part, View
from netgain.result import result_digest
from netgain.seal import facts_of
from netgain.session import run_study
from netgain.stages import Loop
from netgain.status import status_in_words, status_of
from netgain.study import Stepped, leave_request
from netgain.testing.inprocess import InProcess
from netgain.whatif import whatif
from study_forgery import Events, forged, places

ROOT = "5a" * 32
ONE, TWO = Policy({"policy": "one"}), Policy({"policy": "two"})
Json = Any


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session, "LocalWorkers", here(tiny.loop))
    return monkeypatch


def here(loop: Loop) -> type:
    """Loop code in this process, in place of worker processes."""

    class Here(InProcess):
        def __init__(self, reference: object, count: int) -> None:
            super().__init__(loop)

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    return Here


def study(policy: Policy = ONE, **more: Any) -> session.Study:
    return tiny.study(**{"replicas": 1, "root": ROOT, "policy": policy, **more})


def facts_in(folder: Path) -> Facts:
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def events_in(folder: Path, kind: str) -> list[Json]:
    with Ledger.open(folder, readonly=True) as log:
        return [event.data for event in log.events(kind)]


def digest_of(folder: Path) -> str:
    with Ledger.open(folder, readonly=True) as log:
        return result_digest(log.events())


def waits(what: session.Study, folder: Path, **more: Any) -> Json:
    """Run until the study waits, and give the one request that it waits with."""
    with pytest.raises(Waiting) as waited:
        run_study(what, folder, workers=1, **more)
    assert waited.value.exit_code == 6
    (one,) = facts_in(folder).waiting
    return one


def answer(folder: Path, one: Json, kind: str = "approve", by: str = "anna", **more: str) -> Path:
    said = {"id": one["id"], "digest": one["change"][:8], "reason": "I read it", **more}
    reason = said.pop("reason")
    return leave_request(folder, kind, by=by, reason=reason, **said)


def through(what: session.Study, folder: Path, *kinds: str) -> None:
    """Run to the end, with these answers in order."""
    for kind in kinds:
        answer(folder, waits(what, folder), kind)
    run_study(what, folder, workers=1)


def failing(folder: Path) -> dict[str, str]:
    return {one["name"]: one["detail"] for one in verify.verify(folder)["checks"] if one["ok"] is False}


# --- Waiting ---------------------------------------------------------------------------------------------------------
def test_a_change_that_needs_a_person_stops_the_run_and_says_why_since_when_and_what_next(tmp_path: Path) -> None:
    one = waits(study(), tmp_path / "study")
    state = facts_in(tmp_path / "study").states[-1]
    assert state["state"] == "waiting_approval" and state["reason"] == "1 change waits for an answer"
    assert state["since"] and "netgain approve" in state["next"]
    assert (one["surfaces"], one["people"], one["size"]["parts"]) == (["policy"], 1, 1)
    row = facts_in(tmp_path / "study").runs["r0/self"].row
    assert (row["stage"], row["released"]) == ("approve", row["anchor"])


def test_it_does_not_go_on_by_being_run_again(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    first = waits(study(), folder)
    done = len(events_in(folder, "stage_done"))
    assert waits(study(), folder) == first
    assert len(events_in(folder, "stage_done")) == done
    assert len(events_in(folder, "approval_requested")) == 1


def test_status_lists_what_waits_without_the_run_and_names_the_answer(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    one = waits(study(), folder)
    record = status_of(folder)
    (listed,) = record["waiting"]
    told = {"id", "digest", "surfaces", "size", "since", "age_seconds", "expires", "answers", "people", "round"}
    assert set(listed) == told and listed["digest"] == one["change"] and listed["age_seconds"] >= 0
    assert record["state"] == "waiting_approval" and f"netgain approve {one['id']}" in record["next"]["cmd"]
    assert one["id"] in status_in_words(record) and "r0/self" not in json.dumps(record)
    answer(folder, one)
    assert status_of(folder)["next"]["cmd"] == f"netgain run {folder}"


def test_without_a_policy_everything_runs_unattended_and_that_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run_study(study(Policy()), folder)
    assert not events_in(folder, "approval_requested")
    assert "policy" not in facts_in(folder).study
    assert status_of(folder)["policy"] == "every change runs unattended"
    assert "every change runs unattended (no policy was registered)" in (folder / "report.html").read_text()


# --- Answers ---------------------------------------------------------------------------------------------------------
def test_an_approved_change_is_promoted_and_a_persons_decision_is_on_record(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    through(study(rounds=1), folder, "approve")
    facts = facts_in(folder)
    run = facts.runs["r0/self"]
    assert run.row["released"] != run.row["anchor"]
    (choice,) = [one for one in run.choices if one["locus"] == "approval"]
    assert (choice["decided_by"], choice["reason"]) == ("person", "approve, anna: I read it")
    assert choice["evidence"]["change"] == next(iter(run.asked.values()))["change"]
    assert facts.verdict is not None and facts.verdict["endogenous"] is False
    assert whatif(facts, "human").horizon == 0
    assert failing(folder) == {}


def test_a_denied_change_is_a_rejected_round_and_no_score(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    through(study(), folder, "deny", "approve")
    rows = [one["row"] for one in events_in(folder, "stage_done") if one["stage"] == "apply"]
    assert rows[0]["released"] == rows[0]["working"] == rows[0]["anchor"] and rows[0]["accepted"] is False
    assert rows[1]["released"] != rows[1]["anchor"]
    assert failing(folder) == {}


def test_silence_is_a_no_that_a_person_gave(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run_study(study(Policy({"policy": "one"}, expires_hours=1e-9), rounds=1), folder)
    run = facts_in(folder).runs["r0/self"]
    assert run.row["released"] == run.row["anchor"]
    assert [one["end"] for one in run.asked.values()] == ["expired"]
    (choice,) = [one for one in run.choices if one["locus"] == "approval"]
    assert choice["decided_by"] == "person" and choice["reason"].startswith("no answer until ")
    assert failing(folder) == {}


def test_an_answer_given_in_time_counts_however_late_it_is_read_and_one_given_late_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, moment, released in (("in time", None, True), ("late", "2030-01-01T00:00:00.000Z", False)):
        folder = tmp_path / name
        one = waits(study(rounds=1), folder)
        answer(folder, one, **({"at": moment} if moment else {}))
        with monkeypatch.context() as patch:
            for module in ("approvals", "study"):
                patch.setattr(f"netgain.{module}.utc_now", lambda: "2031-01-01T00:00:00.000Z")
            run_study(study(rounds=1), folder, workers=1)
        row = facts_in(folder).runs["r0/self"].row
        assert (row["released"] != row["anchor"]) is released, name
        assert failing(folder) == {}


def refused(folder: Path) -> list[str]:
    return [one["refused"] for one in events_in(folder, "request") if "refused" in one]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"digest": "0" * 8}, "does not name the change that waits"),
        ({"digest": "short"}, "does not name the change that waits"),
        ({"digest": ""}, "does not name the change that waits"),
        ({"id": "00000000"}, "'00000000' does not wait"),
        ({"reason": " "}, "needs a name and a reason"),
        ({"by": ""}, "needs a name and a reason"),
    ],
)
def test_an_answer_that_does_not_fit_is_recorded_with_the_reason_and_grants_nothing(
    tmp_path: Path, said: dict[str, str], why: str
) -> None:
    folder = tmp_path / "study"
    one = waits(study(), folder)
    answer(folder, one, **said)  # type: ignore[arg-type]
    waits(study(), folder)
    assert why in refused(folder)[0] and not events_in(folder, "approval")


def test_two_people_are_two_names(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    one = waits(study(TWO, rounds=1), folder)
    answer(folder, one, by="anna")
    answer(folder, one, by=" Anna ")
    assert [said["by"] for said in waits(study(TWO, rounds=1), folder)["answers"]] == ["anna"]
    assert "two people are two names" in refused(folder)[0]
    answer(folder, one, by="bob")
    run_study(study(TWO, rounds=1), folder)
    assert [said["by"] for said in events_in(folder, "approval")] == ["anna", "bob"]
    row = facts_in(folder).runs["r0/self"].row
    assert row["released"] != row["anchor"] and failing(folder) == {}


def test_one_no_is_enough_where_two_are_asked(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    one = waits(study(TWO, rounds=1), folder)
    answer(folder, one, by="anna")
    answer(folder, one, "deny", by="bob")
    run_study(study(TWO, rounds=1), folder)
    row = facts_in(folder).runs["r0/self"].row
    assert row["released"] == row["anchor"] and failing(folder) == {}


def test_an_answer_holds_for_one_change_and_not_for_the_next_one(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    first = waits(study(), folder)
    answer(folder, first)
    second = waits(study(), folder)
    assert second["id"] != first["id"] and second["change"] != first["change"]
    answer(folder, first)
    assert waits(study(), folder) == second
    assert "does not wait" in refused(folder)[0]


def test_where_the_default_stands_for_people_nobody_is_asked_and_nothing_is_granted(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    loop = Loop(tiny.start, tiny.propose, tiny.answer, surfaces=["policy"], unaided=tiny.propose)
    machine.setattr(session, "LocalWorkers", here(loop))
    both = session.Study(loop, tiny.suite(), ("self", "frozen", "unaided"), study().claim, replicas=1, rounds=1,
                         root=ROOT, policy=ONE, reference=study().reference)  # fmt: skip
    through(both, tmp_path / "study", "approve")
    facts = facts_in(tmp_path / "study")
    assert facts.runs["r0/unaided"].row["released"] == facts.runs["r0/unaided"].row["anchor"]
    assert not facts.runs["r0/unaided"].asked and facts.runs["r0/self"].asked
    assert failing(tmp_path / "study") == {}


def test_plain_training_waits_as_well_and_serves_generation_0_when_it_is_denied(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    loop = Loop(tiny.start, tiny.propose, tiny.answer, surfaces=["policy"], ordinary=tiny.propose)
    machine.setattr(session, "LocalWorkers", here(loop))
    both = session.Study(loop, tiny.suite(), ("self", "frozen", "ordinary"), study().claim, replicas=1, rounds=1,
                         root=ROOT, policy=ONE, reference=study().reference)  # fmt: skip
    for kinds in (("approve", "deny"), ("approve", "approve")):
        folder = tmp_path / kinds[1]
        through(both, folder, *kinds)
        row = facts_in(folder).runs["r0/ordinary.plain"].row
        assert (row["released"] != row["anchor"]) is (kinds[1] == "approve")
        assert failing(folder) == {}


# --- Kills -----------------------------------------------------------------------------------------------------------
def crash(*_: object) -> None:
    raise OSError("pulled the plug")


def at_stage(name: str, do: Callable[[], object]) -> Callable[[Stepped], None]:
    """A watcher that does something once, when a stage is done for the first time."""
    left = [do]

    def watch(one: Stepped) -> None:
        if one.row.stage == name and one.row.arm == "self" and left:
            left.pop()()

    return watch


@pytest.fixture
def undisturbed(tmp_path: Path) -> str:
    """Digest of a study that was answered with yes, then no, and that nobody disturbed."""
    through(study(), tmp_path / "whole", "approve", "deny")
    return digest_of(tmp_path / "whole")


@pytest.mark.parametrize("stage", ["judge", "approve", "apply"])
def test_a_run_killed_around_its_waiting_loses_and_grants_nothing(tmp_path: Path, undisturbed: str, stage: str) -> None:
    folder = tmp_path / "broken"
    if stage == "judge":
        with pytest.raises(OSError, match="plug"):
            run_study(study(), folder, watch=at_stage(stage, crash))
    one = waits(study(), folder)
    assert not events_in(folder, "approval")
    answer(folder, one)
    if stage != "judge":  # the answer is on record, and needs to be given no second time
        with pytest.raises(OSError, match="plug"):
            run_study(study(), folder, watch=at_stage(stage, crash))
    answer(folder, waits(study(), folder), "deny")
    run_study(study(), folder)
    assert digest_of(folder) == undisturbed
    assert [said["answer"] for said in events_in(folder, "approval")] == ["approve", "deny"]


def test_an_answer_read_twice_because_of_a_kill_counts_once(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    path = answer(folder, waits(study(TWO, rounds=1), folder))
    shutil.copy(path, tmp_path / "kept")
    waits(study(TWO, rounds=1), folder)
    shutil.copy(tmp_path / "kept", path)  # as if the run had died between recording and removing
    assert len(waits(study(TWO, rounds=1), folder)["answers"]) == 1


def test_an_answer_while_the_run_goes_on_is_obeyed_without_a_new_run(tmp_path: Path, undisturbed: str) -> None:
    folder, kinds = tmp_path / "answered", ["approve", "deny"]

    def watch(one: Stepped) -> None:
        for event in one.outcome.events:
            if event.kind == "approval_requested":
                answer(folder, event.data, kinds.pop(0))

    run_study(study(), folder, watch=watch, workers=1)
    assert digest_of(folder) == undisturbed and not kinds


# --- What may not be built -------------------------------------------------------------------------------------------
def two_parts(view: View) -> Change:
    change = tiny.propose(view)
    return Change([*change.parts, Part("tools", None, decided_by="rule")], change.state)


def with_tools(view: View) -> Change:
    return tiny.propose(view) if "tools" in view.closed else two_parts(view)


def build(parent: Json, change: Change, budget: Json, rng: Json) -> Json:
    return change.parts[0].payload


def of_two_parts(policy: Policy, machine: pytest.MonkeyPatch, **more: Any) -> session.Study:
    loop = Loop(tiny.start, with_tools, tiny.answer, build=build, surfaces=["policy", "tools"], **more)
    machine.setattr(session, "LocalWorkers", here(loop))
    return session.Study(loop, tiny.suite(), ("self", "frozen"), study().claim, replicas=1, rounds=2, root=ROOT,
                         policy=policy, reference=study().reference)  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (Policy({"tools": "forbidden"}), "the policy forbids changes of surface 'tools'"),
        (Policy(max_parts=1), "the policy allows 1 parts in a change, and this one has 2"),
        (Policy(max_bytes=50), "the policy allows 50 bytes in a change"),
    ],
)
def test_what_the_policy_refuses_is_not_built_and_is_a_lost_round(
    tmp_path: Path, machine: pytest.MonkeyPatch, policy: Policy, why: str
) -> None:
    folder = tmp_path / "study"
    run_study(of_two_parts(policy, machine), folder)
    assert [why in one["message"] and one["cause"] for one in events_in(folder, "stage_failed")] == ["policy"] * 2
    assert not events_in(folder, "gate_decision")
    spent = facts_in(folder).runs["r0/self"].row["build"]
    assert spent["tokens"] == 200.0, "proposing was paid for, and a refusal costs nothing"
    assert failing(folder) == {}


def test_a_loop_that_listens_is_told_what_is_forbidden(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study"
    run_study(of_two_parts(Policy({"tools": "forbidden"}), machine, closable=["tools"]), folder)
    assert not events_in(folder, "stage_failed") and events_in(folder, "gate_decision")


def test_a_change_waits_for_the_strictest_of_its_surfaces(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    one = waits(of_two_parts(Policy({"policy": "one", "tools": "two"}), machine), tmp_path / "study")
    assert (one["people"], one["surfaces"]) == (2, ["tools", "policy"])


def test_a_policy_that_leaves_nothing_to_change_is_refused() -> None:
    with pytest.raises(ConfigError, match="forbids every surface of the loop"):
        study(Policy({"policy": "forbidden"}))


def test_another_policy_is_another_study(tmp_path: Path) -> None:
    waits(study(), tmp_path / "study")
    with pytest.raises(ConfigError, match="policy"):
        run_study(study(Policy()), tmp_path / "study")


# --- Verify: the same from the record alone --------------------------------------------------------------------------
@pytest.fixture
def honest(tmp_path: Path) -> Path:
    through(study(), tmp_path / "honest", "approve", "deny")
    assert failing(tmp_path / "honest") == {}
    return tmp_path / "honest"


def edited(events: Events, place: int, **data: Any) -> None:
    one = events[place]
    events[place] = Event(one.kind, one.run, {**one.data, **data})


def without_the_approval(events: Events) -> None:
    edited(events, places(events, "approval", answer="approve")[0], answer="comment")


def of_another_change(events: Events) -> None:
    edited(events, places(events, "approval", answer="approve")[0], change="0" * 64)


def asked_two(events: Events) -> None:
    (place,) = places(events, "claim_registered")
    data = events[place].data
    edited(events, place, study={**data["study"], "policy": {**data["study"]["policy"], "surfaces": {"policy": "two"}}})


def forbidden(events: Events) -> None:
    (place,) = places(events, "claim_registered")
    data = events[place].data
    policy = {**data["study"]["policy"], "surfaces": {"policy": "forbidden"}}
    edited(events, place, study={**data["study"], "policy": policy})


def denied_by_nobody(events: Events) -> None:
    edited(events, places(events, "approval", answer="deny")[0], answer="approve", by="bob")


def hidden(events: Events) -> None:
    """Without its decision record an answer would count in no limit and leave the mark R3."""
    edited(events, places(events, "decision", locus="approval")[0], decided_by="rule")


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (hidden, "0 of 1 decisions are on record"),
        (without_the_approval, "recorded 'approved', computed 'expired'"),
        (of_another_change, "recorded 'approved', computed 'expired'"),
        (asked_two, "recorded 'approved', computed 'expired'"),
        (forbidden, "build of a surface that the policy forbids"),
        (denied_by_nobody, "recorded 'denied', computed 'approved'"),
    ],
)
def test_verify_finds_what_people_did_not_allow(
    honest: Path, tmp_path: Path, edit: Callable[[Events], None], found: str
) -> None:
    assert found in failing(forged(honest, tmp_path / "forged", edit))["approvals"]


def test_verify_finds_a_no_that_nobody_gave(tmp_path: Path) -> None:
    """It would drop a round whose candidate was worse than it looked."""
    run_study(study(Policy(), rounds=1), tmp_path / "free")

    def said_no(events: Events) -> None:
        (place,) = places(events, "stage_done", stage="judge")
        edited(events, place, row={**events[place].data["row"], "verdict": "denied"})

    assert "apply after 'denied'" in failing(forged(tmp_path / "free", tmp_path / "no", said_no))["approvals"]


def test_verify_finds_an_adopted_change_that_nobody_was_asked_about(tmp_path: Path) -> None:
    run_study(study(Policy(), rounds=1), tmp_path / "free")

    def bound(events: Events) -> None:
        (place,) = places(events, "claim_registered")
        policy = Policy({"policy": "one"}).to_json()
        edited(events, place, study={**events[place].data["study"], "policy": policy})

    assert "0 of 1 approvals of change" in failing(forged(tmp_path / "free", tmp_path / "bound", bound))["approvals"]
