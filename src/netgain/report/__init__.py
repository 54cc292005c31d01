"""The report: one HTML file made from the log."""

from __future__ import annotations

from pathlib import Path

from netgain.facts import Facts


def write_report(folder: Path, facts: Facts) -> Path:
    """Write report.html."""
    path = folder / "report.html"
    path.write_text("")
    return path
