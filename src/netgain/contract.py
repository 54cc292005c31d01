"""What defines a measurement besides suite and gate: the code that can move a result, and the libraries under it."""

from __future__ import annotations

import ast
import hashlib
import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from netgain.canonical import digest
from netgain.executors import Reference

SHOWING = (
    "report/", "cli/", "verify.py", "status.py", "export.py", "deciders.py", "evidence/autonomy.py", "whatif.py",
    "comparison.py", "replication.py",
)  # fmt: skip
LIBRARIES = ("numpy", "torch", "safetensors", "scikit-learn")


def code_digest(reference: Reference | None) -> str:
    """SHA-256 over the package's own source, and the user's file with the modules beside it that it imports.

    What only shows or checks a finished study (pages, commands) is left out: it can move no result. Not covered: a
    module that is imported under a computed name, or from elsewhere than the folder of the user's file.
    """
    package = Path(__file__).parent
    names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py"))
    parts = [(name, package / name) for name in names if not name.startswith(SHOWING)]
    if reference is not None and ".py:" in reference.target:
        file = Path(reference.target.rpartition(":")[0])
        parts += [("loop", file), *((path.relative_to(file.parent).as_posix(), path) for path in beside(file))]
    return digest([[name, hashlib.sha256(path.read_bytes()).hexdigest()] for name, path in parts])


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


def _imported(file: Path) -> Iterator[str]:
    """First names of everything that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _files(folder: Path, name: str) -> list[Path]:
    inside = (folder / name).rglob("*.py") if (folder / name).is_dir() else ()
    return [path for path in (folder / f"{name}.py", *inside) if path.is_file()]


def libraries() -> dict[str, str]:
    """Versions of what a measurement rests on, where it is installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
