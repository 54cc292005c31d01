"""`netgain compare`: two studies of one contract side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netgain.cli.answer import Reply
from netgain.cli.assuming import finished
from netgain.cli.words import effect_in_words
from netgain.comparison import Side, compare

Json = Any


def beside(*, left: Path, right: Path) -> Reply:
    """`netgain compare`."""
    record = {"schema": "netgain.compare/1", **compare(_side(left), _side(right))}
    return Reply(record, _words(record))


def _side(folder: Path) -> Side:
    reading = finished(folder)
    assert reading.verdict is not None
    return Side(str(folder), reading.facts, reading.verdict)


def _words(record: dict[str, Json]) -> str:
    rows = [("contract", f"{record['contract']}, the same in both")]
    for letter, one in zip("AB", record["studies"], strict=True):
        rows.append((letter, f"{one['folder']}: {one['verdict']}, rung {one['rung'] or 'none'}, level {one['level']}"))
        rows.append(("", effect_in_words(one["net_gain"])))
    if not record["same_claim"]:
        rows.append(("claims", f"{record['claims_differ']}: the two net gains answer different questions"))
    metrics = {one["claim"]["metric"] for one in record["studies"]}
    shown = [one for one in record["arms"] if one["axis"] in metrics]  # the other axes are in the JSON
    width = max(len(one["arm"]) for one in shown)
    for one in shown:
        rows.append((one["axis"], f"{one['arm']:<{width}}  A {_told(one['left'])}   B {_told(one['right'])}"))
    rows.append(("items", _paired(record)))
    return "\n".join(f"{name:<12}{text}" for name, text in [*rows, ("note", record["note"])])


def _told(found: dict[str, Json]) -> str:
    if found["median"] is None:
        return "no score"
    ends = f"[{found['smallest']:.3f}, {found['largest']:.3f}]"
    return f"{found['median']:.3f} {ends} median and range of {found['scored']} of {found['of']} starts"


def _paired(record: dict[str, Json]) -> str:
    if not record["pairs"]:
        return str(record["pairs_reason"])
    first = record["pairs"][0]
    mean = "no score" if first["mean_difference"] is None else f"{first['mean_difference']:+.3f}"
    where = f"{first['arm']} on {first['axis']}, starts {first['left_start']} and {first['right_start']}"
    return f"{len(record['pairs'])} pairs of arms on the very same items; {where}: {mean} over {first['paired']} items"
