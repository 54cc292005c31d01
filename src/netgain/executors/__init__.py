"""Where loop code runs: worker processes that get inputs and give answers, and nothing else."""

from netgain.executors.gathering import MOST, Gathering
from netgain.executors.local import LocalWorkers
from netgain.executors.reference import Reference, reference_of

__all__ = ["MOST", "Gathering", "LocalWorkers", "Reference", "reference_of"]
