"""Pure statistics: arrays in, frozen results out. Imports NumPy and the standard library only."""

from netgain.evidence.betting import items_to_reach, log_capital, log_capital_grid, log_futility
from netgain.evidence.effects import Chain, Contrast, chain, closest_controls, contrast, mean_beside_median, net_gains
from netgain.evidence.looks import Looks, TypicalStart, chances, default_looks, open_looks, planned_looks, typical_start
from netgain.evidence.power import expected_items, planned_chances, refusal, smallest_gain, smallest_net_gain
from netgain.evidence.spending import Spending

__all__ = [
    "Chain",
    "Contrast",
    "Looks",
    "Spending",
    "TypicalStart",
    "chain",
    "chances",
    "closest_controls",
    "contrast",
    "default_looks",
    "expected_items",
    "items_to_reach",
    "log_capital",
    "log_capital_grid",
    "log_futility",
    "mean_beside_median",
    "net_gains",
    "open_looks",
    "planned_chances",
    "planned_looks",
    "refusal",
    "smallest_gain",
    "smallest_net_gain",
    "typical_start",
]
