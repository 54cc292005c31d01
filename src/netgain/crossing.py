"""Answers that a scorer takes whatever was asked: scored again as answers to other items of their block.

A candidate that hooks its scorer, or finds words that it always passes, is passed for every item. So an answer that
passes is scored against the targets of up to `OTHERS` other items as well, and suspect when it passes all of them.
It counts as such only where the right answer of its own item passes its own and fails at most of the others: with a
scorer that reads no target, or to which most answers are right, an honest answer passes everywhere too.

Not covered: scorers of this package that `verify` computes again; a candidate that reads the target where its scorer
runs, and so answers right; a hook that looks which item it is scored for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from netgain.canonical import digest
from netgain.errors import EvaluateError
from netgain.metric import Metric, score_item

Json = Any
OTHERS = 20
TAKEN = "passes for other items too"


def crossed(
    metric: Metric, outputs: Sequence[Json], items: Sequence[Mapping[str, Json]], values: Sequence[float | None]
) -> list[int]:
    """Places of answers that pass whatever was asked.

    Args:
        outputs, items, values: (n,) what was answered, what was asked, and the score that it got, None for none.
    """
    if metric.declared:
        return []
    targets = [item["target"] for item in items]
    names = [digest(target) for target in targets]
    found = []
    for place, value in enumerate(values):
        if value is not None and value > metric.passes:
            others = _others(place, targets, names)
            if len(others) == OTHERS and _passes_all(metric, outputs[place], others):
                found.append(place)
    return [place for place in found if _tells_apart(metric, targets[place], _others(place, targets, names))]


def _others(place: int, targets: Sequence[Json], names: Sequence[str]) -> list[Json]:
    """The next targets, round the block, that are not that of this item."""
    after = (one % len(targets) for one in range(place + 1, place + len(targets)))
    return list(islice((targets[one] for one in after if names[one] != names[place]), OTHERS))


def _passes_all(metric: Metric, output: Json, targets: Sequence[Json]) -> bool:
    return all(_passes(metric, output, target) for target in targets)


def _passes(metric: Metric, output: Json, target: Json) -> bool:
    try:
        return score_item(metric, output, target) > metric.passes
    except EvaluateError:
        return False


def _tells_apart(metric: Metric, target: Json, others: Sequence[Json]) -> bool:
    """Whether a right answer passes for its own item, and for at most half of the others."""
    made = [metric.oracle(target)] if metric.oracle else [target, {"answer": target, "confidence": 1.0, "cost": 0.0}]
    right = next((one for one in made if _passes(metric, one, target)), None)
    return right is not None and 2 * sum(_passes(metric, right, other) for other in others) <= len(others)
