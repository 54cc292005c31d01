"""The command line. Every command is declared here; what it does is imported when it is called, so help stays quick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from netgain.cli.answer import Commands, answer, hello

STUDY = click.Path(path_type=Path)
BESIDE = "-"  # `--csv` without a folder


def _shared(command: Callable[..., int]) -> Callable[..., int]:
    """The options that every command has."""
    for flag, text in (
        ("--debug", "Show the traceback of an error."),
        ("--json", "Print one JSON object with a `schema` field and nothing else on stdout."),
    ):
        command = click.option(flag, is_flag=True, help=text)(command)
    return command


def _size(text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option("--size", metavar="NAME", help=text)


_root = click.option(
    "--root", metavar="HEX", help="64 hex digits to repeat a result with; such a study is evidence level 2 at most."
)
_workers = click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes side by side; no result depends on it."
)
_device = click.option("--device", metavar="NAME", default="cpu", show_default=True, help="Where loop code computes.")
_exploratory = click.option(
    "--exploratory", is_flag=True, help="Run also what cannot answer its claim; it can never be evidence."
)


def _example(*lines: str) -> str:
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)])


@click.group(cls=Commands, invoke_without_command=True, epilog=_example("netgain run ladder"))
@click.option("--version", is_flag=True, help="Print the version and go.")
@_shared
@click.pass_context
def main(context: click.Context, version: bool, json: bool, debug: bool) -> int:
    """Runs loops that improve themselves beside their control arms, and says what is left of the gain.

    Exit codes: 0 done, or the verdict is SUPPORTED; 1 internal error; 2 wrong input; 3 REFUTED; 4 INCONCLUSIVE, or the
    plan cannot answer the claim; 5 stopped on request, or disk full; 7 INVALID; 8 a limit
    of this call is used up; 75 another run holds
    the folder; 130 interrupted. Whatever stopped a study: `netgain run` continues it.
    """
    return 0 if context.invoked_subcommand else hello(as_json=json, version=version)


@main.command(epilog=_example("netgain recipes"))
@_shared
def recipes(**shared: bool) -> int:
    """List the built-in loops.

    With what they change, what they need, and how long they take.
    """
    return answer("netgain.cli.looking:recipes", shared)


@main.command(epilog=_example(
    "netgain init studies/mine --from length",
    "netgain init studies/none --from length --set check=none --set claim.by=0.1",
))  # fmt: skip
@click.argument("folder", metavar="DIR", type=STUDY)
@click.option("--from", "origin", metavar="RECIPE", required=True,
              help="A recipe, or file.py:name of a Study of your own, which is copied in.")  # fmt: skip
@_size("One of the recipe's sizes.")
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True,
              help="A recipe's option, or study.KEY, claim.KEY, budget.KEY of the two files. Repeatable.")  # fmt: skip
@_root
@_shared
def init(folder: Path, origin: str, size: str | None, settings: Sequence[str], root: str | None, **shared: bool) -> int:
    """Make the folder of a study.

    It gets netgain.toml and claim.toml, every key with its meaning. A folder that holds anything is left alone.
    """
    given = {"folder": folder, "origin": origin, "size": size, "settings": settings, "root": root}
    return answer("netgain.cli.folder:init", shared, **given)


@main.command(epilog=_example("netgain plan studies/mine", "netgain plan ladder --size tiny"))
@click.argument("study", metavar="[DIR|RECIPE]", default=".")
@_size("One of the recipe's sizes; only for a recipe that has no folder yet.")
@_workers
@_device
@_shared
def plan(study: str, size: str | None, workers: int | None, device: str, **shared: bool) -> int:
    """Say what a study costs and can show.

    Calibrates shortly and prints time, power and the smallest effect that the study can resolve. Exits with 4, and the
    reasons, when the study cannot answer its claim.
    """
    return answer("netgain.cli.planned:plan", shared, target=study, size=size, workers=workers, device=device)


@main.command(epilog=_example("netgain run length", "netgain run studies/mine --workers 4"))
@click.argument("study", metavar="DIR|RECIPE")
@_size("One of the recipe's sizes; only when the folder is made.")
@_workers
@_device
@click.option("--extend", is_flag=True, help="Go on to the next registered look of a finished study.")
@_exploratory
@_root
@_shared
def run(
    study: str, size: str | None, workers: int | None, device: str, extend: bool, exploratory: bool, root: str | None,
    **shared: bool,
) -> int:  # fmt: skip
    """Run a study, or continue it.

    A recipe runs in studies/RECIPE. Plans first, and refuses what cannot answer its claim. Ctrl-C, a crash and a full
    disk keep all that was done: the same command continues. Exits with 0 when the work is done, whatever the word;
    `netgain verify` carries the word.
    """
    return answer(
        "netgain.cli.running:run", shared, target=study, size=size, workers=workers, device=device, extend=extend,
        exploratory=exploratory, root=root, as_json=shared["json"],
    )  # fmt: skip


@main.command(epilog=_example("netgain status studies/length"))
@click.argument("study", metavar="DIR", type=STUDY)
@_shared
def status(study: Path, **shared: bool) -> int:
    """Say where a study stands.

    State, reason, since when and what comes next; runs, spend, verdict and result digest.
    """
    return answer("netgain.cli.looking:status", shared, folder=study)


@main.command(epilog=_example("netgain report studies/length"))
@click.argument("study", metavar="DIR", type=STUDY)
@_shared
def report(study: Path, **shared: bool) -> int:
    """Print where the report is, or make it.

    The report of a finished study is part of its record and stays as it is.
    """
    return answer("netgain.cli.looking:report", shared, folder=study)


@main.command(epilog=_example("netgain verify studies/length"))
@click.argument("study", metavar="DIR", type=STUDY)
@_shared
def verify(study: Path, **shared: bool) -> int:
    """Compute the verdict again.

    From the record alone, with none of the code that made it. The exit code is the word: 0 supported, 3 refuted, 4
    inconclusive, 7 invalid.
    """
    return answer("netgain.cli.looking:verify", shared, folder=study)


@main.command(epilog=_example("netgain export studies/length --csv tables"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.option(
    "--csv", "tables", metavar="[DIR]", type=STUDY, is_flag=False, flag_value=BESIDE, required=True,
    help="Folder for the tables; without one, the study's name with -csv behind it.",
)  # fmt: skip
@_shared
def export(study: Path, tables: Path, **shared: bool) -> int:
    """Write a study's tables as CSV.

    Runs, curves, decisions, sealed scores and every raw score.
    """
    beside = study.resolve().with_name(f"{study.resolve().name}-csv")
    return answer(
        "netgain.cli.looking:export", shared, folder=study, tables=beside if tables == Path(BESIDE) else tables
    )


@main.command(epilog=_example("netgain doctor"))
@_shared
def doctor(**shared: bool) -> int:
    """Check this machine.

    Python, packages, locks, processor cores, disk. Exits with 2 when something is missing.
    """
    return answer("netgain.cli.doctor:doctor", shared)


@main.command(epilog=_example("netgain bench", "netgain bench --only gate --only ledger"))
@click.option(
    "--only", metavar="GROUP", multiple=True,
    help="startup, gate, shapley, simulation, scores, ledger, flagship or tiny. Repeatable; default all.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Small sizes, no training: shows that it works, and judges no target.")
@_shared
def bench(only: Sequence[str], quick: bool, **shared: bool) -> int:
    """Measure how fast netgain is here.

    Medians of repeated figures with their spread, against targets, and against rivals where they are installed. Takes
    some minutes; docs/benchmarks.md says what each figure is.
    """
    return answer("netgain.cli.benching:bench", shared, only=only, quick=quick)


@main.command(epilog=_example("netgain stop studies/length"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.option("--reason", default="", metavar="TEXT", help="Why; goes into the record.")
@_shared
def stop(study: Path, reason: str, **shared: bool) -> int:
    """Ask a run to stop.

    The run that holds the study ends its present stages first; `netgain run` continues it.
    """
    return answer("netgain.cli.looking:stop", shared, folder=study, reason=reason)
