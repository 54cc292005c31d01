"""Decision notes are listed, numbered and name tests that exist."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
NOTES = sorted(path for path in (HERE / "docs" / "decisions").glob("*.md") if path.name != "README.md")
PARTS = ["Problem.", "Choice.", "Rejected.", "Can it move a result?", "Guard."]


def text_by_file() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (HERE / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("note", NOTES, ids=lambda path: path.stem)
def test_a_note_has_its_five_parts_in_order_and_a_row_in_the_list(note):
    text = note.read_text(encoding="utf-8")
    places = [text.find(f"**{part}**") for part in PARTS]
    assert -1 not in places and places == sorted(places)
    assert f"]({note.name})" in (note.parent / "README.md").read_text(encoding="utf-8")


def test_no_two_notes_have_one_number():
    numbers = [path.name[:4] for path in NOTES]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("note", NOTES, ids=lambda path: path.stem)
def test_the_tests_that_a_note_names_exist(note):
    held, file = text_by_file(), ""
    for named, test in re.findall(r"`(?:[\w/]*/)?([\w]+\.py|…)::(test_\w+)`", note.read_text(encoding="utf-8")):
        file = file if named == "…" else named
        assert file in held, f"{note.name} names {file}, which does not exist"
        assert f"def {test}(" in held[file], f"{note.name} names {test}, which is not in {file}"
