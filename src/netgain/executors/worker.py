"""The process that runs loop code: reads tasks, writes answers. It holds no items, targets, scores or decisions."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import io
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from netgain.budget import UNITS, Budget
from netgain.canonical import canonical
from netgain.codecs import PlainCodec
from netgain.executors.apart import apart, can_copy, own_folder
from netgain.executors.frames import receive, send
from netgain.executors.keeper import PR_SET_CHILD_SUBREAPER, prctl
from netgain.inert import plain
from netgain.records import Change, Examples, Feedback, Part, Started, View
from netgain.sandboxed import SEEN
from netgain.stages import Answer, Building, Codec, Inside, Loop
from netgain.wire import pack, unpack

HINT = "; a task writes into its own folder only, and a loop that judges programs says so: Loop(sandbox=2)"


def find_loop(target: str, options: dict[str, Any] | None, device: str = "cpu") -> Loop:
    """The loop that a reference names (see `netgain.executors.local.Reference`)."""
    place, _, name = target.rpartition(":")
    found = getattr(_module(place), name)
    built = found if isinstance(getattr(found, "loop", found), Loop) else found(dict(options or {}), device=device)
    for module in getattr(built, "imports", ()):  # else the first task would pay for them
        importlib.import_module(module)
    loop = getattr(built, "loop", built)
    if not isinstance(loop, Loop):
        raise TypeError(f"{target!r} is {type(loop).__name__}, expected a Loop")
    return loop


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        return importlib.import_module(place)
    spec = importlib.util.spec_from_file_location("__netgain_loop__", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(Path(place).parent))
    spec.loader.exec_module(module)
    return module


class Tasks:
    """One method per task; each takes the task's fields and gives a packable value."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.codec: Codec = loop.codec or PlainCodec()

    def start(self, task: dict[str, Any], budget: Budget) -> Any:
        made = self.loop.start(_rng(task["seed"]))
        started = made if isinstance(made, Started) else Started(made)
        budget.spend(**started.spent)
        return {"system": self.codec.encode(started.system)}

    def propose(self, task: dict[str, Any], budget: Budget) -> Any:
        change = self._proposer(task["proposer"])(self._view(task, budget))
        if not isinstance(change, Change):
            raise TypeError(f"propose gave {type(change).__name__}, expected a Change")
        return {"change": self._change_out(change), "truth": self._truth(change)}

    def build(self, task: dict[str, Any], budget: Budget) -> Any:
        change = self._change_in(task["change"])
        return {
            "system": self.codec.encode(
                self.loop.build(self._system(task["parent"]), change, budget, _rng(task["seed"]))
            )
        }

    def build_many(self, task: dict[str, Any], budget: Budget) -> Any:
        """Builds of several runs: what `build` gives for each, and what each booked."""
        assert self.loop.build_many is not None
        asked = [
            Building(self._system(one["parent"]), self._change_in(one["change"]), Budget(**one["budget"]),
                     _rng(one["seed"]))
            for one in task["tasks"]
        ]  # fmt: skip
        made = list(self.loop.build_many(asked))
        if len(made) != len(asked):
            raise ValueError(f"build_many gave {len(made)} systems for {len(asked)} builds")
        spent = [one.budget.spent for one in asked]
        budget.spend(device_seconds=sum(one.get("device_seconds", 0.0) for one in spent))
        return [{"system": self.codec.encode(one), "spent": booked} for one, booked in zip(made, spent, strict=True)]

    def answer(self, task: dict[str, Any], budget: Budget) -> Any:
        ask = (self.loop.sampled or partial(voted, self.loop.answer)) if task["sampled"] else self.loop.answer
        outputs = list(ask(self._system(task["system"]), task["inputs"], budget, _rng(task["seed"])))
        if len(outputs) != len(task["inputs"]):
            raise ValueError(f"answer gave {len(outputs)} outputs for {len(task['inputs'])} inputs")
        return {"outputs": outputs}

    def probe(self, task: dict[str, Any], budget: Budget) -> Any:
        look = next(one.look for one in self.loop.probes if one.name == task["name"])
        kept = None if task["kept"] is None else Examples(task["kept"]["inputs"], task["kept"]["labels"])
        systems = self._system(task["first"]), self._system(task["system"])
        record = dict(look(Inside(*systems, task["inputs"], kept, budget, _rng(task["seed"]))))
        canonical(record)  # plain JSON and finite numbers only: a probe that gives anything else has not looked
        return {"record": record}

    def drift(self, task: dict[str, Any], budget: Budget) -> Any:
        """A system as far from the first as the last one is, in a random direction."""
        assert self.loop.transplant is not None
        first, last = self._system(task["first"]), self._system(task["last"])
        return {"system": self.codec.encode(self.loop.transplant.drifted(first, last, _rng(task["seed"])))}

    def mix(self, task: dict[str, Any], budget: Budget) -> Any:
        """The first system with the parts of the final one that are named in `taken`."""
        assert self.loop.separable is not None
        budget.spend(**{unit: 0.0 for unit in UNITS if unit != "device_seconds"})  # nothing is built or asked
        first, final = (self._parts(task[name]) for name in ("first", "final"))
        mixed = {name: (final if name in task["taken"] else first)[name] for name in self.loop.separable.names}
        return {"system": self.codec.encode(self.loop.separable.join(mixed))}

    def _parts(self, named: dict[str, Any]) -> dict[str, Any]:
        assert self.loop.separable is not None
        parts, names = dict(self.loop.separable.split(self._system(named))), list(self.loop.separable.names)
        if sorted(parts) != sorted(names):
            raise ValueError(f"split gave the parts {sorted(parts)}, expected {sorted(names)}")
        return parts

    def _system(self, named: dict[str, Any]) -> Any:
        """The system of {"digest", "data"}, decoded anew: loop code may have edited an earlier copy in place."""
        return self.codec.decode(named["data"])

    def own_score(self, task: dict[str, Any], budget: Budget) -> Any:
        assert self.loop.own_score is not None
        judge, system = self._system(task["judge"]), self._system(task["system"])
        score = float(self.loop.own_score(judge, system, budget, _rng(task["seed"])))
        if not 0.0 <= score <= 1.0:
            raise ValueError(f"own_score gave {score!r}, expected a number in [0, 1]")
        return {"score": score}

    def _proposer(self, name: str) -> Callable[[View], Change]:
        kind, _, variant = name.partition(".")
        if kind == "ordinary":
            return self.loop.menu[variant]
        own = {"random_search": self.loop.random_search, "random_proposer": self.loop.random_search}
        moved = self.loop.transplant.propose if self.loop.transplant else None
        return {**own, "unaided": self.loop.unaided, "transplant": moved}.get(kind) or self.loop.propose

    def _view(self, task: dict[str, Any], budget: Budget) -> View:
        feedback = task["feedback"] or {"inputs": [], "labels": [], "shares": {}}
        kept = Examples(feedback["inputs"], feedback["labels"])
        return View(
            parent=self._system(task["parent"]),
            improver=self._system(task["improver"]),
            state=None if task["state"] is None else unpack(task["state"]),
            accepted=task["accepted"],
            feedback=Feedback(kept, feedback["shares"]),
            dev=task["dev"],
            budget=budget,
            rng=_rng(task["seed"]),
            round=task["round"],
            closed=tuple(task.get("closed", ())),
            shown=task.get("shown"),
        )

    def _truth(self, change: Change) -> list[bool] | None:
        examples = change.examples
        if self.loop.oracle is None or examples is None:
            return None
        return [bool(right) for right in self.loop.oracle(examples.inputs, examples.labels)]

    def _change_out(self, change: Change) -> dict[str, Any]:
        checks = {name: [bool(one) for one in verdicts] for name, verdicts in change.checks.items()}
        state = None if change.state is None else pack(change.state)
        return {"parts": [self._part_out(part) for part in change.parts], "state": state, "checks": checks}

    def _part_out(self, part: Part) -> dict[str, Any]:
        plain: dict[str, Any] = {"surface": part.surface, "decided_by": part.decided_by, "reason": part.reason}
        plain |= {"options": part.options, "evidence": dict(part.evidence)}
        if isinstance(part.payload, Examples):
            return {**plain, "examples": {"inputs": list(part.payload.inputs), "labels": list(part.payload.labels)}}
        return {**plain, "payload": self._encoded(part.payload)}

    def _encoded(self, payload: Any) -> bytes:
        """A payload as bytes: a plain value as it is, anything else by the loop's codec."""
        try:
            return b"P" + pack(payload)
        except Exception:  # noqa: BLE001  broad: whatever is no plain value is a system, and its codec says if it is not
            return b"S" + self.codec.encode(payload)

    def _change_in(self, change: dict[str, Any]) -> Change:
        state = None if change["state"] is None else unpack(change["state"])
        return Change(tuple(self._part_in(part) for part in change["parts"]), state, change["checks"])

    def _part_in(self, part: dict[str, Any]) -> Part:
        names = ("surface", "decided_by", "reason", "options", "evidence")
        if "examples" in part:
            payload: Any = Examples(part["examples"]["inputs"], part["examples"]["labels"])
        else:
            data = part["payload"]
            payload = unpack(data[1:]) if data[:1] == b"P" else self.codec.decode(data[1:])
        return Part(payload=payload, **{name: part[name] for name in names})


def voted(answer: Answer, system: Any, inputs: Sequence[Any], budget: Budget, rng: Any) -> list[Any]:
    """Ask `budget.tries` times and give the answer that came most often; of equals the one that came first.

    The default of `Loop.sampled`. A system that always answers alike is what it was: its vote shows no more.
    """
    tried = [list(_counted(answer, system, inputs, budget, rng)) for _ in range(budget.tries)]
    return [_most_often([outputs[index] for outputs in tried]) for index in range(len(inputs))]


def _counted(answer: Answer, system: Any, inputs: Sequence[Any], budget: Budget, rng: Any) -> Sequence[Any]:
    once = Budget(budget.scale)
    outputs = answer(system, inputs, once, rng)
    budget.spend(**once.spent)
    if len(outputs) != len(inputs):
        raise ValueError(f"answer gave {len(outputs)} outputs for {len(inputs)} inputs")
    return outputs


def _most_often(outputs: Sequence[Any]) -> Any:
    """Outputs are alike when their answers are; None, which is no answer, has no vote unless there is nothing else."""
    said = [one for one in outputs if one is not None] or list(outputs)
    answers = [one["answer"] if isinstance(one, dict) and "answer" in one else one for one in said]
    keys = [json.dumps(one, sort_keys=True, default=repr) for one in answers]
    return said[max(range(len(said)), key=lambda index: (keys.count(keys[index]), -index))]


def _rng(seed: str) -> Any:
    import numpy as np

    return np.random.Generator(np.random.Philox(key=int(seed, 16)))


def run_task(tasks: Tasks, task: dict[str, Any]) -> dict[str, Any]:
    """One task to its answer.

    Returns:
        {"ok": True, "value", "spent", "device_seconds", "sandboxes": [[name, level], …] of this process so far}, or
        {"ok": False, "type", "message", "where"}.
    """
    limits = task.get("budget") or {}
    budget = Budget(**limits)
    began = time.process_time()
    try:
        value = getattr(tasks, task["op"])(task, budget)
        pack([value, budget.spent])  # what cannot cross the pipe is a failure of loop code, not of the worker
        seconds = time.process_time() - began
        seconds += budget.spent.get("device_seconds", 0.0)  # of what runs beside this process, such as a sandbox
        told = {"value": value, "spent": budget.spent, "device_seconds": seconds}
        return {"ok": True, **told, "sandboxes": [list(one) for one in sorted(SEEN)]}
    except (Exception, SystemExit) as error:  # noqa: BLE001  broad: the boundary to loop code; its failure is no score
        message = f"{str(error)[:2000]}{HINT if isinstance(error, PermissionError) else ''}"
        return {"ok": False, "type": type(error).__name__, "message": message, "where": _where(error)}


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if "site-packages" not in frame.filename), frames[-1])
    return f"{Path(last.filename).name}:{last.lineno}"


def serve(source: BinaryIO, sink: BinaryIO, where: dict[str, Any], *, copies: bool = False) -> None:
    """Load the loop, say so, then answer tasks until the pipe closes, each with the number of its lease.

    A loop that cannot be loaded fails every task. A copy of this process that loop code made and did not end answers
    nothing.

    Args:
        source, sink: pipes of frames.
        where: how the loop is found; "given" in it: variables of the environment that the loop has named.
        copies: whether each task is done apart (`netgain.executors.apart`), if the loop and the device are fit for it.
    """
    given = where.pop("given", ())
    loop, answering = _answering(where)
    apart_ = copies and can_copy(where.get("device", "cpu")) and (loop is None or loop.apart)
    fenced = loop is None or loop.sandbox is None  # a sandbox mounts, which a fenced process may not
    send(sink, {"ready": os.getpid()})
    if apart_:
        gc.freeze()  # what is loaded stays where it is: copies share its pages
    while (task := receive(source)) is not None:
        lease = {"lease": task.pop("lease")} if "lease" in task else {}
        if apart_:
            apart(partial(_answer, answering, task, lease), sink, given, fenced=fenced)
        else:
            with own_folder(given) if copies else nullcontext():
                _answer(answering, task, lease, sink)


def _answer(
    answering: Callable[[dict[str, Any]], dict[str, Any]], task: dict[str, Any], lease: dict[str, Any], sink: BinaryIO
) -> None:
    own = os.getpid()
    answer = answering(task)
    if os.getpid() != own:
        os._exit(0)
    send(sink, {**answer, **lease})


def _answering(where: dict[str, Any]) -> tuple[Loop | None, Callable[[dict[str, Any]], dict[str, Any]]]:
    try:
        _rng("0")  # imports what the first task would wait for
        loop = find_loop(**where)
        return loop, partial(run_task, Tasks(loop))
    except (Exception, SystemExit) as error:  # noqa: BLE001  broad: importing the user's file can raise anything
        told = {"type": type(error).__name__, "message": str(error)[:2000], "where": _where(error)}
        return None, lambda task: {"ok": False, **told}


class Shown(io.TextIOWrapper):
    """Where loop code prints: a terminal may stand at its end, and what is printed may come from a stranger.

    Not covered: what is written past Python, to the descriptor itself.
    """

    def write(self, text: str, /) -> int:
        """Write text without what a terminal obeys."""
        super().write(plain(text))
        return len(text)


def main() -> None:
    """Serve on standard input and output, which loop code gets to see neither of.

    What it prints goes to standard error; what it, or a process it starts, reads from standard input is empty.
    """
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    shown = open(2, "wb", 0, closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.stdout = sys.stderr = Shown(shown, "utf-8", "backslashreplace", write_through=True)
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a task started and left comes back here
    serve(source, sink, json.loads(sys.argv[1]), copies=True)


if __name__ == "__main__":
    main()
