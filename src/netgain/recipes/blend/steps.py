"""The loop of `blend`, one function a stage: own answers, own trials of policies and rates, a round of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netgain.budget import Budget
from netgain.recipes.blend.sizes import CHECK, FASTEST, FIRST_RATE, POLICIES, SLOWEST, TASK, TEMPERATURE, Numbers
from netgain.recipes.blend.system import System, answers, decode, encode, join, split
from netgain.recipes.blend.trials import at_rate, passing, policies, rates, rates_beside
from netgain.recipes.length import ask, model, tasks, train
from netgain.recipes.length.steps import book, outputs, steps_due
from netgain.recipes.length.tasks import Pairs
from netgain.records import Change, Examples, Part, Started, View

__all__ = [
    "answer", "build", "decode", "encode", "join", "oracle", "ordinary", "own_score", "propose", "random_search",
    "sampled", "split", "start",
]  # fmt: skip

Json = Any


@dataclass(frozen=True)
class Position:
    """Where a run stands: length of its own questions, its own sets so far, and why it is there."""

    length: int
    sets: list[Json]
    reason: str

    @property
    def pairs(self) -> list[Pairs]:
        """The own sets as pairs, the newest last."""
        return [Pairs(tuple(inputs), tuple(labels)) for inputs, labels in self.sets]


def start(numbers: Numbers, rng: Any) -> Started:
    """Generation 0: trained from scratch on true base strings, asked once a question, trained on at a slow rate."""
    made = train.train_base(TASK, numbers.length, rng)
    spent = {"tokens": made.work.tokens, "flops": made.work.flops}
    return Started(System(made.weights, *POLICIES[0], FIRST_RATE), spent)


def propose(numbers: Numbers, greedy: bool, view: View) -> Change:
    """Try policies, make own answers under the best of them, and try learning rates: on every surface that is open."""
    return _round(numbers, greedy, view, _tried_policy, _tried_rate)


def random_search(numbers: Numbers, greedy: bool, view: View) -> Change:
    """Own answers as the loop makes them; policy and rate are drawn evenly."""
    return _round(numbers, greedy, view, _drawn_policy, _drawn_rate)


Chooser = Callable[[Numbers, View, Position], tuple[Part, float | None]]


def _round(numbers: Numbers, greedy: bool, view: View, policy: Chooser, rate: Chooser) -> Change:
    view.budget.spend(tokens=0, flops=0)
    at, parts, checks, share = _position(numbers, view), [], {}, None
    tries, pick = view.improver.tries, view.improver.pick
    if "policy" not in view.closed:
        part, share = policy(numbers, view, at)
        parts.append(part)
        tries, pick = part.payload["tries"], part.payload["pick"]
    if "training" not in view.closed:
        part, found = rate(numbers, view, at)
        parts.append(part)
        share = found if share is None else share
    if "data" not in view.closed:
        data, passed = _own_answers(numbers, view, at, *(POLICIES[0] if greedy else (tries, pick)))
        parts.append(data)
        checks = {CHECK: passed}
    said = "true base strings and own answers" if checks else "true base strings alone"
    parts.append(Part("weights", None, reason=f"a round of training on {said}"))
    return Change(parts, {"length": at.length, "sets": at.sets, "share": share}, checks)


def _position(numbers: Numbers, view: View) -> Position:
    """Next length and older sets: one longer where enough passed at the last one, by the own check alone."""
    size, state = numbers.length, view.state
    if state is None:
        return Position(size.base_length + 1, [], "first round: one longer than the base")
    kept = view.feedback.kept
    sets = [*state["sets"], *([[list(kept.inputs), list(kept.labels)]] if kept.inputs else [])]
    share = view.feedback.shares.get(CHECK, state["share"])
    if share is None:
        return Position(state["length"], sets, "nothing was asked: the same length again")
    if share < size.advance:
        why = f"{share:.2f} passed, below {size.advance:g}: the same length again"
        return Position(state["length"], sets, why)
    return Position(min(size.target, state["length"] + 1), sets, f"{share:.2f} passed: one longer, up to the target")


def _own_answers(numbers: Numbers, view: View, at: Position, tries: int, pick: str) -> tuple[Part, list[bool]]:
    """Questions of one length with the improver's own answers, and what its own check says of them."""
    weights, count = view.improver.weights, int(numbers.length.own * view.budget.scale)
    asked = tasks.questions(TASK, at.length, count, view.rng)
    given = answers(weights, tries, pick, asked, view.rng)
    passed, spent = ask.passes(CHECK, weights, TASK, Pairs(tuple(asked), given.texts))
    book(view.budget, given.work + spent)
    why = f"{count} own answers of length {at.length}; {at.reason}"
    seen = {"length": at.length, "tries": tries, "advance": numbers.length.advance}
    part = Part("data", Examples(asked, list(given.texts)), reason=why, options=2, evidence=seen)
    return part, [bool(one) for one in passed]


# ---- how it is asked


def _tried_policy(numbers: Numbers, view: View, at: Position) -> tuple[Part, float]:
    found = policies(view.improver.weights, at.length, numbers.asked, view.rng)
    book(view.budget, found.work)
    seen = {f"{pick} {tries}": round(one, 4) for (tries, pick), one in zip(POLICIES, found.shares, strict=True)}
    share = found.shares[found.taken]
    return _policy(found.taken, f"{share:.2f} of own answers of length {at.length} passed", seen), share


def _drawn_policy(numbers: Numbers, view: View, at: Position) -> tuple[Part, None]:
    return _policy(int(view.rng.integers(len(POLICIES))), "drawn evenly", {}), None


def _policy(place: int, reason: str, seen: Mapping[str, Json]) -> Part:
    tries, pick = POLICIES[place]
    given = {"tries": tries, "pick": pick}
    return Part("policy", given, reason=f"{pick} of {tries}: {reason}", options=len(POLICIES), evidence=seen)


# ---- how it is trained


def _tried_rate(numbers: Numbers, view: View, at: Position) -> tuple[Part, float]:
    beside, size = rates_beside(view.parent.rate), numbers.length
    found = rates(
        view.parent.weights, view.improver.weights, size, view.parent.rate, at.pairs, at.length, numbers.trial,
        numbers.asked, view.rng,
    )  # fmt: skip
    book(view.budget, found.work)
    seen = {f"{rate:g}": round(share, 4) for rate, share in zip(beside, found.shares, strict=True)}
    rate, share = beside[found.taken], found.shares[found.taken]
    why = f"rate {rate:g}: {share:.2f} of own answers of length {at.length} passed after {numbers.trial} steps"
    return Part("training", {"rate": rate}, reason=why, options=len(beside), evidence=seen), share


def _drawn_rate(numbers: Numbers, view: View, at: Position) -> tuple[Part, None]:
    rate = round(SLOWEST * (FASTEST / SLOWEST) ** float(view.rng.random()), 9)
    return Part("training", {"rate": rate}, reason=f"rate {rate:g}: drawn evenly on the scale of logarithms"), None


# ---- everything else


def build(numbers: Numbers, parent: System, change: Change, budget: Budget, rng: Any) -> System:
    """One round of training at the change's rate, on what was kept, older sets and true base strings."""
    told = {
        name: value for part in change.parts if isinstance(part.payload, dict) for name, value in part.payload.items()
    }
    changed = replace(parent, **told)
    sets = [Pairs(tuple(inputs), tuple(labels)) for inputs, labels in (change.state or {}).get("sets", [])]
    kept = change.examples
    newest = Pairs(tuple(kept.inputs), tuple(kept.labels)) if kept is not None and kept.inputs else None
    size = at_rate(numbers.length, changed.rate)
    steps = steps_due(TASK, size, model.shape_of(parent.weights), newest, sets, budget)
    made = train.train_round(parent.weights, TASK, size, rng, newest, sets, steps)
    book(budget, made.work)
    return replace(changed, weights=made.weights)


def ordinary(view: View) -> Change:
    """Plain training on true base strings: the first policy, the first rate, none of the loop's signal."""
    view.budget.spend(tokens=0, flops=0)
    return Change([Part("weights", None, decided_by="rule", reason="true base strings only")])


def answer(system: System, inputs: Sequence[str], budget: Budget, rng: Any) -> list[Json]:
    """Answers under the system's own policy, each with the probability that the model gives it."""
    return outputs(
        answers(system.weights, system.tries, system.pick, list(inputs), rng), budget, len(inputs) * system.tries
    )


def sampled(system: System, inputs: Sequence[str], budget: Budget, rng: Any) -> list[Json]:
    """Several tries a question; what passes the own check, then what came most often, then the most confident one."""
    tried = ask.best_of(system.weights, TASK, CHECK, inputs, budget.tries, TEMPERATURE, rng)
    return outputs(tried, budget, len(inputs) * budget.tries)


def oracle(inputs: Sequence[str], labels: Sequence[str]) -> list[bool]:
    """Whether each own answer is right."""
    return [label == tasks.truth(TASK, question) for question, label in zip(inputs, labels, strict=True)]


def own_score(numbers: Numbers, judge: System, system: System, budget: Budget, rng: Any) -> float:
    """Share of the system's answers to questions of the first round's length that the judge's weights let pass."""
    asked = tasks.questions(TASK, numbers.length.base_length + 1, numbers.asked, rng)
    share, work = passing(judge.weights, system.weights, system.tries, system.pick, asked, rng)
    book(budget, work)
    return share
