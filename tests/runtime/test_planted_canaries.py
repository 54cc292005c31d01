"""Canaries that a study plants in its own items: who repeats one is found, and a verifier finds it again."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from netgain import session, verify
from netgain.canonical import canonical, digest
from netgain.case import case_of
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.executors import Reference
from netgain.facts import Facts
from netgain.generators import Strings
from netgain.items import Dealer, fingerprint, known_by
from netgain.ledger import Ledger
from netgain.monitors import MONITORS
from netgain.planting import Planted, Planter, require_live
from netgain.records import Change, Examples, Part, View
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.stages import Filter, Loop
from netgain.suite import Bank, Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.twins import impossible
from study_forgery import Events, forged, places, resealed

Json = Any
MARK = "netgain-canary"
ITEMS = [{"input": f"what is {i} plus {7 * i % 101}", "target": str(i + 7 * i % 101)} for i in range(900)]
SHARES = {"gate": 0.5, "report": 0.2, "sealed": 0.25}
ASKED = Planted("2999-12-31", "asked")
ASIDE = Planted("2999-12-31", "aside")


def suite() -> Suite:
    sums = axis("sums", Bank(ITEMS, SHARES), gate_items=60, report_items=30, sealed_items=60, moment=0.5)
    return Suite([sums], block=60, max_pairs=120, design_gain=0.3)


def known(system: Json, question: str) -> bool:
    drawn = hashlib.sha256(f"{system['n']}|{question}".encode()).digest()
    return drawn[0] / 256 < system["skill"]


def right(system: Json, inputs: Json) -> list[str]:
    plain = [str(one).partition("\n")[0] for one in inputs]
    sums = [str(int(one.split()[2]) + int(one.split()[4])) for one in plain]
    return [said if known(system, one) else "?" for one, said in zip(plain, sums, strict=True)]


def loop(answer: Any = None, held: Callable[[], Json] = lambda: "", **more: Json) -> Loop:
    """A loop that gets better by itself, and whose prompt is whatever `held` gives in a round."""

    def propose(view: View) -> Change:
        better = {"skill": view.parent["skill"] + 0.3, "n": int(view.rng.integers(1 << 30)), "prompt": held()}
        return Change([Part("policy", better)])

    def start(rng: Any) -> Json:
        return {"skill": 0.2, "n": int(rng.integers(1 << 30)), "prompt": ""}

    return Loop(start, propose, answer or (lambda system, inputs, budget, rng: right(system, inputs)),
                surfaces=["policy"], **more)  # fmt: skip


def leaking() -> Loop:
    """Keeps a line of two questions that it is asked in a test, not their words, and writes it into its next prompt."""
    notes: list[str] = []

    def answer(system: Json, inputs: Json, budget: Any, rng: Any) -> list[str]:
        notes.extend(one.partition("\n")[2] for one in inputs[:2])
        return right(system, inputs)

    return loop(answer, lambda: "\n".join(notes))


def echoing(other: bool) -> Loop:
    """Repeats the question beside its answer: its own, or the one that it was asked in an earlier call."""
    notes: list[str] = []

    def answer(system: Json, inputs: Json, budget: Any, rng: Any) -> list[Json]:
        first = notes[0] if other and notes else None
        notes.extend(inputs[:1])
        shown = [first if first and i == 3 else one for i, one in enumerate(inputs)]
        return [{"answer": said, "note": one} for said, one in zip(right(system, inputs), shown, strict=True)]

    return loop(answer)


def repeating_the_call_before() -> Loop:
    """Writes the first question of the call before beside its answers."""
    notes: list[str] = [""]

    def answer(system: Json, inputs: Json, budget: Any, rng: Any) -> list[Json]:
        before, notes[0] = notes[0], inputs[0]
        return [{"answer": said, "note": before} for said in right(system, inputs)]

    return loop(answer)


def snooping() -> Loop:
    """Walks up the stack to what the study holds in memory, as a loop in the coordinator's own process could."""

    def held() -> str:
        frame = sys._getframe()
        while "world" not in frame.f_locals:
            frame = frame.f_back
        world = frame.f_locals["world"]
        return world.dealer.report(world.suite.gate_axis, 0, 0).items[0]["planted"]

    return loop(held=held)


def study(made: Loop, planted: Planted | None = ASKED, **more: Any) -> Study:
    claim = Claim("sums", by=0.1, beats=["frozen"], rung="R1", expected=0.5)
    given = {"replicas": 1, "rounds": 2, "root": "5a" * 32, "reference": Reference("tests:loop"), **more}
    return Study(made, suite(), ("self", "frozen"), claim, canaries=planted, **given)


class Here(InProcess):
    """Loop code in this process, in place of worker processes."""

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def go(asked: Study, name: str = "study") -> Facts:
        monkeypatch.setattr(session, "LocalWorkers", lambda reference, count: Here(asked.loop))
        run_study(asked, tmp_path / name, workers=1)
        return facts_in(tmp_path / name)

    go.folder = tmp_path / "study"
    return go


def facts_in(folder: Path) -> Facts:
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def events_in(folder: Path, kind: str) -> list[Json]:
    with Ledger.open(folder, readonly=True) as log:
        return [event.data for event in log.events(kind)]


def failing(folder: Path) -> dict[str, str]:
    return {one["name"]: one["detail"] for one in verify.verify(folder)["checks"] if one["ok"] is False}


def test_what_was_asked_in_a_test_and_comes_back_in_a_proposal_is_found_and_scored_for_nobody(run):
    facts = run(study(leaking()))
    own = facts.runs["r0/self"]
    assert [(one["round"], one["stage"]) for one in own.met] == [(1, "propose"), (2, "propose")]
    assert own.leaked and own.leaked <= {fingerprint(one["input"]) for one in ITEMS}
    places = own.met[0]["places"]["report"]
    after = [one for one in events_in(run.folder, "scores") if one["split"] == "report" and str(one["round"]) in places]
    gone = {int(i) for one in after if one["round"] for i, why in one["status"].items() if "quarantined" in why}
    assert gone >= {place for at, found in places.items() if at != "0" for place in found}
    assert case_of(facts).met == len(own.leaked)
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    gone = len(own.met[1]["places"]["gate"]["1"])
    assert "Start 0, gate items of round 1: the candidate&#x27;s gain over generation 0 was +0." in page
    assert f"without the {gone} whose canary was met." in page and gone >= 2
    assert failing(run.folder) == {}


def test_a_leak_is_a_limit_of_a_verdict_that_holds_without_the_items(run):
    facts = run(study(leaking(), replicas=6, root=None))
    said = facts.verdict
    leaked = {(one.replica, item) for one in facts.runs.values() if one.arm == "self" for item in one.leaked}
    assert said["verdict"] == "SUPPORTED WITH LIMITS"
    assert f"planted canaries of {len(leaked)} protected items were met" in said["limits"]
    assert failing(run.folder) == {}


def test_an_honest_loop_meets_none_and_the_record_shows_none_before_the_secret_is_revealed(run):
    facts = run(study(loop()))
    assert [one.met for one in facts.runs.values()] == [[], []]
    assert all(documents for one in facts.runs.values() for _, stage, documents in one.searched if stage != "seal")
    with Ledger.open(run.folder, readonly=True) as log:
        told = [json.dumps(one.data) for one in log.events()]
        secret = next(one.data["secret"] for one in log.events("secret_revealed"))
    assert not any(MARK in one for one in told)
    planter = Planter(ASKED, bytes.fromhex(secret), facts.registration["claim_digest"])
    codes = [planter.line(fingerprint(one["input"])).split()[-1] for one in ITEMS]
    assert len(set(codes)) == len(ITEMS) and not any(code in one for code in codes[:50] for one in told)
    assert case_of(facts).met == 0 and failing(run.folder) == {}


def test_whoever_reads_our_memory_and_tells_is_found(run):
    facts = run(study(snooping(), ASIDE))
    assert facts.runs["r0/self"].leaked and failing(run.folder) == {}
    asked = [one for one in events_in(run.folder, "stage_done") if one["stage"] == "propose"]
    assert [one["out"]["canaries"]["hits"] for one in asked] == [1, 1]


def test_an_answer_may_repeat_its_own_call_and_not_an_earlier_one(run):
    quiet = run(study(echoing(other=False)))
    assert [one.met for one in quiet.runs.values()] == [[], []]
    told = run(study(echoing(other=True)), "other")
    stages = {one["stage"] for found in told.runs.values() for one in found.met}
    assert {"judge", "seal"} <= stages
    assert failing(run.folder) == failing(run.folder.parent / "other") == {}


KEPT = replace(ASKED, answers=True)


def with_canary_items(made: Loop) -> Study:
    bank = Bank(ITEMS, {**SHARES, "canary": 0.05})
    sums = axis("sums", bank, gate_items=60, report_items=30, sealed_items=60, canary_items=20, moment=0.5)
    found = study(made, KEPT, monitors=[MONITORS["canary"](action="watch")])
    return replace(found, suite=Suite([sums], block=60, max_pairs=120, design_gain=0.3))


def kept_answers(folder: Path) -> list[Json]:
    return [one for one in events_in(folder, "scores") if "kept" in one]


def held_in(folder: Path, name: str) -> Json:
    return json.loads((folder / "objects" / name[:2] / name[2:]).read_bytes())


def test_answers_to_report_and_canary_items_are_kept_where_that_is_registered(run):
    run(with_canary_items(loop()))
    told = kept_answers(run.folder)
    assert {(one["split"], one["role"]) for one in told} >= {("report", "working"), ("canary", "candidate")}
    for one in told:
        held = held_in(run.folder, one["kept"])
        assert len(held["answers"]) == len(one["values"]) <= len(held["shown"]) and held["answers"][0] is not None
    assert failing(run.folder) == {}
    with Ledger.open(run.folder, readonly=True) as log:
        assert not any("kept" in one.data for one in log.events("scores") if one.run == "r0/frozen")
    found = next(one for one in verify.verify(run.folder)["checks"] if one["name"] == "canaries")
    assert f"{sum(len(one['values']) for one in told)} kept answers searched again" in found["detail"]
    run(study(loop()), "without")
    assert kept_answers(run.folder.parent / "without") == []


@pytest.mark.parametrize("split", ["report", "canary"])
def test_a_canary_in_an_answer_that_is_not_on_record_is_found(run, tmp_path, split):
    run(with_canary_items(repeating_the_call_before()))
    assert failing(run.folder) == {}
    stage = {"report": "measure", "canary": "watch"}[split]

    def edit(events: Events) -> Events:
        data = next(one.data for one in events if one.kind == "canary_met" and one.run == "r0/self"
                    and one.data["stage"] == stage)  # fmt: skip
        data["met"] = []
        return events

    assert "canaries" in failing(forged(run.folder, tmp_path / "forged", edit))


@pytest.mark.parametrize("change", ["gone", "other answers", "planted", "all shown"])
def test_forged_kept_answers_are_found(run, tmp_path, change):
    facts = run(study(loop(), KEPT))
    with Ledger.open(run.folder, readonly=True) as log:
        secret = next(one.data["secret"] for one in log.events("secret_revealed"))
    planter = Planter(KEPT, bytes.fromhex(secret), facts.registration["claim_digest"])
    copy = tmp_path / "forged"

    def edit(events: Events) -> Events:
        data = next(one.data for one in events if one.kind == "scores" and "kept" in one.data)
        if change == "gone":
            del data["kept"]
            return events
        held = held_in(run.folder, data["kept"])
        if change == "all shown":
            held["shown"] = [f"{i:012x}" for i in range(500)]
        else:
            other = next(one for one in ITEMS if fingerprint(one["input"]) not in held["shown"])
            held["answers"][0] = planter.line(fingerprint(other["input"])) if change == "planted" else "41"
        if change == "planted":
            data["outputs"] = digest(held["answers"])
        written = canonical(held)
        name = hashlib.sha256(written).hexdigest()
        path = copy / "objects" / name[:2] / name[2:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(written)
        data["kept"] = name
        return events

    forged(run.folder, copy, edit)
    said = failing(resealed(copy))
    words = {"gone": "there are none", "other answers": "not those that were scored",
             "planted": "of which nothing is on record", "all shown": "500 items shown"}  # fmt: skip
    assert words[change] in said["canaries"]


def test_questions_are_asked_with_their_canary_only_where_that_is_registered(run):
    seen: list[str] = []

    def answer(system: Json, inputs: Json, budget: Any, rng: Any) -> list[str]:
        seen.extend(inputs)
        return right(system, inputs)

    run(study(loop(answer)))
    assert seen and all(one.partition("\n")[2].startswith(f"{MARK} ") for one in seen)
    first, seen[:] = {one.partition("\n")[0] for one in seen}, []
    run(study(loop(answer), ASIDE), "aside")
    assert {*seen} == first


def test_examples_that_hold_a_canary_are_not_trained_on(run):
    notes: list[str] = []

    def answer(system: Json, inputs: Json, budget: Any, rng: Any) -> list[str]:
        notes.append(inputs[0])
        return right({**system, "skill": 0.2}, inputs)

    def propose(view: View) -> Change:
        texts = [notes[0], "what is 4000 plus 4", "what is 4000 plus 5"]
        return Change([Part("data", Examples(texts, ["?"] * 3))], checks={"own": [True] * 3})

    def build(parent: Json, change: Change, budget: Any, rng: Any) -> Json:
        return {**parent, "n": int(rng.integers(1 << 30)), "trained": list(change.examples.inputs)}

    made = replace(loop(answer), propose=propose, build=build, filters=(Filter("own"),), surfaces=["data"])
    facts = run(study(made))
    assert facts.runs["r0/self"].channel[1]["quarantined"] == 1
    assert facts.runs["r0/self"].met[0]["stage"] == "propose" and failing(run.folder) == {}


def test_a_monitor_can_stop_a_run_that_met_one(run):
    facts = run(study(leaking(), monitors=[MONITORS["canary"]()]))
    own = facts.runs["r0/self"]
    assert own.row["end"] == "halted by the monitor canary" and own.decisions == []
    assert own.watched[1]["vitals"]["canary"]["hits"] == 1 and failing(run.folder) == {}


def test_expired_canaries_are_no_test_and_that_is_a_limit_and_no_pass(run, monkeypatch):
    monkeypatch.setattr(session, "Planter", partial(Planter, clock=lambda: date(3000, 1, 1)))
    facts = run(study(leaking(), monitors=[MONITORS["canary"](action="reject")]))
    own = facts.runs["r0/self"]
    assert {one["met"][0][1] for one in own.met} == {"expired"} and own.leaked == set()
    assert {documents for *_, documents in own.searched} == {None, 0}  # 0: no canary items were asked
    assert [one["signals"][0]["alarm"] for one in own.watched.values()] == [None, None] and own.decisions == []
    assert case_of(facts).unsearched == sum(one is None for *_, one in own.searched) > 0 and case_of(facts).met == 0
    assert failing(run.folder) == {}


def test_a_study_does_not_begin_with_canaries_that_have_expired(run):
    with pytest.raises(ConfigError, match="canaries that expired on 2020-01-01"):
        run(study(loop(), Planted("2020-01-01", "asked")))
    require_live(Planted("2020-01-01", "asked"), date(2020, 1, 1))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Planted("soon", "asked"), "canaries that expire on 'soon', expected a day"),
        (lambda: Planted("2999-01-01", "hidden"), "unknown way of carrying canaries 'hidden'"),
        (lambda: replace(study(loop()), suite=_generated(), claim=Claim("echo", by=0.1, beats=["frozen"])),
         "nothing would carry one"),
    ],
)  # fmt: skip
def test_canaries_that_cannot_be_are_refused(made, said):
    with pytest.raises(ConfigError, match=said):
        made()


def _generated() -> Suite:
    return Suite([axis("echo", Strings("copy", (6,)), gate_items=60, report_items=30, sealed_items=60)])


def test_nobody_guesses_one_and_only_planted_codes_count():
    planter = Planter(ASKED, b"s" * 32, "ab" * 32)
    line, item = planter.line("0123456789ab"), "0123456789ab"
    assert planter.met({"a": ["x", {"b": f"say\n{line}\n"}]}) == ((item, "live"),)
    assert planter.met(line.replace(" ", "\n")) == planter.met({line: 1}) == ((item, "live"),)
    assert planter.met(line.encode()) == ((item, "live"),)
    assert planter.met(line[:-1] + ("0" if line[-1] != "0" else "1")) == ()
    assert Planter(ASKED, b"t" * 32, "ab" * 32).met(line) == ()
    assert Planter(ASKED, b"s" * 32, "cd" * 32).met(line) == ()
    others = [one for one in planter._of(item).choices(0) if one not in line]
    assert len(others) == 7 and all(planter.met(line.replace(line.split()[-1], one)) == () for one in others)


def test_twins_are_known_by_their_originals_and_development_items_carry_none():
    bank = Bank(ITEMS, {**SHARES, "dev": 0.05})
    dealer = Dealer(b"s" * 32, 2, 6, Planter(ASKED, b"s" * 32, "ab" * 32))
    plain, twin = (axis("sums", one, gate_items=10, report_items=10) for one in (bank, impossible(bank)))
    first, second = (dealer.gate(one, "k", 0, 10, 1) for one in (plain, twin))
    assert [one["planted"] for one in first.items] == [one["planted"] for one in second.items]
    assert [known_by(one) for one in second.items] == [fingerprint(one["input"]) for one in first.items]
    assert all("planted" not in one for one in dealer.dev(plain, 0, 1, 10).items)
    free = dealer.gate(replace(plain, overlap=True), "k", 0, 10, 1)
    assert all("planted" not in one for one in free.items) and not free.marked
    assert first.digest == Dealer(b"s" * 32, 2, 6).gate(plain, "k", 0, 10, 1).digest


def test_canaries_are_registered_only_when_they_are_set():
    assert "canaries" not in study(loop(), None).registered()
    assert study(loop()).registered()["canaries"] == {"expires": "2999-12-31", "carried": "asked"}
    assert study(loop()).claim_digest() != study(loop(), ASIDE).claim_digest() != study(loop(), None).claim_digest()


# --- Forgeries -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leak") / "study"
    made = study(leaking(), monitors=[MONITORS["canary"](action="watch")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder.parent / "state"))
        patch.setattr(session, "LocalWorkers", lambda reference, count: Here(made.loop))
        run_study(made, folder, workers=1)
    assert failing(folder) == {}
    return folder


def edited(kind: str, change: Any, **wanted: Json) -> Any:
    def edit(events: Events) -> None:
        change(events[places(events, kind, **wanted)[0]].data)

    return edit


def hidden(events: Events) -> None:
    """As if nothing had been met: the event is gone and the counts say so."""
    for place in reversed(places(events, "canary_met")):
        del events[place]
    for place in places(events, "stage_done", stage="propose"):
        events[place].data["out"]["canaries"]["hits"] = 0
    for place in places(events, "watched"):
        events[place].data["vitals"]["canary"]["hits"] = 0


def scored_all_the_same(events: Events) -> None:
    for place in places(events, "scores", split="report", round=1):
        data = events[place].data
        data["values"] = [0 if one is None else one for one in data["values"]]
        data["status"] = {}


FORGERIES = {
    "hidden": hidden,
    "another item": edited("canary_met", lambda data: data["met"][0].__setitem__(0, "0" * 12)),
    "one item less": edited("canary_met", lambda data: data["met"].pop()),
    "called expired": edited("canary_met", lambda data: [one.__setitem__(1, "expired") for one in data["met"]]),
    "later day": edited("canary_met", lambda data: data.update(day="3000-01-01")),
    "not searched": edited("stage_done", lambda data: data["out"].pop("canaries"), stage="measure"),
    "fewer hits": edited("stage_done", lambda data: data["out"]["canaries"].update(hits=0), stage="propose"),
    "another proposal": edited("stage_done", lambda data: data["out"].update(proposal="0" * 64), stage="propose"),
    "scored all the same": scored_all_the_same,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_verify_finds_forged_canaries(honest, tmp_path, name):
    assert "canaries" in failing(forged(honest, tmp_path / "forged", FORGERIES[name]))


def test_verify_finds_monitors_that_were_told_other_counts(honest, tmp_path):
    quiet = edited("watched", lambda data: data["vitals"]["canary"].update(hits=0))
    assert "watched" in failing(forged(honest, tmp_path / "forged", quiet))


def test_verify_finds_a_proposal_that_is_gone(honest, tmp_path):
    copy = forged(honest, tmp_path / "forged", lambda events: None)
    name = next(one["out"]["proposal"] for one in events_in(copy, "stage_done") if one["stage"] == "propose")
    (copy / "objects" / name[:2] / name[2:]).unlink()
    assert "is missing" in failing(resealed(copy))["canaries"]
