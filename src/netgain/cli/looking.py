"""Commands that only look at a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netgain import verify as verifier
from netgain.cli.answer import Reply
from netgain.cli.folder import need_folder
from netgain.deciders import autonomy_of
from netgain.errors import ConfigError
from netgain.export import export_csv
from netgain.ledger import Ledger
from netgain.ledger.checkpoint import read_key
from netgain.ledger.files import DIGESTS
from netgain.recipes import RECIPES
from netgain.report import write_report
from netgain.seal import facts_of
from netgain.status import status_in_words, status_of

Json = Any


def recipes() -> Reply:
    """`netgain recipes`."""
    told = ("name", "surfaces", "needs", "minutes", "summary")
    listed = [{name: getattr(one, name) for name in told} for one in RECIPES.values()]
    lines = [f"{one['name']:<10}{one['minutes']:>5g} min   {one['summary']}{_needs(one['needs'])}" for one in listed]
    return Reply({"schema": "netgain.recipes/1", "recipes": listed}, "\n".join([*lines, "next: netgain run NAME"]))


def _needs(extras: Json) -> str:
    return f" (needs {', '.join(f'netgain[{one}]' for one in extras)})" if extras else ""


def status(*, folder: Path) -> Reply:
    """`netgain status`."""
    need_folder(folder)
    record = status_of(folder)
    return Reply(record, status_in_words(record))


def report(*, folder: Path) -> Reply:
    """`netgain report`: a finished study's page is part of its record and stays as it is."""
    need_folder(folder)
    path = folder / "report.html"
    made = not (folder / DIGESTS).exists() or not path.exists()
    if made:
        with Ledger.open(folder, readonly=True) as log:
            path = write_report(folder, facts_of(log))
    record = {"schema": "netgain.report/1", "report": str(path), "made": made, **_autonomy(folder)}
    return Reply(record, str(path))


def _autonomy(folder: Path) -> dict[str, Json]:
    """The autonomy profile of the claimed arm, as the page shows it."""
    with Ledger.open(folder, readonly=True) as log:
        facts = facts_of(log)
    if not facts.registration:
        return {"autonomy": None, "autonomy_reason": "no claim is registered"}
    return {"autonomy": autonomy_of(facts).to_json()}


def verify(*, folder: Path, statement: Path | None, trusted: str | None, checkpoint: Path | None) -> Reply:
    """`netgain verify`: what `verify.py` says, which uses nothing else of netgain."""
    if trusted is not None:
        if statement is None:
            raise ConfigError(
                "a key is trusted, and no statement is given", where="--trust", fix="add --statement FILE"
            )
        trusted = str(read_key(trusted))
    if not folder.is_file():
        need_folder(folder)
    try:
        found = verifier.verify(folder, statement, checkpoint, trusted, processes=2)
    except LookupError as error:
        fix = "give the folder, or the bundle, of a study of this version"
        raise ConfigError(str(error), where=str(folder), fix=fix) from None
    except ValueError as error:
        fix = "give the file that `netgain replicate` or `netgain attest` wrote"
        raise ConfigError(f"not a statement: {error}", where=str(statement), fix=fix) from None
    return Reply(found, verifier.in_words(found), verifier.EXIT[found["verdict"]])


def export(*, folder: Path, tables: Path) -> Reply:
    """`netgain export --csv`."""
    need_folder(folder)
    if tables.resolve().is_relative_to(folder.resolve()):
        what = f"{str(tables)!r} is inside the study, whose files are sealed"
        raise ConfigError(what, where="--csv", fix="give a folder outside")
    with Ledger.open(folder, readonly=True) as log:
        written = export_csv(log, tables)
    record = {"schema": "netgain.export/1", "folder": str(tables), "rows": written}
    return Reply(record, "\n".join(f"{tables / name}  {rows} rows" for name, rows in written.items()))
