"""A small program in place of a language model, for tests: it mends rules for prices in texts, and goes by them.

It knows nothing but the request: what it writes follows from the messages and the seed. A request with worked examples
gets the rules for up to N of them, N being the number after "up to" in its instructions, some of them wrong; one
without gets a rule drawn at random. A request for better instructions gets the same ones with N one larger or smaller.
Not covered: all else about a language model. Figures made with it say something about the loop's machinery alone.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

Json = Any
OPEN, CLOSE = "<text>", "</text>"
BANDS = (0, 1000, 2000, 5000, 10000, 20000)
SLIPS = 0.25  # share of its rules with a wrong price
FLAWED = 0.1  # share of its replies that are of no use
MOST = 6  # rules of one reply
RULE = re.compile(r"zone (\d+), over (\d+) to (\d+) grams, (not express|express): (-?\d+)")
UP_TO = re.compile(r"up to (\d+)")


def written(request: Mapping[str, Json]) -> str:
    """The reply to a chat completion request."""
    messages = request["messages"]
    rng = random.Random(hashlib.sha256(json.dumps([messages, request.get("seed")]).encode()).hexdigest())
    system, user = messages[0]["content"], messages[-1]["content"]
    if user.startswith("{"):
        return answered(system, json.loads(user))
    before = user.rpartition(CLOSE)[0].rpartition("between")[0]
    text = before[before.index(OPEN) + len(OPEN) : before.rindex(CLOSE)].strip("\n")
    if "whole new instructions" in user:
        return marked(UP_TO.sub(lambda found: f"up to {other(int(found[1]), rng)}", text))
    if rng.random() < FLAWED:
        return rng.choice([f"I would begin like this: {OPEN}\n{text}", marked(f"{text}\n  return (")])
    return marked(edited(text, rules(system, user, rng)))


def marked(text: str) -> str:
    """A reply as it is asked for."""
    return f"Here it is.\n{OPEN}\n{text}\n{CLOSE}"


def other(number: int, rng: random.Random) -> int:
    """One more or one less, within its bounds."""
    return min(MOST, max(1, number + rng.choice((-1, 1, 1))))


def rules(system: str, user: str, rng: random.Random) -> list[tuple[int, int, bool, int]]:
    """(zone, band, express, price) from worked examples, or drawn where there are none."""
    lines = [json.loads(line) for line in user.split("\n") if line.startswith('{"expected"')]
    if not lines:
        return [(rng.randint(1, 4), rng.randint(1, 5), rng.random() < 0.5, rng.randint(4, 35))]
    found = UP_TO.search(system)
    chosen = rng.sample(lines, min(len(lines), int(found[1]) if found else 1))
    return [rule(one["input"], one["expected"], rng) for one in chosen]


def rule(parcel: Json, price: int, rng: random.Random) -> tuple[int, int, bool, int]:
    """The rule that a parcel of this price stands for, with a slip now and then."""
    band = sum(parcel["grams"] > end for end in BANDS)
    return parcel["zone"], band, parcel["express"], price + (rng.choice((-2, -1, 1, 2)) if rng.random() < SLIPS else 0)


def edited(text: str, made: Sequence[tuple[int, int, bool, int]]) -> str:
    """A text with more rules: statements at the top of a program's function, else lines at the end."""
    head, define, body = text.partition("def solve(parcel):\n")
    if not define:
        return "\n".join([text, *map(line, made)])
    return head + define + "".join(map(statement, made)) + body


def statement(one: tuple[int, int, bool, int]) -> str:
    """A rule in Python."""
    zone, band, express, price = one
    what = f'parcel["zone"] == {zone} and {BANDS[band - 1]} < parcel["grams"] <= {BANDS[band]}'
    return f'    if {what} and parcel["express"] is {express}:\n        return {price}\n'


def line(one: tuple[int, int, bool, int]) -> str:
    """A rule in words."""
    zone, band, express, price = one
    said = "express" if express else "not express"
    return f"zone {zone}, over {BANDS[band - 1]} to {BANDS[band]} grams, {said}: {price}"


def answered(text: str, parcel: Json) -> str:
    """The price by the last rule of a text that applies, else 5."""
    for zone, low, high, express, price in reversed(RULE.findall(text)):
        fits = int(zone) == parcel["zone"] and int(low) < parcel["grams"] <= int(high)
        if fits and (express == "express") == parcel["express"]:
            return str(price)
    return "5"
