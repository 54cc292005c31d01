"""The three sources that `collapse` learns from: their truth, their questions, and models of them that draw and answer.

A model is a plain dict. A question asks for probabilities of named events, so that no score can be had by claiming more
than 1; its target holds the true ones and one real draw.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from math import erfc, sqrt
from typing import Any, Protocol

import numpy as np

from netgain.recipes.collapse.chains import (
    Floats,
    Ints,
    Rng,
    Source,
    fit_gaussian,
    fit_markov,
    fit_regression,
    markov_starts,
    markov_text,
    regression_rows,
    trigrams,
)

Json = Any
Model = dict[str, Any]
Rows = Any  # (n, columns) floats, or symbols

LETTERS = "abcdefgh"
TEXT = 30  # symbols of one own text
DIMENSIONS = 20
THRESHOLDS = tuple(-2.0 + 0.5 * step for step in range(9))
FAR = (-3.0, -2.5, 2.5, 3.0)  # standard deviations from the true mean: where the tails are asked for
WORLD = 2404  # seed of the true weights and of the true Markov table, the same in every study


class World(Protocol):
    """A source, and the models that are fitted to rows from it; `order` codes are one context of its examples."""

    order: int

    def truth(self) -> Model: ...

    def draw(self, model: Model, count: int, heat: float, rng: Rng) -> tuple[list[Json], list[Json]]: ...

    def example(self, rng: Rng) -> tuple[Json, Json]: ...

    def rows(self, inputs: Sequence[Json], labels: Sequence[Json]) -> Rows: ...

    def fit(self, rows: Rows) -> Model: ...

    def surprise(self, model: Model, inputs: Sequence[Json], labels: Sequence[Json]) -> Floats: ...

    def asked(self, kind: str, rng: Rng) -> Json: ...

    def probabilities(self, model: Model, question: Json) -> list[float]: ...

    def codes(self, model: Model, inputs: Sequence[Json], labels: Sequence[Json]) -> Ints: ...


def above(mean: float, deviation: float, at: float) -> float:
    """Probability that a normal draw lies above `at`."""
    return 0.5 * erfc((at - mean) / (deviation * sqrt(2.0)))


class Gaussian:
    """One number, standard normal in truth. Asked: the probability of lying above thresholds."""

    order = 1

    def truth(self) -> Model:
        """Mean 0, deviation 1."""
        return {"mean": 0.0, "deviation": 1.0}

    def draw(self, model: Model, count: int, heat: float, rng: Rng) -> tuple[list[Json], list[Json]]:
        """Numbers of its own; the inputs only count them."""
        drawn = model["mean"] + sqrt(heat) * model["deviation"] * rng.standard_normal(count)
        return list(range(count)), [round(float(one), 6) for one in drawn]

    def example(self, rng: Rng) -> tuple[Json, Json]:
        """One real example."""
        inputs, labels = self.draw(self.truth(), 1, 1.0, rng)
        return inputs[0], labels[0]

    def rows(self, inputs: Sequence[Json], labels: Sequence[Json]) -> Floats:
        """(n, 1) numbers."""
        return np.array(labels, dtype=np.float64).reshape(-1, 1)

    def fit(self, rows: Floats) -> Model:
        """Mean and unbiased variance."""
        mean, deviation = fit_gaussian(rows)
        return {"mean": float(mean), "deviation": max(1e-6, float(deviation))}

    def surprise(self, model: Model, inputs: Sequence[Json], labels: Sequence[Json]) -> Floats:
        """(n,) minus log density of each number."""
        far = (np.array(labels) - model["mean"]) / model["deviation"]
        return np.asarray(0.5 * far**2 + np.log(model["deviation"]))

    def codes(self, model: Model, inputs: Sequence[Json], labels: Sequence[Json]) -> Ints:
        """(n, 1) bins of half a true deviation."""
        return _binned(np.array(labels, dtype=np.float64))

    def asked(self, kind: str, rng: Rng) -> Json:
        """Thresholds: a grid, one far out, or one near the middle."""
        if kind == "truth":
            return {"above": [round(one + float(rng.uniform(-0.25, 0.25)), 3) for one in THRESHOLDS]}
        return _far(0.0, rng) if kind == "tails" else _near(rng)

    def probabilities(self, model: Model, question: Json) -> list[float]:
        """Of each event."""
        return _normal(model["mean"], model["deviation"], question)


class Regression:
    """y = w x + noise in 20 dimensions. Asked: the probability that y lies above thresholds, given x."""

    order = 1

    def truth(self) -> Model:
        """True weights (of length about 1), noise 1."""
        return {"weights": _true_weights(), "deviation": 1.0}

    def draw(self, model: Model, count: int, heat: float, rng: Rng) -> tuple[list[Json], list[Json]]:
        """Points drawn anew, with the model's own noisy answers."""
        rows = regression_rows(np.asarray(model["weights"])[None], count, sqrt(heat) * model["deviation"], rng)[0]
        return np.round(rows[:, :-1], 6).tolist(), np.round(rows[:, -1], 6).tolist()

    def example(self, rng: Rng) -> tuple[Json, Json]:
        """One real example."""
        inputs, labels = self.draw(self.truth(), 1, 1.0, rng)
        return inputs[0], labels[0]

    def rows(self, inputs: Sequence[Json], labels: Sequence[Json]) -> Floats:
        """(n, 21) rows of x and y."""
        x = np.array(inputs, dtype=np.float64).reshape(-1, DIMENSIONS)
        return np.hstack([x, np.array(labels, dtype=np.float64).reshape(-1, 1)])

    def fit(self, rows: Floats) -> Model:
        """Least squares, and the unbiased residual variance."""
        weights, deviation = fit_regression(rows)
        return {"weights": weights, "deviation": max(1e-6, float(deviation))}

    def surprise(self, model: Model, inputs: Sequence[Json], labels: Sequence[Json]) -> Floats:
        """(n,) minus log density of each y given x."""
        rows = self.rows(inputs, labels)
        far = (rows[:, -1] - rows[:, :-1] @ np.asarray(model["weights"])) / model["deviation"]
        return np.asarray(0.5 * far**2 + np.log(model["deviation"]))

    def codes(self, model: Model, inputs: Sequence[Json], labels: Sequence[Json]) -> Ints:
        """(n, 1) bins, half a true deviation wide, of what the noise of the model added to each answer."""
        rows = self.rows(inputs, labels)
        return _binned(rows[:, -1] - rows[:, :-1] @ np.asarray(model["weights"]))

    def asked(self, kind: str, rng: Rng) -> Json:
        """A new point, and thresholds for its y."""
        x = np.round(rng.standard_normal(DIMENSIONS), 4)
        if kind == "truth":
            events: Json = {"above": [2 * one for one in THRESHOLDS]}
        else:
            events = _far(float(x @ _true_weights()), rng) if kind == "tails" else _near(rng)
        return {"x": x.tolist(), **events}

    def probabilities(self, model: Model, question: Json) -> list[float]:
        """Of each event, given the point."""
        mean = float(np.asarray(question["x"]) @ np.asarray(model["weights"]))
        return _normal(mean, model["deviation"], question)


class Markov:
    """Text over eight letters, order 2, entropy known. Asked: the probabilities of the next letter."""

    order = 3

    def truth(self) -> Model:
        """The true table."""
        return {"table": _true_source().table}

    def draw(self, model: Model, count: int, heat: float, rng: Rng) -> tuple[list[Json], list[Json]]:
        """Texts of 30 letters: the two letters that they begin with, and the rest."""
        table = np.asarray(model["table"])
        text = markov_text(table, markov_starts(table, count, rng), TEXT, rng, heat)
        words = ["".join(LETTERS[one] for one in row) for row in text.tolist()]
        return [word[:2] for word in words], [word[2:] for word in words]

    def example(self, rng: Rng) -> tuple[Json, Json]:
        """One real text, letter by letter: for a single one, arrays would be slower."""
        place, edges = int(rng.choice(len(LETTERS) ** 2, p=_true_contexts())), _true_edges()
        letters = list(divmod(place, len(LETTERS)))
        for lot in rng.random(TEXT).tolist():
            letters.append(min(bisect_right(edges[letters[-2]][letters[-1]], lot), len(LETTERS) - 1))
        word = "".join(LETTERS[one] for one in letters)
        return word[:2], word[2:]

    def rows(self, inputs: Sequence[Json], labels: Sequence[Json]) -> Ints:
        """(30 n, 3) trigrams."""
        if not inputs:
            return np.zeros((0, 3), dtype=np.int64)
        return trigrams(self.codes({}, inputs, labels))

    def fit(self, rows: Ints) -> Model:
        """Smoothed shares."""
        return {"table": fit_markov(np.asarray(rows), len(LETTERS))}

    def surprise(self, model: Model, inputs: Sequence[Json], labels: Sequence[Json]) -> Floats:
        """(n,) bits per symbol of each text."""
        rows = self.rows(inputs, labels)
        bits = -np.log2(np.asarray(model["table"])[rows[:, 0], rows[:, 1], rows[:, 2]])
        return np.asarray(bits.reshape(len(inputs), -1).mean(axis=1))

    def asked(self, kind: str, rng: Rng) -> Json:
        """A context as often as the source has it; asked for all letters, a rare one, or its likeliest one."""
        source = _true_source()
        flat = int(rng.choice(len(LETTERS) ** 2, p=_true_contexts()))
        first, second = divmod(flat, len(LETTERS))
        order = np.argsort(source.table[first, second])
        chosen = {"truth": LETTERS, "tails": LETTERS[order[int(rng.integers(len(LETTERS) // 2))]]}
        letters = chosen.get(kind) or LETTERS[order[-1]]
        return {"after": LETTERS[first] + LETTERS[second], "letters": letters}

    def probabilities(self, model: Model, question: Json) -> list[float]:
        """Of each letter that was asked for."""
        first, second = (LETTERS.index(one) for one in question["after"])
        row = np.asarray(model["table"])[first, second]
        return [float(row[LETTERS.index(one)]) for one in question["letters"]]

    def codes(self, model: Model, inputs: Sequence[str], labels: Sequence[str]) -> Ints:
        """(n, 30) letters of each text, from 0; the model has no part in it."""
        text = "".join(one + other for one, other in zip(inputs, labels, strict=True))
        codes = np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64) - ord(LETTERS[0])
        return codes.reshape(len(inputs), -1)


def _binned(values: Floats) -> Ints:
    """(n, 1) bins of half a unit, the outermost at 10."""
    return np.clip(np.floor(2.0 * values), -20, 20).astype(np.int64).reshape(-1, 1)


def _far(middle: float, rng: Rng) -> Json:
    """A question about one tail: a threshold far from the true mean, and its far side."""
    offset = float(rng.choice(FAR))
    return {"above" if offset > 0 else "below": [round(middle + offset, 3)]}


def _near(rng: Rng) -> Json:
    """A question about one event that is neither sure nor rare."""
    return {"above": [round(float(rng.uniform(-1.5, 1.5)), 3)]}


def _normal(mean: float, deviation: float, question: Json) -> list[float]:
    """Probabilities of the events that a question names, of a normal draw."""
    lower = [above(-mean, deviation, -at) for at in question.get("below", ())]
    return [above(mean, deviation, at) for at in question.get("above", ())] + lower


@lru_cache
def _true_weights() -> Floats:
    drawn = np.random.default_rng(WORLD).standard_normal(DIMENSIONS)
    return np.asarray(drawn / np.linalg.norm(drawn))


@lru_cache
def _true_source() -> Source:
    return Source.drawn(len(LETTERS), np.random.default_rng(WORLD), evenness=0.5)


@lru_cache
def _true_edges() -> list[list[list[float]]]:
    return np.cumsum(_true_source().table, axis=-1).tolist()  # type: ignore[no-any-return]


@lru_cache
def _true_contexts() -> Floats:
    return _true_source().contexts().reshape(-1)


WORLDS: dict[str, World] = {"markov": Markov(), "gaussian": Gaussian(), "regression": Regression()}
