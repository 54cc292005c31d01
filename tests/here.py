"""Studies whose loop code runs in the test's own process: a worker would load Python, numpy and the loop for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netgain import session
from netgain.executors import Reference
from netgain.executors.worker import find_loop
from netgain.testing.inprocess import InProcess


class Here(InProcess):
    """Stands for `LocalWorkers`: finds the loop as a worker does, and has no process to end."""

    def __init__(self, reference: Reference, count: int) -> None:
        super().__init__(find_loop(reference.target, dict(reference.options or {}), reference.device))

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


def run_here(study: session.Study, folder: Path, **more: Any) -> Any:
    """`run_study` with loop code in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "LocalWorkers", Here)
        return session.run_study(study, folder, **{"workers": 1, **more})
