"""Items that reached a loop's material, and whether the scan of a study finds them there.

The texts are planted as `netgain.testing.planted` does, 60 words in a document of 360, and looked for by the scanner
that every study has (`netgain.protecting`): an example in which it finds an item is not trained on; an item that it
finds in a prompt, memory or skill is scored for nobody of that start.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from netgain.gauntlet.world import Faults
from netgain.items import fingerprint
from netgain.protecting import Scanner
from netgain.suite import Bank, Suite, axis
from netgain.testing.planted import WORDS, planted_in, vocabulary

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
POOL = 500  # planted documents that were scanned at each share of replaced words


@dataclass(frozen=True)
class Leaked:
    """Items of some blocks: where each stands in the order in which items leak, and whether the scan finds its text.

    Attributes:
        place: (starts, items) in [0, 1): a system whose material holds a share s of the items knows those below s.
        found: (starts, items).
        carrier: of the world.
    """

    place: Floats
    found: Bools
    carrier: str

    @classmethod
    def drawn(cls, faults: Faults, rng: np.random.Generator, shape: tuple[int, ...]) -> Leaked:
        """Draw items, each with one of the planted documents that were scanned."""
        pool = scanned(faults.reworded)
        return cls(rng.random(shape), pool[rng.integers(0, len(pool), shape)], faults.carrier)

    def taught(self, share: Floats) -> Bools:
        """(starts, items) items that systems of this share (starts,) were trained on, and answer right."""
        held: Bools = self.place < share[:, None]
        return held & ~self.found if self.carrier == "examples" else held

    def quarantined(self, share: Floats) -> Bools:
        """(starts, items) items of which the study knows that the run was trained on them."""
        held: Bools = self.place < share[:, None]
        return held & self.found if self.carrier == "memory" else held & False


@lru_cache(maxsize=16)
def scanned(reworded: float) -> Bools:
    """(POOL,) whether a study's scan finds each planted item, with this share of its words replaced."""
    rng = np.random.default_rng([POOL, round(1000 * reworded)])
    words = vocabulary(rng)
    asked = [[words[place] for place in rng.integers(0, len(words), WORDS)] for _ in range(POOL)]
    bank = [{"input": " ".join(one), "target": str(number)} for number, one in enumerate(asked)]
    scanner = Scanner(Suite([axis("bank", Bank(bank, {"sealed": 1.0}), gate_items=2)]))
    found = scanner([" ".join(planted_in(rng, words, one, reworded)) for one in asked])
    return np.array([fingerprint(one["input"]) in found.get(n, ()) for n, one in enumerate(bank)])
