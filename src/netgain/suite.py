"""What is measured: axes over items, each item made or dealt from a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from netgain.canonical import digest
from netgain.errors import ConfigError, EvaluateError
from netgain.metric import Metric, ScoreFunction, metric_named, score_item

Json = Any
Item = Mapping[str, Json]  # {"input": …, "target": …} and, for items that belong together, "cluster": …
SPLITS = ("dev", "gate", "report", "anchor", "canary", "sealed")
KINDS = ("capability", "retention", "calibration", "refusal", "robustness", "sibling", "placebo")


class Source(Protocol):
    """Where items come from. One method; `spec` says whether a stranger can re-derive them."""

    def draw(self, seed: str, index: int) -> Item: ...

    def spec(self) -> dict[str, Json]: ...


@dataclass(frozen=True)
class Generated:
    """Items from the user's own function.

    Attributes:
        make: (seed in [0, 2^63), index) -> (input, target), or with a third value that names the cluster that the item
            belongs to; items of a cluster follow each other. Must be a pure function of both.
    """

    make: Callable[[int, int], tuple[Json, ...]]

    def draw(self, seed: str, index: int) -> Item:
        """Item `index` of a block, from its seed."""
        question, target, *cluster = self.make(int(seed[:16], 16) >> 1, index)
        return {"input": question, "target": target, **({"cluster": cluster[0]} if cluster else {})}

    def spec(self) -> dict[str, Json]:
        """Name and code digest: the items themselves are re-derived only by running the user's code."""
        code = getattr(self.make, "__code__", None)
        body = hashlib.sha256(code.co_code + repr(code.co_consts).encode()).hexdigest() if code else None
        return {"generator": "python", "name": getattr(self.make, "__qualname__", "make"), "code": body}


@dataclass(frozen=True)
class Bank:
    """A fixed list of items, dealt out without replacement in disjoint shares per split.

    Attributes:
        items: {"input", "target"} each, and "cluster" where several belong to one passage, repository or template: a
            cluster is dealt as a whole and bets once at the gate.
        shares: split -> share of the items, summing to at most 1.
    """

    items: Sequence[Item]
    shares: Mapping[str, float] = field(default_factory=lambda: {"dev": 0.3, "gate": 0.4, "report": 0.1, "sealed": 0.2})

    def __post_init__(self) -> None:
        for split in self.shares:
            if split not in SPLITS or split == "anchor":
                raise ConfigError.unknown("split of a bank", split, [one for one in SPLITS if one != "anchor"])
        if min(self.shares.values(), default=0) < 0 or sum(self.shares.values()) > 1 + 1e-9:
            raise ConfigError(f"shares {dict(self.shares)!r} of a bank", fix="give shares from 0 that sum to at most 1")

    def spec(self) -> dict[str, Json]:
        """Digest and size of the bank, and how it is split."""
        return {
            "generator": "bank",
            "digest": digest(list(self.items)),
            "count": len(self.items),
            "shares": dict(self.shares),
        }

    def draw(self, seed: str, index: int) -> Item:
        """Not defined: a bank is dealt by `netgain.items`, which knows what was dealt before."""
        raise NotImplementedError


@dataclass(frozen=True)
class Axis:
    """One quantity that is measured.

    Attributes:
        name: unique in the suite.
        source: where its items come from; axes with equal sources share items and answers.
        metric: declared name, `Metric`, or function (output, target) -> [0, 1].
        kind: one of `KINDS`.
        items: pairs per gate block, items per report measurement, and items in a sealed block.
        guard: True when the gate refuses to release what loses more than `margin` here.
        margin: total loss against generation 0 that counts as harm (and as lost retention), in score units.
        step_margin: loss against the released system in one round that counts as harm.
        moment: planned mean of squared paired differences (for 0/1 scores the share of items that flip).
        overlap: True when items may also occur in training material.
        canary_items: items that monitors see answered in every round, the same ones.
    """

    name: str
    source: Source
    metric: Metric
    kind: str = "capability"
    gate_items: int = 0
    report_items: int = 0
    sealed_items: int = 0
    guard: bool = False
    margin: float = 0.05
    step_margin: float = 0.05
    moment: float = 0.1
    overlap: bool = False
    canary_items: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError.unknown(f"kind of axis {self.name!r}", self.kind, KINDS)

    def spec(self) -> dict[str, Json]:
        """The axis as JSON: part of the contract."""
        gone = ("source", "metric") if self.canary_items else ("source", "metric", "canary_items")
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in gone}
        return {**plain, "metric": self.metric.name, "declared": self.metric.declared, "source": self.source.spec()}

    @cached_property
    def source_key(self) -> str:
        """Name of the item source: equal for axes that share items."""
        return digest(self.source.spec())[:16]


def axis(
    name: str,
    source: Source | Sequence[Item] | Callable[[int, int], tuple[Json, ...]],
    metric: str | Metric | ScoreFunction = "exact",
    **options: Any,
) -> Axis:
    """An axis from whatever describes its items: a declared source, a list of items, or a function (seed, index)."""
    if not hasattr(source, "draw"):
        source = Generated(source) if callable(source) else Bank(tuple(source))
    return Axis(name, source, metric_named(metric), **options)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Suite:
    """All axes of a study, the first of which is the gate axis.

    Attributes:
        axes: at least one; the first decides promotions, axes with `guard=True` can refuse them.
        block: pairs of the gate axis per look inside one decision.
        max_pairs: pairs of the gate axis at most per decision.
        design_gain: gain per round that the gate is tuned for, in score units.
        dev_items: items with targets that the loop gets each round; 0 keeps all outside truth from it.
    """

    axes: Sequence[Axis]
    block: int = 100
    max_pairs: int = 400
    design_gain: float = 0.05
    dev_items: int = 0

    def __post_init__(self) -> None:
        names = [one.name for one in self.axes]
        if not names or len(set(names)) != len(names):
            raise ConfigError(f"axes {names!r}", fix="name at least one axis, each name once")
        for one in (self.gate_axis, *self.guards):  # without pairs on every one of them, nothing is ever promoted
            if one.gate_items < 2:
                raise ConfigError(f"axis {one.name!r} has {one.gate_items} gate items", fix="give at least 2")

    @property
    def gate_axis(self) -> Axis:
        """The axis on which promotions are decided."""
        return self.axes[0]

    @property
    def guards(self) -> tuple[Axis, ...]:
        """Axes that can refuse a promotion."""
        return tuple(one for one in self.axes if one.guard)

    def with_canaries(self, count: int) -> Suite:
        """The same suite whose gate axis and guards have so many canary items, where they have none of their own."""
        watched = (self.gate_axis, *self.guards)
        axes = [
            replace(one, canary_items=count) if one in watched and not one.canary_items else one for one in self.axes
        ]
        return replace(self, axes=axes) if count else self

    def __getitem__(self, name: str) -> Axis:
        found = next((one for one in self.axes if one.name == name), None)
        if found is None:
            raise ConfigError(f"unknown axis {name!r}", fix=f"axes are {', '.join(one.name for one in self.axes)}")
        return found

    def spec(self) -> dict[str, Json]:
        """The suite as JSON: part of the contract."""
        rest = {
            "block": self.block,
            "max_pairs": self.max_pairs,
            "design_gain": self.design_gain,
            "dev_items": self.dev_items,
        }
        return {"axes": [one.spec() for one in self.axes], **rest}


NO_ANSWER = "no answer"


def score_all(
    metric: Metric, outputs: Sequence[Json], items: Sequence[Item]
) -> tuple[list[float | None], dict[str, str]]:
    """Scores in item order; None with a reason where there is none. An error is not a score.

    Returns:
        values: (n,) numbers in [0, 1] or None.
        status: index (as text) -> why the value is None.
    """
    values: list[float | None] = []
    status: dict[str, str] = {}
    for index, (output, item) in enumerate(zip(outputs, items, strict=True)):
        try:
            values.append(_one(metric, output, item))
        except EvaluateError as error:
            values.append(None)
            status[str(index)] = error.what
    return values, status


def _one(metric: Metric, output: Json, item: Item) -> float:
    if output is None:
        raise EvaluateError(NO_ANSWER, fix="see the run's stage_failed events")
    try:
        return score_item(metric, output, item["target"])
    except EvaluateError:
        return score_item(metric, output, item["target"])  # retried once: a second failure leaves the pair incomplete
