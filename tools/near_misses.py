"""How often "the typical start" is wrong where nearly half of the starts gain much and the others just miss the claim.

python tools/near_misses.py               prints the table of docs/gauntlet.md, about two minutes

A claim is about gains as they really are, a start is counted by its measured gain. So items decide about starts that
just miss it. Four ways to count a start are compared, each with looks that keep 5 % under its own worst case:

now       measured gain above the claim
clear     measured gain above the claim by 1.645 standard errors of its own sealed items
strict    by one standard error, and looks for the share of starts that pass so by chance (58 %)
shrunk    measured gains drawn to their mean (evidence.shrinkage) before they are counted

The last column is the most that any rule can reach which keeps 5 % whatever the true gains are: the power of the most
powerful test (Neyman & Pearson 1933) of a world against the one in which half of the starts lie at the claim and half
where they are hardest to tell from it; errors as normal ones.
"""

import argparse
from functools import cache

import numpy as np

from netgain.evidence.looks import default_looks, derived_looks, words
from netgain.evidence.shrinkage import shrunk
from netgain.gauntlet.answers import difficulties, luck, right

SEED, BASE, CLAIM = 20261128, 0.35, 0.05
SIZES = ((6,), (6, 9, 12), (10,), (20,))
ITEMS = (160, 500, 2000)
WAYS = {"now": (0.0, 0.5), "clear": (1.645, 0.5), "strict": (1.0, 0.58), "shrunk": (0.0, 0.5)}
WORLDS = {  # share of starts with the first gain, that gain, the gain of the others, spread of both
    "45 % gain .30, the rest .049": (0.45, 0.30, 0.049, 0.0),
    "48 % gain .30, the rest .049": (0.48, 0.30, 0.049, 0.0),
    "all at the claim": (1.0, 0.05, 0.05, 0.0),
    "all gain .08": (1.0, 0.08, 0.0, 0.01),
    "all gain .10": (1.0, 0.10, 0.0, 0.01),
    "all gain .15": (1.0, 0.15, 0.0, 0.02),
    "90 % gain .20, the rest 0": (0.90, 0.20, 0.0, 0.02),
}


@cache
def looks_for(sizes: tuple, share: float):
    """Return the registered looks for a share of starts."""
    return default_looks() if (sizes, share) == ((6, 9, 12), 0.5) else derived_looks(sizes, share=share)


def measured(world: tuple, studies: int, starts: int, items: int, rng: np.random.Generator) -> tuple:
    """Return measured gains over generation 0 and their standard errors, (studies, starts) each."""
    share, much, little, spread = world
    n = studies * starts
    gain = np.where(rng.random(n) < share, much, little) + spread * rng.standard_normal(n)
    found, error = np.empty(n), np.empty(n)
    for at in range(0, n, 2000):
        part = slice(at, at + 2000)
        size = len(found[part])
        hard = difficulties(rng, size, items)
        own, first = (right(one, hard, luck(rng, size, items)).astype(np.int8)
                      for one in (BASE + gain[part], np.full(size, BASE)))  # fmt: skip
        difference = own - first
        found[part], error[part] = difference.mean(axis=1), difference.std(axis=1, ddof=1) / items**0.5
    return found.reshape(studies, starts), error.reshape(studies, starts)


def counted(way: str, gains: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return which starts count as exceeding the claim."""
    if way == "shrunk":
        gains = np.array([shrunk(one, their**2) for one, their in zip(gains, errors, strict=True)])
    return gains - WAYS[way][0] * errors > CLAIM


def most(world: tuple, starts: int, error: float, rng: np.random.Generator) -> float:
    """Return the power that no rule of level 5 % exceeds; the null is the hardest of a grid."""
    gain, spread = world[1], (error**2 + world[3] ** 2) ** 0.5
    noise = rng.standard_normal((4000, starts))
    half = rng.random((4000, starts)) < 0.5
    powers = []
    for high in np.linspace(CLAIM + 0.01, 2 * gain, 40):

        def ratio(x: np.ndarray, high: float = high) -> np.ndarray:
            null = [np.exp(-(((x - at) / error) ** 2) / 2) / error for at in (CLAIM, high)]
            own = np.exp(-(((x - gain) / spread) ** 2) / 2) / spread
            return np.log(own / (0.5 * null[0] + 0.5 * null[1]) + 1e-300).sum(axis=1)

        least = np.quantile(ratio(np.where(half, CLAIM, high) + error * noise), 0.95)
        powers.append(float((ratio(gain + spread * noise) > least).mean()))
    return min(powers)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    studies = parser.parse_args().studies
    print(f"{studies} studies a cell, seed {SEED}: SUPPORTED in percent, {' / '.join(WAYS)} (any rule).\n")
    print(f"| World (claim: above .05) | items | {' | '.join(' '.join(map(str, one)) for one in SIZES)} |")
    print(f"|{'---|' * (2 + len(SIZES))}")
    for name, world in WORLDS.items():
        for items in ITEMS:
            rng = np.random.default_rng([SEED, items, *name.encode()])
            gains, errors = measured(world, studies, 20, items, rng)
            cells = [cell(world, gains[:, : sizes[-1]], errors[:, : sizes[-1]], sizes, rng) for sizes in SIZES]
            print(f"| {name} | {items} | {' | '.join(cells)} |", flush=True)


def cell(world: tuple, gains: np.ndarray, errors: np.ndarray, sizes: tuple, rng: np.random.Generator) -> str:
    """Return one cell: each way, and for a gain above the claim the most that any rule reaches."""
    up = {way: counted(way, gains, errors) for way in WAYS}
    said = [words(one, one, looks_for(sizes, WAYS[way][1])) for way, one in up.items()]
    told = " / ".join(f"{100 * float((one == 1).mean()):.0f}" for one in said)
    above = world[0] == 1.0 and world[1] > CLAIM
    return told + (f" ({100 * most(world, sizes[-1], float(errors.mean()), rng):.0f})" if above else "")


if __name__ == "__main__":
    main()
