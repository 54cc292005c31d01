"""The gate on many runs at once rules as `gates.judge.decide` rules on each of them."""

import numpy as np
import pytest

from netgain.gates import AxisScores, decide
from netgain.gates.gate import plan_of
from netgain.gauntlet.gating import CONTINUE, OUTCOMES, judge
from netgain.gauntlet.lineage import LOOKS, suite

RUNS = 60
LEVELS = np.linspace(-0.35, 0.45, RUNS)


def blocks(seed, *, guard=0.0, missing=0.0):
    """Scores of candidate, released and generation 0, from harm to gain over the runs, in two blocks."""
    rng, axes = np.random.default_rng(seed), suite(1)
    made = []
    for _ in range(LOOKS):
        block = {}
        for axis in (axes.gate_axis, *axes.guards):
            base = 0.45 if axis is axes.gate_axis else 0.9
            lift = LEVELS if axis is axes.gate_axis else np.full(RUNS, guard)
            hard = rng.random((RUNS, axis.gate_items))
            block[axis.name] = {
                role: (hard < (base + (lift if role == "candidate" else 0 * lift))[:, None]).astype(float)
                for role in ("candidate", "released", "anchor")
            }
            for scores in block[axis.name].values():
                flipped = rng.random(scores.shape) < 0.04
                scores[flipped] = 1.0 - scores[flipped]
                scores[rng.random(scores.shape) < missing] = np.nan
        made.append(block)
    return made


def one_by_one(plan, made):
    """The same decisions by the real judge, run after run, and the blocks that each took."""
    outcomes, used = [], []
    for run in range(RUNS):
        for look in range(LOOKS):
            scores = {
                axis: AxisScores(*(np.concatenate([b[axis][role][run] for b in made[: look + 1]])
                                   for role in ("candidate", "released", "anchor")))
                for axis in made[0]
            }  # fmt: skip
            decision = decide(plan, 2, scores, exhausted=look == LOOKS - 1)
            if decision.final:
                break
        outcomes.append(decision.outcome)
        used.append(look + 1)
    return outcomes, used


@pytest.mark.parametrize("mode", ["strict", "advance"])
@pytest.mark.parametrize(("guard", "missing"), [(0.0, 0.0), (-0.3, 0.0), (0.05, 0.04), (0.0, 0.2)])
def test_many_runs_are_ruled_on_as_each_of_them(mode, guard, missing):
    made = blocks(7, guard=guard, missing=missing)
    plan = plan_of(suite(1), mode, 5)

    def draw(rows, look):
        return {axis: {role: one[rows] for role, one in roles.items()} for axis, roles in made[look].items()}

    ruled = judge(plan, 2, draw, RUNS, looks=LOOKS)
    outcomes, used = one_by_one(plan, made)
    assert [OUTCOMES[int(one)] for one in ruled.outcome] == outcomes
    assert ruled.looks.tolist() == used
    assert CONTINUE not in ruled.outcome


def test_the_worlds_reach_every_outcome():
    made = blocks(7)
    outcomes, _ = one_by_one(plan_of(suite(1), "strict", 5), made)
    assert set(outcomes) == {"promote", "reject", "undecided"}
