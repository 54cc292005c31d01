"""Asks systems the items of a block and scores the answers, on our side of the wall."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from netgain.budget import Budget, total
from netgain.canonical import digest
from netgain.errors import Poisoned, StageError
from netgain.groups import Single, pooled, singles_of, taken
from netgain.items import Block, known_by, questions_of
from netgain.jobs import Jobs, Spend
from netgain.planted import NOTHING, Canaries, Found, search
from netgain.suite import Axis, score_axis

Json = Any
T = TypeVar("T")


@dataclass(frozen=True)
class Under:
    """What scores are measured under: digest of the contract, and the number of its epoch in the study, from 0."""

    contract: str = ""
    epoch: int = 0


@dataclass(frozen=True)
class Sheet:
    """Scores of one system on one axis.

    Attributes:
        axis: name.
        role: in what capacity the system was asked: candidate, released, anchor, working, served, listed, mixture:BITS,
            bridge.
        system: its digest.
        block: the items.
        values: (n,) scores in [0, 1], None where there is none.
        status: index (as text) -> why a value is None.
        outputs: digest of the outputs.
        found: what the search for canaries gave of all answers of the call, and
        outputs_of: digest of all these answers.
        answers: where a study keeps them, (n,) what was answered, and
        shown: items whose canary the call showed, by short digest.
        classes: of canary items, (n,) kind of each output (`class_of`): what behaviour is watched by.
        group: how clusters are taken together (`netgain.groups`), and
        singles: for such an axis, draw by draw, what each item got by itself.
    """

    axis: str
    role: str
    system: str
    block: Block
    values: tuple[float | None, ...]
    status: Mapping[str, str]
    outputs: str
    group: str = ""
    singles: tuple[Single, ...] = ()
    classes: tuple[str, ...] | None = None
    found: Found = NOTHING
    outputs_of: str = ""
    answers: tuple[Json, ...] | None = None
    shown: frozenset[str] = frozenset()

    def record(self, round: int, under: Under) -> dict[str, Json]:
        """The sheet as the data of a `scores` event, with contract and epoch that it was measured under."""
        return {
            "contract": under.contract[:16], "epoch": under.epoch,
            "round": round, "split": self.block.split, "axis": self.axis, "source": self.block.source,
            "key": self.block.key, "start": self.block.start, "items": self.block.digest, "system": self.system,
            "role": self.role, "values": [int(one) if one in (0, 1) else one for one in self.values],
            "status": dict(self.status), "outputs": self.outputs,
            **({"classes": list(self.classes)} if self.classes else {}),
            **({"clusters": list(self.block.clusters)} if self.block.clusters else {}),
        }  # fmt: skip

    def then(self, later: Sheet) -> Sheet:
        """This sheet followed by the next block of the same items."""
        size = len(self.block.items)
        block = replace(self.block, items=self.block.items + later.block.items)
        status = {**self.status, **{str(int(index) + size): why for index, why in later.status.items()}}
        outputs = digest([self.outputs, later.outputs])
        of = digest([self.outputs_of, later.outputs_of])
        both = replace(self, block=block, values=self.values + later.values, status=status, outputs=outputs,
                       found=self.found + later.found, outputs_of=of)  # fmt: skip
        return both if not self.group else _together(both, [*map(Single.then, self.singles, later.singles)])


def averaged(draws: Sequence[Sheet]) -> Sheet:
    """One sheet of several draws of the same items: the mean inside the item, and no score where a draw has none."""
    if len(draws) == 1:
        return draws[0]
    values, status = pooled([(list(sheet.values), dict(sheet.status)) for sheet in draws])
    singles = tuple(one for sheet in draws for one in sheet.singles)
    outputs = digest([sheet.outputs for sheet in draws])
    found = sum((sheet.found for sheet in draws), start=NOTHING)
    of = digest([sheet.outputs_of for sheet in draws])
    return replace(draws[0], values=tuple(values), status=status, outputs=outputs, singles=singles, found=found,
                   outputs_of=of)  # fmt: skip


def _together(sheet: Sheet, singles: Sequence[Single]) -> Sheet:
    """A sheet with the values of its clusters, which two blocks may share the items of."""
    values, status = pooled([taken(sheet.group, one, sheet.block.clusters) for one in singles])
    return replace(sheet, values=tuple(values), status=status, singles=tuple(singles))


@dataclass(frozen=True)
class Asking:
    """How systems are asked: who pays, from which stream, how often they may try, and what is looked for in answers."""

    replica: int
    seed: str
    tries: int = 1
    trained_on: frozenset[str] = frozenset()
    canaries: Canaries | None = None


def evaluate(
    jobs: Jobs, axes: Sequence[Axis], blocks: Mapping[str, Block], systems: Mapping[str, str], asking: Asking,
    *, vital: str = "",
) -> tuple[list[Sheet], Spend, list[str]]:  # fmt: skip
    """Ask every distinct system all blocks in one pass, and score each axis.

    Args:
        blocks: axis name -> its items; axes of one source may hold blocks of different length with equal beginnings.
        systems: role -> digest. A system in two roles is asked once: it is the same answer.
        vital: role without whose answers there is nothing to compare, rather than an incomplete pair.

    Returns:
        One sheet per axis and role; the spend; messages of systems that could not answer.

    Raises:
        Poisoned: asking the system in the vital role killed its worker again and again.
    """
    longest = _longest(axes, blocks)
    answers: dict[str, dict[str, list[Json]]] = {}
    spends: list[Spend] = []
    failures: list[str] = []
    told: dict[str, tuple[Found, str]] = {}
    keeps = asking.canaries is not None and bool(asking.canaries.answers_of)
    for system in asking_order(set(systems.values()), asking.seed):
        answers[system], spend, failure = _ask(jobs, longest, system, asking, vital=system == systems.get(vital))
        spends.append(spend or {})  # what a failed answer cost is unknown, and so is the sum
        failures += [failure] if failure else []
        told[system] = _searched(longest, answers[system], asking.canaries)
    sheets = [
        replace(
            _sheet(axis, role, system, blocks[axis.name], answers[system][axis.source_key], asking.trained_on),
            found=told[system][0],
            outputs_of=told[system][1],
            answers=tuple(answers[system][axis.source_key][: len(blocks[axis.name].items)]) if keeps else None,
            shown=_shown(longest) if keeps else frozenset(),
        )
        for axis in axes
        for role, system in systems.items()
    ]
    return sheets, total(spends) if spends else {}, failures


def asking_order(systems: Collection[T], seed: str) -> list[T]:
    """The order in which systems are asked one after the other: drawn, so that no role is always the last.

    What changes while they are asked (a machine, a provider) would favour a role that always stood at one place.
    """
    return sorted(systems, key=lambda one: digest([seed, one]))


def _searched(
    blocks: Mapping[str, Block], answers: Mapping[str, Sequence[Json]], canaries: Canaries | None
) -> tuple[Found, str]:
    """Canaries in the answers of one call, but for those that the call showed; and the digest of all its answers."""
    if canaries is None:
        return NOTHING, ""
    shown = _shown(blocks)
    said = [one for own in answers.values() for one in own if one is not None]
    return search(canaries, said, shown), digest([list(own) for own in answers.values()])


def _shown(blocks: Mapping[str, Block]) -> frozenset[str]:
    return frozenset(known_by(item) for block in blocks.values() if block.marked for item in block.items)


def _longest(axes: Sequence[Axis], blocks: Mapping[str, Block]) -> dict[str, Block]:
    longest: dict[str, Block] = {}
    for axis in axes:
        block = blocks[axis.name]
        if axis.source_key not in longest or len(block.items) > len(longest[axis.source_key].items):
            longest[axis.source_key] = block
    return longest


def _ask(
    jobs: Jobs, blocks: Mapping[str, Block], system: str, asking: Asking, *, vital: bool
) -> tuple[dict[str, list[Json]], Spend | None, str | None]:
    inputs = [question for block in blocks.values() for question in block.inputs]
    try:
        done = jobs.do(
            asking.replica, "answer", budget=Budget(tries=asking.tries), systems={"system": system},
            inputs=inputs, seed=asking.seed, sampled=asking.tries > 1,
        )  # fmt: skip
        outputs, spend, failure = list(done.value["outputs"]), done.spend, None
    except StageError as error:  # the system cannot answer: no score, said so
        if vital and isinstance(error, Poisoned):
            raise
        outputs, spend, failure = [None] * len(inputs), None, str(error)
    parts: dict[str, list[Json]] = {}
    for source, block in blocks.items():
        parts[source], outputs = outputs[: len(block.items)], outputs[len(block.items) :]
    return parts, spend, failure


def _sheet(
    axis: Axis, role: str, system: str, block: Block, outputs: Sequence[Json], trained_on: frozenset[str]
) -> Sheet:
    own = list(outputs[: len(block.items)])
    values, status = score_axis(axis, own, block.items)
    if not axis.overlap:
        for index, item in enumerate(block.items):
            if trained_on and trained_on & questions_of(item):
                values[index], status[str(index)] = None, "quarantined: the run trained on this question"
    classes = tuple(map(class_of, own)) if block.split == "canary" else None
    sheet = Sheet(axis.name, role, system, block, tuple(values), status, digest(own), axis.group, classes=classes)
    if not axis.group:
        return sheet
    answers = [
        digest(output["answer"] if isinstance(output, Mapping) and "answer" in output else output) for output in own
    ]
    return _together(sheet, [singles_of((values, status), answers)])


def class_of(output: Json) -> str:
    """Kind of an output: "none" for no answer, else its length up to a factor of two; refusals are short or empty."""
    said = output["answer"] if isinstance(output, Mapping) and "answer" in output else output
    if said is None:
        return "none"
    size = len(said) if isinstance(said, (str, list, tuple)) else 1
    return f"length {1 << (size - 1).bit_length() >> 1 or 1}+" if size else "empty"
