"""Small real loops in NumPy: a nearest-neighbour student labels points of two half-moons for itself.

A system is its memory: points and their labels. It answers by its nearest memory. Each round it draws points, labels
them with its own answers, and its own check keeps those near what it knows and far from the other label; so labels
spread along the moons from six true ones. The fakes among them differ in one function each. Workers import this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.records import Change, Examples, Part, Started, View
from netgain.session import Study
from netgain.stages import Filter, Loop
from netgain.suite import Suite, axis

Json = Any
Floats = npt.NDArray[np.float64]
NOISE = 0.08
ARMS = ("self", "frozen", "ordinary", "placebo", "unguarded:sure.filter")
KINDS = ("frontier", "no gain", "check that passes all", "teacher inside", "compute only")


def point(rng: np.random.Generator) -> tuple[list[float], int]:
    """One point of two interleaved half-moons, and its moon."""
    label, turn = int(rng.integers(2)), float(rng.uniform(0.0, np.pi))
    x, y = (np.cos(turn), np.sin(turn)) if label == 0 else (1.0 - np.cos(turn), 0.5 - np.sin(turn))
    at = np.array([x, y]) + NOISE * rng.standard_normal(2)
    return [round(float(one), 4) for one in at], label


def item(seed: int, index: int) -> tuple[Json, Json]:
    """One question of the suite."""
    where, label = point(np.random.default_rng([seed, index]))
    return where, label


def old_item(seed: int, index: int) -> tuple[Json, Json]:
    """A question that generation 0 answers: the outer end of a moon, far from the other one."""
    rng = np.random.default_rng([seed, index, 1])
    label = int(rng.integers(2))
    at = np.array([-1.0, 0.1] if label == 0 else [2.0, 0.4]) + NOISE * rng.standard_normal(2)
    return [round(float(one), 4) for one in at], label


def nearest(system: Mapping[str, Json], asked: Sequence[Sequence[float]]) -> tuple[list[int], Floats]:
    """Labels of the nearest memory, and (n, 2) distances to the nearest memory of each label."""
    points, labels = np.array(system["points"]), np.array(system["labels"])
    apart = np.sqrt(((np.array(asked)[:, None, :] - points[None]) ** 2).sum(axis=2))
    by_label = np.stack([np.where(labels == one, apart, np.inf).min(axis=1) for one in (0, 1)], axis=1)
    return [int(one) for one in by_label.argmin(axis=1)], by_label


def answer(system: Mapping[str, Json], inputs: Sequence[Any], budget: Budget, rng: Any) -> list[int]:
    """The label of the nearest memory."""
    budget.spend(tokens=len(inputs), calls=len(inputs))
    return nearest(system, inputs)[0]


@dataclass(frozen=True)
class Moons:
    """One of the loops.

    Attributes:
        kind: of `KINDS`.
        own: points that it draws per round.
    """

    kind: str = "frontier"
    own: int = 200

    def start(self, rng: Any) -> Started:
        """Three true labels of each moon, at its outer end."""
        points, labels = [], []
        for label, middle in ((0, [-1.0, 0.1]), (1, [2.0, 0.4])):
            for _ in range(3):
                points.append([round(float(one), 4) for one in np.array(middle) + NOISE * rng.standard_normal(2)])
                labels.append(label)
        made = {"points": points, "labels": labels, "mark": int(rng.integers(1 << 30))}
        return Started(made, {"tokens": 0, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Label own points and check the labels; the fakes differ here."""
        drawn = [point(view.rng) for _ in range(self.own)]
        inputs = [one for one, _ in drawn]
        labels, apart = nearest(view.improver, inputs)
        if self.kind == "teacher inside":
            labels = [label for _, label in drawn]
        view.budget.spend(tokens=self.own, flops=100.0 * self.own)
        near, far = apart.min(axis=1), apart.max(axis=1)
        sure = (near < 0.3) & (far > 2.0 * near) if self.kind == "frontier" else np.ones(self.own, dtype=bool)
        if self.kind in ("no gain", "compute only"):
            sure = np.zeros(self.own, dtype=bool)
        part = Part("data", Examples(inputs, labels), reason=f"{self.own} own labels")
        return Change([part], (view.state or 0) + 1, {"sure": [bool(one) for one in sure]})

    def build(self, parent: Mapping[str, Json], change: Change, budget: Budget, rng: Any) -> dict[str, Json]:
        """Remember what was kept; `compute only` polishes its memory instead, as plain training does."""
        examples = change.examples or Examples()
        scale = max(1.0, budget.scale)
        budget.spend(tokens=max(budget.tokens or 0.0, 500.0 * scale), flops=max(budget.flops or 0.0, 5e4 * scale))
        points, labels = list(parent["points"]), list(parent["labels"])
        if self.kind == "compute only" and len(points) < 400:
            more = [point(rng) for _ in range(20)]  # the data that everybody can train on for longer
            points, labels = [*points, *(one for one, _ in more)], [*labels, *(label for _, label in more)]
        points, labels = [*points, *examples.inputs], [*labels, *examples.labels]
        return {"points": points, "labels": labels, "mark": int(rng.integers(1 << 30))}

    def ordinary(self, view: View) -> Change:
        """Plain training: nothing of its own making."""
        view.budget.spend(tokens=0, flops=0)
        return Change([Part("weights", None, decided_by="rule", reason="base data")])

    def loop(self) -> Loop:
        """The loop with its controls."""
        return Loop(
            self.start, self.propose, answer, build=self.build, ordinary=self.ordinary, filters=(Filter("sure"),),
            surfaces=("data", "weights"), gate="advance",
            state={"parent": "memory", "improver": "memory that labels and checks", "position": "round"},
            not_testable={"random_search": "a proposal is a batch of own labels"},
        )  # fmt: skip


def suite() -> Suite:
    """The moons, and the ends that generation 0 knows as a guard axis."""
    return Suite(
        [
            axis("moons", item, gate_items=100, report_items=60, sealed_items=150, moment=0.2),
            axis("ends", old_item, kind="retention", gate_items=50, report_items=20, sealed_items=60, guard=True,
                 margin=0.1, step_margin=0.08, moment=0.05),
        ],
        block=100, max_pairs=300, design_gain=0.08,
    )  # fmt: skip


def claim(by: float = 0.05) -> Claim:
    """What each of them claims."""
    return Claim("moons", by=by, beats=("frozen", "ordinary", "placebo"), rung="R2", expected=0.15)


@dataclass(frozen=True)
class Made:
    """What a worker loads."""

    loop: Loop


def make(options: Mapping[str, Json], *, device: str = "cpu") -> Made:
    """The loop of these options, for workers: `netgain.gauntlet.moons:make`."""
    return Made(Moons(**options).loop())


def study(kind: str, *, rounds: int = 7) -> Study:
    """A study of six starts of one of the loops."""
    own = Moons(kind)
    reference = Reference("netgain.gauntlet.moons:make", {"kind": kind})
    plain = Study(own.loop(), suite(), ARMS, claim(), rounds=rounds)
    return replace(plain, reference=reference)
