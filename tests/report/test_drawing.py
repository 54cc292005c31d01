"""Primitives: escaping, scales, labels that do not overlap, numbers as they are written."""

from itertools import pairwise

import pytest

from netgain.report import figures
from netgain.report.page import prose
from netgain.report.svg import Html, Scale, element, number, path, spread, text


def test_plain_text_is_escaped_and_markup_of_ours_is_not():
    assert element("text", "<b>&", title='"') == '<text title="&quot;">&lt;b&gt;&amp;</text>'
    assert element("g", Html("<b/>")) == "<g><b/></g>"
    assert "&lt;i&gt;" in text(1, 2, "<i>")


def test_names_stand_out_and_are_escaped():
    assert prose("a `b<c>` d") == "a <code>b&lt;c&gt;</code> d"


@pytest.mark.parametrize(("value", "written"), [(0.0, "0"), (-0.001, "0"), (1.5, "1.5"), (2.0, "2"), (1 / 3, "0.33")])
def test_coordinates_are_short(value, written):
    assert number(value) == written


def test_a_scale_maps_both_ends_and_ticks_lie_inside():
    scale = Scale(0.0, 1.0, 100.0, 0.0)
    assert (scale(0.0), scale(1.0)) == (100.0, 0.0)
    assert scale.ticks(6) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert Scale(-0.06, 0.75, 0, 1).ticks(8) == [0.0, 0.2, 0.4, 0.6]
    assert Scale(0.5, 0.5, 0, 1)(0.5) == 0


def test_labels_move_apart_and_keep_their_order():
    places = spread({"a": 10.0, "b": 11.0, "c": 50.0, "d": 99.0, "e": 99.0}, 15, 0, 100)
    values = [places[name] for name in "abcde"]
    assert all(after - before >= 15 for before, after in pairwise(values))
    assert max(values) <= 100


def test_a_single_point_is_a_dot_and_nothing_is_nothing():
    assert path([(1, 2)], "own").startswith("<circle")
    assert path([], "own") == ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (figures.signed(-0.0001), "0.000"),
        (figures.signed(0.25), "+0.250"),
        (figures.signed(None), "no score"),
        (figures.signed(float("-inf")), "no score"),
        (figures.interval(None, 0.1), "unbounded to +0.100"),
        (figures.amount(None), "unknown"),
        (figures.amount(0.0), "0"),
        (figures.amount(28_000), "28 k"),
        (figures.amount(2_840), "2,840"),
        (figures.amount(1.5e12), "1.5 T"),
        (figures.joined([]), "none"),
        (figures.joined("abc"), "a, b and c"),
        (figures.numbers([6, 7, 8]), "6 to 8"),
        (figures.numbers([6, 8]), "6 and 8"),
        (figures.counted(1, "entry", "entries"), "1 entry"),
        (figures.percent(None), "unknown"),
    ],
)
def test_numbers_are_written_in_one_way(written, expected):
    assert written == expected
