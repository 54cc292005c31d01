"""Where the gain came from, in numbers read from the arms that were run; what cannot be known says what is missing.

Means over starts with a t interval, because only means of shares sum. None of it decides a verdict, and only the two
Shapley tables divide a gain; everything else is a contrast, and contrasts overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netgain.evidence.attribution import complementarity, recombination
from netgain.evidence.ratios import Ratio, one_minus, ratio_of_means
from netgain.evidence.shapley import MOST_PLAYERS, shapley, subset_of
from netgain.report.figures import counted, middle
from netgain.report.identified import Array, Mean, Unknown, array, mean_of
from netgain.report.loop_signal import Claimed, Gaps, Human, claimed, human, verifier_gaps
from netgain.report.matched_cost import AtCosts, at_equal_cost
from netgain.report.reading import Reading
from netgain.report.search_curve import Search, search_curve

LOOP = "self"  # what the other arms are interventions on
CELLS = (LOOP, "stacked", "improver_only", "flat")  # Y11, Y10, Y01, Y00
WITHOUT, UNGUARDED = "without:", "unguarded:"
REFUSED = "refused: open are"  # in the message of a round that touched a closed surface all the same


@dataclass(frozen=True)
class Process:
    """Which changes were needed: Shapley shares of surfaces, from runs that were told which are closed.

    Attributes:
        shares: surface -> its share of ``total``, the gain of the loop over the loop with none of them open.
        refused: rounds of the told runs that touched a closed surface and were lost; above 0 the estimand is another.
    """

    shares: dict[str, Mean]
    total: Mean
    refused: int


@dataclass(frozen=True)
class Parts:
    """Where the gain ended up: the parts of what is served, from all mixtures with those of generation 0.

    Attributes:
        shares: part -> Shapley share of ``total``.
        alone: part -> its final version among first ones, less generation 0.
        missed: part -> what is served, less itself with the first version of the part.
        apart: why some starts are not among them, or "".
    """

    shares: dict[str, Mean]
    alone: dict[str, Mean]
    missed: dict[str, Mean]
    total: Mean
    apart: str


@dataclass(frozen=True)
class TwoByTwo:
    """Complementarity of parent and improver on two scales; ``depends``: the scales disagree in sign."""

    score: Mean
    logit: Mean
    depends: bool | None


@dataclass(frozen=True)
class Use:
    """One use of a guard or check: where the median start ends without it and with it, and the share of the gain."""

    arm: str
    without: float | None
    with_it: float | None
    lost: Mean
    share: Ratio


@dataclass(frozen=True)
class Attribution:
    """All of it, for one study; each is `Unknown`, or a ratio with a reason, where it is not identifiable."""

    total: Mean
    process: Process | Unknown
    necessity: dict[str, Mean]
    parts: Parts | Unknown
    two_by_two: TwoByTwo | Unknown
    oracle: Ratio | Unknown
    selection: Ratio | Unknown
    targeting: Ratio | Unknown
    uses: tuple[Use, ...]
    inflation: tuple[Claimed, ...]
    gap: Gaps | Unknown
    human: Human
    iso_compute: tuple[AtCosts, ...]
    search: Search | Unknown


def attribute(reading: Reading) -> Attribution:
    """Everything that can be read from this study."""
    return Attribution(
        total=mean_of(reading.differences("frozen")),
        process=_process(reading),
        necessity={arm: mean_of(reading.differences(arm, own=LOOP)) for arm in reading.arms if _closed(arm)},
        parts=_parts(reading),
        two_by_two=_two_by_two(reading),
        oracle=_fraction(reading, "oracle", "ordinary"),
        selection=_selection(reading),
        targeting=_targeting(reading),
        uses=tuple(_use(reading, arm) for arm in reading.arms if arm.startswith(UNGUARDED)),
        inflation=claimed(reading),
        gap=verifier_gaps(reading),
        human=human(reading),
        iso_compute=at_equal_cost(reading),
        search=search_curve(reading),
    )


def _absent(reading: Reading, names: Sequence[str]) -> Unknown | None:
    """The arms that are missing for something, by name, with the reason where the loop cannot have one."""
    untestable = reading.facts.study["untestable"]
    gone = [name for name in names if name not in reading.arms]
    if not gone:
        return None
    told = [f"`{name}`" + (f" (not testable: {untestable[name]})" if name in untestable else "") for name in gone]
    return Unknown(f"missing: {'the arm' if len(told) == 1 else 'the arms'} {', '.join(told)}")


# ---- which changes were needed


def _closed(arm: str) -> tuple[str, ...]:
    """Surfaces that an arm closes; () when it is another arm, or does something else besides."""
    pieces = arm.split("+")
    closing = all(piece.startswith(WITHOUT) for piece in pieces)
    return tuple(piece.removeprefix(WITHOUT) for piece in pieces) if closing else ()


def _process(reading: Reading) -> Process | Unknown:
    surfaces = list(reading.facts.study["surfaces"])
    arms = {frozenset(closed): arm for arm in reading.arms if (closed := _closed(arm))}
    players = [name for name in surfaces if any(name in closed for closed in arms)] or surfaces
    if not 2 <= len(players) <= MOST_PLAYERS:
        return Unknown(f"{len(players)} surfaces: shares need two to {MOST_PLAYERS}")
    arms |= {frozenset(): LOOP}
    if players == surfaces:  # a run in which nothing may change serves generation 0
        arms.setdefault(frozenset(surfaces), "frozen")
    wanted = [frozenset(players) - {*subset_of(mask, players)} for mask in range(1 << len(players))]
    missing = ["+".join(f"{WITHOUT}{name}" for name in players if name in one) for one in wanted if one not in arms]
    if (unknown := _absent(reading, sorted(missing, key=lambda name: name.count("+")))) is not None:
        return unknown
    scores = np.stack([array(reading.sealed(arms[closed])) for closed in wanted], axis=1)
    shares = shapley(scores)
    told = [arm for closed, arm in arms.items() if closed]
    refused = sum(REFUSED in one["message"] for arm in told for run in reading.all_runs(arm) for one in run.failures)
    return Process(
        {name: mean_of(shares[:, place]) for place, name in enumerate(players)},
        mean_of(shares.sum(axis=1)),  # over the very starts that have shares, so that the means sum as well
        refused,
    )


# ---- where the gain ended up


def _parts(reading: Reading) -> Parts | Unknown:
    names = list(reading.facts.study.get("separable", []))
    if not names:
        return Unknown("the loop does not say how its systems come apart: missing `Loop.separable`")
    scores = np.stack([_mixtures(reading, replica, names) for replica in reading.replicas])
    gone = np.isnan(scores).any(axis=1)
    why = next(iter(reading.facts.inseparable.values()), "a mixture left sealed items unanswered, or was not asked")
    apart = f"not separable in {counted(int(gone.sum()), 'start')}: {why}" if gone.any() else ""
    if gone.all():
        return Unknown(apart)
    found = recombination(scores)

    def by_part(values: Array) -> dict[str, Mean]:
        return {name: mean_of(values[:, place]) for place, name in enumerate(names)}

    return Parts(by_part(found.shares), by_part(found.alone), by_part(found.missed), mean_of(found.total), apart)


def _mixtures(reading: Reading, replica: int, names: Sequence[str]) -> Array:
    """(2**k,) sealed scores of the mixtures of a start; all equal where generation 0 is served."""
    served = [seal["served"].get(f"r{replica}/{reading.arm}") for seal in reading.facts.seals]
    if served and served[-1] == reading.facts.runs_of(replica, reading.arm)[0].row.get("anchor"):
        own = reading.facts.sealed_score(replica, reading.arm, reading.metric)
        return np.full(1 << len(names), np.nan if own is None or own.score is None else own.score)
    found = []
    for mask in range(1 << len(names)):
        final = subset_of(mask, names)
        taken = "".join("1" if name in final else "0" for name in names)
        one = reading.facts.mixed.get((replica, reading.metric, taken))
        found.append(None if one is None else one.score)
    return array(found)


# ---- two by two, ratios, uses


def _two_by_two(reading: Reading) -> TwoByTwo | Unknown:
    if (unknown := _absent(reading, CELLS)) is not None:
        return unknown
    tallies = [[reading.facts.sealed_score(one, arm, reading.metric) for arm in CELLS] for one in reading.replicas]
    scores = np.array([array([one.score if one else None for one in row]) for row in tallies])
    items = np.array([[one.n if one else 0 for one in row] for row in tallies], dtype=np.float64)
    found = complementarity(scores, items)
    return TwoByTwo(mean_of(found.score), mean_of(found.logit), found.depends_on_scale)


def _fraction(reading: Reading, arm: str, base: str) -> Ratio | Unknown:
    """Gain of the loop over a base, as a fraction of another arm's gain over the same base."""
    unknown = _absent(reading, [arm, base])
    return unknown or ratio_of_means(
        array(reading.differences(base, own=LOOP)), array(reading.differences(base, own=arm))
    )


def _selection(reading: Reading) -> Ratio | Unknown:
    """What random edits gain behind the same gate and guards, as a share of what the loop gains."""
    unknown = _absent(reading, ["random_proposer"])
    return unknown or ratio_of_means(
        array(reading.differences("frozen", own="random_proposer")), array(reading.differences("frozen", own=LOOP))
    )


def _targeting(reading: Reading) -> Ratio | Unknown:
    """Gain on the sibling axis over gain on the claimed one."""
    near = [name for name, one in reading.facts.axes.items() if one["kind"] == "sibling" and one["sealed_items"]]
    if not near:
        return Unknown("missing: a sibling axis with sealed items")
    return ratio_of_means(array(reading.differences("frozen", near[0])), array(reading.differences("frozen")))


def _use(reading: Reading, arm: str) -> Use:
    """What the loop is without one use: its end, what that loses, and 1 - gain without / gain."""
    left, gain = (array(reading.differences("frozen", own=name)) for name in (arm, LOOP))
    without, with_it = (middle(reading.sealed(name)) for name in (arm, LOOP))
    lost = mean_of(reading.differences(arm, own=LOOP))
    return Use(arm, without, with_it, lost, one_minus(ratio_of_means(left, gain)))
