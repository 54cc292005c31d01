"""New programs from old ones: numbers moved, parts replaced, parts of two programs joined; always well typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netgain.recipes.pack.grammar import BEST_FIT, KINDS, LENGTH, SCORE, TRUTH, Tree, nodes, put, type_of
from netgain.recipes.pack.laws import Law

LARGEST = 40  # nodes of a program
MOST_STEPS = 24
FRESH = 0.1  # of the offspring are no offspring
DECIMALS = 3  # of a number that an edit makes
SEGMENTS = (6, 16)  # of a random table

SCORES = ("num", "over", "steps", "steps", "add", "sub", "mul", "min", "max", "if")  # of a random part

Rng = Any


def offspring(parents: Sequence[Tree], law: Law, rng: Rng) -> Tree:
    """One new program: in one of ten a random table, else a parent or a crossover of two, with one to three edits."""
    if rng.random() < FRESH:
        return random_table(law, rng)
    tree = parents[int(rng.integers(len(parents)))]
    if len(parents) > 1 and rng.random() < 0.3:
        tree = joined(tree, parents[rng.integers(len(parents))], rng)
    for _ in range(rng.integers(1, 4)):
        tree = edited(tree, law, rng)
    return tree


def drawn(parent: Tree, law: Law, rng: Rng) -> Tree:
    """One program without a search: best fit with random segments moved, or the parent with up to eight edits."""
    if rng.random() < 0.5:
        return random_table(law, rng)
    for _ in range(rng.integers(1, 9)):
        parent = edited(parent, law, rng)
    return parent


def edited(tree: Tree, law: Law, rng: Rng) -> Tree:
    """A tree with one small edit; itself where the edit would make it too large."""
    kind = EDITS[rng.choice(len(EDITS), p=WEIGHTS)]
    made = kind(tree, law, rng)
    return made if sum(1 for _ in nodes(made)) <= LARGEST else tree


def joined(one: Tree, two: Tree, rng: Rng) -> Tree:
    """The first tree with a part of the second in place of one of the same type."""
    path, old = _picked(one, rng)
    parts = [part for _, part in nodes(two) if type_of(part) == type_of(old)]
    made = put(one, path, parts[rng.integers(len(parts))]) if parts else one
    return made if sum(1 for _ in nodes(made)) <= LARGEST else one


def random_tree(kind: str, depth: int, law: Law, rng: Rng) -> Tree:
    """A tree of a type, at most so deep."""
    if kind == LENGTH:
        if depth > 0 and rng.random() < 0.25:
            return (_one(("plus", "minus"), rng), *(random_tree(LENGTH, depth - 1, law, rng) for _ in range(2)))
        name = _one(("gap", "gap", "room", "item", "whole"), rng)
        return ("whole", int(rng.integers(0, law.capacity + 1))) if name == "whole" else (name,)
    if kind == TRUTH:
        return ("below", random_tree(LENGTH, depth - 1, law, rng), ("whole", int(rng.integers(1, law.capacity + 1))))
    name = (
        "num" if depth <= 0 else _one(("num", "over", "steps", "steps", "add", "sub", "mul", "min", "max", "if"), rng)
    )
    if name == "num":
        return ("num", _number(rng.normal()))
    if name == "steps":
        return _random_steps(random_tree(LENGTH, 0, law, rng), law, int(rng.integers(1, 4)), rng)
    return (name, *(random_tree(each, depth - 1, law, rng) for each in KINDS[name][1]))


def random_table(law: Law, rng: Rng) -> Tree:
    """Best fit with a normal number added on each of some random segments of the gap: the pilot's random proposals."""
    return ("add", BEST_FIT, _random_steps(("gap",), law, int(rng.integers(*SEGMENTS)), rng))


def moved_table(tree: Tree, law: Law, rng: Rng) -> Tree:
    """A table of `random_table` with one to five of its segments moved; what is no such table is made one."""
    if tree[0] != "add" or tree[1] != BEST_FIT or tree[2][0] != "steps":
        return random_table(law, rng)
    steps = tree[2]
    for _ in range(rng.integers(1, 6)):
        steps = _moved(steps, law, rng)
    return ("add", BEST_FIT, steps)


def _random_steps(of: Tree, law: Law, cuts: int, rng: Rng) -> Tree:
    # Short gaps decide most, so half of the cuts fall into the first fifth.
    ends = np.where(rng.random(cuts) < 0.5, law.capacity // 5, law.capacity)
    places = sorted({int(rng.integers(1, end + 1)) for end in ends})
    return ("steps", of, tuple(places), tuple(_number(rng.normal()) for _ in range(len(places) + 1)))


# ---- small edits


def _picked(tree: Tree, rng: Rng, names: Sequence[str] = ()) -> tuple[tuple[int, ...], Tree]:
    found = [one for one in nodes(tree) if not names or one[1][0] in names]
    return found[rng.integers(len(found))] if found else ((), tree)


def _tweaked(tree: Tree, law: Law, rng: Rng) -> Tree:
    """A number or a segment of steps is moved."""
    path, node = _picked(tree, rng, ("num", "whole", "steps"))
    if node[0] == "num":
        return put(tree, path, ("num", _number(node[1] + rng.normal() * _scale(rng))))
    if node[0] == "whole":
        return put(tree, path, ("whole", int(np.clip(node[1] + _hop(rng), 0, law.capacity))))
    if node[0] != "steps":
        return tree
    for _ in range(rng.integers(1, 4)):
        node = _moved(node, law, rng)
    return put(tree, path, node)


def _moved(steps: Tree, law: Law, rng: Rng) -> Tree:
    """Steps with an interval or one value moved, one cut moved, or two segments made one."""
    _, of, cuts, values = steps
    way = rng.choice(4, p=(0.5, 0.2, 0.15, 0.15)) if cuts else rng.choice(2)
    if way == 0:
        return _shifted(steps, law, rng)
    cut, value = list(cuts), list(values)
    if way == 1:
        at = int(rng.integers(len(value)))
        value[at] = _number(value[at] + rng.normal() * _scale(rng))
    elif way == 2:
        at = int(rng.integers(len(cut)))
        low, high = (cut[at - 1] if at else 0) + 1, (cut[at + 1] if at + 1 < len(cut) else law.capacity + 1) - 1
        cut[at] = int(np.clip(cut[at] + _hop(rng), low, high))
    else:
        at = int(rng.integers(len(cut)))
        del cut[at], value[at + int(rng.integers(2))]
    return ("steps", of, tuple(cut), tuple(value))


def _shifted(steps: Tree, law: Law, rng: Rng) -> Tree:
    """Steps with a normal number added from one length to another."""
    _, of, cuts, values = steps
    begin = int(rng.integers(law.capacity // (5 if rng.random() < 0.5 else 1) + 1))
    end = begin + int(rng.choice((1, 2, 4, 10, 20)))
    places = sorted({*cuts, *(one for one in (begin, end) if 0 < one <= law.capacity)})
    if len(places) >= MOST_STEPS:
        return steps
    before = np.searchsorted(cuts, [0, *places], side="right")
    added = rng.normal() * _scale(rng)
    value = [
        _number(values[at] + added * (begin <= place < end)) for at, place in zip(before, [0, *places], strict=True)
    ]
    return ("steps", of, tuple(places), tuple(value))


def _replaced(tree: Tree, law: Law, rng: Rng) -> Tree:
    path, node = _picked(tree, rng)
    return put(tree, path, random_tree(type_of(node), 2, law, rng))


def _wrapped(tree: Tree, law: Law, rng: Rng) -> Tree:
    """A score gets a second one beside it, or one for some cases."""
    path, node = _picked(tree, rng, [name for name, (kind, _) in KINDS.items() if kind == SCORE])
    other = random_tree(SCORE, 1, law, rng)
    if rng.random() < 0.4:
        return put(tree, path, ("if", random_tree(TRUTH, 1, law, rng), node, other))
    return put(tree, path, (_one(("add", "sub", "mul", "min", "max"), rng), node, other))


def _termed(tree: Tree, law: Law, rng: Rng) -> Tree:
    """The whole gets steps of one length added."""
    of = (_one(("gap", "room", "item"), rng),)
    return ("add", tree, _random_steps(of, law, int(rng.integers(1, 5)), rng))


def _shrunk(tree: Tree, law: Law, rng: Rng) -> Tree:
    """A node gives way to one of its own parts of the same type."""
    path, node = _picked(tree, rng)
    parts = [part for way, part in nodes(node) if way and type_of(part) == type_of(node)]
    return put(tree, path, parts[rng.integers(len(parts))]) if parts else tree


EDITS = (_tweaked, _replaced, _wrapped, _termed, _shrunk)
WEIGHTS = (0.7, 0.05, 0.05, 0.1, 0.1)


def _scale(rng: Rng) -> float:
    return float(rng.choice((0.03, 0.3, 1.0)))


def _hop(rng: Rng) -> int:
    return int(rng.choice((-1, 1)) * (1 if rng.random() < 0.5 else rng.integers(2, 11)))


def _number(value: Any) -> float:
    return round(float(np.clip(value, -1000.0, 1000.0)), DECIMALS)


def _one(names: Sequence[str], rng: Rng) -> str:
    return names[int(rng.integers(len(names)))]
