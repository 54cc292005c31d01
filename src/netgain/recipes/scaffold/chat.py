"""Asks a model: each request until it is answered, under a budget of waiting; counts tokens and money; keeps the calls.

What says something about the endpoint (it cannot be reached, is overloaded, denies access) and lasts longer than the
patience is an `Outage`, which ends the command and costs no round. What says something about the one request (cut off,
malformed, too slow) is a named failure of that call.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from netgain.budget import Budget
from netgain.canonical import digest
from netgain.errors import ConfigError, Outage
from netgain.recipes.scaffold.calls import Call, recorded
from netgain.recipes.scaffold.endpoint import KEY, MODEL, URL, Endpoint
from netgain.recipes.scaffold.exchange import send
from netgain.recipes.scaffold.replies import Failed, Reply

Json = Any
Message = Mapping[str, str]
OURS = ("busy", "overloaded", "unreachable")  # says nothing about the request: waited for as long as patience lasts
AGAIN = ("time-out", "server", "malformed", "empty")  # may be another time: tried so many times
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 60.0
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Terms:
    """How requests are made.

    Attributes:
        stream: whether replies come in pieces.
        seconds: for one reply.
        tries: of a request that is answered too late or badly.
        patience_seconds: of waiting in one stage, all its requests together.
        longest: tokens of one reply.
        parallel: requests at a time.
        prices: USD per million tokens (read, written); None: unknown, and so is what a call costs.
    """

    stream: bool = False
    seconds: float = 120.0
    tries: int = 3
    patience_seconds: float = 600.0
    longest: int = 2000
    parallel: int = 4
    prices: tuple[float, float] | None = None


def prices_of(text: str) -> tuple[float, float] | None:
    """Prices from "READ/WRITTEN", in USD per million tokens; None for "unknown".

    Raises:
        ConfigError: it is neither.
    """
    if text == UNKNOWN:
        return None
    try:
        read, written = (float(one) for one in text.split("/"))
    except ValueError:
        read = written = math.nan
    if not (0 <= read < math.inf and 0 <= written < math.inf):
        fix = "write for example 2.5/10, USD per million tokens read and written; 0/0 for a server of your own"
        raise ConfigError(f"price {text!r}, expected 'unknown' or two numbers", fix=fix)
    return read, written


class Chat:
    """The calls of one stage.

    Args:
        endpoint, terms: whom to ask, and how.
        sleep: waits so many seconds.
    """

    def __init__(self, endpoint: Endpoint, terms: Terms, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._endpoint = endpoint
        self._terms = terms
        self._sleep = sleep
        self._left = terms.patience_seconds
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    def ask(self, messages: Sequence[Message], *, seed: int, temperature: float) -> Call:
        """One request.

        Args:
            messages: of the roles system, user and assistant.
            seed: sent along; makes equal requests of a run different ones.

        Raises:
            Outage: the endpoint does not answer, or denies access.
        """
        call = self._asked(self._request(messages, seed, temperature))
        self.calls.append(call)
        return call

    def ask_all(self, requests: Iterable[tuple[Sequence[Message], int, float]]) -> list[Call]:
        """Several requests (messages, seed, temperature), `parallel` at a time; calls in their order.

        Raises:
            Outage: as in `ask`.
        """
        bodies = [self._request(*one) for one in requests]
        if self._terms.parallel == 1 or len(bodies) < 2:
            done = [self._asked(one) for one in bodies]
        else:
            with ThreadPoolExecutor(self._terms.parallel) as hands:
                done = list(hands.map(self._asked, bodies))
        self.calls += done
        return done

    @property
    def tokens(self) -> int | None:
        """Read and written by all calls; None where those of any are unknown."""
        known = [call.tokens for call in self.calls]
        return None if None in known else sum(read + written for read, written in filter(None, known))

    @property
    def cost_usd(self) -> float | None:
        """Price of all calls; None where a price or the tokens of any are unknown."""
        if self._terms.prices is None or self.tokens is None:
            return None
        return sum(_priced(call.tokens, self._terms.prices) for call in self.calls if call.tokens)

    def require_answers(self) -> None:
        """Raises Outage where every request timed out or broke the server: then it is not the requests."""
        if self.calls and all(call.failure in ("time-out", "server") for call in self.calls):
            told = f"none of {len(self.calls)} requests was answered, each in {self._terms.seconds:g} s or less"
            raise Outage(f"{told}: is the server at work? The option `seconds` gives it longer")

    def book(self, budget: Budget) -> None:
        """Put what was spent on a meter; what is unknown is left out, which says so."""
        known = {"tokens": self.tokens, "cost_usd": self.cost_usd, "calls": len(self.calls)}
        budget.spend(**{unit: float(amount) for unit, amount in known.items() if amount is not None})

    def _request(self, messages: Sequence[Message], seed: int, temperature: float) -> dict[str, Json]:
        body: dict[str, Json] = {
            "model": self._endpoint.model, "messages": [dict(one) for one in messages], "seed": seed,
            "temperature": temperature, "max_tokens": self._terms.longest,
        }  # fmt: skip
        return {**body, "stream": True, "stream_options": {"include_usage": True}} if self._terms.stream else body

    def _asked(self, request: dict[str, Json]) -> Call:
        folder = self._endpoint.replayed
        return self._replayed(request, folder) if folder is not None else self._tried(request)

    def _replayed(self, request: dict[str, Json], folder: Path) -> Call:
        found = _known(folder).get(digest(request))
        if found is None:
            what = f"a request is not among the calls recorded in {folder}: it comes of another study or code"
            raise Outage(what)
        return found

    def _tried(self, request: dict[str, Json]) -> Call:
        """Ask until there is an answer, a failure that another try would not change, or no patience left."""
        spent: list[tuple[int, int] | None] = []
        bad = waits = 0
        while True:
            try:
                reply: Reply = send(self._endpoint, request, seconds=self._terms.seconds)
            except Failed as error:
                spent.append(error.tokens)
                bad += error.kind in AGAIN
                self._stop_at(error)
                if error.kind in OURS or (error.kind in AGAIN and bad < self._terms.tries):
                    self._wait(waits, error)
                    waits += 1
                    continue
                return Call(request, None, error.kind, _summed(spent))
            spent.append(reply.tokens)
            return Call(request, self._endpoint.without_key(reply.text), None, _summed(spent))

    def _stop_at(self, error: Failed) -> None:
        if error.kind == "denied":
            told = self._endpoint.without_key(error.told)
            raise Outage(f"the endpoint denies access: {told}; check {URL}, {MODEL} and {KEY}")

    def _wait(self, waits: int, error: Failed) -> None:
        """Wait as long as the server asks, else twice as long as before.

        Raises:
            Outage: that is more than patience has left.
        """
        doubled = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0**waits)
        seconds = doubled if error.after is None else error.after
        with self._lock:
            self._left -= seconds
            over = self._left < 0
        if over:
            told = self._endpoint.without_key(str(error))
            raise Outage(f"the endpoint has not answered within {self._terms.patience_seconds:g} s of waiting ({told})")
        self._sleep(seconds)


def _summed(spent: Sequence[tuple[int, int] | None]) -> tuple[int, int] | None:
    if any(one is None for one in spent):
        return None
    return sum(one[0] for one in spent if one), sum(one[1] for one in spent if one)


def _priced(tokens: tuple[int, int], prices: tuple[float, float]) -> float:
    return (tokens[0] * prices[0] + tokens[1] * prices[1]) / 1e6


@lru_cache(maxsize=2)
def _known(folder: Path) -> dict[str, Call]:
    return recorded(folder)
