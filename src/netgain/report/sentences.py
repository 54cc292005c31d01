"""Every sentence of the report, generated from numbers; those of the autonomy profile stand in `report.autonomy`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from netgain.arms import SAMPLED, WORDS, samples
from netgain.claim import OPEN, registered_sizes
from netgain.evidence.effects import Chain
from netgain.evidence.looks import TypicalStart, looks_of, typical_start
from netgain.evidence.transplant import advantages
from netgain.evidence.verdict import (
    RESIDUAL,
    UNDERSPENT_PRINTED,
    Found,
    Verdict,
    decide_verdict,
    guard_test,
    half_looks,
)
from netgain.evidence.version import VersionGain
from netgain.facts import Facts
from netgain.report.figures import (
    UNITS,
    UNKNOWN,
    amount,
    counted,
    interval,
    joined,
    known,
    middle,
    minus,
    named,
    names,
    numbers,
    percent,
    points,
    signed,
    upper,
)
from netgain.report.reading import Booked, Reading, Values
from netgain.report.whatif import Alternative, flip_above, flip_below

RUNG_WORDS = {
    "R0": "change", "R1": "improvement", "R2": "attributable", "R4": "sustained", "R5": "iterated",
    "R6": "recursive", "R7": "accelerating",
}  # fmt: skip
IMPROVER_WORDS = {
    "last": "the last improver",
    "half": "the one at half of the horizon",
    "first": "generation 0",
    "drifted": "one that changed as much at random",
    "shuffled": "one grown on feedback without content",
}
LEVEL_WORDS = (
    "statement only",
    "trace without controls",
    "controls, but unregistered, unsealed or too few starts",
    "registered, controlled, replicated, sealed; self-attested",
    "re-computed from raw scores by another party",
    "re-run by another party",
)
ORIGIN = "Where the loop's gain comes from"
LOOP = "self"  # what every other arm is an intervention on, whichever arm the claim is about
NOT_DECIDED = "not decided yet"
NO_NUMBER = "no effect can be stated"
WITHOUT = {
    "frozen": "without any change",
    "ordinary": "without the loop's own signal, plain training instead",
    "random_search": "without building on what was found, independent proposals instead",
    "sampled": "without training, more answers per question instead",
    "one_step": "without repetition, one long step instead",
    "flat": "without chaining, every round from generation 0",
    "stacked": "without a changing improver",
    "improver_only": "without a changing parent, the improver alone goes on",
    "random_proposer": "without a proposer, random admissible edits instead",
    "random_gate": "without the gate's choice, as many promotions at random",
    "unaided": "without what people decided, the default instead",
    "placebo": "without the content of the checks, as many answers kept at random",
    "stacked+placebo": "without a changing improver and without the content of the checks",
    "ungated": "without gate and guards acting",
    "oracle": "with the truth in place of its own check",
    "shuffled": "with labels destroyed",
    "self_again": "with the same loop once more, blinded",
}
STEPS = {
    "ordinary": "the same spend on plain training",
    "stacked+placebo": "self-made data, kept at random",
    "stacked": "self-made data that generation 0 checked",
    "self": "an improver that changes",
}
OUTCOMES = ("promote", "undecided", "reject")
CHECKED_PER_SECOND = 3000  # log entries that verify reads, hashes and re-judges a second on one slow core


@dataclass(frozen=True)
class Answer:
    """A short answer to one of the four questions; `status` is good, part, watch, bad or open."""

    question: str
    status: str
    word: str
    lines: tuple[str, ...]


# ---- header


def claim(reading: Reading) -> str:
    """The claim as one sentence."""
    facts = reading.facts
    starts = "starts of this loop" if facts.claim["starts"] == "fresh" else "runs from this one generation 0"
    rung = facts.claim["rung"]
    if facts.claim.get("about") == "version":
        return (
            f"The one version that {named(reading.arm)} serves after {counted(facts.rounds, 'round')} scores more than "
            f"{points(reading.by)} above generation 0 on {named(reading.metric)}, on average over sealed items. "
            "Nothing is claimed of the loop that made it."
        )
    share = facts.claim.get("share", 0.5)
    many = f"In more than {'half' if share == 0.5 else percent(share)} of new {starts}"
    start = f"On average over new {starts}" if facts.claim["analysis"] == "mean" else many
    return (
        f"{start}, after {counted(facts.rounds, 'round')}, the net gain of "
        f"{named(reading.arm)} "
        f"on {named(reading.metric)} exceeds {points(reading.by)}: the smallest of its distances to "
        f"{names(reading.controls)} in sealed score. Claimed rung: {rung} {RUNG_WORDS[rung]}."
    )


def registered(facts: Facts) -> str:
    """When the claim was frozen."""
    first = min((one["seq"] for run in facts.runs.values() for one in run.decisions), default=None)
    later = "" if first is None else f", before the first gate decision (entry {first})"
    return f"Registered {facts.registered_time} as entry {facts.registered_seq} of the log{later}."


def effect(verdict: Verdict) -> str:
    """Estimate and exact interval."""
    found = verdict.effect
    if found["estimate"] is None and found["low"] is None and found["high"] is None:
        return f"No effect can be given: {found.get('reason', 'no start has a net gain')}."
    if verdict.analysis is not None and not isinstance(verdict.analysis, TypicalStart):
        each = "items" if isinstance(verdict.analysis, VersionGain) else "starts, over the closest control"
        return (
            f"Mean gain over {each}: {signed(found['estimate'])}, interval {interval(found['low'], found['high'])} "
            f"({percent(found['confidence'], 1)} confidence)."
        )
    return (
        f"Median net gain of a start {signed(found['estimate'])}, interval {interval(found['low'], found['high'])} "
        f"({percent(found['confidence'], 1)} confidence, exact binomial, valid over all registered looks)."
    )


def starts(reading: Reading) -> str:
    """k of R, the exact share, and what so many starts cannot exclude."""
    found = _analysis(reading)
    if found is None:
        return "No control could be compared with, so no start can be counted."
    if isinstance(found, VersionGain):
        return f"One start: {found.reason}."
    return (
        f"{found.successes} of {counted(found.starts, 'start')} exceed {points(reading.by)}; with 95 % confidence "
        "at least "
        f"{percent(found.share_low, 1)} of all starts do; a failure mode in up to "
        f"{percent(found.hidden_failure, 1)} of "
        f"starts would not have been seen."
    )


def level(verdict: Verdict) -> str:
    """The evidence level in words."""
    return f"Evidence level {verdict.level} of 5: {LEVEL_WORDS[verdict.level]}."


def rung(reading: Reading, verdict: Verdict) -> str:
    """The highest consecutive rung that passed, beside the claimed one."""
    asked = reading.facts.claim["rung"]
    top = "none" if verdict.rung is None else f"{verdict.rung} {RUNG_WORDS[verdict.rung]}"
    return f"Highest rung that passed with all below it: {top}; claimed: {asked} {RUNG_WORDS[asked]}."


def endogenous(verdict: Verdict) -> str:
    """The mark R3."""
    word = {True: "yes", False: "no", None: "not known"}[verdict.endogenous]
    return f"Mark R3, endogenous signal: {word}; {verdict.endogenous_reason}."


def checks(facts: Facts) -> str:
    """The checks that developers gave the loop, with their uses: they belong beside the mark R3."""
    told = [f"{named(one['name'])} (used to {joined(one['uses'])})" for one in facts.study["filters"]]
    if not told:
        return "Developers gave the loop no check of its own."
    return (
        f"Checks of its own that developers gave the loop: {joined(told)}; what is left without each use stands "
        f"under “{ORIGIN}”."
    )


def weakest(reading: Reading, verdict: Verdict) -> str:
    """The weakest link: what is wrong, or else what would fall first."""
    if verdict.word not in ("SUPPORTED", "SUPPORTED WITH LIMITS"):
        return f"{verdict.reasons[0]}."
    if verdict.limits:
        return f"{verdict.limits[0]}."
    gains = [(gain, place) for place, gain in enumerate(verdict.gains) if gain is not None]
    smallest, place = min(gains)
    return (
        f"start {reading.replicas[place]}, whose net gain is the smallest: {signed(smallest)} over "
        f"{named(str(verdict.closest[place]))}, {points(smallest - reading.by)} above what is claimed."
    )


def stopping(reading: Reading) -> str:
    """Why the claimed arm's runs ended."""
    ends = Counter(str(run.row.get("end") or "still running") for run in reading.runs(reading.arm))
    total = sum(ends.values())
    return "; ".join(f"{why} in {count} of {counted(total, 'start')}" for why, count in sorted(ends.items())) + "."


def looks(reading: Reading) -> str:
    """All uses of fresh items by a decider, the seal among them."""
    facts, own = reading.facts, len(reading.decisions(reading.arm))
    every = sum(len(reading.decisions(arm)) for arm in reading.arms)
    opened = {0: "has not been opened", 1: "was opened once"}.get(
        len(facts.seals), f"was opened {len(facts.seals)} times, each time for new starts"
    )
    registered = registered_sizes(facts.claim["looks"])
    taken = [size for size in registered if size <= len(facts.enrolled)] if reading.verdict else []
    sizes = f"claim looked at {joined(map(str, taken))} starts" if taken else "claim not looked at"
    return (
        f"{counted(every, 'gate decision')}, {own} of them about {named(reading.arm)}; {sizes} "
        f"(registered: {_sizes(facts)}); the sealed set {opened}."
    )


def _sizes(facts: Facts) -> str:
    sizes = registered_sizes(facts.claim["looks"])
    return f"every number up to {sizes[-1]}" if facts.claim["looks"] == OPEN else joined(map(str, sizes))


def scope(reading: Reading) -> str:
    """Replicas, arms, rounds."""
    return (
        f"{counted(len(reading.replicas), 'start')} × {counted(len(reading.arms), 'arm')}, "
        f"{counted(reading.facts.rounds, 'round')}."
    )


def attempts(facts: Facts) -> str:
    """How often this machine tried, and asked the gate's items before, as far as it is known."""
    count = facts.opened.get("attempts_here")
    said = [f"{count}: this is registration number {count} of this suite on this machine."]
    if count is None:
        said = [f"{UNKNOWN}: the count on this machine could not be kept."]
    if count == 1:
        said = ["1: the first registration of this suite on this machine."]
    return " ".join([*said, *used_items(facts)])


def used_items(facts: Facts) -> list[str]:
    """What the gate's items were asked in earlier studies: sentences about axes of which something is to be said."""
    found = []
    for axis, one in facts.registration.get("exposure", {}).items():
        if not one["known"]:
            found.append(f"What the gate items of {named(axis)} were asked before could not all be read.")
        if one["queries"]:
            found.append(
                f"Gate items of {named(axis)} had answered {counted(one['queries'], 'question')} in earlier studies "
                f"here, {one['accepts']} of them with a promotion: their threshold is raised by "
                f"{one['log_raise']:.1f} nats{_for_shown(one['shown_nats'])}."
            )
    return found


def _for_shown(nats: float) -> str:
    return f", of which {nats:.1f} for numbers that loops were shown" if nats else ""


# ---- the four questions


def questions(reading: Reading) -> list[Answer]:
    """What improved, is it self, was it measured over time, is it stable."""
    return [_what(reading), _self(reading), _measured(reading), _stable(reading)]


def _what(reading: Reading) -> Answer:
    lines = [_ends(reading, arm) for arm in (reading.arm, "frozen")]
    surfaces = Counter(choice["surface"] for choice in reading.choices())
    lines.append(
        "changed by proposals: "
        f"{', '.join(f'{name} ({count}×)' for name, count in sorted(surfaces.items())) or 'nothing'}"
    )
    if reading.verdict is None:
        return Answer("What improved?", "open", NOT_DECIDED, tuple(lines))
    results = {one.name: one.result for one in reading.verdict.rungs}
    words = [
        ("R2", "good", "improved, beyond plain training and placebo"),
        ("R1", "part", "improved, not shown to be the loop's doing"),
        ("R0", "watch", "changed, not shown to be better"),
    ]  # fmt: skip
    for name, status, word in words:
        if results.get(name) == "pass":
            return Answer("What improved?", status, word, tuple(lines))
    return Answer("What improved?", "bad", "nothing shown", tuple(lines))


def _ends(reading: Reading, arm: str) -> str:
    if reading.verdict is not None:
        return f"{named(arm)}: the median start ends at {points(middle(reading.sealed(arm)))} on sealed items"
    curve = reading.median_curve(arm)
    at = max(curve, default=None)
    return (
        f"{named(arm)}: no score yet"
        if at is None
        else f"{named(arm)}: the median start is at {points(curve[at])} in round {at}"
    )


def _self(reading: Reading) -> Answer:
    lines = [autonomy(reading)]
    if reading.verdict is None:
        return Answer("Is it “self”?", "open", NOT_DECIDED, tuple(lines))
    mark = reading.verdict.endogenous
    lines.append(endogenous(reading.verdict))
    if "stacked" in reading.arms:
        lines.append(
            f"letting the improver change: {signed(middle(reading.differences('stacked', own=LOOP)))} over "
            "`stacked` (median)"
        )
    lines.append("goal, suite and harness were fixed by people")
    status, word = {True: ("good", "own signal"), False: ("part", "partly"), None: ("watch", "not known")}[mark]
    return Answer("Is it “self”?", status, word, tuple(lines))


def _measured(reading: Reading) -> Answer:
    facts, moved = reading.facts, max((one.beyond for one in reading.drift().values()), default=None)
    lines = [
        f"{counted(facts.rounds, 'round')} registered, every arm measured on the same fresh report items",
        contracts(facts),
        drift(reading),
    ]
    if reading.verdict is None:
        return Answer("Measured over time?", "open", NOT_DECIDED, tuple(lines))
    lines.append(
        f"sealed set: opened {'once' if len(facts.seals) == 1 else f'{len(facts.seals)} times'}, after the last round"
    )
    good = moved == 0 and reading.verdict.level >= 3 and not facts.epochs
    return Answer(
        "Measured over time?", "good" if good else "watch", "yes" if good else "with reservations", tuple(lines)
    )


def _stable(reading: Reading) -> Answer:
    restores = sum(int(run.row.get("restores", 0)) for run in reading.runs(reading.arm))
    failed = sum(reading.failures().values())
    lines = [f"{counted(restores, 'rollback')}, {counted(failed, 'failed stage')}"]
    if reading.case is None or reading.verdict is None:
        return Answer("Stable?", "open", NOT_DECIDED, tuple(lines))
    sizes = half_looks(reading.case)
    results = {axis: guard_test(reading.case, axis, sizes).result for axis in reading.case.guards}
    lines = [
        f"guard {named(axis)}: {'kept' if one == 'pass' else 'not shown to be kept'}" for axis, one in results.items()
    ] + lines
    gains = known(reading.verdict.gains)
    if gains:
        lines.append(f"net gain from {signed(min(gains))} to {signed(max(gains))} over {counted(len(gains), 'start')}")
    kept = bool(results) and all(one == "pass" for one in results.values())
    if kept and not restores:
        return Answer("Stable?", "good", "nothing lost", tuple(lines))
    return Answer("Stable?", "watch", "watch" if kept else "not shown", tuple(lines))


# ---- curves and differences


def curves(reading: Reading) -> str:
    """Where the arms are at their last round, on report items."""
    ends = {arm: reading.median_curve(arm) for arm in reading.arms}
    there = {arm: curve[max(curve)] for arm, curve in ends.items() if curve}
    if reading.arm not in there:
        return "Nothing has been measured yet."
    others = {arm: there[arm] for arm in reading.controls if arm in there}
    last = max(ends[reading.arm])
    best = max(others, key=lambda arm: others[arm]) if others else None
    beside = "" if best is None else f"; the best required control, {named(best)}, at {points(others[best])}"
    return (
        f"On report items, the same for all arms of a start, the released system of {named(reading.arm)} is at "
        f"{points(there[reading.arm])} in round {last} (median over starts){beside}."
    )


def differences(reading: Reading) -> str:
    """Paired differences, control by control."""
    parts = []
    for name in reading.controls:
        there = known(reading.differences(name))
        if there:
            parts.append(f"{signed(middle(there))} over {named(name)} ({interval(min(there), max(there))})")
    if not parts:
        return "No control has sealed scores to compare with."
    return f"Same start, same sealed items; median and range over starts: {joined(parts)}."


def vacuous(verdict: Verdict) -> list[str]:
    """Contrasts that say nothing of their own."""
    return [
        f"The contrast with {named(one['arm'])} is vacuous: in {one['starts']} of {one['of']} starts it gave the very "
        f"answers of {named(one['same_as'])}."
        for one in verdict.vacuous
    ]


def without(arm: str) -> str:
    """What an arm takes away, or puts in."""
    return WITHOUT.get(arm) or " and ".join(_unguarded(piece) for piece in arm.split("+"))


def _unguarded(piece: str) -> str:
    if piece.startswith("without:"):
        return f"without changes of {piece.removeprefix('without:')}, as the proposer was told"
    if samples(piece) and piece != SAMPLED:
        return f"without training, {piece.partition(':')[2]} answers per question instead"
    if not piece.startswith("unguarded:"):
        return WITHOUT.get(piece, WORDS.get(piece, piece))
    check, _, use = piece.removeprefix("unguarded:").partition(".")
    return f"without the {use} use of {named(check)}" if use else f"without any use of {named(check)}"


def dependence(reading: Reading) -> list[str]:
    """How much the gain depends on each use of each check: read from the arms that went without."""
    own = reading.sealed(LOOP)
    found = []
    for arm in reading.arms:
        if not arm.startswith("unguarded:"):
            continue
        theirs = reading.sealed(arm)
        ends = f"{upper(without(arm))} the median start ends at {points(middle(theirs))}"
        same = theirs == own and bool(known(own))
        tail = f": the same in all {counted(len(own), 'start')}" if same else f", with it at {points(middle(own))}"
        found.append(f"{ends}{tail}.")
    if not found:
        checks = [one["name"] for one in reading.facts.study["filters"]]
        what = f"No arm went without a use of {names(checks)}" if checks else "The loop declares no check of its own"
        found.append(f"{what}: how much the gain depends on it is not known from this study.")
    return found


def placebo(reading: Reading) -> list[str]:
    """Whether the placebo was inert, and whether it did harm: its agreement with the true feedback, its own effect."""
    found = [
        record
        for run in reading.runs("placebo")
        for record in run.channel.values()
        if record.get("agreement") is not None
    ]
    if "placebo" not in reading.arms or not found:
        return []
    agreement = middle([float(record["agreement"]) for record in found])
    chance = middle(
        [(record["kept"] / record["of"]) ** 2 + (1 - record["kept"] / record["of"]) ** 2 for record in found]
    )
    level = reading.case.neutral if reading.case else "ordinary"
    gaps = known(reading.differences(level, own="placebo")) if level in reading.arms else []
    inert = (
        "inert"
        if (agreement or 0.0) <= (chance or 0.0) + RESIDUAL
        else "weakened: some of the true feedback is left in it"
    )
    told = (
        f"`placebo` agrees with the true feedback on {percent(agreement, 1)} of examples, "
        f"chance gives {percent(chance, 1)}: {inert}"
    )
    if not gaps:
        return [told + "."]
    harm = "; every start lost by it, so it shows harm, not the value of information" if max(gaps) < 0 else ""
    return [f"{told}; against {named(level)} it ends {signed(middle(gaps))} (median){harm}."]


def waterfall(chain: Chain, first: float | None) -> str:
    """The chain as a sentence; its steps sum."""
    steps = "; ".join(
        f"{STEPS.get(step.after, WORDS.get(step.after, step.after))} {signed(step.mean)}" for step in chain.steps
    )
    return (
        f"Means over {counted(chain.starts, 'start')}, because medians of steps would not sum: "
        f"{named(chain.steps[0].before)} "
        f"ends at {points(first)}; {steps}; together {signed(chain.total)}. The steps sum to the total in every start."
    )


# ---- data of its own, yardsticks, inflation


def own_data(reading: Reading, kept: dict[int, float], right: dict[int, float], passed: dict[int, float]) -> str:
    """Kept share and share of right answers, first and last round."""
    if not kept:
        return f"{named(reading.arm)} makes no examples of its own that pass a check."
    first, last = min(kept), max(kept)
    parts = [
        f"{named(reading.arm)} kept {percent(kept[first])} of its own answers in round {first} and "
        f"{percent(kept[last])} in round {last}"
    ]
    if right:
        parts.append(f"of all of them {percent(right[min(right)])} and then {percent(right[max(right)])} were right")
    if passed:
        parts.append(
            f"of those that passed its check {percent(passed[min(passed)])} and then {percent(passed[max(passed)])}"
        )
    return "; ".join(parts) + " (medians over starts; truth is measured outside and shown to nobody in the loop)."


def yardsticks(gains: dict[str, float | None]) -> str:
    """The three gains beside one another."""
    own, fixed, sealed = (gains[name] for name in ("own", "fixed", "sealed"))
    text = (
        f"Median gain by the loop's own current score {_or_none(own)}, by its round-0 score {_or_none(fixed)}, "
        f"on sealed items {_or_none(sealed)}."
    )
    if fixed is None:
        text += " A loop with `own_score` has a round-0 score: its judgement before it changed itself."
    if own is not None and sealed is not None and own > 0 >= sealed:
        return text + " Warning: the own score rose while the sealed one did not."
    return text


def _or_none(value: float | None) -> str:
    return "not available" if value is None else signed(value)


def inflation(reading: Reading, seen: Values, sealed: Values) -> str:
    """Gain on report items against the sealed one: what would have been claimed without a seal."""
    over = [minus(one, other) for one, other in zip(seen, sealed, strict=True)]
    if not known(over):
        return (
            f"The gate axis {named(reading.gate_axis)} has no sealed or no report items of {named(reading.arm)}: "
            "inflation cannot be given."
        )
    found = typical_start(known(over), delta=0.0, looks=looks_of(reading.facts.claim["looks"]))
    ends = "too few starts for an interval" if found.look is None else f"interval {interval(found.low, found.high)}"
    return (
        f"On {named(reading.gate_axis)} the report items give a median gain over generation 0 of "
        f"{signed(middle(seen))} (no decision used them, and starts are drawn towards their mean); "
        f"on sealed items it is {signed(middle(sealed))}. Inflation {signed(middle(over))} (median of the starts' "
        f"differences, {ends})."
    )


# ---- guards, rungs, spend


def guards(reading: Reading) -> list[str]:
    """One sentence for each guard axis."""
    if reading.case is None:
        return []
    sizes, found = half_looks(reading.case), []
    for axis, (margin, changes) in reading.case.guards.items():
        result = "kept" if guard_test(reading.case, axis, sizes).result == "pass" else "not shown to be kept"
        worst = min(known(changes), default=None)
        found.append(
            f"{named(axis)} changed by {signed(middle(changes))} in the median start and by {signed(worst)} in "
            "the worst; "
            f"the margin is a loss of {points(margin)}: {result}."
        )
    return [*(found or ["The suite has no guard axis."]), *_cannot_improve(reading)]


def _cannot_improve(reading: Reading) -> list[str]:
    axes = [name for name, axis in reading.facts.axes.items() if axis["kind"] == "placebo" and axis["sealed_items"]]
    moved = {name: middle(reading.differences("frozen", name)) for name in axes}
    return [
        f"{named(name)} cannot improve by construction; it changed by {signed(gain)} (median)."
        for name, gain in moved.items()
    ]


def spending(reading: Reading) -> list[str]:
    """Whether controls were given what the claimed arm was, and what nobody counted."""
    unseen = [UNITS[unit] for unit in UNITS if not _ever(reading, unit)]
    found = [f"Nobody counted {joined(unseen, 'or')}: unknown, not 0."] if unseen else []
    found += _first(reading)
    if reading.case is None:
        return found
    short = {
        name: reading.case.underspent.get(name, 0.0) for name in reading.compared if name in reading.case.underspent
    }
    less = [f"{named(name)} by {percent(share, 1)}" for name, share in short.items() if share]
    odd = [named(name) for name, share in short.items() if share is None]
    if less:
        found.insert(0, f"Spent less on building than {named(reading.arm)}: {joined(less)}.")
    elif short and not odd:
        found.insert(0, f"On building, {names(short)} spent no less than `self` in the units that both meter.")
    if odd:
        found.insert(0, f"Whether {joined(odd)} spent as much as `self` is {UNKNOWN}.")
    for name, share in short.items():
        least = reading.least_ratio(name)
        if least is not None and (share or 0.0) <= UNDERSPENT_PRINTED:
            found.append(_booked_less(reading, name, *least))
    return found


def _first(reading: Reading) -> list[str]:
    """What generation 0 cost; nothing while none is made."""
    parts = reading.facts.starts.values()
    costs = {unit: middle([part.get(unit) for part in parts]) for unit in UNITS if _everywhere(parts, unit)}
    told = joined([f"{amount(cost)} {UNITS[unit]}" for unit, cost in costs.items() if cost is not None])
    return [f"Generation 0 is made once per start and shared by its arms: {told} (median over starts)."] if told else []


def _everywhere(parts: Collection[Mapping[str, float | None]], unit: str) -> bool:
    return bool(parts) and all(part.get(unit) is not None for part in parts)


def _booked_less(reading: Reading, name: str, ratio: float, unit: str) -> str:
    return (
        f"The rounds in which both booked {UNITS[unit]} say otherwise: {named(name)} used {ratio:.2f} times what "
        f"{named(reading.arm)} "
        "did, but some part was not counted, so the rule of the verdict could not compare them."
    )


def _ever(reading: Reading, unit: str) -> bool:
    return any(reading.spend(arm, phase, unit) is not None for arm in reading.arms for phase in ("build", "answer"))


def booked(found: Booked | None) -> str:
    """A spend with what is not known of it."""
    if found is None:
        return UNKNOWN
    return amount(found.amount) if found.complete else f"≥ {amount(found.amount)}"


def tries(facts: Facts) -> str:
    """How often the arm `sampled` may answer."""
    return f"`sampled` draws {counted(int(facts.study['tries']), 'answer')} per question."


# ---- decisions, looks, drift


def decisions(reading: Reading) -> str:
    """What the gate decided about the claimed arm."""
    counts = Counter(one["outcome"] for one in reading.decisions(reading.arm))
    total = sum(counts.values())
    if not total:
        return f"The gate has not judged a candidate of {named(reading.arm)}."
    restores = sum(int(run.row.get("restores", 0)) for run in reading.runs(reading.arm))
    return (
        f"Of {counted(total, 'candidate')} of {named(reading.arm)} the gate promoted {counts['promote']}, left "
        f"{counts['undecided']} undecided and rejected {counts['reject']}; {counted(restores, 'rollback')}."
        f"{_shown(reading)}"
    )


def _shown(reading: Reading) -> str:
    """How often a number moved that the loop was shown; the number is no estimate, and stands nowhere."""
    step = reading.facts.registration["contract"]["gate"].get("show_step")
    if step is None:
        return ""
    told = [[one["shown"] for one in run.decisions if "shown" in one] for run in reading.runs(reading.arm)]
    moves = sum(new > old for run in told for old, new in zip([0.0, *run], run, strict=False))
    return (
        f" After each it was shown a number from the gate's items, in steps of {step:g} (not an estimate of the gain); "
        f"it moved in {moves} of {sum(map(len, told))}."
    )


def autonomy(reading: Reading) -> str:
    """Who decided, with the denominator."""
    counts = Counter(choice["decided_by"] for choice in reading.choices())
    total = sum(counts.values())
    if not total:
        return f"{named(reading.arm)} recorded no decision of its own"
    parts = [f"{counts[who]} by {words}" for who, words in DECIDERS.items()]
    return f"of {counted(total, 'recorded decision')} of {named(reading.arm)}, {joined(parts)}"


DECIDERS = {"system": "the system", "rule": "a fixed rule", "model": "an outside model", "person": "a person"}


def follows(facts: Facts) -> str:
    """The earlier claim that this one names; "" for a first claim."""
    earlier, _, head = str(facts.claim.get("extends") or "").partition("@")
    if not earlier:
        return ""
    return (
        f"an INCONCLUSIVE claim ({earlier[:12]}, tree head {head[:12]}), whose starts are not counted here; a false "
        "word in one of the two has up to twice the chance of one"
    )


def drift(reading: Reading) -> str:
    """How far the frozen arm moved on the same items."""
    moved = reading.drift()
    if not moved:
        return "generation 0 has not been asked the same items twice"
    axis = max(moved, key=lambda name: (moved[name].beyond, moved[name].most, name))
    most, floor = moved[axis].most, moved[axis].floor
    if most == 0:
        return "generation 0, asked the same items every round, did not move: no drift of the harness"
    said = f"generation 0, asked the same items every round, moved by up to {points(most)} on {named(axis)}"
    if floor is None:
        return f"{said}: drift of the harness, or luck of its answers, which nobody asked for twice at one time"
    told = f"two askings at one time differ by up to {points(floor)}"
    if moved[axis].beyond == 0:
        return f"{said}, and {told}: no drift of the harness is seen"
    return f"{said}, where {told}: drift of the harness"


def contracts(facts: Facts) -> str:
    """Under how many contracts the study was measured."""
    first = facts.registration["contract_digest"][:12]
    if not facts.epochs:
        return f"harness: one contract, {first}"
    held = "bridged" if not any(one.unbridged for one in facts.epochs) else "not all of them bridged"
    return f"harness: {len(facts.epochs) + 1} contracts, {first} first, {facts.contract_digest[:12]} last; {held}"


def claim_looks(reading: Reading) -> str:
    """The rule of the registered looks."""
    claim = reading.facts.claim
    if claim.get("about") == "version" or claim["analysis"] == "mean":
        what = "sealed items" if claim.get("about") == "version" else "starts of the registered looks together"
        return (
            "A false SUPPORTED and a false REFUTED each have probability at most "
            f"{percent(claim['alpha'], 2)} over the {what}."
        )
    high, low = _levels(reading)
    return (
        "At each registered look the words are fixed by the number of starts that exceed the claimed effect; a "
        "false SUPPORTED "
        f"has probability at most {percent(high, 2)} over all looks, a false REFUTED {percent(low, 2)}."
    )


# ---- what would change it, what is not shown, how to check


def changing(rows: Sequence[Alternative]) -> str:
    """How many of the changed assumptions change the word."""
    tried = rows[1:]
    words = Counter(row.verdict.word for row in tried if row.verdict.word != rows[0].verdict.word)
    if not words:
        return f"None of {counted(len(tried), 'changed assumption')} changes the word."
    told = joined(f"{word} {count}×" for word, count in sorted(words.items()))
    return f"Of {counted(len(tried), 'changed assumption')}, {sum(words.values())} change the word: {told}."


def holds_to(reading: Reading, verdict: Verdict) -> str:
    """The claimed effects between which the word stays."""
    if reading.case is None:
        return NOT_DECIDED
    above, below = flip_above(reading.case, verdict.word), flip_below(reading.case, verdict.word)
    parts = []
    if above is not None:
        parts.append(f"from a claimed effect of {points(above)} on it is {decide_at(reading, above)}")
    if below is not None:
        parts.append(f"at {points(below)} it is {decide_at(reading, below)}")
    return (
        f"The word is {verdict.word} at the claimed {points(reading.by)}; "
        f"{'; '.join(parts) or 'no other claimed effect changes it'}."
    )


def decide_at(reading: Reading, by: float) -> str:
    """The word at another claimed effect."""
    from dataclasses import replace

    return decide_verdict(replace(reading.case, by=by)).word if reading.case else NOT_DECIDED


def not_shown(reading: Reading) -> list[str]:
    """What nobody may conclude from this page; never empty."""
    facts = reading.facts
    found = [_one_axis(reading), _one_horizon(reading), *_rare_failures(reading), *_transfer(reading)]
    found += [
        "That nothing is hidden inside the loop's own code: a teacher, labels or a stronger model called by "
        "`propose`, or a "
        f"generation 0 that answers worse than it could, look like a gain of {named(reading.arm)}. The engine "
        "sees what crosses "
        "the wall, not what happens behind it.",
        *_arms_missing(reading),
        *_higher_rungs(reading),
        *_straw_men(reading),
        *_attempted(reading),
        "That anybody else reaches the same numbers: this report is made by those who made the claim.",
    ]
    if facts.claim["starts"] != "fresh":
        found.insert(2, "Anything about another generation 0: all starts share one.")
    return found


def _one_axis(reading: Reading) -> str:
    axis = reading.facts.axes[reading.metric]
    return (
        f"Any skill but the one that {named(reading.metric)} asks ({source(axis['source'])}; "
        f"{counted(axis['sealed_items'], 'sealed item')} "
        f"a start, metric {named(axis['metric'])})."
    )


def source(spec: dict[str, object]) -> str:
    """An item source in words."""
    parts = []
    for name, value in sorted(spec.items(), key=lambda pair: (pair[0] != "generator", pair[0])):
        shown = numbers(value) if isinstance(value, list) else str(value)[:64]
        parts.append(f"{name} {shown}")
    return ", ".join(parts)


def _one_horizon(reading: Reading) -> str:
    return f"What happens after round {reading.facts.rounds}: whether the gain goes on, stops or collapses."


def _rare_failures(reading: Reading) -> list[str]:
    found = _analysis(reading)
    if found is None:
        return [f"Anything about a typical start: {counted(len(reading.replicas), 'start')} have not been decided on."]
    if isinstance(found, VersionGain):
        return ["Anything about the loop: one start was run, and the claim is about the one version that it serves."]
    return [
        f"That no start fails badly: {counted(found.starts, 'start')} cannot exclude a failure mode in up to "
        f"{percent(found.hidden_failure, 1)} of starts, nor show (at 95 %) more than that "
        f"{percent(found.share_low, 1)} of starts succeed."
    ]


def _transfer(reading: Reading) -> list[str]:
    siblings = [name for name, axis in reading.facts.axes.items() if axis["kind"] == "sibling"]
    if not siblings:
        return ["That the skill carries over to questions written independently: no sibling axis was run."]
    gains = [(name, middle(reading.differences("frozen", name))) for name in siblings] if reading.verdict else []
    told = [f"{signed(gain)} on {named(name)}" for name, gain in gains if gain is not None]
    return [f"More transfer than was measured on a sibling axis: {joined(told)} (median)."] if told else []


def _arms_missing(reading: Reading) -> list[str]:
    study = reading.facts.study
    found = [f"What {named(name)} would have done: {why}." for name, why in sorted(study["untestable"].items())]
    absent = [
        name
        for name in ("ordinary", "placebo", "sampled", "one_step", "flat", "stacked", "ungated", "oracle")
        if name not in study["arms"]
    ]
    found += [f"What {names(absent)} would have done: not among the arms of this study."] if absent else []
    return found


def _higher_rungs(reading: Reading) -> list[str]:
    tests = reading.verdict.rungs if reading.verdict else ()
    open_rungs = [f"{one.name} {RUNG_WORDS[one.name]} ({one.result})" for one in tests if one.result != "pass"]
    return [f"Rungs that did not pass: {joined(open_rungs)}."] if open_rungs else []


def transplant(reading: Reading) -> list[str]:
    """What moved improvers were worth, where any was moved."""
    if reading.case is None or not reading.case.improvers:
        return []
    columns = reading.case.improvers.items()
    ends = {name: middle([one.score if one else None for one in column]) for name, column in columns}
    told = [f"{IMPROVER_WORDS[name]} {points(ends[name])}" for name in IMPROVER_WORDS if name in ends]
    gained = [one for one in advantages(reading.case.improvers, len(reading.replicas)) if isfinite(one)]
    over = f"; over the best of its nulls {signed(middle(gained))}" if gained else ""
    return [
        f"Improvers of {named(reading.arm)}, each moved alone to generation 0 of other starts for one round on tasks "
        f"that no round used, end at (sealed items, median over starts): {joined(told)}{over}."
    ]


def _straw_men(reading: Reading) -> list[str]:
    fallen = reading.serves_first("ordinary") if "ordinary" in reading.arms and reading.facts.seals else 0
    if not fallen:
        return []
    return [
        f"That no plain training does better: in {fallen} of {counted(len(reading.replicas), 'start')} no entry "
        "of the registered menu "
        "beat generation 0 on the report items, so `ordinary` served generation 0."
    ]


def _attempted(reading: Reading) -> list[str]:
    count = reading.facts.opened.get("attempts_here")
    if count is None:
        return ["How many studies were tried before this one: the count on this machine could not be kept."]
    if count <= 1:
        return [
            "That no study of this suite was run elsewhere and left unreported: attempts are counted on one "
            "machine only."
        ]
    wrong = _levels(reading)[0]
    return [
        f"That this is not the best of several studies: {count} were registered here; the chance that one of "
        f"{count} studies at the "
        f"boundary of its claim is SUPPORTED is up to {percent(1 - (1 - wrong) ** count, 1)}."
    ]


def _levels(reading: Reading) -> tuple[float, float]:
    """Chances of a false SUPPORTED and a false REFUTED at the boundary, over all looks."""
    claim = reading.facts.claim
    if claim.get("about") == "version" or claim["analysis"] == "mean":
        return claim["alpha"], claim["alpha"]
    return looks_of(claim["looks"], share=claim.get("share", 0.5), level=claim.get("alpha", 0.05)).levels


def _analysis(reading: Reading) -> Found | None:
    return reading.verdict.analysis if reading.verdict else None


def checking(facts: Facts) -> str:
    """Where to check, and how long it takes."""
    seconds = max(1, -(-facts.events // CHECKED_PER_SECOND))
    return (
        "In the folder of this study; `verify.py` is a file of the package and needs nothing else of it. "
        "Expected time: about "
        f"{counted(seconds, 'second')} on one core for {counted(facts.events, 'log entry', 'log entries')}."
    )


# ---- a study without a verdict


def progress(reading: Reading) -> str:
    """How far an unfinished study is."""
    runs = list(reading.facts.runs.values())
    done = sum(run.row.get("stage") == "done" for run in runs)
    sizes = registered_sizes(reading.facts.claim["looks"])
    return (
        f"{done} of {counted(len(runs), 'run')} are over; {counted(len(reading.replicas), 'start')} enrolled, "
        f"the first look of the claim is at {sizes[0]}."
    )


def state(facts: Facts) -> str:
    """State of the study with its reason, since when, and what comes next."""
    if not facts.states:
        return "State: planned; nothing has been run."
    last = facts.states[-1]
    return f"State: {last['state']} since {last['since']}; {last['reason']}; next: {last['next']}."


def earlier_look(facts: Facts) -> str | None:
    """The verdict of an earlier look, when more starts have been enrolled since."""
    if facts.verdict is None:
        return None
    return (
        f"The look at {counted(int(facts.verdict['look']), 'start')} gave {facts.verdict['verdict']}; more starts "
        "were enrolled since."
    )
