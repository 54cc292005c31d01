"""Runs a piece of Python under an ordinary account, with an interpreter that this account may start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import netgain

NOBODY = 65534
SOURCES = Path(netgain.__file__).parents[1]
RECENT = "import sys, netgain; sys.exit(sys.version_info < (3, 11))"


def under(code: str, *, seconds: float = 120.0) -> str:
    """What a program prints that an ordinary account runs; skips, and says why, where there is no way to."""
    if os.geteuid() != 0:
        return _run([sys.executable, "-c", code], seconds)
    for python in (sys.executable, *filter(None, map(shutil.which, ("/usr/bin/python3", "/usr/local/bin/python3")))):
        if _started(python).returncode == 0:
            return _run([python, "-c", code], seconds, user=NOBODY, group=NOBODY, extra_groups=[])
    pytest.skip("no Python of at least 3.11 that an ordinary account may start: all of them lie in closed folders")


def _started(python: str) -> subprocess.CompletedProcess[bytes]:
    options = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "env": {"PYTHONPATH": str(SOURCES)}, "cwd": "/"}
    command = [python, "-c", RECENT]
    try:
        return subprocess.run(command, capture_output=True, check=False, **options)
    except OSError:
        return subprocess.CompletedProcess(command, 1)


def _run(command: list[str], seconds: float, **options: object) -> str:
    environment = {"PYTHONPATH": str(SOURCES), "PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, timeout=seconds, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
