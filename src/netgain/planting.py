"""The canaries that a study plants by itself: one for every protected text item of a list, keyed by its own secret.

A canary reads as those of `netgain.guards.canaries`; its release is the study and the item. The key follows from the
secret that the claim commits to and that is revealed at the end, so nobody can name a canary before, and everybody can
afterwards: `verify` finds each one again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from netgain.errors import ConfigError, IntegrityError
from netgain.guards import Canaries
from netgain.guards.canaries import MARK, PATTERN
from netgain.planted import Met, carries
from netgain.suite import Suite, bank_of
from netgain.wire import pack

Json = Any
CARRIED = ("asked", "aside")
CODES = 8  # per item, of which one is planted
NAME = 12  # hex digits of the claim's digest by which a study's canaries are known
# As in a text, or in a text inside JSON, where a line break is written out.
PACKED = re.compile(PATTERN.pattern.replace(r"\s+", r"(?:\s|\\[nrt])+"))


@dataclass(frozen=True)
class Planted:
    """What a study registers of its canaries.

    Attributes:
        expires: last day on which they are a test, YYYY-MM-DD.
        carried: "asked": the last line of every question of a test, so what comes back of it is found. "aside": beside
            the item, on our side only; who names one has read our memory or our files.
        answers: keep what the claimed arm answers to report and canary items, so that a verifier can search it too.
    """

    expires: str
    carried: str
    answers: bool = False

    def __post_init__(self) -> None:
        if self.carried not in CARRIED:
            raise ConfigError.unknown("way of carrying canaries", self.carried, CARRIED)
        try:
            date.fromisoformat(self.expires)
        except ValueError:
            what = f"canaries that expire on {self.expires!r}, expected a day"
            raise ConfigError(what, fix="write it as 2027-06-30") from None

    @property
    def day(self) -> date:
        """The last day."""
        return date.fromisoformat(self.expires)

    def to_json(self) -> dict[str, Json]:
        """What is registered."""
        return {name: one for name, one in asdict(self).items() if name != "answers" or one}


def utc_day() -> date:
    """Today, in UTC."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Planter:
    """The canaries of one study, for whoever holds its secret.

    Attributes:
        planted: as registered.
        secret: the study's.
        claim_digest: names the study.
        clock: gives today.
        claimed: the arm that the claim is about.
    """

    planted: Planted
    secret: bytes
    claim_digest: str
    clock: Callable[[], date] = utc_day
    claimed: str = ""

    @property
    def answers_of(self) -> str:
        """The arm whose answers are kept; "" where none are."""
        return self.claimed if self.planted.answers else ""

    @property
    def asked(self) -> bool:
        """Whether a question is asked with its canary as a last line."""
        return self.planted.carried == "asked"

    def today(self) -> str:
        """The day, YYYY-MM-DD."""
        return self.clock().isoformat()

    def expired(self) -> bool:
        """Whether what is met now says nothing any more."""
        return self.clock() > self.planted.day

    def line(self, item: str) -> str:
        """The canary of an item, named by the short digest of its question."""
        return self._of(item).lines()[0]

    def met(self, document: Json) -> tuple[Met, ...]:
        """Canaries of this study in a document: planted ones only, whose codes nobody can guess."""
        try:
            data = pack(document)
        except IntegrityError:  # nothing that crosses the wall: it holds no text that we could be shown
            return ()
        if MARK.encode() not in data:
            return ()
        state, own = "expired" if self.expired() else "live", f"{self.claim_digest[:NAME]}."
        found = set[str]()
        for one in PACKED.finditer(data.decode("utf-8", "replace")):
            item = one[1].removeprefix(own)
            if one[1].startswith(own) and item and " ".join((MARK, *one.groups())) == self.line(item):
                found.add(item)
        return tuple(Met(item, state) for item in sorted(found))

    def _of(self, item: str) -> Canaries:
        return Canaries(self._key, f"{self.claim_digest[:NAME]}.{item}", self.planted.day, groups=1, codes=CODES)

    @cached_property
    def _key(self) -> bytes:
        return hmac.new(self.secret, b"canaries", hashlib.sha256).digest()


def check_planted(suite: Suite) -> None:
    """Refuse canaries where no item would carry one.

    Raises:
        ConfigError: no axis has text items of a list that must not be trained on.
    """
    banks = [bank for axis in suite.axes if carries(axis) and (bank := bank_of(axis.source)) is not None]
    if not any(isinstance(item["input"], str) for bank in banks for item in bank.items):
        what = "canaries in a suite without text items of a list: nothing would carry one"
        raise ConfigError(what, fix="leave [canaries] out: generated items are new for every decision")


def require_live(planted: Planted, today: date | None = None) -> None:
    """Refuse to begin a study with canaries that are no test any more.

    Raises:
        ConfigError: the last day is over.
    """
    now = today or utc_day()
    if now > planted.day:
        raise ConfigError(f"canaries that expired on {planted.expires}, today is {now}", fix="give a later day")
