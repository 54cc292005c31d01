"""Simulated studies from their starts to their words, by the road that a real study takes.

events -> `facts.reduce` -> `case.case_of` -> `evidence.verdict.decide_verdict`, look after look as `run --extend` goes
on, and `verify`'s own checks of contract and blinding, which decide on INVALID.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from netgain import verify
from netgain.case import case_of
from netgain.evidence.verdict import Verdict, decide_verdict
from netgain.facts import Facts, reduce
from netgain.gauntlet.answers import difficulties, luck, right
from netgain.gauntlet.exploits import refusal
from netgain.gauntlet.improvers import moved
from netgain.gauntlet.lineage import (
    AXIS,
    SKILL,
    Bools,
    Ran,
    Starts,
    draw_starts,
    generation_0,
    run_arms,
    suite,
)  # fmt: skip
from netgain.gauntlet.record import Cohort, look_events, opened, stored
from netgain.gauntlet.sealed import ask
from netgain.gauntlet.world import RECURSIVE, World
from netgain.ledger.events import Event, Stored

BEST = ("SUPPORTED", "SUPPORTED WITH LIMITS", "INCONCLUSIVE", "REFUTED", "INVALID")  # what somebody would publish first
NOT_BEGUN = "NOT BEGUN"  # no word: `plan` refused the scorer, and nothing was registered


@dataclass(frozen=True)
class Outcome:
    """What became of one published study: word, highest rung that passed, limits, starts, items asked."""

    word: str
    rung: str | None
    level: int
    limits: tuple[str, ...]
    starts: int
    evaluations: int


@dataclass
class _Study:
    """One study on its way: its log so far, and the last verdict on it."""

    name: str
    log: list[Event] = field(default_factory=list)
    verdict: Verdict | None = None
    starts: int = 0
    evaluations: int = 0

    @property
    def going(self) -> bool:
        return self.verdict is None or self.verdict.word == "INCONCLUSIVE"


def run_studies(world: World, studies: int, seed: Sequence[int]) -> list[Outcome]:
    """Run studies of one world.

    Args:
        studies: how many are published; each is the best of `conduct.shop`.
        seed: names the randomness; equal seeds give equal outcomes.
    """
    if refusal(suite(world.gain.guards)[AXIS], world.faults):
        return [Outcome(NOT_BEGUN, None, 0, (), 0, 0)] * studies
    each = [_Study(f"{'-'.join(map(str, seed))}/{n}") for n in range(studies * world.conduct.shop)]
    for one in each:
        one.log = opened(world, one.name)
    for before, size in zip((0, *world.asked.taken), world.asked.taken, strict=False):
        going = [one for one in each if one.going]
        if going:
            _look(world, going, before, size, np.random.SeedSequence([*seed, size]))
    ended = [_outcome(one) for one in each]
    return [_published(ended[n : n + world.conduct.shop]) for n in range(0, len(ended), world.conduct.shop)]


def _look(world: World, going: Sequence[_Study], before: int, size: int, seed: np.random.SeedSequence) -> None:
    """Enrol the starts of the next look in all studies that go on, and decide each again."""
    more = size - before
    drawn, arms, blocks, kept, shifted = seed.spawn(5)
    starts = draw_starts(world, np.random.default_rng(drawn), len(going) * more, more)
    ran = run_arms(world, starts, arms)
    asked = ask(world, starts, ran, np.random.default_rng(blocks))
    recursive = world.asked.rung in RECURSIVE
    moves = moved(world, starts, ran, more, np.random.default_rng(shifted)) if recursive else None
    cohort = Cohort(ran, asked, _dropped(world, starts, ran, np.random.default_rng(kept)).tolist(), moves)
    spent = evaluations(world, ran)
    for n, one in enumerate(going):
        rows = range(n * more, (n + 1) * more)
        contract = str(one.log[1].data["contract_digest"])
        one.log += look_events(world, cohort, rows, before, one.name, contract)
        one.starts, one.evaluations = size, one.evaluations + int(spent[list(rows)].sum())
        one.verdict = verdict_of(one.log)


def verdict_of(log: Sequence[Event]) -> Verdict:
    """The word on a log, as a study's end and `verify` reach it."""
    entries = stored(log)
    facts = reduce(entries)
    return decide_verdict(case_of(facts, broken=_broken(entries, facts)))


def _broken(entries: Sequence[Stored], facts: Facts) -> list[str]:
    """What `verify` finds wrong with contract and blinding. Its other checks need files, hashes and items."""
    record = SimpleNamespace(
        record=facts.registration, rows={run: one.row for run, one in facts.runs.items()},
        of=lambda kind, **more: [one for one in entries if one.kind == kind],
    )  # fmt: skip
    found = []
    for check in (verify.contract, verify.blinding):
        try:
            check(cast(Any, record))
        except Exception as error:  # noqa: BLE001 - broad: whatever a check says against a study
            found.append(str(error))
    return found


def _dropped(world: World, starts: Starts, ran: Mapping[str, Ran], rng: np.random.Generator) -> Bools:
    """Starts that somebody let die because they looked bad on the report split."""
    below = world.conduct.dropped
    if below is None:
        return np.zeros(starts.size, dtype=bool)
    items = suite(world.gain.guards)[AXIS].report_items
    hard = difficulties(rng, starts.size, items)
    own, first = ran["self"].served[:, SKILL], generation_0(world, starts)[:, SKILL]
    scores = [right(one, hard, luck(rng, starts.size, items)).mean(axis=1) for one in (own, first)]
    return np.asarray(scores[0] - scores[1] < below)


def evaluations(world: World, ran: Mapping[str, Ran]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(starts,) items asked: three systems in every block of the gate, one sealed block per arm."""
    axes = suite(world.gain.guards)
    block = 3 * (axes.gate_axis.gate_items + sum(one.gate_items for one in axes.guards))
    sealed = sum(one.sealed_items for one in axes.axes) * len(ran) + axes[AXIS].sealed_items
    looks = sum(own.looks.sum(axis=0) for own in ran.values())
    return np.asarray(block * looks + sealed, dtype=np.int64)


def _outcome(one: _Study) -> Outcome:
    found = one.verdict
    assert found is not None
    return Outcome(found.word, found.rung, found.level, found.limits, one.starts, one.evaluations)


def _published(tried: Sequence[Outcome]) -> Outcome:
    """The study that a claimant with several shows: the best word. All of them were paid for."""
    best = min(tried, key=lambda one: BEST.index(one.word))
    return Outcome(best.word, best.rung, best.level, best.limits, best.starts, sum(one.evaluations for one in tried))


def words(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Word -> how often, all five words, and `NOT_BEGUN` where a study was refused."""
    found = Counter(one.word for one in outcomes)
    return {word: found.get(word, 0) for word in BEST} | ({NOT_BEGUN: found[NOT_BEGUN]} if found[NOT_BEGUN] else {})


def rungs(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Highest rung -> how often; "none" where not even R0 passed."""
    return dict(sorted(Counter(one.rung or "none" for one in outcomes).items()))
