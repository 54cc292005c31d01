"""Landlock by the package `sandlock`, where it is installed and an account may read the interpreter."""

import errno
import json
import os
import subprocess
import sys
from importlib.util import find_spec

import ordinary
import pytest
from accounts import under

from netgain.errors import SandboxError
from netgain.sandbox import Job, Level
from netgain.sandbox.landlock import Landlock
from netgain.sandbox.probe import ATTACKS, probed
from netgain.testing.sandboxes import CHECKS, UNLESS, checks_of
from netgain.testing.trials import record

installed = pytest.mark.skipif(find_spec("sandlock") is None, reason="sandlock is not installed: netgain[sandbox]")
# Landlock has no right to ask whether a path exists, and a filter cannot read the path: docs/threats.md
LOOKING = {"answers through descriptors of another process", "memory of our process", "where we live, by its path",
           "where we live, by the list of mounts"}  # fmt: skip
ALL_ATTACKS = """
from netgain.sandbox.landlock import Landlock
from netgain.testing.attacks import ATTACKS, attempts, honest, told
assert honest(Landlock()) == [], honest(Landlock())
print(told(list(attempts(Landlock(), ATTACKS))))
"""
OTHERS = """
import subprocess, sys
from netgain.sandbox import Job
from netgain.sandbox.landlock import Landlock
victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
source = f'''
import ctypes, json, os, resource
def said(act):
    try: act()
    except OSError as error: return error.errno
    except PermissionError: return 1
    return 0
one, libc = {victim.pid}, ctypes.CDLL(None, use_errno=True)
def ioprio():
    if libc.syscall({{"x86_64": 251, "aarch64": 30}}[os.uname().machine], 1, one, 0x6007) < 0:
        raise OSError(ctypes.get_errno(), "")
tried = [lambda: resource.prlimit(one, resource.RLIMIT_CPU, (1, 1)), lambda: os.sched_setaffinity(one, {{0}}), ioprio,
         lambda: os.sched_setscheduler(one, os.SCHED_BATCH, os.sched_param(0)),
         lambda: os.setpriority(os.PRIO_PROCESS, one, 19), lambda: os.setpriority(os.PRIO_USER, 0, 19)]
found = [said(act) for act in tried]
resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
os.sched_setaffinity(0, os.sched_getaffinity(0))
os.write(3, json.dumps([found, ["limited", "pinned"]]).encode())
'''
try:
    done = Landlock().run(Job(source=source.encode()))
finally:
    victim.kill()
print(done.result.decode() or done)
"""
UNLISTED = """
from pathlib import Path
from netgain.errors import SandboxError
from netgain.sandbox import Job, landlock
whole, loading = Path.read_bytes, b"libc.prctl(22, 2, listed, 0, 0) or "
assert loading in whole(Path(landlock.__file__).with_name("boot.py"))
Path.read_bytes = lambda path: whole(path).replace(loading, b"")
try:
    print(landlock.Landlock().run(Job(source=b"import os; os.write(3, b'ran')")))
except SandboxError as error:
    print(error)
"""


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


@installed
def test_of_all_attacks_only_those_that_look_for_paths_get_through():
    found = json.loads(under(ALL_ATTACKS))
    record("G7", "attacks on sandlock, as an ordinary user", trials=len(found["succeeded"]) + len(found["stopped"]),
           failures=len(found["succeeded"]), seed=None, command="pytest tests/sandbox/test_landlock.py",
           not_tried=len(found["not tried"]))  # fmt: skip
    assert set(found["succeeded"]) <= LOOKING and len(found["stopped"]) >= 80


@installed
def test_a_process_outside_of_the_same_account_is_not_changed_by_its_number():
    refused, own = json.loads(under(OTHERS))
    assert refused == [errno.EPERM] * 6 and own == ["limited", "pinned"]


@installed
def test_a_program_that_our_list_does_not_hold_is_not_run():
    assert "did not reach the program" in under(UNLISTED)


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
