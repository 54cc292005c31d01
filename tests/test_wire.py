"""Typed values across a boundary: what goes in comes out, equal values are equal bytes, and nothing else crosses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgain.errors import IntegrityError
from netgain.wire import DTYPES, ESCAPE, pack, unpack

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just(ESCAPE), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_a_plain_value_comes_back_as_it_was(value):
    assert unpack(pack(value)) == value


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_equal_mappings_give_equal_bytes_in_whatever_order(value):
    assert pack(value) == pack(dict(reversed(value.items())))


@pytest.mark.parametrize("name", sorted(DTYPES))
def test_an_array_keeps_dtype_shape_and_values(name):
    array = np.arange(12).reshape(3, 4).astype(name)
    found = unpack(pack({"inner": [array, array.T]}))["inner"]
    assert [one.dtype.name for one in found] == [name, name]
    assert np.array_equal(found[0], array)
    assert np.array_equal(found[1], array.T)


def test_an_array_comes_back_read_only():
    with pytest.raises(ValueError, match="read-only"):
        unpack(pack(np.zeros(3)))[0] = 1.0


def test_an_array_of_another_byte_order_has_the_same_bytes():
    assert pack(np.array([1, 2], dtype=">i4")) == pack(np.array([1, 2], dtype="<i4"))


def test_numbers_of_numpy_are_plain_numbers():
    assert pack({"n": np.int64(3), "x": np.float64(0.5), "b": np.bool_(True)}) == pack({"n": 3, "x": 0.5, "b": True})


@pytest.mark.parametrize(
    "value",
    [float("nan"), [float("inf")], {1: "a"}, {"a": {2}}, object(), np.array([object()]), np.array(["text"]), print],
    ids=["nan", "inf", "odd key", "set", "object", "objects", "texts", "function"],
)
def test_what_has_no_plain_form_is_refused(value):
    with pytest.raises(IntegrityError, match="cannot cross"):
        pack(value)


@pytest.mark.parametrize("cut", [0, 4, 12, -1])
def test_bytes_that_are_cut_are_refused(cut):
    with pytest.raises(IntegrityError, match="not a packed value"):
        unpack(pack({"a": np.arange(4)})[:cut])


def test_an_array_of_a_dtype_that_could_hold_objects_is_refused():
    forged = pack(np.zeros(1, dtype="int64")).replace(b'"int64"', b'"object"')
    head = int.from_bytes(forged[:8], "little") + 1
    with pytest.raises(IntegrityError, match="unknown dtype 'object'"):
        unpack(head.to_bytes(8, "little") + forged[8:])
