"""How long a run of the flagship at size tiny takes from its files: planning, seal and page included, one worker."""

from __future__ import annotations

import importlib.util
import tempfile

from netgain.bench.measurement import Measurement, Scale, process

ARMS = ("self", "frozen", "placebo")


def measure(scale: Scale) -> list[Measurement]:
    """Wall seconds over the runs of one start."""
    what = f"a run of `length` at size tiny: wall seconds of a study of {len(ARMS)} runs, over their number"
    why = "needs minutes of training" if not scale.processes else None
    if importlib.util.find_spec("torch") is None:
        why = "torch: not installed"
    if why:
        return [Measurement(name="tiny.run", what=what, unit="s", skipped=why)]
    return [Measurement(name="tiny.run", what=what, unit="s", values=[_seconds()], at_most=20.0)]


def _seconds() -> float:
    arms = ", ".join(f'"{name}"' for name in ARMS)
    settings = ["study.replicas=1", f"study.arms=[{arms}]", "claim.rung=R1", 'claim.beats=["frozen"]']
    with tempfile.TemporaryDirectory(prefix="netgain-bench-") as home:
        told = {"XDG_STATE_HOME": f"{home}/state"}
        netgain, folder = ("-m", "netgain.cli"), f"{home}/tiny"
        given = [f"--set={one}" for one in settings]
        process(*netgain, "init", folder, "--from", "length", "--size", "tiny", *given, environment=told)
        run = process(*netgain, "run", folder, "--exploratory", "--workers", "1", "--json", environment=told)
    return run.wall / len(ARMS)
