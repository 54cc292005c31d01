"""Text of strangers, made harmless: for a terminal, between marks that it cannot hold, and left out.

What loop code says of itself (its errors above all) may come from a program or a model that it runs. Such text enters
the record in one place, `loop_error`, between two marks: whoever prints it can strip it, cut it or leave it out, and a
model that reads it can be told where it begins and ends. Marks change nothing of what text says: no verdict reads any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netgain.errors import NetgainError, Outage, StageError

Json = Any
OPEN, CLOSE = "‹", "›"
LONGEST = 2000  # characters of one text that are kept
# Control characters but tab and line feed; what turns, hides or joins text (Unicode 15, bidirectional controls, zero
# width, line and paragraph separators, tags, variation selectors beyond the usual); halves of surrogate pairs.
CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
QUOTED = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
NAME = re.compile(r"[A-Za-z_]\w{0,59}", re.ASCII)
PLACE = re.compile(r"[\w.\-]{1,80}:\d{1,9}", re.ASCII)


def plain(text: str) -> str:
    """Text without anything that a terminal obeys or hides."""
    return CONTROLS.sub("", text)


def quoted(text: str, longest: int = LONGEST) -> str:
    """A stranger's text between marks: plain, of bounded length, and without the marks themselves."""
    kept = plain(text[: 4 * longest]).replace(OPEN, "<").replace(CLOSE, ">")
    return f"{OPEN}{kept if len(kept) <= longest else kept[: longest - 1] + '…'}{CLOSE}"


def withheld(value: Json) -> Json:
    """A JSON value in which every quoted text is left out, and how long it was is said."""
    if isinstance(value, str):
        return QUOTED.sub(lambda found: f"{OPEN}{len(found[1])} characters withheld: --candidate-text{CLOSE}", value)
    if isinstance(value, Mapping):
        return {withheld(key): withheld(one) for key, one in value.items()}
    return [withheld(one) for one in value] if isinstance(value, list | tuple) else value


def loop_error(answer: Mapping[str, Json], op: str) -> NetgainError:
    """The failure that a worker reports (an `Outage` if it is one), in which only the quoted text is the loop's own."""
    kind, where = str(answer["type"]), str(answer["where"])
    told = f"{kind if NAME.fullmatch(kind) else 'an error'} in {op}: {quoted(str(answer['message']))}"
    place = where if PLACE.fullmatch(where) else None
    if kind == Outage.__name__:
        return Outage(told, where=place, fix="mend it, then give the same command again: the stage is done anew")
    return StageError(told, where=place)
