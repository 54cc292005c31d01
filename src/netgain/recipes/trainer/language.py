"""Languages of known entropy: each letter is drawn by chances that the two before it set.

A language is a table of chances, drawn from a seed. Its entropy rate is computed, not estimated: the stationary chances
of every pair of letters, times the entropy of what follows (Cover and Thomas, Elements of Information Theory, 2nd ed.,
theorem 4.2.4, for the Markov chain of pairs). So how far a model's bits per character are from the least possible is
known, and what is left over is the model's fault, not the text's.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LETTERS = "abcd"
UNEVEN = 0.25  # parameter of the Dirichlet law that a row of chances is drawn from; below 1: few letters are likely
FLOOR = 0.01  # of the chances are spread evenly, so that every pair follows every other sooner or later


@dataclass(frozen=True)
class Language:
    """A source of letters.

    Attributes:
        chances: (16, 4) of each next letter, given a pair of letters (the earlier one times 4, plus the later).
        often: (16,) how often each pair stands in an endless text.
    """

    chances: Floats
    often: Floats

    @property
    def entropy(self) -> float:
        """Bits per character of an endless text."""
        return float(self.often @ -(self.chances * np.log2(self.chances)).sum(axis=1))

    def text(self, length: int, rng: Any) -> Ints:
        """(length,) letters as numbers, the first two of them drawn as they stand in an endless text."""
        sums, lots = self.chances.cumsum(axis=1).tolist(), rng.random(length).tolist()
        pair = int(rng.choice(len(self.often), p=self.often))
        found = [pair // len(LETTERS), pair % len(LETTERS)]
        for lot in lots[2:]:
            pair = found[-2] * len(LETTERS) + found[-1]
            found.append(min(bisect_right(sums[pair], lot), len(LETTERS) - 1))
        return np.array(found[:length], dtype=np.int64)


def language(seed: int) -> Language:
    """The language of a seed."""
    count = len(LETTERS)
    drawn = np.random.default_rng(seed).dirichlet([UNEVEN] * count, size=count * count)
    chances = (1 - FLOOR) * drawn + FLOOR / count
    return Language(chances, _stationary(chances))


def _stationary(chances: Floats) -> Floats:
    """(16,) share of each pair: what one step of the chain of pairs leaves as it is."""
    count = len(LETTERS)
    step = np.zeros((count * count, count * count))
    for pair in range(count * count):
        step[pair, pair % count * count : (pair % count + 1) * count] = chances[pair]
    equations = np.vstack([step.T - np.eye(len(step)), np.ones(len(step))])
    found = np.linalg.lstsq(equations, np.append(np.zeros(len(step)), 1.0), rcond=None)[0]
    return np.asarray(np.maximum(found, 0.0) / np.maximum(found, 0.0).sum())
