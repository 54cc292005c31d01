"""Programs asked for their priorities: in a sandbox where they run, or from their tree where nothing runs.

A program is asked for every item and every room at once, before a list exists for it: it cannot look ahead, and 500
items or 100,000 cost it the same. A program of the grammar gives the same table both ways. Where a study judges in a
sandbox, any Python that defines `priority` will do; from a tree, only a program of the grammar.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError, EvaluateError, SandboxError
from netgain.recipes.pack.grammar import read, table_of
from netgain.recipes.pack.laws import Law, law_named
from netgain.recipes.pack.packing import Ranks, ranks_of

if TYPE_CHECKING:
    from netgain.sandbox.judge import Judged

Floats = npt.NDArray[np.float64]

SANDBOX, TREE, AUTO = "sandbox", "tree", "auto"
AROUND = """

from bisect import bisect_right


def steps(length, cuts, values):
    return values[bisect_right(cuts, length)]


def solve(asked):
    item, capacity = asked
    return [priority(item, room - item, room) for room in range(item, capacity + 1)]
"""


class NoTable(ValueError):
    """A program that gave no table: what it did instead. It is the program's own fault, and scored as one."""


def way_of(judge: str) -> str:
    """`sandbox` or `tree`, as asked for; for `auto`, a sandbox where this machine has one of level S2.

    Raises:
        ConfigError: another word.
        SandboxError: a sandbox was asked for by name, and there is none.
    """
    if judge not in (AUTO, SANDBOX, TREE):
        raise ConfigError.unknown("judge of recipe 'pack'", judge, (AUTO, SANDBOX, TREE))
    if judge == TREE:
        return TREE
    try:
        _backend()
    except SandboxError:
        if judge == SANDBOX:
            raise
        return TREE
    return SANDBOX


def level_of(way: str) -> str:
    """What keeps the programs apart, as it stands in the record: backend and level, or that nothing runs."""
    if way == TREE:
        return "no program runs: its text is read back into a tree"
    return f"{_backend().name}, level {_backend().level.name}"


@lru_cache(maxsize=1)
def _backend() -> Any:
    from netgain.sandbox.choice import warm  # a study from trees needs none of it

    return warm()


def ready() -> None:
    """Attack the sandbox before a study begins.

    Raises:
        SandboxError: an attack succeeded.
    """
    from netgain.sandbox.probe import held

    held(_backend())


@lru_cache(maxsize=256)
def ranks_asked(text: str, law: str, way: str) -> Ranks:
    """(items, capacity + 1) ranks of a program for the items of a law.

    Raises:
        NoTable: the program failed, or answered something else than finite numbers.
        EvaluateError: the evaluation is invalid, as after a deadline; it has no score.
    """
    given = law_named(law)
    return ranks_of(_from_tree(text, given) if way == TREE else _from_sandbox(text, given))


def _from_tree(text: str, law: Law) -> Floats:
    try:
        return table_of(read(text), law)
    except ConfigError as error:
        raise NoTable(error.what) from None


def judged_in_sandbox(text: str, law: Law) -> Judged:
    """What a program says in the sandbox, for each item the priorities of all rooms that it fits into."""
    from netgain.sandbox.judge import Judge

    return Judge(backend=_backend()).ask(text + AROUND, [[item, law.capacity] for item in law.sizes.tolist()])


def _from_sandbox(text: str, law: Law) -> Floats:
    items, judged = law.sizes.tolist(), judged_in_sandbox(text, law)
    if judged.answers is None:
        raise EvaluateError(f"the evaluation is invalid: {judged.reason}", fix="the program has no score")
    wants = np.full((len(items), law.capacity + 1), np.nan)
    for row, (item, (status, said)) in enumerate(zip(items, judged.per_input(len(items)), strict=True)):
        count = law.capacity + 1 - item
        if status != "value" or type(said) is not list or len(said) != count:
            raise NoTable(status if status != "value" else "no list")
        if any(type(one) not in (int, float) for one in said):
            raise NoTable("no numbers")
        wants[row, item:] = said
    return wants
