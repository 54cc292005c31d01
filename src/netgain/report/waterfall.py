"""The telescoping chain: each arm adds one thing to the one before, and the steps sum by construction."""

from __future__ import annotations

import numpy as np

from netgain.evidence.effects import Chain, chain, chain_gap
from netgain.report import sentences
from netgain.report.figures import counted, known, named, points, signed
from netgain.report.frame import WIDE, bounds, plain
from netgain.report.reading import Reading
from netgain.report.svg import Html, Scale, box, drawing, group, line, text
from netgain.report.table import Figure, Table

LINKS = ("frozen", "ordinary", "stacked+placebo", "stacked", "self")
ROUNDING = 1e-9


class Refused(ValueError):
    """The chain cannot be drawn honestly."""


def order(reading: Reading) -> list[str]:
    """The registered chain as far as its arms were run and have a score."""
    return [arm for arm in LINKS if arm in reading.arms and known(reading.sealed(arm))]


def links(reading: Reading) -> Chain:
    """The chain over the starts in which every arm of it has a sealed score.

    Raises:
        Refused: too few arms, no complete start, or steps that do not sum.
    """
    arms = order(reading)
    scores = {arm: [np.nan if one is None else one for one in reading.sealed(arm)] for arm in arms}
    try:
        found = chain(scores, arms)
    except ValueError as error:
        raise Refused(str(error)) from None
    return checked(found)


def checked(found: Chain) -> Chain:
    """The chain, when its steps sum to its total.

    Raises:
        Refused: they do not, in the mean or in a start.
    """
    gap = chain_gap(found)
    if not gap <= ROUNDING:  # NaN is refused too
        raise Refused(
            f"the steps sum to {sum(step.mean for step in found.steps):+.6f}, the total is {found.total:+.6f}"
        )
    return found


def figure(reading: Reading) -> tuple[str, Figure]:
    """The waterfall, or the reason why there is none."""
    try:
        found = links(reading)
    except Refused as reason:
        return f"The waterfall is not drawn: {reason}.", Figure("", [], [], refused=f"Not drawn: {reason}.")
    first = _first(reading, found)
    said = sentences.waterfall(found, first)
    caption = (
        f"Each bar is the mean over {counted(found.starts, 'start')} of what an arm adds to the arm before it, so "
        "that bars sum exactly; a loss is drawn downward. "
        "Hatched: spend alone, no signal of the loop's own."
    )
    return said, Figure(caption, [_picture(found, first, said)], [_table(reading, found)])


def _first(reading: Reading, found: Chain) -> float:
    complete = [
        place
        for place in range(len(reading.replicas))
        if all(np.isfinite(step.differences[place]) for step in found.steps)
    ]
    scores = reading.sealed(found.steps[0].before)
    return float(np.mean([scores[place] for place in complete]))


def _picture(found: Chain, first: float, said: str) -> Html:
    levels = [first]
    for step in found.steps:
        levels.append(levels[-1] + step.mean)
    low, high = bounds(levels, most=max(levels))
    y = Scale(min(0.0, low), high, 250, 24)
    wide = (WIDE - 80) / (len(found.steps) + 2)
    parts = [line(60, y(tick), WIDE - 10, y(tick), "grid") for tick in y.ticks(6)]
    parts += [text(52, y(tick) + 4, plain(tick), anchor="end", class_="tick") for tick in y.ticks(6)]
    parts += _bar(0, wide, y, 0.0, first, "base", found.steps[0].before, "ends at", points(first))
    for place, step in enumerate(found.steps, start=1):
        words = sentences.STEPS.get(step.after, "")
        parts += _bar(
            place,
            wide,
            y,
            levels[place - 1],
            levels[place],
            _class(step.after, step.mean),
            step.after,
            words,
            signed(step.mean),
        )
        parts.append(
            line(
                60 + wide * place - 0.12 * wide,
                y(levels[place - 1]),
                60 + wide * place + 0.12 * wide,
                y(levels[place - 1]),
                "leader",
            )
        )
    last = len(found.steps) + 1
    parts += _bar(last, wide, y, 0.0, levels[-1], "total", found.steps[-1].after, "ends at", points(levels[-1]))
    parts.append(line(60, y(0), WIDE - 10, y(0), "axis"))
    return drawing("waterfall", WIDE, 320, "What each link of the chain adds", said, [_hatch(), *parts])


def _hatch() -> Html:
    from netgain.report.svg import element

    stroke = line(0, 0, 0, 6, "hatch-line")
    pattern = element(
        "pattern", stroke, id="hatch", width=6, height=6, patternUnits="userSpaceOnUse", patternTransform="rotate(45)"
    )
    return element("defs", pattern)


def _class(arm: str, mean: float) -> str:
    kind = {"ordinary": "compute", "stacked+placebo": "random", "stacked": "checked"}.get(arm, "grown")
    return f"{kind} loss" if mean < 0 else kind


def _bar(
    place: int, wide: float, y: Scale, start: float, end: float, class_: str, arm: str, words: str, value: str
) -> list[Html]:
    left, centre = 60 + wide * (place + 0.12), 60 + wide * (place + 0.5)
    top, bottom = y(max(start, end)), y(min(start, end))
    under = 14 if end < start and bottom + 14 < 250 else 0
    label = text(centre, bottom + under if under else top - 6, value, anchor="middle", class_="label ink")
    lines = [
        text(centre, 286 + 13 * row, part, anchor="middle", class_="tick")
        for row, part in enumerate(_wrapped(words, wide))
    ]
    bar = box(left, top, 0.76 * wide, max(bottom - top, 1.5), f"bar {class_}")
    return [group([bar, label, text(centre, 270, arm, anchor="middle", class_="label ink"), *lines])]


def _wrapped(words: str, wide: float) -> list[str]:
    """Words in lines that fit under a bar."""
    room, lines = max(10, int((wide - 8) / 6.7)), [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:3]


def _table(reading: Reading, found: Chain) -> Table:
    columns = ["Step", "adds", *(f"start {one}" for one in reading.replicas), "mean"]
    rows = [
        [
            f"{named(step.before)} → {named(step.after)}",
            sentences.STEPS.get(step.after, ""),
            *map(signed, step.differences),
            signed(step.mean),
        ]
        for step in found.steps
    ]
    sums = [sum(step.differences[place] for step in found.steps) for place in range(len(reading.replicas))]
    rows.append(
        [
            f"{named(found.steps[0].before)} → {named(found.steps[-1].after)}",
            "all steps",
            *map(signed, sums),
            signed(found.total),
        ]
    )
    return Table("Steps by start; every column sums", columns, rows, (0, 1), strong=(len(rows) - 1,))
