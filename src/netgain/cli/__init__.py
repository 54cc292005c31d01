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
        ("--candidate-text", "Put into --json also what loops and programs say in their own words."),
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
def main(context: click.Context, version: bool, json: bool, candidate_text: bool, debug: bool) -> int:
    """Runs loops that improve themselves beside their control arms, and says what is left of the gain.

    Exit codes: 0 done, or the verdict is SUPPORTED; 1 internal error; 2 wrong input; 3 REFUTED, or a document is
    blocked; 4 INCONCLUSIVE, a question that the plan or the study cannot answer, or documents for review only; 5
    stopped on request, or disk full; 6 all that is left waits for people; 7 INVALID; 8 a limit of this call is used
    up; 75 another run holds the folder; 130 interrupted. Whatever stopped a study: `netgain run` continues it.
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
    "netgain init --wrap train.py",
))  # fmt: skip
@click.argument("folder", metavar="[DIR]", type=STUDY, required=False)
@click.option("--from", "origin", metavar="RECIPE",
              help="A recipe, or file.py:name of a Study of your own, which is copied in.")  # fmt: skip
@click.option("--wrap", "script", metavar="FILE", type=STUDY,
              help="A training script: prints the lines that would make a study of it.")  # fmt: skip
@_size("One of the recipe's sizes.")
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True,
              help="A recipe's option, or study.KEY, claim.KEY, budget.KEY of the two files. Repeatable.")  # fmt: skip
@_root
@_shared
def init(
    folder: Path | None, origin: str | None, script: Path | None, size: str | None, settings: Sequence[str],
    root: str | None, **shared: bool,
) -> int:  # fmt: skip
    """Make the folder of a study, or propose how a script becomes one.

    The folder gets netgain.toml and claim.toml, every key with its meaning. A folder that holds anything is left alone.
    With --wrap nothing is made: a unified diff and a claim.toml go to stdout, with what only the author can fill in.
    """
    if script is not None:
        if folder or origin or size or settings or root:
            raise click.UsageError("--wrap FILE stands alone: it makes no folder.")
        return answer("netgain.cli.wrapping:propose", shared, file=script)
    if folder is None or origin is None:
        raise click.UsageError("Missing DIR and --from RECIPE, or --wrap FILE.")
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


@main.command(epilog=_example("netgain demo"))
@click.argument("study", metavar="[DIR]", type=STUDY, required=False)
@_workers
@_shared
def demo(study: Path | None, workers: int | None, **shared: bool) -> int:
    """Run a small loop beside its controls, to a verdict and its page.

    Under a minute, no torch: an evolution strategy that edits its own numbers. What it gained, and whether that is more
    than plain tuning or random draws give at the same spend. In studies/demo unless DIR is given.
    """
    return answer("netgain.cli.demonstrating:demo", shared, folder=study, workers=workers or 2, as_json=shared["json"])


@main.command(epilog=_example(
    "netgain run length",
    "netgain run studies/mine --workers 4",
    "netgain run studies/mine --new-epoch --reason 'the scorer took 1 for 1.0'",
))  # fmt: skip
@click.argument("study", metavar="DIR|RECIPE")
@_size("One of the recipe's sizes; only when the folder is made.")
@_workers
@_device
@click.option("--extend", is_flag=True, help="Go on to the next registered look of a finished study.")
@_exploratory
@click.option("--new-epoch", is_flag=True,
              help="Go on although code, scorer, library or limit moved: what that did is measured.")  # fmt: skip
@click.option("--reason", metavar="TEXT", help="Why it moved; needed with --new-epoch.")
@_root
@_shared
def run(
    study: str, size: str | None, workers: int | None, device: str, extend: bool, exploratory: bool, root: str | None,
    new_epoch: bool, reason: str | None, **shared: bool,
) -> int:  # fmt: skip
    """Run a study, or continue it.

    A recipe runs in studies/RECIPE. Plans first, and refuses what cannot answer its claim. Ctrl-C, a crash and a full
    disk keep all that was done: the same command continues. Exits with 0 when the work is done, whatever the word;
    `netgain verify` carries the word.
    """
    return answer(
        "netgain.cli.running:run", shared, target=study, size=size, workers=workers, device=device, extend=extend,
        exploratory=exploratory, root=root, as_json=shared["json"], new_epoch=new_epoch, reason=reason,
    )  # fmt: skip


@main.command(epilog=_example("netgain extend studies/length --replicas 6"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.option("--replicas", "starts", type=click.IntRange(min=1), required=True, metavar="N", help="Starts to add.")
@click.option("--to", metavar="DIR", type=STUDY, help="Folder of the new claim; left out: DIR-2, or the next free one.")
@_workers
@_exploratory
@_shared
def extend(study: Path, starts: int, to: Path | None, workers: int | None, exploratory: bool, **shared: bool) -> int:
    """Add starts to an INCONCLUSIVE study.

    Where the claim registered a look at that many, the study goes on under it and its starts count, as with
    `netgain run --extend`. When its looks are used up, a new claim is registered in a folder of its own: it names the
    first claim and its tree head, draws fresh starts and a fresh seal, and does not count the earlier starts.
    """
    return answer(
        "netgain.cli.extending:extend", shared, folder=study, starts=starts, to=to, workers=workers,
        exploratory=exploratory, as_json=shared["json"],
    )  # fmt: skip


@main.command(epilog=_example(
    "netgain replicate studies/length --to studies/again",
    "netgain replicate studies/length --to studies/theirs --root CHALLENGE",
))  # fmt: skip
@click.argument("study", metavar="DIR", type=STUDY)
@click.option("--to", metavar="DIR", type=STUDY, required=True, help="Folder of the second study; continued if begun.")
@click.option("--root", metavar="CHALLENGE", help="32 to 64 hex digits that the other party drew after the claim.")
@_workers
@_shared
def replicate(study: Path, to: Path, root: str | None, workers: int | None, **shared: bool) -> int:
    """Run a finished study once more, and state what that shows.

    Without --root from its own root and secrets, which has to give the same result digest (else it exits with 7). With
    a challenge, under a root that nobody knew when the claim was registered: reproduced if the second study passes the
    same test by itself (else it exits with 4). The statement is written beside the second folder, signed if you have a
    key.
    """
    return answer(
        "netgain.cli.repeating:replicate", shared, folder=study, to=to, challenge=root, workers=workers,
        as_json=shared["json"],
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


@main.command(epilog=_example("netgain attribution studies/length", "netgain attribution studies/length --json"))
@click.argument("study", metavar="DIR", type=STUDY)
@_shared
def attribution(study: Path, **shared: bool) -> int:
    """Say where the gain came from.

    Shares of surfaces and of parts, what each control and each use of a check holds up, inflation, people. What this
    study does not identify says which arm or data is missing. None of it decides the verdict.
    """
    return answer("netgain.cli.attributing:attribution", shared, folder=study)


@main.command(epilog=_example(
    "netgain verify studies/length",
    "netgain verify length.zip --checkpoint remembered.txt",
    "netgain verify length.zip --statement theirs.json --trust lab+1f2e3d4c+AXk...",
))  # fmt: skip
@click.argument("study", metavar="DIR|BUNDLE", type=STUDY)
@click.option("--statement", metavar="FILE", type=STUDY,
              help="What `netgain replicate` or `netgain attest` wrote, to be checked.")  # fmt: skip
@click.option(
    "--trust", metavar="KEY", help="Public key (name+id+key) of another party: its statement raises the level."
)
@click.option("--checkpoint", metavar="FILE", type=STUDY,
              help="Checkpoints that were kept elsewhere: the log has to begin with them.")  # fmt: skip
@_shared
def verify(study: Path, statement: Path | None, trust: str | None, checkpoint: Path | None, **shared: bool) -> int:
    """Compute the verdict again.

    From the record alone, with none of the code that made it; the record is a study's folder, or what `netgain bundle`
    made of one. Also says how much of the record is signed and known from elsewhere (V0 to V3). The exit code is the
    word: 0 supported, 3 refuted, 4 inconclusive, 7 invalid.
    """
    return answer(
        "netgain.cli.looking:verify", shared, folder=study, statement=statement, trusted=trust, checkpoint=checkpoint
    )


@main.command(epilog=_example("netgain attest studies/length", "netgain attest length.zip --to mine.json"))
@click.argument("study", metavar="DIR|BUNDLE", type=STUDY)
@click.option("--to", metavar="FILE", type=STUDY, help="File to be written; left out: beside the study.")
@_shared
def attest(study: Path, to: Path | None, **shared: bool) -> int:
    """Compute the verdict again and sign a statement that you did.

    With the key of `netgain keys new`. For a reader who knows that key as that of another party than the claimant, the
    study's evidence is of level 4: `netgain verify STUDY --statement FILE --trust KEY`.
    """
    return answer("netgain.cli.attesting:attest", shared, folder=study, to=to)


@main.command(epilog=_example("netgain bundle studies/length", "netgain bundle studies/length --out /tmp/length.zip"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.option("--out", metavar="FILE", type=STUDY, help="File to be written; left out: DIR.zip, beside the study.")
@_shared
def bundle(study: Path, out: Path | None, **shared: bool) -> int:
    """Pack a finished study into one file.

    Log, files, objects, checkpoints and public keys, in an order and with times that do not vary. `netgain verify` and
    `python3 verify.py` take the file as it is, offline.
    """
    return answer("netgain.cli.keeping:bundle", shared, folder=study, out=out)


@main.command(epilog=_example("netgain whatif studies/length --drop arm:placebo"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.option(
    "--drop", required=True, metavar="WHAT",
    help="human, guard:NAME, replica:K, arm:NAME, axis:NAME or item-cluster:K. A round cannot be dropped.",
)  # fmt: skip
@_shared
def whatif(study: Path, drop: str, **shared: bool) -> int:
    """Compute the verdict under one changed assumption.

    From the same record, by the same rules. What only a further arm could show is said to be not identifiable, with the
    arm to add, and exits with 4. Leaving out a start or items is never evidence.
    """
    return answer("netgain.cli.assuming:ask", shared, folder=study, drop=drop)


@main.command(epilog=_example("netgain compare studies/one studies/other"))
@click.argument("left", metavar="A", type=STUDY)
@click.argument("right", metavar="B", type=STUDY)
@_shared
def compare(left: Path, right: Path, **shared: bool) -> int:
    """Show two finished studies side by side.

    Only under one contract: else it exits with 2 and names the first part that differs. Sealed scores of what both
    served, net gains with their intervals, items paired where both opened the same sealed block. No test between them.
    """
    return answer("netgain.cli.comparing:beside", shared, left=left, right=right)


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


@main.command(epilog=_example(
    "netgain scan made.jsonl prompts --items items.jsonl",
    "netgain scan skills --items items.jsonl --split gate --background dev.jsonl --json",
))  # fmt: skip
@click.argument("documents", metavar="DOCUMENTS...", type=STUDY, nargs=-1, required=True)
@click.option("--items", metavar="FILE", type=STUDY, required=True,
              help="JSON Lines with `input`, and `target`, `id`, `split` where there are any.")  # fmt: skip
@click.option("--split", "splits", metavar="NAME", multiple=True,
              help="Look for the items of this split only. Repeatable; default all but dev.")  # fmt: skip
@click.option("--background", metavar="FILE", type=STUDY, multiple=True,
              help="Files or folders whose runs of eight words are not rare. Repeatable.")  # fmt: skip
@click.option("--near", is_flag=True, help="Also compare whole documents with whole questions, by MinHash.")
@_shared
def scan(
    documents: Sequence[Path], items: Path, splits: Sequence[str], background: Sequence[Path], near: bool,
    **shared: bool,
) -> int:  # fmt: skip
    """Look for protected items in documents.

    Documents are files or folders: text, or JSON Lines with one document a line. Exits with 0 when nothing was found, 3
    when a document is blocked (it holds 13 words in a row of an item, a whole question, or a canary), 4 when there is
    something for review only. What was found is named and never quoted. docs/contamination.md has the rules.
    """
    return answer("netgain.cli.scanning:scan", shared, documents=documents, items=items, splits=splits,
                  background=background, near=near)  # fmt: skip


@main.command(epilog=_example("netgain gauntlet --quick", "netgain gauntlet --population held-out.json --json"))
@click.option("--quick", is_flag=True, help="60 studies per mechanism instead of 204, without the search; minutes.")
@click.option(
    "--population", metavar="FILE", type=STUDY,
    help="A held-out population in place of the public one; opening it is a look, which is booked.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=20261128, show_default=True, metavar="N",
    help="Names the randomness: equal seeds, equal simulated studies.",
)  # fmt: skip
@click.option(
    "--page", metavar="FILE", type=STUDY, default="gauntlet.html", show_default=True, help="Where the page is written."
)
@click.option(
    "--keep", metavar="FOLDER", type=STUDY,
    help="Keep finished mechanisms there; the same command after a kill goes on where it was.",
)  # fmt: skip
@_workers
@_shared
def gauntlet(
    quick: bool, population: Path | None, seed: int, page: Path, keep: Path | None, workers: int | None, **shared: bool
) -> int:
    """Measure how often our own verdicts are wrong.

    Runs simulated studies of known truth, genuine and fake, through the real gate and the real verdict, and the accept
    rules of other tools on the same proposals. Exits with 0 whatever it finds: a missed target is printed as it is.
    """
    return answer("netgain.cli.measuring:gauntlet", shared, quick=quick, population=population, seed=seed, page=page,
                  keep=keep, workers=workers)  # fmt: skip


@main.command(epilog=_example("netgain doctor", "netgain doctor --sandbox"))
@click.option(
    "--sandbox", is_flag=True, help="Attack every sandbox that is here, a second or two each, and say what was stopped."
)
@_shared
def doctor(sandbox: bool, **shared: bool) -> int:
    """Check this machine.

    Python, packages, locks, processor cores, disk, sandboxes. Exits with 2 when something is missing that every study
    needs, or when a sandbox let an attack succeed.
    """
    return answer("netgain.cli.doctor:doctor", shared, sandbox=sandbox)


@main.command(epilog=_example("netgain bench", "netgain bench --only gate --only ledger"))
@click.option(
    "--only", metavar="GROUP", multiple=True,
    help="startup, gate, shapley, simulation, scores, contamination, sandbox, ledger, flagship, abreast, "
    "tiny. Repeatable; default all.",
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
    return answer("netgain.cli.asking:stop", shared, folder=study, reason=reason)


@main.command(epilog=_example("netgain pause studies/length"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.option("--reason", default="", metavar="TEXT", help="Why; goes into the record.")
@_shared
def pause(study: Path, reason: str, **shared: bool) -> int:
    """Ask a run to pause.

    Like `stop`, and the state says that somebody means to go on: `netgain run` does.
    """
    return answer("netgain.cli.asking:pause", shared, folder=study, reason=reason)


def _answering(command: Callable[..., int]) -> Callable[..., int]:
    """What `approve` and `deny` have in common."""
    for option in (
        click.option("--by", metavar="NAME", help="Who answers, unless it is the name of this account."),
        click.option("--private", is_flag=True, help="Keep the reason beside the log, so that it can be redacted."),
        click.option("--reason", metavar="TEXT", required=True, help="Why; goes into the record."),
        click.option("--digest", metavar="PREFIX", required=True,
                     help="At least 8 hex digits of the digest of the change that is meant."),
        click.option("--study", metavar="DIR", type=STUDY, default=".", show_default=True, help="The study's folder."),
        click.argument("ident", metavar="ID"),
    ):  # fmt: skip
        command = option(command)
    return command


@main.command(epilog=_example("netgain approve 7df4bc16 --study studies/mine --digest 51869210 --reason 'read it'"))
@_answering
@_shared
def approve(
    ident: str, study: Path, digest: str, reason: str, by: str | None, private: bool, **shared: bool
) -> int:  # fmt: skip
    """Agree to a change that waits.

    `netgain status` lists what waits. The answer holds for this one change: another digest needs another answer.
    """
    return answer("netgain.cli.asking:approve", shared, ident=ident, folder=study, digest=digest, reason=reason, by=by,
                  private=private)  # fmt: skip


@main.command(epilog=_example("netgain deny 7df4bc16 --study studies/mine --digest 51869210 --reason 'too large'"))
@_answering
@_shared
def deny(
    ident: str, study: Path, digest: str, reason: str, by: str | None, private: bool, **shared: bool
) -> int:  # fmt: skip
    """Say no to a change that waits.

    Its round ends as a rejected one, and is scored as what the run had before. One no is enough.
    """
    return answer("netgain.cli.asking:deny", shared, ident=ident, folder=study, digest=digest, reason=reason, by=by,
                  private=private)  # fmt: skip


@main.command(epilog=_example("netgain rollback studies/mine --run r0/self --to 2 --reason 'worse in use'"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.option("--to", type=click.IntRange(min=0), required=True, metavar="G",
              help="Round whose candidate was promoted; 0: generation 0.")  # fmt: skip
@click.option("--run", metavar="RUN", help="Which run; left out where the claimed arm has only one.")
@click.option("--reason", metavar="TEXT", required=True, help="Why; goes into the record.")
@click.option("--by", metavar="NAME", help="Who asks, unless it is the name of this account.")
@_shared
def rollback(study: Path, to: int, run: str | None, reason: str, by: str | None, **shared: bool) -> int:
    """Take a run back to a generation that it had promoted.

    The round in progress is given up; its place takes a measurement of what was restored. A decision by a person, which
    the verdict and the autonomy profile count as one.
    """
    return answer("netgain.cli.asking:rollback", shared, folder=study, run=run, to=to, reason=reason, by=by)


@main.command(epilog=_example("netgain redact studies/mine 5186921017ab --reason 'licence withdrawn'"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.argument("digest", metavar="DIGEST")
@click.option("--reason", metavar="TEXT", required=True, help="Why; goes into the record.")
@click.option("--by", metavar="NAME", help="Who redacts, unless it is the name of this account.")
@_shared
def redact(study: Path, digest: str, reason: str, by: str | None, **shared: bool) -> int:
    """Take one object out of a finished study.

    Its bytes go, its digest and the reason stay in the log, and `verify` calls it redacted. What only the bytes could
    show, such as a run of that system, can then be shown no more. docs/record.md has what a redaction leaves behind.
    """
    return answer("netgain.cli.keeping:redact", shared, folder=study, digest=digest, reason=reason, by=by)


@main.command(epilog=_example("netgain gc studies/mine --dry-run"))
@click.argument("study", metavar="DIR", type=STUDY)
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be removed, and remove nothing.")
@_shared
def gc(study: Path, dry: bool, **shared: bool) -> int:
    """Remove objects that nothing in a study names.

    A kill can leave some. Whatever the log or a waiting request names stays, so the study continues and verifies.
    """
    return answer("netgain.cli.keeping:gc", shared, folder=study, dry=dry)


@main.group()
def keys() -> None:
    """Keys that sign the logs of studies.

    Once there is one, every study that is registered by this account names it and leaves signed checkpoints.
    """


@keys.command("new", epilog=_example("netgain keys new --name example.org/lab"))
@click.option("--name", metavar="NAME", default="netgain", show_default=True,
              help="Shown in every signature; no space, no plus.")  # fmt: skip
@_shared
def keys_new(name: str, **shared: bool) -> int:
    """Make a key.

    It goes into the user's configuration folder, readable by this account only; with NETGAIN_KEY_PASSPHRASE set, it is
    encrypted. Needs the extra `sign`. Studies begun under an older key keep it until `netgain keys rotate`.
    """
    return answer("netgain.cli.keeping:keys_new", shared, name=name)


@keys.command("list", epilog=_example("netgain keys list"))
@_shared
def keys_list(**shared: bool) -> int:
    """List this user's public keys."""
    return answer("netgain.cli.keeping:keys_list", shared)


@keys.command("rotate", epilog=_example("netgain keys rotate studies/mine"))
@click.argument("study", metavar="DIR", type=STUDY)
@_shared
def keys_rotate(study: Path, **shared: bool) -> int:
    """Let an unfinished study go over to the newest key.

    By an entry of its log that the old and the new key have both signed.
    """
    return answer("netgain.cli.keeping:keys_rotate", shared, folder=study)
