"""`netgain whatif`: the verdict under one changed assumption, beside the registered one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netgain.cli.answer import Reply
from netgain.cli.folder import need_folder
from netgain.cli.words import effect_in_words
from netgain.errors import ConfigError, IntegrityError
from netgain.evidence.verdict import Verdict
from netgain.facts import Facts
from netgain.ledger import Ledger
from netgain.report.reading import MISMATCH, Reading, read
from netgain.seal import facts_of
from netgain.whatif import WhatIf, whatif

Json = Any
NOT_IDENTIFIABLE = 4
NO_EVIDENCE = "an assumption that is changed after the fact is no evidence: only the registered verdict is"
TOLD = ("verdict", "level", "rung", "endogenous", "endogenous_reason", "effect", "reasons", "limits")


def ask(*, folder: Path, drop: str) -> Reply:
    """`netgain whatif`."""
    reading = finished(folder)
    found = whatif(reading.facts, drop)
    assert reading.verdict is not None
    record = _record(folder, reading.verdict, found)
    return Reply(record, _words(record, found), 0 if found.identifiable else NOT_IDENTIFIABLE)


def finished(folder: Path) -> Reading:
    """A study with its verdict, decided anew from its log.

    Raises:
        ConfigError: there is no verdict yet.
        IntegrityError: the recorded verdict is not the one that the log gives.
    """
    need_folder(folder)
    with Ledger.open(folder, readonly=True) as log:
        facts: Facts = facts_of(log)
    reading = read(facts)
    if reading.verdict is None or reading.case is None:
        fix = f"finish it with `netgain run {folder}`"
        raise ConfigError("this study has no verdict yet", where=str(folder), fix=fix)
    if MISMATCH in reading.case.broken:
        raise IntegrityError(MISMATCH, where=str(folder), fix=f"`netgain verify {folder}`")
    return reading


def told(verdict: Verdict) -> dict[str, Json]:
    """What a command prints of a verdict."""
    found = verdict.to_json()
    return {name: found[name] for name in (*TOLD, "rung_reason") if name in found}


def _record(folder: Path, registered: Verdict, found: WhatIf) -> dict[str, Json]:
    under = None if found.verdict is None else told(found.verdict)
    changes = None if found.verdict is None else _mark(found.verdict) != _mark(registered)
    unknown = {f"{name}_reason": found.reason for name in ("under", "changes")} if under is None else {}
    return {
        "schema": "netgain.whatif/1", "folder": str(folder), "drop": found.drop, "assumption": found.assumption,
        "identifiable": found.identifiable, "rests_on": found.rests_on, "horizon": found.horizon,
        "registered": told(registered), "under": under, "changes": changes, **unknown, "notes": list(found.notes),
        "evidence": False, "evidence_reason": NO_EVIDENCE,
    }  # fmt: skip


def _mark(verdict: Verdict) -> tuple[str, bool | None]:
    return verdict.word, verdict.endogenous


def _words(record: dict[str, Json], found: WhatIf) -> str:
    rows = [("assumption", found.assumption), ("rests on", f"{found.rests_on}, {found.horizon} rounds")]
    rows.append(("registered", _verdict(record["registered"])))
    rows += _numbered("note", found.notes)
    if record["under"] is None:
        return _lines([*rows, ("under it", found.reason), ("standing", NO_EVIDENCE)])
    under = record["under"]
    rows += [("under it", _verdict(under)), *_numbered("because", under["reasons"])]
    changes = "the word or the mark" if record["changes"] else "nothing: the same word and mark"
    return _lines([*rows, ("changes", changes), ("standing", NO_EVIDENCE)])


def _verdict(told: dict[str, Json]) -> str:
    return f"{told['verdict']}: {effect_in_words(told['effect'])}; rung {told['rung'] or 'none'}, level {told['level']}"


def _numbered(name: str, lines: Json) -> list[tuple[str, str]]:
    return [(name if number == 0 else "", line) for number, line in enumerate(lines)]


def _lines(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"{name:<12}{text}" for name, text in rows)
