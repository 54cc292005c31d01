"""Frames on a pipe: whole values or an error, never a part of one."""

from io import BytesIO

import pytest

from netgain.errors import IntegrityError, SandboxError
from netgain.executors.frames import LARGEST, receive, send


def piped(*values):
    pipe = BytesIO()
    for value in values:
        send(pipe, value)
    return BytesIO(pipe.getvalue())


def test_values_come_back_in_order_and_then_the_end():
    pipe = piped({"op": "start"}, [], 3)
    assert [receive(pipe) for _ in range(4)] == [{"op": "start"}, [], 3, None]


@pytest.mark.parametrize("cut", [1, 7, 8, 9, -1])
def test_a_pipe_that_breaks_inside_a_frame_is_an_error_of_infrastructure(cut):
    with pytest.raises(SandboxError):
        receive(BytesIO(piped({"op": "start"}).getvalue()[:cut]))


def test_a_frame_of_an_impossible_length_is_not_read():
    with pytest.raises(SandboxError, match="broken frame"):
        receive(BytesIO((LARGEST + 1).to_bytes(8, "little") + b"x"))


def test_bytes_that_are_no_value_are_refused():
    with pytest.raises(IntegrityError):
        receive(BytesIO((20).to_bytes(8, "little") + b"thinking aloud ....."))


def test_a_value_that_cannot_cross_leaves_nothing_on_the_pipe():
    pipe = BytesIO()
    with pytest.raises(IntegrityError):
        send(pipe, {"answer": float("nan")})
    assert pipe.getvalue() == b""
