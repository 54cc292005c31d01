"""How one output is scored: pure functions of output and target, in [0, 1], higher is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netgain.errors import ConfigError, EvaluateError

Json = Any
ScoreFunction = Callable[[Json, Json], float]
REFUSAL = "!"
DECIMALS = 6  # of a score: what is decided on is what is stored


@dataclass(frozen=True)
class Metric:
    """A named scoring rule.

    Attributes:
        name: shown in reports; the declared names of `METRICS` can be re-computed by a stranger.
        score: (output, target) -> score in [0, 1], higher is better.
        declared: True when `verify` knows the rule by name.
    """

    name: str
    score: ScoreFunction
    declared: bool = False


def answer_of(output: Json) -> Json:
    """The answer in an output: the output itself, or its field `answer`."""
    return output["answer"] if isinstance(output, Mapping) else output


def exact(output: Json, target: Json) -> float:
    """1 when the answer is the target, of the same type and value."""
    answer = answer_of(output)
    return float(type(answer) is type(target) and answer == target)


def brier(output: Json, target: Json) -> float:
    """1 - (confidence - correct)^2 (Brier 1950, for one event: that the answer is right)."""
    confidence = float(output["confidence"])
    if not 0.0 <= confidence <= 1.0:
        raise ValueError(f"confidence {confidence!r} is outside [0, 1]")
    return 1.0 - (confidence - exact(output, target)) ** 2


def refused(output: Json, target: Json) -> float:
    """1 when the system declined to answer."""
    return float(answer_of(output) == REFUSAL)


def answered(output: Json, target: Json) -> float:
    """1 when the system did not decline."""
    return 1.0 - refused(output, target)


def first(output: Json, target: Json) -> float:
    """1 when the answer begins with the target."""
    return float(str(answer_of(output)).startswith(str(target)))


METRICS = {
    rule.__name__: Metric(rule.__name__, rule, declared=True) for rule in (exact, brier, refused, answered, first)
}


def metric_named(metric: str | Metric | ScoreFunction) -> Metric:
    """A metric from its declared name, or a user's own function (output, target) -> [0, 1]."""
    if isinstance(metric, Metric):
        return metric
    if callable(metric):
        return Metric(getattr(metric, "__name__", "metric"), metric)
    if metric not in METRICS:
        raise ConfigError(f"unknown metric {metric!r}", fix=f"use a function or one of {', '.join(METRICS)}")
    return METRICS[metric]


def score_item(metric: Metric, output: Json, target: Json) -> float:
    """One score, checked.

    Raises:
        EvaluateError: the rule raised, or gave something that is not a finite number in [0, 1]. Never a score.
    """
    try:
        value = metric.score(output, target)
        number = float(value)
    except Exception as error:  # broad: the rule is the user's code; whatever it raises is no score
        raise EvaluateError(
            f"metric {metric.name!r} raised {type(error).__name__}: {error}", fix="make the metric total over outputs"
        ) from error
    if not math.isfinite(number) or not 0.0 <= number <= 1.0:
        raise EvaluateError(
            f"metric {metric.name!r} gave {value!r}", fix="return a finite number from 0 to 1, higher is better"
        )
    return round(number, DECIMALS)
