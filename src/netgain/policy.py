"""What people allow: by surface, whether changes run unattended, wait for one or two people, or are forbidden."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from netgain.errors import ConfigError
from netgain.surfaces import SURFACES

Json = Any
UNATTENDED, FORBIDDEN = "unattended", "forbidden"
PEOPLE = {UNATTENDED: 0, "one": 1, "two": 2}  # rule of a surface -> people who have to agree
RULES = (*PEOPLE, FORBIDDEN)
SIZES = ("parts", "bytes", "examples")  # of a change
A_YEAR = 8760.0  # hours


@dataclass(frozen=True)
class Policy:
    """The bounds that people set on changes; without any, everything runs unattended.

    It holds in every arm, so that a comparison between arms is not one between rules.

    Attributes:
        surfaces: surface -> one of `RULES`; a surface that is not named is "unattended".
        max_parts, max_bytes, max_examples: largest change that is built; None without a limit. Bytes are those of the
            packed change, examples those that are left after the checks.
        expires_hours: a change that waits longer is denied.
    """

    surfaces: Mapping[str, str] = field(default_factory=dict)
    max_parts: int | None = None
    max_bytes: int | None = None
    max_examples: int | None = None
    expires_hours: float = 72.0

    def __post_init__(self) -> None:
        for name, rule in self.surfaces.items():
            if name not in SURFACES:
                raise ConfigError.unknown("surface", name, SURFACES)
            if rule not in RULES:
                raise ConfigError.unknown(f"rule of surface {name!r}", rule, RULES)
        for what in SIZES:
            limit = getattr(self, f"max_{what}")
            if limit is not None and limit < 1:
                raise ConfigError(f"max_{what} {limit!r}, expected at least 1", fix="leave it out for no limit")
        if not 0 < self.expires_hours <= A_YEAR:
            what = f"expires_hours {self.expires_hours!r}, expected more than 0 and at most {A_YEAR:g}"
            raise ConfigError(what, fix="write for example 72")

    @property
    def binds(self) -> bool:
        """Whether it says anything: a policy of defaults is the same as none."""
        sizes = any(getattr(self, f"max_{what}") is not None for what in SIZES)
        return sizes or any(rule != UNATTENDED for rule in self.surfaces.values())

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Surfaces that no change may touch, in the order of `SURFACES`."""
        return tuple(name for name in SURFACES if self.surfaces.get(name) == FORBIDDEN)

    def people(self, surfaces: Collection[str]) -> int:
        """How many people have to agree to a change of these surfaces: of its strictest one."""
        return max((PEOPLE.get(self.surfaces.get(name, UNATTENDED), 0) for name in surfaces), default=0)

    def refusal(self, surfaces: Collection[str], size: Mapping[str, int]) -> str:
        """Why a change may not even be built; "" when it may.

        Args:
            surfaces: those that it touches.
            size: what of `SIZES` -> count.
        """
        closed = [name for name in self.forbidden if name in surfaces]
        if closed:
            return f"the policy forbids changes of surface {closed[0]!r}"
        for what in SIZES:
            limit = getattr(self, f"max_{what}")
            if limit is not None and size[what] > limit:
                return f"the policy allows {limit} {what} in a change, and this one has {size[what]}"
        return ""

    def to_json(self) -> dict[str, Json]:
        """Plain JSON; `from_json` is its inverse."""
        named = {name: self.surfaces.get(name, UNATTENDED) for name in SURFACES}
        return {**asdict(self), "surfaces": {name: rule for name, rule in named.items() if rule != UNATTENDED}}

    @classmethod
    def from_json(cls, record: Mapping[str, Json] | None) -> Policy:
        """The policy of `to_json`; of nothing, the one that lets everything run unattended."""
        return cls(**record) if record else cls()

    def sentence(self) -> str:
        """The policy in words."""
        if not self.binds:
            return "every change runs unattended"
        told = [f"{name}: {rule}" for name, rule in self.to_json()["surfaces"].items()]
        sizes = [(what, getattr(self, f"max_{what}")) for what in SIZES]
        told += [f"at most {limit} {what}" for what, limit in sizes if limit is not None]
        waits = f"; without an answer in {self.expires_hours:g} hours: denied" if self._waits else ""
        return f"{', '.join(told)}; everything else runs unattended{waits}"

    @property
    def _waits(self) -> bool:
        return any(PEOPLE.get(rule, 0) for rule in self.surfaces.values())
