"""`collapse`: a model fitted to its own samples, round after round, thinks ever better of itself and gets worse.

Three chains with known courses (`chains.py`) as one loop: the system draws examples from itself, its own check drops
those that it finds unlikely, and the next generation is fitted to what the mode says. Mode `fresh` is the genuine twin:
the pool also grows by real rows. Numbers and pattern: docs/recipes/collapse.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.metric import Metric
from netgain.monitors.diversity import diversity, tail_of
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.collapse.chains import MODES, training_rows
from netgain.recipes.collapse.worlds import WORLDS, World
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Inside, Loop, Probe
from netgain.suite import Suite, axis

Json = Any
System = dict[str, Any]

CHECKS = ("likely", "none")
SURE_OF = 0.75  # share of its own examples that generation 0 finds likely
NOTES = {
    "chain": "markov, gaussian or regression",
    "mode": "replace, accumulate, subsample, half; fresh: the pool also grows by real rows, and nothing collapses",
    "check": "likely: drop own examples below the bar of generation 0; none: keep all, as in the closed forms",
    "temperature": "of own samples; below 1 they are drawn narrower than the model is",
}
STATE = {"parent": "fitted model", "improver": "model that draws and checks", "position": "own and real rows so far"}


@dataclass(frozen=True)
class Size:
    """Numbers of a size.

    Attributes:
        examples: chain -> real examples of generation 0, and own ones of each round.
        rounds: of every run.
        gate, report, sealed: items of the deciding axis.
    """

    examples: Mapping[str, int]
    rounds: int
    gate: int
    report: int
    sealed: int


SIZES = {
    "tiny": Size({"markov": 60, "gaussian": 40, "regression": 80}, 4, 20, 10, 150),
    "default": Size({"markov": 100, "gaussian": 100, "regression": 200}, 8, 40, 60, 300),
}


@dataclass(frozen=True)
class Collapse:
    """The loop of one setting.

    Attributes:
        chain: of `WORLDS`; mode: of `chains.MODES`; check: of `CHECKS`.
        temperature: of own samples, above 0.
        size: of `SIZES`.
    """

    chain: str = "markov"
    mode: str = "replace"
    check: str = "likely"
    temperature: float = 1.0
    size: str = "default"

    def __post_init__(self) -> None:
        for kind, value, known in (("chain", self.chain, WORLDS), ("mode", self.mode, MODES),
                                   ("check", self.check, CHECKS), ("size", self.size, SIZES)):  # fmt: skip
            if value not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'collapse'", value, known)
        if not self.temperature > 0:
            raise ConfigError(f"temperature {self.temperature!r}", fix="give a number above 0")

    @property
    def world(self) -> World:
        """The source."""
        return WORLDS[self.chain]

    @property
    def count(self) -> int:
        """Examples of a round."""
        return SIZES[self.size].examples[self.chain]

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0, fitted to real rows, and the bar below which it finds an example unlikely."""
        real = self.world.rows(*self.world.draw(self.world.truth(), self.count, 1.0, rng))
        model = self.world.fit(real)
        own = self.world.draw(model, 400, 1.0, rng)
        bar = float(np.quantile(self.world.surprise(model, *own), SURE_OF))
        return Started({"model": model, "bar": bar, "real": real}, {"tokens": len(real), "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Draw own examples and check how likely the model finds them."""
        model = view.improver["model"]
        inputs, labels = self.world.draw(model, self.count, self.temperature, view.rng)
        view.budget.spend(tokens=self.count, flops=0)
        likely = self._likely(view.improver, inputs, labels)
        seen = {"share_likely": float(np.mean(likely)), "surprise": self._surprise(model, inputs, labels)}
        part = Part("data", Examples(inputs, labels), reason=f"{self.count} own examples", evidence=seen)
        checks = {"likely": likely} if self.check == "likely" else {}
        return Change([part], self._position(view), checks)

    def ordinary(self, view: View) -> Change:
        """Fit again to the real rows, those of this round included where there are any; nothing of its own."""
        view.budget.spend(tokens=0, flops=0)
        return Change([Part("weights", None, decided_by="rule", reason="real rows only")], self._position(view))

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """The next generation: fitted to what the mode makes of real and own rows."""
        position = change.state or {"pool": self._none(parent), "more": self._none(parent)}
        examples = change.examples or Examples()
        real = np.concatenate([parent["real"], position["more"]])
        newest = self.world.rows(examples.inputs, examples.labels) if examples.inputs else self._none(parent)
        enough = len(newest) >= len(real) // 20 + real.shape[1]
        rows = training_rows(self.mode, real, position["pool"], newest, rng) if enough else real
        # A fit has an end: what a control has to spend beyond it changes nothing, and is booked as spent.
        budget.spend(tokens=max(budget.tokens or 0.0, float(len(rows))), flops=max(budget.flops or 0.0, 0.0))
        return {**parent, "model": self.world.fit(rows)}

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """Probabilities of what is asked, and whether the first event happens."""
        budget.spend(tokens=len(inputs), calls=len(inputs))
        return [_answered(self.world.probabilities(system["model"], one)) for one in inputs]

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """Share of the system's own examples that the judge finds likely."""
        inputs, labels = self.world.draw(system["model"], 400, self.temperature, rng)
        budget.spend(tokens=len(inputs), calls=len(inputs))
        return float(np.mean(self._likely(judge, inputs, labels)))

    def variety(self, inside: Inside) -> dict[str, Json]:
        """What the model makes now and what generation 0 makes, as many examples as a round has: how varied either is.

        The record of `diversity`. It is the loop's own data alone: no truth, and nothing from outside.
        """
        inside.budget.spend(tokens=2 * self.count, flops=0)
        first, now = (self._own_codes(one["model"], inside.rng) for one in (inside.first, inside.system))
        order = self.world.order
        tail = tail_of(first, order=order)
        return {**diversity(now, tail, order=order), "first": diversity(first, tail, order=order)}

    def _own_codes(self, model: Any, rng: Any) -> Any:
        return self.world.codes(model, *self.world.draw(model, self.count, self.temperature, rng))

    def _likely(self, judge: System, inputs: Sequence[Json], labels: Sequence[Json]) -> list[bool]:
        return [bool(one) for one in self.world.surprise(judge["model"], inputs, labels) <= judge["bar"]]

    def _surprise(self, model: Any, inputs: Sequence[Json], labels: Sequence[Json]) -> float:
        return round(float(self.world.surprise(model, inputs, labels).mean()), 6)

    def _none(self, parent: System) -> Any:
        return np.asarray(parent["real"])[:0]

    def _position(self, view: View) -> dict[str, Any]:
        """Own rows of earlier rounds, and real rows beyond those of the start: development items in mode `fresh`."""
        before = view.state or {"pool": self._none(view.parent), "more": self._none(view.parent)}
        kept = view.feedback.kept
        pool = [before["pool"], self.world.rows(kept.inputs, kept.labels)] if kept.inputs else [before["pool"]]
        real = [one["target"]["drawn"] for one in view.dev] if self.mode == "fresh" else []
        more = [before["more"], self.world.rows(*zip(*real, strict=True))] if real else [before["more"]]
        return {"pool": np.concatenate(pool), "more": np.concatenate(more)}

    # ---- the questions

    def truth(self, seed: int, index: int) -> tuple[Json, Json]:
        """A question about the bulk, its true probabilities, and in mode `fresh` one real example."""
        return self._item("truth", seed, index)

    def tails(self, seed: int, index: int) -> tuple[Json, Json]:
        """A question about something rare."""
        return self._item("tails", seed, index)

    def event(self, seed: int, index: int) -> tuple[Json, Json]:
        """One event, and whether it happened in truth."""
        question, target = self._item("event", seed, index)
        return question, bool(np.random.default_rng([seed, index, 1]).random() < target["probabilities"][0])

    def _item(self, kind: str, seed: int, index: int) -> tuple[Json, Json]:
        rng = np.random.default_rng([seed, index])
        question = self.world.asked(kind, rng)
        chances = [round(one, 6) for one in self.world.probabilities(self.world.truth(), question)]
        shown = {"drawn": list(self.world.example(rng))} if kind == "truth" and self.mode == "fresh" else {}
        return question, {"probabilities": chances, **shown}

    def suite(self) -> Suite:
        """The truth decides; tails and calibration guard."""
        size = SIZES[self.size]
        fresh = self.count if self.mode == "fresh" else 0
        return Suite(
            [
                axis("truth", self.truth, NEAR, gate_items=size.gate, report_items=size.report,
                     sealed_items=size.sealed, moment=0.02),
                axis("tails", self.tails, ratio, kind="retention", gate_items=size.gate, report_items=size.report,
                     sealed_items=size.sealed, guard=True, moment=0.05),
                axis("calibration", self.event, "brier", kind="calibration", gate_items=size.gate,
                     report_items=size.report, sealed_items=size.sealed, guard=True, moment=0.02),
            ],
            block=size.gate, max_pairs=size.gate if self.size == "tiny" else 2 * size.gate, design_gain=0.05,
            dev_items=fresh,
        )  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its gate only watches, as in the chains that are published."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary=self.ordinary, own_score=self.own_score,
            filters=(Filter("likely", ("filter",)),) if self.check == "likely" else (), state=STATE,
            probes=(Probe("diversity", self.variety),),
            surfaces=("data", "weights"), gate="watch", sees_accepted=False,
            not_testable={"random_search": "it has no separate meaning here: a proposal is a batch of own samples"},
        )  # fmt: skip


def nearness(output: Json, target: Json) -> float:
    """1 less the largest error of a probability."""
    pairs = zip(output["probabilities"], target["probabilities"], strict=True)
    return 1.0 - max(abs(float(own) - float(true)) for own, true in pairs)


NEAR = Metric("nearness", nearness, passes=0.9)  # questions are alike: the answer to another one still scores .6


def ratio(output: Json, target: Json) -> float:
    """The smaller over the larger of own and true probability of one rare event."""
    own, true = float(output["probabilities"][0]), float(target["probabilities"][0])
    return min(own, true) / max(own, true) if own > 0 else 0.0


def _answered(chances: Sequence[float]) -> Json:
    yes = chances[0] >= 0.5
    return {
        "answer": yes,
        "confidence": round(chances[0] if yes else 1.0 - chances[0], 6),
        "probabilities": [round(one, 8) for one in chances],
    }


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device.
    """
    made = with_options(Collapse, "collapse", given, device)
    checked = ("placebo", *(("unguarded:likely.filter",) if made.check == "likely" else ()))
    claim = Claim("truth", by=0.01, beats=("frozen",), rung="R1", expected=0.1)
    arms = ("self", "frozen", "ordinary", *(("stacked",) if made.size != "tiny" else ()), *checked)
    rounds = SIZES[made.size].rounds
    return Built(made.loop(), made.suite(), claim, arms, rounds, options=options_of(made), notes=NOTES)
