"""`solver`: a small trained network and a search at answer time, whose loop refines how it searches.

Puzzles ask to join numbers into a goal. The system answers by a beam search that its network guides, within so many
looks as the puzzle allows; twelve numbers say what it expands, when it hands over to an exact tool, and when it stops.
Each round it edits these numbers, tries the edits on puzzles that it makes itself, and takes what solves more of them
by its own exact check. The network stays what it was. Generation 0 stops after half of what it may spend, so part of
what can be gained is plain search: arms that answer with two to sixteen times as many looks tell the two apart.
Numbers: docs/recipes/solver.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.metric import Metric
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.solver.guess import BATCH, PASSES, batches, fresh, train
from netgain.recipes.solver.search import ASKED, LOW, PLAIN, TOOL, TOOLS, admissible
from netgain.recipes.solver.sums import puzzle, reached, way_of
from netgain.recipes.solver.trials import (
    EDITS,
    SIZES,
    UNIT,
    Edits,
    anywhere,
    by_size,
    climb,
    drawn,
    solving,
    stepping,
    valued,
    width_and_stop,
    without_tools,
)
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop
from netgain.suite import Suite, axis

Json = Any
System = dict[str, Any]

ALLOWED, ALLOWED_HARDER = 2000, 4000  # looks of a puzzle of 4 to 6 numbers, and of 7
HARDER = 7  # numbers of puzzles that no round makes
SPREAD = 0.1  # of generation 0 around `PLAIN`, in units of each number
OWN = 30  # puzzles of a round-0 score
TRIALS = ("within", "anything")
# rounds, starts; tries of a round, puzzles of a try; states that the network learns from; gate, report, sealed items
Numbers = tuple[int, int, int, int, int, int, int, int]
NUMBERS: Mapping[str, Numbers] = {
    "tiny": (2, 2, 1, 3, 1024, 6, 3, 12),
    "default": (5, 9, 3, 15, 8192, 12, 12, 120),
}
NOTES = {
    "trials": "what the system's own trials count: within (solved within the allowance), anything (solved, whatever "
    "it took: planted, more search passes for a better policy)",
}
STATE = {
    "parent": "numbers that are edited, and the network",
    "improver": "nothing that changes: a rule draws the edits, and the exact check judges them",
    "position": "length of the edits",
}
NO_IMPROVER = "the rule that draws edits never changes: it would be the loop itself"
CONTROLS = (
    "frozen", "ordinary", "placebo", "unguarded:better.filter", "random_search", "random_proposer",
    "sampled:2", "sampled:4", "sampled:8",
)  # fmt: skip
MORE = ("sampled:16",)


@dataclass(frozen=True)
class Solver:
    """The loop of one setting.

    Attributes:
        trials: of `TRIALS`: what own trials count.
        size: of `NUMBERS`.
    """

    trials: str = "within"
    size: str = "default"

    def __post_init__(self) -> None:
        for kind, value, known in (("trials", self.trials, TRIALS), ("size", self.size, NUMBERS)):
            if value not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'solver'", value, known)

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0: a network trained from scratch on states of known ways, and a plain policy."""
        count = NUMBERS[self.size][4]
        network = train(fresh(rng), count, rng)
        policy = admissible(PLAIN + SPREAD * UNIT * rng.standard_normal(len(PLAIN)))
        policy[TOOL] = LOW[TOOL]  # no tool
        learnt = batches(count) * BATCH * PASSES * (1 + ASKED)
        return Started({"policy": policy, "network": dict(network)}, {"tokens": learnt, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Step from the parent's policy, race the steps on own puzzles, and let those pass that won."""
        return self._round(view, stepping(view.rng), "steps from its own policy, tried on own puzzles")

    def random_search(self, view: View) -> Change:
        """As many policies drawn evenly from the boxes, tried in the same way."""
        return self._round(view, anywhere(view.rng), "policies drawn evenly from their boxes")

    def ordinary(self, view: View) -> Change:
        """Plain tuning: one width for the whole beam and where to stop, drawn evenly; all else as it was."""
        made = self._round(view, width_and_stop(anywhere(view.rng)), "plain tuning of width and stop")
        return replace(made, parts=[replace(one, decided_by="rule") for one in made.parts])

    def _round(self, view: View, edits: Edits, reason: str) -> Change:
        """A chain of tries. Its examples are the steps; those that were taken pass."""
        state = view.state or {"stretch": 1.0}
        edits = without_tools(edits) if "tools" in view.closed else edits
        _, _, tries, on, *_ = NUMBERS[self.size]
        before = view.parent["policy"]
        found = climb(
            view.parent["network"], before, edits, state["stretch"], view.rng,
            tries=round(tries * view.budget.scale), on=on, allowed=ALLOWED, due=view.budget.tokens,
            within=self.trials == "within",
        )  # fmt: skip
        view.budget.spend(tokens=found.looks, flops=0, calls=found.tries)
        if not found.tries:
            return Change([Part("policy", None, reason="nothing is left to spend")], state)
        taken = int(found.taken.sum())
        seen = {"before": round(found.before, 6), "after": round(found.after, 6), "taken": taken, "tries": found.tries}
        steps = Examples([f"{view.round}/{at}" for at in range(len(found.steps))], found.steps.round(9).tolist())
        parts = [Part("policy", steps, reason=reason, options=len(found.steps), evidence=seen)]
        if "tools" not in view.closed:
            parts += _of_tools(before, found.steps[found.taken].sum(axis=0))
        return Change(parts, {"stretch": found.stretch}, {"better": [bool(one) for one in found.taken]})

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """The steps that passed are taken, one after the other."""
        budget.spend(tokens=0, flops=0, calls=0)
        kept = change.examples
        if kept is None or not kept.labels:
            return dict(parent)
        steps = np.array(kept.labels, dtype=np.float64).sum(axis=0)
        return {**parent, "policy": admissible(parent["policy"] + steps).round(9)}

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """The first solution that the search finds, and the looks that it took; no step where it finds none."""
        return self._answers(system, inputs, budget, rng, 1)

    def sampled(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """The same search with so many times the looks: its own check ends it at the first solution."""
        return self._answers(system, inputs, budget, rng, budget.tries)

    def _answers(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any, times: int) -> list[Json]:
        said: list[Json] = [None] * len(inputs)
        asked = by_size(*([one[key] for one in inputs] for key in ("numbers", "goal", "allowed")))
        for one in asked:
            found, looks = solving(system["network"], system["policy"][None], one, rng, times)
            budget.spend(tokens=looks)
            for place, numbers, solved, codes, cost in zip(
                one.at.tolist(), one.numbers.tolist(), found.solved, found.codes, found.looks.tolist(), strict=True
            ):
                said[place] = {"answer": way_of(numbers, codes) if solved else [], "cost": cost}
        budget.spend(tokens=0, flops=0, calls=len(inputs))
        return said

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """Share of own puzzles that it solves, as its trials count it; the check is exact, whoever judges."""
        asked = drawn(rng, OWN, ALLOWED)
        worth, looks = valued(system["network"], system["policy"][None], asked, rng, within=self.trials == "within")
        budget.spend(tokens=looks, flops=0, calls=OWN)
        return max(0.0, float(worth[0]))

    def suite(self) -> Suite:
        """Puzzles as in the rounds decide; that answers stay within their looks guards; longer ones stand beside."""
        *_, gate, report, sealed = NUMBERS[self.size]
        counts: dict[str, Any] = {"gate_items": gate, "report_items": report, "sealed_items": sealed}
        beside: dict[str, Any] = {"gate_items": 0, "report_items": 0, "sealed_items": sealed // 3}
        steps = [axis(f"steps_{size - 1}", _of_size(size), SOLVED, **beside) for size in SIZES]
        return Suite(
            [
                axis("solved", mixed, SOLVED, moment=0.2, **counts),
                axis("within", mixed, WITHIN, kind="cost", guard=True, margin=0.05, step_margin=0.05, moment=0.02,
                     **counts),
                *steps,
                axis(f"steps_{HARDER - 1}", harder, SOLVED, kind="robustness", **beside),
            ],
            block=gate, max_pairs=gate, design_gain=0.1,
        )  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its own trials alone decide; the gate only watches."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary=self.ordinary, sampled=self.sampled,
            random_search=self.random_search, own_score=self.own_score, filters=(Filter("better", ("filter",)),),
            state=STATE, surfaces=("policy", "tools"), closable=("tools",), gate="watch", sees_accepted=False,
            not_testable={"stacked": NO_IMPROVER, "improver_only": NO_IMPROVER},
        )  # fmt: skip


def _of_tools(policy: Any, moved: Any) -> list[Part]:
    """What the steps that won would make of the tool, where they move it."""
    if not moved[list(TOOLS)].any():
        return []
    numbers, least = admissible(policy + moved)[list(TOOLS)].tolist()
    payload = {"numbers_left": round(numbers), "least": round(least, 6)}
    seen = {"before": round(float(policy[TOOL])), "edits": EDITS}
    return [Part("tools", payload, reason=f"the tool takes over with {round(numbers)} numbers left", evidence=seen)]


def _asked(seed: int, index: int, size: int, allowed: int) -> tuple[Json, Json]:
    made = puzzle(np.random.default_rng([seed, index]), size)
    asked = {"numbers": list(made.numbers), "goal": made.goal, "allowed": allowed}
    return asked, {**asked, "way": [list(step) for step in made.way]}


def mixed(seed: int, index: int) -> tuple[Json, Json]:
    """A puzzle as the rounds make them: of 4, 5 or 6 numbers in turn."""
    return _asked(seed, index, SIZES[index % len(SIZES)], ALLOWED)


def steps_3(seed: int, index: int) -> tuple[Json, Json]:
    """A puzzle of 4 numbers: 3 steps."""
    return _asked(seed, index, 4, ALLOWED)


def steps_4(seed: int, index: int) -> tuple[Json, Json]:
    """A puzzle of 5 numbers: 4 steps."""
    return _asked(seed, index, 5, ALLOWED)


def steps_5(seed: int, index: int) -> tuple[Json, Json]:
    """A puzzle of 6 numbers: 5 steps."""
    return _asked(seed, index, 6, ALLOWED)


def harder(seed: int, index: int) -> tuple[Json, Json]:
    """A puzzle of 7 numbers, 6 steps, with twice the allowance: no round makes such."""
    return _asked(seed, index, HARDER, ALLOWED_HARDER)


def _of_size(size: int) -> Callable[[int, int], tuple[Json, Json]]:
    return {4: steps_3, 5: steps_4, 6: steps_5}[size]


def solved(output: Json, target: Json) -> float:
    """1 where the steps join exactly these numbers into the goal, worked out here from the steps alone."""
    steps = output.get("answer") if isinstance(output, Mapping) else output
    return float(reached(target["numbers"], target["goal"], steps))


def within(output: Json, target: Json) -> float:
    """1 where the answer took no more looks than its puzzle allows, by the system's own count."""
    cost: Json = output.get("cost") if isinstance(output, Mapping) else None
    return float(isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost <= target["allowed"])


def _right(target: Json) -> Json:
    return {"answer": target["way"], "cost": 0}


SOLVED, WITHIN = Metric("solved", solved, oracle=_right), Metric("within", within, oracle=_right)


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device.
    """
    made = with_options(Solver, "solver", given, device)
    rounds, starts, *_ = NUMBERS[made.size]
    tiny = made.size == "tiny"
    claim = Claim(
        "solved", by=0.02, beats=("frozen", "sampled:2", "random_proposer"), rung="R2" if tiny else "R4", expected=0.15,
        looks=(6, 9),
    )  # fmt: skip
    arms = ("self", *CONTROLS, *(() if tiny else MORE))
    return Built(made.loop(), made.suite(), claim, arms, rounds, starts, options=options_of(made), notes=NOTES)
