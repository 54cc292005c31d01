"""What attacks aim at: a planted evaluator, answers, tokens, listeners and processes on this machine, looked at after.

Everything is as open as the file system allows, so that what stops an attack is the sandbox and not a permission. What
an attack says of itself counts too: attacks are our programs and do not lie.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = Any
BREACH = b"BREACH"
ENVIRONMENT = "NETGAIN_PLANTED_TOKEN"
SCORER = "def score(output, target):\n    return float(output == target)\n"
GRACE_S = 0.3  # for what an attack left running to show itself


@dataclass
class Scene:
    """One planted machine.

    Attributes:
        token: text of the sealed answers, of our environment and of another process's; it may never come out.
        mark: text in the command line of whatever an attack starts to outlive its job, and in names of its files.
        where: what attacks are told: paths, ports, process numbers.
        listeners: sockets that nobody may reach.
        victim: a process outside.
    """

    folder: Path
    token: str
    mark: str
    where: dict[str, Json]
    listeners: list[socket.socket] = field(default_factory=list)
    victim: subprocess.Popen[bytes] | None = None

    def told(self, **more: Json) -> bytes:
        """Standard input of an attack."""
        return json.dumps({**self.where, **more}).encode()

    def scorer_changed(self) -> bool:
        """Whether the evaluator's file, its links or its compiled twin differ from what was planted."""
        path = self.folder / "scorer.py"
        with suppress(OSError):
            found = path.stat()
            kept = path.read_text() == SCORER and found.st_nlink == 1 and not (self.folder / "__pycache__").exists()
            return not kept
        return True

    def forged(self) -> bool:
        """Whether there is a reward that we did not write."""
        return any((self.folder / "results").iterdir())

    def reached(self) -> bool:
        """Whether anything came in at a listener."""
        for one in self.listeners:
            with suppress(OSError):
                if one.type == socket.SOCK_DGRAM:
                    one.recv(1)
                else:
                    one.accept()[0].close()
                return True
        return False

    def victim_hurt(self) -> bool:
        """Whether the process outside has ended, or another priority than it had."""
        assert self.victim is not None
        pid = self.victim.pid
        return self.victim.poll() is not None or os.getpriority(os.PRIO_PROCESS, pid) != self.where["nice"]

    def survivors(self) -> list[int]:
        """Numbers of processes that carry the mark."""
        found = []
        for name in os.listdir("/proc"):
            with suppress(OSError):
                if name.isdigit() and self.mark.encode() in Path("/proc", name, "cmdline").read_bytes():
                    found.append(int(name))
        return found

    def left_files(self) -> list[Path]:
        """Files named by the mark in places that everybody may write to, and beside our code."""
        places = ["/tmp", "/var/tmp", "/dev/shm", "/", self.where["home"], *self.where["libraries"], str(self.folder)]
        return [path for place in places if (path := Path(place, self.mark)).exists()]

    def clean(self) -> None:
        """End what an attack left, remove its files, and plant again."""
        for pid in self.survivors():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for path in self.left_files():
            path.unlink(missing_ok=True)
        for path in (self.folder / "results").iterdir():
            path.unlink()
        for path in sorted(self.folder.glob("__pycache__/*")):
            path.unlink()
        with suppress(OSError):
            (self.folder / "__pycache__").rmdir()
        _written(self.folder / "scorer.py", SCORER)
        while self.reached():
            pass
        if self.victim is None or self.victim_hurt():
            _end(self.victim)
            self.victim = _victim(self.token)
            self.where |= {"victim": self.victim.pid, "nice": os.getpriority(os.PRIO_PROCESS, self.victim.pid)}


@contextmanager
def planted() -> Iterator[Scene]:
    """A scene, gone afterwards with everything that was left in it."""
    token, mark = f"sealed-{secrets.token_hex(16)}", f"netgain-attack-{secrets.token_hex(8)}"
    before = os.environ.get(ENVIRONMENT)
    os.environ[ENVIRONMENT] = token
    with tempfile.TemporaryDirectory(prefix="netgain-scene-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "results").mkdir()
        (folder / "results").chmod(0o777)
        _written(folder / "answers.json", json.dumps({"answers": [token]}))
        _written(folder / "scorer.py", SCORER)
        scene = Scene(folder, token, mark, {})
        try:
            scene.listeners, ports = _listeners(folder, mark)
            scene.where = {**_where(folder, mark), **ports}
            scene.clean()
            yield scene
            scene.clean()
        finally:
            _end(scene.victim)
            for one in scene.listeners:
                one.close()
            if before is None:
                del os.environ[ENVIRONMENT]
            else:
                os.environ[ENVIRONMENT] = before


def _where(folder: Path, mark: str) -> dict[str, Json]:
    package = Path(__file__).parents[1]
    libraries = [str(package), str(Path(os.__file__).parent), *(path for path in sys.path if Path(path).is_dir())]
    return {
        "folder": str(folder), "answers": str(folder / "answers.json"), "scorer": str(folder / "scorer.py"),
        "results": str(folder / "results"), "mark": mark, "package": str(package), "home": str(Path.home()),
        "libraries": libraries, "parent": os.getpid(), "handle": _handle(folder / "answers.json"),
        "python": sys.executable, "at_home": _at_home(),
    }  # fmt: skip


def _at_home() -> list[str]:
    """Names in the home folder, but for the one that leads to an interpreter there."""
    home, python = Path.home(), Path(os.path.realpath(sys.executable))
    led = python.relative_to(home).parts[:1] if python.is_relative_to(home) else ()
    return sorted({path.name for path in home.iterdir()} - set(led)) if os.access(home, os.R_OK) else []


def _listeners(folder: Path, mark: str) -> tuple[list[socket.socket], dict[str, Json]]:
    """TCP over IPv4 and IPv6, UDP, a unix socket with a path and one with an abstract name."""
    plans: list[tuple[str, int, int, Any]] = [
        ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
        ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        ("unix", socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
        ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{mark}"),
    ]
    made, ports = [], {}
    for name, family, kind, address in plans:
        with suppress(OSError):  # no IPv6 here: nothing to reach
            one = socket.socket(family, kind)
            made.append(one)
            one.bind(address)
            if kind == socket.SOCK_STREAM:
                one.listen()
            one.setblocking(False)
            ports[name] = one.getsockname()[1] if family != socket.AF_UNIX else address
    Path(folder / "socket").chmod(0o777)
    return made, ports


def _victim(token: str) -> subprocess.Popen[bytes]:
    """A process outside, with the token in its environment and in its command line."""
    code = "import time; time.sleep(600)"
    one = subprocess.Popen([sys.executable, "-I", "-S", "-c", code, token], env={ENVIRONMENT: token})
    place, until = Path("/proc", str(one.pid), "cmdline"), time.monotonic() + 5.0
    while token.encode() not in place.read_bytes() and time.monotonic() < until:
        time.sleep(0.01)
    return one


def _end(victim: subprocess.Popen[bytes] | None) -> None:
    if victim is not None:
        victim.kill()
        victim.wait()


def _written(path: Path, text: str) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
    path.write_text(text)
    path.chmod(0o666)


def _handle(path: Path) -> list[Json]:
    """Type and bytes of a file's handle (name_to_handle_at(2)), with which open_by_handle_at needs no path; or none."""

    class Handle(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint), ("kind", ctypes.c_int), ("bytes", ctypes.c_ubyte * 128))

    handle, mount = Handle(128), ctypes.c_int()
    call = getattr(ctypes.CDLL(None, use_errno=True), "name_to_handle_at", None)
    if call is None or call(-100, os.fsencode(path), ctypes.byref(handle), ctypes.byref(mount), 0):
        return []
    return [handle.kind, list(handle.bytes[: handle.size])]
