"""The page of error rates is what its generator makes of the kept record, and says how large the run was."""

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("make_error_rates", HERE / "tools" / "make_error_rates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def record(tool):
    return json.loads(tool.RECORD.read_text(encoding="utf-8"))


def test_the_page_is_what_the_generator_makes_of_the_record(tool, record):
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(record), "run tools/make_error_rates.py --from-record"
    assert tool.PICTURE.read_text(encoding="utf-8") == tool.picture(record), "run it with --from-record"


def test_the_page_names_command_seed_and_size(tool, record):
    page = tool.page(record)
    assert record["command"] in page and f"seed {record['seed']}" in page
    assert "a smaller run than the long one" in page or record["size"]["studies"] >= 200


def test_a_missed_target_is_not_left_out(tool, record):
    worse = {**record, "false_refuted": {**record["false_refuted"], "rate": 0.5}}
    assert "| false REFUTED at most 5 % | **missed** | 50.0 % |" in tool.page(worse)


def test_what_was_measured_since_stands_first_with_its_command_and_its_bounds(tool, record):
    found = json.loads(tool.ASIDE.read_text(encoding="utf-8"))
    since, rest = tool.page(record).split("## Targets")
    assert found["command"] in since and found["commit"] in since and "+" not in found["commit"]
    for one in [*found["fakes"], *found["outside"]]:
        assert f"| {one['mechanism']} |" in since
        assert not one["over_claim"]["hits"] or one["detector"] == "none"
    assert "older than what is measured here" in since and "Measured since" not in rest


def test_without_rows_measured_since_nothing_is_said_of_them(tool, record, tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "ASIDE", tmp_path / "none.json")
    assert "Measured since" not in tool.page(record)


def test_no_mechanism_of_the_public_population_waits_for_a_detector(tool):
    from netgain.gauntlet.population import development

    known = {one.name: one.detector for one in development().mechanisms}
    assert "guards" not in known.values()
    found = json.loads(tool.ASIDE.read_text(encoding="utf-8"))
    assert all(known[one["mechanism"]] == one["detector"] for kind in ("fakes", "outside") for one in found[kind])
