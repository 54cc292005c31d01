"""`verify.py` finds what is wrong with a study, says where, and leaves the folder as it is."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from netgain import verify
from netgain.claim import Claim
from netgain.ledger import Event, Ledger
from netgain.ledger.files import DIGESTS
from study_forgery import Events, entries, fingerprint, flipped, forged, ladder_study, places, resealed, shared


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared(tmp_path_factory, "honest", ladder_study)


@pytest.fixture
def copy(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "copy"))


def failing(found: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["detail"] for check in found["checks"] if check["ok"] is False}


def test_an_honest_study_passes_every_check(honest: Path) -> None:
    found = verify.verify(honest)
    assert [check["ok"] for check in found["checks"]] == [True] * len(verify.CHECKS), failing(found)
    assert (found["schema"], found["verdict"], found["level"], found["rung"]) == (
        "netgain.verify/1",
        "SUPPORTED",
        3,
        "R1",
    )
    assert set(found) - {"endogenous_reason"} == {
        "schema",
        "verdict",
        "level",
        "rung",
        "endogenous",
        "effect",
        "reasons",
        "checks",
        "record",
    }
    assert set(found["effect"]) == {"estimate", "low", "high", "confidence", "unit", "n"}
    assert found["reasons"]


@pytest.mark.parametrize(
    ("values", "status", "found"),
    [
        ([0, 1, 0.5], {}, ""),
        ([0, None, 1], {"1": "no answer"}, ""),
        ([0, None, 1], {}, "score None of item 1"),
        ([0, 1], {"1": "no answer"}, "score 1 of item 1"),
        ([0, 1], {"2": "no answer"}, "score 'beyond the block' of item 2"),
        ([0, 1.5, None], {"2": "no answer"}, "score 1.5 of item 1"),
        ([0, -0.1], {}, "score -0.1 of item 1"),
        ([0, True], {}, "score True of item 1"),
        ([0, "1"], {}, "score '1' of item 1"),
    ],
)
def test_what_is_no_score_is_named(values: list[Any], status: dict[str, str], found: str) -> None:
    assert verify.odd_score(values, status) == found


def test_what_is_null_has_its_reason_beside_it(honest: Path, copy: Path, tmp_path: Path) -> None:
    flipped(copy / "ledger.db", 5000, 1)
    few = ladder_study(tmp_path / "few", replicas=2, rounds=1)
    for folder in (honest, copy, few):
        found = verify.verify(folder)
        for record, names in ((found, ("rung", "endogenous")), (found["effect"], ("estimate", "low", "high", "n"))):
            for name in names:
                assert (record[name] is None) == (f"{name}_reason" in record), (folder, name)
    assert "2 starts" in verify.verify(few)["effect"]["low_reason"]
    assert "changed" in verify.verify(copy)["rung_reason"]


def test_one_file_runs_with_plain_python_and_changes_nothing(honest: Path, tmp_path: Path) -> None:
    alone = shutil.copy(str(verify.__file__), tmp_path / "verify.py")
    before = fingerprint(honest)
    done = subprocess.run([sys.executable, "-I", "-S", alone, honest, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == verify.verify(honest)
    assert done.stderr == ""
    assert fingerprint(honest) == before


def test_words_for_people_have_a_line_per_check(honest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(honest)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[: len(verify.CHECKS)]] == [check.__name__ for check in verify.CHECKS]
    assert lines[len(verify.CHECKS)].startswith("SUPPORTED: rung R1, level 3, estimate 0.")


def spots(path: Path, count: int) -> list[int]:
    """Places in a file: both ends, and others drawn anew each time the suite changes size, not each run."""
    size = path.stat().st_size
    return [0, size - 1, *random.Random(size % 1000).choices(range(size), k=count)]


def test_one_changed_byte_anywhere_in_the_ledger_is_found(copy: Path) -> None:
    for position in spots(copy / "ledger.db", 10):
        flipped(copy / "ledger.db", position, position % 8)
        found = verify.verify(copy)
        assert found["verdict"] == "INVALID"
        assert "'ledger.db' (changed)" in failing(found)["files"]
        flipped(copy / "ledger.db", position, position % 8)
    assert verify.verify(copy)["verdict"] == "SUPPORTED"


def test_one_changed_byte_in_any_other_file_is_found_and_named(copy: Path) -> None:
    (copy / "report.html").write_text("<p>a report</p>")
    resealed(copy)
    objects = sorted((copy / "objects").rglob("*"))
    for path in [copy / "claim.toml", copy / "report.html", *(path for path in objects if path.is_file())][:6]:
        flipped(path, path.stat().st_size // 2)
        name = path.relative_to(copy).as_posix()
        found = verify.verify(copy)
        assert found["verdict"] == "INVALID"
        assert f"{name!r} (changed)" in failing(found)["files"]
        assert ("objects" in failing(found)) == name.startswith("objects/")
        flipped(path, path.stat().st_size // 2)


def test_one_changed_byte_in_the_list_of_digests_is_found(copy: Path) -> None:
    for position in spots(copy / DIGESTS, 5):
        flipped(copy / DIGESTS, position, position % 7)
        assert "files" in failing(verify.verify(copy))
        flipped(copy / DIGESTS, position, position % 7)


def test_missing_and_extra_files_are_named(copy: Path) -> None:
    (copy / "notes.txt").write_text("extra")
    (copy / "claim.toml").unlink()
    found = failing(verify.verify(copy))
    assert "'notes.txt'" in found["files"]
    assert "'claim.toml' (missing)" in found["files"]
    assert "claim.toml" in found["registration"]


def rewrite(folder: Path, statement: str, *values: object) -> Path:
    """Change the database and make the digests fit again, as a forger without the hashes would."""
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as database:
        database.execute(statement, values)
    return resealed(folder)


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE events SET body = body || ' ' WHERE seq = 40", "seq 40"),
        ("UPDATE events SET leaf = zeroblob(32) WHERE seq = 41", "seq 41"),
        ("UPDATE events SET kind = 'other' WHERE seq = 42", "seq 42"),
        ("UPDATE events SET run = 'r9/self' WHERE seq = 43", "seq 43"),
        ("DELETE FROM events WHERE seq = 44", "seq 44 is missing"),
        ("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)", "head says"),
        ("UPDATE head SET root = upper(root)", "tree head"),
        ("UPDATE rows SET row = replace(row, 'done', 'propose') WHERE run = 'r0/self'", "table rows"),
        ("DROP TABLE events", "cannot be read"),
    ],
)
def test_a_changed_log_is_found_even_when_all_digests_fit(copy: Path, statement: str, where: str) -> None:
    found = verify.verify(rewrite(copy, statement))
    assert found["verdict"] == "INVALID"
    assert where in failing(found)["log"]


def test_a_body_with_its_own_leaf_breaks_the_chain_of_its_run(copy: Path) -> None:
    body = entries(copy)[50].body().replace(b'"time":"2', b'"time":"1')
    statement = "UPDATE events SET body = ?, leaf = ? WHERE seq = 50"
    found = verify.verify(rewrite(copy, statement, body.decode(), verify.sha(b"\x00" + body)))
    assert "not after the last event of r" in failing(found)["log"]


# --- forged records: every hash fits, what the events say does not ---------------------------------------------------


def changed(
    kind: str, change: Callable[[dict[str, Any]], None], nth: int = 0, **wanted: object
) -> Callable[[Events], None]:
    """An edit of the nth event of a kind."""

    def edit(events: Events) -> None:
        place = places(events, kind, **wanted)[nth]
        data = json.loads(json.dumps(events[place].data))
        change(data)
        events[place] = Event(kind, events[place].run, data)

    return edit


def put(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


def moved(kind: str, to: Callable[[Events], int], nth: int = 0, **wanted: object) -> Callable[[Events], Events]:
    def edit(events: Events) -> Events:
        place = places(events, kind, **wanted)[nth]
        event, target = events[place], to(events)
        rest = [*events[:place], *events[place + 1 :]]
        return [*rest[:target], event, *rest[target:]]

    return edit


def doubled(kind: str, **wanted: object) -> Callable[[Events], Events]:
    def edit(events: Events) -> Events:
        place = places(events, kind, **wanted)[-1]
        return [*events[: place + 1], events[place], *events[place + 1 :]]

    return edit


def dropped(kind: str, **wanted: object) -> Callable[[Events], Events]:
    def edit(events: Events) -> Events:
        place = places(events, kind, **wanted)[0]
        return [*events[:place], *events[place + 1 :]]

    return edit


def dropped_run(run: str) -> Callable[[Events], Events]:
    return lambda events: [event for event in events if event.run != run]


def dropped_all(kind: str) -> Callable[[Events], Events]:
    return lambda events: [event for event in events if event.kind != kind]


def undone(run: str) -> Callable[[Events], None]:
    """The released system of a run that promoted is generation 0 to the end."""

    def edit(events: Events) -> None:
        for place in [i for i, event in enumerate(events) if event.run == run and "row" in event.data]:
            row = events[place].data["row"]
            row = {**row, "released": row["anchor"]}
            events[place] = Event(events[place].kind, run, {**events[place].data, "row": row})

    return edit


def other_start(run: str) -> Callable[[Events], None]:
    """A run with a generation 0 of its own, followed through all of its rows."""

    def edit(events: Events) -> None:
        row: dict[str, Any] = {}
        for place, event in [(i, event) for i, event in enumerate(events) if event.run == run and "row" in event.data]:
            data = dict(event.data)
            if event.kind == "stage_done":
                data["key"] = verify.digest([run, row])
                data["out"] = {**data["out"], "system": "e" * 64} if data["stage"] == "start" else data["out"]
                data["row"] = {**data["row"], **dict.fromkeys(("anchor", "working", "released"), "e" * 64)}
            row, events[place] = data["row"], Event(event.kind, run, data)

    return edit


def shorter_decision(events: Events) -> None:
    """A decision that could not be taken, made out of the first block of one that asked for more."""
    looks = [e for e in events if e.kind == "scores" and e.data["split"] == "gate" and e.data["role"] == "candidate"]
    longest = max(looks, key=lambda event: len(event.data["values"]))
    place = next(i for i, e in enumerate(events) if e.kind == "gate_decision" and e.run == longest.run
                 and e.data["round"] == longest.data["round"])  # fmt: skip
    events[place] = Event("gate_decision", longest.run, {**events[place].data, "outcome": "undecided"})
    for i, event in enumerate(events):
        same = (event.run, event.data.get("round"), event.data.get("split")) == (
            longest.run, longest.data["round"], "gate",
        )  # fmt: skip
        if event.kind == "scores" and same:
            size = len(event.data["values"]) // 6
            events[i] = Event("scores", event.run, {**event.data, "values": event.data["values"][:size], "status": {}})


def silent_release(events: Events) -> None:
    """One of the loop's runs serves its candidate without any decision."""
    for place in [i for i, event in enumerate(events) if event.run == "r1/frozen" and event.kind == "stage_done"][1:]:
        row = {**events[place].data["row"], "released": "f" * 64}
        events[place] = Event("stage_done", "r1/frozen", {**events[place].data, "row": row})


def late_registration(events: Events) -> int:
    return places(events, "stage_done", round=1)[0] + 1


FORGERIES: dict[str, tuple[Callable[[Events], Events | None], str, str]] = {
    "claim after round 1": (moved("claim_registered", late_registration), "registration", "before the claim"),
    "a second claim": (doubled("claim_registered"), "registration", "second claim"),
    "another effect claimed": (
        changed("claim_registered", put("claim", "by", value=0.01)),
        "registration",
        "claim digest",
    ),
    "another suite": (
        changed("claim_registered", put("contract", "gate", "level", value=0.5)),
        "registration",
        "contract digest",
    ),
    "used items that were not said": (
        changed("claim_registered", put("exposure", value={"ladder": {"log_raise": 0.0}})),
        "registration",
        "asked before",
    ),
    "a confirmation that is counted again": (changed("gate_decision", put("k", value=1), round=2), "gate", "k is 1"),
    "promotions that were not": (changed("gate_decision", put("promoted", value=1), round=1), "gate", "promoted is 1"),
    "a screen that was not planned": (
        changed("gate_decision", put("reason", value="screened"), round=1),
        "gate",
        "screened",
    ),
    "another claim file": (
        changed("claim_registered", put("files", "claim.toml", value="0" * 64)),
        "registration",
        "claim.toml",
    ),
    "a chosen root": (changed("claim_registered", put("root", value="0" * 64)), "registration", "root"),
    "another secret": (changed("secret_revealed", put("secret", value="00" * 32)), "registration", "secret"),
    "other code later": (changed("session", put("contract_digest", value="0" * 64)), "contract", "another contract"),
    "no session": (dropped("session"), "contract", "no session"),
    "items of one's own": (changed("scores", put("items", value="0" * 64), split="gate"), "items", "gate block"),
    "items of a report block": (changed("scores", put("key", value="r0|k9"), split="report"), "items", "r0|k9"),
    "a score above one": (
        changed("scores", put("values", 0, value=1.5), split="report"),
        "items",
        "score 1.5 of item 0",
    ),
    "a score that is true": (changed("scores", put("values", 0, value=True), split="report"), "items", "score True"),
    "a lost score without a reason": (
        changed("scores", put("values", 0, value=None), split="report"),
        "items",
        "score None",
    ),
    "a reason beside a score": (changed("scores", put("status", "0", value="x"), split="report"), "items", "of item 0"),
    "another source": (
        changed("scores", put("source", value="0" * 16), split="report"),
        "items",
        "not from the source",
    ),
    "no receipt": (
        changed("gate_decision", put("receipt", value=None), outcome="promote"),
        "receipts",
        "without a receipt",
    ),
    "the receipt of another move": (
        changed("gate_decision", put("receipt", "candidate_digest", value="0" * 64), outcome="promote"),
        "receipts",
        "candidate_digest",
    ),
    "a receipt under another plan": (
        changed("gate_decision", put("receipt", "plan_digest", value="0" * 64), outcome="promote"),
        "receipts",
        "plan_digest",
    ),
    "a decision between others": (
        changed("gate_decision", put("candidate", value="0" * 64), outcome="promote"),
        "receipts",
        "its decision's candidate",
    ),
    "promotion by hand": (silent_release, "receipts", "r1/frozen released ffff"),
    "a harmful outcome": (
        changed("gate_decision", put("outcome", value="reject"), outcome="promote"),
        "receipts",
        "after 'reject'",
    ),
    "two decisions": (doubled("gate_decision"), "receipts", "two in one round"),
    "evidence that was not there": (
        changed("gate_decision", put("tests", 0, "log_e", value=99.0)),
        "gate",
        "log_e is 99.0",
    ),
    "a lower threshold": (
        changed("gate_decision", put("tests", 0, "log_threshold", value=0.1)),
        "gate",
        "log_threshold",
    ),
    "a level of one's own": (changed("gate_decision", put("level", value=0.5)), "gate", "level is 0.5"),
    "a test left out": (changed("gate_decision", lambda data: data["tests"].pop()), "gate", "tests"),
    "a gate score": (
        changed("scores", lambda data: data.update(values=[0] * len(data["values"])), split="gate", role="candidate"),
        "gate",
        "decision of r",
    ),
    "scores of another system": (changed("scores", put("system", value="0" * 64), split="gate"), "gate", "system"),
    "items of another pair": (changed("scores", put("key", value="a|b"), split="gate"), "gate", "key is 'a|b'"),
    "a guard that does not bind": (changed("gate_decision", put("waived", value=["retention"])), "gate", "waived is"),
    "a gate in another mode": (changed("gate_decision", put("mode", value="strict")), "gate", "mode is 'strict'"),
    "another seal": (changed("seal_opened", put("merkle_root", value="0" * 64)), "seal", "another root"),
    "a seal opened early": (
        moved("seal_opened", lambda events: places(events, "stage_done", stage="measure")[-1]),
        "seal",
        "the last one of a run is seq",
    ),
    "a seal opened twice": (doubled("seal_opened"), "seal", "a second time"),
    "a better system served": (
        changed("seal_opened", put("served", "r0/self", value="0" * 64)),
        "seal",
        "r0/self does not serve",
    ),
    "an arm left out": (changed("seal_opened", lambda data: data["served"].pop("r2/ordinary")), "seal", "r2/ordinary"),
    "sealed items answered twice": (doubled("scores", split="sealed"), "seal", "twice"),
    "sealed scores of another system": (
        changed("scores", put("system", value="0" * 64), split="sealed"),
        "seal",
        "not frozen",
    ),
    "a mixture left out": (
        changed("seal_opened", lambda data: next(iter(data["mixtures"].values())).pop("01")),
        "seal",
        "expected ['00', '01', '10', '11']",
    ),
    "all mixtures left out": (changed("seal_opened", put("mixtures", value={})), "seal", "mixes []"),
    "mixtures of other parts": (
        changed("seal_opened", lambda data: next(iter(data["mixtures"].values())).update({"11": "0" * 64})),
        "seal",
        "nothing mixed is not the system itself",
    ),
    "a mixture of another system": (
        changed("scores", put("system", value="0" * 64), split="sealed", role="mixture:10"),
        "seal",
        "not frozen",
    ),
    "fewer sealed items": (changed("scores", lambda data: data["values"].pop(), split="sealed"), "seal", "items"),
    "a start left out": (dropped("replica_enrolled", replica=2), "seal", "not enrolled one after the other"),
    "a score under another contract": (
        changed("scores", put("contract", value="0" * 16), split="report"),
        "items",
        "contract and epoch",
    ),
    "a score of another epoch": (changed("scores", put("epoch", value=1), split="sealed"), "items", "epoch"),
    "a measurement left out": (dropped("scores", split="report", role="released"), "measures", "has no report scores"),
    "an anchor left out": (dropped("scores", split="anchor"), "measures", "has no anchor scores"),
    "a report block cut short": (
        changed("scores", lambda data: data.update(values=data["values"][:5], status={}), split="report"),
        "measures",
        "values is 5",
    ),
    "a report of another system": (
        changed("scores", put("system", value="0" * 64), split="report"),
        "measures",
        "system is",
    ),
    "a report on items of another round": (
        changed("scores", put("key", value="r0|k9"), split="report"),
        "measures",
        "key is",
    ),
    "a measurement twice": (doubled("scores", split="report"), "measures", "measured twice"),
    "a run left out": (dropped_run("r0/ordinary.long"), "runs", "['r0/ordinary.long']"),
    "a promotion undone": (undone("r1/self"), "runs", "released"),
    "a stage left out": (dropped("stage_done", stage="measure", round=1), "runs", "out of order"),
    "a loop that spent less": (changed("stage_done", put("row", "build", "tokens", value=1.0), -1), "runs", "build"),
    "a deciding person left out": (dropped_all("decision"), "runs", "no decision record"),
    "another channel": (
        changed("stage_done", put("out", "channel", "channel", value="placebo"), stage="propose"),
        "runs",
        "channel",
    ),
    "another generation 0 in one arm": (other_start("r0/frozen"), "runs", "different generations 0"),
    "a decision cut short": (shorter_decision, "gate", "in 1 looks"),
    "an early generation listed": (
        changed("seal_opened", put("listed", "r0/self", value={"1": "0" * 64})),
        "seal",
        "its generation at half",
    ),
    "a telling label": (changed("run_started", put("label", value="frozen")), "blinding", "'frozen'"),
    "one label twice": (
        lambda events: [
            Event(e.kind, e.run, {**e.data, "label": "ab" * 8}) if e.kind == "run_started" else e for e in events
        ],
        "blinding",
        "abab",
    ),
    "a lost generation": (changed("stage_done", put("row", "anchor", value="0" * 64), -1), "objects", "is missing"),
    "a better word": (changed("verdict", put("verdict", value="SUPPORTED WITH LIMITS")), "word", "recorded verdict"),
    "a larger effect": (changed("verdict", put("effect", "estimate", value=0.99)), "word", "effect estimate is 0.99"),
    "a higher rung": (changed("verdict", put("rung", value="R5")), "word", "rung"),
    "a mark": (changed("verdict", put("endogenous", value="yes")), "word", "endogenous"),
    "sealed scores": (
        changed(
            "scores",
            lambda data: data.update(values=[0] * len(data["values"])),
            split="sealed",
            role="served",
            axis="ladder",
        ),
        "word",
        "recorded",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_record_fails_its_check_and_says_where(honest: Path, tmp_path: Path, name: str) -> None:
    edit, check, where = FORGERIES[name]
    found = verify.verify(forged(honest, tmp_path / "forged", edit))
    assert found["verdict"] == "INVALID"
    assert where in failing(found).get(check, "(passed)")
    assert verify.EXIT[found["verdict"]] == 7
    assert (found["level"], found["rung"], found["effect"]["estimate"]) == (0, None, None)


def test_a_copy_with_nothing_changed_still_passes(honest: Path, tmp_path: Path) -> None:
    assert failing(verify.verify(forged(honest, tmp_path / "same", lambda events: None))) == {}


def test_a_mixture_that_was_not_asked_leaves_the_study_unfinished(honest: Path, tmp_path: Path) -> None:
    found = verify.verify(forged(honest, tmp_path / "less", dropped("scores", split="sealed", role="mixture:10")))
    assert (found["verdict"], failing(found)) == ("INCONCLUSIVE", {})
    assert "has not answered its sealed blocks" in next(one["detail"] for one in found["checks"] if one["ok"] is None)


def test_a_mixture_whose_bytes_are_gone_is_named(copy: Path) -> None:
    seal = next(entry.data for entry in entries(copy) if entry.kind == "seal_opened")
    lost = next(iter(seal["mixtures"].values()))["01"]
    (copy / "objects" / lost[:2] / lost[2:]).unlink()
    assert f"the mixture {lost} is missing" in failing(verify.verify(resealed(copy)))["objects"]


def test_a_record_of_the_wrong_shape_fails_its_check_only(honest: Path, tmp_path: Path) -> None:
    edit = changed("run_started", lambda data: data.pop("label"))
    found = failing(verify.verify(forged(honest, tmp_path / "shape", edit)))
    assert "KeyError" in found["blinding"]


def test_an_object_under_another_name_is_named(copy: Path) -> None:
    first = next(path for path in sorted((copy / "objects").rglob("*")) if path.is_file())
    first.rename(first.with_name("0" * 62))
    found = failing(verify.verify(resealed(copy)))
    assert "00000000: the bytes have digest" in found["objects"]


# --- studies that are not finished, and folders that are no study ----------------------------------------------------


def until(honest: Path, folder: Path, kind: str) -> Path:
    """A study that was interrupted before an event of this kind."""
    events = [Event(entry.kind, entry.run, entry.data) for entry in entries(honest)]
    folder.mkdir()
    for name in ("claim.toml", "netgain.toml"):
        shutil.copy(honest / name, folder / name)
    shutil.copytree(honest / "objects", folder / "objects")
    times = iter([entry.time for entry in entries(honest)])
    with Ledger.create(folder, clock=lambda: next(times)) as log:
        log.append(events[: places(events, kind)[0]])
    return folder


@pytest.mark.parametrize("kind", ["claim_registered", "replica_enrolled", "seal_opened", "secret_revealed", "verdict"])
def test_an_unfinished_study_is_inconclusive_and_says_why(honest: Path, tmp_path: Path, kind: str) -> None:
    found = verify.verify(until(honest, tmp_path / "part", kind))
    assert failing(found) == {}
    assert found["verdict"] == "INCONCLUSIVE"
    assert any(check["ok"] is None and "not checked: " in check["detail"] for check in found["checks"])
    assert found["reasons"]


def test_a_study_that_is_being_written_can_be_read(honest: Path, tmp_path: Path) -> None:
    folder = until(honest, tmp_path / "live", "seal_opened")
    with Ledger.open(folder) as log:
        log.append([Event("note", None, {})])
        found = verify.verify(folder)
        assert (found["verdict"], failing(found)) == ("INCONCLUSIVE", {})
        log.append([Event("note", None, {})])


def test_a_wrong_record_of_an_unfinished_study_is_invalid_all_the_same(honest: Path, tmp_path: Path) -> None:
    folder = forged(honest, tmp_path / "forged", changed("gate_decision", put("level", value=0.5)))
    (folder / DIGESTS).unlink()
    found = verify.verify(folder)
    assert found["verdict"] == "INVALID"
    assert "gate" in failing(found)


def test_what_is_no_study_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for arguments in ([], ["--json"], ["a", "b"], [str(tmp_path / "empty")], [str(tmp_path / "nowhere"), "--json"]):
        assert verify.main(arguments) == 2
        written = capsys.readouterr()
        assert written.out == ""
        assert written.err


def test_a_ledger_of_a_newer_version_is_exit_code_2(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(copy, "UPDATE head SET schema = 'netgain.ledger/2'")
    assert verify.main([str(copy)]) == 2
    assert "netgain.ledger/2" in capsys.readouterr().err


def test_a_changed_byte_is_no_newer_version(copy: Path) -> None:
    data = (copy / "ledger.db").read_bytes()
    flipped(copy / "ledger.db", data.index(b"netgain.ledger/1") + len("netgain.ledger/"), 1)
    assert verify.main([str(copy)]) == 7


def test_a_finished_study_with_a_write_ahead_log_beside_it_is_invalid(copy: Path) -> None:
    (copy / "ledger.db-wal").write_bytes(b"")
    assert "'ledger.db-wal'" in failing(verify.verify(copy))["files"]


def test_exit_codes_carry_the_word() -> None:
    expected = {"SUPPORTED": 0, "SUPPORTED WITH LIMITS": 0, "REFUTED": 3, "INCONCLUSIVE": 4, "INVALID": 7}
    assert expected == verify.EXIT
    assert os.access(verify.__file__, os.R_OK)


# --- other analyses: an honest study of each, and records that only its own rules can find wrong ---------------------


@pytest.fixture(scope="session")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    claim = Claim("ladder", by=0.05, rung="R1", about="version")
    settings = {"arms": ("self", "frozen"), "claim": claim, "replicas": 1}
    return shared(tmp_path_factory, "version", lambda folder: ladder_study(folder, **settings))


@pytest.fixture(scope="session")
def means(tmp_path_factory: pytest.TempPathFactory) -> Path:
    claim = Claim("ladder", by=0.05, rung="R1", analysis="mean", looks=(10,))
    settings = {"arms": ("self", "frozen"), "claim": claim, "replicas": 10, "rounds": 1}
    return shared(tmp_path_factory, "means", lambda folder: ladder_study(folder, **settings))


def test_a_study_of_one_version_is_verified_and_says_nothing_about_the_loop(version: Path) -> None:
    found = verify.verify(version)
    assert not failing(found)
    assert (found["verdict"].startswith("SUPPORTED"), found["rung"], found["level"]) == (True, "R1", 3)
    assert found["effect"]["unit"].endswith("mean over items")
    assert any("says nothing about the loop" in reason for reason in found["reasons"])
    page = (version / "report.html").read_text()
    assert "Nothing is claimed of the loop that made it" in page


def test_a_study_of_a_mean_is_verified(means: Path) -> None:
    found = verify.verify(means)
    assert not failing(found)
    assert found["verdict"].startswith("SUPPORTED")
    assert found["effect"]["unit"].endswith("mean over starts")
    assert "On average over new starts" in (means / "report.html").read_text()


def reversed_sealed(events: Events) -> None:
    """Sealed scores of the claimed version and of generation 0 change places, item by item."""
    places_of = {
        arm: places(events, "scores", split="sealed", axis="ladder", role="served") for arm in ("self", "frozen")
    }
    mine = next(i for i in places_of["self"] if events[i].run == "r0/self")
    theirs = next(i for i in places_of["frozen"] if events[i].run == "r0/frozen")
    values = events[mine].data["values"], events[theirs].data["values"]
    for place, given in ((mine, values[1]), (theirs, values[0])):
        events[place] = Event("scores", events[place].run, {**events[place].data, "values": given})


@pytest.mark.parametrize(
    ("edit", "check", "where"),
    [
        (changed("verdict", put("verdict", value="REFUTED")), "word", "verdict is 'REFUTED'"),
        (changed("verdict", put("effect", "low", value=0.9)), "word", "low is 0.9"),
        (changed("verdict", put("effect", "unit", value="points of ladder in [0, 1]")), "word", "unit is"),
        (changed("verdict", put("level", value=4)), "word", "level is 4"),
        (reversed_sealed, "word", "verdict is"),
        (changed("claim_registered", put("claim", "about", value="loop")), "registration", "claim digest"),
    ],
    ids=["word", "bound", "a loop's unit", "level", "scores", "a version turned into a loop"],
)
def test_a_forged_version_is_found(version: Path, tmp_path: Path, edit: Any, check: str, where: str) -> None:
    found = verify.verify(forged(version, tmp_path / "copy", edit))
    assert found["verdict"] == "INVALID"
    assert where in failing(found)[check]


@pytest.mark.parametrize(
    ("edit", "check", "where"),
    [
        (changed("verdict", put("verdict", value="REFUTED")), "word", "verdict is 'REFUTED'"),
        (changed("verdict", put("effect", "high", value=0.99)), "word", "high is 0.99"),
        (changed("verdict", put("effect", "confidence", value=0.95)), "word", "confidence is 0.95"),
        (changed("claim_registered", put("claim", "alpha", value=0.01)), "registration", "claim digest"),
        (changed("claim_registered", put("claim", "analysis", value="typical start")), "registration", "claim digest"),
    ],
    ids=["word", "bound", "confidence", "another level", "another analysis"],
)
def test_a_forged_mean_is_found(means: Path, tmp_path: Path, edit: Any, check: str, where: str) -> None:
    found = verify.verify(forged(means, tmp_path / "copy", edit))
    assert found["verdict"] == "INVALID"
    assert where in failing(found)[check]


# --- studies with the arms that draw promotions, close surfaces or propose at random ---------------------------------
MORE_ARMS = ("self", "frozen", "random_gate", "random_proposer", "improver_only", "without:data", "sampled")


@pytest.fixture(scope="session")
def wider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings: dict[str, Any] = {
        "arms": MORE_ARMS,
        "replicas": 2,
        "rounds": 3,
        "claim": Claim("ladder", 0.05, looks=(2,)),
    }
    return shared(tmp_path_factory, "wider", lambda folder: ladder_study(folder, **settings))


def test_a_study_of_the_further_arms_passes_every_check(wider: Path) -> None:
    assert failing(verify.verify(wider)) == {}
    recorded = next(entry.data for entry in reversed(entries(wider)) if entry.kind == "verdict")
    assert {"arm": "sampled", "same_as": "frozen", "starts": 2, "of": 2} in recorded["vacuous"], "it answers alike"


def drawn_otherwise(events: Events) -> None:
    """The other way round in every decision of `random_gate`."""
    for place in places(events, "gate_decision"):
        data = events[place].data
        if "drawn" in data:
            events[place] = Event("gate_decision", events[place].run, {**data, "drawn": not data["drawn"]})


def touched(events: Events) -> None:
    """A change on the surface that its arm had closed."""
    for place in [i for i in places(events, "decision") if events[i].run == "r0/without:data"][:1]:
        events[place] = Event("decision", "r0/without:data", {**events[place].data, "surface": "data"})


def not_vacuous(data: dict[str, Any]) -> None:
    data["vacuous"] = []


@pytest.mark.parametrize(
    ("edit", "check", "where"),
    [
        (drawn_otherwise, "receipts", "was drawn"),
        (touched, "runs", "a closed surface"),
        (changed("verdict", not_vacuous), "word", "vacuous"),
    ],
)
def test_a_forged_record_of_these_arms_fails_its_check(
    wider: Path, tmp_path: Path, edit: Any, check: str, where: str
) -> None:
    assert where in failing(verify.verify(forged(wider, tmp_path / "forged", edit))).get(check, "(passed)")


# --- improvers that were moved ---------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def transplanted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings: dict[str, Any] = {
        "arms": ("self", "frozen", "placebo"), "replicas": 3, "rounds": 2, "options": {"improver": "accelerating"},
        "claim": Claim("ladder", 0.05, rung="R6", looks=(3,)),
    }  # fmt: skip
    return shared(tmp_path_factory, "transplanted", lambda folder: ladder_study(folder, **settings))


def test_a_study_with_moved_improvers_passes_every_check(transplanted: Path) -> None:
    assert failing(verify.verify(transplanted)) == {}
    moved = [entry.data for entry in entries(transplanted) if entry.kind == "transplanted"]
    assert len(moved) == 3 * 5 * 2, "five improvers of every start, each to two others"
    assert all(one["system"] for one in moved)


MOVES: dict[str, tuple[Callable[[Events], Events | None], str, str]] = {
    "another improver": (
        changed("transplanted", put("improver_system", value="0" * 64), improver="last"), "seal", "improver_system",
    ),
    "its own start": (changed("transplanted", put("start", value=0), start=1), "seal", "moved"),
    "another foreign system": (changed("transplanted", put("start_system", value="0" * 64)), "seal", "start_system"),
    "an improver left out": (dropped("transplanted", improver="first"), "seal", "moved"),
    "moved twice": (doubled("transplanted"), "seal", "r2/self moved"),
    "moved after the seal": (
        moved("transplanted", lambda events: places(events, "verdict")[0]), "seal", "moved after the seal",
    ),
    "a system that nobody made": (changed("transplanted", put("system", value="0" * 64)), "objects", "moved improver"),
    "scored twice": (doubled("scores", split="transplant"), "seal", "answered twice"),
    "other items": (changed("scores", put("items", value="0" * 64), split="transplant"), "items", "transplant block"),
    "part of a block": (
        changed("scores", lambda data: data.update(values=data["values"][:9], status={}), split="transplant"), "seal",
        "another block",
    ),
}  # fmt: skip


def reopened(honest: Path, folder: Path, edit: Callable[[Events], Events | None]) -> Path:
    """A forged copy whose seal fits it: its root covers what was moved, so that a forger has to open it again."""
    events = entries(forged(honest, folder / "first", edit))
    place = next(i for i, event in enumerate(events) if event.kind == "seal_opened")
    size = 1 + max(i for i, event in enumerate(events[:place]) if event.run)
    root = verify.tree_head([bytes.fromhex(event.leaf) for event in events[:size]])

    def again(held: Events) -> Events:
        held = edit(held) or held
        changed("seal_opened", lambda data: data.update(merkle_size=size, merkle_root=root))(held)
        return held

    return forged(honest, folder / "second", again)


def test_what_was_moved_is_under_the_root_that_draws_the_sealed_items(transplanted: Path, tmp_path: Path) -> None:
    edit = changed("transplanted", put("improver_system", value="0" * 64))
    assert "another root" in failing(verify.verify(forged(transplanted, tmp_path / "forged", edit)))["seal"]


@pytest.mark.parametrize("name", MOVES)
def test_a_forged_transplant_fails_its_check_and_says_where(transplanted: Path, tmp_path: Path, name: str) -> None:
    edit, check, where = MOVES[name]
    assert where in failing(verify.verify(reopened(transplanted, tmp_path, edit))).get(check, "(passed)")
