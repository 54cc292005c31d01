"""The noise floor of a measurement: how far one system's answers differ when it is asked twice at one time.

A system that draws its answers gets another mean every time it is asked. With a and b the scores of an item in two
askings of one time, (a - b)^2 / 2 is an unbiased estimate of the variance of one asking of that item, whatever the
item's difficulty; items are independent. A movement between two times counts as drift beyond what two such askings
explain (normal approximation of a mean over items). A system that always answers alike has a floor of 0, and every
movement of it counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

Column = Sequence[float | None]
LEVEL = 0.05


def then_error(twice: Sequence[tuple[Column, Column]], compared: Sequence[Column]) -> float:
    """Standard error of mean first scores, with which later scores are compared again and again.

    Args:
        twice: of each frozen system, its scores in two askings of the first time, (n,) each; None is no score.
        compared: of each, the differences that are made with the first of these; an item counts once, with the mean
            of the systems that have one there.

    Returns:
        Points of [0, 1]. An item that was not scored twice adds nothing: what is unknown excuses no drift.
    """
    luck = zip(*([_variance(*pair) or 0.0 for pair in zip(a, b, strict=True)] for a, b in twice), strict=True)
    errors = []
    for own, gone in zip(luck, zip(*compared, strict=True), strict=True):
        known = [one for one, difference in zip(own, gone, strict=True) if difference is not None]
        errors += [sum(known) / len(known) ** 2] if known else []
    return math.sqrt(sum(errors)) / len(errors) if errors else 0.0


def movement_error(first: Column, again: Column) -> float | None:
    """Standard error of the movement of a mean between two times, from two askings at one; None: asked once only."""
    known = [one for pair in zip(first, again, strict=True) if (one := _variance(*pair)) is not None]
    return math.sqrt(2.0 * sum(known)) / len(known) if known else None


def errors_allowed(movements: int, level: float = LEVEL) -> float:
    """How many standard errors the largest of so many movements may be: by luck one is larger with chance `level`."""
    return NormalDist().inv_cdf(1.0 - level / (2.0 * max(1, movements)))


def _variance(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else (a - b) ** 2 / 2.0
