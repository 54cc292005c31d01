"""Landlock by the package `sandlock`, where it is installed and an account may read the interpreter."""

import os
import subprocess
import sys
from importlib.util import find_spec

import ordinary
import pytest

from netgain.errors import SandboxError
from netgain.sandbox import Job, Level
from netgain.sandbox.landlock import Landlock
from netgain.sandbox.probe import ATTACKS, probed
from netgain.testing.sandboxes import CHECKS, UNLESS, checks_of


def held_to_s2():
    """The backend, held to more than its level claims."""
    backend = Landlock()
    backend.level = Level.S2
    return backend


def works():
    """Why it cannot be tested here, or nothing."""
    try:
        Landlock().run(Job(source=b"pass"))
    except SandboxError as error:
        return str(error)
    return ""


REASON = works()
needed = pytest.mark.skipif(bool(REASON), reason=REASON)


@needed
@pytest.mark.parametrize("name", list(CHECKS))
def test_it_does_what_every_backend_has_to(name):
    backend = held_to_s2()
    if name not in checks_of(backend):
        pytest.skip("the package cannot tell this")
    CHECKS[name](backend)


@needed
def test_every_attack_of_the_probe_is_stopped():
    assert [one for one in probed(held_to_s2()) if not one.stopped] == []


@pytest.mark.skipif(find_spec("sandlock") is None, reason="sandlock is not installed: netgain[sandbox]")
@pytest.mark.parametrize("place", [*CHECKS, *(f"attack {one.name}" for one in ATTACKS)])
def test_an_ordinary_user_has_it_where_the_interpreter_is_open_to_all(place):
    found = ordinary.outcomes()
    if isinstance(found, str):
        pytest.skip(found)
    if place in UNLESS["sandlock"]:
        pytest.skip("the package cannot tell this")
    assert found[f"sandlock: {place}"] == ""


@needed
def test_nothing_is_left_behind():
    mark = f"left-{os.getpid()}"
    source = f"import ctypes, os, time\nctypes.CDLL(None).prctl(15, {mark!r}.encode())\n"
    source += "if os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n"
    Landlock().run(Job(source=source.encode()))
    names = subprocess.run(["ps", "-eo", "comm"], capture_output=True, text=True, check=True).stdout
    assert mark not in names


def test_without_the_package_the_message_has_the_next_step(monkeypatch):
    monkeypatch.setattr("netgain.sandbox.landlock.find_spec", lambda name: None)
    with pytest.raises(SandboxError, match=r"pip install 'netgain\[sandbox\]'"):
        Landlock()


def test_it_is_for_linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="darwin"):
        Landlock()


def test_an_interpreter_that_an_account_cannot_read_is_an_error_and_not_a_weaker_sandbox(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root gives up root")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    tmp_path.chmod(0o700)
    (tmp_path / "sandlock").mkdir()
    (tmp_path / "sandlock/__init__.py").write_text("")
    backend = Landlock(packages=str(tmp_path))
    backend.python = type(backend.python)(sys.executable, (str(closed / "python"),), ())
    with pytest.raises(SandboxError, match="cannot read"):
        backend.run(Job(source=b"pass"))
