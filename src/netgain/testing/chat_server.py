"""A real HTTP server on this machine that speaks the chat completions protocol, with faults on demand, for tests.

`python -m netgain.testing.chat_server [PORT]` serves the scripted model until it is interrupted: for trying the recipe
`scaffold` without a language model. A fault is a function that is given the handler and writes what it likes.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from netgain.testing.scripted_model import written

Json = Any
Model = Callable[[Mapping[str, Json]], str]
Fault = Callable[["Handler"], None]
PIECE = 24  # characters of a piece of a stream


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        """Answer a request, unless a fault does."""
        self.request_body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.server.seen(self.request_body, dict(self.headers))
        if fault is not None:
            fault(self)
        elif self.path != "/v1/chat/completions":
            self.reply(404, {"error": {"message": f"no path {self.path}"}})
        elif self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            self.reply(401, {"error": {"message": f"wrong key: {self.headers.get('Authorization')}"}})
        else:
            self.answer(self.server.model(self.request_body))

    def answer(self, text: str, end: str | None = "stop", *, counted: bool = True) -> None:
        """A complete reply, streamed where the request says so."""
        usage = tokens(self.request_body, text) if counted else None
        if self.request_body.get("stream"):
            self.stream(chunks(text, end, usage))
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": end}
            said = {"object": "chat.completion", "choices": [choice]}
            self.reply(200, {**said, "usage": usage} if usage else said)

    def reply(self, status: int, body: Json, **headers: str) -> None:
        """A whole response; a body of bytes goes out as it is."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events: Iterator[bytes], pause_seconds: float = 0.0) -> None:
        """Server-sent events, the connection closed after the last one."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for one in events:
            self.wfile.write(one)
            self.wfile.flush()
            time.sleep(pause_seconds)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a test's output is its own."""


def tokens(request: Mapping[str, Json], text: str) -> dict[str, int]:
    """Usage as servers report it; a word counts as one token."""
    read = sum(len(one["content"].split()) for one in request["messages"])
    return {"prompt_tokens": read, "completion_tokens": len(text.split()), "total_tokens": read + len(text.split())}


def chunks(text: str, end: str | None, usage: Mapping[str, int] | None) -> Iterator[bytes]:
    """The events of a streamed reply, with a comment among them, up to [DONE]."""
    yield b": welcome\n\n"
    for at in range(0, len(text), PIECE):
        yield event({"choices": [{"index": 0, "delta": {"content": text[at : at + PIECE]}, "finish_reason": None}]})
    if end is not None:
        yield event({"choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
    if usage:
        yield event({"choices": [], "usage": dict(usage)})
    yield b"data: [DONE]\n\n"


def event(said: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(said).encode() + b"\n\n"


class ChatServer(ThreadingHTTPServer):
    """The server; in a `with` statement it answers in a thread of its own.

    Args:
        model: request -> reply.
        key: that requests have to carry; "" for none.
        port: 0 for a free one.
        faults: what the first requests get in place of an answer, in order; None is an answer.
    """

    daemon_threads = True

    def __init__(
        self, model: Model = written, *, key: str = "", port: int = 0, faults: Iterable[Fault | None] = ()
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.model = model
        self.key = key
        self.requests: list[tuple[Json, dict[str, str]]] = []
        self._faults = iter(faults)
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def seen(self, body: Json, headers: dict[str, str]) -> Fault | None:
        """Note a request; what it gets in place of an answer."""
        with self._turn:
            self.requests.append((body, headers))
            return next(self._faults, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that give up are part of the tests."""

    def __enter__(self) -> ChatServer:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()


def main() -> None:
    """Serve the scripted model on a port until interrupted."""
    with ChatServer(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0) as server:
        print(server.url, flush=True)  # noqa: T201 - what somebody who starts it wants to know
        threading.Event().wait()


if __name__ == "__main__":
    main()
