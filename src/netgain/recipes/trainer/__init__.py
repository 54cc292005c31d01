"""`trainer`: a loop edits its own training procedure, believes its validation score, and is asked with fresh seeds.

The system is a procedure: optimiser, schedule, loss, augmentation, width and depth, at a locked number of epochs. A
round edits it, trains a small network on digits once each time, and keeps what beats the record on its own validation
images. The record is the best of many noisy scores, so it promises more than fresh trainings give on images that nobody
has seen: the difference is the *inflation* that the report shows. With `edits = "seed"` nothing but the seed
changes, and all of the claimed gain is of that kind. Numbers: docs/recipes/trainer.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.trainer.network import Networks, chances, cost, images, trained
from netgain.recipes.trainer.procedure import ARCHITECTURE, NAMES, PLAIN, SLICES, UNIT, Floats, admissible
from netgain.recipes.trainer.trials import (
    SEEDS,
    Allowance,
    Edit,
    Own,
    Record,
    Tried,
    anywhere,
    breed,
    climb,
    nothing,
    one_or_two,
    rate_alone,
)
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop
from netgain.suite import Bank, Suite, axis

Json = Any
System = dict[str, Any]

TRAINED = 250  # of the loop's 400 images; it tries what it trained on the other 150
SPREAD = 0.05  # of generation 0 around `PLAIN`, in units of each number
SHARES = {"dev": 0.06, "gate": 0.08, "report": 0.1, "sealed": 0.76}  # of images that are only asked; no loop gets dev
NOTES = {
    "edits": "all: what it may edit; seed: nothing but the seed of a training, so that every claimed gain is luck",
    "check": "once: one training decides; again: three more of both sides before an edit is believed",
    "engine": "ratchet: one edit after another; pbt: a population that trains side by side",
}
STATE = {
    "parent": "the training procedure",
    "improver": "how edits are drawn and believed, which no round changes",
    "position": "the record: the best validation score so far, and whose it is",
}
KNOWN = {"edits": ("all", "seed"), "check": ("once", "again"), "engine": ("ratchet", "pbt")}
CODE = "code"  # the size whose loop edits source: `code.py`
CONTROLS = ("frozen", "ordinary", "random_proposer")
MORE = ("placebo", "unguarded:record.filter", "random_search")  # what R2 asks for besides


@dataclass(frozen=True)
class Size:
    """Numbers of a size.

    Attributes:
        rounds, starts: of a study.
        trainings: of a round.
        fresh: networks, each from a seed of its own, that answer a question.
        gate, report, sealed: items.
    """

    rounds: int
    starts: int
    trainings: int
    fresh: int
    gate: int
    report: int
    sealed: int


SIZES = {"tiny": Size(2, 6, 4, 2, 6, 12, 60), "default": Size(4, 6, 10, 4, 12, 80, 88)}


@dataclass(frozen=True)
class Trainer:
    """The loop of one setting.

    Attributes:
        edits, check, engine: one of `KNOWN` each.
        size: of `SIZES`.
    """

    edits: str = "all"
    check: str = "once"
    engine: str = "ratchet"
    size: str = "default"

    def __post_init__(self) -> None:
        for kind, known in {**KNOWN, "size": (*SIZES, CODE)}.items():
            if getattr(self, kind) not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'trainer'", getattr(self, kind), known)
        for kind, other in (("edits", "seed"), ("check", "again")):
            if self.engine == "pbt" and getattr(self, kind) == other:
                raise ConfigError(f"{kind} {other!r} with engine 'pbt'", fix="use engine 'ratchet'")

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0: plain gradient descent, a little different in every start, on images of its own."""
        row = np.round(admissible(PLAIN + SPREAD * UNIT * ~ARCHITECTURE * rng.standard_normal(len(PLAIN))), 6)
        seed, deal = (int(one) for one in rng.integers(SEEDS, size=2))
        return Started(_system([row] * SLICES, seed, deal), {"tokens": 0, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Edit the procedure, try it, and take what beats the record."""
        if self.edits == "seed":
            return self._round(view, nothing, "the same procedure from other seeds")
        if self.engine == "pbt":
            return self._round(view, one_or_two(_free(view)), "a population trained side by side", breeds=True)
        return self._round(view, one_or_two(_free(view)), "edits of one number or two")

    def random_search(self, view: View) -> Change:
        """As much spent on procedures drawn evenly from their boxes, tried and taken in the same way."""
        return self._round(view, anywhere(_free(view)), "procedures drawn evenly from their boxes")

    def tuned(self, view: View) -> Change:
        """Plain tuning: the rate alone, drawn evenly from its box."""
        return _by_rule(self._round(view, rate_alone, "plain tuning of the rate"))

    def reseeded(self, view: View) -> Change:
        """The placebo of this field: the same procedure trained again and again, and the best training reported."""
        return _by_rule(self._round(view, nothing, "the same procedure from other seeds"))

    def _round(self, view: View, edit: Edit, reason: str, *, breeds: bool = False) -> Change:
        """Tries on own images. Its examples are the edits; those that beat the record pass."""
        own, budget = _own(view.parent), view.budget
        allowed = Allowance(round(SIZES[self.size].trainings * budget.scale), budget.tokens, budget.flops)
        if not allowed.left(own):
            budget.spend(tokens=0, flops=0, calls=0)
            return Change([Part("training", None, reason="nothing is left to spend")])
        before = _record(view, own)
        if breeds:
            tried = breed(before, edit, own, allowed, view.rng)
        else:
            tried = climb(before, edit, own, allowed, view.rng, again=self.check == "again")
        budget.spend(tokens=own.tokens, flops=own.flops, calls=own.trainings)
        return _change(view, before, tried, own, reason)

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """The edits that passed are made, one after the other; the seed is that of the last one."""
        budget.spend(tokens=0, flops=0, calls=0)
        kept = change.examples
        if kept is None or not kept.labels:
            return dict(parent)
        steps = np.array([one["step"] for one in kept.labels], dtype=np.float64)
        rows = np.round(admissible(_rows(parent) + steps.sum(axis=0)), 6)
        return {**parent, "rows": rows.tolist(), "seed": kept.labels[-1]["seed"]}

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """Train fresh networks by the procedure; each image's digit by each of them, and how sure each is."""
        if not inputs:
            budget.spend(tokens=0, flops=0, calls=0)
            return []
        seeds, own = [int(one) for one in rng.integers(SEEDS, size=SIZES[self.size].fresh)], _own(system)
        tokens, flops = cost(_rows(system), TRAINED, len(inputs))
        budget.spend(tokens=len(seeds) * tokens, flops=len(seeds) * flops, calls=len(seeds))
        found = _asked(trained(_rows(system), own.known, seeds), inputs)
        sure, digits = found.max(axis=-1).T.round(6).tolist(), found.argmax(axis=-1).T.tolist()
        return [{"digits": one, "confidence": chance} for one, chance in zip(digits, sure, strict=True)]

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """What the loop claimed when it took a procedure: its score on own images, from the seed that gave it."""
        own = _own(judge)
        found = own.score(_rows(system), [system["seed"]])
        budget.spend(tokens=own.tokens, flops=own.flops, calls=1)
        return found

    def suite(self) -> Suite:
        """Share of fresh trainings that get an image right decides; how well they know it stands beside."""
        size = SIZES[self.size]
        counts: dict[str, Any] = {"report_items": size.report, "sealed_items": size.sealed}
        bank = Bank(_items(), SHARES)
        return Suite(
            [
                axis("accuracy", bank, accurate, moment=0.02, gate_items=size.gate, **counts),
                axis("calibration", bank, calibrated, kind="calibration", **counts),
            ],
            block=size.gate, max_pairs=size.gate, design_gain=0.1,
        )  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its gate only watches, as nobody gated its models."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build,
            ordinary={"rate": self.tuned, "reseed": self.reseeded}, random_search=self.random_search,
            own_score=self.own_score, filters=(Filter("record", ("filter",)),), state=STATE,
            surfaces=("training", "architecture"), closable=("training", "architecture"), gate="watch",
            sees_accepted=False,
            not_testable={"sampled": "an answer is already that of several fresh trainings"},
        )  # fmt: skip


def _system(rows: Sequence[Floats], seed: int, deal: int) -> System:
    return {"rows": [[float(one) for one in row] for row in rows], "seed": seed, "deal": deal}


def _rows(system: System) -> Floats:
    return np.array(system["rows"], dtype=np.float64)


def _own(system: System) -> Own:
    """The images of a system's start: which of the loop's are for training and which for trying was drawn there."""
    pool = images()[0]
    order = np.random.default_rng(system["deal"]).permutation(len(pool.digits))
    return Own(pool.chosen(order[:TRAINED]), pool.chosen(order[TRAINED:]))


def _free(view: View) -> Any:
    """Numbers that may be edited."""
    closed = np.where(ARCHITECTURE, "architecture" in view.closed, "training" in view.closed)
    return ~closed.astype(bool)


def _record(view: View, own: Own) -> Record:
    """The record, where it is the parent's; else what the parent scores now, from the seed that it came with."""
    state, rows = view.state or {}, _rows(view.parent)
    if state.get("rows") == view.parent["rows"] and state.get("seed") == view.parent["seed"]:
        return Record(state["score"], rows, state["seed"])
    return Record(own.score(rows, [view.parent["seed"]]), rows, view.parent["seed"])


def _change(view: View, before: Record, tried: Tried, own: Own, reason: str) -> Change:
    """The tries as examples, and the record as it stands."""
    after, count = tried.record, len(tried.steps)
    labels = [{"step": step.round(6).tolist(), "seed": seed}
              for step, seed in zip(tried.steps, tried.seeds, strict=True)]  # fmt: skip
    seen = {"before": round(before.score, 6), "after": round(after.score, 6), "taken": sum(tried.taken),
            "trainings": own.trainings}  # fmt: skip
    surface = "architecture" if "training" in view.closed else "training"
    tries = Examples([f"{view.round}/{at}" for at in range(count)], labels)
    parts = [Part(surface, tries, reason=reason, options=count, evidence=seen)]
    if surface == "training" and any(np.abs(step[:, ARCHITECTURE]).max() > 0 for step in tried.steps):
        shape = dict(zip(np.array(NAMES)[ARCHITECTURE].tolist(), after.rows[0, ARCHITECTURE].tolist(), strict=True))
        parts.append(Part("architecture", shape, reason="edits of width or depth among them", options=count))
    state = {"score": after.score, "rows": after.rows.tolist(), "seed": after.seed}
    return Change(parts, state, {"record": tried.taken})


def _by_rule(change: Change) -> Change:
    return replace(change, parts=[replace(one, decided_by="rule") for one in change.parts])


def _asked(networks: Networks, inputs: Sequence[Json]) -> Any:
    return chances(networks, np.array(inputs, dtype=np.float32) / np.float32(16))


def _items() -> tuple[dict[str, Json], ...]:
    """The images that no loop has, each dealt to one role by its content."""
    asked = images()[1]
    pixels = np.rint(asked.pixels * 16).astype(int).tolist()
    return tuple({"input": one, "target": int(digit)} for one, digit in zip(pixels, asked.digits, strict=True))


def accurate(output: Json, target: Json) -> float:
    """Share of fresh trainings whose digit is the right one."""
    return float(np.mean([one == target for one in output["digits"]]))


def calibrated(output: Json, target: Json) -> float:
    """1 - (confidence - right)^2, mean over fresh trainings (Brier 1950)."""
    right = np.array(output["digits"]) == target
    return float(np.mean(1.0 - (np.array(output["confidence"]) - right) ** 2))


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device; scikit-learn is not installed.
    """
    if given.get("size") == CODE and device == "cpu":
        from netgain.recipes.trainer.code import made as made_of_code  # another system: of the digits it needs nothing

        return made_of_code(dict(given))
    made = with_options(Trainer, "trainer", given, device)
    size = SIZES[made.size]
    tiny = made.size == "tiny"
    # Expected is what the loop itself claims in trials outside any study; nobody else has to believe it.
    claim = Claim("accuracy", by=0.01, beats=CONTROLS, rung="R1" if tiny else "R2", expected=0.1)
    arms = ("self", *CONTROLS, *(() if tiny else MORE))
    return Built(
        made.loop(), made.suite(), claim, arms, size.rounds, size.starts, options=options_of(made), notes=NOTES,
        imports=("sklearn.datasets",),
    )  # fmt: skip
