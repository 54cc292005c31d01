"""A small network that guesses whether what is left can still reach the goal; trained from scratch in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from netgain.recipes.solver.sums import MOST, Ints, Puzzle, children, puzzle

Floats = npt.NDArray[np.float64]
Network = Mapping[str, Floats]  # first (15, 24), bias (24,), last (24,)

HIDDEN = 24
FEATURES = 15
SIBLINGS = 3  # steps that a way did not take, for each that it took
SIZES = (3, 4, 5, 6)  # numbers of the puzzles that it is trained on
BATCH = 256
PASSES = 3  # of a batch through the network that training on it is worth: forward once, backward twice
RATE, KEEP = 0.01, (0.9, 0.999)  # Adam
LOGS = np.log(np.maximum(np.arange(MOST + 1), 1))


def features(left: Ints, goals: Ints) -> Floats:
    """(n, 15) of n states: numbers that are left (n, m), and the goal of each (n,). No order of the numbers counts."""
    goal, count = goals[:, None], left.shape[1]
    logs, log_goal = LOGS[left], LOGS[goals]
    away, ratio = np.abs(left - goal), goal / left
    found = np.empty((len(left), FEATURES))
    found[:, :4] = np.arange(2, 6) == min(count, 5)
    found[:, 4] = log_goal
    found[:, 5] = logs.max(axis=1) - log_goal
    found[:, 6] = logs.min(axis=1)
    found[:, 7] = logs.sum(axis=1) - log_goal
    found[:, 8] = np.log(left.sum(axis=1) / goals)
    found[:, 9] = np.abs(logs - log_goal[:, None]).min(axis=1)
    found[:, 10] = LOGS[np.minimum(away.min(axis=1), MOST)]
    found[:, 11] = (away == 0).any(axis=1)
    found[:, 12] = (np.floor(ratio) == ratio).mean(axis=1)
    found[:, 13] = (np.floor(1.0 / ratio + 1e-9) * goal == left).any(axis=1)
    found[:, 14] = (left == 1).any(axis=1)
    return found


def fresh(rng: np.random.Generator) -> Network:
    """A network that has learnt nothing."""
    first = rng.standard_normal((FEATURES, HIDDEN)) / np.sqrt(FEATURES)
    return {"first": first, "bias": np.zeros(HIDDEN), "last": rng.standard_normal(HIDDEN) / np.sqrt(HIDDEN)}


def guess(network: Network, seen: Floats) -> Floats:
    """(n,) log-odds that a state of these features, (n, 15), lies on a way to the goal; a constant aside."""
    hidden = np.maximum(seen @ network["first"] + network["bias"], 0.0)
    return np.asarray(hidden @ network["last"])


def lessons(puzzles: Sequence[Puzzle], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """States along the known ways, and beside each some that the way did not take: features (n, 15), on the way (n,).

    A state beside the way may lead to the goal as well: it is a negative example all the same.
    """
    seen, right = [], []
    for one in puzzles:
        left, goal = np.array([one.numbers], dtype=np.int64), one.goal
        for step in one.way[:-1]:
            found = children(left).numbers
            on = _after(left[0].tolist(), step)
            same = (np.sort(found, axis=1) == np.sort(on)).all(axis=1)
            aside = found[~same]
            drawn = aside[(rng.random(SIBLINGS) * len(aside)).astype(np.int64)] if len(aside) else aside
            left = on[None]
            states = np.concatenate([left, drawn])
            seen.append(features(states, np.full(len(states), goal)))
            right.append(np.arange(len(states)) == 0)
    return np.concatenate(seen), np.concatenate(right).astype(np.float64)


def _after(left: list[int], step: tuple[int, str, int]) -> Ints:
    high, sign, low = step
    left.remove(high)
    left.remove(low)
    result = {"+": high + low, "-": high - low, "*": high * low, "/": high // low}[sign]
    return np.array([*left, result], dtype=np.int64)


def train(network: Network, count: int, rng: np.random.Generator) -> Network:
    """Train on about `count` states of new puzzles, each seen once (Adam, Kingma and Ba 2015; logistic loss).

    Args:
        network: to start from; it is left as it is.
        count: states; whole batches of 256, at least one.
    """
    weights = {name: value.copy() for name, value in network.items()}
    slow = {name: np.zeros_like(value) for name, value in weights.items()}
    fast = {name: np.zeros_like(value) for name, value in weights.items()}
    steps = batches(count)
    for at, (seen, right) in enumerate(_stream(steps, rng), start=1):
        for name, slope in _slopes(weights, seen, right).items():
            slow[name] += (1 - KEEP[0]) * (slope - slow[name])
            fast[name] += (1 - KEEP[1]) * (slope**2 - fast[name])
            mean, spread = slow[name] / (1 - KEEP[0] ** at), fast[name] / (1 - KEEP[1] ** at)
            weights[name] -= RATE * (1 - (at - 1) / steps) * mean / (np.sqrt(spread) + 1e-8)
    return weights


def batches(count: int) -> int:
    """Whole batches that hold at least so many states."""
    return max(1, -(-count // BATCH))


def _stream(steps: int, rng: np.random.Generator) -> list[tuple[Floats, Floats]]:
    """So many batches of new states, in random order."""
    seen, right, there = [], [], 0
    while there < steps * BATCH:
        made = [puzzle(rng, SIZES[int(rng.integers(len(SIZES)))]) for _ in range(64)]
        more, on = lessons(made, rng)
        seen.append(more)
        right.append(on)
        there += len(on)
    order = rng.permutation(there)[: steps * BATCH].reshape(steps, BATCH)
    all_seen, all_right = np.concatenate(seen), np.concatenate(right)
    return [(all_seen[places], all_right[places]) for places in order]


def _slopes(weights: Network, seen: Floats, right: Floats) -> dict[str, Floats]:
    """Slopes of the mean logistic loss."""
    hidden = np.maximum(seen @ weights["first"] + weights["bias"], 0.0)
    off = (1.0 / (1.0 + np.exp(-(hidden @ weights["last"]))) - right) / len(right)
    back = np.outer(off, weights["last"]) * (hidden > 0)
    return {"first": seen.T @ back, "bias": back.sum(axis=0), "last": hidden.T @ off}
