"""Pages whose figures a tool measures: every case has its row, and a plot can be drawn whatever was found."""

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from netgain.evidence.student import MeanInterval

HERE = Path(__file__).parents[2]


def tool(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    pytest.MonkeyPatch().setitem(__import__("sys").modules, name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


CONSTRAINT, STOPPING = tool("constraint_study"), tool("stopping_value")


def page(name):
    return (HERE / "docs" / "recipes" / name).read_text(encoding="utf-8")


def test_every_strength_has_a_row_and_a_point():
    named = [f"{one:g}" if one else "none" for one in CONSTRAINT.STRENGTHS]
    assert re.findall(r"^\| ([\d.]+|none) \|", page("constraint.md"), re.M) == named
    drawn = ElementTree.fromstring(page("constraint.svg"))
    words = [one.text for one in drawn.iter() if one.tag.endswith("text")]
    assert set(named) <= set(words) and len([one for one in drawn.iter() if one.tag.endswith("circle")]) == len(named)


def test_a_strength_without_spread_is_drawn_and_said():
    known, alike = MeanInterval(0.1, 0.0, 0.2, 6), MeanInterval(0.0, None, None, 6)
    points = [CONSTRAINT.Point(0.0, known, "calibration", alike)]
    assert "0.000 no spread" in CONSTRAINT.table(points, 6) and "| none | +0.100 [+0.000, +0.200]" in CONSTRAINT.table(
        points, 6
    )
    assert ElementTree.fromstring(str(CONSTRAINT.plot(points))) is not None


def test_every_case_of_stopping_has_its_row():
    rows = page("stopping.md")
    assert not [name for name in STOPPING.CASES if f"| `{name}`, watch |" not in rows]


def test_damage_is_dated_on_report_items():
    class Reading:
        def curve(self, run, role, axis):
            assert role == "working"
            return run[axis]

    low = {"truth": {0: 0.9, 1: 0.88, 2: 0.85, 3: 0.8}, "tails": {0: 0.4, 1: 0.4}}
    assert STOPPING.damaged(Reading(), low, "truth") == 2 and STOPPING.damaged(Reading(), low, "tails") is None
