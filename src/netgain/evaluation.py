"""Asks systems the items of a block and scores the answers, on our side of the wall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netgain.budget import Budget, total
from netgain.canonical import digest
from netgain.errors import StageError
from netgain.groups import Single, pooled, singles_of, taken
from netgain.items import Block, questions_of
from netgain.jobs import Jobs, Spend
from netgain.suite import Axis, score_axis

Json = Any


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
        both = replace(self, block=block, values=self.values + later.values, status=status, outputs=outputs)
        return both if not self.group else _together(both, [*map(Single.then, self.singles, later.singles)])


def averaged(draws: Sequence[Sheet]) -> Sheet:
    """One sheet of several draws of the same items: the mean inside the item, and no score where a draw has none."""
    if len(draws) == 1:
        return draws[0]
    values, status = pooled([(list(sheet.values), dict(sheet.status)) for sheet in draws])
    singles = tuple(one for sheet in draws for one in sheet.singles)
    outputs = digest([sheet.outputs for sheet in draws])
    return replace(draws[0], values=tuple(values), status=status, outputs=outputs, singles=singles)


def _together(sheet: Sheet, singles: Sequence[Single]) -> Sheet:
    """A sheet with the values of its clusters, which two blocks may share the items of."""
    values, status = pooled([taken(sheet.group, one, sheet.block.clusters) for one in singles])
    return replace(sheet, values=tuple(values), status=status, singles=tuple(singles))


@dataclass(frozen=True)
class Asking:
    """How systems are asked: who pays, from which stream, and how often they may try."""

    replica: int
    seed: str
    tries: int = 1
    trained_on: frozenset[str] = frozenset()


def evaluate(
    jobs: Jobs, axes: Sequence[Axis], blocks: Mapping[str, Block], systems: Mapping[str, str], asking: Asking
) -> tuple[list[Sheet], Spend, list[str]]:
    """Ask every distinct system all blocks in one pass, and score each axis.

    Args:
        blocks: axis name -> its items; axes of one source may hold blocks of different length with equal beginnings.
        systems: role -> digest. A system in two roles is asked once: it is the same answer.

    Returns:
        One sheet per axis and role; the spend; messages of systems that could not answer.
    """
    longest = _longest(axes, blocks)
    answers: dict[str, dict[str, list[Json]]] = {}
    spends: list[Spend] = []
    failures: list[str] = []
    for system in sorted(set(systems.values()), key=lambda one: digest([asking.seed, one])):  # order drawn, not by role
        answers[system], spend, failure = _ask(jobs, longest, system, asking)
        spends.append(spend or {})  # what a failed answer cost is unknown, and so is the sum
        failures += [failure] if failure else []
    sheets = [
        _sheet(axis, role, system, blocks[axis.name], answers[system][axis.source_key], asking.trained_on)
        for axis in axes
        for role, system in systems.items()
    ]
    return sheets, total(spends) if spends else {}, failures


def _longest(axes: Sequence[Axis], blocks: Mapping[str, Block]) -> dict[str, Block]:
    longest: dict[str, Block] = {}
    for axis in axes:
        block = blocks[axis.name]
        if axis.source_key not in longest or len(block.items) > len(longest[axis.source_key].items):
            longest[axis.source_key] = block
    return longest


def _ask(
    jobs: Jobs, blocks: Mapping[str, Block], system: str, asking: Asking
) -> tuple[dict[str, list[Json]], Spend | None, str | None]:
    inputs = [question for block in blocks.values() for question in block.inputs]
    try:
        done = jobs.do(
            asking.replica, "answer", budget=Budget(tries=asking.tries), systems={"system": system},
            inputs=inputs, seed=asking.seed, sampled=asking.tries > 1,
        )  # fmt: skip
        outputs, spend, failure = list(done.value["outputs"]), done.spend, None
    except StageError as error:  # the system cannot answer: no score, said so
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
