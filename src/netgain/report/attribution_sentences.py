"""The sentences about where a gain came from, each from its numbers; beside `sentences`, which had grown too long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netgain.evidence.ratios import Ratio, Region
from netgain.evidence.student import CONFIDENCE, MeanInterval
from netgain.report.attribution import LOOP, Attribution, Parts, Process, TwoByTwo, Use
from netgain.report.figures import UNITS, counted, interval, joined, middle, named, percent, points, signed, upper
from netgain.report.identified import Mean, Unknown, no_spread
from netgain.report.loop_signal import Claimed, Gaps, Human
from netgain.report.matched_cost import AtCosts
from netgain.report.search_curve import Search, sentence
from netgain.report.sentences import without

NAMES = {
    "process": "which changes were needed (Shapley over surfaces)",
    "parts": "where the gain ended up (mixtures of parts)",
    "two_by_two": "complementarity of parent and improver",
    "oracle": "fraction of the oracle arm's gain",
    "selection": "what selection alone makes",
    "targeting": "gain on the sibling axis for gain on the claimed one",
    "uses": "what each use of a check or guard holds up",
    "gap": "what the loop's own check knows",
    "human": "what people had in it",
    "iso_compute": "gain at equal cost",
    "search": "gain over plain search",
}


def opening(found: Attribution) -> str:
    """The total, and how all intervals here are to be read."""
    return (
        f"Gain over generation 0: {told(found.total)}. Means over starts, because shares of medians do not sum; every "
        f"interval is for one number by itself ({percent(CONFIDENCE)}, Student's t over starts, Fieller's set for "
        "ratios), and starts that fail rarely may not be among these. Nothing here decides the verdict."
    )


def told(value: Mean | MeanInterval) -> str:
    """A mean with its interval, or why it has none."""
    found = value.over if isinstance(value, Mean) else value
    if found.mean is None:
        return "no start has it"
    if found.low is None or found.high is None:
        return f"{signed(found.mean)} (no interval: {no_spread(found)})"
    return f"{signed(found.mean)} ({interval(found.low, found.high)}, {counted(found.starts, 'start')})"


def region(found: Region) -> str:
    """A set of ratios in words, whatever its shape."""
    if found.shape == "line":
        return "any value"
    low, high = points(found.low), points(found.high)
    if found.shape == "complement":
        return f"below {low} or above {high}"
    if found.shape == "ray":
        return f"from {low} upward" if found.low is not None else f"up to {high}"
    return f"{low} to {high}"


def process(found: Process) -> list[str]:
    """Shares of surfaces, with the estimand that the runs stand for."""
    if found.refused:
        rounds = f"{counted(found.refused, 'round')} of theirs touched it all the same and brought nothing"
        estimand = f"with wasted rounds: the runs were told which surface is closed, but {rounds}"
    else:
        estimand = "told: each run knew which surfaces were closed and spent its whole budget on the others"
    return [
        f"Which changes were needed ({estimand}): {_shares(found.shares)}. "
        f"They sum to {signed(found.total.over.mean)}, the gain of {named(LOOP)} over the loop with none of them open."
    ]


def parts(found: Parts) -> list[str]:
    """Shares of parts, and the two named contrasts of each."""
    said = [
        f"Where the gain ended up, from all mixtures of first and final parts on the sealed items: "
        f"{_shares(found.shares)}. They sum to {signed(found.total.over.mean)}, the gain of what is served."
    ]
    for name in found.shares:
        said.append(
            f"Final {named(name)} in the first system gains {told(found.alone[name])}; "
            f"the final system with the first {named(name)} loses {told(found.missed[name])}."
        )
    return [*said, *([f"{upper(found.apart)}."] if found.apart else [])]


def _shares(shares: Mapping[str, Mean]) -> str:
    return "; ".join(f"{named(name)} {told(one)}" for name, one in shares.items())


def two_by_two(found: TwoByTwo) -> list[str]:
    """Complementarity on both scales; it decides nothing."""
    signs = {True: "The signs differ: it depends on the scale", False: "Both scales have one sign"}
    sign = "No sign is known" if found.depends is None else signs[found.depends]
    return [
        f"Complementarity of parent and improver ({named('self')} − {named('stacked')} − {named('improver_only')} + "
        f"{named('flat')}): {told(found.score)} on the score, {told(found.logit)} in log odds. "
        f"{sign}; it decides nothing."
    ]


def ratios(found: Attribution) -> list[str]:
    """The three ratios that are reported."""
    said = []
    if isinstance(found.oracle, Ratio) and found.oracle.estimate is not None:
        said.append(
            f"{named(LOOP)} makes {ratio(found.oracle)} of the oracle arm's gain over {named('ordinary')}; the oracle "
            "arm is no upper bound."
        )
    if isinstance(found.selection, Ratio) and found.selection.estimate is not None:
        said.append(f"Random edits behind the same gate and guards make {ratio(found.selection)} of the loop's gain.")
    if isinstance(found.targeting, Ratio) and found.targeting.estimate is not None:
        said.append(f"For each point on the claimed axis the sibling axis gained {ratio(found.targeting)}.")
    return said


def ratio(found: Ratio) -> str:
    ends = found.reason if found.region is None else f"set {region(found.region)}"
    return f"{points(found.estimate)} ({ends}, {counted(found.starts, 'start')})"


def use(found: Use) -> str:
    """Where the loop ends without one use."""
    ends = f"{upper(without(found.arm))} the median start ends at {points(found.without)}"
    share = f"; share of the gain {ratio(found.share)}" if found.share.estimate is not None else ""
    return f"{ends}, with it at {points(found.with_it)}: a loss of {told(found.lost)}{share}."


def inflation(found: Claimed) -> str:
    """What would have been claimed, and what is true."""
    claimed, true = middle(found.seen), middle(found.sealed)
    over = "" if isinstance(found.over, Unknown) else told(found.over)
    return (
        f"On {named(found.axis)}, by what the report split showed, claimed would have been {signed(claimed)} (median); "
        "sealed it is "
        f"{signed(true)}: inflation {over}."
    )


def gap(found: Gaps) -> list[str]:
    """What the check knows, first and last round, and what it hangs on."""
    first, last = found.rounds[0], found.rounds[-1]
    clusters = {False: "each question of a round is answered once", True: "questions are answered more than once"}
    repeated = clusters.get(found.repeated, "") if isinstance(found.repeated, bool) else found.repeated.reason
    head_room = " and ".join(_share(one) for one in (found.relative[0], found.relative[-1]))
    return [
        f"Among its own answers, those that passed its check are right more often than all of them by "
        f"{told(found.gap[0])} in round {first} and {told(found.gap[-1])} in round {last}, over all rounds "
        f"{told(found.overall)}; of the head-room that is {head_room}. "
        f"A start is the cluster ({repeated}). {area(found.auroc)}"
    ]


def area(found: MeanInterval | Unknown) -> str:
    """The AUROC of a check that says yes or no. Answers of one question are not told apart on record."""
    if isinstance(found, Unknown) or found.mean is None:
        return f"No area under the curve: {found.reason if isinstance(found, Unknown) else 'no start has one'}."
    ends = "no interval" if found.low is None else f"[{found.low:.3f}, {found.high:.3f}]"
    return (
        f"The area under the curve of its check (AUROC; of a yes or no: half of the share of right answers passed and "
        f"of that of wrong ones dropped) is {found.mean:.3f} ({ends}, {counted(found.starts, 'start')}), over the "
        "answers of a round and not within items."
    )


def _share(found: MeanInterval) -> str:
    return "not defined" if found.mean is None else percent(found.mean)


def human(found: Human) -> list[str]:
    """The human share, or what is known without the arm that would show it."""
    if not isinstance(found.share, Unknown):
        return [f"With people's decisions replaced by the default the loop loses {told(found.share)}."]
    if not found.decisions:
        return [f"None of {found.of} recorded decisions was made by a person."]
    before = found.before if isinstance(found.before, MeanInterval) else MeanInterval(None, None, None, 0)
    return [
        f"Human share not identifiable ({found.share.reason}); {counted(found.decisions, 'human decision')}, first at "
        f"generation {found.first}; gain before it {told(before)}."
    ]


def iso_compute(found: AtCosts) -> str:
    """Gain at the loop's own cost, on report items."""
    assert isinstance(found.over, MeanInterval)
    others = f" In the other starts: {found.reason}." if found.over.starts < len(found.gain) else ""
    return (
        f"At the loop's own spend on building ({UNITS[found.unit]}) {named(found.control)} is passed by "
        f"{told(found.over)}: report scores at the end of every round, straight lines between them, nothing beyond."
        f"{others}"
    )


def missing(found: Attribution) -> Iterator[str]:
    """What cannot be read from this study, each with what it lacks."""
    for name in ("process", "parts", "two_by_two", "oracle", "selection", "targeting", "gap", "search"):
        value = getattr(found, name)
        unreported = isinstance(value, Ratio) and value.estimate is None
        if isinstance(value, Unknown) or unreported:
            yield f"{upper(NAMES[name])}: not identifiable; {value.reason}."
    if not found.uses:
        yield f"{upper(NAMES['uses'])}: not identifiable; missing: an arm `unguarded:NAME.USE`."
    for one in found.uses:
        if one.share.estimate is None:
            yield f"Share of {named(one.arm)} in the gain: not reported; {one.share.reason}."
    if isinstance(found.human.share, Unknown) and not found.human.decisions:
        yield f"{upper(NAMES['human'])}: not identifiable; {found.human.share.reason}."
    if not found.iso_compute:
        yield f"{upper(NAMES['iso_compute'])}: not identifiable; missing: a control that spends on building."
    for each in found.iso_compute:
        if isinstance(each.over, Unknown):
            yield f"{upper(NAMES['iso_compute'])} over {named(each.control)}: not identifiable; {each.over.reason}."
    for claimed in found.inflation:
        if isinstance(claimed.over, Unknown):
            yield f"Inflation by the {claimed.by}: not identifiable; {claimed.over.reason}."


def own_section(found: Attribution) -> list[str]:
    """The sentences of the page's section: uses and inflation stand in other parts of the page."""
    said = [opening(found)]
    said += process(found.process) if isinstance(found.process, Process) else _necessities(found)
    said += parts(found.parts) if isinstance(found.parts, Parts) else []
    said += two_by_two(found.two_by_two) if isinstance(found.two_by_two, TwoByTwo) else []
    said += ratios(found)
    said += gap(found.gap) if isinstance(found.gap, Gaps) else []
    said += human(found.human)
    said += [sentence(found.search)] if isinstance(found.search, Search) else []
    return said + [iso_compute(one) for one in found.iso_compute if not isinstance(one.over, Unknown)]


def all_of(found: Attribution) -> list[str]:
    """Every sentence that this study allows."""
    over = [inflation(one) for one in found.inflation if not isinstance(one.over, Unknown)]
    return [*own_section(found), *map(use, found.uses), *over]


def anything(found: Attribution) -> bool:
    """Whether an arm or a mixture was run that says more than the total."""
    values = (
        found.process,
        found.parts,
        found.two_by_two,
        found.oracle,
        found.selection,
        found.gap,
        found.human.share,
        found.search,
    )
    ratio = (isinstance(value, Ratio) and value.estimate is None for value in values)
    known = [not isinstance(one, Unknown) and not empty for one, empty in zip(values, ratio, strict=True)]
    return any(known) or bool(found.necessity or found.uses)


def _necessities(found: Attribution) -> list[str]:
    """Losses without single surfaces, where too few subsets were run to share the gain out."""
    told_ = [f"{named(arm)} {told(one)}" for arm, one in found.necessity.items()]
    return [f"What {named(LOOP)} is ahead by of runs told to leave surfaces alone: {joined(told_)}; these overlap "
            "and do not sum."] if told_ else []  # fmt: skip
