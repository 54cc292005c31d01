"""What a record says of all its mechanisms together, summed from its rows: a record made of parts is summed anew.

A row holds counts, never rates alone. What rows of an older record do not say (what the rules claimed on them, which of
them were honest) stands once in `Earlier`, for all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from netgain.gauntlet.population import CLASSES
from netgain.gauntlet.rates import Rate
from netgain.gauntlet.rules import RULES, Compared

Json = Any
Row = Mapping[str, Json]
UNTRIED = Rate(0, 0)
POWER = 0.8  # chance of SUPPORTED that `plan` asks for before it lets a study begin


@dataclass(frozen=True)
class Claims:
    """What one rule did on some mechanisms: false claims and missed gains, as used and at our budget; answers asked."""

    false: Rate = UNTRIED
    missed: Rate = UNTRIED
    false_at_budget: Rate = UNTRIED
    missed_at_budget: Rate = UNTRIED
    asked: float = 0.0
    asked_at_budget: float = 0.0
    mechanisms: int = 0

    def __add__(self, other: Claims) -> Claims:
        return Claims(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})

    @classmethod
    def of(cls, one: Compared) -> Claims:
        """Of one rule on one mechanism."""
        return cls(one.false, one.missed, one.false_at_budget, one.missed_at_budget, one.evaluations,
                   one.evaluations_at_budget, 1)  # fmt: skip

    def to_json(self) -> list[Json]:
        """As a row holds it; `from_json` is its inverse."""
        rates = (self.false, self.missed, self.false_at_budget, self.missed_at_budget)
        return [*((one.hits, one.n) for one in rates), self.asked, self.asked_at_budget, self.mechanisms]

    @classmethod
    def from_json(cls, record: Sequence[Json]) -> Claims:
        """The claims of `to_json`."""
        a, b, c, d = (Rate(*one) for one in record[:4])
        return cls(a, b, c, d, *record[4:])


UNUSED = Claims()


@dataclass(frozen=True)
class Earlier:
    """Counts of rows that do not carry their own: INVALID words of honest studies, and what each rule did."""

    honest: Rate = UNTRIED
    rules: Sequence[Claims] = (UNUSED,) * len(RULES)

    def to_json(self) -> Json:
        """As a record holds it; `from_json` is its inverse."""
        return {"honest": [self.honest.hits, self.honest.n], "rules": [one.to_json() for one in self.rules]}

    @classmethod
    def from_json(cls, record: Json) -> Earlier:
        """The counts of `to_json`; none where a record has no such rows."""
        if not record:
            return cls()
        return cls(Rate(*record["honest"]), [Claims.from_json(one) for one in record["rules"]])


NOTHING = Earlier()


def summed(
    fakes: Sequence[Row], genuine: Sequence[Row], others: Sequence[Row], earlier: Earlier = NOTHING
) -> dict[str, Json]:
    """All figures that stand for the population.

    Args:
        fakes, genuine: rows; of the fakes those count that this evidence has to catch.
        others: rows outside the wall and at the boundary, whose studies can be INVALID too.
        earlier: counts of rows that do not carry their own.
    """
    counted = [one for one in fakes if one["detector"] == "engine"]
    at = [place for one in genuine for place in one["strengths"]]
    true = [place for place in at if place["true"]]
    promised = [place for place in true if place["promised"] >= POWER]
    honest = [Rate(*one["honest"]) for one in (*fakes, *genuine, *others) if "honest" in one]
    return {
        "false_supported": upper(_sum(Rate(one["supported"], one["n"]) for one in counted)),
        "true_supported": lower(_sum(Rate(one["supported"], one["n"]) for one in promised)),
        "over_claim": _over_claim(counted),
        "false_refuted": upper(_sum(Rate(one["words"]["REFUTED"], one["n"]) for one in true)),
        "invalid_honest": upper(_sum(honest) + earlier.honest),
        "netgain": _ours(*([one for one in rows if one.get("rules", True)] for rows in (counted, genuine))),
        "rules": _rules([one for one in (*counted, *genuine) if one.get("rules")], earlier),
    }


def _sum(rates: Any) -> Rate:
    return sum(rates, start=UNTRIED)


def upper(rate: Rate) -> dict[str, Json]:
    """A rate that should be small."""
    return {"rate": rate.value, "upper95": rate.upper, "hits": rate.hits, "n": rate.n, **_untried(rate)}


def lower(rate: Rate) -> dict[str, Json]:
    """A rate that should be large."""
    return {"rate": rate.value, "lower95": rate.lower, "hits": rate.hits, "n": rate.n, **_untried(rate)}


def _untried(rate: Rate) -> dict[str, str]:
    return {} if rate.n else {"rate_reason": "nothing of this kind was run"}


def _over_claim(counted: Sequence[Row]) -> dict[str, Json]:
    """Mean over mechanism classes, weighted by how many incidents each class has (method 5.2 c)."""
    classes: dict[str, Json] = {}
    for letter, (name, weight) in CLASSES.items():
        values = [one["over_claim"]["rate"] for one in counted
                  if one["class"] == letter and one["over_claim"]["n"]]  # fmt: skip
        classes[letter] = {"name": name, "weight": weight, "mechanisms": len(values),
                           "rate": fmean(values) if values else None}  # fmt: skip
        if not values:
            classes[letter]["rate_reason"] = "all its mechanisms wait for the guards' detectors"
    known = [(one["weight"], one["rate"]) for one in classes.values() if one["rate"] is not None]
    total = sum(weight for weight, _ in known)
    mean = sum(weight * rate for weight, rate in known) / total if total else None
    return {"weighted": mean, "weight": total, **({} if total else {"weighted_reason": "no class was run"}),
            "classes": classes}  # fmt: skip


def _ours(counted: Sequence[Row], genuine: Sequence[Row]) -> dict[str, Json]:
    """Our verdicts on the same fakes and gains that the rules meet, those included that no plan would let begin."""
    true = [place for one in genuine for place in one["strengths"] if place["true"]]
    begun = [(one.get("begun", one["n"]), one["evaluations"]) for one in (*counted, *genuine)]
    studies = sum(n for n, _ in begun)
    return {
        "false_claims": _sum(Rate(one["supported"], one["n"]) for one in counted).value,
        "missed_gains": _sum(Rate(one["n"] - one["supported"], one["n"]) for one in true).value,
        "evaluations": round(sum(n * asked for n, asked in begun) / studies) if studies else 0,
    }


def _rules(rows: Sequence[Row], earlier: Earlier) -> list[dict[str, Json]]:
    """Every rule over the same fakes that count for us, and the same genuine gains."""
    found = []
    for place, rule in enumerate(RULES):
        told = sum((Claims.from_json(one["rules"][place]) for one in rows), start=earlier.rules[place])
        each = max(1, told.mechanisms)
        found.append({
            "id": rule.id, "name": rule.name, "false_claims": told.false.value, "missed_gains": told.missed.value,
            "evaluations": round(told.asked / each),
            "same_budget": {"false_claims": told.false_at_budget.value, "missed_gains": told.missed_at_budget.value,
                            "evaluations": round(told.asked_at_budget / each)},
        })  # fmt: skip
    return found
