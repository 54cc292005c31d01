"""`strings/1`: right answers, right shapes, even symbols, and frozen for ever."""

import collections
import json
from typing import Any

import pytest

from netgain import generators
from netgain.errors import ConfigError
from netgain.generators import FORMS, TASKS, Strings, from_spec, items_digest


def seed(number: int) -> str:
    return f"{number:064x}"


def items(source: Strings, count: int = 200) -> list[dict[str, str]]:
    return [source.draw(seed(index), index) for index in range(count)]


def test_reverse_copy_and_lengths() -> None:
    for item in items(Strings("reverse", (3, 5))):
        assert item["target"] == item["input"][-2::-1]
        assert item["input"].endswith(">")
    for item in items(Strings("copy", (4,), symbols="ab", separator="=>")):
        assert item["input"] == item["target"] + "=>"
    lengths = [len(item["target"]) for item in items(Strings("copy", (6, 7, 9)), 7)]
    assert lengths == [6, 7, 9, 6, 7, 9, 6]


def test_addition_is_right_least_significant_digit_first() -> None:
    for item in items(Strings("addition", (1, 4))):
        left, right = item["input"][:-1].split("+")
        assert len(left) == len(right) == len(item["target"]) - 1
        assert int(left[::-1]) + int(right[::-1]) == int(item["target"][::-1])


def test_doubled_is_a_half_twice() -> None:
    for item in items(Strings("reverse", (4, 6), form="doubled")):
        text = item["input"][:-1]
        assert text[: len(text) // 2] == text[len(text) // 2 :]
        assert item["target"] == text[::-1]


@pytest.mark.parametrize("task", TASKS)
def test_malformed_lacks_the_separator_or_has_one_foreign_symbol(task: str) -> None:
    made = items(Strings(task, (1, 3), form="malformed"))
    assert {item["target"] for item in made} == {"!"}
    without = [item["input"] for item in made if not item["input"].endswith(">")]
    foreign = [item["input"] for item in made if item["input"].endswith(">")]
    assert not any("#" in text for text in without)
    assert all(text.count("#") == 1 for text in foreign)
    assert 60 < len(without) < 140


def test_dice_has_nothing_to_learn() -> None:
    made = items(Strings("reverse", (3,), form="dice"), 2000)
    share = collections.Counter(item["target"] for item in made)
    assert set(share) == set("0123456789")
    assert all(140 < count < 260 for count in share.values())


@pytest.mark.parametrize("count", [2, 3, 10, 200])
def test_symbols_are_drawn_evenly(count: int) -> None:
    stream = generators._bytes("0")
    share = collections.Counter(generators._below(stream, count) for _ in range(400 * count))
    assert set(share) == set(range(count))
    # Chi-square with count - 1 degrees of freedom: mean + 5 standard deviations.
    chi = sum((seen - 400) ** 2 / 400 for seen in share.values())
    assert chi < count - 1 + 5 * (2 * (count - 1)) ** 0.5


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", FORMS)
def test_spec_makes_the_same_items(task: str, form: str) -> None:
    source = Strings(task, (2, 4), form=form, separator="|")
    again = from_spec(json.loads(json.dumps(source.spec())))
    assert again == source
    assert items(again, 20) == items(source, 20)


def test_items_are_frozen_for_ever() -> None:
    # A changed digest means that old studies no longer verify: that is a new generator name, not an edit.
    made = [item for task in TASKS for form in FORMS for item in items(Strings(task, (2, 6), form=form), 10)]
    assert items_digest(made) == FROZEN


FROZEN = "dc18059e7cc7c142b5f46b8a51ba7eba492e87a298014f964a7e14b8e28e0aff"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "sort"}, "task 'sort'"),
        ({"form": "odd"}, "form 'odd'"),
        ({"lengths": []}, "lengths ()"),
        ({"lengths": [0]}, "lengths (0,)"),
        ({"lengths": [2.0]}, "lengths (2.0,)"),
        ({"lengths": [3], "form": "doubled"}, "needs even lengths"),
        ({"symbols": "a"}, "symbols 'a'"),
        ({"symbols": "aa"}, "symbols 'aa'"),
        ({"symbols": "ab", "task": "addition"}, "task 'addition' needs"),
        ({"symbols": "ab#"}, "leave out '#'"),
        ({"separator": ""}, "separator ''"),
        ({"separator": "3"}, "separator '3'"),
        ({"generator": "strings/2"}, "generator 'strings/2'"),
        ({"colour": 1}, "unknown keys ['colour']"),
    ],
)
def test_bad_specs_say_what_is_wrong(change: dict[str, Any], message: str) -> None:
    good = Strings("reverse", (2, 3)).spec()
    with pytest.raises(ConfigError) as caught:
        from_spec({**good, **change})
    assert message in str(caught.value)


def test_spec_without_a_task_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"without \['task'\]"):
        from_spec({"generator": "strings/1", "lengths": [1]})
