"""Near duplicates: found with either library, and never called clean without one."""

import importlib.util

import pytest

from netgain.errors import ConfigError
from netgain.guards import Protected, near_duplicates
from netgain.guards.near import LIBRARIES

QUESTION = " ".join(f"word{number}" for number in range(60))
ITEMS = [Protected("q", "gate", QUESTION), Protected("empty", "gate", "")]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_rewritten_question_is_found_and_an_embedded_one_is_not(library):
    pytest.importorskip(library)
    rewritten = QUESTION.replace("word30", "other").title()
    embedded = f"{' '.join(f'more{number}' for number in range(300))} {QUESTION}"
    found = near_duplicates(ITEMS, [("near", rewritten), ("in", embedded), ("none", "")], libraries=[library])
    assert found.run and found.library == library
    assert [pair[:2] for pair in found.pairs] == [("near", "q")] and 0.6 < found.pairs[0][2] <= 1.0


def test_without_a_library_it_was_not_run(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = near_duplicates(ITEMS, [("same", QUESTION)])
    assert (found.run, found.library, found.pairs) == (False, None, ())
    assert "netgain[near]" in found.reason


def test_an_impossible_threshold_is_refused():
    with pytest.raises(ConfigError, match="0.0"):
        near_duplicates(ITEMS, [], threshold=0.0)
