"""Questions, answers, pools and packing of `length`."""

from __future__ import annotations

import numpy as np
import pytest

from netgain.recipes.length import tasks


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("task", "question", "answer"),
    [
        ("reverse", "31415>", "51413"),
        ("copy", "31415>", "31415"),
        ("addition", "12+34>", "460"),
        ("addition", "99+99>", "891"),
        ("reverse", "31#15>", "!"),
        ("reverse", "31415", "!"),
        ("addition", "12+345>", "!"),
        ("copy", "", "!"),
    ],
)
def test_truth(task: str, question: str, answer: str) -> None:
    assert tasks.truth(task, question) == answer


@pytest.mark.parametrize("task", tasks.TASKS)
def test_array_answers_equal_string_answers(task: str) -> None:
    asked = tasks.draw(task, 4, 200, rng())
    answers = tasks.texts(tasks.solve(task, asked))
    assert answers == [tasks.truth(task, question) for question in tasks.texts(asked)]
    assert {tasks.length_of(task, question) for question in tasks.texts(asked)} == {4}


@pytest.mark.parametrize("task", tasks.TASKS)
def test_malformed_questions_are_of_both_kinds_and_are_refused(task: str) -> None:
    asked = tasks.malformed(task, 3, 200, rng())
    assert {tasks.truth(task, question) for question in asked} == {"!"}
    foreign = sum("#" in question for question in asked)
    assert 60 < foreign < 140
    assert all(("#" in question) == question.endswith(">") for question in asked)


@pytest.mark.parametrize("task", tasks.TASKS)
def test_true_pool_holds_right_answers_and_the_stated_share_of_refusals(task: str) -> None:
    pool = tasks.true_pool(task, 3, 1000, 0.1, rng())
    refused = 0
    for tokens, asked, length in zip(tasks.texts(pool.tokens), pool.asked, pool.length, strict=True):
        question, answer = tokens[:asked], tokens[asked:length]
        assert answer == tasks.truth(task, question)
        assert set(tokens[length:]) <= {"_"}
        refused += answer == "!"
    assert 60 < refused < 140


def test_string_pairs_become_the_same_pool_as_arrays() -> None:
    asked = tasks.draw("reverse", 3, 20, rng())
    pairs = tasks.Pairs(tuple(tasks.texts(asked)), tuple(tasks.texts(tasks.solve("reverse", asked))))
    twin = tasks.true_pool("reverse", 3, 20, 0.0, rng())
    pool = tasks.pool_of(pairs)
    assert np.array_equal(pool.tokens, twin.tokens)
    assert np.array_equal(pool.asked, twin.asked) and np.array_equal(pool.length, twin.length)


def test_packing_overlaps_nothing_and_wastes_little() -> None:
    lengths = [int(length) for length in rng().integers(3, 12, 64)]
    starts, rows = tasks.pack(lengths, 16)
    places = [place for start, length in zip(starts, lengths, strict=True) for place in range(start, start + length)]
    assert len(places) == len(set(places)) and max(places) < rows * 16
    assert all(start // 16 == (start + length - 1) // 16 for start, length in zip(starts, lengths, strict=True))
    assert rows * 16 < 1.15 * sum(lengths)


def test_wrong_input_says_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="reverse, copy, addition"):
        tasks.require_pair("sort", "none")
    with pytest.raises(ValueError, match="vote, none"):
        tasks.require_pair("copy", "cycle")
    with pytest.raises(ValueError, match="outside"):
        tasks.read(["12>", "1x>"])
    with pytest.raises(ValueError, match="one answer each"):
        tasks.Pairs(("1>",), ())
