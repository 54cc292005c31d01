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
