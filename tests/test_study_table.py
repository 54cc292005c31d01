"""The table of shipped studies: README shows its record, and what a study does not say is unknown."""

import importlib.util
import json
from pathlib import Path

import pytest

from netgain.recipes import RECIPES

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("make_studies", ROOT / "tools" / "make_studies.py")
TOOL = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(TOOL)
RECORD = json.loads(TOOL.RECORD.read_text(encoding="utf-8"))


def test_readme_shows_the_record():
    text = TOOL.README.read_text(encoding="utf-8")
    assert TOOL.written(text, RECORD) == text, "run tools/make_studies.py --from-record"


def test_every_study_of_the_table_is_of_a_recipe_and_passed_the_checks():
    assert {one["recipe"] for one in RECORD} <= {*RECIPES}
    assert [one["recipe"] for one in RECORD if not one["checks"]] == []


def test_a_study_replaces_the_one_before_it_and_no_other():
    first, *rest = RECORD
    again = {**first, "verdict": "REFUTED"}
    found = TOOL.merged(RECORD, [again])
    assert found == [again, *rest]
    assert len(TOOL.merged(RECORD, [{**first, "settings": {"other": 1}}])) == len(RECORD) + 1


@pytest.mark.parametrize("missing", ["gain", "cpu_minutes", "rung"])
def test_what_is_not_known_is_no_number(missing):
    line = TOOL.row({**RECORD[0], missing: None})
    assert "None" not in line and ("unknown" in line or missing != "gain")


def test_a_size_of_its_own_stands_beside_the_name():
    """Two sizes of a recipe are two lines, and nobody could tell them apart."""
    line = {**RECORD[0], "recipe": "trainer", "settings": {}}
    assert "`size=code`" in TOOL.row({**line, "size": "code"})
    assert not any("size=" in TOOL.row({**line, "size": usual}) for usual in (None, "default"))


def test_a_finished_study_is_told_as_the_verifier_tells_it(tmp_path):
    from netgain.verify import verify
    from study_forgery import ladder_study

    folder = ladder_study(tmp_path / "study")
    told, found = TOOL.told(folder, "0000000"), verify(folder)
    assert (told["verdict"], told["effect"], told["rung"]) == (found["verdict"], found["effect"], found["rung"])
    assert told["checks"] and told["starts"] == 5 and told["cpu_minutes"] > 0
    assert told["gain"] == pytest.approx(TOOL.over_the_first(*_read(folder)))


def _read(folder):
    from netgain.ledger import Ledger
    from netgain.seal import facts_of

    with Ledger.open(folder, readonly=True) as log:
        facts = facts_of(log)
    return facts, facts.claim
