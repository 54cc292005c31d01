"""What the contract covers: the code that can move a result, the user's own file, and what that imports beside it."""

import importlib.util
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from netgain.contract import (
    beside,
    code_digest,
    differences,
    flat,
    is_question,
    libraries,
    parts_of,
    scorers,
    source_of,
)
from netgain.executors import Reference
from netgain.generators import Strings
from netgain.suite import axis

MINE = "import json, helper\nfrom parts.first import one\n\ndef late():\n    import deep\n\nloop = 1\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file that imports two modules and a package beside it, one of them at first use and one through another."""
    texts = {
        "mine.py": MINE, "helper.py": "import further\n", "further.py": "import helper\n",
        "deep.py": "", "deep/data.txt": "no module", "other.py": "", "parts/__init__.py": "",
        "parts/first.py": "one = 1\n", "parts/second.py": "two = 2\n",
    }  # fmt: skip
    for folder in ("parts", "deep"):
        (tmp_path / folder).mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return tmp_path / "mine.py"


def test_modules_beside_a_file_are_those_that_it_imports_itself_or_through_another(mine: Path) -> None:
    found = [path.relative_to(mine.parent).as_posix() for path in beside(mine)]
    assert found == ["deep.py", "further.py", "helper.py", "parts/__init__.py", "parts/first.py", "parts/second.py"]


@pytest.mark.parametrize(
    ("name", "same"),
    [("mine.py", False), ("helper.py", False), ("further.py", False), ("parts/second.py", False), ("other.py", True)],
)
def test_a_changed_module_changes_the_contract_when_the_loop_uses_it(mine: Path, name: str, same: bool) -> None:
    reference = Reference(f"{mine}:loop")
    before = code_digest(reference)
    path = mine.parent / name
    path.write_text(path.read_text() + "# changed\n")
    assert (code_digest(reference) == before) == same


def test_where_the_file_lies_is_no_part_of_the_contract(mine: Path, tmp_path: Path) -> None:
    before = code_digest(Reference(f"{mine}:loop"))
    moved = mine.parent.rename(tmp_path.with_name(tmp_path.name + "-moved"))
    assert code_digest(Reference(f"{moved / 'mine.py'}:loop")) == before


def test_versions_of_the_libraries_that_are_there_are_in_it() -> None:
    assert {"python", "numpy"} <= set(libraries())


# --- Parts -----------------------------------------------------------------------------------------------------------
SCORER = """import math
import tables
GOOD = 1.0

def close(a, b):
    return GOOD if math.isclose(a, tables.SHIFT + b) else 0.0

def right(output, target):
    return close(output, target)

def made(limit):
    return lambda output, target: float(abs(output - target) < limit)
"""


def loaded(folder: Path, text: str) -> Any:
    (folder / "tables.py").write_text("SHIFT = 0\n")
    (folder / "marks.py").write_text(text)
    spec = importlib.util.spec_from_file_location("marks", folder / "marks.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("return close(output, target)", "return close(target, output)", False),  # itself
        ("else 0.0", "else 0.1", False),  # what it calls
        ("GOOD = 1.0", "GOOD = 0.9", False),  # a value that it reads, through what it calls
        ("< limit", "<= limit", True),  # a neighbour that it does not call
    ],
)
def test_a_scorer_is_known_by_its_source_and_all_of_its_own_that_it_reaches(
    tmp_path: Path, before: str, now: str, same: bool
) -> None:
    held = source_of(loaded(tmp_path, SCORER).right)
    assert before in SCORER
    assert (source_of(loaded(tmp_path, SCORER.replace(before, now)).right) == held) == same


def test_a_scorer_that_is_made_is_known_by_what_it_was_made_with(tmp_path: Path) -> None:
    made = loaded(tmp_path, SCORER).made
    assert source_of(made(1)) == source_of(made(1)) != source_of(made(2))
    assert source_of(partial(made, 1)) != source_of(partial(made, 2))


def test_a_second_scorer_and_a_declared_one_are_in_it_too(tmp_path: Path) -> None:
    source, module = Strings("copy", (6,)), loaded(tmp_path, SCORER)
    plain, twice = (axis("a", source, "exact", **more) for more in ({}, {"second": module.right}))
    assert scorers([plain])["a"] != scorers([twice])["a"] != scorers([axis("a", source, "first")])["a"]


def test_a_loop_in_an_installed_module_is_covered_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere.py").write_text("loop = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = code_digest(Reference("elsewhere:loop"))
    (tmp_path / "elsewhere.py").write_text("loop = 2\n")
    assert code_digest(Reference("elsewhere:loop")) != before


def test_libraries_that_a_loop_imports_are_there_with_their_versions(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import pytest, json, netgain\nloop = 1\n")
    assert libraries(Reference(f"{tmp_path / 'mine.py'}:loop"))["pytest"] == pytest.__version__
    assert {"json", "netgain"}.isdisjoint(libraries(Reference(f"{tmp_path / 'mine.py'}:loop")))


@pytest.mark.parametrize(
    "line", ["from netgain.integrations.tuning import Tuning", "from netgain.integrations import tuning"]
)
def test_what_a_module_of_ours_brings_into_a_loop_has_its_version_too(tmp_path, line):
    optuna = pytest.importorskip("optuna")
    (tmp_path / "mine.py").write_text(f"{line}\nloop = None\n")
    (tmp_path / "other.py").write_text("import netgain\nloop = None\n")
    assert libraries(Reference(f"{tmp_path / 'mine.py'}:loop"))["optuna"] == optuna.__version__
    assert "optuna" not in libraries(Reference(f"{tmp_path / 'other.py'}:loop"))


CONTRACT = {
    "suite": {"axes": [{"name": "a", "margin": 1}, {"name": "b"}], "block": 10}, "gate": {"level": 0.05},
    "code": "1" * 64, "harness": "2" * 64, "loop": "3" * 64, "scorers": {"a": "4" * 64}, "libraries": {"numpy": "1.2"},
    "limits": {"tokens": 5.0}, "decoding": {"tries": 8}, "prices": "booked", "batching": "one",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"code": "9" * 64}, ["code"]),
        ({"code": "9" * 64, "loop": "9" * 64}, ["loop"]),  # the whole is named only where no part of it is
        ({"harness": "9" * 64}, ["harness"]),
        ({"scorers": {"a": "9" * 64}}, ["scorer of a"]),
        ({"libraries": {"numpy": "2.0", "torch": "3"}}, ["library numpy", "library torch"]),
        ({"limits": {}}, ["limit of tokens"]),
        ({"decoding": {"tries": 9}}, ["decoding"]),
        ({"prices": "free"}, ["prices"]),
        ({"gate": {"level": 0.1}}, ["gate"]),
        ({"suite": {"axes": [{"name": "a", "margin": 2}], "block": 10}}, ["axis a", "axis b"]),
        ({"suite": {**CONTRACT["suite"], "block": 20}}, ["suite"]),  # type: ignore[dict-item]
        ({}, []),
    ],
)
def test_a_difference_is_named_by_part(change: Any, parts: list[str]) -> None:
    moved = differences(CONTRACT, {**CONTRACT, **change})
    assert list(moved) == parts
    assert all(before != now for before, now in moved.values())


def test_what_is_asked_and_how_it_is_decided_is_the_question_and_nothing_else() -> None:
    asked = {part for part in flat(CONTRACT) if is_question(part)}
    assert asked == {"axis a", "axis b", "suite", "gate", "decoding", "batching"}


def test_the_parts_of_a_contract_are_told_apart(mine: Path) -> None:
    reference, axes = Reference(f"{mine}:loop"), [axis("a", Strings("copy", (6,)))]
    before = parts_of(reference, axes, limits={"tokens": 1.0}, decoding={"tries": 8})
    mine.write_text(mine.read_text() + "# changed\n")
    now = parts_of(reference, axes, limits={"tokens": 2.0}, decoding={"tries": 8})
    assert sorted(name for name in before if before[name] != now[name]) == ["limits", "loop"]
    assert set(now) == {"harness", "loop", "scorers", "decoding", "prices", "limits"}
    assert "limits" not in parts_of(reference, axes, limits={}, decoding={})
