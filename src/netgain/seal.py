"""The one opening of the sealed set: after every served system is frozen, one block per start, one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from netgain.ending import Ended, each
from netgain.evaluation import Asking, asking_order, evaluate
from netgain.facts import MIXTURE, Facts, RunFacts, reduce
from netgain.ledger import Ledger
from netgain.ledger.events import Event, Stored
from netgain.ledger.merkle import Frontier
from netgain.recombine import Mixed
from netgain.run import Row, run_id
from netgain.seeding import sealed_secret, stream
from netgain.sightings import in_answers, recorded
from netgain.wire import unpack
from netgain.world import Log, World

Json = Any
EMPTY: Mapping[str, Mixed] = MappingProxyType({})


@dataclass(frozen=True)
class Served:
    """What an arm of a replica serves at its horizon."""

    run: str
    row: Row
    system: str
    role: str


def served(facts: Facts, replica: int, arm: str) -> tuple[str, str | None]:
    """Run and digest of the system that an arm serves: the released one; of a menu, the best on the report split.

    None when there is none: generation 0 failed.

    A menu of plain training never serves less than generation 0: when no entry beats it there, it serves generation 0.
    """
    runs = facts.runs_of(replica, arm)
    if len(runs) == 1 and not runs[0].variant:
        return run_id(replica, arm), runs[0].row["released"]
    best = max(runs, key=lambda run: _reported(facts, run, run.row["round"]))
    name = run_id(replica, f"{arm}.{best.variant}")
    start = facts.runs_of(replica, "frozen")
    at = best.row["round"]
    below = bool(start) and _reported(facts, best, at) < _reported(facts, start[0], at)
    return name, best.row["anchor" if below else "released"]


def _reported(facts: Facts, run: RunFacts, round: int) -> float:
    found = run.report.get((round, "released", facts.claim["metric"]))
    return -1.0 if found is None or found.score is None else found.score


def open_seal(
    log: Any, facts: Facts, look: int, replicas: Sequence[int], arms: Sequence[str], mixed: Mapping[str, Mixed] = EMPTY
) -> None:
    """Write down what every arm serves, and the mixtures of its parts; from here on the sealed items exist."""
    if any(seal["look"] == look for seal in facts.seals):
        return
    chosen = {replica: {arm: served(facts, replica, arm) for arm in arms} for replica in replicas}
    listed = {
        run_id(replica, arm): dict(facts.runs[chosen[replica][arm][0]].row["kept_at"])
        for replica in replicas
        for arm in arms
        if arm in (facts.claim["arm"], "ungated")  # the arms whose own rungs a verdict tests
    }
    size, root = _head(log)
    record = {
        "look": look,
        "replicas": list(replicas),
        "merkle_size": size,
        "merkle_root": root,
        "served": {
            run_id(replica, arm): system for replica in replicas for arm, (_, system) in chosen[replica].items()
        },
        "from": {run_id(replica, arm): run for replica in replicas for arm, (run, _) in chosen[replica].items()},
        "listed": listed,
        "mixtures": {run: one.systems for run, one in mixed.items() if one.systems},
        "not_separable": {run: one.refused for run, one in mixed.items() if one.refused},
    }
    spent = [Event("sealed_answered", run, {"round": facts.rounds, "spend": {"sealed": one.spend}})
             for run, one in mixed.items() if one.spend]  # fmt: skip
    log.append([Event("seal_opened", None, record), *spent])


def _head(log: Any) -> tuple[int, str]:
    """Size and head of the log up to the last event of a run: later ones, such as a new session, draw no new items."""
    leaves = [(event.run, bytes.fromhex(event.leaf)) for event in log.events()]
    size = 1 + max(place for place, (run, _) in enumerate(leaves) if run is not None)
    return size, Frontier(leaf for _, leaf in leaves[:size]).root().hex()


def score_sealed(world: World, facts: Facts, seal: dict[str, Json], hands: int) -> None:
    """Ask every served system the block of its replica; what is in the log already is not asked again."""
    done = _scored(world.log)
    groups = [group for replica in seal["replicas"] for group in _groups(world, facts, seal, replica, done)]
    each([(_score_group, world, facts, seal, group) for group in groups], hands, world.asked)


def _scored(log: Log) -> set[tuple[str, str]]:
    return {(str(event.run), event.data["role"]) for event in log.events("scores") if event.data["split"] == "sealed"}


def _groups(
    world: World, facts: Facts, seal: dict[str, Json], replica: int, done: set[tuple[str, str]]
) -> list[list[Served]]:
    """Systems that are asked in the same way: those with other numbers of tries per answer apart."""
    apart: dict[int, list[Served]] = defaultdict(list)
    for name, source in seal["from"].items():
        row = Row.from_json(facts.runs[source].row)
        if row.replica == replica and seal["served"][name] and (source, "served") not in done:
            apart[world.tries_of(row)].append(Served(source, row, seal["served"][name], "served"))
    for name, generations in seal["listed"].items():
        source = seal["from"][name]
        row = Row.from_json(facts.runs[source].row)
        if row.replica == replica and generations and (source, "listed") not in done:
            apart[1].append(Served(source, row, next(iter(generations.values())), "listed"))
    for source, systems in seal["mixtures"].items():
        row = Row.from_json(facts.runs[source].row)
        if row.replica == replica:
            roles = {f"{MIXTURE}{taken}": system for taken, system in systems.items()}
            apart[world.tries_of(row)] += [
                Served(source, row, system, role) for role, system in roles.items() if (source, role) not in done
            ]
    return [group for group in apart.values() if group]


def _score_group(world: World, facts: Facts, seal: dict[str, Json], group: Sequence[Served]) -> None:
    replica = group[0].row.replica
    claim_digest = str(facts.registration["claim_digest"])
    secret = sealed_secret(claim_digest, seal["merkle_root"], replica)
    axes = [axis for axis in world.suite.axes if axis.sealed_items]
    blocks = {axis.name: world.dealer.sealed(axis, replica, secret) for axis in axes}
    seed = f"{stream(world.root, replica, world.rounds, 'seal', 'answer'):032x}"
    drawn = asking_order([one.system for one in group], seed)
    for one in sorted(group, key=lambda one: drawn.index(one.system)):  # a system that two arms serve is asked once
        if world.asked():
            raise Ended
        seen = frozenset(unpack(world.store.get(one.row.seen))) if one.row.seen else frozenset()
        asking = Asking(replica, seed, world.tries_of(one.row), seen, world.canaries)
        sheets, spend, failures = evaluate(world.jobs, axes, blocks, {one.role: one.system}, asking)
        events = [Event("scores", one.run, sheet.record(world.rounds, world.contract)) for sheet in sheets]
        booked = {"round": world.rounds, "role": one.role, "spend": {"sealed": spend}}
        events.append(Event("sealed_answered", one.run, booked))
        events += recorded(one.row, world, "seal", in_answers(sheets))[1]
        data = {"round": world.rounds, "stage": "seal", "cause": "system"}
        failed = "not_separable" if one.role.startswith(MIXTURE) else "stage_failed"  # no failure of the run itself
        events += [Event(failed, one.run, {**data, "role": one.role, "message": text}) for text in failures]
        world.log.append(events)


def facts_of(log: Log) -> Facts:
    """The tables of a log."""
    return reduce(list(log.events()))


class Followed:
    """A log whose tables are asked for again and again: what was read once is not read again."""

    def __init__(self, log: Ledger) -> None:
        self._log = log
        self._read: list[Stored] = []

    def facts(self) -> Facts:
        """The tables of the log as it stands now."""
        self._read += self._log.events(after=len(self._read) - 1)
        return reduce(self._read)
