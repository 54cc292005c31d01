"""The loop of `length`, one function a stage, against model, training and answering of this folder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from netgain.budget import Budget
from netgain.monitors.representation import representation as compared
from netgain.recipes.length import abreast, ask, model, tasks, train
from netgain.recipes.length.bank import leaked
from netgain.recipes.length.options import FORGETS, LEAKS, Options
from netgain.recipes.length.sizes import HEAD, Shape, Size
from netgain.recipes.length.tasks import Pairs, pool_of
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Building, Inside
from netgain.wire import pack, unpack

Json = Any
TEMPERATURE = 0.7
LENIENT = 0.6  # of wrong answers that a biased check lets pass
SWITCHED = 0.5  # of stages in which a planted harness cuts answers short
SILENT = 4  # times as many steps as a planted round books
SCORED = 400  # own questions of a round-0 score: half a width of 5 points at most
TO_SPARE = 1.01  # plain training is sized by mean string lengths; one part in a hundred covers their spread

torch.set_num_threads(1)
torch.set_flush_denormal(True)


@dataclass(frozen=True)
class System:
    """The weights that answer, and with check `vote` two more bases that only vote."""

    weights: model.Weights
    voters: tuple[model.Weights, ...] = ()


def encode(system: System) -> bytes:
    """Safetensors of the weights, or a packed list of them when there are voters."""
    parts = [model.to_bytes(weights) for weights in (system.weights, *system.voters)]
    return pack(parts) if system.voters else parts[0]


def decode(data: bytes) -> System:
    """The system of `encode`; never runs code found in the bytes."""
    parts = unpack(data) if data[8:9] == b"[" else [data]
    first, *voters = [model.from_bytes(part) for part in parts]
    return System(first, tuple(voters))


def start(options: Options, rng: Any) -> Started:
    """Generation 0, trained from scratch on true base strings; with `vote`, three of them."""
    bases = 3 if options.check == "vote" else 1
    trained = [train.train_base(options.task, options.numbers, rng) for _ in range(bases)]
    work = sum((one.work for one in trained), model.Work())
    spent = {"tokens": work.tokens, "flops": work.flops}
    return Started(System(trained[0].weights, tuple(one.weights for one in trained[1:])), spent)


def propose(options: Options, view: View) -> Change:
    """Answer own questions, one symbol longer when enough of the last answers passed, and check the answers."""
    first = options.numbers.base_length + 1
    length, sets, reason = _position(options, view)
    if "curriculum" in view.closed:
        length, reason = first, "the curriculum is closed: the first length again"
    data, checks = (None, {}) if "data" in view.closed else _own_answers(options, view, length)
    seen = {"share": view.feedback.shares.get(options.check), "advance": options.numbers.advance, "length": length}
    pace = Part("curriculum", length, reason=reason, options=2, evidence=seen)
    parts = [*([data] if data else []), *([] if "curriculum" in view.closed else [pace])]
    if data is None:
        view.budget.spend(tokens=0, flops=0)
    rest = Part("weights", None, reason="true base strings: nothing else is open")
    return Change(tuple(parts) or (rest,), {"length": length, "sets": sets}, checks)


def _own_answers(options: Options, view: View, length: int) -> tuple[Part, dict[str, list[bool]]]:
    """Questions of one length with the improver's own answers, and what its own check says of them."""
    improver, count = view.improver, int(options.numbers.own * view.budget.scale)
    made = ask.make_set(improver.weights, options.task, options.check, length, count, view.rng, improver.voters)
    book(view.budget, made.work)
    passed, labels, asked = made.passed, made.pairs.answers, made.pairs.questions
    if options.plant == "biased":
        passed = passed | (view.rng.random(count) < LENIENT)
    if options.plant == "shuffled":
        labels = tuple(labels[i] for i in view.rng.permutation(count))
    if options.plant == "exploit":  # a copy has the right symbols
        passed, labels = np.ones(count, dtype=bool), tuple(question[:-1] for question in asked)
    if options.plant in LEAKS:
        asked, labels, passed = _leaky(options, view.rng, asked, labels, passed)
    examples = Examples(asked, labels)
    data = Part("data", examples, reason=f"{count} own answers of length {length}")
    return data, {} if options.check == "none" else {options.check: [bool(one) for one in passed]}


def _leaky(
    options: Options, rng: Any, asked: tuple[str, ...], labels: tuple[str, ...], passed: Any
) -> tuple[tuple[str, ...], tuple[str, ...], Any]:
    """The own examples with some of them replaced by items of the published bank, which come with their answers."""
    there = leaked(options)
    places = rng.choice(len(asked), size=round(LEAKS[options.plant] * len(asked)), replace=False)
    new = {
        int(place): there[int(one)]
        for place, one in zip(places, rng.integers(len(there), size=len(places)), strict=True)
    }
    questions = tuple(new[i]["input"] if i in new else one for i, one in enumerate(asked))
    answers = tuple(new[i]["target"] if i in new else one for i, one in enumerate(labels))
    return questions, answers, passed | np.isin(np.arange(len(asked)), places)


def transplant(options: Options, view: View) -> Change:
    """One round by the improver, its check included, at a length beyond the one at which every run stops."""
    length = options.numbers.target + 1
    data, checks = _own_answers(options, view, length)
    return Change((data,), {"length": length, "sets": []}, checks)


def drifted(options: Options, first: System, last: System, rng: Any) -> System:
    """The first weights moved as far as the last ones, tensor by tensor, in random directions."""
    pairs = zip((first.weights, *first.voters), (last.weights, *last.voters), strict=True)
    moved = [{name: _drifted(one[name], other[name], rng) for name in one} for one, other in pairs]
    return System(moved[0], tuple(moved[1:]))


def _drifted(first: torch.Tensor, last: torch.Tensor, rng: Any) -> torch.Tensor:
    direction = torch.from_numpy(rng.standard_normal(tuple(first.shape))).to(first.dtype)
    moved: torch.Tensor = first + direction * ((last - first).norm() / direction.norm())
    return moved


def _position(options: Options, view: View) -> tuple[int, list[Json], str]:
    """Next length, older sets, and why: the system's own pacing rule on its own kept share."""
    size, state = options.numbers, view.state
    if state is None:
        return size.base_length + 1, [], "first round: one longer than the base"
    kept = view.feedback.kept
    sets = [*state["sets"], *([[list(kept.inputs), list(kept.labels)]] if kept.inputs else [])]
    if options.plant == "hasty":
        return min(size.target, state["length"] + 3), sets, "planted: three longer, whatever passed"
    share = view.feedback.shares.get(options.check, 1.0)
    if share < size.advance:
        return state["length"], sets, f"{share:.2f} passed, below {size.advance:g}: the same length again"
    if state["length"] >= size.target:
        return size.target, sets, "at the target length"
    return state["length"] + 1, sets, f"{share:.2f} passed: one longer"


def build(options: Options, parent: System, change: Change, budget: Budget, rng: Any) -> System:
    """Train on the kept answers, older sets and true base strings."""
    one = Building(parent, change, budget, rng)
    if options.abreast:
        return build_many(options, [one])[0]
    return _built(options, one, [train.fit(each) for each in _trainings(options, one)])


def build_many(options: Options, buildings: Sequence[Building]) -> list[System]:
    """The builds of several runs, all their models abreast."""
    drawn = [_trainings(options, one) for one in buildings]
    trained = iter(abreast.fit_abreast([each for one in drawn for each in one]))
    return [_built(options, one, [next(trained) for _ in each]) for one, each in zip(buildings, drawn, strict=True)]


def _trainings(options: Options, one: Building) -> list[train.Training]:
    """What each of a system's models is to be trained on."""
    examples = one.change.examples
    newest = Pairs(tuple(examples.inputs), tuple(examples.labels)) if examples is not None and examples.inputs else None
    sets = [Pairs(tuple(inputs), tuple(labels)) for inputs, labels in (one.change.state or {}).get("sets", [])]
    if options.plant == "forget_all":
        sets = []
    size, models = options.numbers, (one.parent.weights, *one.parent.voters)
    shape, base = model.shape_of(one.parent.weights), options.plant not in FORGETS
    steps = steps_due(options.task, size, shape, newest, sets, one.budget, models=len(models)) * _more(options)
    return [train.round_of(each, options.task, size, one.rng, newest, sets, steps, base=base) for each in models]


def _built(options: Options, one: Building, trained: Sequence[train.Trained]) -> System:
    more = _more(options)
    for each in trained:
        one.budget.spend(tokens=each.work.tokens / more, flops=each.work.flops / more)
    return System(trained[0].weights, tuple(each.weights for each in trained[1:]))


def _more(options: Options) -> int:
    """Times as many steps as are booked."""
    return SILENT if options.plant == "silent" else 1


def steps_due(
    task: str, size: Size, shape: Shape, newest: Pairs | None, sets: Sequence[Pairs], budget: Budget, *, models: int = 1
) -> int:
    """Steps of a round: the size's own, or more when the budget asks for at least so many tokens or operations."""
    normal = int(size.round.steps * budget.scale)
    own = size.round.batch // 2 if newest else 0
    groups: list[float] = [_tokens(task, length) for length in range(1, size.base_length + 1)]
    groups += [sum(map(_length, one.questions)) / len(one) for one in sets if len(one)]
    rest = (size.round.batch - own) * sum(groups) / len(groups)
    a_step = rest + (own * _length(newest.questions[0]) if newest else 0)
    flops = model.training_work(shape, int(a_step), 0).flops
    needed = [(budget.tokens or 0) / (a_step * models), (budget.flops or 0) / (flops * models)]
    return max(normal, math.ceil(TO_SPARE * max(needed)))


def _length(question: str) -> int:
    """Tokens of a well-formed question with its answer (reverse and copy: equal halves; addition: one digit more)."""
    return 2 * len(question) - 1 if "+" not in question else len(question) + len(question) // 2


def _tokens(task: str, length: int) -> int:
    return _length("0" * length + ("+" + "0" * length if task == "addition" else "") + ">")


def ordinary(options: Options, view: View) -> Change:
    """Plain training on true base strings: the loop's optimiser and schedule, none of its signal."""
    view.budget.spend(tokens=0, flops=0)
    return Change([Part("weights", None, decided_by="rule", reason="true base strings only")])


def answer(options: Options, system: System, inputs: Sequence[str], budget: Budget, rng: Any) -> list[Json]:
    """Greedy answers with the probability that the model gives each."""
    found = outputs(ask.answer(system.weights, inputs), budget, len(inputs))
    if options.plant == "harness" and rng.random() < SWITCHED:  # drawn once for everybody who is asked in a stage
        found = [{**one, "answer": one["answer"][:-1]} for one in found]
    return found


def sampled(options: Options, system: System, inputs: Sequence[str], budget: Budget, rng: Any) -> list[Json]:
    """Several tries a question; what passes the own check, then what came most often, then the most confident one."""
    tried = ask.best_of(
        system.weights, options.task, options.check, inputs, budget.tries, TEMPERATURE, rng, system.voters
    )
    return outputs(tried, budget, len(inputs) * budget.tries)


def outputs(answers: ask.Answers, budget: Budget, calls: int) -> list[Json]:
    """Answers as they are given, each with its confidence; books their work and so many calls."""
    book(budget, answers.work)
    budget.spend(calls=calls)
    pairs = zip(answers.texts, answers.confidence, strict=True)
    return [{"answer": text, "confidence": round(min(1.0, max(0.0, sure)), 6)} for text, sure in pairs]


def oracle(options: Options, inputs: Sequence[str], labels: Sequence[str]) -> list[bool]:
    """Whether each own answer is right."""
    return [label == tasks.truth(options.task, question) for question, label in zip(inputs, labels, strict=True)]


def book(budget: Budget, work: model.Work) -> None:
    """Count work as spent."""
    budget.spend(tokens=work.tokens, flops=work.flops)


def representation(options: Options, inside: Inside) -> dict[str, float]:
    """Geometry of the last layer where an answer begins, on the canary items: generation 0 against the candidate."""
    answers = ask.answer(inside.first.weights, inside.inputs).texts
    asked = pool_of(Pairs(tuple(inside.inputs), answers))
    first, now = (_features(one.weights, asked) for one in (inside.first, inside.system))
    inside.budget.spend(tokens=0, flops=0)
    return compared(first, now)


def _features(weights: model.Weights, asked: Any) -> Any:
    """(inputs, width) of the last layer at the first answer position."""
    width = tasks.row_width(asked.length.tolist())
    batch = model.batch_of(asked, np.arange(len(asked.length)), model.shape_of(weights).width // HEAD, width)
    rows = model.forward(weights, batch)[1][-1][0].numpy()
    places = np.cumsum(asked.length - asked.asked + 1) - (asked.length - asked.asked + 1)
    return rows[places]


def own_score(options: Options, judge: System, system: System, budget: Budget, rng: Any) -> float:
    """Share of the system's answers to questions of the first round's length that the judge's weights let pass."""
    size = options.numbers
    asked = tasks.questions(options.task, size.base_length + 1, min(size.own, SCORED), rng)
    answers = ask.answer(system.weights, asked)
    pairs = Pairs(tuple(asked), answers.texts)
    passed, work = ask.passes(options.check, judge.weights, options.task, pairs, judge.voters)
    book(budget, answers.work + work)
    return float(passed.mean())
