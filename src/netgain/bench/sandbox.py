"""What a sandbox costs: from the call to the end of a program that does nothing, beside a plain isolated Python."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from netgain.bench.measurement import Measurement, Scale
from netgain.errors import SandboxError
from netgain.sandbox import Backend, Job
from netgain.sandbox.choice import KINDS
from netgain.sandbox.server import ForkServer

START_MS, WARM_MS = 20.0, 2.0
RIVAL = "python -I -S"
NOTHING = Job(source=b"pass")


def measure(scale: Scale) -> list[Measurement]:
    """Wall and CPU milliseconds, each beside a plain Python started right after it."""
    count, judged = scale.of(40, least=scale.repeats), scale.share == 1.0
    found = []
    for name in KINDS:
        found += _of(name, f"a program that does nothing, in the sandbox {name!r}", KINDS[name].make, count, judged)
    with contextlib.closing(ForkServer()) if shutil.which("bwrap") else contextlib.nullcontext() as server:
        what = "a program that does nothing, in a child of the fork server"
        found += _of("warm", what, lambda: _there(server), count, judged)
    return found


def _there(server: ForkServer | None) -> Backend:
    if server is None:
        raise SandboxError("no program 'bwrap' on PATH")
    return server


def _of(name: str, what: str, make: Callable[[], Backend], count: int, judged: bool) -> list[Measurement]:
    try:
        backend = make()
        backend.run(NOTHING)  # what is read or compiled for the first time is not what every start costs
        pairs = [(_sandboxed(backend), _bare()) for _ in range(count)]
    except SandboxError as error:
        return [Measurement(name=f"sandbox.wall {name}", what=what, unit="ms", skipped=error.what)]
    wall = Measurement(
        name=f"sandbox.wall {name}", what=what, unit="ms", values=[ours.wall for ours, _ in pairs], rival=RIVAL,
        ratios=[bare.wall / ours.wall for ours, bare in pairs], at_most=WARM_MS if name == "warm" else None,
        judged=judged, notes=_missing(backend),
    )  # fmt: skip
    over = Measurement(
        name=f"sandbox.over {name}", what=f"{what}, over a plain Python", unit="ms", judged=judged,
        values=[max(0.001, ours.wall - bare.wall) for ours, bare in pairs], at_most=START_MS,
    )  # fmt: skip
    return [wall, *([over] if name == "bubblewrap" else []), *_cpu(name, what, pairs, judged)]


def _cpu(name: str, what: str, pairs: list[tuple[Took, Took]], judged: bool) -> list[Measurement]:
    """On a busy machine wall time says how busy it was; CPU time says less of that."""
    known = [(ours.cpu, bare.cpu) for ours, bare in pairs if ours.cpu is not None and bare.cpu]
    if not known:
        return []
    values, ratios = [ours for ours, _ in known], [bare / ours for ours, bare in known]
    return [Measurement(name=f"sandbox.cpu {name}", what=what, unit="ms of CPU", values=values, rival=RIVAL,
                        ratios=ratios, judged=judged)]  # fmt: skip


@dataclass(frozen=True)
class Took:
    """Milliseconds of one start; CPU is None where the backend cannot tell that of its program."""

    wall: float
    cpu: float | None


def _sandboxed(backend: Backend) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    said = backend.run(NOTHING)
    own = 1e3 * (time.process_time() - cpu)
    return Took(1e3 * (time.perf_counter() - wall), None if said.cpu_s is None else own + 1e3 * said.cpu_s)


def _bare() -> Took:
    wall, cpu = time.perf_counter(), _all_cpu()
    python = os.path.realpath(sys.executable)
    subprocess.run([python, "-I", "-S", "-c", "pass"], env={}, check=True, stdin=subprocess.DEVNULL)
    return Took(1e3 * (time.perf_counter() - wall), 1e3 * (_all_cpu() - cpu))


def _all_cpu() -> float:
    """CPU seconds of this process and of the children it has waited for (`os.times` counts in hundredths)."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _missing(backend: Backend) -> dict[str, object]:
    missing = getattr(backend, "missing", ())
    return {"not_kept_together": list(missing)} if missing else {}
