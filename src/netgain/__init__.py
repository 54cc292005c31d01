"""Runs loops that improve themselves beside their control arms, and says what is left of the gain."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netgain.errors import BudgetExhausted, ConfigError, IntegrityError, LedgerError, NetgainError

__version__ = "0.1.0"

# Public name -> the module that defines it, imported when the name is first used: `import netgain` stays cheap.
_HOMES = {
    "BudgetExhausted": "netgain.errors",
    "ConfigError": "netgain.errors",
    "IntegrityError": "netgain.errors",
    "LedgerError": "netgain.errors",
    "NetgainError": "netgain.errors",
}

__all__ = ["BudgetExhausted", "ConfigError", "IntegrityError", "LedgerError", "NetgainError"]


def __getattr__(name: str) -> object:
    """Import a public name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netgain' has no attribute {name!r}, expected one of {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
