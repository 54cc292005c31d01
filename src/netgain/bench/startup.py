"""What one waits for before anything is done: imports, and the help text."""

from __future__ import annotations

from netgain.bench.measurement import Measurement, Scale, process

GOALS = {
    "import netgain": ("import netgain", 0.2),
    "netgain --help": ("from netgain.cli import main; main(['--help'])", 0.3),
}


def measure(scale: Scale) -> list[Measurement]:
    """CPU seconds over a bare interpreter that was started in turn with it."""
    found = []
    for name, (code, goal) in GOALS.items():
        pairs = [(process("-c", code).cpu, process("-c", "pass").cpu) for _ in range(scale.repeats)]
        found.append(
            Measurement(name=f"startup.{name}", what=f"{name}, over a bare interpreter", unit="s of CPU",
                        values=[with_it - bare for with_it, bare in pairs], at_most=goal, judged=scale.share == 1.0)
        )  # fmt: skip
    return found
