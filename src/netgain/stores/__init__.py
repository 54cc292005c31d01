"""Where the bytes of systems are kept."""

from netgain.stores.objects import ObjectStore

__all__ = ["ObjectStore"]
