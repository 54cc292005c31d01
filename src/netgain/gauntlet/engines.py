"""Two real engines on the same proposals, by their Python hooks, with a proposer that needs no language model.

GEPA (`propose_new_texts` of an adapter) and agentdescent (`evolve` with `run` and `propose`). A candidate is a text
that names the proposals it carries; the engine decides which are kept, by its own code. Both are in the extra `test`;
where one is absent, that is said. cap-evolve is on no package index under that name, so agentdescent stands for it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

import numpy as np

from netgain.gauntlet.field import Field, Floats, lay_out
from netgain.gauntlet.population import Mechanism, development
from netgain.gauntlet.rates import Rate
from netgain.gauntlet.rules import TASKS

Json = Any
ON = {"fake": "best-of-many noise", "fake 2": "compute only", "genuine": "true gain, large"}
CARRIED = re.compile(r"proposal (\d+)")


@dataclass(frozen=True)
class Engine:
    """What a real engine said.

    Attributes:
        name, version: of the package; version "" when it is absent.
        n: runs on each of the fakes and on the genuine gain.
        false_claims, missed_gains: shares, None when it was skipped.
        evaluations: task answers of a run, on average.
        skipped: why it was not run.
        on: mechanisms that it was run on.
    """

    name: str
    version: str
    n: int
    false_claims: float | None
    missed_gains: float | None
    evaluations: int
    skipped: str
    on: tuple[str, ...] = tuple(ON.values())


@dataclass
class Ground:
    """One run of a field as an engine sees it: a text in, scores of tasks out. Counts what is asked."""

    field: Field
    row: int
    asked: int = 0
    proposed: int = 0

    def scores(self, text: str) -> Floats:
        """(tasks,) scores of the system that a text names; the same text always scores alike."""
        carried = sorted({int(one) for one in CARRIED.findall(text) if int(one) <= self.field.proposals})
        system = self.field.start + sum(
            (self.field.steps[j - 1] for j in carried), start=np.zeros_like(self.field.start)
        )
        return np.asarray(self.field.measure(system, max(carried, default=0))[self.row])

    def next(self) -> int | None:
        """Number of the next proposal, None when all were made."""
        self.proposed += 1
        return self.proposed if self.proposed <= self.field.proposals else None


def run_engines(runs: int, seed: int) -> list[Engine]:
    """Both engines on two fakes and a genuine gain at their weakest strength, `runs` runs each."""
    return [_engine(name, play, runs, seed) for name, play in (("gepa", gepa), ("agentdescent", agentdescent))]


def _engine(name: str, play: Callable[[Ground], float], runs: int, seed: int) -> Engine:
    try:
        import_module(name)
        version = metadata.version(name)
    except (ImportError, metadata.PackageNotFoundError) as error:
        return Engine(name, "", 0, None, None, 0, f"not installed ({error}); it is in netgain[test]")
    known = {one.name: one for one in development().mechanisms}
    false, missed, asked = Rate(0, 0), Rate(0, 0), 0
    for label, mechanism in ON.items():
        claims, spent = _claims(play, known[mechanism], runs, seed)
        asked += spent
        if label == "genuine":
            missed += Rate(runs - claims, runs)
        else:
            false += Rate(claims, runs)
    return Engine(name, version, runs, false.value, missed.value, round(asked / (len(ON) * runs)), "")


def _claims(play: Callable[[Ground], float], mechanism: Mechanism, runs: int, seed: int) -> tuple[int, int]:
    world = mechanism.at(mechanism.grid[0])
    field, claims, asked = lay_out(world, runs, TASKS, [seed, 33]), 0, 0
    for row in range(runs):
        ground = Ground(field, row)
        claims += play(ground) >= world.asked.by
        asked += ground.asked
    return claims, asked


def gepa(ground: Ground) -> float:
    """The gain that GEPA reports: its best candidate's mean on the validation set minus the seed's."""
    engine, batches = import_module("gepa"), import_module("gepa.core.adapter")

    class Adapter:
        """The seam that GEPA gives."""

        propose_new_texts: Any = None

        def evaluate(self, batch: Sequence[int], candidate: Mapping[str, str], capture_traces: bool = False) -> Any:
            ground.asked += len(batch)
            scores = [float(one) for one in np.nan_to_num(ground.scores(candidate["system"])[list(batch)])]
            return batches.EvaluationBatch(outputs=list(scores), scores=scores, trajectories=list(scores))

        def make_reflective_dataset(self, candidate: Any, batch: Any, components: Sequence[str]) -> dict[str, Any]:
            return {name: [{"score": one} for one in batch.scores] for name in components}

    def propose(candidate: Mapping[str, str], data: Any, components: Sequence[str]) -> dict[str, str]:
        number = ground.next()
        text = candidate["system"] + (f"\nproposal {number}" if number else "")
        return dict.fromkeys(components, text)

    own = Adapter()
    own.propose_new_texts = propose
    tasks = list(range(ground.field.tasks))

    class Quiet:
        def log(self, message: str) -> None:
            """GEPA narrates; this run does not."""

    found = engine.optimize(
        {"system": "generation 0"}, tasks, tasks, adapter=own, logger=Quiet(), seed=ground.row,
        skip_perfect_score=False, stop_callbacks=lambda state: ground.proposed >= ground.field.proposals,
        max_metric_calls=10 * len(tasks) * (ground.field.proposals + 1),
    )  # fmt: skip
    scores = found.val_aggregate_scores
    return float(scores[found.best_idx] - scores[0])


def agentdescent(ground: Ground) -> float:
    """The gain that agentdescent reports: its final reward on the held-out tasks minus that before the first round."""
    engine, evolution = import_module("agentdescent"), import_module("agentdescent.evolution")
    tasks = [evolution.Task(str(place), f"task {place}") for place in range(ground.field.tasks)]

    def run(rendered: str, task: Any) -> str:
        ground.asked += 1
        return str(float(np.nan_to_num(ground.scores(rendered)[int(task.id)])))

    def propose(rendered: str, task: Any, output: str, reward: float) -> str | None:
        number = ground.next()
        return f"proposal {number}" if number else None

    first = float(np.nan_to_num(ground.scores("")[-len(tasks) // 2 :]).mean())
    with tempfile.TemporaryDirectory(prefix="netgain-engine-") as folder:
        found = engine.evolve(
            tasks, lambda task, output: float(output), run=run, propose=propose, rounds=2 * ground.field.proposals,
            n_workers=1, eval_concurrency=1, held_out_frac=0.5, self_verify=False, repo_path=folder, seed=ground.row,
            stop_when=lambda info: ground.proposed >= ground.field.proposals,
        )  # fmt: skip
    return float(found.final_reward) - first
