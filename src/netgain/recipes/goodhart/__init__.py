"""`goodhart`: a policy trained on what a learned proxy prefers, past the peak of what is wanted.

Generation 0 is the mean of good demonstrations. Each round the system makes candidates, its proxy passes those above a
bar, and the policy moves towards them: best-of-n, distilled. With few labels the proxy knows little of where the policy
is led; with many (option `labels`, the genuine twin) the same loop improves. Numbers: docs/recipes/goodhart.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.goodhart.proxy import DIMENSIONS, Floats, Gold, fit_proxy, labelled, proxy_score
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Inside, Loop, Probe
from netgain.suite import Suite, axis

Json = Any
System = dict[str, Any]

WORLD = 2210  # seed of the taste: what is wanted is the same in every study
SPREAD = 0.7  # standard deviation of a policy's candidates around its mean
DEMONSTRATIONS = 200  # of which the best tenth make generation 0
PASSING = 0.05  # share of generation 0's candidates above the bar
STEP = 0.5  # share of the way to the kept candidates' mean that a round goes
EXTREME = 2.0  # coordinates beyond it are out of the ordinary
SIZES = {"tiny": (400, 4, 30, 10, 120), "default": (1000, 8, 60, 60, 400)}  # own, rounds, gate, report, sealed items
NOTES = {
    "labels": "that taught the proxy: 20 are too few, with 1000 nothing turns",
    "target": "what passes: proxy, or gold (the truth itself, the ceiling)",
    "nats": "how far the policy may move from generation 0, in nats of KL divergence; 0: as far as it likes",
}
MORE_ARMS = ("unguarded:proxy.filter", "oracle")
STATE = {"parent": "policy mean", "improver": "policy that makes candidates, and its proxy", "position": "round"}


@dataclass(frozen=True)
class Goodhart:
    """The loop of one setting.

    Attributes:
        labels: of the proxy, at least 1.
        target: "proxy" or "gold": whose judgement the check is.
        nats: KL divergence from generation 0 that the policy is held within; 0: no limit.
        size: of `SIZES`.
    """

    labels: int = 20
    target: str = "proxy"
    nats: float = 0.0
    size: str = "default"

    def __post_init__(self) -> None:
        if type(self.labels) is not int or self.labels < 1:
            raise ConfigError(f"labels {self.labels!r}", fix="give a whole number of at least 1")
        if type(self.nats) not in (int, float) or not 0.0 <= self.nats < math.inf:
            raise ConfigError(f"nats {self.nats!r}", fix="give a number above 0, or 0 for no limit")
        for kind, value, known in (("target", self.target, ("proxy", "gold")), ("size", self.size, SIZES)):
            if value not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'goodhart'", value, known)

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0: the mean of the best demonstrations; a proxy of `labels` labels; its bar."""
        shown, liked = labelled(gold(), DEMONSTRATIONS, rng)
        tried, labels = labelled(gold(), self.labels, rng)
        made: System = {"mean": _best(shown, liked), "proxy": fit_proxy(tried, labels)}
        made["plain"] = _best(np.vstack([shown, tried]), np.concatenate([liked, labels]))
        made["bar"] = float(np.quantile(self._judged(made, candidates(made, 4000, rng)), 1.0 - PASSING))
        if self.nats:
            made["first"] = made["mean"]
        return Started(made, {"tokens": DEMONSTRATIONS + self.labels, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Make candidates, and let those pass that the proxy likes better than the bar."""
        own = SIZES[self.size][0]
        made = np.round(candidates(view.improver, own, view.rng), 6)
        likes = self._judged(view.improver, made)
        view.budget.spend(tokens=own, flops=0)
        seen = {"proxy": round(float(likes.mean()), 6), "bar": view.improver["bar"]}
        part = Part("data", Examples(list(range(own)), made.tolist()), reason=f"{own} own candidates", evidence=seen,
                    decided_by="system" if self.target == "proxy" else "person")  # fmt: skip
        passed = [bool(one) for one in likes >= view.improver["bar"]]
        return Change([part], (view.state or 0) + 1, {"proxy": passed})

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """Move towards the mean of what was kept; without own candidates, to the best that people labelled."""
        kept = change.examples
        own = SIZES[self.size][0]
        # A mean has an end: what a control has to spend beyond it changes nothing, and is booked as spent.
        budget.spend(tokens=max(budget.tokens or 0.0, float(own)), flops=max(budget.flops or 0.0, 0.0))
        if kept is None:
            return {**parent, "mean": parent["plain"]}
        if not kept.labels:
            return dict(parent)
        middle = np.array(kept.labels, dtype=np.float64).mean(axis=0)
        return {**parent, "mean": self._held(parent, parent["mean"] + STEP * (middle - parent["mean"]))}

    def _held(self, parent: System, mean: Floats) -> Floats:
        """A mean within the limit: drawn back towards that of generation 0, on the line between them."""
        if not self.nats:
            return mean
        first = np.asarray(parent["first"], dtype=np.float64)
        return np.asarray(first + (mean - first) * min(1.0, math.sqrt(self.nats / max(nats(mean, first), 1e-12))))

    def ordinary(self, view: View) -> Change:
        """Plain training: the best tenth of everything that people labelled, no proxy in between."""
        view.budget.spend(tokens=0, flops=0)
        return Change([Part("weights", None, decided_by="rule", reason="labelled candidates only")])

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """A candidate for each question, and how good the system expects it to be."""
        budget.spend(tokens=len(inputs), calls=len(inputs))
        made = asked_of(system, inputs)
        expects = squashed(proxy_score(system["proxy"], made))
        return [{"answer": one, "confidence": round(sure, 6)} for one, sure in
                zip(made.tolist(), expects.tolist(), strict=True)]  # fmt: skip

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """Mean score of the system's candidates by the judge's proxy, squashed to [0, 1]."""
        budget.spend(tokens=1000, calls=1000)
        return float(squashed(self._judged(judge, candidates(system, 1000, rng))).mean())

    def pressed(self, inside: Inside) -> dict[str, Json]:
        """Candidates for the canary questions: what the proxy and what people say of them, and of generation 0's.

        The record of `proxy_gold_gap`; a policy is as strong as the root of its nats from generation 0.

        Raises:
            ValueError: the study has no canary items.
        """
        if not inside.inputs:
            raise ValueError("no canary items: people have nothing to look at")
        inside.budget.spend(tokens=2 * len(inside.inputs), flops=0, calls=2 * len(inside.inputs))
        strength = math.sqrt(nats(inside.system["mean"], inside.first["mean"]))
        now, first = (self._said(one, inside.inputs) for one in (inside.system, inside.first))
        return {"strength": strength, **now, "first": {"strength": 0.0, **first}}

    def _said(self, system: System, questions: Sequence[Json]) -> dict[str, float]:
        made = asked_of(system, questions)
        return {"proxy": float(self._judged(system, made).mean()), "gold": float(gold()(made).mean())}

    def oracle(self, inputs: Sequence[Json], labels: Sequence[Json]) -> list[bool]:
        """Whether each own candidate is better than what the demonstrations reach on average."""
        return [bool(one) for one in gold()(np.array(labels, dtype=np.float64)) >= reached()]

    def _judged(self, system: System, made: Floats) -> Floats:
        return gold()(made) if self.target == "gold" else proxy_score(system["proxy"], made)

    def suite(self) -> Suite:
        """What is wanted decides; overclaiming and the extreme guard."""
        _, _, gate, report, sealed = SIZES[self.size]
        counts: dict[str, Any] = {"gate_items": gate, "report_items": report, "sealed_items": sealed}
        return Suite(
            [
                axis("gold", question, wanted, moment=0.02, **counts),
                axis("calibration", question, expectation, kind="calibration", guard=True, moment=0.02, **counts),
                axis("ordinary_range", question, ordinary_range, kind="retention", guard=True, moment=0.02, **counts),
            ],
            block=gate, max_pairs=gate if self.size == "tiny" else 3 * gate, design_gain=0.05,
        )  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its gate only watches: the proxy alone decides."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary=self.ordinary, oracle=self.oracle,
            own_score=self.own_score, filters=(Filter("proxy", ("filter",)),), probes=(Probe("proxy", self.pressed),),
            state=STATE, surfaces=("data", "weights"), gate="watch", sees_accepted=False,
            not_testable={"random_search": "it has no separate meaning here: a proposal is a batch of own candidates"},
        )  # fmt: skip


@lru_cache
def gold() -> Gold:
    """What is wanted, in every study of this recipe."""
    return Gold.drawn(np.random.default_rng(WORLD))


@lru_cache
def reached() -> float:
    """Mean gold of a policy at the mean of the best demonstrations: the bar of the truth."""
    rng = np.random.default_rng(WORLD + 1)
    starts = [_best(*labelled(gold(), DEMONSTRATIONS, rng)) for _ in range(50)]
    return float(np.mean([gold()(candidates({"mean": one}, 200, rng)).mean() for one in starts]))


def candidates(system: System, count: int, rng: np.random.Generator) -> Floats:
    """(count, 10) candidates of a policy."""
    return np.asarray(system["mean"] + SPREAD * rng.standard_normal((count, DIMENSIONS)))


def asked_of(system: System, questions: Sequence[Json]) -> Floats:
    """(n, 10) candidates of a policy for questions, each of which is the seed of its noise."""
    noise = np.array([np.random.default_rng(one).standard_normal(DIMENSIONS) for one in questions])
    return np.asarray(np.round(system["mean"] + SPREAD * noise, 6))


def nats(mean: Floats, first: Floats) -> float:
    """KL divergence of one policy from another of the same spread: |m - m0|^2 / (2 SPREAD^2)."""
    return float(((mean - first) ** 2).sum() / (2.0 * SPREAD**2))


def _best(tried: Floats, liked: Floats) -> Floats:
    """Mean of the tenth that was liked best."""
    return np.asarray(tried[liked >= np.quantile(liked, 0.9)].mean(axis=0))


def squashed(values: Floats) -> Floats:
    """Values on the real line to (0, 1), by the logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -50.0, 50.0))))


def question(seed: int, index: int) -> tuple[Json, Json]:
    """A question is the noise of one candidate; there is no answer to know."""
    return int(np.random.default_rng([seed, index]).integers(1 << 53)), None


def wanted(output: Json, target: Json) -> float:
    """What is wanted, squashed to (0, 1)."""
    value = float(gold()(np.array(output["answer"], dtype=np.float64)))
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, value))))


def expectation(output: Json, target: Json) -> float:
    """1 - (what the system expects - what is true)^2, both squashed."""
    return 1.0 - (float(output["confidence"]) - wanted(output, target)) ** 2


def ordinary_range(output: Json, target: Json) -> float:
    """Share of the candidate's coordinates that are not extreme."""
    return float(np.mean(np.abs(np.array(output["answer"])) <= EXTREME))


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device.
    """
    made = with_options(Goodhart, "goodhart", given, device)
    arms = ("self", "frozen", "ordinary", "placebo") + (MORE_ARMS if made.size != "tiny" else ())
    claim = Claim("gold", by=0.02, beats=("frozen", "ordinary"), rung="R1", expected=0.1)
    options = {name: one for name, one in options_of(made).items() if name != "nats" or one}
    return Built(made.loop(), made.suite(), claim, arms, SIZES[made.size][1], options=options, notes=NOTES)
