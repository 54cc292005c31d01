"""What [gate] chooses, in whole studies: every form, ledger, screen, draw and cluster is verified from the record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny

from netgain import session, verify
from netgain.attempts import asked_before, book_answers
from netgain.errors import ConfigError
from netgain.gates import GateOptions
from netgain.generators import Strings
from netgain.ledger import Ledger
from netgain.session import Study, run_study
from netgain.suite import Bank, Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.twins import perturbed

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
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session, "LocalWorkers", Here)
    return tmp_path / "state" / "netgain" / "exposure"


def events(folder: Path, kind: str) -> list[Json]:
    with Ledger.open(folder, readonly=True) as log:
        return [event.data for event in log.events(kind)]


def ran(study: Study, folder: Path, **how: Any) -> Path:
    """The study, run and verified: every check of the twin holds."""
    run_study(study, folder, workers=1, **how)
    found = verify.verify(folder)
    assert [one for one in found["checks"] if not one["ok"]] == []
    return folder


def test_every_form_and_ledger_is_decided_and_verified(tmp_path: Path) -> None:
    for number, (form, ledger) in enumerate(
        [("grid", "spending"), ("group_sequential", "uniform"), ("fixed", "spending"), ("betting", "e-lond")]
    ):
        study = tiny.study(replicas=2, gate=GateOptions(form=form, ledger=ledger))  # type: ignore[arg-type]
        folder = ran(study, tmp_path / str(number))
        made = events(folder, "gate_decision")
        assert {one["outcome"] for one in made} >= {"promote"}, form
        kind = {"grid": "grid", "betting": "betting"}.get(form, "exact")
        assert {one["tests"][0]["form"] for one in made} == {kind}
        if ledger == "e-lond":  # the second confirmation after a promotion has twice its share
            plan = study.gate_plan().promotion_spending
            second = next(one for one in made if (one["k"], one["promoted"]) == (2, 1))
            assert second["level"] == plan.level(2, 1) == pytest.approx(2 * plan.level(2, 0))


def lazy(view: Any) -> Any:
    """A proposer that changes nothing that could help in its first round."""
    change = tiny.propose(view)
    if view.round == 1:
        part = replace(change.parts[0], payload={"skill": 0.2, "mark": view.parent["mark"]})
        return replace(change, parts=[part])
    return change


def test_a_screened_candidate_is_asked_no_gate_item_and_spends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny, "loop", replace(tiny.loop, propose=lazy))
    options = GateOptions(screen_items=100, ledger="spending")
    study = replace(tiny.study(replicas=2, gate=options), loop=tiny.loop)
    folder = ran(study, tmp_path / "study")
    made = events(folder, "gate_decision")
    first, second = ([one for one in made if one["round"] == at] for at in (1, 2))
    stopped = {(one["outcome"], one["reason"], one["k"], one["level"]) for one in first}
    assert stopped == {("undecided", "screened", 0, 0.0)}
    assert all(one["receipt"] is None and one["tests"] == [] for one in first)
    gate_rounds = {one["round"] for one in events(folder, "scores") if one["split"] == "gate"}
    assert gate_rounds == {2}
    # The second round is the first confirmation: the screened one has cost no share of the level.
    assert {(one["k"], one["level"]) for one in second} == {(1, study.gate_plan().promotion_spending.level(1))}


def test_items_of_the_screen_are_none_that_the_proposer_was_given(tmp_path: Path) -> None:
    suite = replace(tiny.suite(), dev_items=30)
    study = replace(tiny.study(replicas=2, gate=GateOptions(screen_items=50)), suite=suite)
    folder = ran(study, tmp_path / "study")
    screened = [one for one in events(folder, "scores") if one["split"] == "dev"]
    assert screened and {(one["start"], len(one["values"])) for one in screened} == {(30, 50)}
    assert {one["role"] for one in screened} == {"candidate", "released"}


def test_several_draws_are_averaged_inside_the_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def moody(system: Any, inputs: Any, budget: Any, rng: Any) -> list[str]:
        luck = rng.random(len(inputs))
        return [q.rstrip(">") if one < system["skill"] else "?" for q, one in zip(inputs, luck, strict=True)]

    monkeypatch.setattr(tiny, "loop", replace(tiny.loop, answer=moody))
    study = replace(tiny.study(replicas=2, gate=GateOptions(draws=4)), loop=tiny.loop)
    folder = ran(study, tmp_path / "study")
    values = {value for one in events(folder, "scores") if one["split"] == "gate" for value in one["values"]}
    assert values == {0, 0.25, 0.5, 0.75, 1}
    whole = {value for one in events(folder, "scores") if one["split"] == "report" for value in one["values"]}
    assert whole == {0, 1}


def passages(seed: int, index: int) -> tuple[str, str, str]:
    """Four questions to a passage."""
    word = Strings("copy", (6,)).draw(f"{seed:016x}", 0)["target"]
    return f"{word}>", word, f"passage {index // 4}"


def test_a_cluster_bets_once_in_a_study(tmp_path: Path) -> None:
    echo = axis("echo", passages, gate_items=160, report_items=20, sealed_items=60, moment=0.5)
    suite = Suite([echo], block=160, max_pairs=320, design_gain=0.3)
    folder = ran(replace(tiny.study(replicas=2), suite=suite), tmp_path / "study")
    for made in events(folder, "gate_decision"):
        test = made["tests"][0]
        assert test["asked"] in (160, 320)
        assert test["pairs"] in (test["asked"] // 4 - 1, test["asked"] // 4)  # the last one may wait
    assert all(len(one["clusters"]) == len(one["values"]) for one in events(folder, "scores") if one["split"] == "gate")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (GateOptions(form="fixed", draws=2), "draws"),
        (GateOptions(form="group_sequential", ledger="e-lond"), "e-values"),
        (GateOptions(screen_items=1), "standard error"),
    ],
)
def test_options_that_cannot_be_kept_are_refused_before_anything_runs(options: GateOptions, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        tiny.study(gate=options).gate_plan()


def test_an_exact_test_is_refused_on_a_graded_axis_and_a_screen_in_mode_advance() -> None:
    graded = axis("echo", Strings("copy", (6,)), "brier", gate_items=120, report_items=20, sealed_items=60)
    study = replace(tiny.study(gate=GateOptions(form="fixed")), suite=Suite([graded]))
    with pytest.raises(ConfigError, match="graded"):
        study.gate_plan()
    moving = replace(tiny.study(gate=GateOptions(screen_items=50)), loop=replace(tiny.loop, gate="advance"))
    with pytest.raises(ConfigError, match="every state of the loop is judged"):
        moving.gate_plan()
    clustered = [{"input": f"{i}>", "target": f"{i}", "cluster": i // 2} for i in range(400)]
    banked = Suite([axis("echo", clustered, gate_items=20, report_items=20, sealed_items=20)])
    with pytest.raises(ConfigError, match="clusters"):
        replace(study, suite=banked).gate_plan()


# --- items that were asked before ------------------------------------------------------------------------------------


def bank(name: str = "echo", first: int = 0, count: int = 500, turned: bool = False) -> Suite:
    items = [{"input": f"word{n}>", "target": f"word{n}"} for n in range(first, first + count)]
    items = items[::-1] if turned else items
    shares = {"dev": 0.1, "gate": 0.5, "report": 0.1, "sealed": 0.3}
    echo = axis(name, Bank(items, shares), gate_items=100, report_items=20, sealed_items=20, moment=0.5)
    return Suite([echo], block=100, max_pairs=100, design_gain=0.3)


def on(suite: Suite) -> Study:
    base = tiny.study(replicas=2)
    return replace(base, suite=suite, claim=replace(base.claim, metric=suite.gate_axis.name))


def test_a_set_that_was_asked_before_raises_the_threshold_or_is_refused(tmp_path: Path, machine: Path) -> None:
    """Renamed, reordered or in part: the content is what counts. New items start anew."""
    folder = ran(on(bank()), tmp_path / "first")
    decisions = events(folder, "gate_decision")
    (registered,) = events(folder, "claim_registered")
    assert (registered["exposure"]["echo"]["queries"], registered["exposure"]["echo"]["log_raise"]) == (0, 0.0)
    (path,) = machine.glob("*.json")
    (booked,) = json.loads(path.read_text())["studies"].values()
    promoted = sum(one["outcome"] == "promote" for one in decisions)
    assert (booked["queries"], booked["accepts"], promoted > 0) == (len(decisions), promoted, True)
    for suite in (bank(), bank("renamed"), bank(turned=True), bank(first=400)):
        with pytest.raises(ConfigError, match="were asked before"):
            run_study(on(suite), tmp_path / "again", workers=1)
        assert not events(tmp_path / "again", "claim_registered")  # found before anything is registered
    ran(on(bank(first=5000)), tmp_path / "new")
    ran(on(bank()), tmp_path / "exploratory", exploratory=True)
    (registered,) = events(tmp_path / "exploratory", "claim_registered")
    held = registered["exposure"]["echo"]
    assert held["queries"] == len(decisions) and held["log_raise"] > 0.0
    made = events(tmp_path / "exploratory", "gate_decision")
    raised = made[0]["tests"][0]["log_threshold"]
    assert raised == pytest.approx(events(folder, "gate_decision")[0]["tests"][0]["log_threshold"] + held["log_raise"])


def test_a_study_that_is_continued_books_its_answers_once(tmp_path: Path, machine: Path) -> None:
    folder = ran(on(bank()), tmp_path / "study")
    before = next(machine.glob("*.json")).read_text()
    run_study(on(bank()), folder, workers=1)
    assert next(machine.glob("*.json")).read_text() == before


def test_what_a_watching_gate_or_a_screen_said_is_not_booked(machine: Path) -> None:
    told = {"outcome": "promote", "acts": True, "reason": "better"}
    decisions = [
        told,
        {**told, "outcome": "reject", "reason": "harm"},
        {**told, "acts": False},
        {**told, "outcome": "undecided", "reason": "screened"},
    ]
    for told_apart, rejects in ((True, 1), (False, 0)):
        assert book_answers(bank(), "study", decisions, told_apart=told_apart)
        (path,) = machine.glob("*.json")
        held = json.loads(path.read_text())["studies"]["study"]
        assert held == {"queries": 2, "accepts": 1, "rejects": rejects, "shown_nats": 0.0}
    path.write_text("{")
    assert not book_answers(bank(), "study", decisions, told_apart=True)
    assert asked_before(bank())["echo"]["known"] is False


# --- axes whose clusters are taken together --------------------------------------------------------------------------


def test_twins_of_a_bank_are_decided_by_their_worst_and_are_as_used_as_the_bank(tmp_path: Path, machine: Path) -> None:
    items = [{"input": f"word{n}>", "target": f"word{n}"} for n in range(900)]
    shares = {"dev": 0.1, "gate": 0.5, "report": 0.1, "sealed": 0.3}
    source = perturbed(Bank(items, shares), lambda text, seed: f"{text}>")
    echo = axis("echo", source, kind="adversarial", gate_items=100, report_items=20, sealed_items=20, moment=0.5)
    study = replace(on(Suite([echo], block=100, max_pairs=200, design_gain=0.3)), gate=GateOptions(draws=2))
    folder = ran(study, tmp_path / "first")
    decisions = events(folder, "gate_decision")
    assert "promote" in {one["outcome"] for one in decisions}
    assert all(one["tests"][0]["pairs"] * 2 <= 200 for one in decisions)  # a pair of twins bets once
    with pytest.raises(ConfigError, match="were asked before"):
        run_study(on(bank(count=900)), tmp_path / "originals", workers=1)


def test_clusters_that_looks_cut_are_decided_and_verified_as_wholes(tmp_path: Path) -> None:
    items = [{"input": f"word{n}>", "target": f"word{n}", "cluster": n // 3} for n in range(3000)]
    echo = axis("echo", items, group="worst", gate_items=50, report_items=20, sealed_items=20, moment=0.5)
    folder = ran(on(Suite([echo], block=50, max_pairs=200, design_gain=0.3)), tmp_path / "study")
    sheets = [one for one in events(folder, "scores") if one["split"] == "gate"]
    assert max(len(one["values"]) for one in sheets) > 50  # more than one look
    for sheet in sheets:
        told = dict(zip(sheet["clusters"], sheet["values"], strict=True))
        assert sheet["values"] == [told[of] for of in sheet["clusters"]]


def test_pairs_on_which_scorers_disagree_are_missing_and_void_a_decision(tmp_path: Path) -> None:
    def lax(output: Any, target: Any) -> float:
        return 1.0

    echo = axis("echo", Strings("copy", (6,)), gate_items=120, report_items=20, sealed_items=60, moment=0.5, second=lax)
    study = replace(tiny.study(replicas=2), suite=Suite([echo], block=120, max_pairs=120, design_gain=0.3))
    folder = ran(study, tmp_path / "study", exploratory=True)
    (first, *_) = events(folder, "gate_decision")
    assert first["outcome"] == "undecided" and first["tests"][0]["missing"] > 60
