"""`netgain replicate`: a finished study run once more, and a statement about what that shows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from netgain import verify as verifier
from netgain.case import case_of
from netgain.cli.answer import Reply
from netgain.cli.folder import Project, copy_folder, need_folder, open_project
from netgain.cli.running import Run, conduct
from netgain.cli.words import effect_in_words
from netgain.errors import ConfigError, IntegrityError
from netgain.ledger import Ledger, utc_now
from netgain.ledger.files import write_durably
from netgain.replication import (
    DIFFERS,
    NOT_REPRODUCED,
    REPRODUCED,
    Finished,
    challenge_root,
    incomparable,
    looks_taken,
    passes,
    read_finished,
    revealed,
    statement,
)
from netgain.signing import own_signer, signed_statement

Json = Any
EXITS = {NOT_REPRODUCED: 4, DIFFERS: 7}


def replicate(*, folder: Path, to: Path, challenge: str | None, workers: int | None, as_json: bool) -> Reply:
    """`netgain replicate`."""
    need_folder(folder)
    first, secrets = _read(folder)
    sound(folder)
    if not Ledger.begun(to):
        copy_folder(folder, to, {})
    project = _again(open_project(to, device=str(first.facts.study.get("device", "cpu"))), first, secrets, challenge)
    asked = Run(project, workers or project.workers, False, bool(first.facts.registration["exploratory"]), as_json)
    for look in looks_taken(first.facts):
        if not _reached(to, look, challenge):
            conduct(replace(asked, extend=_concluded(to)), None)
    sound(to)
    second, _ = _read(to)
    said = statement(first, second, challenge=challenge, folder=to.resolve().name, time=utc_now())
    found = signed_statement(said, own_signer())
    path = to.resolve().with_name(f"{to.resolve().name}.statement.json")
    write_durably(path, json.dumps(found, indent=2, sort_keys=True).encode())
    record = {"schema": "netgain.replicate/1", "folder": str(to), "written": str(path), **_told(found)}
    return Reply(record, _words(record, folder), EXITS.get(found["word"], 0))


def sound(folder: Path) -> None:
    """Raises IntegrityError when a study does not verify: what is broken is neither repeated nor extended."""
    try:
        found = verifier.verify(folder)
    except LookupError as error:
        raise ConfigError(str(error), where=str(folder), fix="give the folder of a study of this version") from None
    wrong = [one for one in found["checks"] if one["ok"] is False]
    if wrong:
        what = f"it does not verify: {wrong[0]['name']}: {wrong[0]['detail']}"
        raise IntegrityError(what, where=str(folder), fix=f"see `netgain verify {folder}`")


def _read(folder: Path) -> tuple[Finished, dict[int, str]]:
    with Ledger.open(folder, readonly=True) as log:
        return read_finished(log), revealed(log.events("secret_revealed"))


def _again(project: Project, first: Finished, secrets: dict[int, str], challenge: str | None) -> Project:
    """The same study under the first one's root and secrets, or under the root that the challenge gives."""
    study, registration = project.study, first.facts.registration
    differs = incomparable(registration, study.claim.to_json(), study.registered(), study.contract())
    if differs is not None:
        fix = "use the version, the files and the machine's packages that the first study was registered with"
        raise ConfigError(f"this would be another study: {differs}", where=str(project.folder), fix=fix)
    if challenge is None:
        return replace(project, study=replace(study, root=registration["root"], secrets=secrets))
    root = challenge_root(str(registration["claim_digest"]), challenge)
    return replace(project, study=replace(study, root=root))


def _concluded(folder: Path) -> bool:
    if not Ledger.begun(folder):
        return False
    with Ledger.open(folder, readonly=True) as log:
        verdicts = [one.data["look"] for one in log.events("verdict")]
        return bool(verdicts) and verdicts[-1] == len(list(log.events("replica_enrolled")))


def _reached(folder: Path, look: int, challenge: str | None) -> bool:
    """Whether the second study needs to go no further: this look is done, or, under a challenge, the word is there."""
    if not _concluded(folder):
        return False
    second, _ = _read(folder)
    decided = challenge is not None and passes(case_of(second.facts)).word != "INCONCLUSIVE"
    return decided or len(second.facts.enrolled) >= look


def _told(found: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in found.items() if name != "schema"}


def _words(record: dict[str, Json], folder: Path) -> str:
    first, second = record["first"], record["second"]
    rows = [
        ("word", f"{record['word']}: {record['reason']}"),
        ("first", f"{folder}: {first['verdict']}, {effect_in_words(first['effect'])}"),
        ("second", f"{record['folder']}: {second['verdict']}, {effect_in_words(second['effect'])}"),
        ("claims", f"{first['claim_digest']} and {second['claim_digest']}"),
        ("roots", f"{first['root']} and {second['root']}"),
        ("libraries", record["libraries"]), ("statement", record["written"]), ("level", _level(record)),
        ("check", f"netgain verify {folder} --statement {record['written']}"),
    ]  # fmt: skip
    return "\n".join(f"{name:<10}{text}" for name, text in rows)


def _level(record: dict[str, Json]) -> str:
    if record["challenge"] is None:
        return "none: level 5 needs a root that the other party drew (--root)"
    if record["word"] != REPRODUCED:
        return "none: level 5 needs a second study that passes by itself"
    if not record["signed"]:
        return f"5 for whoever knows who drew the challenge and ran this; {record['signed_reason']}"
    return f"5 for whoever knows the key {record['signer']} as another party's (--trust)"
