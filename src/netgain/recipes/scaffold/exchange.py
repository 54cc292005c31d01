"""One request to a chat endpoint over HTTP, by the standard library: a deadline over all of it, a cap, no redirects.

A redirect is refused, because a key would go where nobody meant to send it. Proxies of the environment are not used.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from time import time
from typing import Any
from urllib.parse import urlsplit

from netgain.recipes.scaffold.endpoint import Endpoint
from netgain.recipes.scaffold.replies import Failed, Reply, read_stream, read_whole

Json = Any
LARGEST = 4 << 20  # bytes of one response
NOTHING = (0, 0)  # tokens of a request that no model has seen
DENIED = (401, 403, 404, 407)  # wrong key, model or path: nothing to do with the one request
OVERLOADED = (502, 503, 504, 529)
MAY_HAVE_RUN = (500, 504)  # behind such a status the model may have been at work, and nobody says how long


class _Clock:
    """Ends a connection at its deadline, wherever it stands: between bytes that drip in too."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Clock:
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()

    def watch(self, connected: socket.socket) -> None:
        """The socket to be shut; a connection lets go of it before its response has been read."""
        self._socket = connected

    def _end(self) -> None:
        self.over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # below TLS, whose own would wait


def send(endpoint: Endpoint, body: dict[str, Json], *, seconds: float) -> Reply:
    """Post a chat completion request and read its reply; with `stream` in the body as server-sent events.

    Args:
        seconds: from the first byte to the last one.

    Raises:
        Failed: there is no complete answer.
    """
    parts = urlsplit(endpoint.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(str(parts.hostname), parts.port, timeout=seconds)
    clock, sent = _Clock(seconds), False
    try:
        with clock:
            connection.connect()
            clock.watch(connection.sock)
            connection.request("POST", f"{parts.path}/chat/completions", json.dumps(body), _headers(endpoint))
            sent = True
            return _read(connection.getresponse(), streamed=bool(body.get("stream")))
    except (OSError, http.client.HTTPException, ValueError) as error:
        unknown = None if sent else NOTHING  # what came after the request may have cost something
        if clock.over or isinstance(error, TimeoutError):
            raise Failed("time-out", f"no complete answer within {seconds:g} s", tokens=unknown) from None
        kind_of = "malformed" if sent and isinstance(error, http.client.HTTPException) else "unreachable"
        raise Failed(kind_of, f"{type(error).__name__}: {error}", tokens=unknown) from None
    except Failed as error:
        if clock.over and error.kind == "malformed":  # what broke off was broken off by us
            raise Failed("time-out", f"no complete answer within {seconds:g} s", tokens=error.tokens) from None
        raise
    finally:
        connection.close()


def _headers(endpoint: Endpoint) -> dict[str, str]:
    given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    return {**given, "Authorization": f"Bearer {endpoint.key}"} if endpoint.key else given


def _read(response: http.client.HTTPResponse, *, streamed: bool) -> Reply:
    if response.status == 200:
        chunked = streamed and "event-stream" in response.headers.get("Content-Type", "")
        return read_stream(_lines(response)) if chunked else read_whole(_body(response))
    told = f"status {response.status}: {_body(response)[:300].decode('utf-8', 'replace')}"
    if response.status == 429:
        raise Failed("busy", told, tokens=NOTHING, after=_after(response.headers.get("Retry-After")))
    tokens = None if response.status in MAY_HAVE_RUN else NOTHING
    if response.status in OVERLOADED:
        raise Failed("overloaded", told, tokens=tokens, after=_after(response.headers.get("Retry-After")))
    kind = "denied" if response.status in DENIED else "server" if response.status >= 500 else "refused"
    raise Failed(kind, told, tokens=tokens)


def _body(response: http.client.HTTPResponse) -> bytes:
    data = response.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Failed("too large", f"more than {LARGEST} bytes")
    return data


def _lines(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Lines of a stream, up to the cap for all of them together."""
    seen = 0
    while line := response.readline(LARGEST + 1):
        seen += len(line)
        if seen > LARGEST:
            raise Failed("too large", f"more than {LARGEST} bytes")
        yield line


def _after(said: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or as a date (RFC 9110, 10.2.3)."""
    if said is None:
        return None
    with contextlib.suppress(ValueError):
        seconds = float(said)
        return seconds if 0.0 <= seconds < float("inf") else None
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(said).timestamp() - time())
    return None
