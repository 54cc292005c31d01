"""docs/incidents.md holds all 38 incidents, and every test that it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from netgain.gauntlet.population import CLASSES

HERE = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
INCIDENTS, WITH_A_TEST = 38, 30


def rows() -> list[list[str]]:
    """Cells of each row: number, what happened, class, mechanism, what catches it, test."""
    text = (HERE / "docs" / "incidents.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@cache
def named_in(path: str) -> frozenset[str]:
    """Names of the test functions of a file, read from its syntax tree; none where there is no such file."""
    file = HERE / path
    body = ast.parse(file.read_text(encoding="utf-8")).body if file.exists() else []
    return frozenset(one.name for one in body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


def test_every_incident_has_one_row_of_six_cells_a_class_and_a_source_mark():
    found = rows()
    assert [int(row[0]) for row in found] == list(range(1, INCIDENTS + 1))
    for row in found:
        assert len(row) == 6 and all(row), row
        assert set(row[2].split(", ")) <= CLASSES.keys(), row[2]
        assert re.search(r"\[[VSMP]\]", row[1]), f"incident {row[0]} says no source: [V], [S], [M] or [P]"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_test_that_is_named_exists(row):
    missing = [f"{path}::{name}" for path, name in NAMED.findall(row[5]) if name not in named_in(path)]
    assert not missing
    assert row[5].count("::") == len(NAMED.findall(row[5]))  # written in any other way it would not be looked for


def test_at_least_thirty_have_a_test_and_the_others_say_why_not():
    without = [row for row in rows() if not NAMED.search(row[5])]
    assert INCIDENTS - len(without) >= WITH_A_TEST
    assert all(row[4].startswith("no detector: ") for row in without)


def test_the_number_on_the_page_is_that_of_the_rows():
    text = (HERE / "docs" / "incidents.md").read_text(encoding="utf-8")
    assert f"{sum(bool(NAMED.search(row[5])) for row in rows())} of the {INCIDENTS} have a test" in text


def test_every_planted_incident_is_on_the_page_in_the_row_of_its_number():
    for file in sorted((HERE / "tests" / "incidents").glob("test_*.py")):
        path = file.relative_to(HERE).as_posix()
        for name in named_in(path):
            number = re.match(r"test_(\d\d)_", name)
            assert number is None or f"`{path}::{name}`" in rows()[int(number[1]) - 1][5], f"{path}::{name}"
