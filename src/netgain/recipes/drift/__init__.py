"""`drift`: a network labels digits for itself; accuracy stays, while it abstains less and refuses less junk.

From a few labelled images it labels the others, keeps the labels that it is sure of, trains on them and goes on. How
sure it is rises round by round, and that is its own yardstick. With `labels = "people"` (the genuine twin) the same
rounds make it better. Numbers: docs/recipes/drift.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.metric import REFUSAL, answer_of
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.drift.learner import BATCH, CONFIDENT, TRAINING, chances, fresh, images, shuffled, train
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop
from netgain.suite import Suite, axis

Json = Any
System = dict[str, Any]

LABELLED = 60
FIRST_STEPS = 80
NOTES = {
    "labels": "own: the network's; people: the true ones, the genuine twin",
    "check": "sure: keep own labels of confidence 0.8 or more; none: keep all",
}
MORE_ARMS = ("unguarded:sure.filter", "oracle")
STATE = {"parent": "network", "improver": "network that labels, and its confidence", "position": "round"}


@dataclass(frozen=True)
class Size:
    """Numbers of a size: unlabelled images, steps and number of rounds; gate, report and sealed items of an axis."""

    unlabelled: int
    steps: int
    rounds: int
    gate: int
    report: int
    sealed: int


SIZES = {"tiny": Size(300, 120, 3, 20, 10, 120), "default": Size(940, 300, 5, 60, 100, 400)}


@dataclass(frozen=True)
class Drift:
    """The loop of one setting.

    Attributes:
        labels: "own" or "people".
        check: "sure" or "none".
        size: of `SIZES`.
    """

    labels: str = "own"
    check: str = "sure"
    size: str = "default"

    def __post_init__(self) -> None:
        for kind, value, known in (("labels", self.labels, ("own", "people")), ("check", self.check, ("sure", "none")),
                                   ("size", self.size, SIZES)):  # fmt: skip
            if value not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'drift'", value, known)

    @property
    def numbers(self) -> Size:
        """Numbers of the size."""
        return SIZES[self.size]

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0, trained on 60 labelled images; which ones are labelled is drawn."""
        pool, order = images()[0], rng.permutation(TRAINING)
        known = order[:LABELLED]
        network = train(fresh(rng), pool.pixels[known], pool.digits[known], FIRST_STEPS, rng)
        rest = order[LABELLED : LABELLED + self.numbers.unlabelled]
        return Started(
            {**network, "known": known, "rest": rest}, {"tokens": FIRST_STEPS * BATCH, "flops": 0, "calls": 0}
        )

    def propose(self, view: View) -> Change:
        """Label all other images, and check how sure each label is."""
        pool, rest = images()[0], view.improver["rest"]
        found = chances(view.improver, pool.pixels[rest])
        sure, own = found.max(axis=1), found.argmax(axis=1)
        given = pool.digits[rest] if self.labels == "people" else own
        view.budget.spend(tokens=len(rest), flops=0)
        seen = {"mean_confidence": round(float(sure.mean()), 6)}
        part = Part("data", Examples(rest.tolist(), given.tolist()), evidence=seen, reason=f"{len(rest)} labels",
                    decided_by="system" if self.labels == "own" else "person")  # fmt: skip
        checks = {"sure": [bool(one) for one in sure >= CONFIDENT]} if self.check == "sure" else {}
        return Change([part], (view.state or 0) + 1, checks)

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """Train on labelled images and kept labels; longer where a control has to spend more."""
        pool, kept = images()[0], change.examples or Examples()
        chosen = np.concatenate([parent["known"], np.array(kept.inputs, dtype=np.int64)])
        digits = np.concatenate([pool.digits[parent["known"]], np.array(kept.labels, dtype=np.int64)])
        steps = max(self.numbers.steps, -(-int(budget.tokens or 0) // BATCH))
        budget.spend(tokens=steps * BATCH, flops=0)
        return {**parent, **train(parent, pool.pixels[chosen], digits, steps, rng)}

    def ordinary(self, view: View) -> Change:
        """Plain training: the labelled images, for as long."""
        view.budget.spend(tokens=0, flops=0)
        return Change([Part("weights", None, decided_by="rule", reason="labelled images only")])

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """The digit, or a refusal below the confidence asked for; and the guess and its confidence in any case."""
        budget.spend(tokens=len(inputs), calls=len(inputs))
        found = chances(system, np.array(inputs, dtype=np.float64))
        sure, best = found.max(axis=1), found.argmax(axis=1)
        rows = zip(sure.tolist(), best.tolist(), strict=True)
        return [{"answer": one if chance >= CONFIDENT else REFUSAL, "guess": one, "confidence": round(chance, 6)}
                for chance, one in rows]  # fmt: skip

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """Mean of the judge's probability for what the system takes the judge's unlabelled images to be."""
        pixels = images()[0].pixels[judge["rest"]]
        budget.spend(tokens=len(pixels), calls=len(pixels))
        guessed = chances(system, pixels).argmax(axis=1)
        return float(chances(judge, pixels)[np.arange(len(pixels)), guessed].mean())

    def oracle(self, inputs: Sequence[Json], labels: Sequence[Json]) -> list[bool]:
        """Whether each label is right."""
        return [bool(one) for one in images()[0].digits[np.array(inputs, dtype=np.int64)] == np.array(labels)]

    def suite(self) -> Suite:
        """Accuracy when it has to answer decides; calibration and refusal in both directions guard."""
        size = self.numbers
        counts: dict[str, Any] = {"gate_items": size.gate, "report_items": size.report, "sealed_items": size.sealed}
        guard = {**counts, "guard": True, "moment": 0.1}
        return Suite(
            [
                axis("accuracy", digit, guessed, moment=0.15, **counts),
                axis("calibration", digit, surety, kind="calibration", **guard),
                axis("careful", digit, careful, kind="refusal", **guard),
                axis("answers", digit, "answered", kind="refusal", **guard),
                axis("refuses_junk", junk, "refused", kind="refusal", **guard),
            ],
            block=size.gate, max_pairs=size.gate if self.size == "tiny" else 3 * size.gate, design_gain=0.08,
        )  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its gate only watches, as nobody watched the axes that drift."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary=self.ordinary, oracle=self.oracle,
            own_score=self.own_score, state=STATE, surfaces=("data", "weights"), gate="watch", sees_accepted=False,
            filters=(Filter("sure", ("filter",)),) if self.check == "sure" else (),
            not_testable={"random_search": "it has no separate meaning here: a proposal is a batch of own labels"},
        )  # fmt: skip


def digit(seed: int, index: int) -> tuple[Json, Json]:
    """One of the 797 images that no loop has, each pixel moved by at most 1, and its digit."""
    rng = np.random.default_rng([seed, index])
    asked = images()[1]
    one = int(rng.integers(len(asked.digits)))
    moved = np.clip(asked.pixels[one] + rng.integers(-1, 2, size=64), 0, 16)
    return [int(pixel) for pixel in moved], int(asked.digits[one])


def junk(seed: int, index: int) -> tuple[Json, Json]:
    """The pixels of such an image in random order: there is no digit to see."""
    rng = np.random.default_rng([seed, index, 1])
    pixels, _ = digit(seed, index)
    return [int(one) for one in shuffled(np.array([pixels]), rng)[0]], REFUSAL


def guessed(output: Json, target: Json) -> float:
    """1 when the digit is right, whether it would have been said or not."""
    return float(output["guess"] == target)


def surety(output: Json, target: Json) -> float:
    """1 - (confidence - right)^2 of the guess (Brier 1950)."""
    return float(1.0 - (output["confidence"] - guessed(output, target)) ** 2)


def careful(output: Json, target: Json) -> float:
    """0 for an answer that is given and wrong; 1 for a right one, and for a refusal."""
    return float(answer_of(output) in (REFUSAL, target))


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device; scikit-learn is not installed.
    """
    made = with_options(Drift, "drift", given, device)
    more = [one for one in MORE_ARMS if made.size != "tiny" and (made.check == "sure" or ":" not in one)]
    claim = Claim("accuracy", by=0.05, beats=("frozen", "ordinary"), rung="R1", expected=0.15)
    return Built(
        made.loop(), made.suite(), claim, ("self", "frozen", "ordinary", "placebo", *more), made.numbers.rounds,
        options=options_of(made), notes=NOTES,
    )  # fmt: skip
