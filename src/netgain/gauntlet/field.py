"""The ground on which the rules of the field are run: the claimed loop's own proposals, a selection set, a second set.

Every rule meets the same starts, the same proposals, the same tasks and the same answer noise (common random numbers).
A system is a row of five numbers: skill, what the selection set and the second set show beyond it, and the shares of
would-be wrong tasks on which it gives no answer or no finite score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from netgain.gauntlet.answers import Singles, difficulties, luck, right
from netgain.gauntlet.lineage import (
    EXPLOIT,
    LEAK,
    SEALED,
    SELECTION,
    SILENT,
    SKILL,
    UNSCORABLE,
    arm,
    draw_starts,
    increment,
)  # fmt: skip
from netgain.gauntlet.world import Gain, World

Floats = npt.NDArray[np.float64]
TRAITS = (SKILL, SELECTION, SEALED, SILENT, UNSCORABLE)


@dataclass(frozen=True)
class Field:
    """Proposals and tasks of many independent runs of one loop.

    Attributes:
        start: (runs, 5) generation 0.
        steps: (proposals, runs, 5) what each proposal adds to its parent.
        hard: selection and second set, (runs, tasks) each.
        noise: (2, proposals + 1, runs, tasks) answer noise of what each proposal makes; 0 is generation 0.
        baseline, drift, challenger: faults of the measurement, see `world.Faults`; drift over the whole run.
    """

    start: Floats
    steps: Floats
    hard: Singles
    noise: Singles
    baseline: float
    drift: float
    challenger: float
    seed: Sequence[int]

    @property
    def runs(self) -> int:
        """Independent runs."""
        return len(self.start)

    @property
    def proposals(self) -> int:
        """Proposals of each."""
        return len(self.steps)

    @property
    def tasks(self) -> int:
        """Tasks of the selection set."""
        return int(self.hard.shape[2])

    def rng(self, rule: str) -> np.random.Generator:
        """A rule's own randomness (which parent it takes)."""
        return np.random.default_rng([*self.seed, *rule.encode()])

    def measure(self, system: Floats, proposal: int, *, second: bool = False, noise: Singles | None = None) -> Floats:
        """(runs, tasks) scores of a system as proposal `proposal` made it; NaN where there is none."""
        shown = system[:, 2 if second else 1] + self.drift * proposal / max(1, self.proposals)
        shown = shown + (self.challenger if proposal else -self.baseline)
        drawn = self.noise[int(second), proposal] if noise is None else noise
        scores = right(system[:, 0] + shown, self.hard[int(second)], drawn).astype(np.float64)
        if system[:, 3:].any():
            fate = drawn * 997.0 % 1.0  # another digit of the same draw
            gone = (fate < system[:, 3, None]) | (fate > 1.0 - system[:, 4, None])
            scores[(scores == 0) & gone] = np.nan
        return scores

    def again(self, rng: np.random.Generator) -> Singles:
        """Answer noise of one more measurement of the same system."""
        return luck(rng, self.runs, self.tasks)


def _measured(world: World, step: Floats) -> Floats:
    """(runs, 5) what a step adds, as rules meet it: nobody tests their scorer or looks into the loop's material.

    An exploit and a leak show on what generation 0 would get wrong, on the first set and on the second.
    """
    found = step[:, TRAITS]
    shown = (step[:, EXPLOIT] + step[:, LEAK]) * (1.0 - world.gain.base)
    found[:, 1:3] += shown[:, None]
    return found


def lay_out(world: World, runs: int, tasks: int, seed: Sequence[int]) -> Field:
    """The field of a world: `tries` proposals in each of its rounds, the first of which carries the round's gain."""
    root = np.random.SeedSequence([*seed, runs, tasks])
    drawn, stepped, items = (np.random.default_rng(one) for one in root.spawn(3))
    starts = draw_starts(world, drawn, runs, 1)
    one = replace(world, gain=replace(world.gain, tries=1))
    bare = World(gain=Gain(edits=world.gain.edits, luck=0.0), asked=world.asked)
    steps = [
        _measured(world, increment(one if attempt == 0 else bare, arm("self"), starts, t, stepped))
        for t in range(1, world.asked.rounds + 1)
        for attempt in range(world.gain.tries)
    ]
    first = np.zeros((runs, len(TRAITS)))
    first[:, 0] = starts.base
    faults = world.faults
    cluster = faults.cluster
    hard = np.stack([difficulties(items, runs, tasks, cluster) for _ in range(2)])
    noise = np.stack([[luck(items, runs, tasks, cluster) for _ in range(len(steps) + 1)] for _ in range(2)])
    return Field(first, np.array(steps), hard, noise, faults.baseline, faults.drift * world.asked.rounds,
                 faults.challenger, list(seed))  # fmt: skip
