"""What is measured: axes over items, each item made or dealt from a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from netgain.canonical import digest
from netgain.crossing import TAKEN, crossed
from netgain.errors import ConfigError, EvaluateError
from netgain.kinds import KINDS
from netgain.metric import PASSES, Metric, ScoreFunction, metric_named, score_item

Json = Any
# {"input": …, "target": …}; for items that belong together "cluster": …; for us alone, what PRIVATE names.
Item = Mapping[str, Json]
# Where it comes from, a marker text of the user's, one that the study plants, the question that a twin was made of.
PRIVATE = ("provenance", "canary", "planted", "origin")
SPLITS = ("dev", "gate", "report", "anchor", "canary", "probation", "sealed")
GROUPS = ("", "worst", "agree")


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
        return {"generator": "python", **named_code(self.make)}


def named_code(make: Callable[..., Any]) -> dict[str, Json]:
    """Name of a user's function and digest of its code; None for the digest where it has none of its own."""
    code = getattr(make, "__code__", None)
    body = hashlib.sha256(code.co_code + repr(code.co_consts).encode()).hexdigest() if code else None
    return {"name": getattr(make, "__qualname__", "make"), "code": body}


@dataclass(frozen=True)
class Bank:
    """A fixed list of items, dealt out without replacement in disjoint shares per split.

    Attributes:
        items: {"input", "target"} each, and "cluster" where several belong to one passage, repository or template: a
            cluster is dealt as a whole and bets once at the gate. "provenance" and "canary" stay with us: no system and
            no loop is given them, and they do not decide how an item is dealt.
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
class Twins:
    """Items made of the items of another source, dealt with them: the twin of a gate item is a gate item.

    Attributes:
        base: the source of the originals; an axis on it and one on their twins are dealt the same originals.
        make: item -> `span` items, each {"input", "target"}; a pure function. See `netgain.twins` for ready ones.
        span: twins per original; more than one are a cluster.
        how: what is registered of `make`.
    """

    base: Source
    make: Callable[[Item], Sequence[Item]]
    span: int
    how: Mapping[str, Json]

    def spec(self) -> dict[str, Json]:
        """The base, and what is made of it."""
        return {"generator": "twins/1", "base": self.base.spec(), "span": self.span, **self.how}

    def draw(self, seed: str, index: int) -> Item:
        """Not defined: `netgain.items` deals the base and makes twins of what it dealt."""
        raise NotImplementedError


class Listed(Protocol):
    """What `axis` makes a bank of: a file of items, read when the axis is put together."""

    def bank(self) -> Bank: ...


def bank_of(source: Source) -> Bank | None:
    """The bank that items come from in the end; None where they are generated."""
    return bank_of(source.base) if isinstance(source, Twins) else source if isinstance(source, Bank) else None


def clustered(source: Source) -> bool:
    """Whether items are known to have clusters; a user's own function may have some that nobody knows of before."""
    if isinstance(source, Twins):
        return source.span > 1 or clustered(source.base)
    return isinstance(source, Bank) and any("cluster" in one for one in source.items)


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
        group: "worst": every item of a cluster gets the score of its worst one; "agree": the share of the cluster whose
            answers equal the commonest; "": each its own.
        second: another scorer, written independently; None for none.
        disagree: share of a block's items on which the two may differ, or whose answers pass for other items too;
            above it those items have no score.
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
    group: str = ""
    second: Metric | None = None
    disagree: float = 0.02

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError.unknown(f"kind of axis {self.name!r}", self.kind, KINDS)
        if self.group not in GROUPS:
            raise ConfigError.unknown(f"group of axis {self.name!r}", self.group, GROUPS)
        if not 0.0 <= self.disagree < 1.0:
            raise ConfigError(f"disagree {self.disagree!r} of axis {self.name!r}", fix="give a share from 0 to below 1")
        if self.group and not isinstance(self.source, Generated) and not clustered(self.source):
            raise ConfigError(
                f"axis {self.name!r} has group {self.group!r}, and its items no cluster",
                fix="give items a cluster, or make twins of them: netgain.twins.perturbed or repeated",
            )

    def spec(self) -> dict[str, Json]:
        """The axis as JSON: part of the contract; group, second scorer, canary items and `passes` where set."""
        apart = ("source", "metric", "group", "second", "disagree", "canary_items")
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in apart}
        plain |= {"group": self.group} if self.group else {}
        plain |= {"canary_items": self.canary_items} if self.canary_items else {}
        plain |= {"second": self.second.name, "disagree": self.disagree} if self.second else {}
        plain |= {"passes": self.metric.passes} if self.metric.passes != PASSES else {}
        return {**plain, "metric": self.metric.name, "declared": self.metric.declared, "source": self.source.spec()}

    @cached_property
    def source_key(self) -> str:
        """Name of the item source: equal for axes that share items."""
        return digest(self.source.spec())[:16]


Given = Source | Listed | Sequence[Item] | Callable[[int, int], tuple[Json, ...]]


def axis(
    name: str,
    source: Given,
    metric: str | Metric | ScoreFunction | None = None,
    **options: Any,
) -> Axis:
    """An axis from whatever describes its items: a declared source, a file, a list, or a function (seed, index).

    What is not given is the default of its kind (`netgain.kinds.KINDS`): metric, margins, overlap and group.

    Raises:
        ConfigError: an unknown kind or metric, or a kind that needs a metric and has none.
    """
    kind = KINDS.get(options.get("kind", "capability"), KINDS["capability"])  # an unknown one is refused by Axis
    for option in ("margin", "step_margin", "overlap", "group"):
        options.setdefault(option, getattr(kind, option))
    chosen = kind.metric if metric is None else metric
    if not chosen:
        raise ConfigError(f"axis {name!r} of kind 'cost' has no budget", fix="give a metric such as 'cost(200)'")
    if options.get("second") is not None:
        options["second"] = metric_named(options["second"])
    return Axis(name, source_of(source), metric_named(chosen), **options)


def source_of(given: Given) -> Source:
    """The source that a declared source, a file, a list of items or a function (seed, index) stands for."""
    if hasattr(given, "draw"):
        return given  # type: ignore[return-value]  # told by its method, as `axis` always did
    if hasattr(given, "bank"):
        return given.bank()
    return Generated(given) if callable(given) else Bank(tuple(given))


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
        for one in self.axes:
            span = one.source.span if isinstance(one.source, Twins) else 1
            if cut := [count for count in (one.gate_items, one.report_items, one.sealed_items) if count % span]:
                what = f"axis {one.name!r} has {cut[0]} items, which cuts a group of {span} twins"
                raise ConfigError(what, fix=f"give multiples of {span}")

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
APART = "scorers disagree"
UNSURE = ("calibration", "refusal", "fabrication")  # kinds of axes on which one answer may be right everywhere
CLOSE = 0.01  # difference of two scorers up to which they agree on an item


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


def score_axis(axis: Axis, outputs: Sequence[Json], items: Sequence[Item]) -> tuple[list[float | None], dict[str, str]]:
    """Scores as `score_all` gives them; none where an answer passes for other items too, or a second scorer differs.

    Such answers (`netgain.crossing`; not looked for on axes of `UNSURE`, where one answer may be right everywhere: a
    refusal, a doubt), and items on which the two differ by more than `CLOSE`, have no score when they
    are more than the share `disagree` of the block: what is wrong is not known. Up to that share the first one holds.
    """
    values, status = score_all(axis.metric, outputs, items)
    allowed = axis.disagree * len(items)
    passed = [value is not None and value > axis.metric.passes for value in values]
    sure = axis.kind not in UNSURE
    taken = crossed(axis.metric, outputs, [item["target"] for item in items], passed) if sure else []
    why = {str(place): TAKEN for place in taken} if len(taken) > allowed else {}
    if axis.second is not None:
        others, failed = score_all(axis.second, outputs, items)
        apart = [index for index, (one, other) in enumerate(zip(values, others, strict=True))
                 if one is not None and other is not None and abs(one - other) > CLOSE]  # fmt: skip
        why |= {str(i): f"{APART}: {values[i]:g} and {others[i]:g}" for i in apart if len(apart) > allowed}
        why |= {index: f"second scorer: {one}" for index, one in failed.items() if index not in status}
    return [None if str(i) in why else one for i, one in enumerate(values)], {**status, **why}
