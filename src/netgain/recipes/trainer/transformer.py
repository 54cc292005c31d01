"""The shape of the small transformer, and what one that was trained elsewhere says: NumPy, on weights of a stranger.

Letters and places are embedded; one block of causal attention and one of two layers follow, each behind a layer norm
without numbers of its own and beside what passes by (Vaswani et al. 2017, arXiv 1706.03762; norms first, as in Xiong et
al. 2020, arXiv 2002.04745). `training.py` has the same forward pass in torch; a test holds that both agree.
"""

from __future__ import annotations

import base64
import binascii
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from netgain.recipes.trainer.language import LETTERS, Floats, Ints, Language

WINDOW, WIDTH, HEADS = 8, 16, 2  # characters that it sees, numbers of a place, heads of attention
COUNT = len(LETTERS)
# rows, columns, and spread of the first numbers, of each matrix; in this order they stand in one vector
SHAPES = (
    (COUNT, WIDTH, 0.5), (WINDOW, WIDTH, 0.5), (WIDTH, 3 * WIDTH, WIDTH**-0.5), (WIDTH, WIDTH, WIDTH**-0.5),
    (WIDTH, 2 * WIDTH, WIDTH**-0.5), (2 * WIDTH, WIDTH, (2 * WIDTH) ** -0.5), (WIDTH, COUNT, 0.3 * WIDTH**-0.5),
)  # fmt: skip
SIZE = sum(rows * columns for rows, columns, _ in SHAPES)  # weights
HELD = 128  # windows of held-out text

Singles = npt.NDArray[np.float32]


def weights_of(told: Any) -> Singles | None:
    """(SIZE,) weights from the text that a program answered with; None where it holds no finite ones of this shape."""
    if not isinstance(told, str) or len(told) != 4 * -(-4 * SIZE // 3):
        return None
    try:
        data = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) != 4 * SIZE:
        return None
    found = np.frombuffer(data, dtype="<f4").astype(np.float32)
    return found if np.isfinite(found).all() else None


def chances(weights: Singles, windows: Ints) -> Floats:
    """(n, WINDOW, 4) chances of each next letter after every place of (n, WINDOW) letters."""
    letters, places, seen, out, wide, narrow, said = _matrices(weights)
    held = letters[windows] + places
    parts = (_normed(held) @ seen).reshape(*windows.shape, 3, HEADS, WIDTH // HEADS).transpose(2, 0, 3, 1, 4)
    match = parts[0] @ parts[1].swapaxes(-1, -2) / np.sqrt(WIDTH / HEADS)
    match = np.where(np.tri(WINDOW, dtype=bool), match, -np.inf)
    held = held + (_shares(match) @ parts[2]).transpose(0, 2, 1, 3).reshape(held.shape) @ out
    held = held + np.maximum(_normed(held) @ wide, 0.0) @ narrow
    return _shares(_normed(held) @ said)


def _matrices(weights: Singles) -> list[Floats]:
    ends = [0, *accumulate(rows * columns for rows, columns, _ in SHAPES)]
    # in double precision no finite weight of single precision overflows
    whole = weights.astype(np.float64)
    return [whole[begin:end].reshape(rows, columns)
            for begin, end, (rows, columns, _) in zip(ends, ends[1:], SHAPES, strict=False)]  # fmt: skip


def _normed(held: Floats) -> Floats:
    less = held - held.mean(axis=-1, keepdims=True)
    return np.asarray(less / np.sqrt((less**2).mean(axis=-1, keepdims=True) + 1e-5))


def _shares(match: Floats) -> Floats:
    powers = np.exp(match - match.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def excess(weights: Singles, source: Language, held: Ints) -> float:
    """Bits per character above the entropy of the language.

    Mean over places of held-out text of the Kullback-Leibler divergence of the model's chances from the true ones: what
    the model would pay above the least, with the next letter averaged over and not drawn. The first place of a window
    is left out: one letter back is not enough there for anybody.

    Args:
        held: (n, WINDOW) letters.
    """
    said = np.maximum(chances(weights, held)[:, 1:], 1e-12)
    true = source.chances[held[:, :-1] * COUNT + held[:, 1:]]
    return float((true * np.log2(true / said)).sum(axis=-1).mean())


def nearness(bits: float, source: Language) -> float:
    """Score in [0, 1] of bits above the entropy: 1 at the entropy, 0 with all letters equally likely, or worse."""
    return float(np.clip(1.0 - bits / (np.log2(COUNT) - source.entropy), 0.0, 1.0))


def scored(told: Any, source: Language, seed: int) -> float | None:
    """Score of weights on held-out text that a seed draws; None where they are none."""
    weights = weights_of(told)
    if weights is None:
        return None
    held = source.text(HELD * WINDOW, np.random.default_rng(seed)).reshape(HELD, WINDOW)
    return nearness(excess(weights, source, held), source)
