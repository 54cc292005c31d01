"""`netgain bench`: what takes how long on this machine, against what rivals take in the same run."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

from netgain import __version__
from netgain.bench import GROUPS, Measurement, Scale, measured
from netgain.cli.answer import Reply, note

Json = Any
QUICK = Scale(repeats=2, share=0.01, processes=False)
CALM = 0.5  # a load of more than half of the cores before the first measurement: figures are of a busy machine


def bench(*, only: Sequence[str], quick: bool) -> Reply:
    """Measure, telling on stderr what is being measured; exit code 0 also when a target is missed."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    found: list[Measurement] = []
    for name in dict.fromkeys(only or GROUPS):
        note(f"{name}: {GROUPS.get(name, 'unknown')}")
        found += measured(name, QUICK if quick else Scale())
    busy = load > CALM * cores
    machine = {"python": platform.python_version(), "platform": platform.platform(), "cores": cores, "load": load,
               "busy": busy}  # fmt: skip
    missed = [one.name for one in found if one.met is False]
    record = {"schema": "netgain.bench/1", "version": __version__, "machine": machine, "quick": quick,
              "measurements": [one.to_json() for one in found], "missed": missed}  # fmt: skip
    return Reply(record, _told(found, missed, load if busy else None))


def _told(found: Sequence[Measurement], missed: Sequence[str], load: float | None) -> str:
    ends = [f"missed: {', '.join(missed)}" if missed else "no target was missed"]
    if load is not None:
        ends.append(f"the machine was busy (load {load:.1f}): figures that count come from an idle one")
    return "\n".join([*map(_line, found), *ends])


def _line(one: Measurement) -> str:
    record = one.to_json()
    if one.skipped:
        return f"-     {one.name:<24} skipped: {one.skipped}"
    mark = {True: "ok   ", False: "MISS ", None: "     "}[one.met]
    limit = "" if record["target"] is None else f"  target {_target(one)}"
    beside = "" if record["ratio"] is None else f"  {record['ratio']['median']:.2f} × as fast as {one.rival}"
    beside = beside or (f"  ({one.no_rival})" if one.no_rival != "there is no rival" else "")
    spread = f"[{record['low']:.4g}, {record['high']:.4g}]"
    return f"{mark} {one.name:<24} {record['value']:.4g} {spread} {one.unit}{limit}{beside}"


def _target(one: Measurement) -> str:
    return f"at most {one.at_most:g}" if one.at_most is not None else f"at least {one.at_least:g}"
