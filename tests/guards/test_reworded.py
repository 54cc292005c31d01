"""Items are found by the words that are their own, however they stand; words that others use too find nothing."""

import pytest

from netgain.errors import ConfigError
from netgain.guards import Protected, Reworded
from netgain.guards.reworded import LEAST

SHARED = ["how", "many", "of", "these", "are", "there", "when", "all", "have", "gone", "home", "again"]


def own(name, count=20):
    return [f"{name}{n}" for n in range(count)]


def item(name, count=20):
    return Protected(name, "gate", " ".join([*SHARED, *own(name, count)]))


ITEMS = [item(f"w{chr(97 + n // 26)}{chr(97 + n % 26)}x") for n in range(40)]
FIRST, NAME = own(ITEMS[0].id), ITEMS[0].id
READY = Reworded.of(ITEMS)


def test_half_of_the_own_words_in_any_order_are_found_and_fewer_are_not():
    kept = list(reversed(FIRST[::2]))
    assert READY.found(f"I remember: {' and '.join(kept)}") == {NAME}
    assert READY.found(f"I remember: {' and '.join(kept[1:])}") == frozenset()


def test_words_that_many_items_share_find_nothing():
    assert READY.found(" ".join(SHARED * 5)) == frozenset()


def test_the_words_have_to_stand_together():
    filler = ["something"] * 30
    apart = [word for one in FIRST for word in [one, *filler]]
    assert READY.found(" ".join(apart)) == frozenset()
    assert READY.found(" ".join([*filler * 9, *FIRST, *filler * 9])) == {NAME}


def test_one_word_over_and_over_is_one_word():
    assert READY.found(" ".join([FIRST[0]] * 40)) == frozenset()


def test_json_is_read_as_its_values_and_case_is_nothing():
    assert READY.found({"notes": [[word.upper()] for word in FIRST]}) == {NAME}


def test_an_item_with_few_own_words_is_not_looked_for():
    few = item("few", LEAST - 1)
    assert Reworded.of([*ITEMS, few]).found(few.question) == frozenset()
    enough = item("enough", LEAST)
    assert Reworded.of([*ITEMS, enough]).found(enough.question) == {"enough"}


def test_words_of_what_a_loop_may_use_are_nobodys():
    assert Reworded.of(ITEMS, free=[ITEMS[0].question]).found(ITEMS[0].question) == frozenset()


def test_what_is_no_text_is_refused():
    with pytest.raises(ConfigError):
        READY.found(b"\x00")
