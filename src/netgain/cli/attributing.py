"""The command attribution: where a finished study's gain came from."""

from __future__ import annotations

from pathlib import Path

from netgain.cli.answer import Reply
from netgain.cli.folder import need_folder
from netgain.errors import ConfigError
from netgain.ledger import Ledger
from netgain.report.attribution import attribute
from netgain.report.attribution_record import attribution_record
from netgain.report.attribution_sentences import all_of, missing
from netgain.report.reading import read
from netgain.seal import facts_of


def attribution(*, folder: Path) -> Reply:
    """`netgain attribution`: read from the log, as the page is."""
    need_folder(folder)
    if not Ledger.begun(folder):
        raise ConfigError("no study was started here", where=str(folder), fix="start it with `netgain run`")
    with Ledger.open(folder, readonly=True) as log:
        reading = read(facts_of(log))
    if reading.verdict is None:
        what = "there is no verdict yet, and nothing sealed to attribute"
        raise ConfigError(what, where=str(folder), fix=f"`netgain run {folder}` continues it")
    found = attribute(reading)
    lines = [line.replace("`", "") for line in (*all_of(found), *missing(found))]
    return Reply({**attribution_record(reading, found), "study": str(folder)}, "\n".join(lines))
