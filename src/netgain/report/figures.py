"""How numbers are written on a page: one place, so that a sentence, a table and a plot never differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

UNKNOWN = "unknown"
NO_SCORE = "no score"
MINUS = "\N{MINUS SIGN}"
UNITS = {
    "device_seconds": "device seconds",
    "tokens": "tokens",
    "flops": "operations",
    "calls": "calls",
    "cost_usd": "US dollars",
    "human_minutes": "human minutes",
}


def points(value: float | None) -> str:
    """A score in [0, 1] with three decimals, or "no score"."""
    return NO_SCORE if value is None or not math.isfinite(value) else f"{value:.3f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """A difference of scores with its sign."""
    if value is None or not math.isfinite(value):
        return NO_SCORE
    text = f"{value:+.3f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def interval(low: float | None, high: float | None) -> str:
    """Both ends with signs; an end that cannot be given is said to be unbounded."""
    ends = ["unbounded" if end is None else signed(end) for end in (low, high)]
    return f"{ends[0]} to {ends[1]}"


def percent(share: float | None, digits: int = 0) -> str:
    """A share in [0, 1] as per cent."""
    return UNKNOWN if share is None else f"{100 * share:.{digits}f} %".replace("-", MINUS)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """ "1 start", "6 starts"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def amount(value: float | None) -> str:
    """A spend: three figures, thousands and beyond with a word; unknown is never 0."""
    if value is None:
        return UNKNOWN
    for size, word in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            return f"{value / (1e3 if size == 1e4 else size):.3g}{word}"
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def named(name: str) -> str:
    """A name as the page marks it."""
    return f"`{name}`"


def joined(words: Iterable[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else "none"


def upper(words: str) -> str:
    """The same with a capital in front."""
    return words[:1].upper() + words[1:]


def names(words: Iterable[str]) -> str:
    """Several names, marked and joined."""
    return joined(named(word) for word in words)


def numbers(values: Sequence[float]) -> str:
    """Whole numbers as they are, a run of them as "6 to 12"."""
    ordered = list(values)
    if len(ordered) > 2 and all(after - before == 1 for before, after in pairwise(ordered)):
        return f"{ordered[0]} to {ordered[-1]}"
    return joined(str(value) for value in ordered)


def known(values: Iterable[float | None]) -> list[float]:
    """The values that are there."""
    return [value for value in values if value is not None and math.isfinite(value)]


def middle(values: Iterable[float | None]) -> float | None:
    """The median of the values that are there; None without any."""
    there = known(values)
    return median(there) if there else None


def minus(left: float | None, right: float | None) -> float | None:
    """A difference, None when either side is missing."""
    return None if left is None or right is None else left - right
