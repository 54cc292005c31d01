"""What this machine remembers across studies: how often a suite was registered, and what item sets were asked.

Both are kept beside each other in the user's state folder, and both are printed with a verdict. They say nothing about
other machines, and who deletes them starts anew: evidence level 5 is the answer to that, not a file.

The exposure of a bank's gate items is keyed to their content. Another file name, axis name, order or seed resets
nothing, and a set that shares a question with an earlier one inherits all that the earlier one was asked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netgain.canonical import digest
from netgain.evidence.exposure import Exposure
from netgain.items import gate_questions
from netgain.suite import Axis, Suite, bank_of

Json = Any


def registry() -> Path:
    """The machine-local file of counts."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "netgain" / "attempts.json"


def count_attempt(suite: dict[str, Any], recipe: str | None) -> int | None:
    """Book one more registration and return its number; None when the file cannot be kept: unknown, not 0."""
    path, key = registry(), digest([suite, recipe])[:16]
    try:
        counts = json.loads(path.read_text()) if path.exists() else {}
        counts[key] = int(counts.get(key, 0)) + 1
        _write(path, counts)
        return int(counts[key])
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def asked_before(suite: Suite) -> dict[str, dict[str, Json]]:
    """Axis -> what its gate items were asked in earlier studies, for the axes of the gate whose items are a bank.

    Returns:
        ``set``: digest of the questions; the counts of `Exposure`, and ``log_raise`` in nats. ``known`` is False where
        the folder cannot be read: the counts are then of what could be read.
    """
    found = {}
    for axis in gate_banks(suite):
        questions = gate_questions(axis)
        exposure, known = Exposure(), True
        for held in _sets():
            if held is None:
                known = False
            elif questions & set(held["questions"]):
                exposure = sum((Exposure(**one) for one in held["studies"].values()), exposure)
        found[axis.name] = {
            "set": digest(sorted(questions))[:16], **asdict(exposure), "log_raise": exposure.log_raise, "known": known
        }  # fmt: skip
    return found


def raised(exposure: Mapping[str, Mapping[str, Json]]) -> dict[str, float]:
    """Axis -> nats by which its threshold rises, from a registration's record."""
    return {axis: float(one["log_raise"]) for axis, one in exposure.items()}


def book_answers(
    suite: Suite, study: str, decisions: Iterable[Mapping[str, Json]], *, told_apart: bool, shown_nats: float = 0.0
) -> bool:
    """Book what a study's gate decisions gave away about its banks; booked again, the new counts replace the old.

    Args:
        study: name of the study that no other has.
        decisions: data of its `gate_decision` events; those of a gate that only watches told nobody anything.
        told_apart: whether a rejection had another effect on the loop than "undecided".
        shown_nats: what the numbers that its loops were shown gave away about the gate axis.

    Returns:
        False when a file could not be written.
    """
    outcomes = [one["outcome"] for one in decisions if one["acts"] and one["reason"] != "screened"]
    rejects = outcomes.count("reject") if told_apart else 0
    told = Exposure(len(outcomes), outcomes.count("promote"), rejects)
    on_axis = told + Exposure(shown_nats=shown_nats)
    try:
        for axis in gate_banks(suite):
            questions = sorted(gate_questions(axis))
            path = _folder() / f"{digest(questions)[:16]}.json"
            held: Json = json.loads(path.read_text()) if path.exists() else {"questions": questions, "studies": {}}
            held["studies"][study] = asdict(on_axis if axis is suite.gate_axis else told)
            _write(path, held)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def gate_banks(suite: Suite) -> list[Axis]:
    """Axes on which the gate decides whose items are a bank: the others draw new items for every decision."""
    axes = [suite.gate_axis, *(one for one in suite.guards if one is not suite.gate_axis)]
    return [one for one in axes if bank_of(one.source) is not None]


def _folder() -> Path:
    return registry().parent / "exposure"


def _sets() -> Iterable[dict[str, Json] | None]:
    """All booked sets, None for a file that cannot be read."""
    for path in sorted(_folder().glob("*.json")) if _folder().is_dir() else []:
        try:
            held = json.loads(path.read_text())
            [Exposure(**one) for one in held["studies"].values()]
            yield {"questions": set(held["questions"]), "studies": held["studies"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            yield None


def _write(path: Path, value: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(value))
    part.replace(path)
