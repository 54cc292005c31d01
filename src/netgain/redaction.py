"""Taking content out of a study while its log stays whole: bytes lie outside the log, and the log holds their digest.

Objects are redacted after the verdict, by a record that says which, why and by whom; `verify` then calls them redacted,
not missing. The name of an object is the plain digest of its bytes, so who can guess the bytes can still confirm them.
A text of a person that is given as private is stored behind 32 random bytes, which go when it is redacted: its digest
confirms no guess. Who keeps the study reads it behind those bytes: `tail -c +33 objects/ab/cdef…`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path

from netgain.errors import ConfigError
from netgain.facts import reduce
from netgain.ledger import Event, FolderLock, Ledger
from netgain.ledger.files import DIGESTS
from netgain.signing import Publisher
from netgain.stores import ObjectStore

REDACTED = "objects_redacted"
PRIVATE = "private:"  # before the digest of a text that is not in the log itself
SALT_BYTES = 32


def hidden(folder: Path, text: str) -> str:
    """Store a text outside the log, behind a salt; what the log may hold in its place."""
    return PRIVATE + ObjectStore(folder / "objects").put(secrets.token_bytes(SALT_BYTES) + text.encode())


def redact(folder: Path, prefix: str, *, reason: str, by: str, say: Callable[[str], None] = lambda _: None) -> str:
    """Record that an object is taken away, remove it, and seal the folder again. Killed in between: call it again.

    The caller has verified the study, since the folder is sealed with what it then holds.

    Args:
        folder: a study with its verdict.
        prefix: at least 8 hex digits of the object's digest.

    Returns:
        The whole digest.

    Raises:
        ConfigError: no verdict yet, or not exactly one object of that name that the log names.
        Busy: a run holds the folder.
    """
    with FolderLock(folder):
        with Ledger.open(folder, readonly=True) as log:
            facts = reduce(log.events())
            told = [one for event in log.events(REDACTED) for one in event.data["digests"] if one.startswith(prefix)]
        if not facts.concluded:
            raise ConfigError("the study has no verdict yet, and may still need every object", where=str(folder),
                              fix="finish it first, or remove the folder as a whole")  # fmt: skip
        digest = told[0] if told else _one(folder, prefix)
        with Ledger.open(folder, reopen=(folder / DIGESTS).exists()) as log:
            if not told:
                log.append([Event(REDACTED, None, {"digests": [digest], "reason": reason, "by": by})])
            ObjectStore(folder / "objects").delete(digest)
            Publisher(folder, log, say).publish()
            log.seal_files()
    return digest


def _one(folder: Path, prefix: str) -> str:
    if not re.fullmatch("[0-9a-f]{8,64}", prefix):
        raise ConfigError(f"{prefix!r} is no digest", fix="give at least 8 of its lower-case hex digits")
    found = [name for name in ObjectStore(folder / "objects").digests() if name.startswith(prefix)]
    if len(found) != 1:
        raise ConfigError(f"{len(found)} objects begin with {prefix!r}, expected one", where=str(folder / "objects"),
                          fix="give more digits, or look under objects/ (the first two are the folder)")  # fmt: skip
    return found[0]
