"""The autonomy profile on the page: its sentences and its table, from the same record as `netgain report --json`."""

from __future__ import annotations

from collections.abc import Sequence

from netgain.deciders import autonomy_of
from netgain.evidence.autonomy import DECIDERS, Locus, Profile, Share, Touches
from netgain.report.figures import counted, joined, named, percent
from netgain.report.reading import Reading
from netgain.report.table import Cell, Table

HEADS = {"system": "system", "rule": "fixed policy", "model": "outside model", "person": "person"}


def said(reading: Reading) -> list[str]:
    """The profile in sentences: three shares, the touches of people, and what was fixed beforehand."""
    found = autonomy_of(reading.facts)
    fixed = f"Fixed by people before the first round: {joined(found.fixed)}."
    return [_shares(found, reading.arm), _touched(found), fixed]


def _shares(found: Profile, arm: str) -> str:
    own, of = found.overall.counts["system"], found.overall.count_share.of
    weighed, gain = found.overall.entropy_share, found.gain_share
    parts = [
        f"The system made {own} of {counted(of, 'decision')} about {named(arm)}, a gate fixed by the developer "
        f"counted as fixed policy ({percent(found.overall.count_share.value)})",
        f"weighed by log2 of the options open, {_told(weighed)} (over the {weighed.counted} that say how many)",
        f"of the gain, by Shapley values of the surfaces it decided on, {_told(gain)}",
    ]
    return f"{'; '.join(parts)}."


def _told(share: Share) -> str:
    return percent(share.value) if share.value is not None else f"an unknown share ({share.reason})"


def _touched(found: Profile) -> str:
    touches = found.overall.touches
    rate = "nothing was promoted" if touches.per_promotion is None else f"{touches.per_promotion:.3g} per promotion"
    asked = f"; they asked {counted(found.requests, 'time')} to stop or pause" if found.requests else ""
    return f"People decided {counted(touches.count, 'time')} ({rate}); {_between(touches)}{asked}."


def _between(touches: Touches) -> str:
    if touches.rounds_between is not None:
        return f"median {counted(touches.rounds_between, 'round')} between touches (Kaplan-Meier)"
    return f"rounds between touches: not known, the longest stretch without one was {counted(touches.longest, 'round')}"


def table(reading: Reading) -> Table:
    """The profile by locus."""
    found = autonomy_of(reading.facts)
    rows = [_row(one) for one in (*found.loci, found.overall)]
    columns = ["Locus", *HEADS.values(), "share of the system", "weighed by options", "touches", "rounds between"]
    return Table(f"Autonomy profile of {named(reading.arm)} by locus", columns, rows)


def _row(locus: Locus) -> Sequence[Cell]:
    weighed, between = locus.entropy_share, locus.touches.rounds_between
    share = f"{percent(weighed.value)} of {weighed.counted}" if weighed.value is not None else "–"
    wait = str(between) if between is not None else f"> {locus.touches.longest}"
    counts = [str(locus.counts[who]) for who in DECIDERS]
    return [locus.name, *counts, percent(locus.count_share.value), share, str(locus.touches.count), wait]
