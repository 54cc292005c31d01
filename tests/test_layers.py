"""The direction of imports, read from the syntax tree: layers import only lower ones, and nothing runs in a circle."""

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1] / "src"

# A new module belongs in one of these rows; the layers are drawn in ARCHITECTURE.md.
LAYERS = (
    "records surfaces policy suite metric claim budget seeding errors canonical wire codecs generators items kinds "
    "inert probation planted crossing",
    "stages loop run study arms channel jobs evaluation groups proposal watching promotion world facts evidence ledger "
    "approvals rollback leases poison result proving sightings sandboxed",
    "gates guards monitors sandbox executors stores artifacts feedback testing",
    "recipes gauntlet readers integrations report web cli notify session planning config verify status export "
    "bench case attempts contract seal yardstick calibration transplant deciders whatif replication comparison "
    "recombine protecting planting canary_axes twins files evaluators signing bundle redaction collection epochs "
    "ending "
    "__main__",
)
LAYER = {name: number for number, row in enumerate(LAYERS) for name in row.split()}
FACADE = "netgain"  # the package's __init__ hands out public names, so it stands above everything

NUMERIC = {"numpy"}  # all that code below the rim may import from elsewhere at its top
AT_FIRST_USE = {"stores", "executors", "guards", "sandbox", "testing"}  # may import their vendors inside functions
TESTERS = "testing"  # contract suites and simulated systems exercise their siblings, none of which imports them
PARSERS = {"config", "cli", "web"}  # where files and requests are parsed, with pydantic; config at first use


class Import(NamedTuple):
    """One import statement's target."""

    target: str  # full dotted name; of our own, the module itself
    lazy: bool  # inside a function
    typing_only: bool  # under `if TYPE_CHECKING`
    line: int


def sources() -> dict[str, str]:
    """Return dotted module name -> source text of everything in src/netgain."""
    found = {}
    for path in sorted((ROOT / "netgain").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


def imports(name: str, text: str, modules: set[str]) -> list[Import]:
    """Return what a module imports; `from package import name` means package.name where that is a module."""
    found: list[Import] = []

    def visit(node: ast.AST, lazy: bool, typing_only: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, lazy, typing_only, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                raise AssertionError(f"{name}:{node.lineno}: imports are absolute here")
            for alias in node.names:
                if (node.module, alias.name) == (FACADE, "__version__"):
                    continue  # a constant of the package that is loaded anyway
                inner = f"{node.module}.{alias.name}"
                found.append(Import(inner if inner in modules else node.module, lazy, typing_only, node.lineno))
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                visit(child, inside, True)
            for child in node.orelse:
                visit(child, inside, typing_only)
            return
        for child in ast.iter_child_nodes(node):
            visit(child, inside, typing_only)

    visit(ast.parse(text), False, False)
    return found


def family(module: str) -> str:
    """Return the first name below `netgain`: the row entry of the layer table."""
    return module.split(".")[1] if "." in module else FACADE


def layer(module: str) -> int:
    """Return the layer of a module; one without a row counts as the rim until it has one."""
    return len(LAYERS) if module == FACADE else LAYER.get(family(module), 3)


def upward(code: dict[str, str]) -> list[str]:
    """Return imports of a higher layer, and of a sibling in layer 2, with their lines."""
    wrong = []
    for name, text in code.items():
        for found in imports(name, text, set(code)):
            if found.target.split(".")[0] != FACADE or family(found.target) == family(name):
                continue
            sibling = layer(found.target) == layer(name) == 2 and family(name) != TESTERS
            if layer(found.target) > layer(name) or sibling:
                wrong.append(f"{name}:{found.line} imports {found.target}" + (" (a sibling)" if sibling else ""))
    return wrong


def foreign(code: dict[str, str]) -> list[str]:
    """Return third-party imports that are not allowed where they stand, with their lines."""
    wrong = []
    for name, text in code.items():
        for found in imports(name, text, set(code)):
            package = found.target.split(".")[0]
            if package == FACADE or package in sys.stdlib_module_names or found.typing_only:
                continue
            if package == "pydantic":
                allowed = family(name) in PARSERS and (found.lazy or family(name) != "config")
            elif layer(name) > 2:
                allowed = name != "netgain.verify" and name != FACADE
            else:
                allowed = package in NUMERIC or (found.lazy and family(name) in AT_FIRST_USE)
            if not allowed:
                wrong.append(f"{name}:{found.line} imports {found.target}")
    return wrong


def circle(code: dict[str, str]) -> list[str]:
    """Return one import circle, or nothing. What a type checker alone imports counts too."""
    graph = {
        name: {i.target for i in imports(name, text, set(code))} & set(code) - {name} for name, text in code.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_module_stands_in_one_layer():
    homeless = sorted({family(name) for name in sources()} - {FACADE} - set(LAYER))
    assert not homeless, f"put into a row of LAYERS and into ARCHITECTURE.md: {homeless}"
    assert len(LAYER) == sum(len(row.split()) for row in LAYERS)


def test_imports_go_down_only():
    assert upward(sources()) == []


def test_no_imports_run_in_a_circle():
    assert circle(sources()) == []


def test_below_the_rim_only_numpy_comes_from_elsewhere():
    assert foreign(sources()) == []


def test_pages_read_the_ledger_and_the_evidence_and_nothing_else():
    # facts: what the reducer makes of the ledger's events; case: what a verdict is decided on; arms: their words
    # whatif: a case under one changed assumption; deciders: who decided what, as the autonomy profile takes it
    record = {"ledger", "facts", "evidence", "case", "arms", "whatif", "deciders"}
    seen = {"report": {"report", *record}, "web": {"web", "report", *record}}
    code = sources()
    for name, text in code.items():
        for found in imports(name, text, set(code)):
            if family(name) in seen and found.target.startswith("netgain.") and layer(found.target) > 0:
                assert family(found.target) in seen[family(name)], f"{name}:{found.line} imports {found.target}"


def test_the_verifier_is_one_file_that_plain_python_runs():
    text = sources()["netgain.verify"]
    targets = {found.target.split(".")[0] for found in imports("netgain.verify", text, set())}
    assert targets <= set(sys.stdlib_module_names)
    assert text.count("\n") <= 2760


def test_the_vocabulary_and_the_rules_stay_small_enough_to_read():
    small = [text for name, text in sources().items() if layer(name) < 2 and family(name) != "evidence"]
    assert sum(text.count("\n") for text in small) <= 7450


@pytest.mark.parametrize(
    ("name", "line", "finder"),
    [
        ("netgain.records", "from netgain.loop import step", upward),
        ("netgain.records", "def f():\n    from netgain import loop", upward),
        ("netgain.records", "from netgain import NetgainError", upward),
        ("netgain.gates.plan", "from netgain.stores import x", upward),
        ("netgain.gates.plan", "from netgain import testing", upward),
        ("netgain.evidence.looks", "import torch", foreign),
        ("netgain.gates.plan", "def f():\n    import torch", foreign),
        ("netgain.stores.objects", "import obstore", foreign),
        ("netgain.ledger.store", "def f():\n    import pydantic", foreign),
        ("netgain.config", "import pydantic", foreign),
        ("netgain.verify", "import numpy", foreign),
    ],
)
def test_a_wrong_import_would_be_seen(name, line, finder):
    others = dict.fromkeys(["netgain", "netgain.loop", "netgain.stores", "netgain.testing"], "")
    assert len(finder({**others, name: line})) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("netgain.loop", "from netgain.records import View"),
        ("netgain.gates.plan", "from netgain.gates import judge"),
        ("netgain.testing.worlds", "from netgain.gates import judge"),
        ("netgain.stores.objects", "def f():\n    import obstore"),
        ("netgain.evidence.looks", "import numpy as np"),
        ("netgain.config", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pydantic"),
        ("netgain.recipes.length", "import torch"),
        ("netgain.ledger.store", "from netgain import __version__"),
    ],
)
def test_a_right_import_is_left_alone(name, line):
    others = dict.fromkeys(["netgain", "netgain.records", "netgain.gates"], "")
    assert upward({**others, name: line}) == foreign({**others, name: line}) == []


def test_a_circle_would_be_seen():
    code = {"netgain.suite": "from netgain import claim", "netgain.claim": "def f():\n    import netgain.suite"}
    assert set(circle(code)) == {"netgain.suite", "netgain.claim"}
