"""The lines that a training script would get, as a diff: what was found in it, handed to `netgain.record`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netgain.integrations.script import Found

BY = 0.05  # of the proposed claim: a number to be thought about
ROUNDS = 5  # where the script's own number could not be read
GUARD = 'if __name__ == "__main__":'
INDENT = "    "


@dataclass(frozen=True)
class Wrapped:
    """A proposal.

    Attributes:
        text: the script with the proposed lines.
        diff: the same as a unified diff.
        added: lines that are new; a line that only moves below a guard is not.
        rung: what the proposed study claims.
        arms: its arms.
        fill_in: what nobody but the author can say, one sentence each.
    """

    text: str
    diff: str
    added: int
    rung: str
    arms: tuple[str, ...]
    fill_in: tuple[str, ...]


def wrap(found: Found) -> Wrapped:
    """The proposal for what was found."""
    lines, new = list(found.lines), _definitions(found)
    runs = [f'{INDENT}print(study.run("studies/{Path(found.file).stem}"))']
    at = min(one for one in (found.runs, found.guard, len(lines) + 1) if one is not None) - 1
    below = lines[at:]
    if found.guard is None and found.runs is not None:
        below = [GUARD, *(INDENT + one if one.strip() else one for one in below)]
    elif found.guard is None:
        runs = ["", "", GUARD, *runs]
    above = lines[:at]
    while above and not above[-1].strip():
        above.pop()
    named = ["import netgain as ng"] if found.imports else ["import netgain as ng", ""]
    above[found.imports : found.imports] = ["", *named] if found.imports else named
    text = "\n".join([*above, "", "", *new, "", *below, *runs]) + "\n"
    before = "\n".join(found.lines) + "\n"
    name = Path(found.file).name
    pieces = difflib.unified_diff(before.splitlines(True), text.splitlines(True), f"a/{name}", f"b/{name}")
    return Wrapped(text, "".join(pieces), _added(before, text), *_claimed(found), tuple(_missing(found)))


def _definitions(found: Found) -> list[str]:
    """The functions that the script lacks, and the two lines that hand them over."""
    lines: list[str] = []
    if found.begin:
        lines += ["def begin():  # generation 0", *(INDENT + one for one in found.begin), "", ""]
    given = ["begin" if found.begin else found.start or "..."]
    if found.label is not None:
        lines += [] if found.label.fits else _labelled(found)
        given += [f"label={found.label.name if found.label.fits else 'labelled'}", f"train={found.train}"]
    else:
        lines += ["def improve(model, round):  # one round", *(INDENT + one for one in found.body)]
        lines += [f"{INDENT}return model", "", ""]
        given.append("improve=improve")
    if found.plain is not None:
        lines += ["def plain(model):  # the same training without the loop's own signal", INDENT + found.plain, "", ""]
        given.append("plain=plain")
    if not found.item:
        asked = f", as `{found.evaluate}` asks" if found.evaluate else ""
        lines += [f"def item(seed, index):  # one question and its answer, made from the seed{asked}"]
        lines += [f'{INDENT}raise NotImplementedError("one question and its answer, made from the seed")', "", ""]
    rounds = found.rounds or str(ROUNDS)
    handed = [f"script = ng.Script({', '.join(given)})", f"study = ng.record(script, item, by={BY}, rounds={rounds})"]
    return [*lines, *handed]


def _labelled(found: Found) -> list[str]:
    """A function around the script's own, with the names and the three values that netgain expects."""
    assert found.label is not None
    if found.label.gives == 3:
        return ["def labelled(model, round):", f"{INDENT}return {found.label.call}", "", ""]
    passed = f"{INDENT}return inputs, labels, [True] * len(labels)  # every one passes"
    return ["def labelled(model, round):", f"{INDENT}inputs, labels = {found.label.call}", passed, "", ""]


def _claimed(found: Found) -> tuple[str, tuple[str, ...]]:
    """Rung and arms of the proposed study, as `netgain.record` chooses them for these functions."""
    if found.label is None:
        return "R1", ("self", "frozen", *(["ordinary"] if found.plain else []))
    if found.plain is None:
        return "R1", ("self", "frozen", "stacked")
    return "R2", ("self", "frozen", "ordinary", "placebo", "unguarded:passed.filter", "stacked")


def _missing(found: Found) -> Iterator[str]:
    if not found.item:
        yield "item: one question and its answer from a seed; nobody can read from a script what a claim should rest on"
    if found.start is None and not found.begin:
        yield f"start: {found.model!r} is made of what exists only beside the loop; write a function that makes it"
    for name in found.loose:
        yield f"{name}: read by a round, and belongs to the script's one model or loop; make it inside, or hand it in"
    if found.plain is None:
        yield "plain: the same training without the loop's own signal; without it the arm `ordinary` and R2 are missing"
    if found.rounds is None:
        yield f"rounds: their number could not be read, {ROUNDS} stands there"
    if found.runs is not None and found.guard is not None and found.runs < found.guard:
        yield f"line {found.runs}: it trains when the file is imported, as workers do; move it below the guard"


def _added(before: str, after: str) -> int:
    """Lines of code and blanks that are new; what is only indented further is not."""
    old, new = ([one.strip() for one in text.splitlines()] for text in (before, after))
    ops = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return sum(end - begin for kind, _, _, begin, end in ops if kind in ("insert", "replace"))
