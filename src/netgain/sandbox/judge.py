"""Judges programs from outside: inputs go into a sandbox, typed answers come out, and scoring happens here.

Nothing of the judge is in the candidate's process: no target, no scorer, no item list. Its answers are read as JSON of
a stranger; they are complete and carry the run's nonce, or the evaluation is invalid: never 0, and never a pass.
Standard output is not read, no file is collected, time is taken outside, and the judge's own files are digested before
and after.

Not covered: a candidate that knows a target without being told it (from its author, or by guessing), a backend that
does not keep its level, and what two answers tell together. A program may see the order of its inputs and time them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from netgain.budget import Budget
from netgain.errors import ConfigError, EvaluateError, IntegrityError, SandboxError
from netgain.metric import Metric
from netgain.sandbox.answers import Answers, read_answers
from netgain.sandbox.probe import held
from netgain.sandbox.seam import Backend, Finished, Job, Level, Limits
from netgain.sandbox.strict import ALLOWED, Caps, NotStrict
from netgain.sandboxed import SEEN
from netgain.suite import Item, score_all

Json = Any
OWN = ("answers.py", "inside.py", "judge.py", "strict.py")  # files of the judge itself
WHY = {
    "deadline": "it took longer than {limits.wall_s:g} s",
    "memory": "it took more than {limits.memory} bytes of memory",
    "processes": "it wanted more than {limits.processes} processes",
    "disk": "it wrote more than {limits.disk} bytes",
    "output": "it sent more than {limits.result} bytes",
    "killed": "a signal ended it",
}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One evaluation of one program. Status and value are apart: outputs exist only where the status is complete.

    Attributes:
        status: "complete", or "invalid" with the reason in our words.
        answers: what the program said; None unless complete.
        wall_s: seconds by our monotonic clock, start and end of the sandbox included; cpu_s as the backend counts it,
            None where it cannot.
        backend, level: where it ran.
        evaluator: digest of the judge's files, the same before and after.
        log: the program's standard error, at most what its limits keep; text from outside.
    """

    status: Literal["complete", "invalid"]
    reason: str
    answers: Answers | None
    wall_s: float
    cpu_s: float | None
    backend: str
    level: Level
    evaluator: str
    log: bytes = b""

    def per_input(self, count: int) -> list[tuple[str, Json]]:
        """(status, value) of each of `count` inputs: "value", else "raised", "untyped" or "invalid" with None."""
        if self.answers is None:
            return [("invalid", None)] * count
        faults = self.answers.faults
        return [(faults.get(place, "value"), output) for place, output in enumerate(self.answers.outputs)]


@dataclass(frozen=True)
class Scored:
    """An evaluation with its scores.

    Attributes:
        values: (n,) scores in [0, 1]; None where there is none.
        status: index (as text) -> why the value is None.
    """

    judged: Judged
    values: tuple[float | None, ...]
    status: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Asks programs through a sandbox.

    Attributes:
        backend: what keeps them apart.
        least: level below which the backend is refused; the default is the one for generated code.
        limits: what one evaluation may use; all inputs of one call are one evaluation, in a fresh process.
        caps: what its answers may hold.
        form: "function": the source defines `solve(input)`; "program": it reads {"nonce", "inputs": [[place, input],
            …]} from standard input and writes what `read_answers` reads to file descriptor 3.
        watched: further files that decide on scores, such as the metric's; a change during an evaluation ends it.
        site: folders of installed packages that programs may import.
    """

    backend: Backend
    least: Level = Level.S2
    limits: Limits = field(default_factory=Limits)
    caps: Caps = ALLOWED
    form: Literal["function", "program"] = "function"
    watched: Sequence[Path] = field(default=())
    site: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.backend.level < self.least:
            raise ConfigError(
                f"backend {self.backend.name!r} has level {self.backend.level.name}, expected {self.least.name}",
                fix="choose another backend, or say least=Level.S0 for code that you trust",
            )

    def ready(self) -> None:
        """Attack the sandbox, once a process: `Loop(ready=judge.ready)`.

        Raises:
            SandboxError: it runs nothing here, or an attack succeeded.
        """
        held(self.backend)

    def ask(self, source: str, inputs: Sequence[Json], *, rng: Any = None) -> Judged:
        """Answers of a program to inputs.

        Args:
            source: its text.
            inputs: JSON values; targets have no business here.
            rng: a numpy generator that draws the order in which they are asked; None keeps theirs.

        Raises:
            SandboxError: our side failed; it says nothing about the program.
            IntegrityError: a file of the judge changed meanwhile.
        """
        nonce = secrets.token_hex(16)
        job = self._job(source, inputs, nonce, rng)
        before, began = self.evaluator(), time.monotonic()
        done = self.backend.run(job)
        wall_s = time.monotonic() - began
        SEEN.add((done.backend, int(done.level)))
        if (after := self.evaluator()) != before:
            what = f"the evaluator's files had digest {before[:16]} before an evaluation and {after[:16]} after it"
            raise IntegrityError(what, fix="restore them, and look for how a program reached them")
        if done.ending == "broken":
            raise SandboxError(f"sandbox {done.backend!r} broke during an evaluation", fix="run again: it is repeated")
        answers, reason = self._read(done, nonce, len(inputs))
        return Judged(
            status="invalid" if answers is None else "complete", reason=reason, answers=answers, wall_s=wall_s,
            cpu_s=done.cpu_s, backend=done.backend, level=done.level, evaluator=before, log=done.err,
        )  # fmt: skip

    def score(self, source: str, items: Sequence[Item], metric: Metric, *, rng: Any = None) -> Scored:
        """Ask a program the inputs of items, and score its answers here. An invalid evaluation has no scores."""
        judged = self.ask(source, [item["input"] for item in items], rng=rng)
        if judged.answers is None:
            nothing = {str(place): f"invalid: {judged.reason}" for place in range(len(items))}
            return Scored(judged, (None,) * len(items), nothing)
        values, status = score_all(metric, judged.answers.outputs, items)
        status |= {str(place): kind for place, kind in judged.answers.faults.items()}
        return Scored(judged, tuple(values), status)

    def answer(self, system: str, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """`Loop.answer` of a loop whose systems are the source of programs.

        What a program raises is its answer, and a wrong one: `{"answer": {"fault": "raised"}}`. Were it no answer, the
        pair would be left out, and failing would be better than answering wrongly.

        Raises:
            EvaluateError: the evaluation is invalid; none of its items has a score.
        """
        judged = self.ask(system, inputs, rng=rng)
        budget.spend(calls=len(inputs), device_seconds=judged.wall_s if judged.cpu_s is None else judged.cpu_s)
        if judged.answers is None:
            raise EvaluateError(f"the evaluation is invalid: {judged.reason}", fix="the program has no score")
        told = judged.per_input(len(inputs))
        return [output if status == "value" else {"answer": {"fault": status}} for status, output in told]

    def evaluator(self) -> str:
        """SHA-256 over the judge's files and those watched, read from the disk now."""
        own = resources.files("netgain.sandbox")
        parts = [own.joinpath(name).read_bytes() for name in OWN]
        parts += [_content(path) for path in self.watched]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    def _job(self, source: str, inputs: Sequence[Json], nonce: str, rng: Any) -> Job:
        order = range(len(inputs)) if rng is None else [int(place) for place in rng.permutation(len(inputs))]
        task = {"nonce": nonce, "inputs": [[place, inputs[place]] for place in order]}
        stdin, code = json.dumps(task, allow_nan=False).encode(), source.encode("utf-8", "replace")
        if self.form == "program":
            return Job(source=code, stdin=stdin, limits=self.limits, site=self.site)
        inside = resources.files("netgain.sandbox").joinpath("inside.py").read_bytes()
        return Job(source=inside, files={"candidate.py": code}, stdin=stdin, limits=self.limits, site=self.site)

    def _read(self, done: Finished, nonce: str, count: int) -> tuple[Answers | None, str]:
        if done.ending != "ended":
            return None, WHY[done.ending].format(limits=self.limits)
        if done.code != 0:
            return None, f"it ended with code {done.code}"
        try:
            caps = replace(self.caps, size=min(self.caps.size, self.limits.result))
            return read_answers(done.result, nonce, count, caps), ""
        except NotStrict as error:
            return None, f"its answers are {error}" if done.result else "it ended without an answer"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise IntegrityError(f"a watched file cannot be read: {error}", where=str(path), fix="restore it") from None
