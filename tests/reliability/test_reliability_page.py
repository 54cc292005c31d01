"""docs/reliability.md is what its record says: a row a goal, a bound beside each count, "not tested" where none."""

import importlib.util
import json
from pathlib import Path

import pytest

from netgain.testing.trials import VARIABLE, record

HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("make_reliability", HERE / "tools" / "make_reliability.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def line(goal="G1", **more):
    plain = {"what": "images", "trials": 1000, "failures": 0, "seed": 1, "command": "pytest x", "python": "3.11.7"}
    return {"goal": goal, **plain, "machine": "Linux x86_64", "commit": "abc", "day": "2026-11-28", **more}


def row_of(page, goal):
    (row,) = [one for one in page.splitlines() if one.startswith(f"| {goal} |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_the_page_is_what_the_record_says(tool):
    held = json.loads((HERE / "docs" / "reliability.json").read_text())
    written = (HERE / "docs" / "reliability.md").read_text()
    assert written == tool.page(held), "run tools/make_reliability.py --from-record"
    assert all(written.count(f"\n| G{number} |") == 1 for number in range(1, 21))


def test_a_row_has_count_bound_seed_and_command(tool):
    cells = row_of(tool.page({"lines": [line(), line(what="others", trials=2000, seed=2)]}), "G1")
    assert cells[2:7] == ["3,000: 1,000 images; 2,000 others", "0", "0.001", "1, 2", "abc (2026-11-28)"]
    assert cells[7] == "`pytest x`"


def test_failures_are_shown_and_raise_the_bound(tool):
    cells = row_of(tool.page({"lines": [line(failures=30)]}), "G1")
    assert cells[3] == "30" and float(cells[4]) > 0.03


def test_what_was_not_run_is_not_tested(tool):
    page = tool.page({"lines": [line()]})
    assert row_of(page, "G18")[2] == "not tested"
    assert "| Python 3.14 | not tested |" in page and "| Python 3.11 | tested |" in page
    assert "| Linux aarch64 | not tested |" in page


def test_new_lines_replace_what_did_the_same_at_any_size_and_leave_the_others(tool):
    other = {**line("G2"), "what": "other things of 1,000 bytes"}
    before = {"lines": [line(), line("G2"), line("G2", seed=5), other, {**other, "what": "things in 270 s"}]}
    again = [{**line("G2", trials=7)}, {**line("G2", trials=8), "what": "things in 3600 s"}]
    after = tool.merged(before, again, commit="new", day="today")
    assert [(one["goal"], one["trials"], one["commit"], one["what"]) for one in after["lines"]] == [
        ("G1", 1000, "abc", line()["what"]), ("G2", 1000, "abc", other["what"]),
        ("G2", 7, "new", line()["what"]), ("G2", 8, "new", "things in 3600 s"),
    ]  # fmt: skip


def test_a_test_leaves_a_line_where_it_is_told_to_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    told = {"trials": 5, "failures": 1, "seed": None, "command": "pytest"}
    record("G6", "flipped bits", **told)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "lines"))
    record("G6", "flipped bits", **told, p99_seconds=0.5)
    (kept,) = [json.loads(one) for one in (tmp_path / "lines").read_text().splitlines()]
    assert {**told, "goal": "G6", "measured": {"p99_seconds": 0.5}}.items() <= kept.items()
