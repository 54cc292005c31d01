"""A simulated system whose truth is known: it knows strings up to a length, and teaches itself longer ones.

A system is a table: probability of a right answer by length. Answering draws from a hash of system and question, so a
system answers a question in one way only. Training on examples of length L moves the table towards the share of right
labels among them: good labels carry one length further, bad ones destroy what was there. No torch, milliseconds a
round; every arm of a loop with a check of its own can be run on it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netgain.budget import Budget
from netgain.canonical import digest
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.generators import Strings
from netgain.metric import METRICS
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop, Separable, Transplant
from netgain.suite import Axis, Suite

Json = Any
LONGEST = 16
HABITS = 8  # of an improver: directions in which it can change
PURE = 0.95  # share of right labels in a round from which on the round made the improver better

# Chance that an improver labels a question right at a length that it has never met, by rounds that made it better.
IMPROVERS: Mapping[str, Callable[[float], float]] = {
    "saturating": lambda rounds: 0.05 + 0.9 * (1.0 - math.exp(-rounds)),
    "accelerating": lambda rounds: min(0.95, 0.05 + 0.036 * rounds**2),
    "overfit": lambda rounds: max(0.05, 0.6 - 0.15 * rounds),
    "fixed": lambda rounds: 0.6,
}


@dataclass(frozen=True)
class Ladder:
    """The simulated loop's settings.

    Attributes:
        known: lengths that generation 0 answers.
        target: length that the suite reaches to (the ladder goes two further).
        own: examples of its own per round.
        check: share of wrong answers that the system's own check catches; 0 for a loop without a check.
        gain: how much of what its labels are worth is learnt; 0 for a loop that learns nothing.
        forget: share of what generation 0 knew that each round on own data costs.
        improver: what an improver is worth away from its own lineage. "answers": what its own table can answer; the
            others have habits that each round of right labels improves: "saturating" (most of it in the first round),
            "accelerating", "overfit" (better at home, worse elsewhere), "fixed" (labels as good whoever gives them).
    """

    known: int = 5
    target: int = 10
    own: int = 200
    check: float = 0.95
    gain: float = 1.0
    forget: float = 0.0
    improver: str = "answers"

    def __post_init__(self) -> None:
        if self.improver not in ("answers", *IMPROVERS):
            raise ConfigError.unknown("improver of the ladder", self.improver, ("answers", *IMPROVERS))

    def start(self, rng: Any) -> Started:
        """Generation 0, drawn at no cost: right up to `known`, mostly right one further, lost beyond."""
        table = [0.99] * self.known + [float(rng.uniform(0.80, 0.95)), float(rng.uniform(0.1, 0.3))]
        made = {"right": table + [0.0] * (LONGEST - len(table)), "mark": int(rng.integers(1 << 30))}
        habits = {} if self.improver == "answers" else {"habits": [0] * HABITS}
        return Started({**made, **habits}, {"tokens": 0, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Answer own questions of the next length, check them, keep what passes; without what is closed."""
        length = self.known + 1 if "curriculum" in view.closed else self._length(view)
        parts = [] if "data" in view.closed else [self._answered(view, length)]
        if "curriculum" not in view.closed:
            seen = {"share": view.feedback.shares.get("own", 1.0), "length": length}
            parts.append(Part("curriculum", length, reason="half passed: one longer", options=2, evidence=seen))
        if self.improver != "answers" and "improver" not in view.closed and parts:
            better = [one + 1 for one in view.improver["habits"]]
            parts.append(Part("improver", better, reason="the improver goes on from itself"))
        view.budget.spend(tokens=0, flops=0)
        if not parts:
            parts = [Part("weights", None, reason="base data: nothing else is open")]
        verdicts = {} if "data" in view.closed else self._verdicts(view, parts[0].payload)
        return Change(parts, {"length": length}, verdicts)

    def _answered(self, view: View, length: int) -> Part:
        questions = Strings("reverse", (length,))
        inputs = [questions.draw(f"{int(seed):x}", 0)["input"] for seed in view.rng.integers(1 << 60, size=self.own)]
        if self.improver == "fixed":
            labels = self._labelled(view, inputs)
        else:
            labels = [answer_one(view.improver, question)["answer"] for question in inputs]
        view.budget.spend(tokens=self.own * length, flops=1e3 * self.own * length)
        return Part("data", Examples(inputs, labels), reason=f"{self.own} own answers of length {length}")

    def _labelled(self, view: View, inputs: Sequence[str]) -> list[str]:
        """Labels that are right as often as the improver's habits are worth."""
        worth = IMPROVERS[self.improver](sum(view.improver["habits"]) / HABITS)
        right = view.rng.random(len(inputs)) < worth
        return [one.rstrip(">")[:: -1 if yes else 1] for one, yes in zip(inputs, right, strict=True)]

    def transplant(self, view: View) -> Change:
        """One round at a length that no round reaches, where the check knows nothing.

        With "answers" a run of more rounds than target - known would reach it.
        """
        if self.improver == "answers":
            part = self._answered(view, self.target + 1)
        else:
            questions = Strings("reverse", (self.target + 1,))
            seeds = view.rng.integers(1 << 60, size=self.own)
            inputs = [questions.draw(f"{int(seed):x}", 0)["input"] for seed in seeds]
            part = Part("data", Examples(inputs, self._labelled(view, inputs)), reason="own answers, far away")
            view.budget.spend(tokens=self.own * (self.target + 1), flops=1e3 * self.own * (self.target + 1))
        return Change([part], None, {"own": [True] * self.own} if self.check else {})

    def drifted(self, first: Mapping[str, Json], last: Mapping[str, Json], rng: Any) -> dict[str, Json]:
        """As far from the first as the last one, in another direction: the table's steps anywhere and either way, and
        half of the habits turned round, so that together they are worth nothing."""
        steps = [after - before for before, after in zip(first["right"], last["right"], strict=True)]
        moved = [steps[int(i)] * int(sign) for i, sign in zip(rng.permutation(LONGEST), rng.choice([-1, 1], LONGEST),
                                                            strict=True)]  # fmt: skip
        table = [round(min(0.99, max(0.0, p + step)), 6) for p, step in zip(first["right"], moved, strict=True)]
        made: dict[str, Json] = {"right": table, "mark": int(rng.integers(1 << 30))}
        if "habits" in first:
            signs = rng.permutation([1, -1] * (HABITS // 2))
            pairs = zip(first["habits"], last["habits"], signs, strict=True)
            made["habits"] = [before + int(sign) * (after - before) for before, after, sign in pairs]
        return made

    def random_search(self, view: View) -> Change:
        """One random admissible edit: own answers of a length drawn at random, kept by a coin."""
        length = int(view.rng.integers(1, LONGEST - 1))
        kept = [bool(one) for one in view.rng.random(self.own) < 0.5]
        return Change([self._answered(view, length)], {"length": length}, {"own": kept} if self.check else {})

    def _length(self, view: View) -> int:
        if view.state is None:
            return self.known + 1
        share = view.feedback.shares.get("own", 1.0)
        length = int(view.state["length"]) + (1 if share >= 0.5 and view.feedback.kept.inputs else 0)
        return length if self.improver == "answers" else min(length, self.target)  # what lies beyond is for transplants

    def _verdicts(self, view: View, examples: Examples) -> dict[str, list[bool]]:
        return {"own": self._checked(view.rng, examples.inputs, examples.labels)} if self.check else {}

    def _checked(self, rng: Any, inputs: Sequence[str], labels: Sequence[str]) -> list[bool]:
        catches = rng.random(len(inputs)) < self.check
        right = truth_of(inputs, labels)
        return [bool(one or not caught) for one, caught in zip(right, catches, strict=True)]

    def build(self, parent: Mapping[str, Json], change: Change, budget: Budget, rng: Any) -> dict[str, Json]:
        """Train: each length present moves to the purity of its labels; the next one comes half-way."""
        table = list(parent["right"])
        examples = change.examples or Examples()
        steps = max(1.0, budget.scale)
        budget.spend(tokens=max(budget.tokens or 0.0, 4000.0 * steps), flops=max(budget.flops or 0.0, 4e6 * steps))
        if {part.surface for part in change.parts} <= {"curriculum", "improver"}:  # nothing to train on, or to train
            return dict(parent)
        if not examples.inputs:
            table = [round(min(0.99, p + 0.01), 6) if p > 0.5 else p for p in table]
            return {**parent, "right": table, "mark": int(rng.integers(1 << 30))}
        length = len(examples.inputs[0]) - 1
        table[: self.known] = [(1.0 - self.forget) * p for p in table[: self.known]]
        purity = sum(truth_of(examples.inputs, examples.labels)) / len(examples.inputs)
        table[length - 1] += self.gain * (min(0.99, purity**2) - table[length - 1])
        table[length] += self.gain * max(0.0, 0.9 * table[length - 1] - table[length])
        table[length + 1] += self.gain * max(0.0, 0.25 * table[length - 1] - table[length + 1])
        made = {**parent, "right": [round(p, 6) for p in table], "mark": int(rng.integers(1 << 30))}
        better = next((part.payload for part in change.parts if part.surface == "improver"), None)
        return {**made, "habits": list(better)} if better is not None and purity >= PURE else made

    def ordinary(self, view: View) -> Change:
        """Plain training: nothing longer than what is known."""
        view.budget.spend(tokens=0, flops=0)
        return Change([Part("weights", None, decided_by="rule", reason="base data")])

    def split(self, system: Mapping[str, Json]) -> dict[str, Json]:
        """What it knows of short strings, and all that lies further: with that, its way of guessing."""
        near = self.known + 1
        return {"near": system["right"][:near], "far": {**system, "right": system["right"][near:]}}

    def join(self, parts: Mapping[str, Json]) -> dict[str, Json]:
        """The system of these parts; probabilities of different lengths do not touch, so their effects add up."""
        return {**parts["far"], "right": [*parts["near"], *parts["far"]["right"]]}

    def own_score(self, judge: Mapping[str, Json], system: Mapping[str, Json], budget: Budget, rng: Any) -> float:
        """Share of answers of the first round's length that pass the check; it is the same whoever judges."""
        questions = Strings("reverse", (self.known + 1,))
        inputs = [questions.draw(f"{int(seed):x}", 0)["input"] for seed in rng.integers(1 << 60, size=self.own)]
        labels = [one["answer"] for one in answer(system, inputs, budget, rng)]
        return sum(self._checked(rng, inputs, labels)) / self.own

    @property
    def surfaces(self) -> tuple[str, ...]:
        """What a change may touch: the improver itself only where it has habits."""
        own = () if self.improver == "answers" else ("improver",)
        return ("data", "curriculum", "weights", *own)

    def loop(self) -> Loop:
        """The loop with all its controls."""
        return Loop(
            self.start,
            self.propose,
            answer,
            build=self.build,
            ordinary={"restarts": self.ordinary, "long": self.ordinary},
            random_search=self.random_search,
            oracle=truth_of,
            sampled=answer,
            own_score=self.own_score if self.check else None,
            filters=(Filter("own"),) if self.check else (),
            surfaces=self.surfaces,
            closable=self.surfaces,
            gate="advance",
            apart=False,  # it keeps nothing, and its tasks take less than a copy of their process
            transplant=Transplant(self.transplant, self.drifted),
            state={"parent": "table", "improver": "table that answers and checks", "position": "length"},
            separable=Separable(("near", "far"), self.split, self.join),
        )

    def suite(self, items: int = 1) -> Suite:
        """Ladder, retention, calibration, sibling and placebo axes; `items` scales report and sealed counts."""
        lengths = tuple(range(self.known + 1, self.target + 3))
        step = len(lengths)
        short = Strings("reverse", tuple(range(1, self.known + 1)))
        even = Strings("reverse", tuple(length for length in lengths if length % 2 == 0), "doubled")
        dice = Strings("reverse", short.lengths, "dice")
        exact = METRICS["exact"]
        axes = (
            Axis("ladder", Strings("reverse", lengths), exact, "capability", 10 * step, 10 * step * items,
                 40 * step * items, margin=0.10, moment=0.15),
            _guard("retention", short, "exact", items, moment=0.03),
            _guard("calibration", short, "brier", items, moment=0.02),
            Axis("sibling", even, exact, "sibling", 0, 40, 160),
            Axis("dice", dice, METRICS["first"], "placebo", 0, 40, 160, overlap=True),
        )  # fmt: skip
        return Suite(axes, block=10 * step, max_pairs=40 * step, design_gain=0.10)


def _guard(kind: str, source: Strings, metric: str, items: int, *, moment: float) -> Axis:
    counts = (40, 40 * items, 160 * items)
    return Axis(
        kind, source, METRICS[metric], kind, *counts, guard=True, margin=0.10, step_margin=0.08, moment=moment,
        overlap=True,
    )  # fmt: skip


def answer_one(system: Mapping[str, Json], question: str) -> dict[str, Json]:
    """One answer, right with the probability of its length, the same whenever this system is asked."""
    body = question.rstrip(">")
    chance = system["right"][min(len(body), LONGEST) - 1]
    drawn = hashlib.sha256(f"{digest(dict(system))}|{question}".encode()).digest()
    right = int.from_bytes(drawn[:4], "big") / 2**32 < chance
    wrong = str((int(body[-1]) + 1) % 10) + body[::-1][1:] if body.isdigit() else ""
    return {"answer": body[::-1] if right else wrong, "confidence": round(min(1.0, max(0.0, chance)), 6)}


def answer(system: Mapping[str, Json], inputs: Sequence[str], budget: Budget, rng: Any) -> list[dict[str, Json]]:
    """Answers to many questions."""
    budget.spend(tokens=sum(len(one) for one in inputs) * budget.tries, calls=len(inputs) * budget.tries)
    return [answer_one(system, question) for question in inputs]


def truth_of(inputs: Sequence[str], labels: Sequence[str]) -> list[bool]:
    """Whether each own label is right."""
    return [label == question.rstrip(">")[::-1] for question, label in zip(inputs, labels, strict=True)]


@dataclass(frozen=True)
class Simulated:
    """What a worker loads: the loop of these settings."""

    loop: Loop
    suite: Suite
    claim: Claim


def make(options: Mapping[str, Json], *, device: str = "cpu") -> Simulated:
    """The simulated loop as a recipe: `netgain.testing.ladder:make`."""
    ladder = Ladder(**options)
    claim = Claim("ladder", by=0.2, beats=("frozen", "ordinary"), rung="R4", expected=0.4)
    return Simulated(ladder.loop(), ladder.suite(), claim)
