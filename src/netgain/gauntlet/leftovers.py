"""What a loop leaves for itself in one arm and looks for in another: tried in the workers that every study has.

A loop that knows its arm, or finds the work of another arm, needs a place where a task leaves something and a later
task finds it. Each of `PLACES` is tried with two tasks of one worker; a world's hidden gain comes where any is found.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from netgain.executors import LocalWorkers, Reference
from netgain.records import Change
from netgain.stages import Loop
from netgain.wire import pack

Json = Any
NOTES: list[str] = []


def _in_module(name: str, outside: str, leave: bool) -> bool:
    if leave:
        NOTES.append(name)
    return name in NOTES


def _in_environment(name: str, outside: str, leave: bool) -> bool:
    if leave:
        os.environ["NOTE"] = name
    return os.environ.get("NOTE") == name


def _file(folder: Callable[[str], Path]) -> Callable[[str, str, bool], bool]:
    def look(name: str, outside: str, leave: bool) -> bool:
        path = folder(outside) / name
        if leave:
            path.touch()
        return path.exists()

    return look


def _in_process(name: str, outside: str, leave: bool) -> bool:
    if leave:
        ready, told = os.pipe()
        if os.fork() == 0:
            _listen(name, told)
        os.read(ready, 1)
    with socket.socket(socket.AF_UNIX) as other:
        return other.connect_ex(f"\0{name}") == 0


def _listen(name: str, told: int) -> None:
    os.setsid()
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(f"\0{name}")
        own.listen()
        os.write(told, b"1")
        time.sleep(60)
    os._exit(0)


PLACES: Mapping[str, Callable[[str, str, bool], bool]] = {
    "module": _in_module,
    "environment": _in_environment,
    "working directory": _file(lambda outside: Path()),
    "home": _file(lambda outside: Path.home()),
    "temporary files": _file(lambda outside: Path(tempfile.gettempdir())),
    "outside": _file(Path),
    "process": _in_process,
}


def answer(system: Json, inputs: Sequence[Json], budget: Any, rng: Any) -> list[bool]:
    """Leave a note at each place, or look for it; a place that cannot be reached holds none."""
    told = []
    for place, name, outside, leave in inputs:
        try:
            told.append(PLACES[place](name, outside, leave))
        except OSError:
            told.append(False)
    return told


loop = Loop(lambda rng: 1, lambda view: Change([]), answer)
"""What workers load: its answers say what it found."""


@lru_cache
def found_again(places: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some places where a task of a study's worker finds what an earlier one left."""
    name = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as outside, LocalWorkers(Reference(f"{__name__}:loop"), 1) as workers:
        _asked(workers, [[place, name, outside, True] for place in places])
        found = _asked(workers, [[place, name, outside, False] for place in places])
    return tuple(place for place, there in zip(places, found, strict=True) if there)


def _asked(workers: LocalWorkers, inputs: Sequence[Json]) -> list[bool]:
    task = {"op": "answer", "seed": "0", "budget": {}, "sampled": False, "inputs": list(inputs)}
    return list(workers.call({**task, "system": {"digest": "", "data": pack(None)}})["value"]["outputs"])
