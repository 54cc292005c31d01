"""What every command has in common: one result as text or JSON, one shape of error, the exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from netgain import __version__
from netgain.errors import BudgetExhausted, NetgainError
from netgain.inert import plain, withheld

Json = Any
GOLDEN = (
    ("netgain demo", "under a minute: a loop, its controls, a verdict, a page"),
    ("netgain init studies/mine --from ladder", "two files: how the study runs, and the claim"),
    ("netgain plan studies/mine", "cost, time, and what the study can show"),
    ("netgain run studies/mine", "runs until the verdict; run it again to continue"),
    ("netgain report studies/mine", "one page, drawn from the record"),
    ("netgain verify studies/mine", "the verdict again, from the record alone"),
)


@dataclass(frozen=True)
class Reply:
    """What a command found.

    Attributes:
        record: one JSON object with a `schema` field.
        text: the same for people.
        code: exit code.
    """

    record: Mapping[str, Json]
    text: str
    code: int = 0


class Commands(click.Group):
    """A group whose commands return exit codes, and whose usage errors have the one shape of error too."""

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; ends the process unless `standalone_mode=False`, which returns the exit code."""
        words = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(words, prog_name or "netgain", standalone_mode=False, **extra)
        except click.ClickException as error:
            code = _fail(_usage(error), as_json="--json" in words)
        except (click.Abort, KeyboardInterrupt):
            code = _fail(interrupted(), as_json="--json" in words)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)

    def list_commands(self, context: click.Context) -> list[str]:
        """In the order in which one needs them."""
        return list(self.commands)


def answer(what: str, shared: Mapping[str, bool], **given: Any) -> int:
    """Do a command and print what it found.

    Args:
        what: "module:function" that returns a `Reply`; imported here, when it is needed.
        shared: `json`, `debug`, and `candidate_text`: JSON has the loop's own words too.
        given: arguments of the function.

    Returns:
        The exit code.
    """
    try:
        module, _, name = what.partition(":")
        reply: Reply = getattr(import_module(module), name)(**given)
        record = reply.record if shared["candidate_text"] else withheld(reply.record)
        _print(json.dumps(record, allow_nan=False) if shared["json"] else plain(reply.text))
        return reply.code
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - broad: here all errors become one shape
        if shared["debug"]:
            traceback.print_exc()
        told = error_record(error)
        hidden = shared["json"] and not shared["candidate_text"]
        return _fail(withheld(told) if hidden else told, as_json=shared["json"])


def _print(text: str) -> None:
    try:
        click.echo(text)
    except BrokenPipeError:  # the reader has seen enough, as in `netgain status … | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def hello(*, as_json: bool, version: bool) -> int:
    """The version, or the golden path."""
    path = [{"cmd": command, "does": does} for command, does in GOLDEN]
    if as_json:
        record = {"schema": "netgain.version/1", "version": __version__}
        click.echo(json.dumps(record if version else {**record, "path": path}))
    elif version:
        click.echo(f"netgain {__version__}")
    else:
        width = max(len(command) for command, _ in GOLDEN)
        lines = [f"  {command:<{width}}   {does}" for command, does in GOLDEN]
        rest = "In one step: `netgain run ladder`. Built-in loops: `netgain recipes`. All commands: `netgain --help`."
        click.echo("\n".join(["From a loop to its verdict:", "", *lines, "", rest]))
    return 0


def note(text: str) -> None:
    """A line for people beside the result, on stderr."""
    click.echo(plain(text), err=True)


def error_record(error: BaseException) -> dict[str, Json]:
    """Any error in the one shape: error, what, where, fix, exit_code."""
    if isinstance(error, KeyboardInterrupt):
        return interrupted()
    if isinstance(error, NetgainError):
        return error.as_json()
    if isinstance(error, BudgetExhausted):
        fix = "run again to continue, or raise the limit under [budget]"
        return _record("BudgetExhausted", str(error), None, fix, error.exit_code)
    if isinstance(error, OSError):
        from netgain.ledger.files import translate  # with the database behind it, which no help text needs

        return translate(error, Path(error.filename or ".")).as_json()
    bug = "run it again with --debug, and report what it prints"
    return _record("InternalError", f"{type(error).__name__}: {error}", _place(error), bug, 1)


def interrupted() -> dict[str, Json]:
    """The record of Ctrl-C."""
    return _record("Interrupted", "interrupted; everything done so far is kept", None, "run again to continue", 130)


def _place(error: BaseException) -> str | None:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None


def _usage(error: click.ClickException) -> dict[str, Json]:
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "netgain"
    return _record("UsageError", error.format_message(), command, f"see `{command} --help`", error.exit_code)


def _record(name: str, what: str, where: str | None, fix: str, code: int) -> dict[str, Json]:
    return {"error": name, "what": what, "where": where, "fix": fix, "exit_code": code}


def _fail(record: Mapping[str, Json], *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"schema": "netgain.error/1", **record}))
    else:
        rest = [f"  {name}: {record[name]}" for name in ("where", "fix") if record[name]]
        click.echo(plain("\n".join([f"error: {record['what']}", *rest])), err=True)
    return int(record["exit_code"])
