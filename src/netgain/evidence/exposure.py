"""What a gate set that is asked again has given away, in nats, and the threshold that follows from it.

Source: the union over answer histories of ``statistics.md`` 1.5 (the argument of Blum & Hardt 2015, section 3). A
proposer that is told one bit for each of K queries, at most B of them "accept", can arrive at no more than
``N = sum_{j <= B} C(K, j)`` candidates; a level of a / N for each keeps P(any false promotion) <= a. In logs the
threshold rises from log(1/a) by log N.

Not covered: a proposer that chooses its way after having seen the items, and a person who reads the record of an
earlier study, in which every gate score stands. For those a used set is used up: draw new items.
"""

import math
from dataclasses import dataclass

from netgain.evidence.betting import log_capital


def log_histories(queries: int, accepts: int) -> float:
    """Return log N in nats: the answer histories of ``queries`` bits with at most ``accepts`` ones.

    Raises:
        ValueError: a negative number.
    """
    if queries < 0 or accepts < 0:
        raise ValueError(f"queries {queries!r} and accepts {accepts!r} must be at least 0")
    total = term = 1
    for j in range(min(accepts, queries)):
        term = term * (queries - j) // (j + 1)
        total += term
    return math.log(total)


@dataclass(frozen=True)
class Exposure:
    """What a set of items has been asked so far, and what the answers gave away.

    Attributes:
        queries: decisions made on the set.
        accepts: answers "promoted" among them.
        rejects: answers "rejected" that were told apart from "undecided": a second bit; 0 where they were not.
        shown_nats: nats of further numbers shown, by `netgain.evidence.ladder`.
    """

    queries: int = 0
    accepts: int = 0
    rejects: int = 0
    shown_nats: float = 0.0

    def __post_init__(self) -> None:
        if min(self.queries, self.accepts, self.rejects) < 0 or self.accepts + self.rejects > self.queries:
            raise ValueError(f"{self!r}: expected counts of at least 0, accepts and rejects among the queries")
        if not 0.0 <= self.shown_nats < math.inf:
            raise ValueError(f"shown_nats {self.shown_nats!r} must be at least 0 and finite")

    def __add__(self, other: "Exposure") -> "Exposure":
        return Exposure(
            self.queries + other.queries, self.accepts + other.accepts, self.rejects + other.rejects,
            self.shown_nats + other.shown_nats,
        )  # fmt: skip

    @property
    def log_raise(self) -> float:
        """Nats by which a threshold on this set rises; 0 for a set that was never asked.

        The formula takes B as declared beforehand. Here it is what happened, so each of the K + 1 values that it could
        have had gets an equal share of the level: log(K + 1) more, and once more where rejections were told.
        """
        if not self.queries and not self.shown_nats:
            return 0.0
        told = log_histories(self.queries, self.accepts) + math.log(self.queries + 1)
        if self.rejects:
            told += log_histories(self.queries - self.accepts, self.rejects) + math.log(self.queries + 1)
        return told + self.shown_nats


def best_log_e(items: int, *, gain: float, planned_second_moment: float) -> float:
    """Return the log E of a candidate that wins every one of ``items`` pairs by 1: no data can reach more."""
    if items < 1:
        return 0.0
    design = {"null": 0.0, "gain": gain, "planned_second_moment": planned_second_moment}
    return float(log_capital([1.0] * items, **design)[-1])
