"""A small network with two heads, which column and who wins, its gradient by hand, and Adam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netgain.recipes.connect.game import CELLS, SIDE, Bools, Floats, Ints, mirrored

Rng = np.random.Generator
Network = Mapping[str, Floats]  # "first" (33, H), "second" (H + 1, H), "out" (H + 1, 5); the last row of each is a bias

HIDDEN = 128
HEADS = SIDE + 1  # four columns, and the value
RATE = 2e-3
LAST_RATE = 0.1  # of the rate at the last step of a round, falling evenly
BETAS, TINY = (0.9, 0.999), 1e-8
BATCH = 128
UNSURE = 0.01  # size of the last layer of an untrained network: it prefers hardly anything
TRAINED = 3  # positions through the network that one position of a training step is worth: there, back, gradient
FLOPS = 2 * ((2 * CELLS + 1) * HIDDEN + (HIDDEN + 1) * HIDDEN + (HIDDEN + 1) * HEADS)  # of one position
ILLEGAL = np.float32(-1e9)


def fresh(rng: Rng) -> dict[str, Floats]:
    """Untrained weights (He et al. 2015, arXiv 1502.01852), but for a last layer that is nearly nothing."""
    sizes = {"first": (2 * CELLS, HIDDEN), "second": (HIDDEN, HIDDEN), "out": (HIDDEN, HEADS)}
    made = {}
    for name, (rows, columns) in sizes.items():
        scale = UNSURE if name == "out" else np.sqrt(2.0 / rows)
        made[name] = np.vstack([rng.standard_normal((rows, columns)) * scale, np.zeros((1, columns))])
    return {name: one.astype(np.float32) for name, one in made.items()}


def judged(network: Network, seen: Floats, can: Bools) -> tuple[Floats, Floats]:
    """What the network thinks of positions.

    Args:
        seen: (n, 32) features.
        can: (n, 4) legal columns.

    Returns:
        (n, 4) probabilities of the legal columns, and (n,) value to the side to move, in [-1, 1].
    """
    heads = _layers(network, seen)[2]
    return _likely(heads[:, :SIDE], can), np.tanh(heads[:, SIDE])


@dataclass(frozen=True)
class Lessons:
    """What is to be learnt: seen (n, 32), can (n, 4) legal columns, moves (n,) wanted, values (n,) in [-1, 1].

    A lesson whose wanted move is not legal, as where labels were destroyed, teaches its value alone.
    """

    seen: Floats
    can: Bools
    moves: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.moves)

    def mirrored(self) -> Lessons:
        """Left and right exchanged, which changes nothing in this game."""
        return Lessons(mirrored(self.seen), np.ascontiguousarray(self.can[:, ::-1]), SIDE - 1 - self.moves, self.values)

    def __getitem__(self, which: Ints) -> Lessons:
        return Lessons(self.seen[which], self.can[which], self.moves[which], self.values[which])


def joined(first: Lessons, second: Lessons) -> Lessons:
    """Both, one after the other."""
    names = ("seen", "can", "moves", "values")
    return Lessons(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names))


def train(network: Network, lessons: Lessons, steps: int, rng: Rng) -> dict[str, Floats]:
    """Steps of Adam (Kingma and Ba 2015, algorithm 1) on batches of 128 lessons and their mirror images."""
    weights = {name: one.copy() for name, one in network.items()}
    first, second = ({name: np.zeros_like(one) for name, one in weights.items()} for _ in range(2))
    both = joined(lessons, lessons.mirrored())
    drawn = rng.integers(len(both), size=(steps, BATCH))
    for step in range(steps):
        slopes = gradient(weights, both[drawn[step]])[1]
        rate = RATE * (1.0 - (1.0 - LAST_RATE) * step / steps)
        rate *= np.sqrt(1.0 - BETAS[1] ** (step + 1)) / (1.0 - BETAS[0] ** (step + 1))
        for name, slope in slopes.items():
            first[name] += (1.0 - BETAS[0]) * (slope - first[name])
            second[name] += (1.0 - BETAS[1]) * (slope * slope - second[name])
            weights[name] -= np.float32(rate) * first[name] / (np.sqrt(second[name]) + np.float32(TINY))
    return weights


def gradient(network: Network, lessons: Lessons) -> tuple[float, dict[str, Floats]]:
    """Mean loss, cross-entropy of the wanted move plus squared error of the value, and its slope in every weight."""
    inner, outer, heads = _layers(network, lessons.seen)
    rows = np.arange(len(lessons))
    likely, value = _likely(heads[:, :SIDE], lessons.can), np.tanh(heads[:, SIDE])
    counts, off = lessons.can[rows, lessons.moves], value - lessons.values
    chance = np.maximum(likely[rows, lessons.moves], np.float32(1e-30))
    loss = float((-np.log(chance) * counts + off**2).mean())
    slope = np.empty_like(heads)
    slope[:, :SIDE] = likely * counts[:, None]
    slope[rows, lessons.moves] -= counts
    slope[:, SIDE] = 2 * off * (1 - value**2)
    slope /= np.float32(len(lessons))
    back = (slope @ network["out"][:-1].T) * (outer[:, :-1] > 0)
    deeper = (back @ network["second"][:-1].T) * (inner[:, :-1] > 0)
    found = {"first": _biased(lessons.seen).T @ deeper, "second": inner.T @ back, "out": outer.T @ slope}
    return loss, found


def _layers(network: Network, seen: Floats) -> tuple[Floats, Floats, Floats]:
    inner = _biased(np.maximum(_biased(seen) @ network["first"], 0))
    outer = _biased(np.maximum(inner @ network["second"], 0))
    return inner, outer, outer @ network["out"]


def _biased(values: Floats) -> Floats:
    found = np.ones((len(values), values.shape[1] + 1), dtype=values.dtype)
    found[:, :-1] = values
    return found


def _likely(scores: Floats, can: Bools) -> Floats:
    held = np.where(can, scores, ILLEGAL)
    raised = np.exp(held - held.max(axis=1, keepdims=True)) * can
    return np.asarray(raised / np.maximum(raised.sum(axis=1, keepdims=True), np.float32(1e-30)), dtype=scores.dtype)
