"""The worst strength of a mechanism: its grid, and random configurations searched for the most over-claims.

What the search finds is the luckiest of many, so the worst configuration is measured again on fresh seeds, and only
that figure is published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netgain.gauntlet.found import Found, Size, look_at, seed_of
from netgain.gauntlet.population import Mechanism
from netgain.gauntlet.rates import Rate
from netgain.gauntlet.studies import run_studies
from netgain.gauntlet.truth import truth_of
from netgain.gauntlet.world import World


@dataclass(frozen=True)
class Worst:
    """The configuration with the most over-claims: `source` is grid or random; `again` tells fresh seeds from not."""

    world: World
    source: str
    rate: Rate
    again: bool


def worst_of(mechanism: Mechanism, found: Sequence[Found], size: Size, seed: int) -> Worst | None:
    """The worst of the grid, and with a search the worst of both, measured again. None when every claim is true."""
    false = [("grid", one) for one in found if not one.true]
    if size.random:
        false += [("random", one) for one in _searched(mechanism, size, seed) if not one.true]
    if not false:
        return None
    source, worst = max(false, key=lambda pair: (pair[1].over_claims / max(1, len(pair[1].outcomes)), pair[0]))
    if not size.again:
        return Worst(worst.world, source, Rate(worst.over_claims, len(worst.outcomes)), again=False)
    fresh = look_at(worst.world, size.again // max(1, worst.world.conduct.shop), size, seed, worst.strength, "again")
    return Worst(worst.world, source, Rate(fresh.over_claims, len(fresh.outcomes)), again=True)


def _searched(mechanism: Mechanism, size: Size, seed: int) -> list[Found]:
    """Random configurations in which something was SUPPORTED; only these need a truth."""
    rng = np.random.default_rng(seed_of(seed, mechanism.world, "search"))
    light, found = min(size.truth, 200), []
    for strength, world in [configuration(mechanism, rng) for _ in range(size.random)]:
        outcomes = run_studies(world, size.probe, seed_of(seed, world, "search"))
        if any(one.word.startswith("SUPPORTED") for one in outcomes):
            found.append(Found(strength, world, truth_of(world, starts=light), outcomes))
    return found


def configuration(mechanism: Mechanism, rng: np.random.Generator) -> tuple[float, World]:
    """A strength from the range of the grid, and circumstances that no mechanism names: start, spread, luck, gate."""
    low, high = min(mechanism.grid), max(mechanism.grid)
    strength = float(rng.uniform(low, high))
    world = mechanism.at(round(strength) if all(value == int(value) for value in mechanism.grid) else strength)
    around = {"gain.base": rng.uniform(0.2, 0.6), "gain.spread": rng.uniform(0.0, 0.1)}
    if "gain.luck" not in mechanism.strength and world.gain.luck == World().gain.luck:
        around["gain.luck"] = rng.uniform(0.0, 0.03)
    for path, value in around.items():
        if path not in mechanism.strength:
            world = world.at(path, float(value))
    return strength, world
