"""The default: Linux namespaces by `bwrap`, refused system calls, control groups, and an account of its own.

    host           network, processes, files, System V objects, host name: none of it exists inside
    files          libraries and one interpreter, read-only; a folder that is memory, of a given size; nothing else
    environment    empty, of bwrap as well, which is process 1 inside
    command line   `bwrap --args 9 /python -I -S /boot.pyc …`: what is mounted comes through a descriptor
    limits         control groups where we may make them, limits per process as a belt, the clock from outside

As root no user namespace is made: bwrap mounts, and our first program inside gives up root before the job's own code
is read, so that an interpreter below a closed folder can be shown. As an ordinary user everything is inside a user
namespace. Not covered: faults of the kernel itself, time and cache side channels (docs/sandbox.md).
"""

from __future__ import annotations

import contextlib
import marshal
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path

from netgain.errors import SandboxError
from netgain.sandbox.accounts import account
from netgain.sandbox.cgroups import CLOCK, Group, places, swept
from netgain.sandbox.channels import Channels
from netgain.sandbox.handing import checked_name, readable
from netgain.sandbox.interpreter import Interpreter, interpreter, outermost
from netgain.sandbox.namespace import FOLDER, Namespace
from netgain.sandbox.seam import MIB, Ending, Finished, Job, Level, Limits
from netgain.sandbox.seccomp import assembled

DESCRIPTORS = 256
DEVICES = ("null", "zero", "urandom")  # and `random`, a link: they have been one device since Linux 5.18
NAMESPACES = ("ipc", "pid", "net", "uts")
STATUS_S = 10.0  # seconds that bwrap may take to make its namespaces
OWN = 2  # bwrap itself, outside and inside, counts among the processes of its group
SLACK = 8  # tasks between the limit of the control group, which counts what it refuses, and that of the account


@dataclass
class Bubblewrap:
    """`bwrap` around each job.

    Args:
        program: Its path; looked up on PATH when not given.
        proc: Show `/proc` of the job's own processes. Absent by default; torch and psutil want it.
        python: What of the interpreter is shown; this process's own when not given.

    Raises:
        SandboxError: there is no such program.
    """

    program: str | None = None
    proc: bool = False
    python: Interpreter = field(default_factory=interpreter)
    name: str = field(init=False, default="bubblewrap")
    level: Level = field(init=False, default=Level.S2)

    def __post_init__(self) -> None:
        found = shutil.which(self.program or "bwrap")
        if found is None:
            raise SandboxError("no program 'bwrap' on PATH", fix="apt-get install bubblewrap, or see netgain doctor")
        self.program = os.path.realpath(found)
        for place in places():
            if place.folder is not None:
                swept(place.folder)

    @property
    def missing(self) -> tuple[str, ...]:
        """Limits that no control group keeps here, and why; they are then kept per process and by looking."""
        return tuple(
            f"{one.controller}: {one.reason}" for one in places() if one.folder is None and one.controller != CLOCK
        )

    def run(self, job: Job) -> Finished:
        """Run a job; see `netgain.sandbox.seam.Backend`.

        Raises:
            SandboxError: bwrap could not make the namespaces, or something survived.
        """
        with contextlib.ExitStack() as stack:
            number = stack.enter_context(account())
            group = Group(job.limits.memory, job.limits.processes + OWN)
            stack.callback(group.close)
            channels = stack.enter_context(Channels(job.limits, marked=True))
            with self._opened(job) as handed:
                words = [channels.theirs["result"], DESCRIPTORS, "-" if number is None else number, "-", "-"]
                options = self._options(job, handed, root=number is not None)
                first = boot(self.python.program)[0]
                command = ["/python", "-I", "-S", first, *map(str, words), *map(os.path.realpath, job.site)]
                ends, stdin = list(handed.values()), handed["stdin"]
                box = stack.enter_context(started(str(self.program), options, command, ends, stdin, channels, group))
            return self._watched(job, box, channels, group, number)

    @contextlib.contextmanager
    def _opened(self, job: Job) -> Iterator[dict[str, int]]:
        """Descriptors of everything that goes in, by the name of its file inside."""
        content = {f"{FOLDER}/{checked_name(name)}": data for name, data in job.files.items()}
        first, program = boot(self.python.program)
        content |= {f"{FOLDER}/main.py": job.source, first: program, "stdin": job.stdin, "filter": assembled()}
        handed: dict[str, int] = {}
        try:
            for name, data in content.items():
                handed[name] = readable(data)
            yield handed
        finally:
            for end in handed.values():
                os.close(end)

    def _options(self, job: Job, handed: dict[str, int], *, root: bool) -> list[str]:
        options = self.outside(root=root, site=job.site)
        options += ["--seccomp", str(handed["filter"])]
        options += ["--perms", "1777", "--size", str(job.limits.disk), "--tmpfs", FOLDER]
        for name in job.files:
            for above in reversed(Path(FOLDER, name).parents[:-2]):
                options += ["--perms", "0755", "--dir", str(above)]
        for name, end in handed.items():
            if name.startswith("/"):
                options += ["--perms", "0444", "--ro-bind-data", str(end), name]
        return [*options, "--remount-ro", "/", "--chdir", FOLDER]

    def outside(
        self, *, root: bool, site: tuple[str, ...], keep: tuple[str, ...] | None = None, tied: bool = True
    ) -> list[str]:
        """Options for namespaces, rights, system tree and interpreter: what does not depend on the job's content.

        Args:
            root: Whether we are root; no user namespace is made then.
            site: Folders of packages to show.
            keep: Capabilities of the first program; as root those that it gives up root with, else none, by default.
            tied: End with the thread that starts it.
        """
        folders = tuple(map(os.path.realpath, site))
        return list(_outside(self.python, self.proc, root, folders, keep, tied))

    def _watched(self, job: Job, box: Namespace, channels: Channels, group: Group, number: int | None) -> Finished:
        limits = job.limits
        for name, value in self._belts(limits, group, number).items():
            # at the soft limit of CPU time a signal that names it, at the hard one a kill like any other
            lower(box.inside, name, value, value + (name == "RLIMIT_CPU"))
        group.move([box.pid, box.inside])
        began = time.monotonic()
        box.go()
        look = box.looking(limits, group)
        broken = channels.wait(box.has_ended, began + limits.wall_s, look, box.wake)
        wall = time.monotonic() - began
        box.kill()
        code = box.code()
        ending = channels.rest() or broken or group.broken() or look() or ending_of(code)
        if ending == "ended" and (code is None or not channels.begun):
            self._not_started(bytes(channels.kept["err"]))
        return Finished(
            ending=ending, code=code if ending == "ended" else None, result=channels.result,
            out=bytes(channels.kept["out"]), err=bytes(channels.kept["err"]), wall_s=wall, cpu_s=box.cpu_s,
            peak_memory=group.peak(), backend=self.name, level=self.level,
        )  # fmt: skip

    @staticmethod
    def _belts(limits: Limits, group: Group, number: int | None) -> dict[str, int]:
        kept = {"keeps_memory": group.keeps_memory, "keeps_processes": group.keeps_processes}
        return belts(limits, reaper=int(number is None), **kept)

    @staticmethod
    def _not_started(err: bytes) -> None:
        said = err.decode(errors="replace").strip() or "it said nothing"
        raise SandboxError(f"bwrap could not start the job: {said[:500]!r}", fix="see netgain doctor --sandbox")


@lru_cache(maxsize=16)
def _outside(
    python: Interpreter, proc: bool, root: bool, site: tuple[str, ...], keep: tuple[str, ...] | None, tied: bool
) -> tuple[str, ...]:
    """What `Bubblewrap.outside` says, found once: it asks the disk about every folder."""
    options = [f"--unshare-{name}" for name in NAMESPACES] + ["--unshare-cgroup-try"]
    options += ["--new-session", "--hostname", "sandbox", "--clearenv", "--cap-drop", "ALL"]
    options += ["--die-with-parent"] if tied else []
    options += [] if root else ["--unshare-user"]
    rights = keep if keep is not None else ("SETUID", "SETGID") if root else ()
    options += [word for name in rights for word in ("--cap-add", f"CAP_{name}")]
    folders = outermost([*python.shown, *site])
    if "/" in folders:
        raise SandboxError("site '/' would show the whole machine", fix="name the folder of the packages")
    for path in folders:
        options += [*_above(path), "--ro-bind", path, path]
    for target, path in (*python.links, (python.program, "/python")):
        options += ["--symlink", target, path]
    for name in DEVICES:
        options += [*_above(f"/dev/{name}"), "--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    options += ["--symlink", "urandom", "/dev/random"]
    return (*options, *(("--proc", "/proc") if proc else ()))


def _above(path: str) -> list[str]:
    """Options that make the folders above a path, readable: bwrap's own would be closed to all but its account."""
    above = [str(folder) for folder in reversed(Path(path).parents) if str(folder) != "/"]
    return [word for folder in above for word in ("--perms", "0755", "--dir", folder)]


def ending_of(code: int | None) -> Ending:
    """How a job with this code ended that broke no limit which is watched from outside.

    A negative code is a signal. bwrap tells a signal as 128 and its number, so a code above 128 is read as one.
    """
    number = None if code is None else -code if code < 0 else code - 128
    if number == signal.SIGXCPU:
        return "deadline"
    if number == signal.SIGXFSZ:
        return "disk"
    return "killed" if number is not None and number > 0 else "ended"


@lru_cache(maxsize=4)
def boot(program: str) -> tuple[str, bytes]:
    """Name and content of the first program inside.

    Compiled where the interpreter inside is the one that compiles it; reading its text takes each start a millisecond.
    """
    text = Path(__file__).with_name("boot.py").read_bytes()
    if program != os.path.realpath(sys.executable):
        return "/boot.py", text
    return "/boot.pyc", MAGIC_NUMBER + bytes(12) + marshal.dumps(compile(text, "/boot.py", "exec"))


def belts(limits: Limits, *, keeps_memory: bool, keeps_processes: bool, reaper: int) -> dict[str, int]:
    """Limits of each process, by their names in the module `resource`.

    Addresses are no memory: where a control group counts memory they only have to end what runs away.
    """
    addresses = max(4 << 30, 4 * limits.memory) if keeps_memory else 2 * limits.memory + 256 * MIB
    seconds = max(1, -int(-limits.cpu_s // 1))
    # one more than may be where nobody counts what is refused: that it is there is what is noticed
    tasks = limits.processes + (SLACK if keeps_processes else reaper + 1)
    return {
        "RLIMIT_AS": addresses, "RLIMIT_CORE": 0, "RLIMIT_CPU": seconds, "RLIMIT_FSIZE": limits.disk,
        "RLIMIT_NOFILE": DESCRIPTORS, "RLIMIT_NPROC": tasks,
        "RLIMIT_MEMLOCK": 64 << 10, "RLIMIT_MSGQUEUE": 0, "RLIMIT_SIGPENDING": 256,
    }  # fmt: skip


def lower(pid: int, name: str, soft: int, hard: int) -> None:
    """Set a limit of another process; one that is lower already stays as it is."""
    kind = getattr(resource, name)
    most = resource.prlimit(pid, kind)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.prlimit(pid, kind, (soft, hard))


@contextlib.contextmanager
def started(
    program: str, options: list[str], command: list[str], ends: list[int], stdin: int, channels: Channels, group: Group
) -> Iterator[Namespace]:
    """bwrap with everything mounted, held before it starts the command; ended when this is left.

    Raises:
        SandboxError: it could not do what the options ask.
    """
    status, status_in = os.pipe2(os.O_CLOEXEC)
    block, go = os.pipe2(os.O_CLOEXEC)
    options = [*options, "--json-status-fd", str(status_in), "--block-fd", str(block)]
    listed = readable("\0".join(options).encode() + b"\0")
    inherited = [*ends, listed, status_in, block, channels.theirs["result"]]
    try:
        with group.entered():
            process = subprocess.Popen(
                ["bwrap", "--args", str(listed), *command], executable=program, env={}, pass_fds=inherited, cwd="/",
                stdin=stdin, stdout=channels.theirs["out"], stderr=channels.theirs["err"], start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        for end in (status, go):
            os.close(end)
        raise SandboxError(f"{program!r} cannot be started: {error.strerror}", fix="see netgain doctor") from None
    finally:
        channels.handed_over()
        for end in (listed, status_in, block):
            os.close(end)
    box = Namespace(process, status, go, group)
    try:
        if not box.is_ready(STATUS_S):
            channels.rest()
            Bubblewrap._not_started(bytes(channels.kept["err"]))
        yield box
    finally:
        box.close()
