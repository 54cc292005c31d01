"""`pack`: a heuristic for online bin packing that rewrites its own program, beside searches that spend the same.

The system is the text of a Python function, `priority(item, gap, room)`: the open bin with the largest gets the item.
Each round it breeds programs of a small typed grammar from those that it kept, tries them on lists that it draws itself
and keeps the best. A program is judged as what it is, code of a stranger: in a sandbox, outside of which its table is
used to pack and its packing is replayed and counted. Beside it stand best fit (`frozen`), random programs at the same
spend, a tuned table (`ordinary`), and as many programs kept at random (`placebo`). Numbers: docs/recipes/pack.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.pack.asking import AUTO, SANDBOX, NoTable, level_of, ranks_asked, ready, way_of
from netgain.recipes.pack.edits import drawn, moved_table, offspring, random_table
from netgain.recipes.pack.grammar import BEST_FIT, read, text_of
from netgain.recipes.pack.laws import LAWS, law_named, lists_of
from netgain.recipes.pack.packing import excess, opened, packed, replayed
from netgain.recipes.pack.search import (
    BREED,
    ELSEWHERE,
    Stages,
    bred,
    climbed,
    exam_costs,
    generation_costs,
    pool_of,
    tried,
)
from netgain.records import Change, Examples, Part, Started, View
from netgain.stages import Filter, Loop
from netgain.suite import Suite, axis

Json = Any
System = dict[str, Any]

# excess that scores 1, and that scores 0, by law and length; elsewhere the bound and 5 %
SPANS = {("uniform", 500): (0.02, 0.05), ("uniform", 1000): (0.01, 0.05)}
USUAL = (0.0, 0.05)
LENGTHS = {"uniform": 500, "weibull": 5000}  # items of a list that decides
GUARDS = {"uniform": "longer", "weibull": "shorter"}  # what the lists of the guard are
FEWER = {"uniform": (1, 1, 1), "weibull": (0.24, 0.1, 0.8)}  # shares of the lists of gate, report and sealed set
GUARDED = 1000  # items of them
WIDE_FIRST = {"uniform": False, "weibull": True}  # whether a run begins with a generation of random tables
LEAST = 18  # pairs of the guard; fewer cannot show that nothing was lost
LONG = 5000  # items of the lists that stand beside


@dataclass(frozen=True)
class Size:
    """How much of everything.

    Attributes:
        rounds, starts: of the study.
        generations: of a round.
        on: lists of 500 items that the stages of a trial add.
        gate, looks: pairs of lists of a look at the gate, and looks.
        report, sealed: lists.
        long: sealed lists of 5,000 items; 0: there is no such axis.
    """

    rounds: int
    starts: int
    generations: int
    on: tuple[int, int, int]
    gate: int
    looks: int
    report: int
    sealed: int
    long: int


SIZES = {
    "tiny": Size(2, 6, 2, (1, 4, 8), 60, 1, 4, 40, 0),
    "default": Size(6, 6, 4, (3, 10, 40), 150, 3, 40, 300, 20),
}
NOTES = {
    "law": "items of the lists: uniform (20 to 100 in bins of 150, 500 to a list) or weibull (bins of 100, 5,000)",
    "judge": "sandbox: programs run there; tree: none runs; auto: a sandbox where there is one of level S2",
}
STATE = {
    "parent": "the program, and those that it breeds from",
    "improver": "the rules of editing, which are the same for ever",
    "position": "none: a round knows nothing but its parent",
}
CONTROLS = ("frozen", "ordinary", "placebo", "unguarded:better.filter", "random_search")
FEW = ("frozen", "ordinary", "random_search")
SERVE, KEEP = "serve", "breed"  # what a tried program may pass for


@dataclass(frozen=True)
class Pack:
    """The loop of one setting.

    Attributes:
        law: of `LAWS`.
        judge: of `asking`: how programs are asked.
        size: of `SIZES`.
    """

    law: str = "uniform"
    judge: str = AUTO
    size: str = "default"

    def __post_init__(self) -> None:
        law_named(self.law)
        if self.size not in SIZES:
            raise ConfigError.unknown("size of recipe 'pack'", self.size, SIZES)

    @property
    def stages(self) -> Stages:
        """What a trial of programs packs: lists of the law that decides."""
        return Stages(SIZES[self.size].on, LAWS[self.law], LENGTHS[self.law])

    # ---- the loop

    def start(self, rng: Any) -> Started:
        """Generation 0 is best fit, in every start: the bin that it leaves fullest."""
        return Started({"program": text_of(BEST_FIT), KEEP: []}, {"tokens": 0, "flops": 0, "calls": 0})

    def propose(self, view: View) -> Change:
        """Breed programs, try them, serve the best and keep the next ones to breed from."""
        law, stages = LAWS[self.law], self.stages
        kept = [read(text) for text in (view.parent["program"], *view.parent[KEEP])]
        count = self._generations(view.budget)
        if not count:
            return _nothing(view.budget)
        wide = None if view.parent[KEEP] or not WIDE_FIRST[self.law] else lambda _: random_table(law, view.rng)
        found = bred(kept, lambda parents: offspring(parents, law, view.rng), stages, count, view.rng, wide=wide)
        view.budget.spend(tokens=found.placed, flops=0, calls=len(found.trees))
        places = np.arange(len(found.trees))
        seen = {"gain": round(found.gain, 6), "generations": count}
        passed = [*(places == found.best), *np.isin(places, found.breed)]
        return self._change([text_of(tree) for tree in found.trees], passed, "bred from what was kept", seen)

    def random_search(self, view: View) -> Change:
        """As many programs drawn at random, tried in the same way; the best is served, and none is bred from."""
        law, parent, stages = LAWS[self.law], read(view.parent["program"]), self.stages
        count = stages.pool_for(self._due(view.budget))
        if not count:
            return _nothing(view.budget)
        pool = pool_of([parent], lambda: drawn(parent, law, view.rng), count)
        found = tried(pool, stages, view.rng)
        view.budget.spend(tokens=found.placed, flops=0, calls=count)
        passed = [*(np.arange(count) == found.best), *([False] * count)]
        seen = {"excess": round(float(found.means[found.best]), 6), "before": round(float(found.means[0]), 6)}
        return self._change([text_of(tree) for tree in pool], passed, "random tables and random edits", seen)

    def ordinary(self, view: View) -> Change:
        """Plain tuning: a table over the gap, a few of its segments moved at a time."""
        law, stages, placed = LAWS[self.law], self.stages, self._due(view.budget)
        tree = read(view.parent["program"])
        made = climbed(tree, lambda one: moved_table(one, law, view.rng), stages, view.rng, placed=placed)
        view.budget.spend(tokens=made.placed, flops=0, calls=made.placed / (stages.lists_in(1) * stages.length))
        seen = {"taken": made.taken, "steps": made.steps}
        change = self._change([text_of(made.tree)], [True, False], "plain tuning of a table", seen)
        return replace(change, parts=[replace(one, decided_by="rule") for one in change.parts])

    def _generations(self, budget: Budget) -> int:
        """Generations of a round; a control that has so much to spend makes as many as that pays for."""
        if budget.tokens is not None:
            left = budget.tokens - exam_costs(self.stages)
            return max(0, round(left / generation_costs(self.stages)))
        return round(SIZES[self.size].generations * max(1.0, budget.scale))

    def _due(self, budget: Budget) -> float:
        """Items that a round packs."""
        if budget.tokens is not None:
            return budget.tokens
        return self._generations(budget) * generation_costs(self.stages) + exam_costs(self.stages)

    def _change(self, texts: list[str], passed: Sequence[Any], reason: str, seen: Mapping[str, Json]) -> Change:
        uses = [[use, at] for use in (SERVE, KEEP) for at in range(len(texts))]
        evidence = {**seen, "judged": level_of(self.judge)}
        part = Part("policy", Examples(uses, texts * 2), reason=reason, options=len(texts), evidence=evidence)
        return Change([part], None, {"better": [bool(one) for one in passed]})

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """The last program that passed for being served, and those for breeding; of too many, some at random."""
        budget.spend(tokens=0, flops=0, calls=0)
        kept = change.examples
        if kept is None:
            return dict(parent)
        passed = list(zip((use for use, _ in kept.inputs), kept.labels, strict=True))
        served = [text for use, text in passed if use == SERVE] or [parent["program"]]
        bred = [text for use, text in passed if use == KEEP]
        if len(bred) > BREED:
            bred = [bred[at] for at in sorted(rng.choice(len(bred), BREED, replace=False))]
        return {"program": served[-1], KEEP: bred}

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """A packing of each list, as the rooms that its items go into. A program that gives no table packs nothing."""
        placed = sum(one["length"] for one in inputs)
        budget.spend(tokens=placed, flops=0, calls=len(inputs))
        found: list[Json] = [None] * len(inputs)
        for kind in dict.fromkeys((one["law"], one["length"]) for one in inputs):
            places = [at for at, one in enumerate(inputs) if (one["law"], one["length"]) == kind]
            lists = lists_of(LAWS[kind[0]], [inputs[at]["seed"] for at in places], kind[1])
            for at, rooms in zip(places, self._rooms(system["program"], kind[0], lists), strict=True):
                found[at] = rooms
        return found

    def _rooms(self, program: str, law: str, lists: Any) -> list[Json]:
        try:
            ranks = ranks_asked(program, law, self.judge)
        except NoTable as fault:
            return [{"fault": str(fault)}] * len(lists)
        rooms: list[Json] = packed(ranks[None], lists, LAWS[law].least)[0].tolist()
        return rooms

    def own_score(self, judge: System, system: System, budget: Budget, rng: Any) -> float:
        """Mean score on lists as a round draws them; who judges makes no difference."""
        lists, law = self.stages.drawn(1, rng), LAWS[self.law]
        budget.spend(tokens=lists.size, calls=len(lists))
        bins = opened(
            packed(ranks_asked(system["program"], self.law, self.judge)[None], lists, law.least), law.capacity
        )
        return float(np.mean([scored(one, self.law, lists.shape[1]) for one in excess(bins[0], lists, law.capacity)]))

    def suite(self) -> Suite:
        """Lists of the law decide; those of another length guard; long ones of both laws stand beside."""
        size, main = SIZES[self.size], (self.law, LENGTHS[self.law])
        given = zip((size.gate, size.report, size.sealed), FEWER[self.law], strict=True)
        counts = [max(2, round(count * share)) for count, share in given]
        few = [max(LEAST, counts[0] // 8), max(2, counts[1] // 8), max(2, counts[2] // 8)]
        beside = [(law, LONG) for law in LAWS if size.long and (law, LONG) != main]
        axes = [
            _lists("lists", *main, *counts),
            _lists(GUARDS[self.law], self.law, GUARDED, *few, kind="robustness", guard=True),
            *(_lists(f"long_{law}", law, length, 0, 0, size.long, kind="sibling") for law, length in beside),
        ]
        return Suite(axes, block=counts[0], max_pairs=counts[0] * size.looks, design_gain=0.05)

    def loop(self) -> Loop:
        """The loop with the controls that it supports."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary={"table": self.ordinary},
            random_search=self.random_search, own_score=self.own_score, filters=(Filter("better", ("filter",)),),
            state=STATE, surfaces=("policy",), gate="advance", sees_accepted=False,
            not_testable={"sampled": "a list is packed once, item by item, and a packing cannot be taken back"},
            sandbox=2 if self.judge == SANDBOX else None, ready=ready if self.judge == SANDBOX else None,
            apart=self.judge != SANDBOX,
        )  # fmt: skip


def _nothing(budget: Budget) -> Change:
    """A round without budget."""
    budget.spend(tokens=0, flops=0, calls=0)
    return Change([Part("policy", None, reason="nothing is left to spend")])


def _lists(name: str, law: str, length: int, gate: int, report: int, sealed: int, **more: Any) -> Any:
    """An axis of lists of one law and length."""
    counts = {"gate_items": gate, "report_items": report, "sealed_items": sealed}
    return axis(name, QUESTIONS[law, length], spared, moment=0.02, **counts, **more)


def scored(share: float, law: str, length: int) -> float:
    """The score of an excess: 1 and 0 at the ends of the span of this law and length, and beyond them."""
    good, bad = SPANS.get((law, length), USUAL)
    return min(1.0, max(0.0, (bad - share) / (bad - good)))


def spared(output: Json, target: Json) -> float:
    """The score of a packing, replayed here item by item; what is no packing scores nothing."""
    law = LAWS[target["law"]]
    items = law.drawn(target["seed"], target["length"])
    bins = replayed(items.tolist(), output, law.capacity)
    return 0.0 if bins is None else scored(float(excess(bins, items, law.capacity)), law.name, len(items))


def _question(law: str, length: int, seed: int, index: int) -> tuple[Json, Json]:
    drawn_seed = int(np.random.default_rng([seed, index]).integers(ELSEWHERE, 2 * ELSEWHERE))
    asked = {"law": law, "length": length, "seed": drawn_seed}
    return asked, asked


def uniform_500(seed: int, index: int) -> tuple[Json, Json]:
    """A list of the law of OR3."""
    return _question("uniform", 500, seed, index)


def uniform_1000(seed: int, index: int) -> tuple[Json, Json]:
    """A list twice as long."""
    return _question("uniform", 1000, seed, index)


def uniform_5000(seed: int, index: int) -> tuple[Json, Json]:
    """A list ten times as long."""
    return _question("uniform", 5000, seed, index)


def weibull_1000(seed: int, index: int) -> tuple[Json, Json]:
    """A shorter list of the other law."""
    return _question("weibull", 1000, seed, index)


def weibull_5000(seed: int, index: int) -> tuple[Json, Json]:
    """A list as in the row `Weibull 5k`."""
    return _question("weibull", 5000, seed, index)


QUESTIONS = {
    ("uniform", 500): uniform_500, ("uniform", 1000): uniform_1000, ("uniform", 5000): uniform_5000,
    ("weibull", 1000): weibull_1000, ("weibull", 5000): weibull_5000,
}  # fmt: skip


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device.
        SandboxError: a sandbox was asked for by name, and this machine has none.
    """
    made = with_options(Pack, "pack", given, device)
    made = replace(made, judge=way_of(made.judge))
    size, tiny = SIZES[made.size], made.size == "tiny"
    beats = ("frozen",) if tiny else ("frozen", "random_search")
    claim = Claim("lists", by=0.01, beats=beats, rung="R1", expected=0.2 if tiny else 0.08, starts="this generation 0")
    arms = ("self", *(FEW if tiny else CONTROLS))
    return Built(
        made.loop(), made.suite(), claim, arms, size.rounds, size.starts, options=options_of(made), notes=NOTES
    )
