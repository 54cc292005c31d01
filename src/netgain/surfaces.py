"""The eight surfaces on which a system can change itself."""

from __future__ import annotations

from collections.abc import Iterable

from netgain.errors import ConfigError

SURFACES = ("data", "curriculum", "weights", "training", "architecture", "policy", "tools", "improver")


def known_surfaces(names: Iterable[str]) -> tuple[str, ...]:
    """The names, checked and in the order of `SURFACES`.

    Raises:
        ConfigError: an unknown surface, or none.
    """
    chosen = set(names)
    unknown = sorted(chosen - set(SURFACES))
    if unknown or not chosen:
        what = f"unknown surface {unknown[0]!r}" if unknown else "no surface named"
        raise ConfigError(what, fix=f"choose from {', '.join(SURFACES)}")
    return tuple(name for name in SURFACES if name in chosen)
