"""Pure statistics: arrays in, frozen results out. Imports NumPy and the standard library only."""

from netgain.evidence.betting import items_to_reach, log_capital, log_capital_grid, log_futility
from netgain.evidence.clusters import cluster_means, cluster_starts
from netgain.evidence.effects import Chain, Contrast, chain, closest_controls, contrast, mean_beside_median, net_gains
from netgain.evidence.exact import ExactState, exact_sequential, scheduled_looks
from netgain.evidence.exposure import Exposure, log_histories
from netgain.evidence.ladder import LadderStep
from netgain.evidence.looks import Looks, TypicalStart, chances, default_looks, open_looks, planned_looks, typical_start
from netgain.evidence.power import expected_items, planned_chances, refusal, smallest_gain, smallest_net_gain
from netgain.evidence.sequences import Bounds, confidence_sequence
from netgain.evidence.shrinkage import shrunk
from netgain.evidence.spending import Spending, e_bh, e_lond

__all__ = [
    "Bounds",
    "Chain",
    "Contrast",
    "ExactState",
    "Exposure",
    "LadderStep",
    "Looks",
    "Spending",
    "TypicalStart",
    "chain",
    "chances",
    "closest_controls",
    "cluster_means",
    "cluster_starts",
    "confidence_sequence",
    "contrast",
    "default_looks",
    "e_bh",
    "e_lond",
    "exact_sequential",
    "expected_items",
    "items_to_reach",
    "log_capital",
    "log_capital_grid",
    "log_futility",
    "log_histories",
    "mean_beside_median",
    "net_gains",
    "open_looks",
    "planned_chances",
    "planned_looks",
    "refusal",
    "scheduled_looks",
    "shrunk",
    "smallest_gain",
    "smallest_net_gain",
    "typical_start",
]
