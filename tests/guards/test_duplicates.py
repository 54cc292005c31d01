"""Whole questions found again, however short: as a document, as lines of one, as a value in JSON."""

import pytest

from netgain.guards import Protected, index_of


def found(question, content):
    """{rule: line} of what a document shows of one question."""
    findings = index_of([Protected("q", "gate", question)]).scan([("d", content)]).findings
    return {hit.rule: hit.line for finding in findings for hit in finding.hits}


@pytest.mark.parametrize(
    ("question", "copy", "rule"),
    [
        ("2 + 3 = ?", "2 + 3 = ?", "exact"),
        ("2 + 3 = ?", "  2 + 3 = ?\t", "exact"),
        ("2 + 3 = ?", "2+3=?", "normalised"),
        ("2 + 3 = ?", "2 - 3 = ?", None),
        ("2 + 3 = ?", "2 + 3 = 5", None),
        ("1 23", "12 3", None),
        ("1 23", "1   23", "normalised"),
        ("aBBa", "abba", "normalised"),
        ("([)]{}", "([)]{}", "exact"),
        ("([)]{}", "( [ ) ] { }", "normalised"),
        ("([)]{}", "([)]{", None),
        ("→→↑", "→ →\u200b↑", "normalised"),
        ("What is the capital of France?", "what is the capital of “France”", "normalised"),
        ("Is it?", "Is it", None),
        ("ﬁn", "FIN", "normalised"),
    ],
)
def test_a_short_question_as_document_line_and_value(question, copy, rule):
    assert set(found(question, copy)) == ({rule} if rule else set())
    assert found(question, f"before\n\n{copy}\nafter") == ({rule: 3} if rule else {})
    for row in ({"text": copy}, [copy], {"messages": [{"role": "user", "content": f"Hello\n{copy}"}]}):
        assert found(question, row) == ({rule: None} if rule else {})


@pytest.mark.parametrize(
    ("question", "content", "rule"),
    [
        ([3, 1, 2], {"input": [3, 1, 2], "target": [1, 2, 3]}, "exact"),
        ([3, 1, 2], {"input": [[3, 1, 2], "x"]}, "exact"),
        ([3, 1, 2], "[3, 1, 2]", "normalised"),
        ([3, 1, 2], "x\n[3,1,2]", "exact"),
        ([3, 1, 2], "[3,\n 1,\n 2]\n", "normalised"),
        ([3, 1, 2], {"input": [1, 2, 3], "target": [3, 1]}, None),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, "exact"),
        ({"a": 1, "b": [2]}, '{"b":[2],"a":1}', None),  # text is not parsed, its keys have an order
        ("[3,1,2]", [3, 1, 2], "exact"),
    ],
)
def test_json_questions_are_compared_in_one_text(question, content, rule):
    assert set(found(question, content)) == ({rule} if rule else set())


def test_a_question_of_several_lines():
    grid = "#.#\n.#.\n#.#"
    assert found(grid, grid) == {"exact": 1}
    assert found(grid, f"before\n{grid}\nafter") == {"exact": 2}
    assert found(grid, f"before\n{grid.replace('#.#', '# . #')}\nafter") == {"normalised": 2}
    assert found(grid, "#.#\n.#.\n#..") == {}
    assert found("one\ntwo three", {"text": "One\ntwo  three"}) == {"normalised": None}


def test_an_empty_question_is_found_nowhere():
    assert found("", "") == found(" \n", "\n\n") == found("", {"a": ""}) == {}


def test_an_answer_alone_is_no_duplicate():
    index = index_of([Protected("q", "gate", "Is it?", "yes")])
    assert index.scan([("d", "yes"), ("e", {"a": "yes"})]).clean
