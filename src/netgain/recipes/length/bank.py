"""A published bank of strings: items that lie in a file, as benchmarks do, and so can get into training data.

The same in every study. Strings of fewer than five symbols are left out: a loop that draws its own questions would meet
too many of them by chance.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from netgain.generators import Strings
from netgain.recipes.length.options import Options
from netgain.suite import Bank, Item

COUNT = 2400
SHORTEST = 5
SHARES = {"gate": 0.5, "report": 0.08, "canary": 0.03, "sealed": 0.39}


@lru_cache
def published(options: Options) -> Bank:
    """The bank of a task and size: strings of the ladder's lengths, evenly, none twice."""
    size = options.numbers
    lengths = tuple(range(max(SHORTEST, size.base_length + 1), size.target + 3))
    source = Strings(options.task, lengths)
    seeds = (hashlib.sha256(f"netgain length bank|{index}".encode()).hexdigest() for index in range(COUNT))
    items = {item["input"]: item for index, seed in enumerate(seeds) if (item := source.draw(seed, index))}
    return Bank(tuple(items.values()), SHARES)


def leaked(options: Options) -> tuple[Item, ...]:
    """What of it a loop can come across in its own data: the lengths that it trains on, whatever split they are of."""
    longest = len("0" * options.numbers.target + ">") * (2 if options.task == "addition" else 1)
    return tuple(item for item in published(options).items if len(item["input"]) <= longest)
