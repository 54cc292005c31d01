"""What may be spent, and the meter that counts what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from netgain.errors import ConfigError

UNITS = ("device_seconds", "tokens", "flops", "calls", "cost_usd", "human_minutes")
COUNTED = ("tokens", "flops", "calls")  # units that may change a result; seconds and money only pause a run

Spend = Mapping[str, float | None]  # unit -> amount; None is unknown, never 0


@dataclass
class Budget:
    """One stage's allowance, and the meter on which the loop's code books what it used.

    Attributes:
        scale: multiple of a normal round that this stage stands for (1, or the whole horizon in one step).
        tokens: tokens or examples to process at least, or None when the loop's own schedule decides.
        flops: floating-point operations to spend at least, or None.
        tries: answers per item that the system may draw before it gives one.
    """

    scale: float = 1.0
    tokens: float | None = None
    flops: float | None = None
    tries: int = 1
    spent: dict[str, float] = field(default_factory=dict)

    def spend(self, **amounts: float) -> None:
        """Book amounts by unit (`tokens`, `flops`, `calls`, `cost_usd`, `human_minutes`).

        Raises:
            ConfigError: an unknown unit, or an amount below zero.
        """
        for unit, amount in amounts.items():
            if unit not in UNITS or not amount >= 0:
                raise ConfigError(
                    f"cannot book {amount!r} {unit}", fix=f"use amounts of at least 0 in one of {', '.join(UNITS)}"
                )
            self.spent[unit] = self.spent.get(unit, 0.0) + float(amount)

    def limits(self) -> dict[str, float | int | None]:
        """What the stage may use, as sent to a worker."""
        return {"scale": self.scale, "tokens": self.tokens, "flops": self.flops, "tries": self.tries}


def metered(spent: Mapping[str, float], device_seconds: float) -> dict[str, float | None]:
    """Amounts in every unit: measured seconds, what the loop booked, and None for what nobody counted."""
    amounts: dict[str, float | None] = {unit: spent.get(unit) for unit in UNITS}
    amounts["device_seconds"] = device_seconds
    return amounts


def total(spends: Sequence[Spend]) -> dict[str, float | None]:
    """Sum by unit; a unit that any part left unknown is unknown in the sum."""
    return {
        unit: None if any(part.get(unit) is None for part in spends) else sum(part[unit] or 0.0 for part in spends)
        for unit in UNITS
    }


def exceeded(spent: Spend, limits: Mapping[str, float]) -> str | None:
    """The first unit whose limit is used up, or None. An unknown amount cannot be held against a limit it never met:
    a limit on a unit that the loop does not book is therefore refused by `plan`, not ignored here."""
    for unit, limit in limits.items():
        amount = spent.get(unit)
        if amount is not None and amount >= limit:
            return unit
    return None
