"""How often this machine registered a study of the same loop and suite: a count that is printed with the verdict."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from netgain.canonical import digest


def registry() -> Path:
    """The machine-local file of counts."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "netgain" / "attempts.json"


def count_attempt(suite: dict[str, Any], recipe: str | None) -> int | None:
    """Book one more registration and return its number; None when the file cannot be kept: unknown, not 0."""
    path, key = registry(), digest([suite, recipe])[:16]
    try:
        counts = json.loads(path.read_text()) if path.exists() else {}
        counts[key] = int(counts.get(key, 0)) + 1
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(counts))
        part.replace(path)
        return int(counts[key])
    except (OSError, ValueError, TypeError, AttributeError):
        return None
