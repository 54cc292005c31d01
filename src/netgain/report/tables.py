"""The report's tables: guards, rungs, spend, drift, what-if. Cells come from the same numbers as the sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netgain.claim import OPEN
from netgain.evidence.looks import looks_of, typical_start
from netgain.evidence.means import MeanGain
from netgain.evidence.verdict import guard_test, half_looks
from netgain.report import attribution_sentences, sentences
from netgain.report.attribution import Use
from netgain.report.figures import UNITS, UNKNOWN, interval, known, middle, named, percent, points, signed
from netgain.report.reading import Reading, Values
from netgain.report.table import Cell, Mark, Table
from netgain.report.whatif import Alternative

WORD_STATUS = {
    "SUPPORTED": "good", "SUPPORTED WITH LIMITS": "part", "INCONCLUSIVE": "open", "REFUTED": "bad", "INVALID": "bad",
}  # fmt: skip
RESULT_STATUS = {"pass": "good", "fail": "bad", "not testable": "open"}


def guards(reading: Reading) -> Table:
    """Guard axes and every other axis: change of the claimed arm against generation 0, start by start."""
    columns = ["Axis", "Kind", "Margin", *(f"start {one}" for one in reading.replicas), "median", "Result"]
    rows: list[Sequence[Cell]] = []
    for name, axis in sorted(reading.facts.axes.items(), key=lambda pair: not pair[1]["guard"]):
        if axis["sealed_items"]:
            changes = reading.differences("frozen", name)
            margin = points(axis["margin"]) if axis["guard"] else "–"
            rows.append(
                [
                    named(name),
                    axis["kind"] + (", may overlap with training" if axis["overlap"] else ""),
                    margin,
                    *map(signed, changes),
                    signed(middle(changes)),
                    _guard_mark(reading, name),
                ]
            )
    late = _late(reading, len(columns))
    caption = (
        f"Change of {named(reading.arm)} against generation 0 on sealed items; a guard fails when more than its "
        "margin is lost"
    )
    return Table(caption, columns, rows + late, (0, 1))


def _guard_mark(reading: Reading, axis: str) -> Cell:
    if reading.case is None or axis not in reading.case.guards:
        return "the claim" if axis == reading.metric else "reported only"
    passed = guard_test(reading.case, axis, half_looks(reading.case)).result == "pass"
    return Mark("good", "kept") if passed else Mark("bad", "not shown")


def _late(reading: Reading, width: int) -> list[Sequence[Cell]]:
    if reading.case is None or reading.case.late is None:
        return []
    margin, changes = reading.case.late
    each: Values = list(changes)
    row: list[Cell] = [f"{named(reading.metric)}, late value", "end less half-way", points(margin)]
    test = typical_start(
        [-math.inf if one is None else one for one in each], delta=-margin, looks=half_looks(reading.case)
    )
    mark = Mark("good", "kept") if test.word == "SUPPORTED" else Mark("bad", "not shown")
    row += [*map(signed, each), signed(middle(each)), mark]
    return [row] if len(row) == width else []


def rungs(reading: Reading) -> Table:
    """Every rung's test."""
    asked = reading.facts.claim["rung"]
    tests = reading.verdict.rungs if reading.verdict else ()
    rows: list[Sequence[Cell]] = []
    for one in tests:
        name = f"{one.name} {sentences.RUNG_WORDS[one.name]}" + (" (claimed)" if one.name == asked else "")
        count = "–" if one.successes is None else f"{one.successes} of {one.starts}"
        rows.append([name, Mark(RESULT_STATUS[one.result], one.result), count, one.detail])
    strong = tuple(place for place, one in enumerate(tests) if one.name == asked)
    return Table(
        "Rungs in order; a claim stands on all rungs below it",
        ["Rung", "Result", "Starts", "Test"],
        rows,
        (0, 1, 3),
        strong,
    )


PHASES = {
    "transplant": "Moving improvers to foreign starts, one round each",
    "build": "Building (proposing, checking, training)",
    "answer": "Answering while the loop runs (gate, report and anchor items)",
    "sealed": "Answering the sealed block, once",
}


def spend(reading: Reading, phase: str) -> Table:
    """What every arm spent in a phase, and its ratio to the claimed arm."""
    units = [unit for unit in UNITS if any(reading.spend(arm, phase, unit) for arm in reading.arms)]
    columns = ["Arm", *(part for unit in units for part in (UNITS[unit], "ratio"))]
    rows: list[Sequence[Cell]] = []
    for arm in reading.arms:
        cells: list[Cell] = [named(arm)]
        for unit in units:
            cells += [sentences.booked(reading.spend(arm, phase, unit)), _ratio(reading, arm, phase, unit)]
        rows.append(cells)
    caption = (
        f"{PHASES[phase]}: median over starts; ratio to {named(reading.arm)}; ≥: a part was not counted; of a menu, "
        "the entry that spent least"
    )
    return Table(caption, columns, rows)


def _ratio(reading: Reading, arm: str, phase: str, unit: str) -> str:
    found = reading.ratio(arm, phase, unit)
    return UNKNOWN if found is None else f"{found:.2f}"


def matched(reading: Reading) -> Table:
    """Whether each required control was given as much as the claimed arm."""
    rows: list[Sequence[Cell]] = []
    for name in reading.controls:
        if reading.case is None or name not in reading.case.underspent:
            rows.append(
                [
                    named(name),
                    Mark("open", sentences.NOT_DECIDED if reading.case is None else "spends nothing on building"),
                    "–",
                ]
            )
            continue
        short = reading.case.underspent[name]
        rows.append([named(name), _matched_mark(reading, name, short), UNKNOWN if short is None else percent(short, 1)])
    return Table("Matched spend on building", ["Required control", "Matched?", "Spent less by"], rows, (0, 1))


def _matched_mark(reading: Reading, name: str, short: float | None) -> Mark:
    if short is None:
        return Mark("open", UNKNOWN)
    if short <= 0.02 and reading.least_ratio(name):
        return Mark("watch", "booked amounts say less")
    if short > 0.10:
        return Mark("bad", "not matched")
    return Mark("watch", "less") if short > 0.02 else Mark("good", "matched")


def uses(found: Sequence[Use]) -> Table:
    """What each use of a check or guard holds up; the losses overlap and do not sum."""
    rows = []
    for one in found:
        lost, share = one.lost.over, one.share
        rows.append([
            named(one.arm), points(one.without), points(one.with_it), signed(lost.mean),
            "–" if lost.low is None else interval(lost.low, lost.high),
            "not reported" if share.estimate is None else points(share.estimate),
            "–" if share.region is None else attribution_sentences.region(share.region),
        ])  # fmt: skip
    caption = (
        "Uses of checks and guards: where the median start ends without and with each, mean loss, and its share of the "
        "gain with Fieller's set. Losses overlap and do not sum."
    )
    return Table(caption, ["Arm", "without it", "with it", "loss", "interval", "share", "set"], rows)


def drift(reading: Reading) -> Table:
    """Movement of generation 0 on the same anchor items, by axis."""
    rows = [
        [named(axis), points(moved.most), "asked once only" if moved.floor is None else points(moved.floor),
         points(moved.beyond)]
        for axis, moved in sorted(reading.drift().items())
    ]  # fmt: skip
    return Table(
        "Generation 0 on the same anchor items: largest movement between rounds, over all starts, and how far two "
        "askings of it at one time differ",
        ["Axis", "Largest movement", "Two askings", "Beyond it"],
        rows,
    )


def changing(rows: Sequence[Alternative]) -> Table:
    """The verdict under one changed assumption at a time."""
    body: list[Sequence[Cell]] = []
    for row in rows:
        found = row.verdict
        mark = {True: "yes", False: "no", None: "not known"}[found.endogenous]
        effect = signed(found.effect["estimate"]) if found.effect["estimate"] is not None else "–"
        body.append([row.assumption, Mark(WORD_STATUS[found.word], found.word), effect, found.rung or "none", mark])
    strong = tuple(place for place, row in enumerate(rows) if row.changes)
    columns = ["Assumption", "Verdict", "Net gain", "Rung", "R3"]
    return Table(
        "One assumption changed, everything else as registered; rows in bold differ in word or mark",
        columns,
        body,
        (0, 1, 3, 4),
        strong,
    )


def claim_looks(reading: Reading) -> Table:
    """Registered looks, thresholds, and what was counted at each; of a mean, its bounds by control."""
    analysis = reading.verdict.analysis if reading.verdict else None
    if isinstance(analysis, MeanGain):
        bounds = [[named(one.control), signed(one.mean), signed(one.low), signed(one.high)] for one in analysis.bounds]
        columns = ["Against", "Mean difference", "Lower bound", "Upper bound"]
        return Table(f"Means over {analysis.starts} starts, by t and by sign flips", columns, bounds)
    claim = reading.facts.claim
    found = looks_of(claim["looks"], share=claim.get("share", 0.5), level=claim.get("alpha", 0.05))
    gains = reading.verdict.gains if reading.verdict else ()
    rows: list[Sequence[Cell]] = []
    for size, high, low in zip(found.sizes, found.support, found.refute, strict=True):
        taken = bool(gains) and size <= len(gains)
        if claim["looks"] == OPEN and not taken:
            break  # what lies ahead is every number up to the last
        count = f"{sum(1 for gain in known(gains[:size]) if gain > reading.by)} of {size}" if taken else "not taken"
        rows.append(
            [f"{size} starts", f"≥ {high}" if high <= size else "never", f"≤ {low}" if low >= 0 else "never", count]
        )
    return Table("Looks at the claim", ["Look at", "SUPPORTED", "REFUTED", "Starts above the claimed effect"], rows)


def milestones(reading: Reading) -> Table:
    """What happened when, in order of the log."""
    facts = reading.facts
    decisions = sorted((one for arm in reading.arms for one in reading.decisions(arm)), key=lambda one: int(one["seq"]))
    rows: list[Sequence[Cell]] = [
        [
            "claim registered",
            str(facts.registered_seq),
            str(facts.registered_time),
            f"digest {facts.registration['claim_digest'][:16]}",
        ]
    ]
    if decisions:
        rows.append(
            ["first gate decision", str(decisions[0]["seq"]), decisions[0]["time"], "generation 1 of the first run"]
        )
        rows.append(
            ["last gate decision", str(decisions[-1]["seq"]), decisions[-1]["time"], f"{len(decisions)} in all"]
        )
    for seal in facts.seals:
        rows.append(
            [
                "sealed set opened",
                str(seal["seq"]),
                seal["time"],
                f"look at {seal['look']}, log of {seal['merkle_size']:,} entries",
            ]
        )
    if reading.verdict is not None:
        rows.append(
            [
                "verdict",
                f"≤ {facts.events - 1}",
                str(facts.states[-1]["since"] if facts.states else "–"),
                reading.verdict.word,
            ]
        )
    rows += [
        ["request: " + one["kind"], "–", one["time"], f"by {one['by']}: {one['reason']}"] for one in facts.requests
    ]
    return Table("In order of the log", ["What", "Entry", "When", "Detail"], rows, (0, 2, 3))


def fingerprints(reading: Reading) -> Table:
    """Digests to compare with."""
    facts = reading.facts
    rows: list[Sequence[Cell]] = [
        ["claim digest", named(facts.registration["claim_digest"])],
        ["contract digest", named(facts.registration["contract_digest"])],
        *([f"contract digest of epoch {one.number}", named(one.opened["contract_digest"])] for one in facts.epochs),
        ["secret of the items, SHA-256", named(facts.registration["secret_sha256"])],
        ["root of randomness", named(facts.registration["root"])],
    ]
    for seal in facts.seals:
        rows.append([f"Merkle root at the seal of {seal['look']} starts", named(seal["merkle_root"])])
        rows.append([f"log entries at the seal of {seal['look']} starts", f"{seal['merkle_size']:,}"])
    opened = facts.opened
    rows.append(["made by", f"netgain {opened['netgain']}, Python {opened['python']}, {opened['platform']}"])
    rows += [["programs ran in", f"{backend}, level S{level}"] for backend, level in sorted(facts.sandboxes)]
    return Table("What was frozen", ["What", "Value"], rows, (0, 1))
