"""A user who has a signing key."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netgain import signing
from netgain.signing import Signer


@contextmanager
def keyed(home: Path, name: str = "lab") -> Iterator[Signer]:
    """A user with one key while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(home))
        patch.delenv("NETGAIN_KEY_PASSPHRASE", raising=False)
        found = signing.opened(signing.new_key(name))
        assert found is not None
        yield found
