"""JSON of strangers: every cap has a document that breaks it, and what is left is plain."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgain.sandbox.strict import Caps, NotStrict, deepest, strict_json

SMALL = Caps(size=4000, depth=5, values=50, text=40)
HOSTILE = {
    "no JSON": b"{",
    "two documents": b"1 2",
    "no UTF-8": b'"\xff"',
    "a key twice": b'{"a": 1, "a": 2}',
    "NaN": b"[NaN]",
    "infinity": b"[-Infinity]",
    "infinity by exponent": b"[1e999]",
    "a whole number of 65 bits": str(1 << 63).encode(),
    "a huge number": b"1" * 3000,
    "a long fraction": b"0." + b"1" * 500,
    "deep": b"[" * 6 + b"]" * 6,
    "deep and open": b"[" * 3999,
    "many values": b"[" + b"0," * 60 + b"0]",
    "a long text": b'"' + b"a" * 41 + b'"',
    "a long key": b'{"' + b"a" * 41 + b'": 1}',
    "half a surrogate pair": b'["\\ud800"]',
    "too large": b"1" + b" " * 4000,
}
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 62), 1 << 62) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4), max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused(name):
    with pytest.raises(NotStrict):
        strict_json(HOSTILE[name], SMALL)


@given(plain)
def test_every_plain_value_comes_back_as_it_was(value):
    data = json.dumps(value).encode()
    assert strict_json(data) == json.loads(data)


def test_brackets_inside_texts_do_not_count():
    assert strict_json(b'["[[[[[[[[", "\\"[[[[[[[["]', SMALL) == ["[[[[[[[[", '"[[[[[[[[']
    assert deepest(b'[{"[": "]]"}]') == 2


def test_looking_for_depth_is_linear_on_any_bytes():
    began = time.process_time()
    deepest(b'"' + b'\\"' * (1 << 19))  # an open string full of escaped quotes
    assert time.process_time() - began < 1.0


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    with suppress(NotStrict):
        strict_json(data, SMALL)
