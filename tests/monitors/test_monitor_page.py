"""docs/monitors.md is what the code says."""

import importlib.util
from pathlib import Path

from netgain.testing.monitor_worlds import cases

HERE = Path(__file__).parents[2]
PAGE = (HERE / "docs" / "monitors.md").read_text(encoding="utf-8")


def tool():
    spec = importlib.util.spec_from_file_location("monitor_rates", HERE / "tools" / "monitor_rates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_defaults_is_current():
    assert tool().defaults() in PAGE, "run `python tools/monitor_rates.py --write`"


def test_every_case_has_its_measured_row():
    for name, case in cases().items():
        assert f"| {name} | {case.worlds} | " in PAGE


def test_tables_are_written_between_their_marks():
    page = "a\n<!-- x, by tools/monitor_rates.py -->\nold\n<!-- end -->\nb\n"
    again = tool().written(page, iter([("x", "new\n")]))
    assert "old" not in again and "new" in again and again.startswith("a\n") and again.endswith("b\n")
    assert tool().written(again, iter([("x", "new\n")])) == again
