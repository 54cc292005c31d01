"""Sandboxes as an ordinary user: the same checks and attacks, by an interpreter that everybody may run.

`python ordinary.py` prints {name: "" or what went wrong}; tests started by root run it under an account of nobody.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import netgain

NOBODY = 65534
PYTHONS = (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3")
RECENT = "import sys; sys.exit(sys.version_info < (3, 11))"


@cache
def outcomes():
    """What an ordinary user sees, or the reason why nothing can be said; asked once for all test processes of a run."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return _seen()
    with open(Path(tempfile.gettempdir(), f"ordinary-{run}"), "a+") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        kept.seek(0)
        told = kept.read()
        found = json.loads(told) if told else _seen()
        if not told:
            json.dump(found, kept)
        return found


def _seen():
    if os.geteuid() != 0:
        return "tests run as an ordinary user already"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        shutil.copytree(Path(netgain.__file__).parent, Path(name, "netgain"), ignore=shutil.ignore_patterns("*.pyc"))
        shutil.copy(__file__, Path(name, "ordinary.py"))
        python = next((one for one in PYTHONS if _as_nobody([one, "-c", RECENT], name).returncode == 0), None)
        if python is None:
            return f"no Python from 3.11 on among {PYTHONS} that account {NOBODY} may run"
        package = find_spec("sandlock")
        if package is not None and package.origin is not None:
            shutil.copytree(Path(package.origin).parent, Path(name, "packages/sandlock"))
        said = _as_nobody([python, "-B", str(Path(name, "ordinary.py"))], name)
        assert said.returncode == 0, said.stderr.decode()
        return json.loads(said.stdout)


def _as_nobody(command, folder):
    try:
        return subprocess.run(
            command, user=NOBODY, group=NOBODY, extra_groups=[], cwd=folder, env={"PATH": os.environ["PATH"]},
            capture_output=True, timeout=300, check=False,
        )  # fmt: skip
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, b"", str(error).encode())


def _told(check, backend):
    try:
        check(backend)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the user sees
        return f"{type(error).__name__}: {error}"
    return ""


def main():
    from netgain.sandbox.bubblewrap import Bubblewrap
    from netgain.sandbox.landlock import Landlock
    from netgain.sandbox.probe import probed
    from netgain.sandbox.seam import Level
    from netgain.sandbox.server import ForkServer
    from netgain.testing.sandboxes import CHECKS, checks_of

    assert os.geteuid() == NOBODY
    found = {}
    packages = Path(__file__).with_name("packages")
    with ForkServer() as server:
        landlock = [Landlock(packages=str(packages))] if packages.exists() else []
        for backend in landlock:
            backend.level = Level.S2  # held to more than its level claims
        for backend in (Bubblewrap(), server, *landlock):
            found |= {f"{backend.name}: {name}": _told(CHECKS[name], backend) for name in checks_of(backend)}
            found |= {
                f"{backend.name}: attack {one.attack}": "" if one.stopped else one.detail for one in probed(backend)
            }
    found["missing"] = ", ".join(part.split(":")[0] for part in Bubblewrap().missing)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
