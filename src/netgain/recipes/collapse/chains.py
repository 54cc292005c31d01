"""Models fitted to what the model before them said: three chains whose course is known, vectorised.

Sources: Shumailov et al. 2024 (Nature 631) for replacing the data by the model's own; Gerstgrasser et al. 2024
(arXiv 2404.01413) for the regression chain, and that accumulating bounds its error by pi^2/6 of the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rng = np.random.Generator

MODES = ("replace", "accumulate", "subsample", "half", "fresh")
SMOOTHING = 0.01  # added to every count of a Markov model, so that nothing is impossible


def training_rows(
    mode: str, real: npt.NDArray[np.generic], older: npt.NDArray[np.generic], newest: npt.NDArray[np.generic], rng: Rng
) -> npt.NDArray[np.generic]:
    """Rows that the next model is fitted to.

    Args:
        mode: "replace": the newest own rows alone; "accumulate", "fresh": everything there ever was (in "fresh" `real`
            has grown); "subsample": as many of everything as are new; "half": half of the newest and as many real ones.
        real, older, newest: (..., n, columns) real rows, own rows of earlier rounds, own rows of this round.

    Raises:
        ConfigError: an unknown mode.
    """
    if mode not in MODES:
        raise ConfigError.unknown("mode", mode, MODES)
    if mode == "replace":
        return newest
    half = newest.shape[-2] // 2
    if mode == "half":
        return np.concatenate([real[..., :half, :], newest[..., half:, :]], axis=-2)
    pool = np.concatenate([real, older, newest], axis=-2)
    if mode == "subsample":
        return pool[..., rng.permutation(pool.shape[-2])[: newest.shape[-2]], :]
    return pool


# ---- regression: y = w x + noise, fitted by least squares


def fit_regression(rows: Floats) -> tuple[Floats, Floats]:
    """Least squares on (..., n, d + 1) rows of x and y: weights (..., d), and the unbiased residual deviation (...)."""
    x, y = rows[..., :-1], rows[..., -1:]
    across = np.swapaxes(x, -1, -2)
    weights = np.linalg.solve(across @ x, across @ y)
    left = ((y - x @ weights) ** 2).sum(axis=(-1, -2)) / (x.shape[-2] - x.shape[-1])
    return np.asarray(weights[..., 0], dtype=np.float64), np.asarray(np.sqrt(left), dtype=np.float64)


def regression_rows(weights: Floats, count: int, noise: float, rng: Rng) -> Floats:
    """Rows (R, count, d + 1) of standard normal x and y = w x + noise, for weights (R, d)."""
    x = rng.standard_normal((weights.shape[0], count, weights.shape[1]))
    y = x @ weights[..., None] + noise * rng.standard_normal((*x.shape[:2], 1))
    return np.concatenate([x, y], axis=-1)


def regression_chain(
    mode: str, generations: int, rng: Rng, *, repetitions: int = 100, dimensions: int = 20, rows: int = 200,
    noise: float = 1.0,
) -> Floats:  # fmt: skip
    """Excess test errors |w_n - w|^2 of the chain, (repetitions, generations); generation 1 saw real rows.

    The noise of labels is the true one throughout, as in the theorem; the true weights are 0, which loses nothing
    because least squares moves with them.
    """
    real = regression_rows(np.zeros((repetitions, dimensions)), rows, noise, rng)
    errors, older, weights = [], real[:, :0], fit_regression(real)[0]
    for _ in range(generations - 1):
        errors.append((weights**2).sum(axis=-1))
        newest = regression_rows(weights, rows, noise, rng)
        if mode == "fresh":
            more = regression_rows(np.zeros_like(weights), rows, noise, rng)
            real = np.concatenate([real, more], axis=1)
        weights = fit_regression(training_rows(mode, real, older, newest, rng))[0]  # type: ignore[arg-type]
        older = np.concatenate([older, newest], axis=1) if mode not in ("replace", "half") else older
    return np.stack([*errors, (weights**2).sum(axis=-1)], axis=1)


def regression_error(mode: str, generation: int, *, dimensions: int = 20, rows: int = 200, noise: float = 1.0) -> float:
    """Expected excess error of the chain: noise^2 d / (T - d - 1), times n in "replace", times sum 1/k^2 at most in
    "accumulate" (arXiv 2404.01413, whose bound is pi^2 / 6 times the first error).

    Raises:
        ConfigError: a mode without a closed form.
    """
    first = noise**2 * dimensions / (rows - dimensions - 1)
    if mode == "replace":
        return generation * first
    if mode == "accumulate":
        return first * float((1.0 / np.arange(1, generation + 1) ** 2).sum())
    raise ConfigError(f"mode {mode!r} of the regression chain", fix="a closed form is known for replace and accumulate")


# ---- a Gaussian, fitted by mean and unbiased variance


def fit_gaussian(rows: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation (unbiased variance) of (..., n, 1) rows, each (...)."""
    return rows[..., 0].mean(axis=-1), rows[..., 0].std(axis=-1, ddof=1)


def gaussian_chain(mode: str, generations: int, rng: Rng, *, repetitions: int = 1000, rows: int = 100) -> Floats:
    """Variances of the fitted model, (repetitions, generations); the truth is 1, and generation 1 saw real rows."""
    real = rng.standard_normal((repetitions, rows, 1))
    (mean, deviation), older, found = fit_gaussian(real), real[:, :0], []
    for _ in range(generations - 1):
        found.append(deviation**2)
        newest = mean[:, None, None] + deviation[:, None, None] * rng.standard_normal((repetitions, rows, 1))
        if mode == "fresh":
            real = np.concatenate([real, rng.standard_normal((repetitions, rows, 1))], axis=1)
        mean, deviation = fit_gaussian(training_rows(mode, real, older, newest, rng))  # type: ignore[arg-type]
        older = np.concatenate([older, newest], axis=1) if mode not in ("replace", "half") else older
    return np.stack([*found, deviation**2], axis=1)


def gaussian_log_variance(generation: int, *, rows: int = 100) -> tuple[float, float]:
    """Mean and variance of the log variance of generation n when each replaces the data.

    Every fit multiplies the variance by an independent chi^2 with T - 1 degrees over T - 1. With a = (T - 1) / 2 the
    log of that has mean digamma(a) - ln a and variance trigamma(a), here by their asymptotic series (error below 1e-8
    from T = 20 on).
    """
    a = (rows - 1) / 2
    mean = -1 / (2 * a) - 1 / (12 * a**2) + 1 / (120 * a**4) - 1 / (252 * a**6)
    spread = 1 / a + 1 / (2 * a**2) + 1 / (6 * a**3) - 1 / (30 * a**5) + 1 / (42 * a**7)
    return generation * mean, generation * spread


# ---- a Markov source of order 2 with known entropy


@dataclass(frozen=True)
class Source:
    """A Markov source of order 2: table[a, b, c] is the probability of c after a, b; (S, S, S)."""

    table: Floats

    @classmethod
    def drawn(cls, symbols: int, rng: Rng, *, evenness: float = 0.3) -> Source:
        """A source whose rows are Dirichlet draws, mixed with 2 % of the even row so that it never gets stuck."""
        rows = rng.dirichlet(np.full(symbols, evenness), size=(symbols, symbols))
        return cls(0.98 * rows + 0.02 / symbols)

    def contexts(self) -> Floats:
        """Stationary probabilities of the contexts, (S, S), by repeated steps."""
        size = len(self.table)
        now = np.full((size, size), 1.0 / size**2)
        for _ in range(500):
            now = np.einsum("ab,abc->bc", now, self.table)
        return now

    def entropy(self) -> float:
        """Bits per symbol."""
        return self.bits(self.table)

    def bits(self, model: Floats) -> float:
        """Cross-entropy of a model (S, S, S) under this source, in bits per symbol: no test set is needed."""
        return float(-(self.contexts()[..., None] * self.table * np.log2(model)).sum())


def markov_text(table: Floats, starts: Ints, length: int, rng: Rng, temperature: float = 1.0) -> Ints:
    """Continuations (n, 2 + length) of contexts (n, 2), at a temperature."""
    hot = table ** (1.0 / temperature)
    edges = np.cumsum(hot / hot.sum(axis=-1, keepdims=True), axis=-1)
    text = np.empty((len(starts), 2 + length), dtype=np.int64)
    text[:, :2] = starts
    for place in range(2, 2 + length):
        reached = edges[text[:, place - 2], text[:, place - 1]]
        next_one = (rng.random(len(starts))[:, None] >= reached).sum(axis=1)
        text[:, place] = np.minimum(next_one, len(table) - 1)
    return text


def trigrams(text: Ints) -> Ints:
    """Rows (n * length, 3) of texts (n, 2 + length)."""
    return np.stack([text[:, :-2], text[:, 1:-1], text[:, 2:]], axis=-1).reshape(-1, 3)


def fit_markov(rows: Ints, symbols: int) -> Floats:
    """Smoothed shares of each symbol after each context: (n, 3) rows to a table (S, S, S)."""
    counts = np.bincount((rows[:, 0] * symbols + rows[:, 1]) * symbols + rows[:, 2], minlength=symbols**3)
    table = counts.reshape((symbols,) * 3) + SMOOTHING
    return np.asarray(table / table.sum(axis=-1, keepdims=True))


def markov_starts(table: Floats, count: int, rng: Rng) -> Ints:
    """Contexts (n, 2) that a model itself gets to: 20 steps from even ones."""
    even = rng.integers(0, len(table), (count, 2))
    return markov_text(table, even, 20, rng)[:, -2:]


def markov_chain(
    mode: str, generations: int, rng: Rng, *, symbols: int = 27, texts: int = 1000, length: int = 100,
    temperature: float = 1.0, source: Source | None = None,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Two courses in bits per symbol, each (generations,): the true source under the model, and its own text under it.

    The first is what it is worth (never below the entropy of the source), the second what it thinks of itself.
    """
    source = source or Source.drawn(symbols, rng)

    def made(table: Floats, heat: float) -> Ints:
        return trigrams(markov_text(table, markov_starts(table, texts, rng), length, rng, heat))

    real = made(source.table, 1.0)
    older, table, worth, own = real[:0], fit_markov(real, len(source.table)), [], []
    for generation in range(generations):
        newest = made(table, temperature)
        worth.append(source.bits(table))
        own.append(float(-np.log2(table[newest[:, 0], newest[:, 1], newest[:, 2]]).mean()))
        if generation + 1 < generations:
            real = np.concatenate([real, made(source.table, 1.0)]) if mode == "fresh" else real
            rows = training_rows(mode, real, older, newest, rng)
            older = np.concatenate([older, newest])
            table = fit_markov(rows, len(source.table))  # type: ignore[arg-type]
    return np.array(worth), np.array(own)


def median_by_generation(values: Floats) -> Sequence[float]:
    """Medians over repetitions, (generations,)."""
    return [float(one) for one in np.median(values, axis=0)]
