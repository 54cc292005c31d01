"""What the model is told, and the text that is read out of its replies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from netgain.recipes.scaffold.parcels import ASKING, STATEMENT

Json = Any
OPEN, CLOSE = "<text>", "</text>"
LONGEST = 20_000  # characters of a text under edit
SHOWN = 8  # worked examples of one request
FIRST_IMPROVER = (
    "You improve one text step by step. Look at the worked examples that it gets wrong and mend up to 2 of them. "
    "Leave everything else as it is."
)
PLAIN = "You write one text that does a task. Use the worked examples that you are given."
NOUNS = {
    "program": "Python program; it defines solve(parcel), which returns the price, and imports the standard library "
    "alone",
    "prompt": "prompt for a language model that is then given one parcel and replies with its price",
    "skill": "skill file, in Markdown with a front matter of name and description, for a language model that is then "
    "given one parcel and replies with its price",
}
INTEGER = re.compile(r"-?\d{1,9}")


def edit(improver: str, kind: str, text: str, right: int | None, wrong: Sequence[Json], of: int, history: Sequence[Json]
         ) -> list[dict[str, str]]:  # fmt: skip
    """Ask for an edit of a text under the improver's instructions.

    Args:
        right, of: worked examples that the text gets right, of so many; None where it has no score.
        wrong: [{"input", "expected", "got"}] some that it gets wrong.
        history: [before, after] shares of earlier rounds.
    """
    told = (
        f"On {of} worked examples it has no score."
        if right is None
        else f"It is right on {right} of {of} worked examples."
    )
    before = "".join(f"\nAn earlier round went from {one:.3f} to {other:.3f}." for one, other in history)
    some = "\nSome that it gets wrong:\n" + _lines(wrong) if wrong else ""
    return _asked(improver, kind, text, told + before + some)


def blind(kind: str, text: str) -> list[dict[str, str]]:
    """Ask for an edit without any example, score or history."""
    return _asked(FIRST_IMPROVER, kind, text, "No worked example is at hand: change one thing that may be wrong.")


def plain(kind: str, text: str, examples: Sequence[Json]) -> list[dict[str, str]]:
    """Ask for a better text from worked examples alone; nothing says how the present one does on them."""
    return _asked(PLAIN, kind, text, "Worked examples:\n" + _lines(examples))


def rewrite(improver: str, kind: str, before: float | None, scores: Sequence[float | None]) -> list[dict[str, str]]:
    """Ask for better instructions, told what the edits under the present ones were worth; None is not known."""
    first = "had no score on" if before is None else f"was right on a share of {before:.3f} of"
    told = ", ".join("unusable" if one is None else f"{one:.3f}" for one in scores) or "none"
    user = (
        f"These instructions are given to a language model that edits a {NOUNS[kind]}:\n{OPEN}\n{improver}\n{CLOSE}\n"
        f"The edited text {first} worked examples before, and after each edit on: "
        f"{told}.\nReply with the whole new instructions between {OPEN} and {CLOSE}."
    )
    return [{"role": "system", "content": PLAIN}, {"role": "user", "content": user}]


def question(kind: str, text: str, given: Json) -> list[dict[str, str]]:
    """Ask one item under a prompt or a skill."""
    system = text if kind == "prompt" else ASKING + text
    return [{"role": "system", "content": system}, {"role": "user", "content": json.dumps(given, sort_keys=True)}]


def number_in(text: str) -> Json:
    """The answer in a reply: a whole number where the reply is one and nothing else, else the reply, which is wrong."""
    found = text.strip().rstrip(".")
    return int(found) if INTEGER.fullmatch(found) else found[:200]


def text_in(reply: str) -> str | None:
    """The last text between the marks; None where there is none, or it is empty or too long."""
    begin = reply.rfind(OPEN)
    end = reply.find(CLOSE, begin)
    if begin < 0 or end < 0:
        return None
    found = unfenced(reply[begin + len(OPEN) : end].strip("\n")).rstrip()
    return found + "\n" if found and len(found) < LONGEST else None


def unfenced(text: str) -> str:
    """Text without the fence that a model may have put around all of it."""
    lines = text.strip().split("\n")
    fenced = len(lines) > 2 and lines[0].startswith("```") and lines[-1] == "```"
    return "\n".join(lines[1:-1]) if fenced and not any(line.startswith("```") for line in lines[1:-1]) else text


def admissible(kind: str, text: str) -> bool:
    """Whether a text is of its kind, as far as can be told without running it: a skill keeps its front matter."""
    if kind != "skill":
        return True
    front = re.match(r"---\n(.*?)\n---\n", text, re.S)
    return front is not None and all(re.search(rf"^{name}: \S", front[1], re.M) for name in ("name", "description"))


def _asked(system: str, kind: str, text: str, told: str) -> list[dict[str, str]]:
    user = (
        f"The task: {STATEMENT}\n\nThe text is a {NOUNS[kind]}. It is now:\n{OPEN}\n{text}{CLOSE}\n\n{told}\n\n"
        f"Reply with the whole new text between {OPEN} and {CLOSE}."
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def _lines(examples: Sequence[Mapping[str, Json]]) -> str:
    return "\n".join(json.dumps(dict(one), sort_keys=True) for one in examples)
