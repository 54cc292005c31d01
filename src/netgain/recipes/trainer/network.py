"""Small networks on digits in NumPy: many trainings of one procedure at once, each from a seed of its own.

Images: Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits", UCI; scikit-learn ships the test part as
`load_digits`: 1,797 images of 8 x 8 pixels from 0 to 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError
from netgain.recipes.trainer.procedure import SLICES, Floats, Procedure, procedure

Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CLASSES = 10
EPOCHS = 12  # of a training, whatever the procedure: that is the lock on compute
OWN = 400  # images that loops may have; the others are only ever asked
SPLIT = 1998  # seed of that split, the same in every study
MOVES = [(down, right) for down in (0, -1, 1) for right in (0, -1, 1)]  # the first one moves nothing
FIRST, ORDER, MOVED, NOISE = range(4)  # streams of a training


@dataclass(frozen=True)
class Images:
    """Pixels (n, 64) in [0, 1], and digits (n,)."""

    pixels: Singles
    digits: Ints

    def chosen(self, places: Sequence[int] | Ints) -> Images:
        """Some of them."""
        return Images(self.pixels[places], self.digits[places])


@lru_cache
def images() -> tuple[Images, Images]:
    """Images that loops may have, and images that are only asked.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ConfigError(
            "recipe 'trainer' needs scikit-learn for its digits, which is not installed",
            fix="pip install 'netgain[sklearn]'",
        ) from error
    pixels, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(SPLIT).permutation(len(digits))
    both = Images(np.asarray(pixels, dtype=np.float32) / np.float32(16), np.asarray(digits).astype(np.int64))
    return both.chosen(order[:OWN]), both.chosen(order[OWN:])


@dataclass(frozen=True)
class Networks:
    """S networks of one shape, and what their optimiser remembers.

    Attributes:
        weights: of each layer, (S, in, out); the last row of `in` is the bias.
        pace: running mean of the gradients, shaped alike.
        size: running mean of their squares, shaped alike; used by Adam alone.
        steps: so far.
    """

    weights: tuple[Singles, ...]
    pace: tuple[Singles, ...]
    size: tuple[Singles, ...]
    steps: int = 0

    def picked(self, places: Sequence[int]) -> Networks:
        """Some of them, or some of them several times."""
        one, two, three = (tuple(each[list(places)] for each in layers)
                           for layers in (self.weights, self.pace, self.size))  # fmt: skip
        return replace(self, weights=one, pace=two, size=three)


def fresh(how: Procedure, seeds: Sequence[int]) -> Networks:
    """Untrained networks, one of each seed (He initialisation, arXiv 1502.01852, equation 10)."""
    shape = [64, *[how.width] * how.depth, CLASSES]
    layers = []
    rngs = [_stream(seed, FIRST) for seed in seeds]
    for inner, outer in pairwise(shape):
        drawn = np.stack([rng.standard_normal((inner + 1, outer), dtype=np.float32) for rng in rngs])
        drawn *= np.float32(np.sqrt(2.0 / inner))
        drawn[:, -1] = 0.0
        layers.append(drawn)
    nothing = tuple(np.zeros_like(one) for one in layers)
    return Networks(tuple(layers), nothing, nothing)


def trained(rows: Floats, known: Images, seeds: Sequence[int]) -> Networks:
    """S networks, trained from scratch as the rows say: the same length for all, each with its own seed.

    Args:
        rows: (4, 11) numbers of the procedure, one row for each quarter of the training.
        known: training images.
        seeds: of first weights, order and augmentation.
    """
    networks = fresh(procedure(rows[0]), seeds)
    for part in range(SLICES):
        networks = further(networks, procedure(rows[part]), known, seeds, part)
    return networks


def further(networks: Networks, how: Procedure, known: Images, seeds: Sequence[int], part: int) -> Networks:
    """A quarter of a training: 3 epochs of the 12."""
    each = EPOCHS // SLICES
    batches = -(-len(known.digits) // how.batch)
    wanted = _wanted(known.digits, how.smoothing)
    for epoch in range(part * each, (part + 1) * each):
        pixels, order = _epoch(known, how, seeds, epoch)
        for at in range(batches):
            through = (epoch + at / batches) / EPOCHS
            some = slice(at * how.batch, (at + 1) * how.batch)
            networks = _step(
                networks, how, pixels[:, some], wanted[order[:, some]], how.rate * (1 - how.fall * through)
            )
    return networks


def chances(networks: Networks, pixels: Singles) -> Singles:
    """Probabilities of the ten digits (S, n, 10); a network that has diverged holds all of them equally likely."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = _forward(networks.weights, np.broadcast_to(pixels, (len(networks.weights[0]), *pixels.shape)))[-1]
    found[~np.isfinite(found).all(axis=-1)] = 1.0 / CLASSES
    return found


def accuracy(networks: Networks, asked: Images) -> Floats:
    """(S,) share of images that each network gets right."""
    return np.asarray((chances(networks, asked.pixels).argmax(axis=-1) == asked.digits).mean(axis=-1))


def cost(rows: Floats, training: int, asked: int) -> tuple[int, int]:
    """Images that go through a network in one training and one asking, and the operations that this takes.

    Two operations a weight forwards, four more backwards.
    """
    how = procedure(rows[0])
    shape = [64, *[how.width] * how.depth, CLASSES]
    weights = sum((inner + 1) * outer for inner, outer in pairwise(shape))
    return EPOCHS * training + asked, 2 * weights * (3 * EPOCHS * training + asked)


def _stream(seed: int, purpose: int, epoch: int = 0) -> np.random.Generator:
    return np.random.default_rng([seed, purpose, epoch])


def _wanted(digits: Ints, smoothing: float) -> Singles:
    """Targets with so much of their mass spread evenly (Szegedy et al. 2015, arXiv 1512.00567, section 7)."""
    return np.asarray((1 - smoothing) * np.eye(CLASSES)[digits] + smoothing / CLASSES, dtype=np.float32)


def _epoch(known: Images, how: Procedure, seeds: Sequence[int], epoch: int) -> tuple[Singles, Ints]:
    """Images of an epoch (S, n, 64) in each training's own order (S, n), some moved by a pixel, with noise."""
    count = len(known.digits)
    order = np.stack([_stream(seed, ORDER, epoch).permutation(count) for seed in seeds])
    if how.moved < 0.01:
        pixels = known.pixels[order]
    else:
        lots = np.stack([_stream(seed, MOVED, epoch).random((2, count)) for seed in seeds])
        move = np.where(lots[:, 0] < how.moved, 1 + (lots[:, 1] * (len(MOVES) - 1)).astype(np.int64), 0)
        pixels = _moved(known)[move, order]
    if how.noise >= 0.01:
        drawn = [_stream(seed, NOISE, epoch).standard_normal((count, 64), dtype=np.float32) for seed in seeds]
        pixels = pixels + np.float32(how.noise) * np.stack(drawn)
    return pixels, order


def _moved(known: Images) -> Singles:
    """(9, n, 64) the images moved by up to a pixel in each direction, blank where nothing comes in."""
    square = np.pad(known.pixels.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    return np.stack([square[:, 1 + down : 9 + down, 1 + right : 9 + right].reshape(-1, 64) for down, right in MOVES])


def _step(networks: Networks, how: Procedure, pixels: Singles, wanted: Singles, rate: float) -> Networks:
    """One step of all networks on cross-entropy, each on its own batch."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = _forward(networks.weights, pixels)
        error = (values[-1] - wanted) / np.float32(pixels.shape[1])
        slopes = []
        for at in range(len(networks.weights) - 1, -1, -1):
            weights = networks.weights[at]
            slope = np.empty_like(weights)
            np.matmul(values[at].swapaxes(1, 2), error, out=slope[:, :-1])
            np.sum(error, axis=1, out=slope[:, -1])
            slopes.append(slope + np.float32(how.decay) * weights)
            if at:
                error = (error @ weights[:, :-1].swapaxes(1, 2)) * (values[at] > 0)
        return _updated(networks, how, slopes[::-1], rate)


def _updated(networks: Networks, how: Procedure, slopes: Sequence[Singles], rate: float) -> Networks:
    """Momentum (Polyak 1964), or Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1) at a hundredth of the rate."""
    beta, steps = np.float32(how.momentum), networks.steps + 1
    if not how.adam:
        pace = tuple(beta * old + one for old, one in zip(networks.pace, slopes, strict=True))
        weights = tuple(one - np.float32(rate) * by for one, by in zip(networks.weights, pace, strict=True))
        return Networks(weights, pace, networks.size, steps)
    other = np.float32(0.99)
    pace = tuple(beta * old + (1 - beta) * one for old, one in zip(networks.pace, slopes, strict=True))
    size = tuple(other * old + (1 - other) * one * one for old, one in zip(networks.size, slopes, strict=True))
    long, wide = np.float32(rate / 100 / (1 - float(beta) ** steps)), np.float32(1 / (1 - float(other) ** steps))
    weights = tuple(one - long * by / (np.sqrt(wide * of) + np.float32(1e-8))
                    for one, by, of in zip(networks.weights, pace, size, strict=True))  # fmt: skip
    return Networks(weights, pace, size, steps)


def _forward(weights: Sequence[Singles], pixels: Singles) -> list[Singles]:
    """Values of each layer (S, n, width), the images first and the probabilities last."""
    values = [pixels]
    for layer in weights[:-1]:
        values.append(np.maximum(values[-1] @ layer[:, :-1] + layer[:, -1:], 0))
    scores = values[-1] @ weights[-1][:, :-1] + weights[-1][:, -1:]
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return [*values, raised / raised.sum(axis=-1, keepdims=True)]
