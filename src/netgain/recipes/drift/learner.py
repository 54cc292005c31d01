"""A small network on digits, its training, and rounds of pseudo-labels; scikit-learn is asked for the images only.

Pseudo-labels are those of Lee 2013 (ICML workshop on challenges in representation learning): the most likely class of
an unlabelled image is taken as its label. Images: Alpaydin and Kaynak 1998, the test part of the UCI set, which
scikit-learn ships as `load_digits`: 1,797 of 8 x 8 pixels from 0 to 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
Network = dict[str, Any]  # "in" (65, H) and "out" (H + 1, 10), the last row of each is the bias

CLASSES = 10
TRAINING = 1000  # images that loops may have; the other 797 are only ever asked
SPLIT = 1998  # seed of that split, the same in every study
HIDDEN = 64
RATE = 0.2
DECAY = 1e-4
BATCH = 32
CONFIDENT = 0.8  # below it the system abstains


@dataclass(frozen=True)
class Images:
    """Pixels (n, 64) from 0 to 16, and digits (n,)."""

    pixels: Floats
    digits: Ints


@lru_cache
def images() -> tuple[Images, Images]:
    """Images for training, and images that are only asked.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ConfigError(
            "recipe 'drift' needs scikit-learn for its digits, which is not installed",
            fix="pip install 'netgain[sklearn]'",
        ) from error
    pixels, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(SPLIT).permutation(len(digits))
    parts = order[:TRAINING], order[TRAINING:]
    train, asked = (Images(np.asarray(pixels)[part], np.asarray(digits)[part].astype(np.int64)) for part in parts)
    return train, asked


def fresh(rng: Rng) -> Network:
    """Untrained weights (He initialisation)."""
    inner = rng.standard_normal((65, HIDDEN)) * np.sqrt(2.0 / 64)
    outer = rng.standard_normal((HIDDEN + 1, CLASSES)) * np.sqrt(2.0 / HIDDEN)
    inner[-1] = outer[-1] = 0.0
    return {"in": inner, "out": outer}


def chances(network: Network, pixels: Floats) -> Floats:
    """Probabilities of the ten digits for images (n, 64): (n, 10)."""
    return _forward(network, _with_bias(pixels / 16.0))[1]


def train(network: Network, pixels: Floats, digits: Ints, steps: int, rng: Rng) -> Network:
    """Steps of stochastic gradient descent with batches of 32 on cross-entropy, from these weights."""
    inner, outer = network["in"].copy(), network["out"].copy()
    x, wanted = _with_bias(pixels / 16.0), np.eye(CLASSES)[digits]
    order = np.concatenate([rng.permutation(len(x)) for _ in range(-(-steps * BATCH // len(x)))])
    for step in range(steps):
        chosen = order[step * BATCH : (step + 1) * BATCH]
        hidden, likely = _forward({"in": inner, "out": outer}, x[chosen])
        error = (likely - wanted[chosen]) / len(chosen)
        back = (error @ outer[:-1].T) * (hidden[:, :-1] > 0)
        outer -= RATE * (hidden.T @ error + DECAY * outer)
        inner -= RATE * (x[chosen].T @ back + DECAY * inner)
    return {"in": inner, "out": outer}


def _forward(network: Network, x: Floats) -> tuple[Floats, Floats]:
    hidden = _with_bias(np.maximum(x @ network["in"], 0.0))
    scores = hidden @ network["out"]
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, raised / raised.sum(axis=1, keepdims=True)


def _with_bias(values: Floats) -> Floats:
    return np.hstack([values, np.ones((len(values), 1))])


def shuffled(pixels: Floats, rng: Rng) -> Floats:
    """Junk: the pixels of each image (n, 64) in an order of its own."""
    return np.asarray(rng.permuted(pixels, axis=1))


@dataclass(frozen=True)
class Behaviour:
    """What a network does on images that nobody trained on; shares in [0, 1], `nll` in nats.

    Attributes:
        right: share right when it has to answer; abstains: share below `CONFIDENT`; refuses: the same on junk.
        nll: mean negative log-likelihood of the true digit.
        careless: share of answers that are given and wrong.
    """

    right: float
    abstains: float
    refuses: float
    nll: float
    careless: float


def behaviour(network: Network, rng: Rng) -> Behaviour:
    """Behaviour on the 797 images and on as many shuffled ones."""
    asked = images()[1]
    found = chances(network, asked.pixels)
    sure, best = found.max(axis=1), found.argmax(axis=1)
    junk = chances(network, shuffled(asked.pixels, rng)).max(axis=1)
    wrong = best != asked.digits
    return Behaviour(
        float(1.0 - wrong.mean()), float((sure < CONFIDENT).mean()), float((junk < CONFIDENT).mean()),
        float(-np.log(found[np.arange(len(wrong)), asked.digits]).mean()), float((wrong & (sure >= CONFIDENT)).mean()),
    )  # fmt: skip


def pseudo_label_rounds(
    labels: str, rounds: int, rng: Rng, *, labelled: int = 60, first_steps: int = 60, steps: int = 300,
    only_sure: bool = False,
) -> list[Behaviour]:  # fmt: skip
    """Behaviour of generation 0 and after each round of labels for all other training images.

    Args:
        labels: "own" (the network's) or "people" (the true ones).
        only_sure: keep own labels of at least `CONFIDENT` only.
    """
    pool = images()[0]
    order = rng.permutation(TRAINING)
    known, rest = order[:labelled], order[labelled:]
    network = train(fresh(rng), pool.pixels[known], pool.digits[known], first_steps, rng)
    seen = [behaviour(network, rng)]
    for _ in range(rounds):
        found = chances(network, pool.pixels[rest])
        kept = found.max(axis=1) >= CONFIDENT if only_sure else np.ones(len(rest), dtype=bool)
        own = pool.digits[rest] if labels == "people" else found.argmax(axis=1)
        part = np.concatenate([known, rest[kept]])
        target = np.concatenate([pool.digits[known], own[kept]])
        network = train(network, pool.pixels[part], target, steps, rng)
        seen.append(behaviour(network, rng))
    return seen
