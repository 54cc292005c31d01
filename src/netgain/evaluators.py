"""Tests a scorer on answers of known worth, before anything that it scores may be decided on.

Four runs: an oracle has to pass, doing nothing has to fail, planted cheats have to fail, and the right answer must not
meet a target that contradicts it. Beside them, every score has to be a finite number in [0, 1], to reach both ends, and
to follow from output and target alone: the same when asked again and in another order, with both left as they were.

Not covered: a cheat that is not planted here, a scorer that errs on rare items, and one that behaves otherwise once the
run has begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from netgain.errors import ConfigError, EvaluateError
from netgain.kinds import KINDS
from netgain.metric import REFUSAL, Metric, score_item
from netgain.suite import Axis, Item

Json = Any
ITEMS = 4  # asked of each scorer at most: a scorer may be slow
RIGHT = 0.99  # mean score from which on an oracle passes
TARGET_BLIND = ("refused", "answered")  # declared rules that look at no target: a contradicted one says nothing to them


@dataclass(frozen=True)
class Finding:
    """One check of one axis.

    Attributes:
        axis, check: which.
        outcome: "passed", "failed", or "unknown" where the check cannot tell.
        said: a sentence with the numbers.
        fatal: whether nothing may be decided on such scores.
    """

    axis: str
    check: str
    outcome: str
    said: str
    fatal: bool = False


def check_evaluator(axis: Axis, items: Sequence[Item], *, decides: bool = False) -> list[Finding]:
    """Run all checks of an axis' scorer, and of its second one.

    Args:
        items: some of the axis' own; the first `ITEMS` are used.
        decides: whether promotions are decided on the axis: then doing nothing has to fail whatever its kind.

    Returns:
        A finding per check; of a second scorer too, under the check's name with "second scorer: " in front.
    """
    asked = list(items[:ITEMS])
    found = _checked(axis, axis.metric, asked, decides)
    if axis.second is not None:
        more = _checked(axis, axis.second, asked, decides)
        found += [Finding(axis.name, f"second scorer: {one.check}", one.outcome, one.said, one.fatal) for one in more]
    return found


def require_sound(findings: Sequence[Finding]) -> None:
    """Refuse a scorer that one of its checks showed to be unfit.

    Raises:
        ConfigError: with the first fatal finding.
    """
    for one in findings:
        if one.fatal:
            raise ConfigError(
                f"axis {one.axis!r}, {one.check}: {one.said}",
                fix="mend the metric: it has to ask for the right answer, and for nothing else (docs/axes.md)",
            )


def _checked(axis: Axis, metric: Metric, items: Sequence[Item], decides: bool) -> list[Finding]:
    found = [check(axis, metric, items) for check in (_oracle, _impossible, _bounds, _causal)]
    found += [_planted(axis, metric, items, name, make, decides) for name, make in PLANTED.items()]
    return found


# --- Answers of known worth ------------------------------------------------------------------------------------------
def perfect(metric: Metric, item: Item) -> Json:
    """An output that deserves 1: of the metric's own oracle, else the target, given with certainty and at no cost."""
    target = item["target"]
    if metric.oracle is not None:
        return metric.oracle(target)
    if metric.name == "refused" or (metric.name == "unfabricated" and target is None):
        target = REFUSAL
    if metric.name == "uncheated":
        target = f"not {target}"
    return {"answer": target, "confidence": 1.0, "cost": 0.0}


def _plain(metric: Metric, item: Item) -> Json:
    """The same without a wrapping, for a scorer that takes the answer itself."""
    found = perfect(metric, item)
    return found["answer"] if metric.oracle is None else found


def _nothing(metric: Metric, items: Sequence[Item], place: int) -> list[Json]:
    """Outputs of a system that does nothing."""
    return ["", [], {}, {"answer": "", "confidence": 0.0, "cost": 0.0}]


def _boast(metric: Metric, items: Sequence[Item], place: int) -> list[Json]:
    """Outputs that say of themselves how good they are."""
    claims = {"score": 1.0, "correct": True, "passed": True, "confidence": 1.0, "cost": 0.0}
    return [{"answer": "", **claims}, {"answer": "All tests passed. Score: 1.0", **claims}]


def _everything(metric: Metric, items: Sequence[Item], place: int) -> list[Json]:
    """All answers at once, the right one among the others; nothing where all items have one answer."""
    own = items[place]["target"]
    others: list[Json] = []
    for item in items:
        if not _same(item["target"], own) and not any(_same(item["target"], one) for one in others):
            others.append(item["target"])
    several = [*others, own]
    sure = {"confidence": 1.0, "cost": 0.0}
    text = " ".join(map(str, several))
    said = [text, {"answer": text, **sure}, {"answer": several, **sure}, *_full_mass(metric, several)]
    return said if others else []


def _full_mass(metric: Metric, targets: Sequence[Json]) -> list[Json]:
    """Where right outputs are distributions (mappings to numbers), one that gives each answer what its own one gives.

    Its sum is above 1, so that a scorer which reads the target's probability alone is found by it.
    """
    made = [metric.oracle(target) for target in targets] if metric.oracle is not None else []
    if not made or not all(isinstance(one, Mapping) and "answer" not in one and _numbers(one) for one in made):
        return []
    return [{key: max(one.get(key, 0.0) for one in made) for key in dict.fromkeys(key for one in made for key in one)}]


def _numbers(output: Mapping[str, Json]) -> bool:
    return all(isinstance(one, int | float) for one in output.values())


def _anothers(metric: Metric, items: Sequence[Item], place: int) -> list[Json]:
    """The answer to another item, given with certainty."""
    own = items[place]["target"]
    wrong = [item["target"] for item in [*items[place:], *items] if not _same(item["target"], own)]
    return [wrong[0], {"answer": wrong[0], "confidence": 1.0, "cost": 0.0}] if wrong else []


Planted = Callable[[Metric, Sequence[Item], int], list[Json]]
PLANTED: Mapping[str, Planted] = {
    "no-op": _nothing, "cheat: boast": _boast, "cheat: everything": _everything, "cheat: another's": _anothers,
}  # fmt: skip


# --- The runs --------------------------------------------------------------------------------------------------------
def _oracle(axis: Axis, metric: Metric, items: Sequence[Item]) -> Finding:
    means = [_mean(metric, [make(metric, item) for item in items], items) for make in (perfect, _plain)]
    best = max(means)
    if best >= RIGHT:
        return Finding(axis.name, "oracle", "passed", f"right answers score {best:.2f}")
    if metric.declared or metric.oracle is not None:
        return Finding(axis.name, "oracle", "failed", f"right answers score {best:.2f}, expected 1", fatal=True)
    said = f"the target as answer scores {best:.2f}: give Metric(…, oracle=…), which makes a right output of a target"
    return Finding(axis.name, "oracle", "unknown", said)


def _planted(axis: Axis, metric: Metric, items: Sequence[Item], name: str, make: Planted, decides: bool) -> Finding:
    """Whether outputs that deserve nothing pass. An item without a right answer at all (an empty one) is left out."""
    worth = [place for place, item in enumerate(items) if item["target"] not in ("", [], {})]
    made = [(items[place], make(metric, items, place)) for place in worth]
    width = min((len(outputs) for _, outputs in made), default=0)
    if not width:
        return Finding(axis.name, name, "unknown", "these items leave nothing to plant")
    asked = [item for item, _ in made]
    worst = max(_mean(metric, [outputs[way] for _, outputs in made], asked) for way in range(width))
    if metric.name == "lot":
        return Finding(axis.name, name, "unknown", f"it scores {worst:.2f} by lot, as every answer does")
    if worst <= metric.passes:
        return Finding(axis.name, name, "passed", f"it scores {worst:.2f} at most")
    if KINDS[axis.kind].idle and not decides:
        said = f"it scores {worst:.2f}, as kind {axis.kind!r} allows: read it beside an axis on which it fails"
        return Finding(axis.name, name, "unknown", said)
    return Finding(axis.name, name, "failed", f"it scores {worst:.2f}, expected {metric.passes:g} at most", fatal=True)


def _impossible(axis: Axis, metric: Metric, items: Sequence[Item]) -> Finding:
    """The right answer, held against a target that contradicts it, must not pass."""
    if metric.name == "uncheated":
        share = _mean(metric, [item["target"] for item in items], items)
        outcome = "failed" if share else "passed"
        return Finding(axis.name, "impossible", outcome, f"the contradicted target scores {share:.2f}", bool(share))
    if metric.name in TARGET_BLIND or metric.name.startswith("cost("):
        return Finding(axis.name, "impossible", "unknown", f"metric {metric.name!r} asks for no right answer")
    twins = [{**item, "target": _contradicted(item["target"])} for item in items]
    outputs = [perfect(metric, item) for item in items]
    share = _mean(metric, outputs, twins)
    if share <= metric.passes:
        return Finding(axis.name, "impossible", "passed", f"right answers to a contradicted target score {share:.2f}")
    return Finding(axis.name, "impossible", "failed", f"right answers to a contradicted target score {share:.2f}")


def _contradicted(target: Json) -> Json:
    """A target of the same form that the right answer is not: so that a rule which needs the form can be asked."""
    if isinstance(target, bool):
        return not target
    if isinstance(target, int | float):
        return target + 1_000_003
    if isinstance(target, list | tuple):
        return [_contradicted(one) for one in target] or ["impossible"]
    return f"impossible-{target}"


def _bounds(axis: Axis, metric: Metric, items: Sequence[Item]) -> Finding:
    """Every score, of right answers and of none, is a finite number in [0, 1]; `score_item` refuses any other."""
    for item in items:
        for output in (perfect(metric, item), _plain(metric, item), "", {"answer": "", "confidence": 0.0, "cost": 0.0}):
            try:
                score_item(metric, output, item["target"])
            except EvaluateError as error:
                if " gave " in error.what:  # a rule that raises has no score to be out of bounds
                    return Finding(axis.name, "bounds", "failed", error.what, fatal=True)
    return Finding(axis.name, "bounds", "passed", "scores are finite and from 0 to 1")


def _causal(axis: Axis, metric: Metric, items: Sequence[Item]) -> Finding:
    """A score follows from output and target alone: asked again, in another order, and with both left as they were."""
    pairs = [(perfect(metric, item), item["target"]) for item in items] + [("", item["target"]) for item in items]
    kept = deepcopy(pairs)
    first = [_score(metric, *pair) for pair in pairs]
    again = [_score(metric, *pair) for pair in reversed(pairs)][::-1]
    if pairs != kept:
        return Finding(axis.name, "causality", "failed", "the scorer changed the output or the target", fatal=True)
    if first != again:
        place = next(i for i, (one, other) in enumerate(zip(first, again, strict=True)) if one != other)
        said = f"the same answer scored {first[place]} and, in another order, {again[place]}"
        return Finding(axis.name, "causality", "failed", said, fatal=True)
    return Finding(axis.name, "causality", "passed", "the same in another order")


def _mean(metric: Metric, outputs: Sequence[Json], items: Sequence[Item]) -> float:
    """Mean score; an output that cannot be scored has not passed."""
    found = [_score(metric, output, item["target"]) for output, item in zip(outputs, items, strict=True)]
    return sum(one or 0.0 for one in found) / len(found) if found else 0.0


def _score(metric: Metric, output: Json, target: Json) -> float | None:
    try:
        return score_item(metric, output, target)
    except EvaluateError:
        return None


def _same(one: Json, other: Json) -> bool:
    """Whether two targets want the same: null and a refusal both want that it declines."""
    declines = (None, REFUSAL)
    return (one in declines and other in declines) or (type(one) is type(other) and bool(one == other))
