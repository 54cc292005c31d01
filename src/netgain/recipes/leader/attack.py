"""An evaluation set that is asked again and again: what a majority of lucky labellings scores on it.

The attack and the Ladder rule (publish a new score only when it beats the best by a step, else repeat the best) are
those of Blum and Hardt 2015 (arXiv 1502.04585). Labels and labellings are bits drawn from a hash, so that a system
answers any question, and no labelling knows anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, pi, sqrt

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError

Words = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

ONE_IN = 10  # of how many labellings one has the skill
ANSWERS = ("numeric", "ladder", "bit", "fresh")
LABELS = 0x5EED0F1ABE15  # the key under which a question's true label is drawn
SIGNIFICANT = 4.0  # standard errors that one bit asks for: about 1 labelling in 30,000 reaches it by luck


def mixed(words: Words) -> Words:
    """Well mixed 64-bit words (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        z = words + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def labels_of(questions: npt.ArrayLike) -> Bits:
    """(n,) true labels of questions, each 0 or 1 with equal chance."""
    return _bit(np.asarray(questions, dtype=np.uint64), np.uint64(LABELS))


def said(labellings: npt.ArrayLike, questions: npt.ArrayLike, skill: float = 0.0) -> Bits:
    """Answers of labellings (k,) to questions: (n,) asked of all, or (k, n) of each its own; (k, n).

    With `skill`, one labelling in `ONE_IN` is right in a share 0.5 + skill of questions; all others know nothing.
    """
    own = np.asarray(labellings, dtype=np.uint64)
    asked = np.atleast_2d(np.asarray(questions, dtype=np.uint64))
    words = mixed(mixed(asked) ^ mixed(own)[:, None])
    guessed = (words >> np.uint64(63)).astype(bool)
    if not skill:
        return np.asarray(guessed)
    right = (words >> np.uint64(11)).astype(np.float64) / 2.0**53 < 0.5 + skill
    able = mixed(own ^ np.uint64(LABELS)) % np.uint64(ONE_IN) == 0
    return np.asarray(np.where(able[:, None], right == labels_of(asked), guessed))


def _bit(words: Words, key: np.uint64) -> Bits:
    return np.asarray((mixed(mixed(words) ^ mixed(np.array([key]))) >> np.uint64(63)).astype(bool))


def majority(votes: Bits) -> Bits:
    """(n,) what most of (k, n) say; a tie is 0, and so is nobody."""
    return np.asarray(2 * votes.sum(axis=0, dtype=np.int64) > len(votes))


def passes(answers: str, scores: Floats, labels: int, best: float = 0.5) -> Bits:
    """Which labellings an attacker takes for better than chance, from what the evaluator tells of (k,) scores.

    Args:
        answers: "numeric" and "fresh": the score itself; "ladder": the best score so far, which moves in steps of
            1 / sqrt(labels); "bit": whether a score is significantly above chance.
        scores: shares right on the evaluation set, in the order in which they were asked.
        labels: size of the set.
        best: what a ladder shows before.

    Raises:
        ConfigError: another kind of answer.
    """
    if answers not in ANSWERS:
        raise ConfigError.unknown("answers of the evaluator", answers, ANSWERS)
    if answers == "ladder":
        return _moved(scores, labels, best)
    bar = 0.5 + SIGNIFICANT * 0.5 / sqrt(labels) if answers == "bit" else 0.5
    return scores > bar


def _moved(scores: Floats, labels: int, best: float) -> Bits:
    """Which scores moved the best one that a ladder shows."""
    found = np.zeros(len(scores), dtype=bool)
    for place, score in enumerate(scores.tolist()):
        if score > best + 1.0 / sqrt(labels):
            found[place], best = True, score
    return found


def public_gain(queries: int, labels: int) -> float:
    """Expected public score above one half of a majority over the labellings that scored above one half.

    Each of the k = queries / 2 kept ones agrees with a label with probability 1/2 + c, c = 1 / sqrt(2 pi labels): the
    standard deviation of a score times the mean of the positive half of a normal draw. Nearly independently, so that a
    majority of k such votes is right with probability Phi(2 c sqrt(k)), for small values 1/2 + sqrt(queries / labels) /
    (sqrt(2) pi), which is the rule of thumb: 0.225 times the root of queries over labels.
    """
    return 0.5 * erf(sqrt(queries / (pi * labels)) / sqrt(2.0))


def rule_of_thumb(queries: int, labels: int) -> float:
    """The same for few queries: sqrt(queries / labels) / (sqrt(2) pi)."""
    return sqrt(queries / labels) / (sqrt(2.0) * pi)


def evaluate(
    answers: str, labellings: npt.ArrayLike, asked: npt.ArrayLike, rng: np.random.Generator, skill: float = 0.0
) -> Floats:
    """(k,) scores of labellings: on the one set (n,), or with "fresh" on as many questions drawn for each."""
    own, size = np.asarray(labellings), np.asarray(asked).size
    questions = rng.integers(1 << 62, size=(len(own), size)) if answers == "fresh" else np.asarray(asked)
    return np.asarray((said(own, questions, skill) == labels_of(questions)).mean(axis=1))


def attack(
    answers: str, queries: Sequence[int], labels: int, rng: np.random.Generator, *, private: int = 1000,
    skill: float = 0.0,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Public and private score of the majority after so many queries, each (len(queries),)."""
    asked, other = rng.integers(1 << 62, size=labels), rng.integers(1 << 62, size=private)
    drawn = rng.integers(1 << 62, size=max(queries))
    kept = passes(answers, evaluate(answers, drawn, asked, rng, skill), labels)

    def score(questions: npt.NDArray[np.int64], upto: int) -> float:
        votes = said(drawn[:upto][kept[:upto]], questions, skill)
        return float((majority(votes) == labels_of(questions)).mean())

    return np.array([score(asked, one) for one in queries]), np.array([score(other, one) for one in queries])
