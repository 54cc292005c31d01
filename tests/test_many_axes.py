"""The example of ten kinds, run to its verdict, verified, shown; and a forged value of a cluster, which is found."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netgain.evaluators import check_evaluator
from netgain.items import Dealer
from netgain.ledger import Ledger
from netgain.report import render_report
from netgain.seal import facts_of
from netgain.verify import verify
from study_forgery import forged

EXAMPLE = Path(__file__).parents[1] / "examples" / "many_axes.py"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    environment = {**os.environ, "XDG_STATE_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "studies" / "many"


@pytest.fixture(scope="module")
def suite():
    spec = importlib.util.spec_from_file_location("many_axes", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.suite


def test_the_suite_has_ten_kinds_and_no_scorer_that_can_be_cheated(suite):
    assert len({one.kind for one in suite.axes}) == 10
    dealer = Dealer(b"s" * 32, 2, 6)
    for one in suite.axes:
        findings = check_evaluator(one, dealer.dev(one, 0, 0, 8).items, decides=one is suite.gate_axis)
        assert not [found for found in findings if found.fatal]


def test_the_study_verifies_and_shows_all_its_tables(study):
    assert verify(study)["verdict"] in ("SUPPORTED", "SUPPORTED WITH LIMITS", "INCONCLUSIVE", "REFUTED")
    with Ledger.open(study, readonly=True) as log:
        page = render_report(facts_of(log))
    for words in ("lost and won against generation 0", "smooth ECE", "without a sign of a test"):
        assert words in page


def test_every_value_of_a_group_axis_is_its_clusters(study):
    with Ledger.open(study, readonly=True) as log:
        sheets = [one.data for one in log.events("scores") if one.data["axis"] in ("typed", "again")]
    assert {one["axis"] for one in sheets} == {"typed", "again"}
    for sheet in sheets:
        told = dict(zip(sheet["clusters"], sheet["values"], strict=True))
        assert sheet["values"] == [told[of] for of in sheet["clusters"]]
        assert len(told) * (2 if sheet["axis"] == "typed" else 4) == len(sheet["values"])


def test_a_value_that_is_not_its_clusters_makes_the_study_invalid(study, tmp_path):
    def one_item_better(events):
        place = next(i for i, one in enumerate(events) if one.kind == "scores" and one.data["axis"] == "typed")
        data = events[place].data
        values = [1 - data["values"][0], *data["values"][1:]]
        events[place] = type(events[place])(events[place].kind, events[place].run, {**data, "values": values})
        return events

    found = verify(forged(study, tmp_path / "copy", one_item_better))
    assert found["verdict"] == "INVALID"
    assert "another score than its cluster" in found["reasons"][0]
