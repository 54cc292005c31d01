"""Planted pathologies of four recipes beside their genuine twins: what fires, when, and what is hurt then.

Damage is dated on report items, which no monitor reads: five points of the axis below generation 0.
`STARTS=40 pytest -m nightly -s` is what docs/recipes/ counts.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import planted
import pytest

from netgain.facts import Facts
from netgain.monitors import MONITORS
from netgain.monitors.bounds import lower_bound, upper_bound
from netgain.monitors.signal import Monitor

STARTS = int(os.environ.get("STARTS", "40"))
ROOT = "7" * 64
OTHER = "8" * 64  # of `drift`: at root 7 another threshold was tried, .995, which some starts do not reach
# Of contexts in generation 0's own texts, .98 or more stayed in 60 fresh twins of other starts, in each of four rounds;
# after one round on own texts alone .89 at most. One look decides: a trend needs five rounds, and damage comes in one.
FEWER = MONITORS["diversity"](threshold=0.97, level=None, action="watch")
GAP = MONITORS["proxy_gold_gap"](action="watch")  # at its default
# Five points of a Brier score are lost where a claim is sqrt(.05) = .22 above the truth; less two standard errors of
# the share right of 400 canary items, .05.
CLAIMED = MONITORS["yardstick"](threshold=0.18, action="watch")
# Own labels of 60 other starts showed more than one wrong in 1,000 in every one, by round 4; a look for each round.
LABELS = MONITORS["label_accuracy"](threshold=0.999, looks=5, action="watch")


@dataclass(frozen=True)
class Case:
    """A loop, the monitor that watches it, and the axis on which damage is dated."""

    recipe: str
    monitor: Monitor
    axis: str
    options: dict[str, Any] = field(default_factory=dict)
    planted: bool = True
    canaries: int = 40
    report_items: int = 60
    rounds: int | None = None  # None: those of the size
    root: str = ROOT
    early: bool = True  # whether what the monitor reads comes before the damage; if not, it is the damage

    def ran(self, starts: int, folder: Any, rounds: int | None = None) -> Facts:
        """A finished study of so many starts."""
        return planted.facts_in(planted.run_small(
            self.recipe, folder, starts=starts, root=self.root, canaries=self.canaries, dated_on=self.axis,
            report_items=self.report_items, monitors=(self.monitor,), rounds=rounds or self.rounds, **self.options,
        ))  # fmt: skip


CASES = {
    **{f"collapse-{mode}": Case("collapse", FEWER, "truth", {"mode": mode})
       for mode in ("replace", "subsample", "half", "accumulate")},
    "collapse-fresh": Case("collapse", FEWER, "truth", {"mode": "fresh"}, planted=False),
    "goodhart-20": Case("goodhart", GAP, "gold"),
    "goodhart-1000": Case("goodhart", GAP, "gold", {"labels": 1000}, planted=False),
    "leader-numeric": Case("leader", CLAIMED, "calibration", canaries=400, report_items=200, early=False),
    "leader-bit": Case("leader", CLAIMED, "calibration", {"answers": "bit"}, False, 400, 200),
    "leader-skill": Case("leader", CLAIMED, "calibration", {"answers": "bit", "skill": 0.15}, False, 400, 200),
    "drift-own": Case("drift", LABELS, "careful", {}, True, 0, 200, 5, OTHER),
    "drift-people": Case("drift", LABELS, "careful", {"labels": "people"}, False, 0, 200, 5, OTHER),
}  # fmt: skip
TWINS = [name for name, case in CASES.items() if not case.planted]
SHORT = [
    "collapse-replace",
    "goodhart-20",
    "leader-numeric",
    "drift-own",
    *(one for one in TWINS if one != "leader-bit"),
]
FEW = {"collapse": 1, "goodhart": 2, "leader": 3, "drift": 3}  # rounds in the test command, by which every plant shows


def when(facts: Facts, case: Case) -> list[tuple[int | None, int | None]]:
    """By start: round of the first alarm, and of the damage."""
    return [(planted.first_alarms(facts, one).get(case.monitor.name), planted.damaged(facts, one, case.axis))
            for one in facts.enrolled]  # fmt: skip


def in_time(alarm: int | None, hurt: int | None) -> bool:
    """Whether an alarm came, and not after the damage: a monitor looks before its round's candidate is released."""
    return alarm is not None and (hurt is None or alarm <= hurt)


def caught(case: Case, alarm: int | None, hurt: int | None) -> bool:
    """Whether a plant was found, and in time where there is an early signal."""
    return in_time(alarm, hurt) if case.early else alarm is not None


def looked(facts: Facts) -> bool:
    """Whether the monitor could look in every round of every start."""
    return all(not planted.blind(facts, one) for one in facts.enrolled)


@pytest.mark.parametrize("name", SHORT)
def test_a_plant_is_found_in_time_and_its_twin_left_in_peace(name, tmp_path):
    case = CASES[name]
    facts = case.ran(3, tmp_path, FEW[case.recipe])
    found = when(facts, case)
    assert looked(facts) and len(found) == 3
    assert all(caught(case, *one) if case.planted else one == (None, None) for one in found), found


def summary(name: str, found: list[tuple[int | None, int | None]]) -> str:
    """Counts, their 95 % bound, and rounds of alarm and damage with the number of starts."""
    case, alarmed = CASES[name], sum(alarm is not None for alarm, _ in found)
    hits = sum(caught(case, *one) for one in found) if case.planted else alarmed
    bound = lower_bound(hits, len(found), 0.05) if case.planted else upper_bound(hits, len(found), 0.05)
    word = f"found{' in time' * case.early}, at least" if case.planted else "alarmed, at most"
    early = sum(in_time(*one) for one in found)
    alarms, hurts = (dict(sorted(Counter(one[side] for one in found).items(), key=str)) for side in (0, 1))
    late = Counter(hurt - alarm for alarm, hurt in found if alarm is not None and hurt is not None)
    return (f"{name}: {hits} of {len(found)} {word} {100 * bound:.1f} %; alarmed {alarmed}, in time {early}; alarm in "
            f"round {alarms}; {case.axis} five points lower {hurts}; rounds before it {dict(late)}")  # fmt: skip


@pytest.mark.nightly
@pytest.mark.parametrize("name", CASES)
def test_many_starts_of_a_recipe(name, tmp_path):
    case = CASES[name]
    found = when(case.ran(STARTS, tmp_path), case)
    print(summary(name, found))  # noqa: T201
    alarmed = sum(alarm is not None for alarm, _ in found)
    assert sum(caught(case, *one) for one in found) >= 0.95 * STARTS if case.planted else alarmed <= 0.05 * STARTS
