"""Who decided, as a profile and never as one number: shares of decisions, of choices open, of gain; people's touches.

Shares by count, by entropy and by gain answer different questions and are printed beside one another
(`reference/statistics.md` 3, "Autonomy"). What was fixed before the first round (goal, suite, horizon) is no decision
of a run and is listed, not counted. Plain Python: a study has thousands of decisions, not millions.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial, log2
from typing import Any

SYSTEM, PERSON = "system", "person"
DECIDERS = ("system", "rule", "model", "person")
ALL = "all"


@dataclass(frozen=True)
class Decision:
    """One decision of a run.

    Attributes:
        run: whose lineage it is part of.
        round: from 1.
        locus: what was decided on: a surface of a proposal, "gate" or "stop".
        decided_by: one of `DECIDERS`; a gate that the developer fixed is "rule".
        options: how many alternatives were open, None when nobody wrote it down; 1 when it was fixed beforehand.
    """

    run: str
    round: int
    locus: str
    decided_by: str
    options: int | None = None


@dataclass(frozen=True)
class Share:
    """The system's share in [0, 1], None with a reason where it is not known; `counted` of `of` entered it."""

    value: float | None
    counted: int
    of: int
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; a null has its reason beside it."""
        told = {"value": self.value, "counted": self.counted, "of": self.of}
        return told if self.value is not None else {**told, "value_reason": self.reason}


@dataclass(frozen=True)
class Touches:
    """How often people decided.

    Attributes:
        count: decisions by people.
        promotions: moves of the released system, the denominator.
        rounds_between: Kaplan-Meier median of the rounds from the start, or a touch, to the next touch; None when half
            of the waits ended in no touch. What follows the last touch of a run is censored, not left out.
        waits, censored: waits in all, and of these how many ended with the run.
        longest: the longest wait, in rounds.
    """

    count: int
    promotions: int
    rounds_between: int | None
    waits: int
    censored: int
    longest: int

    @property
    def per_promotion(self) -> float | None:
        """Touches per promotion; None without a promotion."""
        return self.count / self.promotions if self.promotions else None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; a null has its reason beside it."""
        told: dict[str, Any] = {name: getattr(self, name) for name in ("count", "promotions", "per_promotion")}
        told |= {name: getattr(self, name) for name in ("rounds_between", "waits", "censored", "longest")}
        if self.per_promotion is None:
            told["per_promotion_reason"] = "nothing was promoted"
        if self.rounds_between is None:
            told["rounds_between_reason"] = f"not half of the waits ended in a touch; longest {self.longest} rounds"
        return told


@dataclass(frozen=True)
class Locus:
    """The decisions of one locus, or of all of them."""

    name: str
    counts: Mapping[str, int]
    count_share: Share
    entropy_share: Share
    touches: Touches

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        parts = {name: getattr(self, name).to_json() for name in ("count_share", "entropy_share", "touches")}
        return {"locus": self.name, "counts": dict(self.counts), **parts}


@dataclass(frozen=True)
class Profile:
    """The autonomy of an arm.

    Attributes:
        overall: all decisions together.
        loci: the same for each locus, in order of name.
        gain_share: share of the total gain by Shapley values of the surfaces that the system decided on.
        fixed: what people fixed before the first round: no decision of any run.
        requests: stops and pauses that people asked for; they are on no lineage and in no share.
    """

    overall: Locus
    loci: Sequence[Locus]
    gain_share: Share
    fixed: Sequence[str] = ()
    requests: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as commands print it."""
        return {
            **self.overall.to_json(), "gain_share": self.gain_share.to_json(), "fixed": list(self.fixed),
            "requests": self.requests, "loci": [one.to_json() for one in self.loci],
        }  # fmt: skip


def profile(
    decisions: Sequence[Decision], *, rounds: Mapping[str, int], promotions: int, gain: Share,
    fixed: Sequence[str] = (), requests: int = 0,
) -> Profile:  # fmt: skip
    """The profile of the decisions of one arm.

    Args:
        decisions: of all runs of the arm.
        rounds: run -> rounds that it went on for; also runs in which nobody decided anything.
        promotions: moves of the released system, over all runs.
        gain: what `gain_share` found.
        fixed: what people fixed before the first round.
        requests: stops and pauses that people asked for.

    Raises:
        ValueError: an unknown decider.
    """
    unknown = sorted({one.decided_by for one in decisions} - {*DECIDERS})
    if unknown:
        raise ValueError(f"decided by {unknown[0]!r}: expected one of {DECIDERS!r}")
    names = sorted({one.locus for one in decisions})
    loci = [_locus(name, [one for one in decisions if one.locus == name], rounds, promotions) for name in names]
    return Profile(_locus(ALL, decisions, rounds, promotions), loci, gain, tuple(fixed), requests)


def _locus(name: str, decisions: Sequence[Decision], rounds: Mapping[str, int], promotions: int) -> Locus:
    counts = Counter(one.decided_by for one in decisions)
    touched = touches(decisions, rounds=rounds, promotions=promotions)
    each = {who: counts[who] for who in DECIDERS}
    return Locus(name, each, count_share(decisions), entropy_share(decisions), touched)


def count_share(decisions: Sequence[Decision]) -> Share:
    """The system's decisions over all decisions."""
    own, of = sum(one.decided_by == SYSTEM for one in decisions), len(decisions)
    return Share(own / of, of, of) if of else Share(None, 0, 0, "no decision is recorded")


def entropy_share(decisions: Sequence[Decision]) -> Share:
    """The same with each decision weighed by log2 of the options that were open: choosing among one is no choice.

    Decisions that do not say how many options there were are left out and counted: an unknown number is not 1.
    """
    said = [(one.decided_by, log2(one.options)) for one in decisions if one.options is not None and one.options >= 1]
    whole = sum(weight for _, weight in said)
    if not whole:
        why = "no decision says that more than one option was open" if decisions else "no decision is recorded"
        return Share(None, len(said), len(decisions), why)
    return Share(sum(weight for who, weight in said if who == SYSTEM) / whole, len(said), len(decisions))


def touches(decisions: Sequence[Decision], *, rounds: Mapping[str, int], promotions: int) -> Touches:
    """People's touches: how many, per promotion, and how many rounds apart."""
    people = [one for one in decisions if one.decided_by == PERSON]
    found = [wait for run, last in rounds.items() for wait in _waits((o.round for o in people if o.run == run), last)]
    longest = max((length for length, _ in found), default=0)
    ended = sum(touch for _, touch in found)
    return Touches(len(people), promotions, kaplan_meier_median(found), len(found), len(found) - ended, longest)


def _waits(touched: Iterable[int], last: int) -> list[tuple[int, bool]]:
    """(rounds, ended by a touch) from the start to the first touch, from each to the next, and to the run's end."""
    marks = sorted(set(touched))
    waits = [(after - before, True) for before, after in zip([0, *marks], marks, strict=False)]
    rest = last - max(marks, default=0)
    return waits + ([(rest, False)] if rest > 0 else [])


def kaplan_meier_median(waits: Sequence[tuple[int, bool]]) -> int | None:
    """Smallest time at which the product-limit estimate of "no touch yet" is one half or less; None if it never is.

    Kaplan and Meier (1958), eq. 2b; at a tie touches come before censorings.

    Args:
        waits: (n,) length, and True when it ended in a touch, False when the run ended first.
    """
    survival = 1.0
    for time in sorted({length for length, ended in waits if ended}):
        at_risk = sum(length >= time for length, _ in waits)
        survival *= 1.0 - sum(length == time and ended for length, ended in waits) / at_risk
        if survival <= 0.5 + 1e-12:
            return time
    return None


def gain_share(
    scores: Mapping[frozenset[str], Sequence[float | None]], surfaces: Sequence[str], owners: Mapping[str, str | None]
) -> Share:
    """Shapley values of the surfaces that the system decided on, over the total gain; sums over starts on both sides.

    Args:
        scores: open surfaces -> (R,) sealed score of the run that was told so. All subsets of `surfaces` are needed.
        surfaces: the players.
        owners: surface -> who decided on it in every round, None where several did, or nobody.

    Returns:
        The share, with the number of starts that have a score in every subset; outside [0, 1] it is left as it is.
        None when a subset was not run, a surface has several deciders, or the total gain is not above 0.
    """
    subsets = [frozenset(one) for size in range(len(surfaces) + 1) for one in combinations(surfaces, size)]
    lacking = [subset for subset in subsets if subset not in scores]
    if not surfaces or lacking:
        told = ", ".join(closed_arm(surfaces, subset) for subset in lacking[:4])
        more = f" and {len(lacking) - 4} more" if len(lacking) > 4 else ""
        return Share(None, 0, 0, f"not identifiable from this study: add arm {told}{more}")
    mixed = [name for name in surfaces if owners.get(name) is None]
    if mixed:
        return Share(None, 0, 0, f"not identifiable: surface {mixed[0]} was not decided on by one decider throughout")
    columns = {subset: scores[subset] for subset in subsets}
    starts = [at for at in range(len(columns[subsets[0]])) if all(one[at] is not None for one in columns.values())]
    return _ratio(columns, surfaces, [name for name in surfaces if owners[name] == SYSTEM], starts)


def _ratio(
    columns: Mapping[frozenset[str], Sequence[float | None]], surfaces: Sequence[str], own: Sequence[str],
    starts: Sequence[int],
) -> Share:  # fmt: skip
    of = len(next(iter(columns.values())))
    values = [{subset: float(one[at] or 0.0) for subset, one in columns.items()} for at in starts]
    total = sum(one[frozenset(surfaces)] - one[frozenset()] for one in values)
    if total <= 0:
        return Share(None, len(starts), of, "the total gain is not above 0: there is nothing to share")
    return Share(sum(_shapley(one, surfaces, name) for one in values for name in own) / total, len(starts), of)


def _shapley(value: Mapping[frozenset[str], float], players: Sequence[str], player: str) -> float:
    """Shapley (1953), eq. 13, for one start."""
    n, found = len(players), 0.0
    for size in range(n):
        weight = factorial(size) * factorial(n - size - 1) / factorial(n)
        for others in combinations([one for one in players if one != player], size):
            found += weight * (value[frozenset(others) | {player}] - value[frozenset(others)])
    return found


def closed_arm(surfaces: Sequence[str], opened: Iterable[str]) -> str:
    """Name of the arm that is told that all surfaces but these are closed."""
    return "+".join(f"without:{name}" for name in surfaces if name not in set(opened)) or "self"
