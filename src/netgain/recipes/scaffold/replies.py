"""What a chat endpoint says, whole or streamed, read as text of a stranger: a complete answer, or a named failure.

Format: the chat completion object and its chunks as OpenAI's API reference describes them, which vLLM, llama.cpp and
Ollama follow. A reply whose end is not known to be its end is no answer: `finish_reason` decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = Any
STOPPED = "stop"
NAMED = {"length": "truncated", "content_filter": "filtered"}  # other ends that have a name
KINDS = (
    "truncated", "filtered", "empty", "malformed", "too large", "time-out", "server", "refused",
    "unreachable", "busy", "overloaded", "denied",
)  # fmt: skip


class Failed(Exception):
    """A call without an answer. That is no score, of nothing.

    Args:
        kind: of `KINDS`.
        told: what was seen; may hold text of the server.
        tokens: (read, written) where the server said so, None where tokens may have been used and nobody knows how
            many, (0, 0) where none were.
        after: seconds that the server asks to wait.
    """

    def __init__(
        self, kind: str, told: str, *, tokens: tuple[int, int] | None = None, after: float | None = None
    ) -> None:
        super().__init__(f"{kind}: {told}")
        self.kind = kind
        self.told = told
        self.tokens = tokens
        self.after = after


@dataclass(frozen=True)
class Reply:
    """A complete answer.

    Attributes:
        text: what the model wrote, never empty.
        tokens: (read, written), None where the server does not say.
    """

    text: str
    tokens: tuple[int, int] | None


def read_whole(body: bytes) -> Reply:
    """The reply in a response that came at once.

    Raises:
        Failed: it is no complete answer.
    """
    said = _object(body, "the body")
    choice = _first(said)
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    return _ended(text, choice.get("finish_reason"), _tokens(said))


def read_stream(lines: Iterable[bytes]) -> Reply:
    """The reply in a stream of server-sent events, put together.

    Raises:
        Failed: it is no complete answer; a stream that breaks off is none.
    """
    pieces: list[str] = []
    end, tokens = None, None
    for said in _events(lines):
        tokens = _tokens(said) or tokens
        if not said.get("choices"):  # the last chunk may hold nothing but the usage
            continue
        choice = _first(said)
        delta = choice.get("delta")
        piece = delta.get("content") if isinstance(delta, dict) else None
        if piece is not None and not isinstance(piece, str):
            raise Failed("malformed", f"a piece of type {type(piece).__name__}", tokens=tokens)
        pieces.append(piece or "")
        end = choice.get("finish_reason") or end
    return _ended("".join(pieces), end, tokens)


def _events(lines: Iterable[bytes]) -> Iterator[dict[str, Json]]:
    """The data of each event up to [DONE]; comments and other fields are passed over."""
    for line in lines:
        name, _, value = line.strip().partition(b":")
        if name != b"data":
            continue
        if value.strip() == b"[DONE]":
            return
        yield _object(value, "an event")


def _object(data: bytes, what: str) -> dict[str, Json]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise Failed("malformed", f"{what} is no JSON: {data[:80]!r}") from None
    if not isinstance(said, dict):
        raise Failed("malformed", f"{what} is a {type(said).__name__}, expected an object")
    if "error" in said and not said.get("choices"):  # some servers report an error with status 200
        raise Failed("malformed", f"{what} reports an error: {str(said['error'])[:200]}", tokens=_tokens(said))
    return said


def _first(said: dict[str, Json]) -> dict[str, Json]:
    choices = said.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Failed("malformed", "no `choices` with an object in it", tokens=_tokens(said))
    return choices[0]


def _ended(text: Json, end: Json, tokens: tuple[int, int] | None) -> Reply:
    if end != STOPPED:
        kind = NAMED.get(end, "malformed") if isinstance(end, str) else "malformed"
        raise Failed(kind, f"finish_reason is {str(end)[:40]!r}, expected {STOPPED!r}", tokens=tokens)
    if text is not None and not isinstance(text, str):
        raise Failed("malformed", f"content of type {type(text).__name__}", tokens=tokens)
    if not text or not text.strip():
        raise Failed("empty", "the answer has no text", tokens=tokens)
    return Reply(text, tokens)


def _tokens(said: dict[str, Json]) -> tuple[int, int] | None:
    """Tokens read and written; None unless both are whole numbers of at least 0."""
    found = said.get("usage")
    usage = found if isinstance(found, dict) else {}
    read, written = (usage.get(one) for one in ("prompt_tokens", "completion_tokens"))
    if not (type(read) is int and type(written) is int and read >= 0 and written >= 0):
        return None
    return read, written
