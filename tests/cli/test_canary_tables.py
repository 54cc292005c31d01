"""[canaries], [canary_axes.NAME] and [probation] of netgain.toml: read, written back, refused by line, and run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from netgain import calibration, session, verify
from netgain.canary_axes import KEYS, with_canary_axis
from netgain.cli.folder import make_folder, open_project
from netgain.config import CanariesFile, ProbationFile, StudyFile, _keys, read_study, render_study
from netgain.errors import ConfigError
from netgain.evaluators import check_evaluator
from netgain.ledger import Ledger
from netgain.metric import METRICS, score_item
from netgain.session import run_study
from netgain.suite import Bank, Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.twins import marked, placebo

Json = Any
TABLES = """
[canaries]
expires = "2999-12-31"
carried = "asked"

[canary_axes.honest]
kind = "impossible"

[canary_axes.chance]
kind = "placebo"
items = 30

[canary_axes.tested]
kind = "marked"
mark = "[test] "

[probation]
rounds = 1
items = 20
"""
MINE = """
import hashlib
import netgain as ng
from netgain.suite import Bank

ITEMS = [{"input": f"what is {i} plus {7 * i % 101}", "target": str(i + 7 * i % 101)} for i in range(1200)]


def start(rng):
    return {"skill": 0.2, "n": int(rng.integers(1 << 30))}


def propose(view):
    return ng.Change([ng.Part("policy", {"skill": view.parent["skill"] + 0.3, "n": int(view.rng.integers(1 << 30))})])


def answer(system, inputs, budget, rng):
    plain = [one.removeprefix("[test] ").partition("\\n")[0] for one in inputs]
    lots = [hashlib.sha256(f"{system['n']}|{one}".encode()).digest()[0] / 256 for one in plain]
    sums = [str(int(one.split()[2]) + int(one.split()[4])) for one in plain]
    return [said if lot < system["skill"] else "?" for said, lot in zip(sums, lots, strict=True)]


shares = {"dev": 0.1, "gate": 0.3, "report": 0.15, "canary": 0.05, "probation": 0.1, "sealed": 0.3}
bank = ng.axis("sums", Bank(ITEMS, shares), gate_items=60, report_items=40, sealed_items=20, moment=0.5)
suite = ng.Suite([bank], block=60, max_pairs=120, design_gain=0.3)
study = ng.Study(ng.Loop(start, propose, answer, surfaces=["policy"]), suite, ["self", "frozen"],
                 ng.Claim("sums", 0.1, ["frozen"], rung="R1", expected=0.4), replicas=6, rounds=2)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    make_folder(tmp_path / "study", f"{tmp_path / 'mine.py'}:study")
    path = tmp_path / "study" / "netgain.toml"
    path.write_text(path.read_text().replace("replicas = 6", "replicas = 1") + TABLES)
    return tmp_path / "study"


def test_a_study_from_files_has_what_its_tables_say_and_runs(folder, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(folder.parent / "state"))
    made = open_project(folder).study
    assert made.canaries is not None and made.canaries.carried == "asked"
    assert made.probation is not None and (made.probation.rounds, made.probation.items) == (1, 20)
    kinds = {one.name: (one.kind, one.metric.name, one.report_items, one.canary_items) for one in made.suite.axes[1:]}
    assert kinds == {
        "honest": ("impossible", "uncheated", 40, 40), "chance": ("placebo", "lot", 30, 30),
        "tested": ("robustness", "exact", 40, 40),
    }  # fmt: skip

    class Here(InProcess):
        def __init__(self, reference: object, count: int) -> None:
            super().__init__(made.loop)

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    monkeypatch.setattr(session, "LocalWorkers", Here)
    run_study(made, folder, workers=1, exploratory=True)
    found = verify.verify(folder)
    assert [one["detail"] for one in found["checks"] if one["ok"] is not True] == []
    with Ledger.open(folder, readonly=True) as log:
        axes = {one.data["axis"] for one in log.events("scores") if one.data["split"] == "report"}
        assert axes == {"sums", "honest", "chance", "tested"} and len(list(log.events("probation"))) > 0
        assert json.loads(json.dumps(next(log.events("claim_registered")).data["study"]["canaries"]))


def test_a_plan_of_such_a_study_asks_questions_as_a_test_will(folder, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(folder.parent / "state"))
    made = open_project(folder).study
    seen: list[str] = []

    def answer(system: Json, inputs: Json, budget: Any, rng: Any) -> list[str]:
        seen.extend(inputs)
        return made.loop.answer(system, inputs, budget, rng)

    class Here(InProcess):
        def __init__(self, reference: object, count: int) -> None:
            super().__init__(dataclasses.replace(made.loop, answer=answer))

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    monkeypatch.setattr(calibration, "LocalWorkers", Here)
    assert made.plan(workers=1).reasons is not None
    assert any("netgain-canary" in one for one in seen)


def test_tables_are_written_back_as_they_were_read(tmp_path):
    study = StudyFile(
        recipe="ladder", replicas=6, arms=("self", "frozen"),
        canaries=CanariesFile(expires="2999-01-01", carried="aside"),
        probation=ProbationFile(rounds=3, level=0.01), canary_axes={"a b": {"kind": "placebo", "items": 9}},
    )  # fmt: skip
    (tmp_path / "netgain.toml").write_text(render_study(study))
    assert read_study(tmp_path / "netgain.toml") == study
    plain = dataclasses.replace(study, canaries=None, probation=None, canary_axes={})
    (tmp_path / "netgain.toml").write_text(render_study(plain))
    assert read_study(tmp_path / "netgain.toml") == plain


def test_they_can_be_set_when_a_folder_is_made(tmp_path):
    settings = ["probation.rounds=2", "canary_axes.honest.kind=impossible", "canary_axes.honest.items=20"]
    make_folder(tmp_path / "made", "ladder", settings=settings)
    made = open_project(tmp_path / "made").study
    assert made.probation is not None and made.suite["honest"].kind == "impossible" and made.canaries is None
    assert made.suite["honest"].canary_items == 20


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('carried = "asked"', 'carried = "hidden"', "carried is 'hidden', expected 'asked' or 'aside'"),
        ('carried = "asked"\n', "", "[canaries] has no 'carried'"),
        ('expires = "2999-12-31"', 'expires = "soon"', "expires is 'soon', expected a day"),
        ('expires = "2999-12-31"', 'expires = "2999-13-31"', "canaries that expire on '2999-13-31', expected a day"),
        ('kind = "impossible"', 'kind = "imposible"', "unknown kind of canary axis 'honest' 'imposible'"),
        ('kind = "impossible"', 'kind = "impossible"\nmark = "x"', "of kind 'impossible' with a mark"),
        ('mark = "[test] "\n', "", "of kind 'marked' without a mark"),
        ('kind = "impossible"', 'kind = "unmarked"', "of axis 'sums', whose questions have no mark"),
        ('kind = "impossible"', 'kind = "impossible"\nof = "somes"', "unknown axis 'somes'"),
        ("items = 30", "items = 0", "items 0 of canary axis 'chance'"),
        ("items = 30", "item = 30", "unknown key of canary axis 'chance' 'item'"),
        ("rounds = 1\nitems", "rounds = 0\nitems", "rounds is 0, expected a whole number of at least 1"),
        ("items = 20", "items = 2000", "in the share 'probation' of its bank, expected 4000"),
    ],
)
def test_a_mistake_in_them_is_one_message(folder, old, new, said):
    path = folder / "netgain.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError) as caught:
        open_project(folder)
    assert said in str(caught.value) and str(caught.value).startswith("netgain.toml:")


def test_every_key_is_on_the_page_about_canaries():
    text = (Path(__file__).parents[2] / "docs" / "canaries.md").read_text(encoding="utf-8")
    keys = [name for schema in (CanariesFile, ProbationFile) for name in _keys(schema)]
    assert [name for name in (*keys, *KEYS) if f"{name} = " not in text] == []


def test_an_axis_that_has_a_mark_gives_the_unmarked_one():
    bank = Bank([{"input": f"q{i}", "target": str(i)} for i in range(200)])
    suite = Suite([axis("tested", marked(bank, "[test] "), gate_items=20, report_items=10)])
    added = with_canary_axis(suite, "at work", {"kind": "unmarked", "items": 10})
    assert added["at work"].source == bank and added["at work"].kind == "unmarked"


def test_a_placebo_is_scored_by_lot_whatever_the_answer_and_its_metric_is_sound():
    bank = Bank([{"input": f"question {i}", "target": str(i)} for i in range(4000)])
    items = [placebo(bank).make(one)[0] for one in bank.items]
    for said in (lambda one: one["input"], lambda one: "", lambda one: "always the same"):
        share = sum(score_item(METRICS["lot"], said(one), one["target"]) for one in items) / len(items)
        assert abs(share - 0.5) < 0.03  # 4000 items: 3.8 standard errors
    assert score_item(METRICS["lot"], METRICS["lot"].oracle(items[0]["target"]), items[0]["target"]) == 1.0
    made = axis("chance", placebo(bank), kind="placebo", metric="lot", report_items=4)
    assert not any(one.fatal for one in check_evaluator(made, items[:4]))
