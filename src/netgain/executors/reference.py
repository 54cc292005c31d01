"""How a worker finds the loop: by the name of a module's or a file's attribute, never by a pickled function."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netgain.errors import ConfigError
from netgain.stages import Loop


@dataclass(frozen=True)
class Reference:
    """How a worker finds the loop.

    Attributes:
        target: "package.module:attribute" or "path/to/file.py:attribute"; a `Loop`, or a function of `options` that
            returns an object with a field `loop`.
        options: recipe options; None when the attribute is the loop itself.
        device: "cpu", or an accelerator's name for recipes that know it.
        environment: names of variables of the environment that workers are given beside the usual ones.
    """

    target: str
    options: Mapping[str, Any] | None = None
    device: str = "cpu"
    environment: tuple[str, ...] = ()


def reference_of(loop: Loop) -> Reference:
    """How workers find a loop of the user's own script: by its file and its name there, or that of its study.

    Raises:
        ConfigError: neither the loop nor what holds it as `loop` is a top-level name of the script.
    """
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    held = {name: getattr(value, "loop", None) for name, value in vars(main).items()}
    names = [name for name, value in vars(main).items() if value is loop or held[name] is loop]
    if not file or not names:
        raise ConfigError(
            "the loop is no top-level name of the script that runs it",
            fix='write `loop = Loop(…)` at the top level, and run the study below `if __name__ == "__main__":`',
        )
    return Reference(f"{Path(file).resolve()}:{names[0]}")
