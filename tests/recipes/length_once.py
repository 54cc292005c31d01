"""`length` whose generation 0 is trained once for every study that draws the same one: it is read from a folder then.

Studies under one root draw the same numbers for the same start, so what a plant does later is all that differs.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from netgain.recipes import Built, length


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options, and `kept`: the folder of generation 0."""
    options = dict(given)
    kept = Path(options.pop("kept"))
    built = length.make(options, device=device)
    trained = built.loop.start

    def start(rng: Any) -> Any:
        path = kept / hashlib.sha256(pickle.dumps(rng.bit_generator.state)).hexdigest()
        if not path.exists():
            own = path.with_suffix(f".{os.getpid()}")
            own.write_bytes(pickle.dumps(trained(rng)))
            own.replace(path)
        return pickle.loads(path.read_bytes())

    return replace(built, loop=replace(built.loop, start=start))
