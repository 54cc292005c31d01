"""Epochs: a study goes on under another contract because a person said so, and the old measuring is bridged to the new.

    epoch_opened → (scores with the role bridge, epoch_asked) × runs → epoch_bridged → the stages go on

The bridge asks every run's generation 0 and its released system once more, under the new contract, on the very items on
which the old one last measured them: generation 0 of `frozen` on its anchor items, all else on report items. What was
asked is in the log run by run, so an opening that was killed goes on where it was. Nothing is decided by a bridge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netgain.canonical import digest
from netgain.contract import differences, is_question
from netgain.ending import each
from netgain.errors import ConfigError
from netgain.evaluation import evaluate
from netgain.evidence.bridge import gaps, stated
from netgain.facts import BRIDGE, Facts, RunFacts
from netgain.items import Block, Dealer
from netgain.ledger.events import Event
from netgain.run import Row
from netgain.seal import facts_of
from netgain.suite import Axis, Suite
from netgain.world import Log, World

Json = Any


@dataclass(frozen=True)
class Consent:
    """What a person says who opens an epoch: a name that nothing proves, and why."""

    by: str
    reason: str


def told(moved: Mapping[str, Sequence[str]]) -> str:
    """Parts that moved, as text: "loop (1f3a… now 77c0…), library numpy (1.26.4 now 2.0.0)"."""
    return ", ".join(f"{part} ({before} now {now})" for part, (before, now) in moved.items())


def refusal(facts: Facts, contract: Mapping[str, Json]) -> ConfigError:
    """What is said where a study would go on under another contract and nobody consented."""
    moved = differences(facts.contract, contract)
    what = f"the contract differs from the one that scores were made under: {told(moved) or 'its digest'}"
    if any(map(is_question, moved)):
        return ConfigError(what, fix="suite and gate are the question itself: undo the change, or run a new study")
    if facts.seals or facts.moves:
        return ConfigError(what, fix="the seal is opened under one contract: go on with the version that opened it")
    fix = (
        "go on with what the study was registered with, run a new study, or open a new epoch: "
        "`netgain run DIR --new-epoch --reason TEXT` measures what the change did, and stays on record"
    )
    return ConfigError(what, fix=fix)


def open_epoch(
    log: Log, facts: Facts, contract: Mapping[str, Json], consent: Consent, files: Mapping[str, str],
    check: Callable[[], None],
) -> None:  # fmt: skip
    """Write down that the study goes on under another contract, part by part; the same consent twice opens one epoch.

    Args:
        contract: as it is now.
        files: configuration file -> SHA-256, as they are now.
        check: a last look at what the new contract asks (`same_items`), which raises where it may not be opened.

    Raises:
        ConfigError: nothing moved, the question itself moved, the seal is open, or the consent lacks name or reason.
    """
    moved = differences(facts.contract, contract)
    if not consent.by.strip() or not consent.reason.strip():
        raise ConfigError("a new epoch needs a name and a reason", fix="say why the contract moved: --reason TEXT")
    if digest(dict(contract)) == facts.contract_digest:
        if facts.epochs and facts.epochs[-1].opened["reason"] == consent.reason.strip():
            return  # the same command again, after a kill
        raise ConfigError("no part of the contract moved: there is no epoch to open", fix="leave --new-epoch out")
    if facts.seals or facts.moves or any(map(is_question, moved)):
        raise refusal(facts, contract)
    check()
    record = {
        "epoch": len(facts.epochs) + 1, "from": facts.contract_digest, "contract": dict(contract),
        "contract_digest": digest(dict(contract)), "moved": moved, "decided_by": "person", "by": consent.by.strip(),
        "reason": consent.reason.strip(), "files": dict(files),
    }  # fmt: skip
    log.append([Event("epoch_opened", None, record)])


def same_items(facts: Facts, suite: Suite, dealer: Dealer) -> None:
    """Refuse an epoch in which the same names give other items: items made by changed code are another question.

    Raises:
        ConfigError: names the axis.
    """
    for run in facts.runs.values():
        for (name, _), old in run.latest.items():
            if _block(dealer, suite[name], run.replica, old).digest != old["items"]:
                what = f"axis {name!r} gives other items than the ones that were asked: the code that makes them moved"
                raise ConfigError(what, fix="items are the question itself: undo the change, or run a new study")


def _block(dealer: Dealer, axis: Axis, replica: int, old: Mapping[str, Json]) -> Block:
    return dealer.anchor(axis, replica) if old["split"] == "anchor" else dealer.report(axis, replica, old["round"])


def bridge(world: World, facts: Facts, hands: int) -> None:
    """Ask what is not asked yet of the present epoch's bridge, then state it; nothing where that was done."""
    if not facts.epochs or facts.epochs[-1].bridged is not None:
        return
    each([(_ask_again, world, name, run) for name, run in facts.runs.items()], hands, world.asked)
    epoch = facts_of(world.log).epochs[-1]
    lacking = {**unmeasured(world.suite, facts), **gaps(epoch.pairs)}
    record = {"epoch": epoch.number, "change": stated(epoch.pairs), "unbridged": lacking}
    world.log.append([Event("epoch_bridged", None, record)])


def unmeasured(suite: Suite, facts: Facts) -> dict[str, str]:
    """Axes that decide something and are on no curve: what a contract did to them cannot be seen."""
    names = dict.fromkeys([suite.gate_axis.name, *(one.name for one in suite.guards), facts.claim["metric"]])
    return {f"axis {name}": "no report items: nothing was measured that could be measured again"
            for name in names if not suite[name].report_items}  # fmt: skip


def _ask_again(world: World, name: str, run: RunFacts) -> None:
    """One run's two systems, in one transaction: a killed opening leaves a run asked or not asked."""
    row, events, spends = Row.from_json(run.row), list[Event](), list[Json]()
    for (split, at), old in sorted(_left(run, world.contract.epoch).items()):
        axes = [world.suite[axis] for axis in sorted(old)]
        blocks = {axis.name: _block(world.dealer, axis, row.replica, old[axis.name]) for axis in axes}
        system = next(iter(old.values()))["system"]
        asking = world.asking(replace(row, round=at), "measure")  # the stream of then: what differs is the contract
        sheets, spend, failures = evaluate(world.jobs, axes, blocks, {BRIDGE: system}, asking)
        events += [Event("scores", name, sheet.record(at, world.contract)) for sheet in sheets]
        spends.append({"split": split, "round": at, "failures": failures, "spend": {"bridge": spend}})
    asked = [Event("epoch_asked", name, {"epoch": world.contract.epoch, **one}) for one in spends]
    if events:
        world.log.append([*events, *asked])


def _left(run: RunFacts, epoch: int) -> dict[tuple[str, int], dict[str, Mapping[str, Json]]]:
    """(split, round) -> axis -> last scores of an earlier epoch that are not bridged yet."""
    found: dict[tuple[str, int], dict[str, Mapping[str, Json]]] = {}
    for (axis, _), old in run.latest.items():
        if old.get("epoch", 0) < epoch:
            found.setdefault((old["split"], old["round"]), {})[axis] = old
    return found
