"""docs/threats.md has all 25 threats; each test that it names exists, and so does each threat that an attack names."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from netgain.testing.attacks import ATTACKS
from netgain.testing.cheats import CHEATS

HERE = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
THREATS = 25
TEXT = (HERE / "docs" / "threats.md").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """Cells of each row: number, threat, what stops it, tests."""
    lines = [line for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@cache
def named_in(path: str) -> frozenset[str]:
    """Names of the test functions of a file."""
    body = ast.parse((HERE / path).read_text(encoding="utf-8")).body if (HERE / path).exists() else []
    return frozenset(one.name for one in body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


def test_every_threat_has_one_row_of_four_cells():
    assert [int(row[0]) for row in rows()] == list(range(1, THREATS + 1))
    assert all(len(row) == 4 and all(row) for row in rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_row_names_tests_that_exist(row):
    named = NAMED.findall(row[3])
    assert named and row[3].count("::") == len(named)
    assert [f"{path}::{name}" for path, name in named if name not in named_in(path)] == []


def test_attacks_and_cheats_name_threats_of_the_table_and_are_counted_there():
    assert {one.threat for one in (*ATTACKS, *CHEATS)} <= set(range(1, THREATS + 1))
    assert f"0 of {len(ATTACKS)} as root" in TEXT and f"0 of {len(CHEATS)}, as root" in TEXT
