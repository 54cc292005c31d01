"""Deals items: which questions a block holds, derived from a secret that loops never see."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from netgain.canonical import canonical, digest
from netgain.errors import ConfigError
from netgain.generators import Strings
from netgain.planted import Canaries, carries
from netgain.seeding import anchor_key, dev_key, item_seed, report_key, sealed_key
from netgain.suite import PRIVATE, Axis, Bank, Item, Source, Twins, bank_of

Json = Any


@dataclass(frozen=True)
class Block:
    """A run of items of one source.

    Attributes:
        split: dev, gate, report, anchor or sealed.
        source: name of the item source.
        key: what the block is for (see `netgain.seeding`).
        start: index of its first item.
        items: fewer than asked for when a bank is used up.
        marked: whether questions are asked with the canary that the study planted in them.
    """

    split: str
    source: str
    key: str
    start: int
    items: tuple[Item, ...]
    marked: bool = False

    @cached_property
    def digest(self) -> str:
        """SHA-256 over inputs, targets and, where items have one, clusters, in order."""
        names = ("input", "target", "cluster")
        return digest([[item[name] for name in names if name in item] for item in self.items])

    @cached_property
    def clusters(self) -> tuple[str, ...] | None:
        """Short digests of what each item belongs to, of a lone one itself; None where no item has a cluster."""
        if not any("cluster" in item for item in self.items):
            return None
        return tuple(fingerprint(_group(item)) for item in self.items)

    @cached_property
    def fingerprints(self) -> frozenset[str]:
        """Short content digests of the questions, and of those that twins were made of."""
        return frozenset[str]().union(*map(questions_of, self.items))

    @property
    def inputs(self) -> list[Json]:
        """What a system is asked: no targets."""
        if self.marked:
            return [f"{one['input']}\n{one['planted']}" if "planted" in one else one["input"] for one in self.items]
        return [item["input"] for item in self.items]


@dataclass(frozen=True)
class Dealer:
    """Draws generated items and deals banks.

    Attributes:
        secret: 32 bytes; the key of every split but the sealed one.
        rounds: horizon: a bank's gate share is cut into one shard per round.
        replicas: starts that may ever be enrolled: a bank's sealed share is cut into one shard per start.
        canaries: plants one in every protected text item of a list; None: items are asked as they are.
        drawn: blocks of the report, anchor and canary splits, which many runs ask for; dealing twice gives the same.
        ranked: (source, split) -> the items of a bank in their order, which is the same for every block.
    """

    secret: bytes
    rounds: int
    replicas: int
    canaries: Canaries | None = None
    drawn: dict[tuple[str, str, str, int], Block] = field(default_factory=dict, compare=False, repr=False)
    ranked: dict[tuple[str, str], Sequence[Item]] = field(default_factory=dict, compare=False, repr=False)

    def dev(self, axis: Axis, replica: int, round: int, count: int, start: int = 0) -> Block:
        """Items that the loop may use as it likes; from `start` on, those that only a screen asks.

        What is for us alone (provenance, canary) is taken off here: the loop is given these items whole.
        """
        block = self._block(axis, "dev", dev_key(replica, round), start, count, shard=(0, 1))
        return replace(block, items=tuple(map(_shown, block.items)))

    def gate(self, axis: Axis, key: str, start: int, count: int, round: int) -> Block:
        """The next items of a gate decision; new ones for every pair of systems."""
        return self.planted(axis, self._block(axis, "gate", key, start, count, shard=(round - 1, self.rounds)))

    def report(self, axis: Axis, replica: int, round: int) -> Block:
        """Items of the curves: the same for all arms of a replica in a round."""
        block = self._block(axis, "report", report_key(replica, round), 0, axis.report_items, shard=(0, 1))
        return self.planted(axis, block)

    def anchor(self, axis: Axis, replica: int) -> Block:
        """Items that never change: generation 0 answers them again in every round."""
        block = self._block(axis, "anchor", anchor_key(replica), 0, axis.report_items, shard=(0, 1))
        return self.planted(axis, block)

    def canary(self, axis: Axis, replica: int) -> Block:
        """Items that only monitors look at: the same for candidate and generation 0 in every round."""
        block = self._block(axis, "canary", anchor_key(replica), 0, axis.canary_items, shard=(0, 1))
        return self.planted(axis, block)

    def probation(self, axis: Axis, replica: int, round: int, count: int) -> Block:
        """Items on which a promoted generation is on trial: new ones in every round, the same for all arms."""
        shard = (max(1, round) - 1, self.rounds)
        return self.planted(axis, self._block(axis, "probation", report_key(replica, round), 0, count, shard=shard))

    def sealed(self, axis: Axis, replica: int, block_secret: bytes) -> Block:
        """The block of a start, which nobody can know before the seal is opened."""
        return self.planted(axis, self._sealed(axis, replica, block_secret))

    def _sealed(self, axis: Axis, replica: int, block_secret: bytes) -> Block:
        if isinstance(axis.source, Twins):
            return _made(
                axis, 0, axis.sealed_items,
                lambda base, _, many: self._sealed(replace(base, sealed_items=many), replica, block_secret),
            )  # fmt: skip
        if isinstance(axis.source, Bank):
            # Which start an item belongs to depends on content alone, so that no two starts ever share one; which of
            # its items are asked, and in which order, depends on the seal.
            own = _shard(self._in_order(axis, "sealed", b"shards"), replica, self.replicas)
            items = _sorted(own, block_secret)[: axis.sealed_items]
            return Block("sealed", axis.source_key, sealed_key(replica), 0, tuple(items))
        return _drawn(axis, "sealed", sealed_key(replica), 0, axis.sealed_items, block_secret)

    def planted(self, axis: Axis, block: Block) -> Block:
        """The block with a canary in every text item that carries one."""
        if self.canaries is None or not carries(axis):
            return block
        line = self.canaries.line
        items = tuple(
            {**item, "planted": line(known_by(item))} if isinstance(item["input"], str) else item
            for item in block.items
        )
        return replace(block, items=items, marked=self.canaries.asked)

    def _block(self, axis: Axis, split: str, key: str, start: int, count: int, *, shard: tuple[int, int]) -> Block:
        if isinstance(axis.source, Twins):
            return _made(axis, start, count,
                         lambda base, at, many: self._block(base, split, key, at, many, shard=shard))  # fmt: skip
        if not isinstance(axis.source, Bank):
            kept = (split, axis.source_key, key, count)
            if split not in ("report", "anchor", "canary"):
                return _drawn(axis, split, key, start, count, self.secret)
            if kept not in self.drawn:
                self.drawn[kept] = _drawn(axis, split, key, start, count, self.secret)
            return self.drawn[kept]
        own = _shard(self._in_order(axis, split, self.secret), *shard)
        return Block(split, axis.source_key, key, start, tuple(own[start : start + count]))

    def _in_order(self, axis: Axis, split: str, secret: bytes) -> Sequence[Item]:
        """A bank's share of a split, ranked once: ranking takes longer than what it is for where a bank is large."""
        kept = axis.source_key, split
        if kept not in self.ranked:
            self.ranked[kept] = _ranked(axis.source, split, secret)  # type: ignore[arg-type]
        return self.ranked[kept]


def gate_questions(axis: Axis) -> frozenset[str]:
    """Content digests of all gate questions of a bank, whatever the secret: what a gate set is known by.

    Twins are known by their originals: other twins of a used set are as used as it.
    """
    bank = bank_of(axis.source)
    return frozenset(fingerprint(item["input"]) for item in _ranked(bank, "gate", b"")) if bank else frozenset()


def held(axis: Axis, split: str) -> int | None:
    """How many items a split of an axis can deal in all, twins counted; None where they are generated."""
    bank = bank_of(axis.source)
    return None if bank is None else len(_ranked(bank, split, b"")) * _span(axis.source)


def _span(source: Source) -> int:
    return source.span * _span(source.base) if isinstance(source, Twins) else 1


def known_by(item: Item) -> str:
    """The short digest of a question; of a twin, of the question that it was made of."""
    return str(item["origin"]) if "origin" in item else fingerprint(item["input"])


def questions_of(item: Item) -> set[str]:
    """Short content digests by which an item is known: of its question and, of a twin, of the original's."""
    return {fingerprint(item["input"]), *([item["origin"]] if "origin" in item else [])}


def _made(axis: Axis, start: int, count: int, deal: Callable[[Axis, int, int], Block]) -> Block:
    """A block of twins: the originals that it needs, dealt from the base, and what is made of them."""
    source: Any = axis.source
    first, skipped = divmod(start, source.span)
    originals = -(-(skipped + count) // source.span)
    block = deal(replace(axis, source=source.base, group=""), first, originals)
    items = [twin for place, item in enumerate(block.items, first) for twin in _twins(source, item, place)]
    return replace(block, source=axis.source_key, start=start, items=tuple(items[skipped : skipped + count]))


def _twins(source: Twins, item: Item, place: int) -> list[Item]:
    """The twins of one item, which know what they were made of, and bet once together where they are several.

    A maker may make one original twice: the place in the block keeps its twins apart, as it keeps the originals.
    """
    twins = source.make(item)
    if len(twins) != source.span:
        raise ConfigError(
            f"{len(twins)} twins of one item, expected {source.span}", fix="make as many of every item as `span` says"
        )
    own = {"origin": item.get("origin", fingerprint(item["input"]))}
    if source.span > 1 and "cluster" not in item:
        own["cluster"] = fingerprint([place, item["input"], item["target"]])
    return [{**item, **twin, **own} for twin in twins]


def _shown(item: Item) -> dict[str, Json]:
    return {name: value for name, value in item.items() if name not in PRIVATE}


def _drawn(axis: Axis, split: str, key: str, start: int, count: int, secret: bytes) -> Block:
    seeds = (item_seed(secret, split, axis.source_key, key, index) for index in range(start, start + count))
    items = tuple(axis.source.draw(seed, _stratum(axis, split, seed, start + offset))
                  for offset, seed in enumerate(seeds))  # fmt: skip
    return Block(split, axis.source_key, key, start, items)


def _stratum(axis: Axis, split: str, seed: str, index: int) -> int:
    """The index that sets an item's stratum: its position, and in a gate block a number drawn from its seed.

    A gate bets item by item on a mean over all strata, so no item may tell by its place which stratum comes next. A
    user's own function (`Generated`) is given the position, whatever the split: what it makes of it is its own affair.
    """
    return int(seed[:8], 16) if split == "gate" and isinstance(axis.source, Strings) else index


def _ranked(bank: Bank, split: str, secret: bytes) -> Sequence[Item]:
    """The share of a bank that belongs to a split, in an order that depends on content and secret only.

    Which split an item belongs to depends on its content alone, so that a sealed item can never have been a gate item.
    """
    place = _split_places(bank.shares)
    mine = [
        item
        for item in bank.items
        if _split_of(item, place) == split or (split == "anchor" and _split_of(item, place) == "report")
    ]
    return _sorted(mine, secret)


def _sorted(items: Sequence[Item], secret: bytes) -> Sequence[Item]:
    def place(item: Item) -> tuple[bytes, ...]:  # clusters in an order, then items within: a cluster stays together
        parts = [_group(item), _shown(item)] if "cluster" in item else [_shown(item)]
        return tuple(hmac.new(secret, canonical(part), hashlib.sha256).digest() for part in parts)

    return sorted(items, key=place)


def _group(item: Item) -> Mapping[str, Json]:
    """What is dealt as one: a cluster, or the item itself."""
    return {"cluster": item["cluster"]} if "cluster" in item else _shown(item)


def _split_places(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    edge, places = 0.0, []
    for split in sorted(shares):
        edge += shares[split]
        places.append((split, edge))
    return places


def split_of(item: Item, shares: Mapping[str, float]) -> str | None:
    """Which split an item of a bank belongs to; None where the shares leave it out."""
    return _split_of(item, _split_places(shares))


def _split_of(item: Item, places: Sequence[tuple[str, float]]) -> str | None:
    position = int(digest(_group(item))[:12], 16) / 16**12
    return next((split for split, edge in places if position < edge), None)


def _shard(items: Sequence[Item], index: int, count: int) -> Sequence[Item]:
    size = len(items) // count
    return items[_edge(items, index * size) : _edge(items, (index + 1) * size)]


def _edge(items: Sequence[Item], place: int) -> int:
    """The next place at which no cluster is cut."""
    while 0 < place < len(items) and "cluster" in items[place] and _group(items[place]) == _group(items[place - 1]):
        place += 1
    return place


def fingerprint(question: Json) -> str:
    """Short content digest of a question, for telling that two are equal (48 bits)."""
    return digest(question)[:12]
