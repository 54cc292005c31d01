"""For all tests: studies are drawn from themselves, see `drawn`, and have one worker unless a test says how many.

Their folders lie in memory where there is room: most of a small study's time is waiting for flushes to reach a disk,
which no test can see. `PYTEST_DEBUG_TEMPROOT=FOLDER pytest` chooses another place. Where figures of reliability are
recorded, folders stay on the disk: there the flushes are what is timed.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from drawn import RULE
from netgain import session

MEMORY, ROOM = Path("/dev/shm"), 4 << 30
RECORDED = "NETGAIN_RELIABILITY" in os.environ

if not RECORDED and MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(autouse=True, scope="session")
def drawn_from_the_study() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), value in RULE.items():
            patch.setattr(module, name, value)
        patch.setenv("XDG_CONFIG_HOME", os.devnull)  # a developer's own key signs no test study
        patch.setitem(session.run_study.__kwdefaults__, "workers", 1)  # the two cores have a test process each
        yield
