"""Answers that a scorer takes whatever was asked, as it takes those of a candidate that hooks it.

An answer that passes is scored against the targets of `OTHERS` other items of its block too, and is such a one when it
passes all of them, while a right answer passes its own and at most half of these: where a scorer reads no target, or
nearly all answers are right, an honest one passes everywhere. Not covered: declared scorers, which `verify` computes
again; a candidate that reads the target where its scorer runs; a hook that looks which item it is scored for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from netgain.canonical import digest
from netgain.errors import EvaluateError
from netgain.metric import Metric, score_item

Json = Any
OTHERS = 20
TAKEN = "passes for other items too"


def crossed(metric: Metric, outputs: Sequence[Json], targets: Sequence[Json], passed: Sequence[bool]) -> list[int]:
    """Places of answers that pass whatever was asked; all (n,)."""
    names = [] if metric.declared else [digest(target) for target in targets]
    found = []
    for place in range(len(names)):
        after = (one % len(names) for one in range(place + 1, place + len(names)))
        others = islice((targets[one] for one in after if names[one] != names[place]), OTHERS)
        if passed[place] and len(held := list(others)) == OTHERS:
            taken = all(_passes(metric, outputs[place], other) for other in held)
            found += [place] if taken and _tells_apart(metric, targets[place], held) else []
    return found


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
