"""Plain processes: what they keep, and that they do not claim more."""

import time
from pathlib import Path

import pytest

from netgain.errors import SandboxError
from netgain.sandbox import Job, Level, Limits
from netgain.sandbox.bare import Bare, Limited
from netgain.testing.sandboxes import CHECKS, checks_of

BACKENDS = (Bare(), Limited())
CASES = [(backend, name) for backend in BACKENDS for name in checks_of(backend)]


@pytest.mark.parametrize(("backend", "name"), CASES, ids=[f"{backend.name}-{name}" for backend, name in CASES])
def test_it_does_what_every_backend_has_to(backend, name):
    CHECKS[name](backend)


def test_their_levels_say_what_they_are():
    assert [(one.name, one.level) for one in BACKENDS] == [("none", Level.S0), ("process", Level.S1)]


def test_memory_of_a_process_is_limited_from_level_1_on():
    source = b"import os\ntry: held = bytes(64 << 20); os.write(3, b'held')\nexcept MemoryError: os.write(3, b'none')"
    found = [one.run(Job(source=source, limits=Limits(memory=48 << 20))).result for one in BACKENDS]
    assert found == [b"held", b"none"]


def test_a_limit_that_cannot_be_set_is_an_error_and_no_result(monkeypatch):
    monkeypatch.setattr("netgain.sandbox.bare._belts", lambda limits: [("RLIMIT_NONSENSE", 1)])
    with pytest.raises(SandboxError, match="did not reach the program"):
        Limited().run(Job(source=b"import os\nos.write(3, b'ran')"))


def test_a_signal_is_told_as_killed():
    for backend in BACKENDS:
        said = backend.run(Job(source=b"import os\nos.kill(os.getpid(), 15)"))
        assert (said.ending, said.code) == ("killed", None)


def test_a_child_in_the_same_session_ends_with_the_job():
    source = b"import os, time\npid = os.fork()\nif pid == 0: time.sleep(60)\nos.write(3, str(pid).encode())"
    for backend in BACKENDS:
        said = backend.run(Job(source=source))
        assert said.ending == "ended" and gone(int(said.result))


def gone(pid):
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False
