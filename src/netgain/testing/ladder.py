"""A simulated system whose truth is known: it knows strings up to a length, and teaches itself longer ones.

A system is a table: probability of a right answer by length. Answering draws from a hash of system and question, so a
system answers a question in one way only. Training on examples of length L moves the table towards the share of right
labels among them: good labels carry one length further, bad ones destroy what was there. No torch, milliseconds a
round; every arm of a loop with a check of its own can be run on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netgain.budget import Budget
from netgain.canonical import digest
from netgain.claim import Claim
from netgain.generators import Strings
from netgain.metric import METRICS
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop
from netgain.suite import Axis, Suite

Json = Any
LONGEST = 16


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
    """

    known: int = 5
    target: int = 10
    own: int = 200
    check: float = 0.95
    gain: float = 1.0
    forget: float = 0.0

    def start(self, rng: Any) -> Started:
        """Generation 0, drawn at no cost: right up to `known`, mostly right one further, lost beyond."""
        table = [0.99] * self.known + [float(rng.uniform(0.80, 0.95)), float(rng.uniform(0.1, 0.3))]
        made = {"right": table + [0.0] * (LONGEST - len(table)), "mark": int(rng.integers(1 << 30))}
        return Started(made, {"tokens": 0, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Answer own questions of the next length, check them, keep what passes."""
        length = self._length(view)
        questions = Strings("reverse", (length,))
        inputs = [questions.draw(f"{int(seed):x}", 0)["input"] for seed in view.rng.integers(1 << 60, size=self.own)]
        labels = [answer_one(view.improver, question)["answer"] for question in inputs]
        view.budget.spend(tokens=self.own * length, flops=1e3 * self.own * length)
        parts = [Part("data", Examples(inputs, labels), reason=f"{self.own} own answers of length {length}")]
        seen = {"share": view.feedback.shares.get("own", 1.0), "length": length}
        parts.append(Part("curriculum", length, reason="half passed: one longer", options=2, evidence=seen))
        return Change(parts, {"length": length}, self._verdicts(view, inputs, labels))

    def _length(self, view: View) -> int:
        if view.state is None:
            return self.known + 1
        share = view.feedback.shares.get("own", 1.0)
        return int(view.state["length"]) + (1 if share >= 0.5 and view.feedback.kept.inputs else 0)

    def _verdicts(self, view: View, inputs: Sequence[str], labels: Sequence[str]) -> dict[str, list[bool]]:
        return {"own": self._checked(view.rng, inputs, labels)} if self.check else {}

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
        if not examples.inputs:
            return {
                "right": [round(min(0.99, p + 0.01), 6) if p > 0.5 else p for p in table],
                "mark": int(rng.integers(1 << 30)),
            }
        length = len(examples.inputs[0]) - 1
        table[: self.known] = [(1.0 - self.forget) * p for p in table[: self.known]]
        purity = sum(truth_of(examples.inputs, examples.labels)) / len(examples.inputs)
        table[length - 1] += self.gain * (min(0.99, purity**2) - table[length - 1])
        table[length] += self.gain * max(0.0, 0.9 * table[length - 1] - table[length])
        table[length + 1] += self.gain * max(0.0, 0.25 * table[length - 1] - table[length + 1])
        return {"right": [round(p, 6) for p in table], "mark": int(rng.integers(1 << 30))}

    def ordinary(self, view: View) -> Change:
        """Plain training: nothing longer than what is known."""
        view.budget.spend(tokens=0, flops=0)
        return Change([Part("weights", None, decided_by="rule", reason="base data")])

    def own_score(self, judge: Mapping[str, Json], system: Mapping[str, Json], budget: Budget, rng: Any) -> float:
        """Share of answers of the first round's length that pass the check; it is the same whoever judges."""
        questions = Strings("reverse", (self.known + 1,))
        inputs = [questions.draw(f"{int(seed):x}", 0)["input"] for seed in rng.integers(1 << 60, size=self.own)]
        labels = [one["answer"] for one in answer(system, inputs, budget, rng)]
        return sum(self._checked(rng, inputs, labels)) / self.own

    def loop(self) -> Loop:
        """The loop with all its controls."""
        return Loop(
            self.start,
            self.propose,
            answer,
            build=self.build,
            ordinary={"restarts": self.ordinary, "long": self.ordinary},
            oracle=truth_of,
            sampled=answer,
            own_score=self.own_score if self.check else None,
            filters=(Filter("own"),) if self.check else (),
            surfaces=("data", "curriculum", "weights"),
            gate="advance",
            state={"parent": "table", "improver": "table that answers and checks", "position": "length"},
            not_testable={"random_search": "no separate meaning: a proposal is a batch of own answers"},
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
