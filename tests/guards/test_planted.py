"""Planted, perturbed items are found as often as docs/contamination.md says, and nothing where nothing is planted."""

import re
from pathlib import Path

import numpy as np
import pytest

from netgain.guards import Protected, Reworded, index_of
from netgain.testing.planted import ITEMS, RATES, plain_text, recall, vocabulary

PAGE = Path(__file__).parents[2] / "docs" / "contamination.md"
ROWS = {
    "any run of 13 words": "any_13",
    "any run of 8 words": "any_8",
    "ours: blocked": "blocked",
    "ours: blocked or for review": "found",
    "ours, in a study: by own words": "own_words",
}


def published():
    """{rule: shares found, one per rate} of the page."""
    text = PAGE.read_text(encoding="utf-8")
    cells = {name: re.search(rf"^\| {name} \|(.+)\|$", text, re.MULTILINE)[1].split("|") for name in ROWS}
    return {field: [float(cell) for cell in cells[name]] for name, field in ROWS.items()}


@pytest.mark.parametrize("place", range(len(RATES)))
def test_recall_is_what_the_page_says(place):
    found = recall(RATES[place], seed=2)
    assert found.blocked == found.any_13  # a scan blocks exactly on shared runs of 13
    assert found.any_8 >= found.found >= found.blocked
    assert found.wrong == 0
    for field, shares in published().items():
        share = shares[place]
        error = 4 * np.sqrt(2 * max(share * (1 - share), 1 / ITEMS) / ITEMS)  # both figures are of 500 items
        assert getattr(found, field) == pytest.approx(share, abs=error), field


def test_where_a_third_of_the_words_is_new_the_own_words_are_found_and_no_run_of_them():
    found = recall(0.35, seed=2)
    assert found.own_words > 0.95 and found.blocked < 0.12 and found.wrong == 0


def test_a_million_words_without_a_copy_are_clean():
    rng = np.random.default_rng(4)
    words = vocabulary(rng, 5000)
    items = [Protected(str(k), "gate", " ".join(plain_text(rng, words, 60)), "yes") for k in range(500)]
    background = plain_text(rng, words, 1_000_000)
    documents = [(str(k), " ".join(background[k : k + 500])) for k in range(0, len(background), 500)]
    index = index_of(items)
    assert index.scan(documents).findings == () and index.scan(documents).documents == 2000
    assert not any(Reworded.of(items).found(text) for _, text in documents)
    part = " ".join(items[7].question.split()[:13])
    assert index.scan([*documents, ("copy", f"{documents[0][1]} {part} {documents[1][1]}")]).blocked == ("copy",)
