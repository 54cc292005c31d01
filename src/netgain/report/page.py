"""Puts the report together: sections in order, each a heading, sentences, figures, tables; one template."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from netgain.arms import SAMPLED
from netgain.facts import Facts
from netgain.report import (
    abilities,
    attribution_sentences,
    autonomy,
    batch,
    bounds,
    canaries,
    curves,
    differences,
    drift_map,
    drifting,
    monitoring,
    search_curve,
    sentences,
    shares,
    strips,
    tables,
    trials,
    waterfall,
)
from netgain.report.attribution import Attribution, Parts, Process, attribute
from netgain.report.figures import interval, percent, signed
from netgain.report.reading import Reading, read
from netgain.report.svg import Html, element
from netgain.report.table import Figure, Table
from netgain.report.whatif import alternatives

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class Section:
    """One part of the page: what it says, what it shows, and the lists and code it ends with."""

    ident: str
    heading: str
    said: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    items: Sequence[str] = ()
    code: Sequence[str] = ()


@dataclass(frozen=True)
class Header:
    """The verdict and everything that must be read with it."""

    status: str
    word: str
    claim: str
    number: str
    number_note: str
    said: Sequence[str]
    facts: Sequence[tuple[str, str]] = field(default_factory=list)


def render(facts: Facts) -> str:
    """The whole page, equal for equal tables."""
    style, template = _source("style.css"), _template()
    policy = f"default-src 'none'; style-src 'sha256-{_hash(style)}'; base-uri 'none'; form-action 'none'"
    if not facts.registration:
        return template.render(
            title="netgain report", policy=policy, style=Html(style), header=_nothing(), questions=(), sections=()
        )
    reading = read(facts)
    header = _decided(reading) if reading.verdict else _undecided(reading)
    title = f"{header.word}: {reading.arm} on {reading.metric}, netgain report"
    return template.render(
        title=title,
        policy=policy,
        style=Html(style),
        header=header,
        questions=sentences.questions(reading),
        sections=_sections(reading),
    )


def _source(name: str) -> str:
    return resources.files("netgain.report").joinpath(name).read_text("utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(prose=prose, glyph=glyph)
    return environment.from_string(_source("page.html"))


def _hash(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def prose(words: str) -> Html:
    """Escaped text in which `names` stand out."""
    return Html(re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(words)))


SHAPES = {
    "good": '<circle cx="8" cy="8" r="7"/>',
    "part": '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"/>'
    '<path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z"/>',
    "open": '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2"/>',
    "watch": '<path d="M8 1 15.5 14.5H.5z"/>',
    "bad": '<path d="M3 3l10 10M13 3L3 13" fill="none" stroke="currentColor" stroke-width="3"/>',
}


def glyph(status: str) -> Html:
    """The shape of a status: disc, half disc, ring, triangle, cross; the word stands beside it."""
    shape = Html(SHAPES[status])
    return element("svg", shape, viewBox="0 0 16 16", width=14, height=14, aria_hidden="true", class_="glyph")


def _decided(reading: Reading) -> Header:
    assert reading.verdict is not None
    verdict, facts = reading.verdict, reading.facts
    found = verdict.effect
    rows = [
        ("Starts", sentences.starts(reading)), ("Evidence", sentences.level(verdict)),
        ("Rung", sentences.rung(reading, verdict)), ("Mark", sentences.endogenous(verdict)),
        ("Weakest link", sentences.weakest(reading, verdict)), ("Why it stopped", sentences.stopping(reading)),
        ("Looks", sentences.looks(reading)), ("Size", sentences.scope(reading)),
        ("Attempts here", sentences.attempts(facts)),
        *([("Follows", follows)] if (follows := sentences.follows(facts)) else []),
    ]  # fmt: skip
    shown = verdict.word != "INVALID" and found["estimate"] is not None
    note = (
        f"{interval(found['low'], found['high'])}, {percent(found['confidence'], 1)} confidence"
        if shown
        else sentences.NO_NUMBER
    )
    return Header(
        tables.WORD_STATUS[verdict.word], verdict.word, sentences.claim(reading),
        signed(found["estimate"]) if shown else "", note,
        [sentences.registered(facts), sentences.effect(verdict)], rows,
    )  # fmt: skip


def _undecided(reading: Reading) -> Header:
    facts = reading.facts
    earlier = sentences.earlier_look(facts)
    rows = [
        ("State", sentences.state(facts)), ("Progress", sentences.progress(reading)),
        ("Looks", sentences.looks(reading)), ("Size", sentences.scope(reading)),
        ("Attempts here", sentences.attempts(facts)),
    ]  # fmt: skip
    return Header(
        "open", sentences.NOT_DECIDED, sentences.claim(reading), "", "",
        [sentences.registered(facts), *([earlier] if earlier else [])], rows,
    )  # fmt: skip


def _nothing() -> Header:
    return Header("open", sentences.NOT_DECIDED, "No claim is registered in this log.", "", "", [])


def _sections(reading: Reading) -> list[Section]:
    decided = reading.verdict is not None
    found = [_curves(reading), *([_differences(reading), _chain(reading)] if decided else [])]
    found += _attribution(reading) if decided else []
    found += [_own_data(reading), *([_yardsticks(reading), _guards(reading)] if decided else [])]
    found += [*_drift(reading), *([_rungs(reading)] if decided else [])]
    found += [_bounds(reading), _spend(reading), _decisions(reading), *_monitors(reading)]
    found += [*_canaries(reading), _looks(reading), *_epochs(reading)]
    found += [_changing(reading)] if decided else []
    return [*found, _not_shown(reading), _check(reading)]


def _curves(reading: Reading) -> Section:
    return Section("curves", "Generations and controls", [sentences.curves(reading)], [curves.all_arms(reading)])


def _differences(reading: Reading) -> Section:
    assert reading.verdict is not None
    said = [sentences.differences(reading), *sentences.vacuous(reading.verdict)]
    return Section("differences", "Paired differences", said, [differences.paired(reading)])


def _chain(reading: Reading) -> Section:
    said, figure = waterfall.figure(reading)
    return Section(
        "chain",
        sentences.ORIGIN,
        [said, *sentences.dependence(reading), *sentences.placebo(reading)],
        [figure],
        [curves.without_table(reading)],
    )


def _attribution(reading: Reading) -> list[Section]:
    """Shares and contrasts, where an arm or a mixture was run that says more than the total."""
    found = attribute(reading)
    if not attribution_sentences.anything(found):
        return []
    said = attribution_sentences.own_section(found)
    uses = [tables.uses(found.uses)] if found.uses else []
    missing = list(attribution_sentences.missing(found))
    return [Section("attribution", "Shares and contrasts", said, _shares(reading, found), uses, missing)]


def _shares(reading: Reading, found: Attribution) -> list[Figure]:
    drawn = []
    if isinstance(found.process, Process):
        title, (said, *_) = "Which changes were needed", attribution_sentences.process(found.process)
        drawn.append(shares.figure(reading, "process", title, said, found.process.shares, found.process.total))
    if isinstance(found.parts, Parts):
        title, (said, *_) = "Where the gain ended up", attribution_sentences.parts(found.parts)
        drawn.append(shares.figure(reading, "parts", title, said, found.parts.shares, found.parts.total))
    if isinstance(found.search, search_curve.Search):
        drawn.append(search_curve.figure(reading, found.search))
    return drawn


def _own_data(reading: Reading) -> Section:
    said, figure = curves.own_data(reading)
    return Section("own-data", "Data of its own making", [said], [figure])


def _yardsticks(reading: Reading) -> Section:
    three, three_figure = curves.yardsticks(reading)
    over, over_figure = curves.inflation(reading)
    return Section("yardsticks", "Three yardsticks, and inflation", [three, over], [three_figure, over_figure])


def _guards(reading: Reading) -> Section:
    shown = [tables.guards(reading), *abilities.tables(reading)]
    return Section("guards", "Guards and other axes", sentences.guards(reading), (), shown)


def _drift(reading: Reading) -> list[Section]:
    """Where every axis went, where generation 0 was asked beside the loop."""
    if drift_map.FROZEN not in reading.arms or not any(run.report for run in reading.runs(reading.arm)):
        return []
    return [Section("drift", "Drift of every axis", drift_map.said(reading), [drift_map.figure(reading)])]


def _rungs(reading: Reading) -> Section:
    assert reading.verdict is not None
    said = [
        sentences.rung(reading, reading.verdict),
        sentences.endogenous(reading.verdict),
        sentences.checks(reading.facts),
        *sentences.transplant(reading),
    ]
    return Section("rungs", "Rungs", said, (), [tables.rungs(reading)])


def _bounds(reading: Reading) -> Section:
    answers = bounds.answers(reading)
    shown = [bounds.table(reading), *([answers] if answers else [])]
    return Section("bounds", "Bounds set by people", bounds.said(reading), (), shown)


def _spend(reading: Reading) -> Section:
    said = sentences.spending(reading)
    said += [sentences.tries(reading.facts)] if SAMPLED in reading.arms else []
    shown = [tables.spend(reading, phase) for phase in tables.PHASES if _booked(reading, phase)]
    return Section("spend", "Spend", said, (), [tables.matched(reading), *shown] if reading.verdict else shown)


def _booked(reading: Reading, phase: str) -> bool:
    """Phases after the seal are shown once there is a verdict, and moving improvers where any was moved."""
    return {"sealed": reading.verdict is not None, "transplant": bool(reading.facts.moves)}.get(phase, True)


def _decisions(reading: Reading) -> Section:
    said = [
        sentences.decisions(reading),
        *batch.said(reading),
        sentences.autonomy(reading)[:1].upper() + sentences.autonomy(reading)[1:] + ".",
        *autonomy.said(reading),
    ]
    shown = [strips.gate(reading), strips.counts(reading), strips.autonomy(reading), strips.surfaces(reading)]
    shown.append(autonomy.table(reading))
    return Section("decisions", "Decisions", said, (), shown)


def _monitors(reading: Reading) -> list[Section]:
    shown = monitoring.table(reading)
    return [Section("monitors", "Monitors", monitoring.said(reading), (), [shown])] if shown else []


def _canaries(reading: Reading) -> list[Section]:
    shown, rates, tried = canaries.figure(reading), canaries.cheating(reading), trials.table(reading)
    found = (
        [Section("canaries", "Canaries", canaries.said(reading), [shown], [rates] if rates else [])] if shown else []
    )
    return [*found, *([Section("probation", "Probation", trials.said(reading), (), [tried])] if tried else [])]


def _looks(reading: Reading) -> Section:
    figure = Figure(
        "Every use of fresh items by a decider, along the log.",
        [strips.timeline(reading)],
        [tables.milestones(reading)],
    )
    drift = sentences.drift(reading)
    said = [sentences.looks(reading), sentences.claim_looks(reading), drift[:1].upper() + drift[1:] + "."]
    less = drifting.corrected(reading)
    said += [drifting.SUBTRACTED] if less else []
    shown = [tables.claim_looks(reading), tables.drift(reading), *([less] if less else [])]
    return Section("looks", "Looks, seal and drift", said, [figure], shown)


def _epochs(reading: Reading) -> list[Section]:
    """Contracts that moved, and what that did to the measuring; nothing where none did."""
    shown = drifting.epochs(reading)
    return [Section("epochs", "Epochs of the contract", drifting.said(reading), (), shown)] if shown else []


def _changing(reading: Reading) -> Section:
    assert reading.case is not None and reading.verdict is not None
    rows = alternatives(reading.facts, reading.case, reading.verdict)
    said = [sentences.changing(rows), sentences.holds_to(reading, reading.verdict)]
    return Section("changing", "What would change this verdict", said, (), [tables.changing(rows)])


def _not_shown(reading: Reading) -> Section:
    return Section("not-shown", "Not shown by this evidence", (), (), (), sentences.not_shown(reading))


def _check(reading: Reading) -> Section:
    code = [
        "netgain verify .",
        "python3 verify.py .   # the same check from one file, standard library only, no network",
        "netgain export . --csv ../tables   # every table and every raw score",
    ]
    said = [sentences.checking(reading.facts)]
    return Section("check", "Check it yourself", said, (), [tables.fingerprints(reading)], (), code)
