"""Runs loops that improve themselves beside their control arms, and says what is left of the gain."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netgain.budget import Budget
    from netgain.claim import Claim
    from netgain.errors import BudgetExhausted, ConfigError, IntegrityError, LedgerError, NetgainError
    from netgain.evidence.verdict import Verdict
    from netgain.files import File
    from netgain.integrations.recording import Script, record
    from netgain.records import Change, Examples, Part, Started, View
    from netgain.session import Study
    from netgain.stages import Filter, Loop, Separable
    from netgain.suite import Suite, axis

__version__ = "0.1.0"

# Public name -> the module that defines it, imported when the name is first used: `import netgain` stays cheap.
_HOMES = {
    "Budget": "netgain.budget",
    "BudgetExhausted": "netgain.errors",
    "Change": "netgain.records",
    "Claim": "netgain.claim",
    "ConfigError": "netgain.errors",
    "Examples": "netgain.records",
    "File": "netgain.files",
    "Filter": "netgain.stages",
    "IntegrityError": "netgain.errors",
    "LedgerError": "netgain.errors",
    "Loop": "netgain.stages",
    "NetgainError": "netgain.errors",
    "Part": "netgain.records",
    "Script": "netgain.integrations.recording",
    "Separable": "netgain.stages",
    "Started": "netgain.records",
    "Study": "netgain.session",
    "Suite": "netgain.suite",
    "Verdict": "netgain.evidence.verdict",
    "View": "netgain.records",
    "axis": "netgain.suite",
    "record": "netgain.integrations.recording",
}

__all__ = [
    "Budget",
    "BudgetExhausted",
    "Change",
    "Claim",
    "ConfigError",
    "Examples",
    "File",
    "Filter",
    "IntegrityError",
    "LedgerError",
    "Loop",
    "NetgainError",
    "Part",
    "Script",
    "Separable",
    "Started",
    "Study",
    "Suite",
    "Verdict",
    "View",
    "axis",
    "record",
]


def __getattr__(name: str) -> object:
    """Import a public name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netgain' has no attribute {name!r}, expected one of {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
