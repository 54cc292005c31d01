"""The flagship loop under the runtime, in a process of its own, against a bare script that does the same calls.

`python -m netgain.bench.flagship FOLDER SIZE ROUNDS [CALLS.jsonl]` runs one start of `length` with its arms `self` and
`frozen`, and prints the CPU seconds that this process had taken before the first stage was done. With a last argument
it writes down what the loop's code was asked, for `netgain.bench.bare`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from netgain.bench.measurement import Measurement, Scale, process
from netgain.errors import NetgainError
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.recipes import Built, length
from netgain.session import Study, run_study

Json = Any
ROOT = hashlib.sha256(b"netgain bench").hexdigest()
ARMS = ("self", "frozen")


def measure(scale: Scale) -> list[Measurement]:
    """CPU of runtime and worker over that of the script; whole, and without what comes before the first stage."""
    missing = [one for one in ("torch", "safetensors") if importlib.util.find_spec(one) is None]
    why = f"{missing[0]}: not installed" if missing else None if scale.processes else "needs minutes of training"
    return [found for one in SIZES for found in (_skipped(one, why) if why else _measured(one, scale))]


@dataclass(frozen=True)
class _Size:
    """A size of the recipe: rounds and repeats that are measured, and the target."""

    size: str
    rounds: int
    repeats: int
    limit: float | None

    def about(self, part: str) -> dict[str, Any]:
        """Name, sentence and unit of a measurement; only the steps have a target."""
        parts = {"steps": "from the first stage to the verdict", "whole": "all of it"}
        what = (f"one start of `length`, size {self.size}, {self.rounds} rounds, arms {' and '.join(ARMS)}: "
                f"CPU over a bare script of the same calls, {parts[part]}")  # fmt: skip
        limit = self.limit if part == "steps" else None
        return {"name": f"flagship.{self.size}.{part}", "what": what, "unit": "share", "at_most": limit}


SIZES = (_Size("default", 3, 3, 0.03), _Size("tiny", 5, 5, None))


def _skipped(one: _Size, why: str) -> list[Measurement]:
    return [Measurement(**one.about(part), skipped=why) for part in ("steps", "whole")]


def _measured(one: _Size, scale: Scale) -> list[Measurement]:
    pairs = _pairs(one.size, scale.of(one.rounds), min(one.repeats, scale.repeats))
    steps = [(pair.whole - pair.before) / pair.bare - 1.0 for pair in pairs]
    notes = {f"{name}_seconds": [getattr(pair, name) for pair in pairs] for name in ("bare", "before", "coordinator")}
    return [
        Measurement(**one.about("steps"), values=steps, rival="netgain.bench.bare",
                    ratios=[1.0 / (1.0 + share) for share in steps], judged=scale.share == 1.0, notes=notes),
        Measurement(**one.about("whole"), values=[pair.whole / pair.bare - 1.0 for pair in pairs]),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Pair:
    """CPU seconds: of the whole runtime, of the bare script; of the coordinator alone, and before its first stage."""

    whole: float
    bare: float
    coordinator: float
    before: float


def _pairs(size: str, rounds: int, repeats: int) -> list[_Pair]:
    """Runtime and bare script, in turn."""
    found = []
    with tempfile.TemporaryDirectory(prefix="netgain-bench-") as name:
        home, me = Path(name), ("-m", "netgain.bench.flagship")
        told = {"XDG_STATE_HOME": str(home / "state")}  # a measurement is no attempt at a claim
        process(*me, str(home / "noted"), size, str(rounds), str(home / "calls.jsonl"), environment=told)
        for number in range(repeats):
            bare = process("-m", "netgain.bench.bare", size, str(home / "calls.jsonl"))
            run_ = process(*me, str(home / f"run{number}"), size, str(rounds), environment=told)
            _same_systems(home / f"run{number}", json.loads(bare.out))
            found.append(_Pair(run_.cpu, bare.cpu, **json.loads(run_.out)))
    return found


def _same_systems(folder: Path, made: Sequence[str]) -> None:
    """Refuse to compare a script that came to other systems than the runtime, byte for byte."""
    with Ledger.open(folder, readonly=True) as log:
        outs = [entry.data["out"] for entry in log.events("stage_done", "r0/self")]
    theirs = [out.get("system") or out.get("candidate") for out in outs if {"system", "candidate"} & out.keys()]
    if theirs != list(made):
        what = f"the bare script made {list(made)!r}, the runtime {theirs!r}"
        raise NetgainError(what, fix="mend netgain.bench.bare: it has to do the same steps")


def run(folder: Path, size: str, rounds: int, calls: Path | None = None) -> float:
    """One start to its verdict; with `calls` each call of loop code is written there.

    Returns:
        CPU seconds of this process up to its first stage.
    """
    built = length.make({"size": size})
    claim = replace(built.claim, beats=("frozen",), rung="R1")
    options = {"size": size} if calls is None else {"size": size, "calls": str(calls)}
    target = "netgain.recipes.length:make" if calls is None else "netgain.bench.flagship:noted"
    study = Study(built.loop, built.suite, ARMS, claim, replicas=1, rounds=rounds, root=ROOT,
                  reference=Reference(target, options))  # fmt: skip
    marks: list[float] = []
    run_study(study, folder, workers=1, exploratory=True, watch=lambda stepped: marks.append(time.process_time()))
    return marks[0]


def noted(options: Mapping[str, Json], *, device: str = "cpu") -> Built:
    """The recipe `length` whose functions write down how they are called."""
    built = length.make({name: value for name, value in options.items() if name != "calls"}, device=device)
    notes = _Notes(Path(options["calls"]), built.loop.codec)
    loop = replace(built.loop, start=notes.start(built.loop.start), propose=notes.propose(built.loop.propose),
                   build=notes.build(built.loop.build), answer=notes.answer(built.loop.answer),
                   apart=False)  # fmt: skip
    return replace(built, loop=loop)


class _Notes:
    """Wraps loop code: what a call was given, with systems by the order in which they were made."""

    def __init__(self, path: Path, codec: Any) -> None:
        self._path, self._codec = path, codec
        self._made: list[bytes] = []

    def start(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def call(rng: Any) -> Any:
            key = _key(rng)
            started = do(rng)
            self._write("start", key, {})
            self._made.append(self._codec.encode(started.system))
            return started

        return call

    def propose(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def call(view: Any) -> Any:
            kept = view.feedback.kept
            given = {"parent": self._place(view.parent), "improver": self._place(view.improver), "state": view.state,
                     "inputs": list(kept.inputs), "labels": list(kept.labels), "shares": dict(view.feedback.shares),
                     "round": view.round, "budget": view.budget.limits()}  # fmt: skip
            self._write("propose", _key(view.rng), given)
            return do(view)

        return call

    def build(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def call(parent: Any, change: Any, budget: Any, rng: Any) -> Any:
            examples = change.examples
            given = {"parent": self._place(parent), "state": change.state, "inputs": list(examples.inputs),
                     "labels": list(examples.labels), "budget": budget.limits()}  # fmt: skip
            self._write("build", _key(rng), given)
            built = do(parent, change, budget, rng)
            self._made.append(self._codec.encode(built))
            return built

        return call

    def answer(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def call(system: Any, inputs: Sequence[Json], budget: Any, rng: Any) -> Any:
            given = {"system": self._place(system), "inputs": list(inputs), "budget": budget.limits()}
            self._write("answer", _key(rng), given)
            return do(system, inputs, budget, rng)

        return call

    def _place(self, system: Any) -> int:
        return self._made.index(self._codec.encode(system))

    def _write(self, op: str, key: str, given: Mapping[str, Json]) -> None:
        with open(self._path, "a") as file:
            file.write(json.dumps({"op": op, "key": key, **given}) + "\n")


def _key(rng: Any) -> str:
    """The Philox key that a stream was made from, as hex."""
    low, high = (int(word) for word in rng.bit_generator.state["state"]["key"])
    return f"{(high << 64) | low:x}"


if __name__ == "__main__":
    _, folder, size, rounds, *rest = sys.argv
    before = run(Path(folder), size, int(rounds), Path(rest[0]) if rest else None)
    sys.stdout.write(json.dumps({"before": before, "coordinator": time.process_time()}) + "\n")
