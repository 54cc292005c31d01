"""The report: one HTML file made from the log, with no script and no outside request."""

from __future__ import annotations

from pathlib import Path

from netgain.facts import Facts
from netgain.ledger.files import write_durably

NAME = "report.html"


def render_report(facts: Facts) -> str:
    """The report as one HTML page; equal tables give equal text. Without a verdict it says what is not decided yet."""
    from netgain.report.page import render

    return render(facts)


def write_report(folder: Path, facts: Facts) -> Path:
    """Write report.html into a study's folder.

    Raises:
        DiskFull: no room; an older report is kept.
    """
    path = folder / NAME
    write_durably(path, render_report(facts).encode())
    return path
