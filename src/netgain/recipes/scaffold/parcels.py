"""The task: what a parcel costs, by a tariff that is to be learned from worked examples. Standard library only.

The tariff is ours, made up: a price for the zone, one for the weight band, and one for express by zone. 40 cells.
"""

from __future__ import annotations

import random
from typing import Any

Json = Any
ZONES = (4, 6, 9, 15)  # of zone 1 to 4
BANDS = (1000, 2000, 5000, 10000, 20000)  # grams up to which a band goes
WEIGHTS = (0, 1, 3, 6, 11)
EXPRESS = (3, 4, 6, 9)  # of zone 1 to 4
KINDS = ("program", "prompt", "skill")
STATEMENT = """A carrier prices parcels. A parcel is a JSON object: "zone" is 1 to 4, "grams" a whole number from 1 to
20000, "express" true or false, "number" a parcel number without meaning. Weight bands end at 1000, 2000, 5000, 10000
and 20000 grams, each end included. The price is a whole number; it depends on zone, band and express alone. The tariff
is not known: find it from worked examples."""
FIRST_PROGRAM = """def solve(parcel):
    price = [4, 6, 9, 15][parcel["zone"] - 1]
    if parcel["grams"] > 1000:
        price += 1
    if parcel["grams"] > 2000:
        price += 2
    return price
"""
FIRST_PROMPT = """You price parcels. Reply with the price as a whole number and nothing else.
If no rule applies, the price is 5.
"""
FIRST_SKILL = """---
name: parcel-prices
description: how to price a parcel
---

If no rule applies, the price is 5.
"""
KNOWN_BANDS = 3  # that generation 0 prices rightly where it is not express
ASKING = "Price the parcel that you are given. Reply with the price as a whole number and nothing else.\n\n"


def price(parcel: Json) -> int:
    """What a parcel costs."""
    zone, band = parcel["zone"] - 1, sum(parcel["grams"] > end for end in BANDS)
    return ZONES[zone] + WEIGHTS[band] + (EXPRESS[zone] if parcel["express"] else 0)


def parcel(seed: int, index: int) -> tuple[Json, Json]:
    """A parcel and its price: zone, band and express drawn evenly, grams evenly within the band."""
    rng = random.Random(f"{seed}/{index}")
    band = rng.randrange(len(BANDS))
    grams = rng.randint(1 + (BANDS[band - 1] if band else 0), BANDS[band])
    given = {"zone": rng.randint(1, 4), "grams": grams, "express": rng.random() < 0.5, "number": rng.randrange(10**9)}
    return given, price(given)


def first(kind: str) -> str:
    """The text of generation 0: right for parcels that are light and not express, 12 of the 40 cells."""
    if kind == "program":
        return FIRST_PROGRAM
    ends = (0, *BANDS)
    cells = [
        f"zone {zone}, over {ends[band]} to {ends[band + 1]} grams, not express: {ZONES[zone - 1] + WEIGHTS[band]}"
        for zone in range(1, len(ZONES) + 1)
        for band in range(KNOWN_BANDS)
    ]
    return "\n".join([FIRST_PROMPT if kind == "prompt" else FIRST_SKILL, *cells]) + "\n"
