"""Near duplicates of whole documents by MinHash, with an optional library: rensa, or else datasketch.

MinHash compares whole texts: an item inside a longer document is nothing like it and is not found
(docs/contamination.md). So this is a second sweep, for items that were rewritten as documents of their own, and never a
reason to call anything clean. Where neither library is installed it was not run, and says so.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError
from netgain.guards.findings import Protected
from netgain.guards.words import prose_of, spaced

Json = Any
Sketch = npt.NDArray[np.uint64]  # (HASHES,), or (items, HASHES)
LIBRARIES = ("rensa", "datasketch")
INSTALL = "pip install 'netgain[near]'"
SHINGLE, HASHES, SEED = 5, 128, 1  # words, permutations
THRESHOLD = 0.5  # estimated share of common shingles (Jaccard)


@dataclass(frozen=True)
class Near:
    """What the sweep found.

    Attributes:
        run: False where it was not run; then nothing is known.
        library: name of the library, or None.
        pairs: (document, item, estimated Jaccard similarity) of at least the threshold.
        reason: why it was not run.
    """

    run: bool
    library: str | None
    pairs: tuple[tuple[str, str, float], ...]
    reason: str = ""


def near_duplicates(
    items: Sequence[Protected],
    documents: Iterable[tuple[str, Json]],
    *,
    threshold: float = THRESHOLD,
    libraries: Sequence[str] = LIBRARIES,
) -> Near:
    """Compare every document with every question by MinHash of their runs of five words.

    Raises:
        ConfigError: a threshold outside (0, 1], or a document that is neither text nor JSON.
    """
    if not 0.0 < threshold <= 1.0:
        raise ConfigError(f"threshold {threshold!r}", fix="give a share of common shingles in (0, 1]")
    library = next((name for name in libraries if importlib.util.find_spec(name)), None)
    if library is None:
        return not_run(f"neither {' nor '.join(libraries)} is installed: {INSTALL}")
    sketch = _rensa if library == "rensa" else _datasketch
    asked = [(item.id, sketch(runs)) for item in items if (runs := _shingles(item.question))]
    names, sketches = [name for name, _ in asked], np.array([one for _, one in asked]).reshape(-1, HASHES)
    pairs = [(name, *pair) for name, content in documents if (runs := _shingles(content))
             for pair in _alike(sketch(runs), names, sketches, threshold)]  # fmt: skip
    return Near(True, library, tuple(pairs))


def not_run(reason: str) -> Near:
    """Return what a sweep that did not take place found."""
    return Near(False, None, (), reason)


def _shingles(content: Json) -> list[str]:
    words = spaced(prose_of(content)).decode("utf-8", "surrogatepass").split()
    return (
        [" ".join(words[place : place + SHINGLE]) for place in range(max(1, len(words) - SHINGLE + 1))] if words else []
    )


def _alike(mine: Sketch, names: Sequence[str], sketches: Sketch, threshold: float) -> list[tuple[str, float]]:
    """Return names and the share of hashes in common, which estimates the Jaccard similarity (Broder 1997)."""
    shares = (sketches == mine).mean(axis=1)
    return [(names[place], float(shares[place])) for place in np.flatnonzero(shares >= threshold).tolist()]


def _rensa(shingles: Sequence[str]) -> Sketch:
    import rensa

    sketch = rensa.RMinHash(num_perm=HASHES, seed=SEED)
    sketch.update(list(shingles))
    return np.array(sketch.digest(), np.uint64)


def _datasketch(shingles: Sequence[str]) -> Sketch:
    import datasketch

    sketch = datasketch.MinHash(num_perm=HASHES, seed=SEED)
    sketch.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in shingles])
    return np.array(sketch.digest(), np.uint64)
