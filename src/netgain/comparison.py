"""Two studies side by side, under one contract or not at all: what both share, and no word about which is better.

Two studies were registered apart, so nothing here is a test: a claim that one loop exceeds another needs one study that
runs both. Items are paired only where both opened the very same sealed block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from netgain.canonical import digest
from netgain.errors import ConfigError
from netgain.evidence.verdict import Verdict
from netgain.facts import Facts

Json = Any
Sheets = Mapping[tuple[str, str], Mapping[str, Json]]  # (arm, role) -> `scores` event
NO_TEST = "side by side, no test: a claim that one loop exceeds the other needs one study that runs both"


@dataclass(frozen=True)
class Side:
    """One of the two studies."""

    name: str
    facts: Facts
    verdict: Verdict


def first_difference(left: Json, right: Json, where: str = "contract") -> str | None:
    """The first part, in order of name, in which two records differ, as a path with both values; None when equal."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted({*left, *right}):
            if key not in left or key not in right:
                return f"{where}.{key} is there in one only"
            if left[key] != right[key]:
                return first_difference(left[key], right[key], f"{where}.{key}")
        return None
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = [(place, one) for place, one in enumerate(zip(left, right, strict=True)) if one[0] != one[1]]
        return first_difference(*pairs[0][1], f"{where}[{_entry(pairs[0])}]") if pairs else None
    return None if left == right else f"{where} is {_short(left)} and {_short(right)}"


def _entry(pair: tuple[int, tuple[Json, Json]]) -> str:
    place, (left, right) = pair
    names = {one.get("name") if isinstance(one, Mapping) else None for one in (left, right)}
    return str(names.pop()) if len(names) == 1 and None not in names else str(place)


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def compare(left: Side, right: Side) -> dict[str, Json]:
    """Everything that two finished studies share.

    Returns:
        contract: its digest. net_gains: the two effects. arms: for each axis and arm that both served, the sealed score
        of the median start of each. pairs: differences (left minus right) on the very same items.

    Raises:
        ConfigError: their contracts differ; names the first part that does.
    """
    contracts: list[Json] = [
        side.facts.contract for side in (left, right)
    ]  # of the epoch in which the sealed items were answered
    differs = first_difference(*contracts)
    if differs is not None:
        fix = "run one of them again with the code, libraries, suite and gate of the other"
        raise ConfigError(f"not under one contract: {differs}", where=f"{left.name} and {right.name}", fix=fix)
    paired = _pairs(left, right)
    why = {} if paired else {"pairs_reason": "no sealed block is the same in both, so no item can be paired"}
    claims = first_difference(left.facts.claim, right.facts.claim, "claim")
    return {
        "contract": digest(contracts[0]), "studies": [_side(left), _side(right)],
        "same_claim": claims is None, **({} if claims is None else {"claims_differ": claims}),
        "arms": _served(left, right), "pairs": paired, **why, "note": NO_TEST,
    }  # fmt: skip


def _side(side: Side) -> dict[str, Json]:
    facts, claim, verdict = side.facts, side.facts.claim, side.verdict
    names = ("metric", "by", "beats", "rung", "arm")
    return {
        "folder": side.name, "claim": {name: claim[name] for name in names},
        "claim_digest": facts.registration["claim_digest"], "verdict": verdict.word, "level": verdict.level,
        "rung": verdict.rung, **({} if verdict.rung else {"rung_reason": verdict.rung_reason}),
        "net_gain": verdict.effect, "starts": len(facts.enrolled), "rounds": facts.rounds,
        "about": {key: facts.study[key] for key in ("recipe", "size", "options") if key in facts.study},
    }  # fmt: skip


def _served(left: Side, right: Side) -> list[dict[str, Json]]:
    """Sealed scores of what each arm served, on every axis, where both studies ran it."""
    there = [arm for arm in _arms(left.facts) if arm in _arms(right.facts)]
    return [
        {"axis": axis, "arm": arm, "left": _starts(left.facts, arm, axis), "right": _starts(right.facts, arm, axis)}
        for axis, spec in left.facts.axes.items() if spec["sealed_items"] for arm in there
    ]  # fmt: skip


def _arms(facts: Facts) -> list[str]:
    return [arm for arm in facts.study["arms"] if arm not in facts.study["untestable"]]


def _starts(facts: Facts, arm: str, axis: str) -> dict[str, Json]:
    tallies = [facts.sealed_score(replica, arm, axis) for replica in sorted(facts.enrolled)]
    scores = [None if one is None else one.score for one in tallies]
    present = [one for one in scores if one is not None]
    found: dict[str, Json] = {"starts": scores, "scored": len(present), "of": len(scores)}
    told = {"median": median(present), "smallest": min(present), "largest": max(present)} if present else {
        name: value for key in ("median", "smallest", "largest")
        for name, value in ((key, None), (f"{key}_reason", "no start has a score"))
    }  # fmt: skip
    return {**found, **told}


def _pairs(left: Side, right: Side) -> list[dict[str, Json]]:
    """Arms that answered the very same sealed items in both, with the mean difference over items that both scored."""
    found = []
    for (replica, axis), sheets in left.facts.blocks.items():
        for (other, name), theirs in right.facts.blocks.items():
            if axis == name and _items(sheets) == _items(theirs):
                starts = {"axis": axis, "left_start": replica, "right_start": other}
                found += [{**starts, **one} for one in _paired(sheets, theirs)]
    return found


def _items(sheets: Sheets) -> set[str]:
    """Digests of the items that the arms of a start were asked: one, since they share a block."""
    return {one["items"] for one in sheets.values()}


def _paired(left: Sheets, right: Sheets) -> list[dict[str, Json]]:
    served = [key for key in left if key[1] == "served" and key in right]
    return [{"arm": key[0], **_difference(left[key]["values"], right[key]["values"])} for key in served]


def _difference(left: Sequence[float | None], right: Sequence[float | None]) -> dict[str, Json]:
    both = [a - b for a, b in zip(left, right, strict=True) if a is not None and b is not None]
    counts = {"items": len(left), "paired": len(both), "left_out": len(left) - len(both)}
    if not both:
        return {**counts, "mean_difference": None, "mean_difference_reason": "no item has a score on both sides"}
    return {**counts, "mean_difference": fmean(both)}
