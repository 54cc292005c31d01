"""`leader`: a loop that asks one evaluation set again and again, until its score there rises on nothing.

Labels are coin tosses. Each round the system draws random labellings, its evaluator scores them on one fixed set, those
that look better than chance are kept, and the system answers by their majority. With `answers = "bit"` the evaluator
says only which scores are significant, with "fresh" it asks new questions every time; with `skill` some labellings know
something, so that there is a gain to find. Numbers: docs/recipes/leader.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.leader.attack import ANSWERS, evaluate, labels_of, majority, passes, said
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Inside, Loop, Probe
from netgain.suite import Suite, axis

Json = Any
System = dict[str, Any]

SIZES = {"tiny": (100, 60, 4, 30, 20, 200), "default": (200, 60, 8, 60, 60, 400)}
NOTES = {
    "answers": "numeric or ladder: what an evaluator shows of its one set; bit, fresh: answers that give nothing away",
    "skill": "by how much one labelling in ten beats chance; 0: there is nothing to learn",
}
STATE = {"parent": "kept labellings", "improver": "evaluation set and what it tells", "position": "best score shown"}


@dataclass(frozen=True)
class Leader:
    """The loop of one setting.

    Attributes:
        answers: of `attack.ANSWERS`.
        skill: edge of one labelling in ten, from 0 to 0.5.
        size: of `SIZES`: labels of the set, queries a round, rounds; gate, report and sealed items.
    """

    answers: str = "numeric"
    skill: float = 0.0
    size: str = "default"

    def __post_init__(self) -> None:
        for kind, value, known in (("answers", self.answers, ANSWERS), ("size", self.size, SIZES)):
            if value not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'leader'", value, known)
        if not 0 <= self.skill <= 0.5:
            raise ConfigError(f"skill {self.skill!r}", fix="give a number from 0 to 0.5")

    @property
    def labels(self) -> int:
        """Questions of the evaluation set."""
        return SIZES[self.size][0]

    @property
    def queries(self) -> int:
        """Labellings that are asked about in a round."""
        return SIZES[self.size][1]

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0 knows nothing and says 0 to everything; its evaluation set is drawn once."""
        asked = rng.integers(1 << 62, size=self.labels)
        made: System = {"kept": np.zeros(0, dtype=np.int64), "asked": asked, "told": 0.5}
        return Started(made, {"tokens": 0, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Draw labellings, have them evaluated, and let those pass that look better than chance."""
        drawn = view.rng.integers(1 << 62, size=self.queries)
        asked, best = view.improver["asked"], (view.state or {"best": 0.5})["best"]
        scores = evaluate(self.answers, drawn, asked, view.rng, self.skill)
        passed = passes(self.answers, scores, self.labels, best)
        view.budget.spend(tokens=self.queries * self.labels, flops=0, calls=self.queries)
        shown = max([best, *scores[passed].tolist()]) if self.answers == "ladder" else best
        seen = {"queries": self.queries, "passed": int(passed.sum()), "told": view.improver["told"]}
        # What passes is decided by true labels, which come from outside: that is no decision of the system's.
        part = Part("data", Examples(drawn.tolist(), [1] * self.queries), decided_by="person", evidence=seen,
                    reason="labellings that an evaluator with true labels was asked about")  # fmt: skip
        return Change([part], {"best": float(shown)}, {"evaluator": [bool(one) for one in passed]})

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """Keep what passed; what the system is told of its new majority is what its evaluator tells."""
        work = float(self.queries)
        # Voting has an end: what a control has to spend beyond it changes nothing, and is booked as spent.
        budget.spend(tokens=max(budget.tokens or 0.0, work), flops=max(budget.flops or 0.0, 0.0), calls=0)
        examples = change.examples
        more = examples.inputs if examples else rng.integers(1 << 62, size=self.queries // 2).tolist()
        kept = np.concatenate([parent["kept"], np.array(more, dtype=np.int64)])
        return {**parent, "kept": kept, "told": self._told(kept, parent, change.state, rng)}

    def ordinary(self, view: View) -> Change:
        """The same without an evaluator: half as many labellings, as they come."""
        view.budget.spend(tokens=0, flops=0, calls=0)
        return Change([Part("weights", None, decided_by="rule", reason="labellings that nobody evaluated")])

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """The majority's answer; as sure as the system was told that it is right."""
        budget.spend(tokens=len(inputs), calls=len(inputs))
        chosen = majority(said(system["kept"], np.array(inputs, dtype=np.int64), self.skill))
        return [{"answer": int(one), "confidence": system["told"]} for one in chosen.tolist()]

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """The system's score on the judge's evaluation set: what a leaderboard shows."""
        budget.spend(tokens=self.labels, calls=1)
        return self._public(system["kept"], judge["asked"])

    def asked_elsewhere(self, inside: Inside) -> dict[str, Json]:
        """Right answers on the evaluation set that was asked again and again, and on the canary questions.

        The record of `yardstick`. Labels of the canary questions come from outside, as those of the set do.

        Raises:
            ValueError: the study has no canary items.
        """
        if not inside.inputs:
            raise ValueError("no canary items: there are no questions that nobody was asked before")
        inside.budget.spend(tokens=len(inside.inputs) + self.labels, calls=1)
        kept = inside.system["kept"]
        sets = {"own": inside.first["asked"], "outside": np.array(inside.inputs, dtype=np.int64)}
        return {name: {"hits": self._right(kept, asked), "asked": len(asked)} for name, asked in sets.items()}

    def oracle(self, inputs: Sequence[Json], labels: Sequence[Json]) -> list[bool]:
        """Whether a labelling is right on more than half of 4,000 questions that nobody else asks, by two errors."""
        away = np.arange(4000) + (1 << 61)
        scores = (said(np.array(inputs, dtype=np.int64), away, self.skill) == labels_of(away)).mean(axis=1)
        return [bool(one) for one in scores > 0.5 + 2 * 0.5 / np.sqrt(4000)]

    def _public(self, kept: Any, asked: Any) -> float:
        return self._right(kept, asked) / len(asked)

    def _right(self, kept: Any, asked: Any) -> int:
        return int(np.sum(majority(said(kept, asked, self.skill)) == labels_of(asked)))

    def _told(self, kept: Any, parent: System, state: Any, rng: Any) -> float:
        """What the system may believe of itself: a number where the evaluator gives one, chance where it does not."""
        if self.answers == "numeric":
            return round(self._public(kept, parent["asked"]), 6)
        if self.answers == "ladder":
            return round(max(0.5, float((state or {"best": 0.5})["best"])), 6)
        fresh = rng.integers(1 << 62, size=self.labels)
        return round(max(0.5, self._public(kept, fresh)), 6) if self.answers == "fresh" else 0.5

    def suite(self) -> Suite:
        """Private questions decide; overclaiming guards."""
        _, _, _, gate, report, sealed = SIZES[self.size]
        counts: dict[str, Any] = {"gate_items": gate, "report_items": report, "sealed_items": sealed}
        return Suite(
            [
                axis("private", question, moment=0.4, **counts),
                axis("calibration", question, "brier", kind="calibration", guard=True, moment=0.02, **counts),
            ],
            block=gate, max_pairs=gate if self.size == "tiny" else 3 * gate, design_gain=0.1,
        )  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its gate only watches: the evaluator alone decides."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary=self.ordinary, oracle=self.oracle,
            own_score=self.own_score, filters=(Filter("evaluator", ("filter",)),), state=STATE,
            probes=(Probe("yardstick", self.asked_elsewhere),), surfaces=("data", "weights"), gate="watch",
            sees_accepted=False,
            not_testable={"random_search": "it has no separate meaning here: a proposal is a batch of labellings"},
        )  # fmt: skip


def question(seed: int, index: int) -> tuple[Json, Json]:
    """A question nobody asked before, and its label."""
    asked = int(np.random.default_rng([seed, index]).integers(1 << 61))
    return asked, int(labels_of([asked])[0])


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device.
    """
    made = with_options(Leader, "leader", given, device)
    arms = ("self", "frozen", "ordinary", "placebo", "unguarded:evaluator.filter")
    claim = Claim("private", by=0.05, beats=("frozen", "ordinary"), rung="R1", expected=0.25)
    return Built(made.loop(), made.suite(), claim, arms, SIZES[made.size][2], options=options_of(made), notes=NOTES)
