"""`improver`: an evolution strategy that edits its own four numbers, and is asked whether it got better at editing.

The system minimises functions by a (1+1) evolution strategy. Each round the same strategy proposes edits of its own
numbers, tries them on functions that it draws itself, and takes the best one where it beats what it has; then again
from there, several times a round. So what improves is also what improves it. Beside it stand a strategy that stays what
it was and edits for ever (`stacked`), numbers drawn evenly at the same spend (`random_proposer`), as many steps kept at
random (`placebo`), and its own frozen improver moved to functions of another kind. How often a round tries, on how many
functions, and when to stop, is the system's own choice. Numbers: docs/recipes/improver.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.improver.strategy import (
    EDITS,
    POOR,
    UNIT,
    Edits,
    admissible,
    anywhere,
    as_numbers,
    climb,
    first_step_alone,
    scored,
    solved,
    stepping,
)
from netgain.recipes.improver.tasks import QUADRATIC, STEEP, STEPS, VALLEYS, Floats, batch, drawn, score
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop, Transplant
from netgain.suite import Suite, axis

Json = Any
System = dict[str, Any]

SPREAD = 0.1  # of generation 0 around `POOR`, in units of each number
SHORT, USUAL, LONG = 4, 6, 8  # tries of a round
ON, ON_MORE = 16, 32  # functions of a try
PATIENCE = 2  # rounds in which no edit was taken, after which the system stops
# rounds, starts; gate, report and sealed items
SIZES = {"tiny": (3, 6, 8, 4, 16), "demo": (8, 6, 16, 8, 60), "default": (8, 20, 16, 8, 60)}
NOTES = {"edits": "numbers that it may edit: own (all four), or step (the first step alone)"}
STATE = {
    "parent": "numbers that are edited",
    "improver": "numbers that edit",
    "position": "what success and failure have made of the first step, and how many tries were successes",
}
CONTROLS = ("frozen", "ordinary", "placebo", "unguarded:better.filter", "random_proposer", "stacked")
MORE = ("flat", "one_step")  # what the rungs of repetition and of an improver ask for besides


@dataclass(frozen=True)
class Improver:
    """The loop of one setting.

    Attributes:
        edits: "own" or "step": what a round may edit.
        size: of `SIZES`.
    """

    edits: str = "own"
    size: str = "default"

    def __post_init__(self) -> None:
        for kind, value, known in (("edits", self.edits, ("own", "step")), ("size", self.size, SIZES)):
            if value not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'improver'", value, known)

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0: a short step that never changes, a little different in every start."""
        numbers = admissible(POOR + SPREAD * UNIT * rng.standard_normal(len(POOR)))
        return Started({"numbers": _stored(numbers)}, {"tokens": 0, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Edit the parent's numbers as the improver steps, try the edits on own functions, and take the best."""
        edits = stepping(as_numbers(view.improver["numbers"]), view.rng)
        return self._round(view, self._allowed(edits), "steps of its own strategy")

    def random_search(self, view: View) -> Change:
        """As many strategies drawn evenly from the boxes, tried in the same way."""
        return self._round(view, self._allowed(anywhere(view.rng)), "numbers drawn evenly from their boxes")

    def ordinary(self, view: View) -> Change:
        """Plain tuning: the first step alone, drawn evenly from its box, everything else as it was."""
        made = self._round(view, first_step_alone(anywhere(view.rng)), "plain tuning of the first step")
        return replace(made, parts=[replace(one, decided_by="rule") for one in made.parts])

    def transplant(self, view: View) -> Change:
        """One round of steps from a foreign generation 0, tried on functions of a kind that no round uses."""
        edits = self._allowed(stepping(as_numbers(view.improver["numbers"]), view.rng))
        return self._climbed(view, edits, USUAL, ON, _fresh(), "steps from a foreign start", family=VALLEYS)

    def _allowed(self, edits: Edits) -> Edits:
        return first_step_alone(edits) if self.edits == "step" else edits

    def _round(self, view: View, edits: Edits, reason: str) -> Change:
        state = view.state or _fresh()
        tries, on = (USUAL, ON) if "curriculum" in view.closed else _plan(state)
        stop = state["idle"] >= PATIENCE and "curriculum" not in view.closed
        if view.budget.tokens is not None:  # a control that has parted from the loop has so much to spend
            tries, stop = round(view.budget.tokens / ((EDITS + 1) * ON)), False
            on = ON
        elif view.budget.scale > 1:
            tries = round(view.budget.scale * tries)
        chosen = [] if "curriculum" in view.closed else _decided(state, tries, on, stop)
        if stop or not tries:
            view.budget.spend(tokens=0, flops=0, calls=0)
            return Change(chosen or [Part("improver", None, reason="nothing is left to spend")], state)
        made = self._climbed(view, edits, tries, on, state, reason)
        return replace(made, parts=[*made.parts, *chosen])

    def _climbed(
        self, view: View, edits: Edits, tries: int, on: int, state: Mapping[str, Any], reason: str,
        *, family: str = QUADRATIC,
    ) -> Change:  # fmt: skip
        """A chain of tries on functions that nobody else draws. Its examples are the steps; the taken ones pass."""
        given = (drawn(family, on, view.rng) for _ in range(tries))
        numbers, improver = as_numbers(view.parent["numbers"]), as_numbers(view.improver["numbers"])
        found = climb(numbers, edits, state["stretch"], improver, given)
        view.budget.spend(tokens=found.ran, flops=0, calls=found.ran * STEPS)
        taken = int(found.taken.sum())
        seen = {"before": round(found.before, 6), "after": round(found.after, 6), "taken": taken, "tries": tries}
        steps = Examples([f"{view.round}/{at}" for at in range(len(found.steps))], found.steps.tolist())
        part = Part("improver", steps, reason=reason, options=len(found.steps), evidence=seen)
        idle = 0 if taken else state["idle"] + 1
        after = {"stretch": found.stretch, "idle": idle, "share": round(taken / tries, 6)}
        return Change([part], after, {"better": [bool(one) for one in found.taken]})

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """The steps that passed are taken, one after the other."""
        budget.spend(tokens=0, flops=0, calls=0)
        kept = change.examples
        if kept is None or not kept.labels:
            return dict(parent)
        steps = np.array(kept.labels, dtype=np.float64)
        return {"numbers": _stored(admissible(as_numbers(parent["numbers"]) + steps.sum(axis=0)))}

    def drifted(self, first: System, last: System, rng: Any) -> System:
        """As far from the first as the last one, in a random direction."""
        begun, ended = as_numbers(first["numbers"]), as_numbers(last["numbers"])
        way = rng.standard_normal(len(begun))
        length = float(np.linalg.norm((ended - begun) / UNIT))
        return {"numbers": _stored(admissible(begun + UNIT * length * way / float(np.linalg.norm(way))))}

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """The best point that the strategy finds on each function within its evaluations."""
        budget.spend(tokens=len(inputs), flops=0, calls=len(inputs) * STEPS)
        found: list[Json] = [None] * len(inputs)
        for alike in ((QUADRATIC, STEEP), (VALLEYS,)):
            places = [at for at, one in enumerate(inputs) if one["family"] in alike]
            if not places:
                continue
            given = batch(tuple((inputs[at]["family"], inputs[at]["seed"]) for at in places))
            points, _ = solved(as_numbers(system["numbers"])[None], given)
            for at, point in zip(places, np.round(points[0], 9).tolist(), strict=True):
                found[at] = point
        return found

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """Mean score on functions as a round draws them; who judges makes no difference."""
        scores = scored(as_numbers(system["numbers"])[None], drawn(QUADRATIC, ON_MORE, rng))
        budget.spend(tokens=scores.size, calls=scores.size * STEPS)
        return float(scores.mean())

    def suite(self) -> Suite:
        """Quadratics as in the rounds decide; steeper ones guard; functions with many valleys stand beside."""
        _, _, gate, report, sealed = SIZES[self.size]
        counts: dict[str, Any] = {"gate_items": gate, "report_items": report, "sealed_items": sealed}
        beside: dict[str, Any] = {"gate_items": 0, "report_items": 0, "sealed_items": sealed}
        return Suite(
            [
                axis("quadratic", quadratic, fall, moment=0.02, **counts),
                axis("steep", steep, fall, kind="robustness", guard=True, moment=0.02, **counts),
                axis("valleys", valleys, fall, kind="sibling", **beside),
            ],
            block=gate, max_pairs=gate, design_gain=0.1,
        )  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its own trials alone decide; the gate only watches."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary=self.ordinary,
            random_search=self.random_search, own_score=self.own_score, filters=(Filter("better", ("filter",)),),
            state=STATE, surfaces=("improver", "curriculum"), closable=("curriculum",), gate="watch",
            sees_accepted=False, apart=False,  # it keeps nothing, and has many tasks of a few milliseconds
            transplant=Transplant(self.transplant, self.drifted, starts=1),
            not_testable={"sampled": "a function may be evaluated 120 times, however often one begins anew"},
        )  # fmt: skip


def _stored(numbers: Floats) -> list[float]:
    return [round(float(one), 9) for one in numbers]


def _fresh() -> dict[str, Any]:
    """The position before the first round."""
    return {"stretch": 1.0, "idle": 0, "share": 0.5}


def _plan(state: Mapping[str, Any]) -> tuple[int, int]:
    """Tries of the next round, and functions of a try: on while it goes well, with a closer look where it does not."""
    tries = LONG if state["share"] > 0.7 else USUAL if state["share"] > 0.3 else SHORT
    return tries, ON_MORE if state["share"] <= 0.3 else ON


def _decided(state: Mapping[str, Any], tries: int, on: int, stop: bool) -> list[Part]:
    """The system's own decisions about a round, each with what it saw."""
    seen = {"share": state["share"], "idle": state["idle"]}
    said = (
        ("tries", tries, 3, f"{tries} tries in this round"),
        ("functions", on, 2, f"each on {on} functions"),
        ("stop", stop, 2, "stop: nothing was taken for too long" if stop else "go on"),
    )
    return [Part("curriculum", {name: value}, reason=why, options=n, evidence=seen) for name, value, n, why in said]


def _question(family: str, seed: int, index: int) -> tuple[Json, Json]:
    named = hashlib.sha256(f"{family} {seed} {index}".encode()).digest()
    asked = {"family": family, "seed": int.from_bytes(named[:7], "big")}
    return asked, asked


def quadratic(seed: int, index: int) -> tuple[Json, Json]:
    """A function as the rounds draw them; its seed says all of it, to the system and to the scorer."""
    return _question(QUADRATIC, seed, index)


def steep(seed: int, index: int) -> tuple[Json, Json]:
    """A quadratic that may be conditioned twice as badly."""
    return _question(STEEP, seed, index)


def valleys(seed: int, index: int) -> tuple[Json, Json]:
    """A function with many valleys."""
    return _question(VALLEYS, seed, index)


def fall(output: Json, target: Json) -> float:
    """How far the function's value has fallen at the point that was found, computed here from the point alone."""
    return score(target["family"], target["seed"], output)


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device.
    """
    made = with_options(Improver, "improver", given, device)
    rounds, starts, *_ = SIZES[made.size]
    demo = made.size == "demo"
    claim = Claim(
        "quadratic", by=0.02, beats=("frozen", "stacked"), rung="R2" if demo else "R7", expected=0.15,
        transplant_by=0.0 if demo else 0.01, looks=(starts,) if made.size == "default" else (6, 9, 12),
    )  # fmt: skip
    arms = ("self", *CONTROLS, *(() if demo else MORE))
    return Built(made.loop(), made.suite(), claim, arms, rounds, starts, options=options_of(made), notes=NOTES)
