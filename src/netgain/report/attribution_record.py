"""An attribution as one JSON object; beside every value that is null stands why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from netgain.evidence.ratios import Ratio, Region
from netgain.evidence.student import CONFIDENCE, MeanInterval
from netgain.report.attribution import Attribution
from netgain.report.identified import Mean, Unknown, no_spread
from netgain.report.reading import Reading

Json = Any
SCHEMA = "netgain.attribution/1"
INTERVAL = "Student t over starts, each by itself; ratios: Fieller's set"


def attribution_record(reading: Reading, found: Attribution) -> dict[str, Json]:
    """Everything under the schema `netgain.attribution/1`."""
    head = {"schema": SCHEMA, "arm": reading.arm, "metric": reading.metric, "starts": list(reading.replicas)}
    return {**head, "confidence": CONFIDENCE, "interval": INTERVAL, **_plain(found)}


def _plain(value: Json) -> Json:
    if isinstance(value, Mean):
        return {**_plain(value.over), "each": list(value.each)}
    if isinstance(value, MeanInterval):
        return _interval(value)
    if isinstance(value, Region):
        return _region(value)
    if is_dataclass(value):
        return _items((field.name, getattr(value, field.name)) for field in fields(value))
    if isinstance(value, Mapping):
        return _items(value.items())
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _items(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """One entry each; what is not identified is null with `NAME_reason`."""
    out: dict[str, Json] = {}
    for name, value in pairs:
        unreported = isinstance(value, Ratio) and value.estimate is None
        if isinstance(value, Unknown) or unreported:
            out |= {name: None, f"{name}_reason": value.reason}
        elif isinstance(value, Ratio):
            out[name] = _ratio(value)
        elif value is None:
            out |= {name: None, f"{name}_reason": "no start has it on both sides"}
        else:
            out[name] = _plain(value)
    return out


def _interval(found: MeanInterval) -> dict[str, Json]:
    out: dict[str, Json] = {"mean": found.mean, "low": found.low, "high": found.high, "starts": found.starts}
    why = {"mean": "no start has a value", "low": no_spread(found), "high": no_spread(found)}
    return out | {f"{name}_reason": reason for name, reason in why.items() if out[name] is None}


def _ratio(found: Ratio) -> dict[str, Json]:
    known = None if found.region is None else _region(found.region)
    out: dict[str, Json] = {"estimate": found.estimate, "region": known, "starts": found.starts}
    return out | ({"region_reason": found.reason} if known is None else {})


def _region(found: Region) -> dict[str, Json]:
    out: dict[str, Json] = {"shape": found.shape, "low": found.low, "high": found.high}
    return out | {f"{end}_reason": "unbounded" for end in ("low", "high") if out[end] is None}
