"""For all tests: studies are drawn from themselves, see `drawn`."""

import os
from collections.abc import Iterator

import pytest

from drawn import RULE


@pytest.fixture(autouse=True, scope="session")
def drawn_from_the_study() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), value in RULE.items():
            patch.setattr(module, name, value)
        patch.setenv("XDG_CONFIG_HOME", os.devnull)  # a developer's own key signs no test study
        yield
