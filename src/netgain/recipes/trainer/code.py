"""`trainer` at size `code`: a loop edits the source of its own training code, and is asked with languages it never saw.

The system is a Python program of three functions, `schedule`, `loss` and `update`. It trains a small character-level
transformer from scratch, at a locked number of steps, on text of a generated language whose entropy is known. A round
edits the source, trains on two languages of its own, and keeps what beats its record. Programs run in a sandbox, which
gets training texts and gives back weights; how many bits above the entropy a model needs is found outside. Details and
numbers: docs/recipes/trainer.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError, EvaluateError
from netgain.metric import Metric
from netgain.recipes import Built, options_of
from netgain.recipes.trainer import apart
from netgain.recipes.trainer.language import LETTERS, Ints, Language, language
from netgain.recipes.trainer.rewriting import Edit, anything, generation_0, nothing, one_or_two, rate_alone
from netgain.recipes.trainer.transformer import HELD, scored
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop
from netgain.suite import Bank, Suite, axis

Json = Any
System = dict[str, Any]

LEAST: int | None = 2  # level of the sandbox that programs run in
SEEDS = 1 << 31  # of trainings
ELSEWHERE = 1 << 60  # seeds of languages that are asked; those of a loop's own lie below
LENGTH = 2048  # characters of a training text
OWN = 2  # languages of a start, on which a round tries
AGAIN = 3  # trainings more of either side
ROUNDS, STARTS, TRIES = 2, 6, 8
GATE, REPORT, SEALED = 8, 6, 16  # languages of a look at the gate, a measurement, a start
MOST_PAIRS = 64  # of a decision: a gain of .1 takes 43, as a bet on differences of .1 wins no more than 9 % a pair
LANGUAGES = 416  # that are asked, in all
# no loop gets dev items; a trial before a study does
SHARES = {
    "dev": 0.03,
    "gate": 0.37,
    "report": 0.05,
    "sealed": 0.55,
}
STATE = {
    "parent": "the training code",
    "improver": "how edits are drawn and believed, which no round changes",
    "position": "the record: the best validation score so far, and whose it is",
}
NOTES = {
    "edits": "all: what it may edit; seed: nothing but the seed of a training, so that every claimed gain is luck",
    "check": "once: one training decides; again: three more of both sides before an edit is believed",
}
KNOWN = {"edits": ("all", "seed"), "check": ("once", "again")}
CONTROLS = ("frozen", "ordinary", "random_proposer")
ARMS = ("self", *CONTROLS)


@dataclass(frozen=True)
class Record:
    """The best that the loop has seen: a validation score, and the program and seed that gave it; None: it failed."""

    score: float | None
    program: str
    seed: int


@dataclass
class Own:
    """A start's own languages, and a count of what was spent on them.

    Attributes:
        languages, texts: what programs are tried on.
        trainings: models trained from scratch so far.
        failed: tries that came to nothing.
    """

    languages: Sequence[Language]
    texts: Sequence[Ints]
    trainings: int = 0
    failed: int = 0

    def score(self, program: str, seed: int) -> float | None:
        """Mean score of one training on each of the languages; None where the program gives no score."""
        self.trainings += len(self.texts)
        try:
            told = apart.trained(program, self.texts, [seed + at for at in range(len(self.texts))])
        except (apart.NoModel, EvaluateError):  # an error is not a score
            told = []
        found = [scored(one, of, seed) for one, of in zip(told, self.languages, strict=False)]
        scores = [one for one in found if one is not None]
        if len(scores) < len(self.texts):
            self.failed += 1
            return None
        return float(np.mean(scores))

    def book(self, budget: Budget) -> None:
        """Characters, operations and trainings, those of failed programs included."""
        tokens, flops = apart.cost(self.trainings, HELD)
        budget.spend(tokens=tokens, flops=flops, calls=self.trainings)


@dataclass(frozen=True)
class Tried:
    """What a round tried: the record after it, and each program with its seed and whether it beat the record."""

    record: Record
    tries: list[dict[str, Json]] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)

    def then(self, program: str, seed: int, score: float | None) -> Tried:
        """One more try, which takes over the record where it beats it; no score beats nothing."""
        better = score is not None and (self.record.score is None or score > self.record.score)
        record = Record(score, program, seed) if better else self.record
        return Tried(record, [*self.tries, {"program": program, "seed": seed}], [*self.taken, better])


@dataclass(frozen=True)
class CodeTrainer:
    """The loop of one setting.

    Attributes:
        edits, check: one of `KNOWN` each.
    """

    edits: str = "all"
    check: str = "once"
    size: str = "code"

    def __post_init__(self) -> None:
        for kind, known in KNOWN.items():
            if getattr(self, kind) not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'trainer', size 'code'", getattr(self, kind), known)

    def start(self, rng: Any) -> Started:
        """Generation 0: plain gradient descent at a constant rate, and languages of its own."""
        seed, deal = (int(one) for one in rng.integers(SEEDS, size=2))
        program = generation_0(rng)
        return Started({"program": program, "first": program, "seed": seed, "deal": deal},
                       {"tokens": 0, "flops": 0, "calls": 0})  # fmt: skip

    def propose(self, view: View) -> Change:
        """Edit the code, train with it, and take what beats the record."""
        if self.edits == "seed":
            return self.round_of(view, nothing, "the same code from other seeds")
        return self.round_of(view, one_or_two, "one edit or two of the source")

    def random_search(self, view: View) -> Change:
        """As much spent on random programs, each edited anew from generation 0, tried and taken in the same way."""
        return self.round_of(view, anything(view.parent["first"]), "programs drawn at random")

    def tuned(self, view: View) -> Change:
        """Plain tuning: the constant rate alone."""
        return _by_rule(self.round_of(view, rate_alone, "plain tuning of the rate"))

    def reseeded(self, view: View) -> Change:
        """The same code trained again and again, and the best training reported."""
        return _by_rule(self.round_of(view, nothing, "the same code from other seeds"))

    def round_of(self, view: View, edit: Edit, reason: str) -> Change:
        """Tries on own languages. Its examples are the programs tried; those that beat the record pass."""
        own, due = own_of(view.parent), _due(view.budget)
        if not due:
            view.budget.spend(tokens=0, flops=0, calls=0)
            return Change([Part("training", None, reason="nothing is left to spend")])
        before = _record(view, own)
        tried = climb(before, edit, own, due, view.rng, again=self.check == "again")
        own.book(view.budget)
        seen = {"before": before.score, "after": tried.record.score, "taken": sum(tried.taken), "failed": own.failed,
                "trainings": own.trainings, "judged": apart.level()}  # fmt: skip
        names = [f"{view.round}/{at}" for at in range(len(tried.tries))]
        part = Part("training", Examples(names, tried.tries), reason=reason, options=len(names), evidence=seen)
        return Change([part], vars(tried.record).copy(), {"record": tried.taken})

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """The last program that passed, with its seed."""
        budget.spend(tokens=0, flops=0, calls=0)
        kept = change.examples
        return {**parent, **kept.labels[-1]} if kept is not None and kept.labels else dict(parent)

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """Weights of a model for each text, trained by the code from a seed that nobody chose."""
        tokens, flops = apart.cost(len(inputs), 0)
        budget.spend(tokens=tokens, flops=flops, calls=len(inputs))
        if not inputs:
            return []
        seeds = [int(one) for one in rng.integers(SEEDS, size=len(inputs))]
        texts = [np.array([LETTERS.index(one) for one in asked["text"]], dtype=np.int64) for asked in inputs]
        try:
            return [{"weights": one} for one in apart.trained(system["program"], texts, seeds)]
        except apart.NoModel as fault:
            return [{"fault": str(fault)}] * len(inputs)

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """What the loop claimed when it took a program: its score on own languages, from the seed that gave it."""
        own = own_of(judge)
        found = own.score(system["program"], system["seed"])
        own.book(budget)
        if found is None:
            raise EvaluateError("the program gives no model", fix="it has no score of its own")
        return found

    def suite(self) -> Suite:
        """How near models of languages that nobody has seen come to the entropy."""
        counts: dict[str, Any] = {"gate_items": GATE, "report_items": REPORT, "sealed_items": SEALED}
        return Suite([axis("entropy", bank(), Metric("nearness", near), moment=0.02, **counts)],
                     block=GATE, max_pairs=MOST_PAIRS, design_gain=0.1)  # fmt: skip

    def loop(self) -> Loop:
        """The loop with the controls that it supports. Its gate only watches, as in the other sizes."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build,
            ordinary={"rate": self.tuned, "reseed": self.reseeded}, random_search=self.random_search,
            own_score=self.own_score, filters=(Filter("record", ("filter",)),), state=STATE, surfaces=("training",),
            gate="watch", sees_accepted=False, ready=apart.ready, sandbox=LEAST, apart=False,
            not_testable={"sampled": "an answer is a training, and its score is already a mean over many letters"},
        )  # fmt: skip


def climb(record: Record, edit: Edit, own: Own, trainings: int, rng: Any, *, again: bool = False) -> Tried:
    """A ratchet: edit what holds the record, train once from a new seed, and take it where it beats the record.

    Args:
        trainings: how many in all, those that the record took included.
        again: what beat the record is trained `AGAIN` times more, and so is what it was an edit of; it has to be better
            in the mean, which is then the record.
    """
    tried = Tried(record)
    while own.trainings < trainings:
        program, seed = edit(tried.record.program, rng), int(rng.integers(SEEDS - OWN))
        score = own.score(program, seed)
        if again and score is not None and (tried.record.score is None or score > tried.record.score):
            seeds = [int(one) for one in rng.integers(SEEDS - OWN, size=AGAIN)]
            held, score = (_mean([own.score(one, at) for at in seeds]) for one in (tried.record.program, program))
            tried = replace(tried, record=replace(tried.record, score=held))
        tried = tried.then(program, seed, score)
    return tried


def _mean(scores: Sequence[float | None]) -> float | None:
    """The mean, where every training gave a score."""
    known = [one for one in scores if one is not None]
    return float(np.mean(known)) if len(known) == len(scores) else None


def own_of(system: System) -> Own:
    """The languages and texts that a start drew for itself."""
    rng = np.random.default_rng(system["deal"])
    languages = [language(int(one)) for one in rng.integers(ELSEWHERE, size=OWN)]
    return Own(languages, [one.text(LENGTH, rng) for one in languages])


def _due(budget: Budget) -> int:
    """Trainings of a round; a control that has so much to spend makes as many as that pays for, and one more rather."""
    if budget.tokens is None and budget.flops is None:
        return round(TRIES * OWN * budget.scale)
    tokens, flops = apart.cost(1, HELD)
    return int(np.ceil(max((budget.tokens or 0.0) / tokens, (budget.flops or 0.0) / flops)))


def _record(view: View, own: Own) -> Record:
    """The record, where it is the parent's; else what the parent scores now, from the seed that it came with."""
    state, parent = view.state or {}, view.parent
    if state.get("program") == parent["program"] and state.get("seed") == parent["seed"]:
        return Record(state["score"], parent["program"], parent["seed"])
    return Record(own.score(parent["program"], parent["seed"]), parent["program"], parent["seed"])


def _by_rule(change: Change) -> Change:
    return replace(change, parts=[replace(one, decided_by="rule") for one in change.parts])


@lru_cache(maxsize=1)
def bank() -> Bank:
    """Texts of languages that no loop draws, each dealt to one role.

    The target stays with us: which language it is, and the other text that a model of it is asked on. A bank and not an
    endless source, since every item is a training, and a trial before a study would ask for hundreds.
    """
    return Bank(tuple(_item(ELSEWHERE + at) for at in range(LANGUAGES)), SHARES)


def _item(seed: int) -> Json:
    text = language(seed).text(LENGTH, np.random.default_rng([seed, 1]))
    held = int(np.random.default_rng([seed, 2]).integers(SEEDS))
    return {"input": {"text": "".join(LETTERS[one] for one in text.tolist())},
            "target": {"language": seed, "held": held}}  # fmt: skip


def near(output: Json, target: Json) -> float:
    """1 at the entropy of a language, 0 at chance or worse; what is no model of finite weights is as chance."""
    told = output.get("weights") if isinstance(output, dict) else None
    found = scored(told, language(target["language"]), target["held"])
    return 0.0 if found is None else found


def made(given: dict[str, Any]) -> Built:
    """The recipe at size `code` with these options.

    Raises:
        ConfigError: an unknown option or value.
    """
    engine = given.pop("engine", "ratchet")
    if engine != "ratchet":
        raise ConfigError(f"engine {engine!r} with size 'code'", fix="use engine 'ratchet', or another size")
    for name in given:
        if name not in (*KNOWN, "size"):
            raise ConfigError.unknown("option of recipe 'trainer', size 'code'", name, list(KNOWN))
    found = CodeTrainer(**given)
    claim = Claim("entropy", by=0.02, beats=CONTROLS, rung="R1", expected=0.2)
    return Built(found.loop(), found.suite(), claim, ARMS, ROUNDS, STARTS, options=options_of(found), notes=NOTES)
