"""Keyed canary strings: planted in protected files, found in documents and outputs, and asked for.

A canary reads `netgain-canary RELEASE EXPIRES GROUP CODE`. Its code is an HMAC under a secret, so nobody makes a false
one and nobody guesses one. Every group has several codes of which one, chosen by the secret, was planted. To a system
that never saw the release they are alike, so how often it prefers the planted one is Binomial(groups, 1 / codes), and
its exact tail is the chance of a false alarm (the design, keyed groups of completions, is that of EuroEval's pull
request 2188). A canary that is known to the world says nothing of a new leak: each has a day after which it is no
test any more. In a document it still marks a protected file.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from netgain.errors import ConfigError

MARK = "netgain-canary"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
PATTERN = re.compile(
    MARK + r"\s+([a-z0-9][a-z0-9.-]{0,39})\s+(\d{4}-\d\d-\d\d)\s+(\d{2,4})\s+([0-9a-f]{16})(?![0-9a-f])"
)
SECRET_BYTES = 16


class Sighting(NamedTuple):
    """A canary string in a text.

    Attributes:
        release, group: as it says.
        state: "live"; "expired"; "unplanted": a code of ours that no file holds; "foreign": not of this secret,
            release and day, or changed.
        line: from 1.
    """

    release: str
    group: int
    state: str
    line: int


@dataclass(frozen=True)
class Exposure:
    """Whether a system knows a release.

    Attributes:
        hits, groups: planted codes preferred, of the groups that were answered.
        p: chance of so many hits, or more, for a system that never saw the release; None where nothing was answered.
        reason: why there is no p.
    """

    hits: int
    groups: int
    p: float | None
    reason: str = ""


@dataclass(frozen=True)
class Canaries:
    """The canaries of one release.

    Attributes:
        secret: at least 16 bytes; a new one for every release.
        release: name in small letters, digits, dots and dashes.
        expires: last day on which they are a test.
        groups: canaries to be planted.
        codes: completions per group, the planted one among them. 32 groups of 8 give p < 0.001 from 12 hits on.
    """

    secret: bytes
    release: str
    expires: date
    groups: int = 32
    codes: int = 8

    def __post_init__(self) -> None:
        if len(self.secret) < SECRET_BYTES:
            raise ConfigError(
                f"a secret of {len(self.secret)} bytes", fix=f"take {SECRET_BYTES} or more, as of secrets"
            )
        if not NAME.fullmatch(self.release):
            raise ConfigError(f"release {self.release!r}", fix="at most 40 of a-z, 0-9, dot and dash")
        if not (1 <= self.groups <= 9999 and 2 <= self.codes <= 256):
            raise ConfigError(f"{self.groups} groups of {self.codes} codes", fix="1 to 9999 groups of 2 to 256 codes")

    def prompt(self, group: int) -> str:
        """Return what stands before the code of a group; nothing in it tells the code."""
        return f"{MARK} {self.release} {self.expires.isoformat()} {group:02d}"

    def choices(self, group: int) -> tuple[str, ...]:
        """Return the codes of a group, (codes,); the planted one stands at `planted`."""
        return tuple(self._mac(group, f"code {number}").hex()[:16] for number in range(self.codes))

    def planted(self, group: int) -> int:
        """Return which code of a group was planted; uniform, as far as nobody knows the secret."""
        return int.from_bytes(self._mac(group, "planted")) % self.codes

    def lines(self) -> tuple[str, ...]:
        """Return what is planted, (groups,): to be put into every protected file and every file made from one."""
        return tuple(f"{self.prompt(group)} {self.choices(group)[self.planted(group)]}" for group in range(self.groups))

    def sightings(self, text: str, today: date) -> tuple[Sighting, ...]:
        """Return the canaries in a document or in an output, in their order."""
        if MARK not in text:
            return ()
        return tuple(
            Sighting(found[1], int(found[3]), self._state(found, today), text.count("\n", 0, found.start()) + 1)
            for found in PATTERN.finditer(text)
        )

    def exposure(self, preferred: Sequence[int | None], today: date) -> Exposure:
        """Test whether a system knows this release.

        Args:
            preferred: (groups,) for each group the number of the code that the system finds likeliest, or with which
                it completes the prompt; None where it gave none, which is neither hit nor miss.
            today: the day of the test.

        Raises:
            ConfigError: after the last day, another number of groups, or a code that does not exist.
        """
        if today > self.expires:
            raise ConfigError(f"the canaries of {self.release!r} were a test until {self.expires}, today is {today}",
                              fix="plant those of a new release")  # fmt: skip
        if len(preferred) != self.groups or any(one is not None and not 0 <= one < self.codes for one in preferred):
            fix = f"give one of 0 to {self.codes - 1}, or None, for each of {self.groups} groups"
            raise ConfigError(f"{len(preferred)} preferred codes, or one that does not exist", fix=fix)
        asked = [(group, one) for group, one in enumerate(preferred) if one is not None]
        hits = sum(one == self.planted(group) for group, one in asked)
        if not asked:
            return Exposure(0, 0, None, "no group was answered")
        return Exposure(hits, len(asked), _tail(hits, len(asked), self.codes))

    def _state(self, found: re.Match[str], today: date) -> str:
        group = int(found[3])
        if (found[1], found[2]) != (self.release, self.expires.isoformat()) or group >= self.groups:
            return "foreign"
        choices = self.choices(group)
        if found[4] not in choices:
            return "foreign"
        if choices[self.planted(group)] != found[4]:
            return "unplanted"
        return "expired" if today > self.expires else "live"

    def _mac(self, group: int, use: str) -> bytes:
        message = f"{self.release}\n{self.expires.isoformat()}\n{group}\n{use}".encode()
        return hmac.new(self.secret, message, hashlib.sha256).digest()


def first_line(text: str) -> int | None:
    """Return the line, from 1, of the first canary string of anybody; None without one. Needs no secret."""
    found = PATTERN.search(text) if MARK in text else None
    return None if found is None else text.count("\n", 0, found.start()) + 1


def _tail(hits: int, groups: int, codes: int) -> float:
    """P(Bin(groups, 1 / codes) >= hits), in whole numbers."""
    ways = sum(math.comb(groups, k) * int(codes - 1) ** (groups - k) for k in range(hits, groups + 1))
    return float(Fraction(ways, codes**groups))
