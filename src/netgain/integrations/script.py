"""A training script, read and not run: its loop of rounds, the functions of a round, its seeds.

Found by shape: a `for … in range(…)` that calls functions of the script on one model. Names decide little: which
function labels and which trains is told by what they are given and what they give.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from netgain.errors import ConfigError

EVALUATES = re.compile(r"eval|acc|score|test|valid|metric|measure", re.IGNORECASE)
SEEDS = re.compile(r"(^|\.)(manual_seed|manual_seed_all|seed|set_seed|seed_everything|default_rng)$")


@dataclass(frozen=True)
class Label:
    """What makes examples.

    Attributes:
        name: of the function.
        call: source of the call in the loop, under the names `model` and `round`.
        gives: how many values.
        fits: whether netgain can call it as it is: what it wants besides the model has a name that is offered.
    """

    name: str
    call: str
    gives: int
    fits: bool


@dataclass(frozen=True)
class Found:
    """What a script holds.

    Attributes:
        file: its name.
        lines: its text, line by line.
        loop: first and last line of the loop of rounds, from 1.
        rounds: source of their number, or None where it is not the end of a `range`.
        model: the variable that the rounds change.
        start: source of what makes it, where that stands by itself; else None.
        begin: source lines that make generation 0, where more than one statement does; else none.
        imports: the line after which an import can stand; 0: before everything.
        label: what makes examples with the model, or None.
        train: source of what trains on examples: a function's name, or a lambda around it; or None.
        plain: source of a call of `train` outside the loop, with `model` as the model; or None.
        body: source lines of a round without printing and evaluating, the model and the round under these names.
        item: whether there is a function `item(seed, index)`.
        evaluate: function that measures, or None.
        seeds: line -> call.
        guard: line of `if __name__ == "__main__":`, or None.
        runs: line at which an import runs the loop; None where it does not.
        loose: names that a round reads and that exist only beside the loop, or belong to the script's one model.
    """

    file: str
    lines: tuple[str, ...]
    loop: tuple[int, int]
    rounds: str | None
    model: str
    start: str | None
    begin: tuple[str, ...]
    imports: int
    label: Label | None
    train: str | None
    plain: str | None
    body: tuple[str, ...]
    item: bool
    evaluate: str | None
    seeds: dict[int, str] = field(default_factory=dict)
    guard: int | None = None
    runs: int | None = None
    loose: tuple[str, ...] = ()


Functions = dict[str, ast.FunctionDef]


def read_script(name: str, text: str) -> Found:
    """What a script holds.

    Raises:
        ConfigError: it is no Python, or has no loop of rounds that could be found; says where.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        where = f"{name}:{getattr(error, 'lineno', None) or 1}"
        raise ConfigError(f"not Python: {error}", where=where, fix="give a script that runs") from None
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    loop, around = _loop(name, tree, functions)
    guard = next((one for one in tree.body if _is_guard(one)), None)
    model = _model(loop, around, functions) or ""
    calls = [one for one in ast.walk(loop) if isinstance(one, ast.Call) and _called(one) in functions]
    label, train = _label(loop, model, functions), _train(calls, model)
    whole = label is None or train is None
    made = _made(model, around)
    known = _top_level(tree) | set(dir(builtins))
    evaluate = next((_called(one) for one in calls if EVALUATES.search(_called(one))), None)
    body = tuple(_body(loop, model))
    used: list[ast.AST] = [ast.parse("\n".join(body))] if whole else []
    used += [functions[_called(one)] for one in calls if not EVALUATES.search(_called(one))]
    return Found(
        name, tuple(text.splitlines()), (loop.lineno, loop.end_lineno or loop.lineno), _rounds(loop), model,
        _start(made, known), tuple(_begin(made, around, loop, model, known)), _imports(tree), None if whole else label,
        None if whole or train is None else _as_train(train), _plain(tree, loop, train, known), body,
        "item" in functions and [one.arg for one in functions["item"].args.args] == ["seed", "index"], evaluate,
        _seeds(tree), guard.lineno if guard else None, _runs(tree, loop),
        tuple(sorted(_loose(used, known - _tied(around, model)))),
    )  # fmt: skip


# --- the loop --------------------------------------------------------------------------------------------------------


def _loop(name: str, tree: ast.Module, functions: Functions) -> tuple[ast.For, Sequence[ast.stmt]]:
    """The first loop of rounds, and the statements around it; the outermost of nested ones."""
    places = [_statements(tree.body), *(_statements(one.body) for one in functions.values())]
    for around in places:
        for one in around:
            if isinstance(one, ast.For) and _is_range(one) and _model(one, around, functions):
                return one, around
    fix = (
        "a loop of rounds is a `for … in range(…)` that calls functions of the script on one model: write it like that"
    )
    raise ConfigError(f"no loop of rounds in {name}", where=name, fix=fix)


def _statements(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Statements in order, those below a main guard or a `with` among them."""
    found: list[ast.stmt] = []
    for one in body:
        found.append(one)
        if _is_guard(one) or isinstance(one, ast.With):
            found += _statements(one.body)  # type: ignore[attr-defined]
    return found


def _is_guard(one: ast.stmt) -> bool:
    return isinstance(one, ast.If) and "__name__" in ast.unparse(one.test) and "__main__" in ast.unparse(one.test)


def _is_range(one: ast.For) -> bool:
    return isinstance(one.iter, ast.Call) and _called(one.iter) in ("range", "trange", "tqdm.trange")


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""


def _model(loop: ast.For, around: Sequence[ast.stmt], functions: Functions) -> str | None:
    """The variable that is made by a call before the loop, and given first to a function of the script inside."""
    made = [target.id for one in around if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call)
            and one.lineno < loop.lineno for target in one.targets if isinstance(target, ast.Name)]  # fmt: skip
    for call in (one for one in ast.walk(loop) if isinstance(one, ast.Call) and _called(one) in functions):
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Name) and first.id in made and not EVALUATES.search(_called(call)):
            return first.id
    return None


def _rounds(loop: ast.For) -> str | None:
    """The number of rounds, from `range(n)` or `range(1, n + 1)`."""
    given = loop.iter.args if isinstance(loop.iter, ast.Call) else []
    if len(given) == 1:
        return ast.unparse(given[0])
    if len(given) != 2 or ast.unparse(given[0]) != "1":
        return None
    end = given[1]
    if isinstance(end, ast.Constant) and isinstance(end.value, int):
        return str(end.value - 1)
    one_more = isinstance(end, ast.BinOp) and isinstance(end.op, ast.Add) and ast.unparse(end.right) == "1"
    return ast.unparse(end.left) if one_more else None  # type: ignore[attr-defined]


# --- the functions of a round ----------------------------------------------------------------------------------------


def _label(loop: ast.For, model: str, functions: Functions) -> Label | None:
    """A call on the model whose two or three values are taken apart: inputs, labels, and which of them pass."""
    for one in ast.walk(loop):
        if not (isinstance(one, ast.Assign) and isinstance(one.value, ast.Call) and _called(one.value) in functions):
            continue
        target = one.targets[0]
        if _first(one.value) == model and isinstance(target, ast.Tuple) and len(target.elts) in (2, 3):
            name = _called(one.value)
            wants = [each.arg for each in functions[name].args.args][1:]
            fits = set(wants) <= {"round", "rng", "budget"} and len(target.elts) == 3
            return Label(name, _renamed(one.value, model, loop), len(target.elts), fits)
    return None


def _first(call: ast.Call) -> str:
    return call.args[0].id if call.args and isinstance(call.args[0], ast.Name) else ""


def _train(calls: Iterable[ast.Call], model: str) -> ast.Call | None:
    """A call with the model and at least two more, whose name does not say that it measures."""
    found = (one for one in calls if _first(one) == model and len(one.args) >= 3)
    return next((one for one in found if not EVALUATES.search(_called(one))), None)


def _as_train(call: ast.Call) -> str:
    """The function's name, or what fills in the rest of its arguments."""
    rest = [ast.unparse(one) for one in (*call.args[3:], *call.keywords)]
    if not rest:
        return _called(call)
    return f"lambda model, inputs, labels: {_called(call)}({', '.join(['model, inputs, labels', *rest])})"


def _plain(tree: ast.Module, loop: ast.For, train: ast.Call | None, known: set[str]) -> str | None:
    """A call of the training function outside the loop, on data that stand by themselves."""
    inside = set(map(id, ast.walk(loop)))
    for one in ast.walk(tree):
        if (
            isinstance(one, ast.Call)
            and train
            and _called(one) == _called(train)
            and id(one) not in inside
            and one.args
        ):
            rest = [*one.args[1:], *one.keywords]
            if set().union(*map(_free, rest)) <= known:
                return f"{_called(one)}({', '.join(['model', *map(ast.unparse, rest)])})"
    return None


def _body(loop: ast.For, model: str) -> Iterator[str]:
    """A round without what only prints or measures."""
    for one in loop.body:
        calls = [_called(each) for each in ast.walk(one) if isinstance(each, ast.Call)]
        simple = isinstance(one, ast.Expr | ast.Assign)
        if simple and (calls[:1] == ["print"] or (calls and EVALUATES.search(calls[0]))):
            continue
        yield from _renamed(one, model, loop).splitlines()


def _renamed(node: ast.AST, model: str, loop: ast.For) -> str:
    """Source of a copy in which model and round are called so."""
    return ast.unparse(_Renamed({model: "model", _name(loop.target): "round"}).visit(ast.parse(ast.unparse(node))))


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """A name, or the one that it gets."""
        return ast.Name(self._names.get(node.id, node.id), node.ctx)


def _name(target: ast.expr) -> str:
    return target.id if isinstance(target, ast.Name) else "_"


# --- what stands where -----------------------------------------------------------------------------------------------


def _made(model: str, around: Sequence[ast.stmt]) -> ast.Assign | None:
    for one in around:
        if isinstance(one, ast.Assign) and any(_name(each) == model for each in one.targets):
            return one
    return None


def _start(made: ast.Assign | None, known: set[str]) -> str | None:
    """A function that makes the model, if what makes it reads nothing that exists only beside the loop."""
    if made is None or not _free(made.value) <= known:
        return None
    call = made.value
    bare = isinstance(call, ast.Call) and not call.args and not call.keywords and _called(call).isidentifier()
    return _called(call) if bare else f"lambda: {ast.unparse(call)}"  # type: ignore[arg-type]


def _begin(
    made: ast.Assign | None, around: Sequence[ast.stmt], loop: ast.For, model: str, known: set[str]
) -> Iterator[str]:
    """The statements that make generation 0: the model, and what is called with it before the loop."""
    if made is None:
        return
    between = [one for one in around if made.lineno < one.lineno < loop.lineno and isinstance(one, ast.Expr)]
    calls = [one for one in between if isinstance(one.value, ast.Call) and model in _free(one)]
    calls = [one for one in calls if not EVALUATES.search(_called(one.value)) and _called(one.value) != "print"]  # type: ignore[arg-type]
    if calls and set().union(_free(made.value), *map(_free, calls)) - {model} <= known:
        for one in (made, *calls):
            yield _renamed(one, model, loop)
        yield "return model"


def _tied(around: Sequence[ast.stmt], model: str) -> set[str]:
    """Names beside the loop that are made of the script's one model, such as its optimiser; and the model itself."""
    tied = {model}
    for one in around:
        if isinstance(one, ast.Assign) and _free(one.value) & tied:
            tied |= {each.id for target in one.targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    return tied


def _free(node: ast.AST) -> set[str]:
    """Names that an expression or function reads and does not make itself."""
    every = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    own = {one.id for one in every if not isinstance(one.ctx, ast.Load)}
    own |= {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
    return {one.id for one in every if isinstance(one.ctx, ast.Load)} - own


def _top_level(tree: ast.Module) -> set[str]:
    """Names that exist once the file is imported: functions, classes, imports, and what is assigned outside a guard."""
    found: set[str] = set()
    for one in tree.body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(one.name)
        elif isinstance(one, ast.Import | ast.ImportFrom):
            found |= {(each.asname or each.name).partition(".")[0] for each in one.names}
        elif not _is_guard(one):
            found |= {
                each.id for each in ast.walk(one) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)
            }
    return found


def _loose(used: Iterable[ast.AST], known: set[str]) -> set[str]:
    return {name for one in used for name in _free(one) if name not in known | {"model", "round"}}


def _imports(tree: ast.Module) -> int:
    """The last line of the last import, else of what the script says of itself."""
    said = tree.body[:1] if ast.get_docstring(tree) is not None else []
    there = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)] or said
    return there[-1].end_lineno or there[-1].lineno if there else 0


def _seeds(tree: ast.Module) -> dict[int, str]:
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and SEEDS.search(_called(one))]
    return {one.lineno: ast.unparse(one) for one in sorted(calls, key=lambda one: one.lineno)}


def _runs(tree: ast.Module, loop: ast.For) -> int | None:
    """The line of the loop at the top level, or of a call there of the function that holds it."""
    holders = {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and loop in ast.walk(one)}
    for one in tree.body:
        calls = isinstance(one, ast.Expr) and isinstance(one.value, ast.Call) and _called(one.value) in holders
        if one is loop or calls:
            return one.lineno
    return None
