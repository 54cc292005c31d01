"""Checks that what a loop makes, reads or says holds nothing that it must not hold."""

from netgain.evidence.cheating import CheatRate, Counted, cheat_rate
from netgain.evidence.quarantine import Recomputed, recomputed
from netgain.guards.canaries import Canaries, Exposure, Sighting
from netgain.guards.contamination import Index, index_of
from netgain.guards.findings import Finding, Hit, Protected, Scan
from netgain.guards.near import Near, near_duplicates
from netgain.guards.reworded import Reworded

__all__ = [
    "Canaries",
    "CheatRate",
    "Counted",
    "Exposure",
    "Finding",
    "Hit",
    "Index",
    "Near",
    "Protected",
    "Recomputed",
    "Reworded",
    "Scan",
    "Sighting",
    "cheat_rate",
    "index_of",
    "near_duplicates",
    "recomputed",
]
