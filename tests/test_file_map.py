"""The file map of ARCHITECTURE.md names every module that exists, once, in at most five words, and no other."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parents[1]
ROW = re.compile(r"^\| `([\w/]+\.py)` \| (.+?) \|$", re.MULTILINE)


def mapped() -> list[tuple[str, str]]:
    return ROW.findall((HERE / "ARCHITECTURE.md").read_text(encoding="utf-8"))


def has_code(path: Path) -> bool:
    """Whether a module is more than a docstring: an empty `__init__.py` needs no row."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def modules() -> list[str]:
    package = HERE / "src" / "netgain"
    paths = sorted(package.rglob("*.py"))
    return [path.relative_to(package).as_posix() for path in paths if path.name != "__init__.py" or has_code(path)]


def test_every_module_has_a_row():
    missing = sorted(set(modules()) - {path for path, _ in mapped()})
    assert not missing, "add to the map in ARCHITECTURE.md:\n" + "\n".join(f"| `{path}` | … |" for path in missing)


def test_every_row_has_a_module():
    gone = sorted({path for path, _ in mapped()} - set(modules()))
    assert not gone, f"remove from the map in ARCHITECTURE.md: {gone}"


def test_a_purpose_is_at_most_five_words_and_stands_once():
    paths = [path for path, _ in mapped()]
    assert len(paths) == len(set(paths))
    for path, purpose in mapped():
        assert 1 <= len(purpose.split()) <= 5, f"{path}: {purpose!r} has more than five words"
