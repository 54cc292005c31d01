"""How long a promoted generation is on trial beside the one it replaced; registered with the claim.

Off by default. The stage that does it is `netgain.proving`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from netgain.errors import ConfigError

Json = Any


@dataclass(frozen=True)
class Probation:
    """A window after every promotion, with new items in each of its rounds.

    Attributes:
        rounds: rounds in which a generation is looked at, the one of its promotion included.
        items: new items of the gate axis and of every guard per round, which released system and the one before answer.
        level: chance that a window ends with a generation taken back that loses no more than the step margin on any of
            these axes, in (0, 0.5].
    """

    rounds: int
    items: int = 100
    level: float = 0.05

    def __post_init__(self) -> None:
        for name, least in (("rounds", 1), ("items", 2)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} {getattr(self, name)!r} of a probation", fix=f"give at least {least}")
        if not 0.0 < self.level <= 0.5:
            raise ConfigError(f"level {self.level!r} of a probation", fix="give a chance above 0 and up to 0.5")

    def to_json(self) -> dict[str, Json]:
        """What is registered; `from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Json]) -> Probation:
        """The probation of `to_json`."""
        return cls(**record)
