"""What a moved improver is worth: advantages over its nulls, and whether they grow faster than they did.

``method.md`` 1.3 and 2 (R6, R7). An improver is tried on the same foreign starts as its nulls, with the same
randomness; every number is per start of the study (replica), in id order. Scores lie in [0, 1].
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netgain.evidence.tally import columns

Json = Any
LAST, HALF, FIRST = "last", "half", "first"
DRIFTED, SHUFFLED = "drifted", "shuffled"
NULLS = (FIRST, DRIFTED, SHUFFLED)  # generation 0; changed as much at random; grown on feedback without content
IMPROVERS = (LAST, HALF, *NULLS)


@dataclass(frozen=True)
class Moved:
    """Sealed scores after one round by an improver, averaged over foreign starts, on two scales.

    Attributes:
        score: mean score, in [0, 1].
        logit: mean of log((k + 1/2) / (n - k + 1/2)) over foreign starts, k of n points (Anscombe 1956).
    """

    score: float
    logit: float


Column = Sequence[Moved | None]


def moved(sheets: Mapping[tuple[str, int], Mapping[str, Json]], tried: Mapping[str, Sequence[int]]) -> dict[str, Moved]:
    """What each improver of one start was worth; an improver without a score on one of its foreign starts is left out.

    Args:
        sheets: (improver, foreign start) -> `scores` event on the sealed block of the improver's own start. For the
            last improver, which the claim is about, no answer is a wrong one.
        tried: improver -> the foreign starts that it was tried on.
    """
    scored = columns(sheets, [key for key in sheets if key[0] == LAST])
    found = {name: [scored.get((name, start)) for start in starts] for name, starts in tried.items() if starts}
    whole = {name: [one for one in each if one] for name, each in found.items()}
    return {name: _averaged(each) for name, each in whole.items() if len(each) == len(found[name])}


def _averaged(each: Sequence[Sequence[float]]) -> Moved:
    points = [(math.fsum(one), len(one)) for one in each]
    scores = [k / n for k, n in points]
    logits = [math.log((k + 0.5) / (n - k + 0.5)) for k, n in points]
    return Moved(math.fsum(scores) / len(scores), math.fsum(logits) / len(logits))


def advantages(improvers: Mapping[str, Column], starts: int) -> list[float]:
    """(R,) U = a round by the last improver minus one by its best null; -inf where one of them is unknown."""

    def one(start: int) -> float:
        own, *nulls = (_at(improvers, name, start) for name in (LAST, *NULLS))
        known = [null.score for null in nulls if null is not None]
        return -math.inf if own is None or len(known) < len(nulls) else own.score - max(known)

    return [one(start) for start in range(starts)]


def accelerations(improvers: Mapping[str, Column], starts: int, scale: str) -> list[float]:
    """(R,) A = U(T) - 2 U(T/2) + U(0) with U(0) = 0, on scale "score" or "logit"; -inf where unknown.

    U(t) is the advantage over generation 0, so A is S(T) - 2 S(T/2) + S(0). With an odd horizon half is rounded up,
    which makes A smaller: a steady improver does not pass by rounding.
    """

    def one(start: int) -> float:
        three = [_at(improvers, name, start) for name in (LAST, HALF, FIRST)]
        last, half, first = (None if one is None else float(getattr(one, scale)) for one in three)
        return -math.inf if last is None or half is None or first is None else last - 2.0 * half + first

    return [one(start) for start in range(starts)]


def _at(improvers: Mapping[str, Column], name: str, start: int) -> Moved | None:
    column = improvers.get(name, ())
    return column[start] if start < len(column) else None
