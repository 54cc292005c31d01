"""Real attacks against a backend before it is trusted on this machine: one that succeeds is the end of the backend.

Each attack is a program. It answers one word on the private pipe: `breach` when it got what it wanted, `stopped` when
it did not; a third answer, or none, counts as a breach unless the backend ended the program for the limit in question.
What an attack looks for is made fresh here: a secret in a file, in the environment and in another process, a listening
socket, an open folder. docs/sandbox.md says what is not tried.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netgain.errors import SandboxError
from netgain.sandbox.seam import MIB, Backend, Ending, Finished, Job, Level, Limits

LIMITS = Limits(wall_s=5.0, cpu_s=5.0, memory=96 * MIB, processes=12, disk=4 * MIB)
SHORT_S = 0.4
LATE_S = 5.0  # seconds that a backend may take to end a job after its deadline
OUTSIDE = ("", "/tmp", "/var/tmp", "/dev/shm", "/dev", "/", "/etc", "/usr", "/usr/lib")  # "": the probe's own folder
TOO_MUCH = 3  # times a limit that an attack tries to take
HEAD = """
import os, sys
def tell(word):
    os.write(3, word.encode())
    os._exit(0)
# what does not exist in here (processes, sockets, the C library) cannot be misused
missing = (AttributeError, ImportError, NotImplementedError)
sys.excepthook = lambda kind, *_: tell("stopped" if issubclass(kind, missing) else "error " + kind.__name__)
def attempt(do):
    try:
        do()
    except (OSError, MemoryError, ValueError, RuntimeError):
        return
    tell("breach")
"""


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: Short, as the table of `netgain doctor` prints it.
        what: What it tries.
        source: The program, behind `HEAD`; `{…}` is filled in with what the target offers.
        least: The lowest level that has to stop it.
        endings: Limits whose breaking stops it too.
        wall_s: Deadline of its job, seconds.
    """

    name: str
    what: str
    source: str
    least: Level = Level.S2
    endings: tuple[Ending, ...] = ()
    wall_s: float = LIMITS.wall_s


ATTACKS = (
    Attack("file", "read a file of the host", "attempt(lambda: open({file!r}, 'rb').read())\ntell('stopped')"),
    Attack("write", "write outside of its folder", """
for folder in {outside!r}:
    attempt(lambda: open(os.path.join(folder or {folder!r}, {mark!r}), "wb").write(b"x"))
tell("stopped")"""),
    Attack("own files", "change a file that it was given", """
attempt(lambda: open("given", "ab").write(b"x"))
attempt(lambda: os.chmod("given", 0o777) or open("given", "ab").write(b"x"))
tell("stopped")"""),
    Attack("process", "see or signal a process outside", """
attempt(lambda: os.kill({pid}, 0))
attempt(lambda: os.stat("/proc/{pid}/status") and open("/proc/{pid}/cmdline").read().index({secret!r}))
tell("stopped")"""),
    Attack("network", "connect to a port of this machine", """
import socket
attempt(lambda: socket.create_connection(("127.0.0.1", {port}), 1.0))
tell("stopped")"""),
    Attack("packet", "send a packet out", """
import socket
try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {packets}))
except OSError: pass
tell("stopped")"""),
    Attack("unix socket", "connect to an abstract unix socket", """
import socket
attempt(lambda: socket.socket(socket.AF_UNIX).connect(chr(0) + {abstract!r}))
tell("stopped")"""),
    Attack("environment", "read a secret from its environment", """
if {secret!r} in os.environ.values(): tell("breach")
attempt(lambda: open("/proc/self/environ", "rb").read().index({secret!r}.encode()))
tell("stopped")""", least=Level.S1),
    Attack("first process", "read the environment and command line of process 1", """
attempt(lambda: open("/proc/1/environ", "rb").read().index({secret!r}.encode()))
attempt(lambda: open("/proc/1/cmdline", "rb").read().index({home!r}.encode()))
tell("stopped")"""),
    Attack("deadline", "go on after the deadline, deaf to signals, in sessions of its own", """
import signal, time
import ctypes
ctypes.CDLL(None).prctl(15, {comm!r}.encode(), 0, 0, 0)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
until = time.monotonic() + 30
while time.monotonic() < until: time.sleep(0.01)""", endings=("deadline",), wall_s=SHORT_S),
    Attack("processes", "start more processes than it may", """
import time
for count in range({forks}):
    try: child = os.fork()
    except OSError: tell("stopped")
    if child == 0:
        time.sleep(60)
        os._exit(0)
tell("breach")""", endings=("processes",)),
    Attack("memory", "take more memory than it may", """
held = []
try:
    for count in range({chunks}):
        held.append(b"x" * (1 << 20))
except MemoryError: tell("stopped")
tell("breach")""", least=Level.S1, endings=("memory", "killed")),
    Attack("memory together", "take more memory than it may, in several processes", """
import time
held, read, write = [], *os.pipe()
for count in range(4):
    if os.fork() == 0:
        try:
            for count in range({share}): held.append(b"x" * (1 << 20))
        except MemoryError: os._exit(1)
        os.write(write, b"x"); time.sleep(60)
os.close(write)
time.sleep(0.5)
got = b""
while len(got) < 4:
    more = os.read(read, 8)
    if not more: tell("stopped")
    got += more
tell("breach")""", endings=("memory", "killed", "deadline"), wall_s=3.0),
    Attack("disk", "write more than it may", """
with_room = True
try:
    for name in range(4):
        with open(f"big{{name}}", "wb", buffering=0) as file:
            for count in range({blocks}): file.write(b"x" * (1 << 16))
except OSError: tell("stopped")
tell("breach")""", endings=("disk",)),
    Attack("trace", "trace or stop another process, or read its memory", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.read(read, 1); os._exit(0)
if libc.ptrace(16, child, None, None) == 0: tell("breach")
tell("stopped")"""),
    Attack("namespace", "make a namespace with rights of its own", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for flags in (0x10000000, 0x00020000, 0x10020000, 0x40000000):
    if libc.unshare(flags) == 0: tell("breach")
tell("stopped")"""),
    Attack("mount", "mount a file system", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"none", b".", b"tmpfs", ctypes.c_ulong(0), None) == 0:
    libc.umount2(b".", 2)
    tell("breach")
tell("stopped")"""),
    Attack("root", "become root", """
attempt(lambda: os.setuid(0))
if os.getuid() == 0: tell("breach")
tell("stopped")"""),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of one attack: stopped, or why it counts as a success."""

    attack: str
    what: str
    stopped: bool
    detail: str


def probed(backend: Backend, attacks: Sequence[Attack] = ATTACKS) -> list[Outcome]:
    """Run the attacks that the backend's level has to stop; takes a second or two.

    Raises:
        SandboxError: the backend could not run a job at all.
    """
    with _target() as offered:
        works(backend)
        return [_tried(backend, attack, offered) for attack in attacks if backend.level >= attack.least]


def refuse_weak(backend: Backend, outcomes: Sequence[Outcome]) -> None:
    """Refuse to go on when an attack on a backend succeeded.

    Raises:
        SandboxError: it did; there is no weaker fallback.
    """
    won = [one for one in outcomes if not one.stopped]
    if won:
        told = "; ".join(f"{one.what} ({one.detail})" for one in won)
        level = f"level S{int(backend.level)}"
        what = f"sandbox {backend.name!r} does not keep {level} on this machine: it let a program {told}"
        raise SandboxError(what, fix="do not run foreign code here; see netgain doctor --sandbox")


HELD: list[Backend] = []  # attacked by this process, and none got through


def held(backend: Backend) -> None:
    """Attack a backend before anything foreign runs in it, once a process; `Loop.ready` of loops that judge programs.

    Raises:
        SandboxError: it runs nothing here, or an attack succeeded.
    """
    if not any(one is backend for one in HELD):
        refuse_weak(backend, probed(backend))
        HELD.append(backend)


def works(backend: Backend) -> None:
    """Run one harmless job. A backend that runs nothing stops every attack, which would prove nothing.

    Raises:
        SandboxError: it did not run.
    """
    said = backend.run(
        Job(source=b"import os\nos.write(3, open('given', 'rb').read())", files={"given": b"works"}, limits=LIMITS)
    )
    if said.result != b"works":
        why = said.err[-300:].decode(errors="replace") or said.ending
        raise SandboxError(
            f"sandbox {backend.name!r} runs no program here: {why!r}", fix="see netgain doctor --sandbox"
        )


@contextlib.contextmanager
def _target() -> Iterator[dict[str, Any]]:
    """What attacks look for, by the names in their programs."""
    secret = secrets.token_hex(12)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="netgain-probe-"))
        os.chmod(folder, 0o777)
        file = Path(folder, "secret")
        file.write_text(secret)
        file.chmod(0o666)
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        offered: dict[str, Any] = {
            "secret": secret, "folder": folder, "file": str(file), "mark": f"netgain-{secret}",
            "home": os.path.realpath(sys.base_prefix), "port": listening.getsockname()[1],
            "abstract": f"netgain-{secret}", "outside": OUTSIDE, "forks": TOO_MUCH * LIMITS.processes,
            "chunks": TOO_MUCH * (LIMITS.memory // MIB), "share": LIMITS.memory // MIB // 2,
            "blocks": LIMITS.disk >> 16,
        }  # fmt: skip
        hearing = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        hearing.bind(("127.0.0.1", 0))
        hearing.setblocking(False)
        offered |= {"hearing": hearing, "packets": hearing.getsockname()[1], "comm": secret[:15]}
        if sys.platform == "linux":
            abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
            abstract.bind("\0" + str(offered["abstract"]))
            abstract.listen()
        waiting = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()", secret]
        process = stack.enter_context(subprocess.Popen(waiting, stdin=subprocess.PIPE, env={"TOKEN": secret}))
        stack.callback(process.kill)
        offered["pid"] = process.pid
        stack.enter_context(_with_token(secret))
        yield offered


@contextlib.contextmanager
def _with_token(secret: str) -> Iterator[None]:
    """The secret in our own environment, as a key to somebody's service would be."""
    os.environ["NETGAIN_PROBE_TOKEN"] = secret
    try:
        yield
    finally:
        del os.environ["NETGAIN_PROBE_TOKEN"]


def _tried(backend: Backend, attack: Attack, offered: dict[str, Any]) -> Outcome:
    source = HEAD + attack.source.format(**offered)
    limits = Limits(**{**vars(LIMITS), "wall_s": attack.wall_s})
    began, said, failed = time.monotonic(), None, ""
    try:
        said = backend.run(Job(source=source.encode(), files={"given": b"given"}, limits=limits))
    except SandboxError as error:
        failed = f"the sandbox itself failed: {error}"
    late = time.monotonic() - began - attack.wall_s
    seen = _witnessed(offered)
    if seen or said is None:
        return Outcome(attack.name, attack.what, False, seen or failed)
    return Outcome(attack.name, attack.what, *_judged(attack, said, late))


def _judged(attack: Attack, said: Finished, late: float) -> tuple[bool, str]:
    if late > LATE_S:
        return False, f"it ended {late:.1f} s after its deadline"
    if said.result == b"breach":
        return False, "it succeeded"
    if said.result == b"stopped" or said.ending in attack.endings:
        return True, "refused" if said.result else f"ended: {said.ending}"
    last = said.err.decode(errors="replace").strip().splitlines()[-1:]
    told = said.result[:40].decode(errors="replace") or "no answer"
    return False, f"{told}, ended: {said.ending} {said.code} {' '.join(last)}".strip()


def _witnessed(offered: dict[str, Any]) -> str:
    """What can be seen from outside, whatever the program said; made good again."""
    found = []
    for folder in OUTSIDE:
        with contextlib.suppress(OSError):
            os.remove(os.path.join(folder or offered["folder"], offered["mark"]))
            found.append(f"a file was written to {folder or offered['folder']}")
    with contextlib.suppress(OSError):
        if offered["hearing"].recv(16):
            found.append("a packet arrived")
    for pid in _named(offered["comm"]):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        found.append(f"process {pid} was still alive")
    return "; ".join(found)


def _named(comm: str) -> list[int]:
    """Numbers of the processes that an attack has given this name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if path.read_text().strip() == comm and not _is_zombie(path.with_name("stat")):
                found.append(int(path.parent.name))
    return found


def _is_zombie(stat: Path) -> bool:
    return stat.read_text().rpartition(")")[2].split()[0] in "ZX"
