"""The append-only record of a study: events, Merkle log, one writer."""

from netgain.ledger.events import Event, Stored, fold
from netgain.ledger.lock import FolderLock, held
from netgain.ledger.store import SCHEMA, Ledger, utc_now

__all__ = ["SCHEMA", "Event", "FolderLock", "Ledger", "Stored", "fold", "held", "utc_now"]
