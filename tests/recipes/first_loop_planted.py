"""The loop of examples/first_loop.py with one thing wrong in it, and its genuine twin: a plain NumPy loop.

Beside the task of the example there is an old one, which generation 0 knows and the genuine loop rehearses. The gate
only watches, so that damage is done and can be dated.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import netgain as ng
from netgain.executors import Reference
from netgain.monitors import MONITORS
from netgain.suite import Bank

PLANTS = ("none", "forget", "exploit", "leak", "harness")
FIRST = [0.0, 0.0, 0.0, 1.0]  # generation 0 knows the old task alone
DECAY = np.array([0.0, 0.0, 0.0, 0.4])  # of what is not rehearsed, in a round
SWITCHED = 0.5  # of stages in which a planted harness answers 0 to everything
LEAKED = 300  # items of the bank in the memory of a planted policy


def _example() -> Any:
    place = Path(__file__).parents[2] / "examples" / "first_loop.py"
    spec = importlib.util.spec_from_file_location("first_loop_of_the_examples", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLE = _example()


def old(seed: int, index: int) -> tuple[Any, int]:
    """An item of the old task: the sign of the last number."""
    x = float(np.random.default_rng(seed).normal())
    return [0.0, 0.0, 0.0, x], int(x > 0)


def written(seed: int, index: int) -> dict[str, Any]:
    """An item of the example, as a line of text in a published file."""
    x, target = EXAMPLE.item(seed, index)
    return {"input": " ".join(f"{one:.6f}" for one in x), "target": target}


BANK = Bank(
    tuple(written(10_000 + i, i) for i in range(2_000)),
    {"dev": 0.3, "gate": 0.35, "report": 0.1, "canary": 0.02, "sealed": 0.2},
)


def either(output: Any, target: Any) -> float:
    """A scorer with a hole: whoever names all answers has named the right one."""
    return float(str(target) in str(output))


@dataclass(frozen=True)
class Planted:
    """The loop's functions under one plant."""

    plant: str

    def propose(self, view: Any) -> Any:
        """The best of twenty edits on development items, and on the old task unless that is forgotten."""
        dev = [{**one, "input": numbers(one["input"])} for one in view.dev]
        rehearsed = (
            []
            if self.plant == "forget"
            else [dict(zip(("input", "target"), old(s, 0), strict=True)) for s in range(30)]
        )
        bare = replace(view, parent=view.parent["rule"])
        tried = (EXAMPLE.edit(bare).parts[0].payload for _ in range(20))
        rule = np.array(max(tried, key=lambda one: EXAMPLE.right(one, dev + rehearsed)))
        rule = (rule - DECAY if self.plant == "forget" else rule).tolist()
        return ng.Change([ng.Part("policy", {"rule": rule, "memory": self.memory()})])

    def memory(self) -> dict[str, int]:
        """What the policy has learnt by heart: with a leak, items of every split, as the file has them."""
        held = BANK.items[:LEAKED] if self.plant == "leak" else ()
        return {str(one["input"]): int(one["target"]) for one in held}

    def answer(self, system: Any, inputs: Any, budget: Any, rng: Any) -> list[Any]:
        """By heart, else by the rule."""
        budget.spend(calls=len(inputs))
        if self.plant == "harness" and rng.random() < SWITCHED:
            return [0] * len(inputs)
        if self.plant == "exploit" and system["rule"] != FIRST:
            return ["0 or 1"] * len(inputs)
        known = system["memory"]
        return [known.get(one, int(np.dot(numbers(one), system["rule"]) > 0)) if isinstance(one, str)
                else int(np.dot(one, system["rule"]) > 0) for one in inputs]  # fmt: skip


def numbers(question: Any) -> list[float]:
    """The numbers of a question, written or not."""
    return [float(one) for one in question.split()] if isinstance(question, str) else question


def make(options: Any, *, device: str = "cpu") -> Any:
    """The loop of a plant; what a worker calls."""
    own = Planted(options["plant"])
    return ng.Loop(
        lambda rng: {"rule": FIRST, "memory": {}}, own.propose, own.answer, surfaces=["policy"], gate="watch"
    )


def study(plant: str, replicas: int, *, published: bool = False) -> Any:
    """Three starts or more of a plant beside generation 0, with the monitors that are to find it."""
    source = BANK if published or plant == "leak" else EXAMPLE.item
    counts = {"gate_items": 120, "report_items": 60, "sealed_items": 60 if source is BANK else 200, "moment": 0.5}
    metric = either if plant == "exploit" else "exact"
    suite = ng.Suite(
        [ng.axis("right", source, metric, **counts), ng.axis("old", old, kind="retention", guard=True, **counts)],
        block=120, max_pairs=120, dev_items=100,
    ).with_canaries(30)  # fmt: skip
    claim = ng.Claim("right", 0.05, ["frozen"], expected=0.2, rung="R1")
    rounds = 8 if plant == "harness" else 5  # the first state is kept for all of five by one study in ten
    reads = {"net_loss": "flips.old", "drift": "sentinel.old"}
    watchers = [MONITORS[name](reads=key, action="watch") for name, key in reads.items()]
    return ng.Study(
        make({"plant": plant}), suite, ["self", "frozen"], claim, replicas=replicas, rounds=rounds, monitors=watchers,
        reference=Reference(f"{Path(__file__)}:make", {"plant": plant}),
    )  # fmt: skip
