"""What the contract covers: the code that can move a result, the user's own file, and what that imports beside it."""

from pathlib import Path

import pytest

from netgain.contract import beside, code_digest, libraries
from netgain.executors import Reference

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
