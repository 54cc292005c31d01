"""The published laws of items, and lists drawn from them.

`uniform` is the law of the benchmark lists OR1 to OR4 (Falkenauer 1996, in J. E. Beasley's OR-Library): whole numbers
from 20 to 100, bins of 150; OR3 has 20 lists of 500. `weibull` is that of FunSearch (Romera-Paredes et al., Nature 625,
2024, online bin packing): a Weibull distribution of shape 3, times 45, at most 100, rounded, bins of 100.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Law:
    """Where items come from.

    Attributes:
        name: as in questions and options.
        capacity: of a bin.
        least, most: the smallest and the largest item.
    """

    name: str
    capacity: int
    least: int
    most: int

    @property
    def sizes(self) -> Ints:
        """(k,) every item that the law may give."""
        return np.arange(self.least, self.most + 1)

    def drawn(self, seed: int, length: int) -> Ints:
        """(length,) items of the list with this seed: the same in every process."""
        rng = np.random.default_rng(seed)
        if self.name == "uniform":
            return rng.integers(self.least, self.most + 1, size=length)
        lengths = np.rint(np.minimum(45.0 * rng.weibull(3.0, size=length), self.most))
        return np.maximum(lengths, self.least).astype(np.int64)


LAWS = {law.name: law for law in (Law("uniform", 150, 20, 100), Law("weibull", 100, 1, 100))}


def law_named(name: str) -> Law:
    """A law from its name.

    Raises:
        ConfigError: no such law; lists those there are.
    """
    if name not in LAWS:
        raise ConfigError.unknown("law of recipe 'pack'", name, LAWS)
    return LAWS[name]


def lists_of(law: Law, seeds: Iterable[int], length: int) -> Ints:
    """(l, length) items of the lists with these seeds."""
    return np.stack([law.drawn(int(seed), length) for seed in seeds])
