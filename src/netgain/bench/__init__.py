"""Measurements of speed: each a module with `measure(scale)`, each target judged on medians of repeated figures."""

from __future__ import annotations

from importlib import import_module

from netgain.bench.measurement import Measurement, Scale
from netgain.errors import ConfigError

GROUPS = {
    "startup": "imports and help, over a bare interpreter",
    "gate": "decisions of the gate, and its test against ville",
    "shapley": "exact shares of five surfaces, against shapiq",
    "simulation": "studies and gated rounds of known worlds",
    "scores": "one million item scores to a verdict",
    "contamination": "scans for protected items, against datasketch and rensa",
    "sandbox": "starting foreign code in every sandbox, against a plain Python",
    "ledger": "appending in groups, and verify of 100,000 events",
    "flagship": "the runtime around `length`, against a bare script",
    "abreast": "models of `length` trained abreast, against one by one",
    "tiny": "a run of `length` at size tiny, from its files",
}
MODULES = {"shapley": "shares"}

__all__ = ["GROUPS", "Measurement", "Scale", "measured"]


def measured(group: str, scale: Scale) -> list[Measurement]:
    """Do the measurements of a group.

    Raises:
        ConfigError: a group that does not exist.
    """
    if group not in GROUPS:
        raise ConfigError.unknown("measurement", group, GROUPS)
    found: list[Measurement] = import_module(f"netgain.bench.{MODULES.get(group, group)}").measure(scale)
    return found
