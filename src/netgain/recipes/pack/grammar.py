"""Programs of a small typed grammar: trees, the Python text that they are, and the way back from the text.

Three types. LENGTH: `item`, `gap` (room left after placing it), `room` (before), whole numbers, sums and differences.
TRUTH: one length below another. SCORE: numbers, a length in hundredths, steps of a length, sums, differences,
products, the smaller or larger of two, one score or another by a truth. A program is one score, the `priority` of an
item for a bin; the bin with the largest gets it. Every node means the same to numpy as to Python, to the last bit, so
a tree that is evaluated here and its text that runs in a sandbox give the same table.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError
from netgain.recipes.pack.laws import Law

Floats = npt.NDArray[np.float64]
Tree = tuple[Any, ...]  # (name, child or number, …)

LENGTH, TRUTH, SCORE = "length", "truth", "score"
# name -> its type and those of its children; what else a node holds are plain numbers
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "item": (LENGTH, ()), "gap": (LENGTH, ()), "room": (LENGTH, ()), "whole": (LENGTH, ()),
    "plus": (LENGTH, (LENGTH, LENGTH)), "minus": (LENGTH, (LENGTH, LENGTH)),
    "below": (TRUTH, (LENGTH, LENGTH)),
    "num": (SCORE, ()), "over": (SCORE, (LENGTH,)), "steps": (SCORE, (LENGTH,)),
    "add": (SCORE, (SCORE, SCORE)), "sub": (SCORE, (SCORE, SCORE)), "mul": (SCORE, (SCORE, SCORE)),
    "min": (SCORE, (SCORE, SCORE)), "max": (SCORE, (SCORE, SCORE)), "if": (SCORE, (TRUTH, SCORE, SCORE)),
}  # fmt: skip
UNIT = 100  # a length is divided by it to be a score
BEST_FIT: Tree = ("sub", ("num", 0.0), ("over", ("gap",)))
HEAD = "def priority(item, gap, room):\n    return "
SIGNS = {"plus": "+", "minus": "-", "add": "+", "sub": "-", "mul": "*", "below": "<"}


def type_of(tree: Tree) -> str:
    """LENGTH, TRUTH or SCORE."""
    return KINDS[tree[0]][0]


def nodes(tree: Tree, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Tree]]:
    """Every node with the way to it: the places of children, from the root."""
    yield path, tree
    for at in range(1, len(KINDS[tree[0]][1]) + 1):
        yield from nodes(tree[at], (*path, at))


def put(tree: Tree, path: tuple[int, ...], new: Tree) -> Tree:
    """The tree with another one at the end of a path."""
    if not path:
        return new
    at = path[0]
    return (*tree[:at], put(tree[at], path[1:], new), *tree[at + 1 :])


# ---- text


def text_of(tree: Tree) -> str:
    """The program: a Python function of an item, the gap that it would leave, and the room that there is."""
    return f"{HEAD}{_said(tree)}\n"


def _said(tree: Tree) -> str:
    name, *rest = tree
    if name in ("item", "gap", "room"):
        return str(name)
    if name in ("whole", "num"):
        return repr(rest[0])
    if name == "over":
        return f"({_said(rest[0])} / {UNIT})"
    if name == "steps":
        return f"steps({_said(rest[0])}, {list(rest[1])!r}, {list(rest[2])!r})"
    if name in ("min", "max"):
        return f"{name}({_said(rest[0])}, {_said(rest[1])})"
    if name == "if":
        return f"({_said(rest[1])} if {_said(rest[0])} else {_said(rest[2])})"
    return f"({_said(rest[0])} {SIGNS[name]} {_said(rest[1])})"


def read(text: str) -> Tree:
    """The tree of a program's text. Nothing of it is run.

    Raises:
        ConfigError: it is no Python, or no program of this grammar.
    """
    try:
        (function,) = ast.parse(text).body
        if ast.unparse(function).split("return ", 1)[0] != HEAD.split("return ", 1)[0]:
            raise ValueError("another head")
        tree = _tree(function.body[0].value)  # type: ignore[attr-defined]
        if len(function.body) != 1 or type_of(tree) != SCORE:  # type: ignore[attr-defined]
            raise ValueError("not one score")
        return tree
    except (SyntaxError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        what = f"program {text[:80]!r}: no program of the grammar ({error})"
        raise ConfigError(what, fix="see netgain.recipes.pack.grammar for what it may hold") from None


def _tree(node: ast.expr) -> Tree:
    match node:
        case ast.Name(id="item" | "gap" | "room" as name):
            return (name,)
        case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            number = _number(node)
            return ("whole" if type(number) is int else "num", number)
        case ast.BinOp(left, ast.Div(), ast.Constant(value=100)):
            return _checked("over", _tree(left))
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() as sign, right):
            one, two = _tree(left), _tree(right)
            names = {"Add": ("plus", "add"), "Sub": ("minus", "sub"), "Mult": ("", "mul")}[type(sign).__name__]
            return _checked(names[type_of(one) == SCORE], one, two)
        case ast.Compare(left, [ast.Lt()], [right]):
            return _checked("below", _tree(left), _tree(right))
        case ast.IfExp(test, body, other):
            return _checked("if", _tree(test), _tree(body), _tree(other))
        case ast.Call(ast.Name(id="min" | "max" as name), [left, right], []):
            return _checked(name, _tree(left), _tree(right))
        case ast.Call(ast.Name(id="steps"), [of, ast.List(cuts), ast.List(values)], []):
            return _steps(_tree(of), [_number(one) for one in cuts], [_number(one) for one in values])
    raise ValueError(f"{type(node).__name__} is not in it")


def _number(node: ast.expr) -> int | float:
    value = ast.literal_eval(node)
    if type(value) not in (int, float) or not abs(value) < 1e6:
        raise ValueError(f"number {value!r}")
    return value  # type: ignore[no-any-return]


def _steps(of: Tree, cuts: list[int | float], values: list[int | float]) -> Tree:
    whole = all(type(cut) is int for cut in cuts) and all(type(value) is float for value in values)
    if not whole or sorted(set(cuts)) != cuts or len(values) != len(cuts) + 1:
        raise ValueError("steps need rising whole cuts and one value more than cuts")
    return _checked("steps", of, tuple(cuts), tuple(values))


def _checked(name: str, *rest: Any) -> Tree:
    types = KINDS[name][1]
    if [type_of(one) for one in rest[: len(types)]] != list(types):
        raise ValueError(f"{name} of other types than {', '.join(types)}")
    return (name, *rest)


# ---- tables


def table_of(tree: Tree, law: Law) -> Floats:
    """(items, capacity + 1) priority of each item of a law for each room; NaN where it does not fit."""
    item, room = law.sizes[:, None], np.arange(law.capacity + 1)[None]
    wants = _value(tree, {"item": item, "room": room, "gap": room - item})
    return np.where(room < item, np.nan, wants)


def _value(tree: Tree, names: dict[str, Any]) -> Any:
    name, *rest = tree
    if name in names:
        return names[name]
    if name in ("whole", "num"):
        return rest[0]
    given = [_value(one, names) for one in rest[: len(KINDS[name][1])]]
    if name == "steps":
        return np.array(rest[2])[np.searchsorted(rest[1], given[0], side="right")] if rest[1] else rest[2][0]
    return DO[name](*given)


DO: dict[str, Any] = {
    "plus": lambda one, two: one + two, "add": lambda one, two: one + two,
    "minus": lambda one, two: one - two, "sub": lambda one, two: one - two,
    "mul": lambda one, two: one * two, "over": lambda one: one / UNIT,
    "below": lambda one, two: one < two,
    "min": np.minimum, "max": np.maximum, "if": np.where,
}  # fmt: skip
