"""Equal values, equal bytes; what has no single form is refused."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgain.canonical import canonical, digest

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(plain)
def test_reading_and_writing_again_gives_the_same_bytes(value: object) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_order_and_spacing_are_fixed() -> None:
    assert canonical({"b": [1, 2.0, None], "a": "é"}) == '{"a":"é","b":[1,2.0,null]}'.encode()
    assert canonical((1, 2)) == canonical([1, 2])
    assert digest({}) == hashlib.sha256(b"{}").hexdigest()


@pytest.mark.parametrize(
    "value", [float("nan"), [float("inf")], {1: 2}, [{"a": {None: 1}}], "\udc00", object(), {1, 2}]
)
def test_values_without_one_form_are_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical(value)
