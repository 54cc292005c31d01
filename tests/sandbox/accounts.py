"""Runs a piece of Python under an ordinary account, with an interpreter and a copy of ours that it may read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import netgain

NOBODY = 65534
PACKAGE = Path(netgain.__file__).parent
RECENT = "import sys, netgain; sys.exit(sys.version_info < (3, 11))"


def under(code: str) -> str:
    """What a program prints that an ordinary account runs; skips, and says why, where there is no way to."""
    if os.geteuid() != 0:
        return _finished([sys.executable, "-c", code], str(PACKAGE.parent)).stdout
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        shutil.copytree(PACKAGE, Path(name, "netgain"), ignore=shutil.ignore_patterns("*.pyc"))
        sandlock = find_spec("sandlock")
        if sandlock is not None and sandlock.origin is not None:
            shutil.copytree(Path(sandlock.origin).parent, Path(name, "sandlock"))
        account = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        for python in (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"):
            if _finished([python, "-c", RECENT], name, **account).returncode == 0:
                done = _finished([python, "-c", code], name, **account)
                assert done.returncode == 0, done.stderr
                return done.stdout
    pytest.skip(f"no Python from 3.11 on that account {NOBODY} may start")


def _finished(command: list[str], sources: str, **account: object) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": sources, "PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    options = {"cwd": "/", "env": environment, "capture_output": True, "text": True, "timeout": 300, "check": False}
    try:
        return subprocess.run(command, **options, **account)
    except OSError as error:  # it lies in a folder that is closed to the account
        return subprocess.CompletedProcess(command, 127, "", str(error))
