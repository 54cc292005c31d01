"""What runs beside a candidate, inside its sandbox: asks its `solve` each input and sends the answers home.

Standard library only, sent as source and run as `main.py`; nothing of netgain is there. It holds inputs and no
targets, and its word counts for nothing: a candidate may replace all of it and can say no more than an answer. What it
does for an honest candidate is to give each input its own fate, so that an error on one is not an error on all.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

RESULT_FD = 3
PLAIN = (str, int, float, bool, type(None))
DEEP = 32
LONGEST = 200  # characters of an error that are told


def answered(solve: Callable[[Any], Any], question: Any) -> list[Any]:
    """One answer as [kind, value]: "value" and a plain value, "raised" or "untyped" and a short text."""
    try:
        answer = solve(question)
        return ["value", answer] if plain(answer, DEEP) else ["untyped", type(answer).__name__[:LONGEST]]
    except Exception as error:  # noqa: BLE001  broad: the boundary to the candidate
        return ["raised", f"{type(error).__name__}: {error}"[:LONGEST]]


def plain(value: Any, depth: int) -> bool:
    """Whether a value is made of the plain types themselves; a subclass is not."""
    if type(value) in PLAIN:
        return True
    if depth and type(value) is list:
        return all(plain(one, depth - 1) for one in value)
    if depth and type(value) is dict:
        return all(type(key) is str and plain(one, depth - 1) for key, one in value.items())
    return False


def encoded(place: int, found: list[Any]) -> str:
    """One entry of the answer; a value that JSON does not have is untyped."""
    try:
        return json.dumps([place, *found], allow_nan=False)
    except (ValueError, RecursionError):
        return json.dumps([place, "untyped", "no JSON value"])


def main() -> None:
    """Read the task, load the candidate, answer in the order asked, send once."""
    task = json.loads(sys.stdin.buffer.read())
    with open("candidate.py", encoding="utf-8") as file:
        code = compile(file.read(), "candidate.py", "exec")
    names: dict[str, Any] = {"__name__": "candidate"}
    exec(code, names)
    entries = [encoded(place, answered(names["solve"], question)) for place, question in task["inputs"]]
    sent = f'{{"nonce": {json.dumps(task["nonce"])}, "answers": [{", ".join(entries)}]}}'.encode()
    while sent:
        sent = sent[os.write(RESULT_FD, sent) :]
    os.close(RESULT_FD)


if __name__ == "__main__":
    main()
