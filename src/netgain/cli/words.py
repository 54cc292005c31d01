"""A verdict for people: every sentence from the record's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = Any
MARK = {True: "yes", False: "no", None: "not shown"}


def verdict_in_words(verdict: Mapping[str, Json], folder: Path) -> str:
    """Word, effect, level, rung and mark; why; where the report is and how to check it."""
    standing = f"level {verdict['level']}, rung {verdict['rung'] or 'none'}"
    rows = [
        ("verdict", verdict["verdict"]),
        ("effect", effect_in_words(verdict["effect"])),
        ("standing", f"{standing}, endogenous: {MARK[verdict['endogenous']]} ({verdict['endogenous_reason']})"),
        *(("because" if number == 0 else "", reason) for number, reason in enumerate(verdict["reasons"])),
        ("report", str(folder / "report.html")),
        ("check", f"netgain verify {folder}"),
    ]
    return "\n".join(f"{name:<10}{text}" for name, text in rows)


def effect_in_words(effect: Mapping[str, Json]) -> str:
    """Median net gain with its exact interval."""
    if effect["estimate"] is None:
        return f"no net gain could be computed over {effect['n']} starts"
    ends = " to ".join("open" if effect[end] is None else f"{effect[end]:+.3f}" for end in ("low", "high"))
    sure = f"confidence {100 * effect['confidence']:.1f} %, {effect['n']} starts"
    return f"median net gain of a start {effect['estimate']:+.3f} [{ends}], {sure}, {effect['unit']}"
