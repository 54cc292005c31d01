"""For all tests: studies are drawn from themselves, see `drawn`, and have one worker unless a test says how many."""

import os
from collections.abc import Iterator

import pytest

from drawn import RULE
from netgain import session


@pytest.fixture(autouse=True, scope="session")
def drawn_from_the_study() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), value in RULE.items():
            patch.setattr(module, name, value)
        patch.setenv("XDG_CONFIG_HOME", os.devnull)  # a developer's own key signs no test study
        patch.setitem(session.run_study.__kwdefaults__, "workers", 1)  # the two cores have a test process each
        yield
