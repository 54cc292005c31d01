"""Weights are safetensors with a sound header; what runs code when loaded is refused by name, and never run."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgain.codecs import JsonCodec, PlainCodec, running_format
from netgain.errors import IntegrityError
from netgain.sandbox.weights import check_weights
from netgain.wire import pack

safetensors = pytest.importorskip("safetensors.numpy")

F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
BODY = bytes(16)


def made(header, body=BODY, size=None):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(head) if size is None else size).to_bytes(8, "little") + head + body


def pair(**second):
    return {"a": F32, "b": {**F32, "data_offsets": [8, 16], **second}}


UNSOUND = {
    "nothing": b"",
    "no header": (0).to_bytes(8, "little"),
    "a header longer than the file": made(pair(), size=10_000),
    "a huge header": made(pair(), size=1 << 63),
    "a header that is no JSON": made(b"{'a': 1}"),
    "a header that is a list": made(b"[]", b""),
    "a header after spaces": made(b"   {}", b""),
    "a key twice": made(b'{"a": ' + json.dumps(F32).encode() + b', "a": ' + json.dumps(F32).encode() + b"}", bytes(8)),
    "an overlap": made(pair(data_offsets=[4, 12]), bytes(12)),
    "a hole": made(pair(data_offsets=[12, 20]), bytes(20)),
    "the same bytes twice": made(pair(data_offsets=[0, 8]), bytes(8)),
    "bytes that are nobody's": made(pair(), bytes(17)),
    "bytes that are missing": made(pair(), bytes(15)),
    "a shape that is too large": made(pair(shape=[3])),
    "a shape that overflows": made(pair(shape=[1 << 32, 1 << 32])),
    "a negative shape": made(pair(shape=[-1, -2])),
    "true for a size": made(pair(shape=[True, 2])),
    "many axes": made(pair(shape=[1] * 17 + [2])),
    "an end before its begin": made(pair(data_offsets=[16, 8])),
    "an unknown type": made(pair(dtype="O")),
    "an entry with more keys": made(pair(code="x")),
    "an entry that is no object": made({"a": 1}, b""),
    "metadata that are no texts": made({"__metadata__": {"a": 1}, **pair()}),
}


class Ran:
    """An object whose pickle leaves a mark when it is loaded."""

    def __init__(self, mark):
        self._mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self._mark),)


def hostile(mark):
    """name -> (bytes in a format that runs code, what it is called)."""
    objects, archive, torch = io.BytesIO(), io.BytesIO(), io.BytesIO()
    array = np.array([Ran(mark)], dtype=object)
    np.save(objects, array, allow_pickle=True)
    np.savez(archive, weights=array)
    with zipfile.ZipFile(torch, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Ran(mark), protocol=2))
    pickles = {f"protocol {n}": (pickle.dumps(Ran(mark), protocol=n), "a pickle") for n in range(6)}
    return {
        **pickles,
        "NumPy": (objects.getvalue(), "a NumPy file of objects"),
        "NumPy archive": (archive.getvalue(), "a NumPy archive of objects"),
        "torch": (torch.getvalue(), "a torch zip with a pickle"),
        "YAML": (f"!!python/object/apply:os.mkdir [{mark}]".encode(), "YAML with a tag"),
        "YAML in a list": (f"a: [1, !!python/object/apply:os.mkdir [{mark}]]".encode(), "YAML with a tag"),
    }


def test_sound_weights_pass_and_load():
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros((0, 4)), "c": np.array(True)}
    data = safetensors.save(weights, metadata={"of": "a test"})
    assert check_weights(data) is data
    assert check_weights(safetensors.save({})) == safetensors.save({})
    assert set(safetensors.load(data)) == set(weights)


@pytest.mark.parametrize("name", UNSOUND)
def test_an_unsound_header_is_refused(name):
    with pytest.raises(IntegrityError, match="not sound safetensors"):
        check_weights(UNSOUND[name])


def test_weights_may_not_be_larger_than_allowed():
    data = safetensors.save({"a": np.zeros(100)})
    with pytest.raises(IntegrityError, match="allowed are 500"):
        check_weights(data, largest=500)


def test_what_runs_code_is_refused_by_name_everywhere_and_does_not_run(tmp_path):
    mark = tmp_path / "ran"
    for name, (data, called) in hostile(mark).items():
        for read in (check_weights, PlainCodec().decode, JsonCodec().decode):
            with pytest.raises(IntegrityError, match=called):
                read(data)
        assert not mark.exists(), name
    pickle.loads(hostile(mark)["protocol 2"][0])  # the payload is live: loaded, it leaves its mark
    assert mark.exists()


def test_sound_data_that_begin_like_a_pickle_are_not_refused():
    for length in (0x180, 0x280, 0x480, 0x580):  # as the first two bytes: 80 01, 80 02, …
        value = {"a": "x" * (length - len('{"a":""}'))}
        data = pack(value)
        assert running_format(data) == "a pickle" and PlainCodec().decode(data) == value
        weights = made(json.dumps({"__metadata__": {"a": ""}}).encode().ljust(length), b"")
        assert check_weights(weights) == weights


@given(st.binary(max_size=200))
def test_any_bytes_are_sound_or_refused(data):
    try:
        check_weights(data)
    except IntegrityError:
        return
    safetensors.load(data)  # what we let through, the library takes


@given(st.integers(0, 200), st.integers(0, 255))
def test_one_changed_byte_is_refused_or_still_sound_for_the_library(place, byte):
    data = bytearray(made(pair()))
    data[place % len(data)] = byte
    try:
        check_weights(bytes(data))
    except IntegrityError:
        return
    safetensors.load(bytes(data))
