"""What a Python program needs of this machine's files: libraries, the loader's cache, one interpreter."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32")
LOADER = ("/etc/ld.so.cache",)


@dataclass(frozen=True)
class Interpreter:
    """Folders and files to show read-only at their own place, links to make anew, and the program to start."""

    program: str
    shown: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


def interpreter(executable: str | None = None, prefix: str | None = None) -> Interpreter:
    """This process's interpreter, without its virtual environment and installed packages' folder outside its prefix.

    Args:
        executable: The program; this one when not given.
        prefix: The folder above its `lib`; this one's base prefix when not given.
    """
    program = os.path.realpath(executable or sys.executable)
    base = os.path.realpath(prefix or sys.base_prefix)
    links = tuple((os.readlink(path), path) for path in LIBRARIES if os.path.islink(path))
    wanted = [path for path in LIBRARIES if os.path.isdir(path) and not os.path.islink(path)]
    wanted += [program, *(os.path.join(base, name) for name in ("lib", "lib64"))]
    wanted += [path for path in LOADER if os.path.exists(path)]
    return Interpreter(program, tuple(outermost(path for path in wanted if os.path.exists(path))), links)


def outermost(paths: Iterable[str]) -> list[str]:
    """Paths without those that lie below another one, or are links; in order."""
    found = dict.fromkeys(path for path in paths if not os.path.islink(path))
    return [path for path in found if not any(Path(path).is_relative_to(other) for other in found if other != path)]
