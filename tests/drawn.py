"""Roots, secrets and seeds of test studies follow from what is studied, so that a suite that passes passes again.

A study draws its root and the secret of its items when it is registered, and nobody can know them. In tests they are
read off the study's own registration instead, and netgain's own code counts as unchanged, since the claim's digest
is part of the root: of the contract's named parts only the limits are kept (`tests/runtime/test_epochs.py` has them
all). What still differs from run to run are the sealed items: they follow from the record's hash, which covers times.

As a program, `python drawn.py WORDS…` is `netgain WORDS…` under the same rule.
"""

import hashlib
import itertools
import signal
import sys
from typing import Any

from netgain import calibration, planning, session
from netgain.canonical import digest
from netgain.contract import limited

CODE = "c0de" * 16
_secret, _calibrated = session._drawn_secret, planning.calibrated


class Draws:
    """Stands for the module `secrets`: the same draws after the same key."""

    def __init__(self) -> None:
        self.restart("")

    def restart(self, key: str) -> None:
        self.key, self.count = key, itertools.count()

    def token_bytes(self, size: int) -> bytes:
        return hashlib.shake_256(f"{self.key}|{next(self.count)}".encode()).digest(size)

    def token_hex(self, size: int) -> str:
        return self.token_bytes(size).hex()


draws = Draws()


def drawn_secret(study: Any, look: int | None = None) -> bytes:
    draws.restart(digest({"claim": study.claim.to_json(), "study": study.registered(), "look": look}))
    return _secret(study, look)


def calibrated(*given: Any) -> Any:
    draws.restart("calibration")
    return _calibrated(*given)


RULE = {
    (session, "secrets"): draws,
    (session, "_drawn_secret"): drawn_secret,
    (session, "code_digest"): lambda reference: CODE,
    (session, "parts_of"): lambda reference, axes, *, limits, decoding: limited(limits),
    (calibration, "secrets"): draws,
    (planning, "calibrated"): calibrated,
}

if __name__ == "__main__":
    from netgain.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background passes on deafness to Ctrl-C
    for (module, name), value in RULE.items():
        setattr(module, name, value)
    sys.exit(main())
