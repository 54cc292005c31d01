"""A record made of parts: rows of some mechanisms, measured at another commit, put into the record of a longer run.

Each row says at which commit it was measured. Figures for the whole population are summed again from all rows
(`sums.py`). Nothing else of the record changes: power curve, real loops and engines stay those of the longer run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netgain.errors import ConfigError
from netgain.gauntlet.found import spread
from netgain.gauntlet.rates import Rate
from netgain.gauntlet.rules import RULES
from netgain.gauntlet.sums import Claims, Earlier, summed

Json = Any
Record = Mapping[str, Json]
LISTS = ("fakes", "genuine", "outside", "worst", "boundary")
ALIKE = ("studies", "truth", "rules", "random", "probe", "again")  # parts of a size that rows of one record share
OFFENDED = ("small item space", "contaminated self-data", "loop changed between looks")
"""Mechanisms whose studies INVALID was right for, in records whose rows do not say so (before 28 November 2026)."""


def merged(record: Record, part: Record, order: Sequence[str]) -> dict[str, Json]:
    """Put the rows of a part into a record, in place of rows of the same mechanisms.

    Args:
        record: with `commit`, that of its rows which name none.
        part: another record, of some mechanisms; with `commit`.
        order: names of mechanisms in the order of the population; others come last.

    Raises:
        ConfigError: another size or seed, or a row whose counts the record does not hold apart.
    """
    for name in ALIKE:
        ours, theirs = part["size"][name], record["size"][name]
        if ours != theirs:
            raise ConfigError(f"{name} {ours!r}, and {theirs!r} in the record", fix="measure parts in the same size")
    if part["seed"] != record["seed"]:
        raise ConfigError(f"seed {part['seed']!r}, and {record['seed']!r} in the record", fix="give the same --seed")
    new = {one["mechanism"] for name in LISTS for one in part[name]}
    earlier = _without(earlier_of(record), record, new)
    rows = {name: _joined(record, part, name, new, order) for name in LISTS}
    others = [*rows["outside"], *rows["boundary"]]
    told = {"mechanisms": sorted(new), "commit": part["commit"], "command": part["command"], "seconds": part["seconds"]}
    sums = summed(rows["fakes"], rows["genuine"], others, earlier)
    parts = [*record.get("parts", []), told]
    return {**record, **rows, **sums, "earlier": earlier.to_json(), "population": part["population"], "parts": parts}


def _joined(record: Record, part: Record, name: str, new: set[str], order: Sequence[str]) -> list[Json]:
    """Rows of one list: old ones that were not measured again, and new ones, each with its commit."""
    place = {one: at for at, one in enumerate(order)}
    kept = [{**one, "commit": one.get("commit", record["commit"])} for one in record[name]
            if one["mechanism"] not in new]  # fmt: skip
    fresh = [{**one, "commit": part["commit"]} for one in part[name]]
    return sorted([*kept, *fresh], key=lambda one: place.get(one["mechanism"], len(place)))


def earlier_of(record: Record) -> Earlier:
    """Counts of the rows of a record that carry none: what it says of itself, minus what its other rows say."""
    if "earlier" in record or all("honest" in one for one in record["fakes"]):
        return Earlier.from_json(record.get("earlier"))
    found = record["invalid_honest"]
    return Earlier(Rate(found["hits"], found["n"]), [_claims(record, place) for place in range(len(RULES))])


def _claims(record: Record, place: int) -> Claims:
    """What one rule did, as counts: a record holds its rates, and how many runs it had follows from the size."""
    counted = [one for one in record["fakes"] if one["detector"] == "engine"]
    runs = {True: 0, False: 0}
    large = {True: 0, False: 0}
    for one in (*counted, *record["genuine"]):
        for at, many in zip(one["strengths"], spread(record["size"]["rules"], len(one["strengths"])), strict=True):
            runs[at["true"]] += many
            large[at["true"]] += max(1, many // 4) if many else 0
    told, mechanisms = record["rules"][place], len(counted) + len(record["genuine"])
    big = told["same_budget"]
    rates = (_counted(told["false_claims"], runs[False]), _counted(told["missed_gains"], runs[True]),
             _counted(big["false_claims"], large[False]), _counted(big["missed_gains"], large[True]))  # fmt: skip
    return Claims(*rates, told["evaluations"] * mechanisms, big["evaluations"] * mechanisms, mechanisms)


def _counted(rate: float | None, n: int) -> Rate:
    """Hits of a recorded rate; a rate that no count of so many runs gives is another record than it seems."""
    if rate is None and not n:
        return Rate(0, 0)
    hits = 0 if rate is None else round(rate * n)
    if rate is None or abs(hits - rate * n) > 1e-6:
        raise ConfigError(f"rate {rate!r} is none of {n} runs", fix="measure the whole population again")
    return Rate(hits, n)


def _without(earlier: Earlier, record: Record, new: set[str]) -> Earlier:
    """Counts without the rows that are replaced and carry none of their own."""
    gone = [one for name in ("fakes", "genuine", "outside", "boundary") for one in record[name]
            if one["mechanism"] in new and "honest" not in one]  # fmt: skip
    apart = [one["mechanism"] for one in gone if one.get("detector", "engine") == "engine" or "words" not in one]
    if apart:
        what = f"the record does not say apart what was counted on {apart[0]!r}"
        raise ConfigError(what, fix="put in mechanisms that waited for a detector, or measure the whole again")
    fair = [one for one in gone if one["mechanism"] not in OFFENDED]
    hits, n = sum(one["words"]["INVALID"] for one in fair), sum(one["n"] for one in fair)
    return Earlier(Rate(earlier.honest.hits - hits, earlier.honest.n - n), earlier.rules)
