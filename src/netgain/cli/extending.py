"""`netgain extend`: more starts after an INCONCLUSIVE: under the first claim where it planned for them, else anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from netgain.claim import registered_sizes
from netgain.cli import running
from netgain.cli.answer import Reply
from netgain.cli.assuming import finished
from netgain.cli.folder import copy_folder, need_files, open_project
from netgain.cli.repeating import sound
from netgain.config import CLAIM_NAME, STUDY_NAME, read_claim, read_study, render_claim, render_study
from netgain.errors import ConfigError
from netgain.facts import Facts
from netgain.ledger import Ledger

Json = Any


@dataclass(frozen=True)
class Extension:
    """How `extend` was called."""

    folder: Path
    starts: int
    to: Path | None
    workers: int | None
    exploratory: bool
    as_json: bool


def extend(**given: Any) -> Reply:
    """`netgain extend`."""
    asked = Extension(**given)
    reading = finished(asked.folder)
    assert reading.verdict is not None
    if reading.verdict.word != "INCONCLUSIVE":
        fix = "claim something else in a new study, or `netgain replicate` this one"
        raise ConfigError(f"this claim is decided: {reading.verdict.word}", where=str(asked.folder), fix=fix)
    sound(asked.folder)
    need_files(asked.folder)
    have = len(reading.facts.enrolled)
    later = [size for size in registered_sizes(reading.facts.claim["looks"]) if size > have]
    if not later or reading.facts.registration["exploratory"]:  # an exploratory study planned for no evidence at all
        return _new_claim(asked, reading.facts)
    if have + asked.starts not in later:
        raise _no_such_look(asked, have, later)
    return _first_claim(asked, have)


def _no_such_look(asked: Extension, have: int, later: Sequence[int]) -> ConfigError:
    looks = ", ".join(map(str, later))
    what = f"the claim has {have} starts and registered looks at {looks}: with {asked.starts} more there is none"
    more = " or ".join(f"--replicas {size - have}" for size in later)
    return ConfigError(what, where="--replicas", fix=f"give {more}: the first claim goes on, and its starts count")


def _first_claim(asked: Extension, have: int) -> Reply:
    """Go on to registered looks of the first claim until the word is there: its starts count, no new claim is made."""
    if asked.to is not None:
        fix = "leave --to out: a new claim, in a new folder, comes when the registered looks are used up"
        raise ConfigError("the first claim has looks left, and goes on in its own folder", where="--to", fix=fix)
    project = open_project(asked.folder, device=_device(asked.folder))
    run = running.Run(project, asked.workers or project.workers, True, False, asked.as_json)
    while True:
        verdict = running.conduct(run, None)
        starts = len(finished(asked.folder).facts.enrolled)
        if verdict.word != "INCONCLUSIVE" or starts >= have + asked.starts:
            break
    text = f"{have} earlier starts count: the first claim registered this look\n"
    return _reply(running.replied(asked.folder, verdict, None), text, same=True, earlier=have, added=starts - have)


def _device(folder: Path) -> str:
    with Ledger.open(folder, readonly=True) as log:
        study = next(iter(log.events("claim_registered"))).data["study"]
    return str(study.get("device", "cpu"))


def _new_claim(asked: Extension, facts: Facts) -> Reply:
    """A new claim that names the first: fresh starts and a fresh seal, in a folder of its own."""
    folder, first = asked.to or _next_folder(asked.folder), asked.folder
    with Ledger.open(first, readonly=True) as log:
        named = f"{facts.registration['claim_digest']}@{log.root()}"
    claim = read_claim(first / CLAIM_NAME)
    looks = claim.looks if asked.starts in registered_sizes(claim.looks) else (asked.starts,)
    study = replace(read_study(first / STUDY_NAME), replicas=asked.starts, root=None)
    changed = {CLAIM_NAME: render_claim(replace(claim, extends=named, looks=looks)), STUDY_NAME: render_study(study)}
    copy_folder(first, folder, {name: text.encode() for name, text in changed.items()})
    reply = running.run(
        target=str(folder), size=None, workers=asked.workers, device=_device(first), extend=False,
        exploratory=asked.exploratory, root=None, as_json=asked.as_json,
    )  # fmt: skip
    text = f"a new claim, which names {named}\nits {asked.starts} starts are fresh; the earlier ones do not count\n"
    return _reply(reply, text, same=False, earlier=0, added=asked.starts, extends=named)


def _next_folder(folder: Path) -> Path:
    """DIR-2, DIR-3, ...: the first that is free."""
    number = 2
    while (found := folder.resolve().with_name(f"{folder.resolve().name}-{number}")).exists():
        number += 1
    return found if folder.is_absolute() else folder.with_name(found.name)


def _reply(reply: Reply, text: str, *, same: bool, earlier: int, added: int, extends: str | None = None) -> Reply:
    told: dict[str, Json] = {
        "schema": "netgain.extend/1", "claim": "the first" if same else "new", "earlier_starts_counted": earlier,
        "starts_added": added, "extends": extends,
    }  # fmt: skip
    told |= {} if extends else {"extends_reason": "no new claim was made: the first one had registered this look"}
    return Reply({**reply.record, **told}, text + reply.text, reply.code)
