"""`netgain gauntlet`: runs a population, prints the record, and writes the page where one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netgain.cli.answer import Reply, note
from netgain.errors import NetgainError
from netgain.gauntlet.campaign import run
from netgain.gauntlet.found import LONG, QUICK
from netgain.gauntlet.kept import Kept
from netgain.gauntlet.outcome import in_words, opening_in_words, population_record, record
from netgain.gauntlet.page import write_page
from netgain.gauntlet.population import development, held_out


def gauntlet(
    *, quick: bool, population: Path | None, seed: int, page: Path, keep: Path | None, workers: int | None
) -> Reply:
    """Run the gauntlet."""
    chosen = held_out(population) if population else development()
    if chosen.held_out:
        note(f"held-out population {chosen.digest[:12]}: {opening_in_words(population_record(chosen))}")
    size = QUICK if quick else LONG
    found = record(run(chosen, size, quick=quick, seed=seed, workers=workers, watch=note, kept=Kept(keep)))
    return Reply(found, f"{in_words(found)}\n\n{_written(found, page)}")


def _written(found: Mapping[str, Any], page: Path) -> str:
    """Where the page is. A page that cannot be written does not cost the figures of a long run."""
    try:
        return f"page: {write_page(found, page)}"
    except (OSError, NetgainError) as error:
        note(f"no page: {error}")
        return "no page"
