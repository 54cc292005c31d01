"""Gain over a control at the loop's own cost: every round's end is a budget at which the control was measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from netgain.arms import samples
from netgain.budget import COUNTED
from netgain.evidence.isocompute import score_at
from netgain.evidence.student import MeanInterval
from netgain.facts import RunFacts
from netgain.report.identified import Unknown, mean_of
from netgain.report.reading import Reading

UNITS = (*COUNTED, "device_seconds")


@dataclass(frozen=True)
class AtCosts:
    """Report score of the claimed arm at its end, less that of a control at the same spend on building.

    Attributes:
        unit: what the spend is counted in, "" when no unit is booked by both.
        gain: (R,) by start; None where the loop's cost is not between two budgets of the control.
        over: mean over starts.
        reason: why there is none, or none in some starts; "".
    """

    control: str
    unit: str
    gain: tuple[float | None, ...]
    over: MeanInterval | Unknown
    reason: str


def at_equal_cost(reading: Reading) -> tuple[AtCosts, ...]:
    """One for each control that spends on building and was asked for by the claim, or plain training."""
    wanted = [arm for arm in dict.fromkeys(["ordinary", *reading.controls]) if arm != reading.arm]
    return tuple(_control(reading, arm) for arm in wanted if arm in reading.arms and _spends(reading, arm))


def _spends(reading: Reading, arm: str) -> bool:
    return any(run.row.get("build") for run in reading.runs(arm)) and arm != "frozen" and not samples(arm)


def _control(reading: Reading, arm: str) -> AtCosts:
    own, theirs = {run.replica: run for run in reading.runs(reading.arm)}, defaultdict[int, list[RunFacts]](list)
    for run in reading.runs(arm):  # of a menu every entry
        theirs[run.replica].append(run)
    compared = [run for one in reading.replicas if one in own and one in theirs for run in (own[one], *theirs[one])]
    unit = next((unit for unit in UNITS if compared and all(_costs(run, unit) for run in compared)), "")
    if not unit:
        none = (None,) * len(reading.replicas)
        why = "missing: a unit of building spend that both book in every round"
        return AtCosts(arm, "", none, Unknown(why), why)
    found = [
        _least(reading, own[one], theirs[one], unit) if one in own and one in theirs else (None, "a run is missing")
        for one in reading.replicas
    ]
    gains = tuple(gain for gain, _ in found)
    over, reason = mean_of(gains).over, next((why for _, why in found if why), "")
    return AtCosts(arm, unit, gains, over if over.starts else Unknown(reason), reason)


def _least(reading: Reading, own: RunFacts, menu: Sequence[RunFacts], unit: str) -> tuple[float | None, str]:
    """Gain over the best entry of a menu at this cost, of those that were measured around it; else why none was."""
    found = [_gain(reading, own, control, unit) for control in menu]
    known = [gain for gain, _ in found if gain is not None]
    return (min(known), "") if known else found[0]


def _gain(reading: Reading, own: RunFacts, control: RunFacts, unit: str) -> tuple[float | None, str]:
    """Gain of one start at its own cost, or None and why."""
    costs, curve = _costs(control, unit), reading.curve(control)
    points = {costs[at]: score for at, score in curve.items() if at in costs}
    end = _end(reading, own, unit)
    if end is None:
        return None, "the loop has no report score at its end"
    found = score_at(list(points), list(points.values()), end[0])
    return (None if found.score is None else end[1] - found.score), found.reason


def _costs(run: RunFacts, unit: str) -> dict[int, float]:
    """Round -> all that was spent on building up to its end; {} when a round did not book it, or nothing was spent."""
    amounts = {at: spend.get("build", {}).get(unit, 0.0 if at == 0 else None)
               for at, spend in sorted(run.spend_by_round.items())}  # fmt: skip
    known = [amount for amount in amounts.values() if amount is not None]
    if len(known) < len(amounts) or not sum(known):
        return {}
    return dict(zip(amounts, accumulate(known), strict=True))


def _end(reading: Reading, run: RunFacts, unit: str) -> tuple[float, float] | None:
    """Cost and report score of the claimed arm at its end."""
    curve, costs = reading.curve(run), _costs(run, unit)
    last = max((at for at in curve if at in costs), default=None)
    return None if last is None else (costs[last], curve[last])
