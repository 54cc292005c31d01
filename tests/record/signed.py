"""Small signed logs and studies: real keys, real files, nothing of a model."""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keyed_user import keyed
from netgain import verify
from netgain.ledger import Event, Ledger
from netgain.ledger.checkpoint import checkpoint, origin
from netgain.signing import Signer
from study_forgery import ladder_study

REGISTERED = {
    "claim_digest": "11" * 32, "secret_sha256": "22" * 32, "contract": {"suite": {"axes": []}}, "claim": {"arm": "self"}
}  # fmt: skip
QUICK = {"replicas": 1, "rounds": 1, "arms": ("self", "frozen"), "exploratory": True}


def signed_study(folder: Path, home: Path) -> Path:
    """A finished signed study of one start, in a second or two."""
    with keyed(home):
        return ladder_study(folder, **QUICK)


def events_of(signer: Signer | None, count: int) -> list[Event]:
    """The claim of a signed log, and so many entries with it."""
    key = {} if signer is None else {"log_key": str(signer.key)}
    rest = [Event("note", f"r{number % 3}/self", {"number": number}) for number in range(count - 1)]
    return [Event("claim_registered", None, {**REGISTERED, **key}), *rest]


def written(folder: Path, events: Sequence[Event], start: int = 0) -> Path:
    """An unfinished study folder with these entries; equal events give equal hashes."""
    seconds = itertools.count(start)
    with Ledger.create(folder, clock=lambda: f"2026-01-01T{next(seconds):06d}Z") as log:
        log.append(events)
    return folder


def checkpoints(folder: Path, signer: Signer, sizes: Sequence[int], name: str | None = None) -> str:
    """Notes of a log at some sizes, as checkpoints.txt holds them."""
    name = name or origin(REGISTERED["claim_digest"], REGISTERED["secret_sha256"])
    with Ledger.open(folder, readonly=True) as log:
        return "".join(f"{signer.note(checkpoint(name, size, log.root(size)))}\n" for size in sizes)


def signed_log(folder: Path, signer: Signer, count: int = 50, sizes: Sequence[int] | None = None) -> Path:
    """A log of so many entries with its checkpoints, the last of them over everything."""
    written(folder, events_of(signer, count))
    (folder / "checkpoints.txt").write_text(checkpoints(folder, signer, sizes or [max(1, count // 2), count]))
    return folder


def fails(folder: Path, remembered: str | None = None) -> dict[str, str]:
    """What is wrong with whole log, signatures, and (if any is given) the remembered checkpoint: check -> detail."""
    study, found = verify.Study(folder), {}
    if study.fault or study.newer:
        return {"log": study.fault or study.newer}
    path = folder.with_name(f"{folder.name}.remembered")
    path.write_text(remembered or "")
    checks: dict[str, Any] = {"signatures": verify.signatures}
    checks |= {} if remembered is None else {"remembered": lambda one: verify.remembered(one, path)}
    for name, check in checks.items():
        try:
            check(study)
        except verify.Finding as finding:
            found[name] = str(finding.args[1])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


def copied(folder: Path, to: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copytree(folder, to, ignore=lambda *_: ["lock"]))
