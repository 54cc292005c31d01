"""A study from its files to its verdict in one folder: registered first, continued exactly, extended by its looks."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny

from netgain import calibration, seal, session
from netgain.claim import Claim
from netgain.contract import code_digest
from netgain.errors import Busy, ConfigError, IntegrityError, Stopped
from netgain.executors import LocalWorkers
from netgain.executors.worker import Tasks
from netgain.facts import Facts
from netgain.ledger import FolderLock, Ledger
from netgain.seal import facts_of
from netgain.session import run_study
from netgain.stages import Filter, Loop
from netgain.study import Stepped, leave_request
from netgain.suite import Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.verify import verify

ROOT = "5a" * 32
Json = Any


class Here(InProcess):
    """Loop code in this process, in place of worker processes."""

    def __init__(self, reference: session.Reference, count: int) -> None:
        super().__init__(tiny.loop)

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine of its own: counts of attempts apart, and no worker processes, which are tested elsewhere."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session, "LocalWorkers", Here)
    return monkeypatch


def facts_in(folder: Path) -> Facts:
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def events_in(folder: Path, kind: str) -> list[Json]:
    with Ledger.open(folder, readonly=True) as log:
        return [event.data for event in log.events(kind)]


def results(folder: Path) -> dict[str, Json]:
    """What a study found before the seal, without clocks: final rows, scores and decisions by run."""
    with Ledger.open(folder, readonly=True) as log:
        rows = {run: {**row, "build": None, "answer": None} for run, row in log.rows().items()}
        scores = sorted(
            json.dumps([event.run, event.data], sort_keys=True)
            for event in log.events("scores") if event.data["split"] != "sealed"
        )  # fmt: skip
    return {"rows": rows, "scores": scores}


def after(stages: int, do: Callable[[], None]) -> Callable[[Stepped], None]:
    """A watcher that does something once, after so many stages."""
    left = [stages]

    def watch(one: Stepped) -> None:
        left[0] -= 1
        if left[0] == 0:
            do()

    return watch


def crash() -> None:
    raise OSError("pulled the plug")


# --- A whole study ---------------------------------------------------------------------------------------------------
def test_a_study_ends_with_a_verdict_a_report_and_a_closed_folder(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    machine.setattr(session, "LocalWorkers", LocalWorkers)
    folder = tmp_path / "study"
    verdict = run_study(tiny.study(), folder)
    assert verdict.word == "SUPPORTED WITH LIMITS"
    assert verdict.limits == ("no guard axis was run",)
    assert verdict.gains == pytest.approx([0.7] * 6, abs=0.35)
    assert {"ledger.db", "study.sha256", "report.html", "objects"} <= {path.name for path in folder.iterdir()}
    assert not (folder / ".secret").exists()
    facts = facts_in(folder)
    assert facts.verdict is not None and facts.verdict["verdict"] == verdict.word
    assert facts.states[-1]["state"] == "done"
    assert (
        hashlib.sha256(bytes.fromhex(events_in(folder, "secret_revealed")[0]["secret"])).hexdigest()
        == (facts.registration["secret_sha256"])
    )


def test_what_is_made_again_after_the_tidying_is_there(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    """A moved improver may make, to the byte, what a run had made and the tidying has dropped."""
    folder, held, worlds = tmp_path / "study", dict[str, bytes](), list[Any]()
    own_world, own_tidy, own_seal = session._world, session._tidy, session.open_seal

    def world(*given: Any) -> Any:
        worlds.append(own_world(*given))
        return worlds[-1]

    def tidy(log: Ledger, store: Any, *given: Any, **more: Any) -> None:
        held.update({digest: store.get(digest) for digest in store.digests()})
        own_tidy(log, store, *given, **more)

    def seal(log: Ledger, *given: Any) -> Any:
        dropped = next(log.events("objects_dropped")).data["digests"]
        for digest in dropped:
            assert worlds[0].store.put(held[digest]) == digest
            assert worlds[0].store.get(digest) == held[digest]
        assert dropped
        return own_seal(log, *given)

    for name, patched in (("_world", world), ("_tidy", tidy), ("open_seal", seal)):
        machine.setattr(session, name, patched)
    run_study(tiny.study(), folder)


def test_the_claim_is_registered_before_generation_0_and_names_all_that_it_rests_on(tmp_path: Path) -> None:
    run_study(tiny.study(replicas=1, rounds=1), tmp_path / "study")
    with Ledger.open(tmp_path / "study", readonly=True) as log:
        kinds = [event.kind for event in log.events()]
    assert kinds.index("claim_registered") < kinds.index("stage_started")
    assert kinds.index("seal_opened") > max(place for place, kind in enumerate(kinds) if kind == "stage_done")
    held = facts_in(tmp_path / "study").registration
    assert held["contract"]["suite"]["axes"][0]["name"] == "echo"
    assert {"code", "libraries", "gate"} <= set(held["contract"])
    assert not held["given_root"]


def test_a_finished_study_gives_its_verdict_again_and_changes_nothing(tmp_path: Path) -> None:
    study, folder = tiny.study(replicas=1, rounds=1), tmp_path / "study"
    first = run_study(study, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert run_study(study, folder) == first
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_one_start_is_no_evidence_about_a_loop_however_many_items_it_answered(tmp_path: Path) -> None:
    verdict = run_study(tiny.study(replicas=1), tmp_path / "study")
    assert (verdict.word, verdict.effect["n"]) == ("INCONCLUSIVE", 1)
    assert verdict.gains[0] is not None and verdict.gains[0] > 0.4


# --- Resume ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("stages", [1, 6, 13])
def test_a_study_that_crashed_ends_as_if_it_had_not(tmp_path: Path, stages: int) -> None:
    study = tiny.study(replicas=2, root=ROOT)
    run_study(study, tmp_path / "whole", workers=1)
    with pytest.raises(OSError, match="plug"):
        run_study(study, tmp_path / "broken", watch=after(stages, crash))
    assert facts_in(tmp_path / "broken").states[-1]["state"] == "failed"
    run_study(study, tmp_path / "broken")
    assert results(tmp_path / "broken") == results(tmp_path / "whole")
    assert len(facts_in(tmp_path / "broken").enrolled) == 2


def test_a_crash_between_the_seal_and_the_verdict_opens_the_seal_no_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, folder = tiny.study(replicas=2, rounds=1), tmp_path / "study"
    with monkeypatch.context() as patch:
        patch.setattr(session, "decide_verdict", lambda case: crash())
        with pytest.raises(OSError, match="plug"):
            run_study(study, folder)
    before = [event for event in events_in(folder, "scores") if event["split"] == "sealed"]
    run_study(study, folder)
    assert len(facts_in(folder).seals) == 1
    assert [event for event in events_in(folder, "scores") if event["split"] == "sealed"] == before


def test_a_request_to_stop_is_recorded_obeyed_and_continued_from(tmp_path: Path) -> None:
    study, folder = tiny.study(replicas=2, rounds=1), tmp_path / "study"
    with pytest.raises(Stopped) as stopped:
        run_study(
            study, folder, watch=after(3, lambda: leave_request(folder, "stop", by="anna", reason="lunch")), workers=1
        )
    assert stopped.value.exit_code == 5
    facts = facts_in(folder)
    assert facts.states[-1]["state"] == "stopped"
    assert [(one["kind"], one["by"]) for one in facts.requests] == [("stop", "anna")]
    assert len(events_in(folder, "stage_done")) == 3
    run_study(study, folder)
    assert [state["state"] for state in facts_in(folder).states] == ["running", "stopped", "running", "done"]


@pytest.mark.parametrize("how", ["pause", "STOP"])
def test_a_request_while_the_seal_is_scored_ends_the_run_after_one_system(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, folder, asked, evaluate = tiny.study(replicas=2, rounds=1), tmp_path / "study", [], seal.evaluate

    def asking(*args: Any) -> Any:
        if not asked:
            (folder / "STOP").touch() if how == "STOP" else leave_request(folder, how, by="anna", reason="lunch")
        asked.append(1)
        return evaluate(*args)

    monkeypatch.setattr(seal, "evaluate", asking)
    with pytest.raises(Stopped):
        run_study(study, folder, workers=1)
    assert len(asked) == 1 and facts_in(folder).states[-1]["state"] == {"pause": "paused", "STOP": "stopped"}[how]
    (folder / "STOP").unlink(missing_ok=True)
    run_study(study, folder, workers=1)
    facts = facts_in(folder)
    sealed = [(one["run"], one["role"]) for one in booked(folder)]
    assert len(facts.seals) == 1 and len(sealed) == len(set(sealed)) == len(asked) > 3 and facts.concluded
    assert not [one for one in verify(folder)["checks"] if one["ok"] is False]


def booked(folder: Path) -> list[dict[str, Any]]:
    """Run and role of every system that was asked sealed items."""
    with Ledger.open(folder, readonly=True) as log:
        return [{"run": event.run, "role": event.data["role"]} for event in log.events("sealed_answered")]


def test_a_budget_in_tokens_ends_the_loop_cleanly_and_the_study_goes_on(tmp_path: Path) -> None:
    run_study(tiny.study(replicas=1, rounds=3, limits={"tokens": 150.0}), tmp_path / "study")
    runs = facts_in(tmp_path / "study").runs
    assert (runs["r0/self"].row["round"], runs["r0/self"].row["end"]) == (2, "budget of tokens used up")
    assert runs["r0/frozen"].row["round"] == 3
    assert facts_in(tmp_path / "study").states[-1]["state"] == "done"


# --- What may not change ---------------------------------------------------------------------------------------------
@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """The folder of a study that was stopped after a few stages."""
    folder = tmp_path / "study"
    with pytest.raises(Stopped):
        run_study(
            tiny.study(replicas=1, rounds=1, files={"claim.toml": "by = 0.2\n"}),
            folder,
            watch=after(2, lambda: leave_request(folder, "stop", by="", reason="")),
        )
    return folder


def as_begun(**more: Any) -> session.Study:
    return tiny.study(**{"replicas": 1, "rounds": 1, "files": {"claim.toml": "by = 0.2\n"}, **more})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"claim": Claim("echo", by=0.1, beats=["frozen"], expected=0.5)}, "by"),
        ({"claim": Claim("echo", by=0.2, beats=["frozen"], expected=0.6)}, "expected"),
        ({"rounds": 2}, "rounds"),
        ({"arms": ["self", "frozen", "random_search"]}, "arms"),
        ({"limits": {"tokens": 10.0}}, "limit of tokens"),
        ({"files": {"claim.toml": "by = 0.20\n"}}, "claim.toml"),
        ({"root": ROOT}, "root"),
    ],
)
def test_a_study_that_was_edited_after_registration_is_refused(begun: Path, change: Any, named: str) -> None:
    before = events_in(begun, "stage_done")
    with pytest.raises(ConfigError, match=named):
        run_study(as_begun(**change), begun)
    assert events_in(begun, "stage_done") == before


def test_other_code_than_registered_is_refused(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session, "code_digest", lambda reference: "0" * 64)
        with pytest.raises(ConfigError, match=r"the contract differs.*: code \("):
            run_study(as_begun(), begun)
    wider = replace(tiny.suite().gate_axis, margin=0.06)
    with pytest.raises(ConfigError, match=r"the contract differs.*: axis echo, gate|axis echo"):
        run_study(replace(as_begun(), suite=replace(tiny.suite(), axes=[wider])), begun)


def test_the_code_of_the_loop_is_part_of_the_contract(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("loop = 1\n")
    reference = session.Reference(f"{file}:loop")
    before = code_digest(reference)
    file.write_text("loop = 2\n")
    assert code_digest(reference) != before


def test_a_study_whose_secret_is_gone_does_not_go_on(begun: Path) -> None:
    (begun / ".secret").unlink()
    with pytest.raises(IntegrityError, match="secret is gone"):
        run_study(as_begun(), begun)


def test_two_runs_at_once_on_one_folder_are_refused(begun: Path) -> None:
    with FolderLock(begun), pytest.raises(Busy):
        run_study(as_begun(), begun)


# --- Extension -------------------------------------------------------------------------------------------------------
def test_an_extension_goes_to_the_next_registered_look_with_a_secret_and_a_seal_of_its_own(tmp_path: Path) -> None:
    study, folder = tiny.study(rounds=1), tmp_path / "study"
    run_study(study, folder)
    first = facts_in(folder)
    verdict = run_study(study, folder, extend=True)
    facts = facts_in(folder)
    assert sorted(facts.enrolled) == list(range(9))
    assert verdict.effect["n"] in (6, 9)  # the first look that decides
    assert len(verdict.gains) == 9
    assert verdict.gains[:6] == decided_gains(first)
    assert [seal["replicas"] for seal in facts.seals] == [list(range(6)), [6, 7, 8]]
    assert facts.seals[0]["merkle_root"] != facts.seals[1]["merkle_root"]
    revealed = {one["look"]: one["secret"] for one in events_in(folder, "secret_revealed")}
    assert len(set(revealed.values())) == 2
    (committed,) = events_in(folder, "secret_committed")
    assert committed["secret_sha256"] == hashlib.sha256(bytes.fromhex(revealed[9])).hexdigest()
    with Ledger.open(folder, readonly=True) as log:
        told = next(event.seq for event in log.events("secret_committed"))
        assert all(event.seq > told for event in log.events("replica_enrolled") if event.data["look"] == 9)
    assert (folder / "study.sha256").exists()


def decided_gains(facts: Facts) -> tuple[float | None, ...]:
    assert facts.verdict is not None
    return tuple(facts.verdict["gains"])


def small(**more: Any) -> session.Study:
    """A study with looks at one and at three starts: too few for a word, enough to see what is done."""
    return tiny.study(rounds=1, replicas=1, claim=Claim("echo", by=0.2, beats=["frozen"], looks=[1, 3]), **more)


def test_an_extension_that_crashed_is_continued_to_its_own_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, folder = small(), tmp_path / "study"
    run_study(study, folder)
    enrol = session.enrol
    with monkeypatch.context() as patch:  # killed after the first of two new starts was enrolled
        patch.setattr(session, "enrol", lambda world, ids, look, label: (enrol(world, range(2), look, label), crash()))
        with pytest.raises(OSError, match="plug"):
            run_study(study, folder, extend=True)
    run_study(study, folder)
    facts = facts_in(folder)
    assert sorted(facts.enrolled) == [0, 1, 2]
    assert len(events_in(folder, "secret_committed")) == 1
    assert facts.verdict is not None and facts.verdict["look"] == 3


def test_a_kill_between_a_new_secret_and_its_commitment_leaves_no_secret_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, folder = small(), tmp_path / "study"
    run_study(study, folder)
    keep = session._keep_secret
    with monkeypatch.context() as patch:
        patch.setattr(session, "_keep_secret", lambda *arguments: (keep(*arguments), crash()))
        with pytest.raises(OSError, match="plug"):
            run_study(study, folder, extend=True)
    assert not events_in(folder, "secret_committed")
    run_study(study, folder, extend=True)
    revealed = {one["look"]: one["secret"] for one in events_in(folder, "secret_revealed")}
    committed = events_in(folder, "secret_committed")[-1]
    assert committed["secret_sha256"] == hashlib.sha256(bytes.fromhex(revealed[3])).hexdigest()


def test_after_the_last_look_there_is_nothing_to_extend_and_the_folder_stays_closed(tmp_path: Path) -> None:
    study, folder = small(), tmp_path / "study"
    run_study(study, folder)
    run_study(study, folder, extend=True)
    with pytest.raises(ConfigError, match="no registered look is left"):
        run_study(study, folder, extend=True)
    assert (folder / "study.sha256").exists()


def test_loop_code_that_changed_between_two_looks_makes_the_old_claim_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`method.md` 5.5, world 22: a "bug fix" between two looks. Refused; and where somebody forces it, INVALID."""
    study, folder = small(), tmp_path / "study"
    run_study(study, folder)
    monkeypatch.setattr(session, "code_digest", lambda reference: "0" * 64)
    with pytest.raises(ConfigError, match="the contract differs"):
        run_study(study, folder, extend=True)
    assert (folder / "study.sha256").exists() and len(facts_in(folder).enrolled) == 1
    monkeypatch.setattr(session, "_same_contract", lambda study, facts: None)
    verdict = run_study(study, folder, extend=True)
    assert (verdict.word, verdict.level) == ("INVALID", 0)
    assert "another contract than registered" in verdict.reasons[0]
    found = verify(folder)
    assert found["verdict"] == "INVALID"
    assert any(one["name"] == "contract" and one["ok"] is False for one in found["checks"])


def test_with_its_root_and_its_secrets_a_study_is_repeated_look_by_look(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    run_study(small(), first)
    run_study(small(), first, extend=True)
    secrets = {one["look"]: one["secret"] for one in events_in(first, "secret_revealed")}
    study = small(root=facts_in(first).registration["root"], secrets=secrets)
    run_study(study, again)
    run_study(study, again, extend=True)
    assert results(again) == results(first)
    other = small(root=study.root)  # without the secrets the gate asks other items
    run_study(other, tmp_path / "other")
    assert results(tmp_path / "other") != results(first)


# --- Roots, attempts, exploration ------------------------------------------------------------------------------------
def test_a_given_root_gives_the_same_result_and_is_registered_as_given(tmp_path: Path) -> None:
    for name in "ab":
        run_study(tiny.study(root=ROOT, rounds=1, replicas=2), tmp_path / name)
    assert results(tmp_path / "a") == results(tmp_path / "b")
    assert facts_in(tmp_path / "a").registration["given_root"]


def test_two_drawn_roots_are_two_studies_and_attempts_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "secrets", secrets)  # in other tests they follow from the study
    study = tiny.study(replicas=1, rounds=1)
    for name in "ab":
        run_study(study, tmp_path / name)
    assert results(tmp_path / "a")["scores"] != results(tmp_path / "b")["scores"]
    assert [facts_in(tmp_path / name).opened["attempts_here"] for name in "ab"] == [1, 2]


def test_an_exploratory_study_stays_one_when_it_is_run_again_without_saying_so(tmp_path: Path) -> None:
    study, folder = small(), tmp_path / "study"
    assert run_study(study, folder, exploratory=True).level == 1
    assert run_study(study, folder).level == 1


# --- What cannot be a study ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"replicas": 0}, "replicas"), ({"rounds": 0}, "rounds"), ({"arms": ["self"]}, "frozen"),
        ({"arms": ["frozen"]}, "self"), ({"root": "12"}, "root"), ({"root": "AB" * 32}, "root"),
        ({"claim": Claim("echo", 0.2, beats=["ordinary"])}, "ordinary"),
        ({"claim": Claim("ladder", 0.2)}, "ladder"),
        ({"claim": Claim("echo", 0.2, arm="placebo"), "arms": ["self", "frozen", "placebo"]}, "filters"),
        ({"claim": Claim("echo", 0.2, alpha=0.01)}, "alpha"),
    ],
)  # fmt: skip
def test_a_study_that_could_not_work_is_refused_when_it_is_put_together(change: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        tiny.study(**change)


def test_a_claim_needs_sealed_items() -> None:
    few = Suite([axis("echo", tiny.suite().gate_axis.source, gate_items=2, sealed_items=1)])
    with pytest.raises(ConfigError, match="sealed items"):
        replace(tiny.study(), suite=few)


def test_an_arm_that_the_loop_cannot_support_is_named_and_not_run() -> None:
    study = tiny.study(arms=["self", "frozen", "placebo", "flat"])
    assert list(study.chosen()) == ["self", "frozen"]
    assert set(study.untestable()) == {"placebo", "flat"}
    loop = replace(tiny.loop, filters=(Filter("own"),))
    assert "placebo" in replace(study, loop=loop).chosen()


# --- Study.run, for scripts: planned first ---------------------------------------------------------------------------
@pytest.fixture
def planned(machine: pytest.MonkeyPatch) -> None:
    """Planning without worker processes too."""
    machine.setattr(calibration, "LocalWorkers", Here)


@pytest.mark.usefixtures("planned")
def test_a_study_that_is_run_from_python_is_planned_and_the_plan_is_on_record(tmp_path: Path) -> None:
    verdict = tiny.study().run(tmp_path / "study")
    assert verdict.word == "SUPPORTED WITH LIMITS", verdict  # no guard axis
    (plan,) = events_in(tmp_path / "study", "planned")
    assert plan["answerable"] and plan["replicas"] == 6
    assert tiny.study().run(tmp_path / "study") == verdict  # again: neither planned nor run


@pytest.mark.usefixtures("planned")
def test_a_study_that_cannot_answer_its_claim_is_not_begun(tmp_path: Path) -> None:
    study, folder = tiny.study(replicas=2, rounds=1), tmp_path / "study"
    with pytest.raises(ConfigError, match="cannot answer its claim.*6"):
        study.run(folder)
    assert not folder.exists()
    assert study.run(folder, exploratory=True).level == 1


@pytest.mark.usefixtures("planned")
def test_a_metric_that_fails_is_found_before_anything_is_registered(tmp_path: Path) -> None:
    broken = axis("echo", tiny.suite().gate_axis.source, not_a_number, gate_items=120, report_items=20, sealed_items=60)
    with pytest.raises(ConfigError, match="axis 'echo'.*nan"):
        tiny.study(suite=Suite([broken])).run(tmp_path / "study")
    assert not (tmp_path / "study").exists()


def not_a_number(output: Json, target: Json) -> float:
    return float("nan")


# --- Starts ----------------------------------------------------------------------------------------------------------
def test_a_start_that_fails_is_no_success_and_the_study_still_comes_to_its_verdict(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    """Generation 0 of one start cannot be made: by the system's own doing, so it is enrolled and counts."""
    made = iter(range(100))

    def start(rng: Any) -> Json:
        if next(made) == 4:
            raise ValueError("diverged")
        return tiny.start(rng)

    loop = replace(tiny.loop, start=start)
    machine.setattr(session, "LocalWorkers", lambda reference, count: here(loop))
    verdict = run_study(replace(tiny.study(), loop=loop), tmp_path / "study", workers=1)
    assert verdict.gains.count(None) == 1 and len(verdict.gains) == 6
    assert verdict.word == "INCONCLUSIVE" and "5 of 6 starts" in verdict.reasons[0]
    failed = events_in(tmp_path / "study", "stage_failed")
    assert all("diverged" in one["message"] and one["stage"] == "start" for one in failed)
    checks = verify(tmp_path / "study")
    assert (checks["verdict"], [one for one in checks["checks"] if not one["ok"]]) == ("INCONCLUSIVE", [])


def here(loop: Loop) -> Here:
    executor = Here(session.Reference("tiny"), 1)
    executor._tasks = Tasks(loop)
    return executor


@pytest.mark.parametrize("starts", ["fresh", "this generation 0"])
def test_runs_from_one_generation_0_share_it_and_fresh_starts_do_not(tmp_path: Path, starts: str) -> None:
    claim = Claim("echo", by=0.2, beats=["frozen"], expected=0.5, starts=starts)
    verdict = run_study(tiny.study(claim=claim), tmp_path / "study")
    rows = [run.row for run in facts_in(tmp_path / "study").runs.values()]
    assert len({row["anchor"] for row in rows}) == (6 if starts == "fresh" else 1)
    assert len({row["released"] for row in rows if row["arm"] == "self"}) == 6
    assert verdict.word.startswith("SUPPORTED")


def test_starts_that_are_claimed_to_be_fresh_and_are_all_alike_decide_nothing(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    loop = replace(tiny.loop, start=lambda rng: {"skill": 0.2, "mark": 1})
    machine.setattr(session, "LocalWorkers", lambda reference, count: here(loop))
    verdict = run_study(replace(tiny.study(rounds=1), loop=loop), tmp_path / "study")
    assert (verdict.word, verdict.level) == ("INCONCLUSIVE", 2)
    assert "makes them one start" in verdict.reasons[0]
    assert verify(tmp_path / "study")["verdict"] == "INCONCLUSIVE"


def test_plain_training_is_not_chosen_on_items_that_are_not_there() -> None:
    blind = replace(tiny.suite().gate_axis, report_items=0)
    loop = replace(tiny.loop, ordinary={"one": tiny.propose, "two": tiny.propose})
    study = replace(tiny.study(), loop=loop)
    replace(study, arms=("self", "frozen", "ordinary"))
    with pytest.raises(ConfigError, match="0 report items, on which the best of `ordinary` is chosen"):
        replace(study, arms=("self", "frozen", "ordinary"), suite=Suite([blind]))


def test_a_claim_about_a_version_is_not_answered_by_several_starts_nor_one_about_a_loop_by_items():
    version = Claim("echo", by=0.2, about="version")
    with pytest.raises(ConfigError, match="replicas 6 with a claim about a version"):
        tiny.study(claim=version)
    assert tiny.study(claim=version, replicas=1).claim.sizes == (1,)


def test_the_level_of_open_looks_and_of_means_is_the_claimed_one():
    for more in ({"looks": "open"}, {"analysis": "mean", "looks": (10,)}):
        assert tiny.study(claim=Claim("echo", by=0.2, alpha=0.01, **more)).claim.alpha == 0.01
    with pytest.raises(ConfigError, match="alpha"):
        tiny.study(claim=Claim("echo", by=0.2, alpha=0.01))
