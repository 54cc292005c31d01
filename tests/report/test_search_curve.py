"""Plain search at several budgets, from a real study: what the page says of it follows from the record."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest

from netgain import session
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.generators import Strings
from netgain.ledger import Ledger
from netgain.records import Change, Part
from netgain.report import attribution_sentences, render_report
from netgain.report.attribution import attribute
from netgain.report.identified import Unknown
from netgain.report.reading import read
from netgain.report.search_curve import Search, figure, search_curve, sentence
from netgain.session import Study, facts_of
from netgain.stages import Loop
from netgain.suite import Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.verify import verify

STARTS, SEALED = 6, 120
BUDGETS = {"frozen": 1, "sampled:3": 3, "sampled:9": 9}


def start(rng: Any) -> dict[str, Any]:
    return {"skill": 0.6, "looks": 1}


def propose(view: Any) -> Change:
    """A better policy that costs five calls an answer, not one."""
    view.budget.spend(tokens=10)
    return Change([Part("policy", {"skill": 0.9, "looks": 5})], state=(view.state or 0) + 1)


def answer(system: Any, inputs: Any, budget: Any, rng: Any) -> list[str]:
    budget.spend(calls=system["looks"] * len(inputs))
    right = rng.random(len(inputs)) < system["skill"]
    return [one.rstrip(">") if yes else "?" for one, yes in zip(inputs, right, strict=True)]


loop = Loop(start, propose, answer, surfaces=["policy"], gate="watch")


def study(arms: Any) -> Study:
    echo = axis("echo", Strings("copy", (6,)), gate_items=120, report_items=20, sealed_items=SEALED)
    suite = Suite([echo], block=120, max_pairs=120, design_gain=0.3)
    claim = Claim("echo", by=0.1, beats=["frozen"], expected=0.3)
    reference = Reference(f"{Path(__file__)}:loop")
    return Study(loop, suite=suite, arms=arms, claim=claim, replicas=STARTS, rounds=1, reference=reference)


class Here(InProcess):
    """Loop code in this process, in place of worker processes."""

    def __init__(self, reference: Reference, count: int) -> None:
        super().__init__(loop)

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setattr(session, "LocalWorkers", Here)
        made = tmp_path_factory.mktemp("search") / "study"
        session.run_study(study(("self", *BUDGETS)), made, exploratory=True)
        yield made


@pytest.fixture(scope="module")
def reading(folder: Path) -> Any:
    with Ledger.open(folder, readonly=True) as log:
        return read(facts_of(log))


@pytest.fixture(scope="module")
def raw(folder: Path) -> Any:
    """(scores, calls) by arm, one per start, straight from the log."""
    scores, calls = defaultdict(list), defaultdict(list)
    with Ledger.open(folder, readonly=True) as log:
        for one in log.events():
            arm = (one.run or "/").split("/")[1]
            if one.kind == "scores" and one.data["split"] == "sealed" and one.data["role"] == "served":
                scores[arm].append(mean(one.data["values"]))
            if one.kind == "sealed_answered" and one.data["role"] == "served":
                calls[arm].append(one.data["spend"]["sealed"]["calls"])
    return scores, calls


def test_each_budget_answers_so_often_and_is_booked(reading: Any, raw: Any) -> None:
    found = search_curve(reading)
    assert isinstance(found, Search) and found.unit == "calls" and found.tries == (1, 3, 9)
    for arm, tries in BUDGETS.items():
        assert raw[1][arm] == [tries * SEALED] * STARTS
    assert found.costs == tuple(tuple(raw[1][arm]) for arm in BUDGETS)
    assert found.scores == tuple(tuple(raw[0][arm]) for arm in BUDGETS)
    assert mean(raw[0]["sampled:9"]) > mean(raw[0]["sampled:3"]) > mean(raw[0]["frozen"])


def test_the_gain_over_search_is_read_at_the_loops_own_cost(reading: Any, raw: Any) -> None:
    found, (scores, calls) = search_curve(reading), raw
    assert isinstance(found, Search) and calls["self"] == [5 * SEALED] * STARTS
    for at in range(STARTS):  # five answers' worth: a third of the way from three tries to nine
        there = np.interp(5, [1, 3, 9], [scores[arm][at] for arm in BUDGETS])
        assert found.gain[at] == pytest.approx(scores["self"][at] - there)
    said = sentence(found)
    assert f"{mean(found.gain):+.3f}" in said and "with up to 9 answers per question" in said
    reached = [one for one in found.reached if one is not None]
    assert f"in {len(reached)} of {STARTS} starts" in said
    assert f"×{9}" in str(figure(reading, found).pictures[0])


def test_page_record_and_verifier_know_the_arms(folder: Path, reading: Any) -> None:
    found = attribute(reading)
    assert isinstance(found.search, Search)
    assert sentence(found.search) in attribution_sentences.own_section(found)
    assert "Plain search at several budgets" in render_report(reading.facts)
    checked = verify(folder)
    assert all(one["ok"] is not False for one in checked["checks"]), json.dumps(checked["checks"])


def test_with_fewer_budgets_there_is_no_curve(reading: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reading.__dict__, "arms", ["self", "frozen", "sampled:3"])
    found = search_curve(reading)
    assert isinstance(found, Unknown) and "2 budgets" in found.reason and "sampled:4" in found.reason
