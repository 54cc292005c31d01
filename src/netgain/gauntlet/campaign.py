"""One run of the gauntlet: every mechanism over its strengths, its truth, and the rules of the field beside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from netgain.gauntlet.engines import Engine, run_engines
from netgain.gauntlet.found import Found, Size, look_at, spread
from netgain.gauntlet.kept import Kept, mechanism_of
from netgain.gauntlet.population import Mechanism, Population
from netgain.gauntlet.power import Powered, power_curve
from netgain.gauntlet.rules import Compared, compare
from netgain.gauntlet.search import Worst, worst_of
from netgain.gauntlet.small import RealLoop, run_small
from netgain.gauntlet.studies import Outcome

Json = Any
NOTHING = Kept()  # keeps nothing


@dataclass(frozen=True)
class Measured:
    """A mechanism over its strengths."""

    mechanism: Mechanism
    found: Sequence[Found]
    rules: Sequence[Compared] = ()
    worst: Worst | None = None

    @property
    def outcomes(self) -> list[Outcome]:
        """Of all strengths."""
        return [outcome for one in self.found for outcome in one.outcomes]


@dataclass(frozen=True)
class Run:
    """Everything that one call of the gauntlet found; `resumed` mechanisms it found finished, outside `seconds`."""

    population: Population
    size: Size
    quick: bool
    seed: int
    seconds: float
    resumed: int
    measured: Sequence[Measured]
    real: Sequence[RealLoop] = ()
    engines: Sequence[Engine] = ()
    power: Sequence[Powered] = ()


def measure(mechanism: Mechanism, size: Size, seed: int, kept: Kept = NOTHING) -> Measured:
    """Run the studies of one mechanism, spread evenly over its strengths; the search and the rules on top."""
    return kept.get(mechanism_of(mechanism, size, seed), lambda: _measure(mechanism, size, seed))


def _measure(mechanism: Mechanism, size: Size, seed: int) -> Measured:
    each = spread(size.studies, len(mechanism.grid))
    found = [look_at(mechanism.at(strength), n, size, seed, strength)
             for strength, n in zip(mechanism.grid, each, strict=True)]  # fmt: skip
    met = mechanism.kind in ("fake", "genuine") and mechanism.world.asked.usual
    rules = compare(found, size.rules, seed) if met else ()
    worst = worst_of(mechanism, found, size, seed) if mechanism.kind == "fake" else None
    return Measured(mechanism, found, rules, worst)


def run(
    population: Population, size: Size, *, quick: bool, seed: int, workers: int | None = None,
    watch: Callable[[str], None] = lambda _: None, kept: Kept = NOTHING, whole: bool = True,
) -> Run:  # fmt: skip
    """Run a population. Equal seeds give equal results, whatever the number of workers and whatever was kept.

    A part of a population (`whole` False) has no power curve, real loops and engines: those belong to no mechanism.
    """
    began = time.monotonic()
    order = sorted(population.mechanisms, key=lambda one: -one.world.conduct.shop - 20 * ("shop" in one.strength[0]))
    resumed = sum(kept.has(mechanism_of(one, size, seed)) for one in order)
    measured = []
    for done, one in enumerate(_mapped(order, size, seed, workers, kept), start=1):
        measured.append(one)
        watch(f"{done} of {len(order)} mechanisms: {one.mechanism.name}")
    place = {one.name: at for at, one in enumerate(population.mechanisms)}
    measured.sort(key=lambda one: place[one.mechanism.name])
    watch("power curve")
    power = kept.get(["power", size.studies, size.truth, seed], lambda: power_curve(size, seed)) if whole else []
    watch("small real loops")
    real = run_small(size.real, kept) if size.real and whole else []
    watch("real engines")
    engines = run_engines(size.engines, seed) if size.engines and whole else []
    seconds = time.monotonic() - began
    return Run(
        population, size, quick, seed, seconds, resumed, tuple(measured), tuple(real), tuple(engines), tuple(power)
    )


def _mapped(order: Sequence[Mechanism], size: Size, seed: int, workers: int | None, kept: Kept) -> Iterator[Measured]:
    hands = workers or os.cpu_count() or 1
    if hands == 1:
        yield from (measure(one, size, seed, kept) for one in order)
        return
    with ProcessPoolExecutor(hands) as pool:
        yield from _finished(pool.submit(measure, one, size, seed, kept) for one in order)


def _finished(futures: Iterable[Any]) -> Iterator[Measured]:
    yield from (future.result() for future in list(futures))
