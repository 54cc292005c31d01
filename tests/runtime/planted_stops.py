"""The recipe `collapse` under a gate that only watches, one start, with a monitor of harm that acts."""

from pathlib import Path
from typing import Any

import pytest

from netgain import session
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.monitors import MONITORS
from netgain.recipes import build_recipe
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.testing.inprocess import InProcess

ARMS = ("self", "frozen", "stop:off")


def run(folder: Path, action: str) -> dict[str, Any]:
    """Arm -> facts of its run."""
    built = build_recipe("collapse", {"chain": "gaussian"}, "default")

    class Here(InProcess):
        def __init__(self, reference: Reference, count: int) -> None:
            super().__init__(built.loop)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    claim = Claim("truth", by=0.01, beats=("frozen",), rung="R1", expected=0.1)
    watched = Study(
        built.loop, built.suite, ARMS, claim, replicas=1, rounds=8, root="3c" * 32,
        reference=Reference("netgain.recipes.collapse:make", {"chain": "gaussian", "size": "default"}),
        monitors=(MONITORS["harm"](threshold=1.0, action=action),),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "LocalWorkers", Here)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        run_study(watched, folder / "study", workers=1)
    with Ledger.open(folder / "study", readonly=True) as log:
        facts = facts_of(log)
    return {arm: facts.runs[f"r0/{arm}"] for arm in ARMS}
