"""What defines a measurement besides suite and gate: code, scorers, libraries, limits; each part with its own digest.

A contract is one record, registered with the claim. `flat` takes it apart, so that a difference is named by part and
not only noticed. Parts of the question (`is_question`) never change inside a study; others may, in a new epoch.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import platform
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from netgain.canonical import canonical, digest
from netgain.executors import Reference
from netgain.suite import Axis

Json = Any

SHOWING = (
    "report/", "cli/", "bench/", "gauntlet/", "verify.py", "status.py", "export.py", "deciders.py",
    "evidence/autonomy.py", "whatif.py", "comparison.py", "replication.py",
)  # fmt: skip
LIBRARIES = ("numpy", "torch", "safetensors", "scikit-learn")
BROUGHT = {"netgain.integrations.tuning": "optuna"}  # a library that a module of ours brings into a loop
LOOPS = ("recipes/", "testing/")  # of the package: loops, where all else is the harness
QUESTION = ("suite", "axis", "gate", "decoding", "batching")  # what is asked, of whom, how it is decided
PRICES = "what the loop's own code books: its digest covers them"  # no table of prices is kept anywhere else
GONE = "–"
Files = Sequence[tuple[str, Path]]


def code_digest(reference: Reference | None) -> str:
    """SHA-256 over the package's own source, and the user's file with the modules beside it that it imports.

    What only shows or checks a finished study (pages, commands) is left out: it can move no result. Not covered: a
    module that is imported under a computed name, or from elsewhere than the folder of the user's file.
    """
    return _digest([*_package(), *_loop(reference)])


def parts_of(
    reference: Reference | None, axes: Sequence[Axis], *, limits: Mapping[str, float], decoding: Mapping[str, int]
) -> dict[str, Json]:
    """The parts of a contract that are told apart by name beside suite, gate and libraries.

    Harness: everything of this package that runs, scores and decides. Loop: the recipes, or the user's file and what it
    imports beside it. One edit may move several: a scorer in the loop's own file moves loop and scorer.

    Args:
        limits: tokens, flops or calls that end a run.
        decoding: how often an item is answered: tries of the arm `sampled`, draws at the gate.
    """
    harness = [part for part in _package() if not part[0].startswith(LOOPS)]
    own = [part for part in _package() if part[0].startswith(LOOPS)] + list(_loop(reference))
    named: dict[str, Json] = {"harness": _digest(harness), "loop": _digest(own), "scorers": scorers(axes)}
    return {**named, "decoding": dict(decoding), "prices": PRICES, **limited(limits)}


def limited(limits: Mapping[str, float]) -> dict[str, Json]:
    """The part `limits`, where there are any."""
    return {"limits": dict(limits)} if limits else {}


def _digest(files: Files) -> str:
    return digest([[name, hashlib.sha256(path.read_bytes()).hexdigest()] for name, path in files])


def _package() -> list[tuple[str, Path]]:
    package = Path(__file__).parent
    names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py"))
    return [(name, package / name) for name in names if not name.startswith(SHOWING)]


def _loop(reference: Reference | None) -> list[tuple[str, Path]]:
    """The user's file and the modules beside it; nothing for a loop of this package."""
    file = _file(reference)
    if file is None:
        return []
    return [("loop", file), *((path.relative_to(file.parent).as_posix(), path) for path in beside(file))]


def _file(reference: Reference | None) -> Path | None:
    """The file that a loop of the user's own stands in: given by path, or the file of an installed module."""
    if reference is None:
        return None
    name = reference.target.rpartition(":")[0]
    if name.endswith(".py"):
        return Path(name)
    if name.partition(".")[0] == __name__.partition(".")[0]:
        return None
    with suppress(ImportError, ValueError):
        spec = find_spec(name)
        return Path(spec.origin) if spec is not None and spec.origin else None
    return None


# --- Scorers ---------------------------------------------------------------------------------------------------------
def scorers(axes: Sequence[Axis]) -> dict[str, str]:
    """Axis -> digest of the source of its scorer, and of its second one, with everything of its own that they call."""
    return {
        one.name: digest([[found.name, source_of(found.score)] for found in (one.metric, one.second) if found])
        for one in axes
    }


def source_of(function: Callable[..., Any]) -> list[list[str]]:
    """[name, source] of a function, of the user's functions that it reaches by name, and of the values that it reads.

    Not covered: what is looked up under a computed name, and the inside of installed packages, which are known by
    their versions.
    """
    found: dict[str, str] = {}
    open_: list[tuple[str, Any]] = [(getattr(function, "__qualname__", type(function).__qualname__), function)]
    while open_:
        name, one = open_.pop()
        if name not in found:
            found[name] = _text(one)
            open_ += [pair for inner in _functions(one) for pair in _reached(inner)]
    return [[name, text] for name, text in sorted(found.items())]


def _functions(one: Any) -> list[types.FunctionType]:
    """The functions that something consists of: itself, the methods of a class, or of the class of a called object."""
    if isinstance(one, types.FunctionType):
        return [one]
    if isinstance(one, partial):
        return _functions(one.func)
    if isinstance(one, type) or callable(one):
        return [each for each in vars(one if isinstance(one, type) else type(one)).values()
                if isinstance(each, types.FunctionType)]  # fmt: skip
    return []


def _text(one: Any) -> str:
    """Source of a function or class; of a value its canonical form; of what has neither the name of its type."""
    if isinstance(one, types.ModuleType):
        return one.__name__
    if isinstance(one, partial):
        return f"{_text(one.func)} {_plain([list(one.args), dict(one.keywords)])}"
    if isinstance(one, type) or hasattr(one, "__code__"):
        return _source(one)
    if callable(one):  # an object that is called: its class is the code, its fields are the settings
        return f"{_source(type(one))} {_plain(getattr(one, '__dict__', {}))}"
    return _plain(one)


def _source(one: Any) -> str:
    with suppress(OSError, TypeError):
        return inspect.getsource(one)
    code = getattr(one, "__code__", None)
    return one.__qualname__ if code is None else repr((code.co_code, code.co_consts))


def _plain(value: Any) -> str:
    if isinstance(value, set | frozenset):
        return repr(sorted(map(repr, value)))
    with suppress(TypeError, ValueError):
        return canonical(value).decode()
    return type(value).__qualname__


def _reached(function: types.FunctionType) -> list[tuple[str, Any]]:
    """Globals and closed-over values that a function names, without what is installed."""
    names = {*_names(function.__code__)}
    there = [(name, function.__globals__[name]) for name in sorted(names & function.__globals__.keys())]
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    there += [(name, cell.cell_contents) for name, cell in cells]
    return [(name, one) for name, one in there if not _installed(one)]


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            yield from _names(one)


def _installed(one: Any) -> bool:
    """Whether something belongs to the standard library, to an installed package or to this one."""
    module = one.__name__ if isinstance(one, types.ModuleType) else getattr(one, "__module__", None)
    if not isinstance(module, str):
        return False
    top = module.partition(".")[0]
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    own = top == __name__.partition(".")[0]
    return own or top in sys.stdlib_module_names or "site-packages" in file


# --- What is imported ------------------------------------------------------------------------------------------------


def beside(file: Path) -> list[Path]:
    """Modules and packages in the folder of a Python file that it imports, itself or through another of them; sorted.

    A package counts with all of its modules.
    """
    found: set[Path] = set()
    open_ = [file]
    while open_:
        for name in _imported(open_.pop()):
            new = {path for path in _files(file.parent, name) if path != file} - found
            found |= new
            open_ += new
    return sorted(found)


def _imported(file: Path) -> frozenset[str]:
    """First names of everything that a file imports, wherever in it, and of what our own modules bring with them."""
    return _imports(file.read_bytes(), str(file))


@lru_cache(maxsize=256)
def _imports(source: bytes, file: str) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source, filename=file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    brought = {BROUGHT[name] for name in names if name in BROUGHT}
    return frozenset(brought | {name.partition(".")[0] for name in names})


def _files(folder: Path, name: str) -> list[Path]:
    inside = (folder / name).rglob("*.py") if (folder / name).is_dir() else ()
    return [path for path in (folder / f"{name}.py", *inside) if path.is_file()]


def libraries(reference: Reference | None = None) -> dict[str, str]:
    """Versions of what a measurement rests on, where it is installed: our own list, and what a loop's file imports.

    A package that is installed under another name than it is imported by is not found by its import.
    """
    file = _file(reference)
    named = {name for one in (file, *beside(file)) for name in _imported(one)} if file else set[str]()
    found = {"python": platform.python_version()}
    for name in (*LIBRARIES, *sorted(named - sys.stdlib_module_names - {__name__.partition(".")[0]})):
        with suppress(metadata.PackageNotFoundError):
            found[name] = _version(metadata.distribution(name))
    return found


def _version(package: metadata.Distribution) -> str:
    """Its version, without parsing all of what a package says of itself."""
    said = re.search(r"^Version:[ \t]*(\S+)", package.read_text("METADATA") or "", re.MULTILINE)
    return said[1] if said else package.version


# --- A contract, part by part ----------------------------------------------------------------------------------------
def flat(contract: Mapping[str, Json]) -> dict[str, str]:
    """Name of a part -> its version, value or digest (16 hex digits), every part of a contract in one table."""
    found: dict[str, str] = {}
    for name, value in contract.items():
        if name == "suite":
            found |= {f"axis {one['name']}": digest(one)[:16] for one in value["axes"]}
            found["suite"] = digest({key: one for key, one in value.items() if key != "axes"})[:16]
        elif name in NESTED:
            found |= {
                f"{NESTED[name]} {key}": one if isinstance(one, str) else f"{one:g}" for key, one in value.items()
            }
        else:
            found[name] = value if name in ("batching", "prices") else digest(value)[:16]
    return {name: one[:16] if len(one) == 64 else one for name, one in found.items()}


NESTED = {"libraries": "library", "scorers": "scorer of", "limits": "limit of"}


def differences(before: Mapping[str, Json], now: Mapping[str, Json]) -> dict[str, list[str]]:
    """Part -> [before, now] of every part that is not the same, gone and new ones among them, sorted by name.

    `code` is harness and loop together, and is named only where neither of them is known to have moved.
    """
    one, other = flat(before), flat(now)
    moved = {name: [one.get(name, GONE), other.get(name, GONE)] for name in sorted({*one, *other})
             if one.get(name) != other.get(name)}  # fmt: skip
    return {name: pair for name, pair in moved.items() if name != "code" or not {"harness", "loop"} & moved.keys()}


def is_question(part: str) -> bool:
    """Whether a part belongs to the question itself, which no new epoch may change: `axis NAME`, `gate`, …"""
    return part.partition(" ")[0] in QUESTION
