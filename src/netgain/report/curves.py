"""Scores over rounds: all arms, each arm by itself, data of the loop's own making, three yardsticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netgain.evidence.sequences import Bounds
from netgain.report import drifting, sentences
from netgain.report.figures import counted, interval, known, middle, minus, named, points, signed
from netgain.report.frame import LABELS, WIDE, Frame, bounds
from netgain.report.reading import (
    INSTRUMENTS,
    Reading,
    by_round,
    kept_share,
    latest,
    right_passed,
    right_share,
)
from netgain.report.svg import Html, Scale, dot, drawing, line, text
from netgain.report.table import Figure, Table

HUES = ("c1", "c2", "c3", "c4")
DASHES = ("7 3", "2 3", "9 3 2 3", "5 5", "1 4", "12 4", "4 2 1 2", "3 6")
Curves = Sequence[Mapping[int, float]]


def style(reading: Reading, arm: str) -> tuple[str, str | None]:
    """Class and dash of an arm's lines: the claimed arm, the controls it has to beat, all others."""
    if arm == reading.arm:
        return "own", None
    if arm in reading.controls:
        place = reading.controls.index(arm)
        return HUES[place % len(HUES)], DASHES[place // len(HUES)] if place >= len(HUES) else None
    others = [name for name in reading.arms if name != reading.arm and name not in reading.controls]
    return "other", DASHES[others.index(arm) % len(DASHES)]


def all_arms(reading: Reading) -> Figure:
    """Medians of every arm with names beside them; starts as thin lines for the claimed arm and its controls."""
    said = sentences.curves(reading)
    caption = (
        f"Released system on the report items of {named(reading.metric)}. Thick: median over starts; thin: one start "
        f"({named(reading.arm)} and the controls it has to beat); dashed thin: its working system. Coloured: "
        "required; grey: other arms."
    )
    caption += drifting.caption(reading)
    return Figure(caption, [_main(reading, said), *_panels(reading)], [_medians(reading), _by_start(reading)])


def _main(reading: Reading, said: str) -> Html:
    frame = Frame(WIDE, 420, reading.facts.rounds, right=LABELS)
    thin = [part for arm in reversed([reading.arm, *reading.controls]) for part in _thin(reading, frame, arm)]
    thick = [
        frame.curve(
            reading.median_curve(arm),
            f"line {style(reading, arm)[0]}",
            dash=style(reading, arm)[1],
            breaks=reading.breaks(*reading.runs(arm)),
        )
        for arm in reversed(reading.arms)
    ]
    parts = [*frame.axes(), *thin, *thick, *frame.labels(_ends(reading), frame.width - LABELS + 30)]
    return drawing("arms", frame.width, frame.height, f"Score of every arm on {reading.metric} by round", said, parts)


def _thin(reading: Reading, frame: Frame, arm: str) -> list[Html]:
    class_, parts = style(reading, arm)[0], []
    for run in reading.runs(arm) if arm in reading.arms else []:
        ends = reading.breaks(run)
        parts.append(frame.curve(reading.curve(run), f"thin {class_}", breaks=ends))
        working = reading.curve(run, "working")
        if arm == reading.arm and working != reading.curve(run):
            parts.append(frame.curve(working, f"thin {class_}", dash="3 3", breaks=ends))
    return parts


def _ends(reading: Reading) -> dict[str, tuple[float, str]]:
    """Labels at the right ends of the medians."""
    curves = {arm: reading.median_curve(arm) for arm in reading.arms}
    return {arm: (latest(curve), style(reading, arm)[0]) for arm, curve in curves.items() if curve}


def _panels(reading: Reading) -> list[Html]:
    """One small plot per arm, with the claimed arm's median behind it."""
    ghost = reading.median_curve(reading.arm)
    return [_panel(reading, arm, place, ghost) for place, arm in enumerate(reading.arms)]


def _panel(reading: Reading, arm: str, place: int, ghost: Mapping[int, float]) -> Html:
    frame = Frame(216, 150, reading.facts.rounds, top=30, left=34, right=10, bottom=28)
    class_, curve = style(reading, arm)[0], reading.median_curve(arm)
    parts = [*frame.axes("", most=3), text(4, 16, arm, class_=f"label {class_}")]
    if arm != reading.arm:
        parts.append(frame.curve(ghost, "ghost", breaks=reading.breaks(*reading.runs(reading.arm))))
    runs, ends = reading.runs(arm), {run.replica: reading.breaks(run) for run in reading.runs(arm)}
    for role, dash in (("released", None), ("working", "3 3")):
        parts += [frame.curve(reading.curve(run, role), f"thin {class_}", dash=dash, breaks=ends[run.replica])
                  for run in runs]  # fmt: skip
    parts.append(frame.curve(curve, f"line {class_}", breaks=reading.breaks(*runs)))
    told = f"{arm}: median {points(curve[max(curve)])} in round {max(curve)}." if curve else f"{arm}: not measured yet."
    return drawing(f"arm{place}", frame.width, frame.height, f"Arm {arm} by start", told, parts)


def _medians(reading: Reading) -> Table:
    rounds = list(range(reading.facts.rounds + 1))
    rows = []
    for arm in reading.arms:
        curve = reading.median_curve(arm)
        rows.append([named(arm), *(points(curve[at]) if at in curve else "–" for at in rounds)])
    less = drifting.median_curve(reading)
    if less:
        cells = [points(less[at]) if at in less else "–" for at in rounds]
        rows.append([f"{named(reading.arm)}, less drift", *cells])
    return Table("Released system, median over starts, by round", ["Arm", *map(str, rounds)], rows)


def _by_start(reading: Reading) -> Table:
    rounds = list(range(reading.facts.rounds + 1))
    rows = []
    for arm in reading.arms:
        for run in reading.runs(arm):
            curve, name = reading.curve(run), f"{named(arm)}, start {run.replica}"
            rows.append(
                [
                    f"{name}, entry {named(run.variant)}" if run.variant else name,
                    *(points(curve[at]) if at in curve else "–" for at in rounds),
                ]
            )
    for run in reading.runs(reading.arm):
        curve = reading.curve(run, "working")
        rows.append(
            [
                f"{named(reading.arm)}, start {run.replica}, working",
                *(points(curve[at]) if at in curve else "–" for at in rounds),
            ]
        )
    return Table("Every start", ["Arm and start", *map(str, rounds)], rows)


def own_data(reading: Reading) -> tuple[str, Figure]:
    """Kept share and share of right answers by round."""
    kept, right, passed = (reading.shares(reading.arm, share) for share in (kept_share, right_share, right_passed))
    said = sentences.own_data(reading, by_round(kept), by_round(right), by_round(passed))
    caption = (
        "Left: share of its own answers that was kept. Right: share of right answers, solid among those that "
        "passed the check, dashed among all."
    )
    if not any(kept):
        return said, Figure(caption, [], [], refused=said)
    pictures = [
        _shares(reading, "kept", f"Share of its own answers that {reading.arm} kept", said, [("kept", kept, None)]),
        _shares(
            reading,
            "right",
            "Share of right answers among its own",
            said,
            [("passed", passed, None), ("all", right, "6 4")],
        ),
    ]
    return said, Figure(caption, pictures, [_share_table(reading)])


def _shares(
    reading: Reading, ident: str, title: str, said: str, lines: Sequence[tuple[str, Curves, str | None]]
) -> Html:
    frame = Frame(455, 230, reading.facts.rounds, right=80, top=30)
    parts, ends = [*frame.axes(), text(8, 16, title, class_="label")], {}
    for name, curves, dash in lines:
        parts += [frame.curve(curve, "thin own", dash=dash) for curve in curves if curve]
        found = by_round([dict(curve) for curve in curves])
        if found:
            parts.append(frame.curve(found, "line own", dash=dash))
            ends[name] = (latest(found), "own")
    return drawing(ident, frame.width, frame.height, title, said, [*parts, *frame.labels(ends, frame.width - 60)])


def _share_table(reading: Reading) -> Table:
    rounds, rows = list(range(1, reading.facts.rounds + 1)), []
    shares = (("kept", kept_share), ("right, of all", right_share), ("right, of those passed", right_passed))
    for arm in reading.arms:
        for name, share in shares:
            found = by_round(reading.shares(arm, share))
            if found:
                rows.append([f"{named(arm)}: {name}", *(points(found[at]) if at in found else "–" for at in rounds)])
    return Table("Medians over starts, by round", ["Arm and share", *map(str, rounds)], rows)


def yardsticks(reading: Reading) -> tuple[str, Figure]:
    """Three gains of the same loop: by its own current score, by its round-0 score, sealed."""
    own, fixed = reading.own_scores(), reading.round_0_scores()
    ends, first = reading.sealed(reading.arm), reading.sealed("frozen")
    gains = {"own": middle([_gain(one) for one in own]), "fixed": middle([_gain(one) for one in fixed]),
             "sealed": middle([minus(a, b) for a, b in zip(ends, first, strict=True)])}  # fmt: skip
    said = sentences.yardsticks(gains)
    seals = [("0", 0, middle(first)), ("end", reading.facts.rounds, middle(ends))]
    picture = _three(
        reading, said, by_round(own), by_round(fixed), [(at, value) for _, at, value in seals if value is not None]
    )
    caption = (
        f"Own current score: share of the answers that {named(reading.arm)} gave itself in the round and that "
        "passed its own check of that round; its questions "
        "change with the round. Round-0 score: the same questions of round 1 asked of every released system, "
        f"generation 0 judging. Sealed: metric of {named(reading.metric)} on items that did not exist before "
        "everything was frozen; generation 0 and what is served."
    )
    return said, Figure(caption, [picture], [_yard_table(reading, own, fixed)])


def _gain(curve: Mapping[int, float]) -> float | None:
    return curve[max(curve)] - curve[min(curve)] if len(curve) > 1 else None


def _three(
    reading: Reading, said: str, own: dict[int, float], fixed: dict[int, float], seals: list[tuple[int, float]]
) -> Html:
    frame = Frame(WIDE, 260, reading.facts.rounds, right=LABELS)
    parts, ends = frame.axes(), {}
    for name, curve, class_, dash in (
        ("own current score", own, "c1", "7 3"),
        ("its round-0 score", fixed, "own", None),
    ):
        if curve:
            parts.append(frame.curve(curve, f"line {class_}", dash=dash))
            ends[name] = (latest(curve), class_)
    parts += [dot(frame.x(at), frame.y(value), 6, "sealed") for at, value in seals]
    if seals:
        ends["sealed (rings)"] = (seals[-1][1], "ink")
    parts += frame.labels(ends, frame.width - LABELS + 30)
    return drawing("yard", frame.width, frame.height, "Three yardsticks by round, medians over starts", said, parts)


def _yard_table(reading: Reading, own: Curves, fixed: Curves) -> Table:
    first, ends, rows = reading.sealed("frozen"), reading.sealed(reading.arm), []
    for place, run in enumerate(reading.runs(reading.arm)):
        gains = [_gain(own[place]), _gain(fixed[place]), minus(ends[place], first[place])]
        rows.append([f"start {run.replica}", *(signed(gain) if gain is not None else "–" for gain in gains)])
    return Table(
        "Gain by start, last round less first", ["Start", "own current score", "round-0 score", "sealed"], rows
    )


def inflation(reading: Reading) -> tuple[str, Figure]:
    """Gain on report items, and where the gate put it, against the sealed one, start by start."""
    seen, bounds_seen = reading.reported_gains(), reading.gate_bounds()
    sealed = reading.differences("frozen", reading.gate_axis)
    if len(seen) != len(sealed):
        seen = [None] * len(sealed)
    said = sentences.inflation(reading, seen, sealed)
    caption = (
        f"Gain over generation 0 on {named(reading.gate_axis)} by start: ring, on report items, drawn towards the mean "
        "of the starts; disc, sealed. The gate's own estimate is not given: it is the larger for having been promoted."
    )
    rows = [
        [f"start {one}", interval(held.low, held.high) if held else "–", signed(a), signed(b), signed(minus(a, b))]
        for one, held, a, b in zip(reading.replicas, _padded(bounds_seen, len(seen)), seen, sealed, strict=True)
    ]
    columns = ["Start", "gate, 95 % at any stop", "report items", "sealed", "inflation"]
    table = Table("Gain over generation 0", columns, rows)
    there = [value for value in (*seen, *sealed) if value is not None]
    if not there or seen.count(None) == len(seen):
        return said, Figure(caption, [], [], refused=said)
    return said, Figure(caption, [_dumbbells(reading, said, seen, sealed, bounds(there))], [table])


def _padded(found: Sequence[Bounds | None], size: int) -> Sequence[Bounds | None]:
    return found if len(found) == size else [None] * size


def _dumbbells(
    reading: Reading, said: str, seen: Sequence[float | None], sealed: Sequence[float | None], ends: tuple[float, float]
) -> Html:
    height = 34.0 + 22 * len(seen)
    x = Scale(*ends, 80, WIDE - 20)
    parts = [line(x(tick), 8, x(tick), height - 26, "grid") for tick in x.ticks(8)]
    parts += [text(x(tick), height - 10, signed(tick), anchor="middle", class_="tick") for tick in x.ticks(8)]
    parts.append(line(x(0), 8, x(0), height - 26, "zero"))
    for place, (one, gate, own) in enumerate(zip(reading.replicas, seen, sealed, strict=True)):
        y = 20.0 + 22 * place
        parts.append(text(70, y + 4, f"start {one}", anchor="end", class_="tick"))
        if gate is not None and own is not None:
            parts.append(line(x(gate), y, x(own), y, "span"))
        parts += [dot(x(own), y, 5, "disc own")] if own is not None else []
        parts += [dot(x(gate), y, 6, "ring")] if gate is not None else []
    title = f"Gain on {reading.gate_axis}, on report items and sealed, {counted(len(seen), 'start')}"
    return drawing("inflation", WIDE, height, title, said, parts)


def without_table(reading: Reading) -> Table:
    """What is left of the loop without each thing: a list that does not sum."""
    loop, rows = sentences.LOOP, []
    for arm in sorted((arm for arm in reading.arms if arm != loop), key=lambda arm: arm in INSTRUMENTS):
        gaps = known(reading.differences(arm, own=loop))
        spread = f"{signed(min(gaps))} to {signed(max(gaps))}" if gaps else "–"
        rows.append(
            [named(arm), sentences.without(arm), points(middle(reading.sealed(arm))), signed(middle(gaps)), spread]
        )
    caption = (
        f"Without … the median start ends at … ({named(loop)} itself: {points(middle(reading.sealed(loop)))}). "
        "These values overlap and do not sum."
    )
    return Table(
        caption,
        ["Arm", "Condition", "Median start ends at", f"{named(loop)} less it, median", "Range over starts"],
        rows,
        (0, 1),
    )
