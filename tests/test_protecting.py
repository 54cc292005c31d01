"""Protected items of a bank in what a loop makes: examples are dropped, items met in a prompt are scored for nobody."""

from __future__ import annotations

from typing import Any

import pytest

from netgain import session
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.items import split_of
from netgain.ledger import Ledger
from netgain.protecting import Scanner
from netgain.records import Change, Examples, Part, View
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.stages import Filter, Loop
from netgain.suite import Suite, axis
from netgain.testing.inprocess import InProcess

WORDS = [
    "stone",
    "river",
    "lamp",
    "garden",
    "clock",
    "window",
    "paper",
    "bridge",
    "winter",
    "engine",
    "copper",
    "valley",
    "needle",
    "harbour",
    "candle",
    "meadow",
]
ITEMS = [
    {"input": " ".join(WORDS[(i * 7 + k * (i % 5 + 1)) % 16] + str(i) for k in range(14)), "target": str(i % 7)}
    for i in range(400)
]
SHARES = {"dev": 0.3, "gate": 0.4, "report": 0.1, "sealed": 0.2}
OPEN = [one for one in ITEMS if split_of(one, SHARES) == "dev"]
SEALED = [one for one in ITEMS if split_of(one, SHARES) == "sealed"]


def suite() -> Suite:
    return Suite(
        [axis("words", ITEMS, gate_items=20, report_items=20, sealed_items=60, moment=0.5)], block=20, max_pairs=20
    )


def test_whole_questions_and_long_runs_are_found_and_development_items_are_free():
    scan = Scanner(suite())
    question = str(SEALED[0]["input"])
    shouted = f"Remember:\n{question.upper()}\n"
    found = scan([OPEN[0]["input"], question, shouted, ["a", 1.5], {"note": "nothing of the kind"}, b"\x00"])
    assert sorted(found) == [1, 2] and len(found[1]) == 1 and found[1] == found[2]


def test_a_question_that_is_the_key_of_its_answer_is_found():
    held = {"memory": {str(SEALED[0]["input"]): SEALED[0]["target"]}}
    assert list(Scanner(suite())([{"memory": {str(OPEN[0]["input"]): 1}}, held])) == [1]


def test_words_that_many_items_share_are_a_form_and_not_an_item():
    form = "please read the following short text with care and then say which number comes next "
    bank = [{**one, "input": form + str(one["input"])} for one in ITEMS]
    shared = Suite(
        [axis("words", bank, gate_items=20, report_items=20, sealed_items=60, moment=0.5)], block=20, max_pairs=20
    )
    scan = Scanner(shared)
    assert scan([form + "a text of one's own"]) == {}
    held = next(one for one in bank if split_of(one, SHARES) == "gate")
    assert list(scan([f"{form}\n{held['input']}"])) == [0]


def test_numbers_and_weights_are_not_text():
    digits = [{"input": [0] * 30 + [i], "target": i} for i in range(100)]
    scan = Scanner(Suite([axis("digits", digits, gate_items=5, report_items=5, sealed_items=5, moment=0.5)]))
    assert scan([[0] * 31, b"\x00\x01"]) == {}


def run(loop: Loop, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    class Here(InProcess):
        def __init__(self, reference: Any, count: int) -> None:
            super().__init__(loop)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session, "LocalWorkers", Here)
    claim = Claim("words", by=0.1, beats=["frozen"], rung="R1", expected=0.3)
    study = Study(loop, suite(), ("self", "frozen"), claim, rounds=1, replicas=1, root="5a" * 32,
                  reference=Reference("tests:loop"))  # fmt: skip
    run_study(study, tmp_path / "study", workers=1)
    with Ledger.open(tmp_path / "study", readonly=True) as log:
        sealed = [one.data for one in log.events("scores") if one.data["split"] == "sealed"]
        return facts_of(log), sealed


def answer(system: Any, inputs: Any, budget: Any, rng: Any) -> list[str]:
    return ["0" for _ in inputs]


def test_items_that_a_prompt_holds_are_scored_for_nobody_of_the_start(tmp_path, monkeypatch):
    leaked = [str(one["input"]) for one in SEALED]

    def propose(view: View) -> Change:
        return Change([Part("policy", {"prompt": "\n".join(leaked), "n": int(view.rng.integers(1 << 30))})])

    loop = Loop(lambda rng: {"prompt": "", "n": int(rng.integers(1 << 30))}, propose, answer, surfaces=["policy"],
                gate="watch")  # fmt: skip
    facts, sealed = run(loop, tmp_path, monkeypatch)
    own = next(one for one in sealed if one["role"] == "served")
    assert facts.verdict["verdict"] == "INVALID"
    assert any(why.startswith("quarantined") for one in sealed for why in one["status"].values()) and own


def test_examples_that_hold_a_protected_item_are_not_trained_on(tmp_path, monkeypatch):
    inputs = [str(SEALED[0]["input"]) + " and so on", *(str(one["input"]) for one in OPEN[:9])]

    def propose(view: View) -> Change:
        return Change([Part("data", Examples(inputs, ["0"] * 10))], checks={"own": [True] * 10})

    def build(parent: Any, change: Change, budget: Any, rng: Any) -> Any:
        return {"trained": list(change.examples.inputs), "n": int(rng.integers(1 << 30))}

    loop = Loop(lambda rng: {"trained": [], "n": int(rng.integers(1 << 30))}, propose, answer, build=build,
                filters=(Filter("own"),), surfaces=["data"], gate="watch")  # fmt: skip
    facts, _ = run(loop, tmp_path, monkeypatch)
    channel = facts.runs["r0/self"].channel[1]
    assert (channel["quarantined"], channel["kept"], channel["of"]) == (1, 9, 10)
