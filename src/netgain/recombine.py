"""Mixtures of the first and the final parts of what the claimed arm serves, made before the sealed items exist.

They answer where a gain ended up: all 2^k of them are asked the sealed block of their start, which needs evaluation
only (``method.md`` 1.6). No verdict reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from netgain.budget import total
from netgain.errors import StageError
from netgain.jobs import Spend
from netgain.run import Row
from netgain.world import World


@dataclass(frozen=True)
class Mixed:
    """The mixtures of one run.

    Attributes:
        systems: which parts are final, a digit for each in registered order ("01"), -> digest of the mixture.
        spend: what making them cost.
        refused: why there are none, or "".
    """

    systems: Mapping[str, str] = field(default_factory=dict)
    spend: Spend = field(default_factory=dict)
    refused: str = ""


def mix(world: World, served: Mapping[str, str | None]) -> dict[str, Mixed]:
    """Run -> its mixtures; none for a loop that is one piece, or a run that serves its generation 0.

    Args:
        served: run of the claimed arm -> what it serves.
    """
    if world.loop.separable is None:
        return {}
    rows = {run: Row.from_json(world.log.row(run) or {}) for run in served}
    new = {run: row for run, row in rows.items() if served[run] not in (None, row.anchor)}
    return {run: _mixed(world, row, str(served[run])) for run, row in new.items()}


def _mixed(world: World, row: Row, final: str) -> Mixed:
    """All mixtures of one run; none of them when one cannot be made, or nothing mixed is not the system itself."""
    assert world.loop.separable is not None
    names, systems, spends = world.loop.separable.names, {}, []
    try:
        for bits in product("01", repeat=len(names)):
            taken = [name for name, bit in zip(names, bits, strict=True) if bit == "1"]
            ends = {"first": str(row.anchor), "final": final}
            done = world.jobs.do(row.replica, "mix", systems=ends, taken=taken)
            systems["".join(bits)] = world.store.put(done.value["system"])
            spends.append(done.spend)
    except StageError as error:
        return Mixed(refused=str(error))
    same = (systems["0" * len(names)], systems["1" * len(names)]) == (row.anchor, final)
    if not same:
        return Mixed(refused="`join` of what `split` gave is not the same system, to the byte")
    return Mixed(systems, total(spends))
