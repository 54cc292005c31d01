"""Edits of training code: operators over the text of a Python program with `schedule`, `loss` and `update`.

A number is scaled, a statement is added from a catalogue, removed or moved past its neighbour, an operator or a name is
replaced. Half of these know nothing of training, and many of their programs fail or diverge. The catalogue holds what
trainings are made of (momentum, running squares, signs, clipping, decay, warm-up, smoothing): the loop puts parts
together and tunes them, it invents none.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from netgain.errors import ConfigError

FUNCTIONS = ("schedule", "loss", "update")
MOST = 24  # statements of a program
TRIES = 40  # at an edit that changes something
LOW, HIGH = 0.003, 10.0  # rates of plain tuning
MOST_EDITS = 8  # of a program that is drawn and not bred
PLAIN = """
def schedule(done):
    rate = 0.1
    return rate

def loss(scores, wanted):
    cost = surprise(scores, wanted)
    return cost

def update(weights, slopes, memory, rate):
    weights = weights - rate * slopes
    return weights
"""
# statements by function; {share} is a small share, {keep} close to 1, {some} about 1, {few} small; {own} a new name
CATALOGUE = {
    "schedule": (
        "rate = rate * min(1.0, (done + 0.005) / {share})",
        "rate = rate * (1.0 - done)",
        "rate = rate * (1.0 - done) ** {some}",
        "rate = rate * (0.5 + 0.5 * cos(3.1416 * done))",
        "rate = rate if done < {share} else rate * {some}",
        "rate = rate * {some}",
    ),
    "loss": (
        "cost = cost - {few} * scores.log_softmax(-1).mean()",
        "cost = cost + {few} * scores.square().mean()",
        "cost = cost * {some}",
        "scores = scores * {some}",
    ),
    "update": (
        "slopes = trail(memory, '{own}', {keep}, slopes)",
        "slopes = slopes / (trail(memory, '{own}', {keep}, slopes * slopes).sqrt() + 1e-06)",
        "slopes = slopes + {keep} * trail(memory, '{own}', {keep}, slopes)",
        "slopes = slopes * min(1.0, {some} / (float(slopes.norm()) + 1e-06))",
        "slopes = slopes.sign()",
        "slopes = slopes + {few} * weights",
        "slopes = slopes * {some}",
        "weights = weights * (1.0 - {few} * rate)",
    ),
}
SIGNS = (ast.Add, ast.Sub, ast.Mult, ast.Div)

Rng = Any
Edit = Callable[[str, Rng], str]


def generation_0(rng: Rng) -> str:
    """Plain gradient descent at a constant rate, a little different in every start."""
    return redrawn(ast.unparse(ast.parse(PLAIN)), float(0.1 * np.exp(0.2 * rng.standard_normal())))


def one_or_two(text: str, rng: Rng) -> str:
    """The program with one edit or two."""
    for _ in range(int(rng.integers(1, 3))):
        text = edited(text, rng)
    return text


def anything(first: str) -> Edit:
    """Programs drawn without a search: generation 0 with one edit up to eight, wherever one stands."""

    def edit(text: str, rng: Rng) -> str:
        text = first
        for _ in range(int(rng.integers(1, MOST_EDITS + 1))):
            text = edited(text, rng)
        return text

    return edit


def rate_alone(text: str, rng: Rng) -> str:
    """Another constant rate, drawn evenly on the logarithmic scale."""
    return redrawn(text, float(np.exp(rng.uniform(np.log(LOW), np.log(HIGH)))))


def nothing(text: str, rng: Rng) -> str:
    """The same program: only the seed of its training is another one."""
    return text


def redrawn(text: str, rate: float) -> str:
    """The program with another number where its schedule begins."""
    tree = parsed(text)
    numbers = [one for one in ast.walk(_function(tree, "schedule")) if _is_number(one)]
    if numbers:
        numbers[0].value = _short(rate)  # type: ignore[attr-defined]
    return ast.unparse(tree)


def edited(text: str, rng: Rng) -> str:
    """The program with one edit that changes something; as it is where none of many does."""
    for _ in range(TRIES):
        tree = parsed(text)
        EDITS[int(rng.choice(len(EDITS), p=WEIGHTS))](tree, rng)
        found = ast.unparse(ast.fix_missing_locations(tree))
        if found != text and sum(isinstance(one, ast.stmt) for one in ast.walk(tree)) <= MOST + len(FUNCTIONS):
            return found
    return text


def parsed(text: str) -> ast.Module:
    """The syntax tree of a program. Nothing of it is run.

    Raises:
        ConfigError: it is no Python, or not made of the three functions.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ConfigError(f"program {text[:80]!r}: {error}", fix="give Python source") from None
    names = [getattr(one, "name", type(one).__name__) for one in tree.body]
    if names != list(FUNCTIONS):
        raise ConfigError(f"a program of {names}, expected functions {list(FUNCTIONS)}", fix="define these three")
    return tree


# ---- operators


def _scaled(tree: ast.Module, rng: Rng) -> None:
    """A number is scaled; one close below 1, by how far from 1 it is."""
    numbers = [one for one in ast.walk(tree) if _is_number(one)]
    if not numbers:
        return
    one: Any = numbers[int(rng.integers(len(numbers)))]
    factor = float(np.exp(rng.normal() * float(rng.choice((0.2, 1.0)))))
    near = 0.5 < one.value < 1.0
    one.value = _short(1.0 - min(0.5, (1.0 - one.value) * factor) if near else one.value * factor)


def _added(tree: ast.Module, rng: Rng) -> None:
    """A statement of the catalogue comes somewhere before the end of its function."""
    name = FUNCTIONS[int(rng.choice(3, p=(0.3, 0.2, 0.5)))]
    function, known = _function(tree, name), CATALOGUE[name]
    line = known[int(rng.integers(len(known)))].format(
        share=_short(rng.uniform(0.02, 0.9)), keep=_short(1.0 - 10 ** rng.uniform(-2.3, -0.5)),
        some=_short(np.exp(rng.normal())), few=_short(10 ** rng.uniform(-4, -0.5)), own=_unused(tree),
    )  # fmt: skip
    function.body.insert(int(rng.integers(len(function.body))), ast.parse(line).body[0])


def _removed(tree: ast.Module, rng: Rng) -> None:
    """A statement goes, whatever it was good for; a function keeps its last one, which gives its result."""
    function = _picked(tree, rng)
    if len(function.body) > 1:
        del function.body[int(rng.integers(len(function.body) - 1))]


def _moved(tree: ast.Module, rng: Rng) -> None:
    """Two neighbours change places."""
    body = _picked(tree, rng).body
    if len(body) > 2:
        at = int(rng.integers(len(body) - 2))
        body[at], body[at + 1] = body[at + 1], body[at]


def _operator(tree: ast.Module, rng: Rng) -> None:
    """Plus, minus, times or divided by in place of one of them."""
    found = [one for one in ast.walk(tree) if isinstance(one, ast.BinOp) and isinstance(one.op, SIGNS)]
    if found:
        found[int(rng.integers(len(found)))].op = SIGNS[int(rng.integers(len(SIGNS)))]()


def _name(tree: ast.Module, rng: Rng) -> None:
    """A name that is read gives way to another one that its function knows."""
    function = _picked(tree, rng)
    called = {id(one.func) for one in ast.walk(function) if isinstance(one, ast.Call)}
    read = [one for one in ast.walk(function)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and id(one) not in called]  # fmt: skip
    known = sorted({one.arg for one in function.args.args} | {one.id for one in read})
    if read:
        read[int(rng.integers(len(read)))].id = known[int(rng.integers(len(known)))]


EDITS = (_scaled, _added, _removed, _moved, _operator, _name)
WEIGHTS = (0.35, 0.35, 0.1, 0.1, 0.05, 0.05)


def _function(tree: ast.Module, name: str) -> ast.FunctionDef:
    return next(one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == name)


def _picked(tree: ast.Module, rng: Rng) -> ast.FunctionDef:
    return _function(tree, FUNCTIONS[int(rng.integers(len(FUNCTIONS)))])


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is float


def _unused(tree: ast.Module) -> str:
    """A name of a running mean that no statement has."""
    used = {one.value for one in ast.walk(tree) if isinstance(one, ast.Constant)}
    return next(name for name in (f"m{at}" for at in range(len(used) + 1)) if name not in used)


def _short(value: Any) -> float:
    """Three digits are enough, and a number stays one."""
    return float(f"{float(np.clip(value, 1e-9, 1e6)):.3g}")
