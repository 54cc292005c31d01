"""The system of `blend`: weights that answer, how they are asked, and the rate at which they are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netgain.recipes.blend.sizes import CHECK, TASK, TEMPERATURE
from netgain.recipes.length import ask, model
from netgain.wire import pack, unpack


@dataclass(frozen=True)
class System:
    """What is served.

    Attributes:
        weights: of the decoder.
        tries: answers to a question before one is given.
        pick: which of them is given: "first", "check" (one that passes the own check) or "vote" (the most frequent).
        rate: peak learning rate of its rounds.
    """

    weights: model.Weights
    tries: int
    pick: str
    rate: float


def encode(system: System) -> bytes:
    """Weights as safetensors beside the numbers."""
    return pack([model.to_bytes(system.weights), system.tries, system.pick, system.rate])


def decode(data: bytes) -> System:
    """The system of `encode`; never runs code found in the bytes."""
    weights, tries, pick, rate = unpack(data)
    return System(model.from_bytes(weights), int(tries), str(pick), float(rate))


def split(system: System) -> dict[str, Any]:
    """Its two parts that a question meets; the rate goes with the weights, which it made."""
    return {
        "weights": [model.to_bytes(system.weights), system.rate],
        "policy": [system.tries, system.pick],
    }


def join(parts: dict[str, Any]) -> System:
    """The system of these parts; the inverse of `split`."""
    (weights, rate), (tries, pick) = parts["weights"], parts["policy"]
    return System(model.from_bytes(weights), int(tries), str(pick), float(rate))


def answers(weights: model.Weights, tries: int, pick: str, asked: list[str], rng: np.random.Generator) -> ask.Answers:
    """Answer questions under a policy: greedily first, then by sampling, and one of the tries is given."""
    if tries == 1:
        return ask.answer(weights, asked)
    return ask.best_of(weights, TASK, CHECK if pick == "check" else "none", asked, tries, TEMPERATURE, rng)
