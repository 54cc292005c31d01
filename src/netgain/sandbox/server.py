"""Many evaluations in one sandbox: a Python that is started once and forks a fresh child for each.

Each child has processes, folder, limits, deadline and pipes of its own, and is gone before the next begins. Nothing is
handed from one to the next: the folder is new memory, sockets are of the family AF_UNIX only, queues and shared memory
are refused. The server keeps the right to make namespaces; a child gives it up before it reads the job's program. All
children start with the hash seed and the modules of the server: modules that start threads do not belong in `preload`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from netgain.errors import SandboxError
from netgain.sandbox.accounts import account
from netgain.sandbox.bubblewrap import Bubblewrap, belts, ending_of, lower, started
from netgain.sandbox.cgroups import Group
from netgain.sandbox.channels import Channels
from netgain.sandbox.handing import checked_name, readable
from netgain.sandbox.namespace import FOLDER, GONE_S, Namespace, inodes_of, looking
from netgain.sandbox.seam import MIB, Ending, Finished, Job, Level, Limits
from netgain.sandbox.seccomp import assembled, refusing

RIGHTS = ("SETUID", "SETGID", "SYS_ADMIN")
START_S = 30.0  # seconds for the modules of `preload`, unless more are allowed
ROOM = 256 * MIB  # bytes that the server itself may take, unless more are allowed
INSIDE = 2  # processes in the sandbox that are no child's: bwrap and the server
OUTSIDE = 3  # the same with bwrap outside, as the control group counts
LATE = ("mount", "unshare", "setns")  # refused to a child when its files are there, and never to the server
LOCAL_SOCKETS = (1,)  # AF_UNIX: ports of a dead child would be seen by the next
PREPARED = b"prepared"
OWN_LIMITS = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NPROC")  # a job has its own; the rest is the server's
SHORT = 32 << 10  # bytes of files that go with the message instead of in memory of their own
NEARLY = 0.8  # the kernel counts CPU time for its limit in ticks, and exactly for its answer


@dataclass
class ForkServer:
    """A backend that starts its sandbox once; use it in a `with` statement, or close it.

    Args:
        around: The sandbox that the server runs in.
        site: Folders of packages that jobs may import; a job may ask for no others.
        preload: Names of modules that every child starts with.
        room: Bytes that the server itself may take with them; what a child may take comes on top.
        patience_s: Seconds that it may take to start.
    """

    around: Bubblewrap = field(default_factory=Bubblewrap)
    site: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    room: int = ROOM
    patience_s: float = START_S
    name: str = field(init=False, default="bubblewrap-server")
    level: Level = field(init=False, default=Level.S2)
    _stack: contextlib.ExitStack | None = field(init=False, default=None)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def run(self, job: Job) -> Finished:
        """Run a job in a fresh child; see `netgain.sandbox.seam.Backend`. One at a time.

        Raises:
            SandboxError: the job asks for packages that the server does not have, or the server died.
        """
        other = sorted(set(job.site) - set(self.site))
        if other:
            raise SandboxError(f"site {other}, expected folders of the server's {self.site}", fix="name them there")
        with self._lock:
            try:
                if self._stack is None:
                    self._start()
                return self._evaluate(job)
            except (OSError, SandboxError) as error:
                self._stop()
                if isinstance(error, SandboxError):
                    raise
                raise SandboxError(f"the fork server failed: {error}", fix="run again: it is started anew") from None

    def close(self) -> None:
        """End the server and everything in its sandbox."""
        with self._lock:
            self._stop()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _stop(self) -> None:
        stack, self._stack = self._stack, None
        if stack is not None:
            stack.close()

    def _start(self) -> None:
        with contextlib.ExitStack() as stack:
            self._number = stack.enter_context(account())
            self._group = Group(self.room, OUTSIDE + Limits().processes)
            stack.callback(self._group.close)
            channels = stack.enter_context(Channels(Limits()))
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.callback(self._control.close)
            self._control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            with theirs:
                self._box = stack.enter_context(self._opened(channels, theirs.fileno()))
            for name, value in self._belts(Limits()).items():
                if name not in OWN_LIMITS:
                    lower(self._box.inside, name, value, value)
            self._box.go()
            self._control.settimeout(self.patience_s)
            if self._heard()[0] != b"ready":
                channels.rest()
                said = bytes(channels.kept["err"]).decode(errors="replace")[-500:]
                raise SandboxError(f"the fork server did not start: {said!r}", fix="see netgain doctor --sandbox")
            self._idle = self._group.used()[0]
            self._limited: tuple[int, int] | None = None
            self._stack = stack.pop_all()

    @contextlib.contextmanager
    def _opened(self, channels: Channels, control: int) -> Iterator[Namespace]:
        root = self._number is not None
        with contextlib.ExitStack() as stack:
            content = [Path(__file__).with_name("serve.py").read_bytes(),
                       assembled(families=LOCAL_SOCKETS, spared=LATE), refusing(LATE)]  # fmt: skip
            ends = [readable(data) for data in content]
            ends.append(os.open(os.devnull, os.O_RDONLY))
            for end in ends:
                stack.callback(os.close, end)
            program, rules, last, nothing = ends
            options = self.around.outside(root=root, site=self.site, keep=RIGHTS, tied=False)
            options += ["--size", "4096", "--tmpfs", FOLDER]
            options += ["--perms", "0444", "--ro-bind-data", str(program), "/serve.py"]
            options += ["--remount-ro", "/", "--chdir", FOLDER]
            account = "-" if self._number is None else self._number
            words = [control, rules, last, account, ",".join(self.preload), *map(os.path.realpath, self.site)]
            command = ["/python", "-I", "-S", "/serve.py", *map(str, words)]
            handed = [program, control, rules, last]
            with started(str(self.around.program), options, command, handed, nothing, channels, self._group) as box:
                stack.pop_all().close()
                yield box

    def _heard(self) -> tuple[bytes, int]:
        """The next message, and the number on this machine of the process that sent it."""
        try:
            data, extra, _, _ = self._control.recvmsg(1 << 12, socket.CMSG_SPACE(struct.calcsize("3i")))
        except TimeoutError:
            raise SandboxError("the fork server is silent", fix="run again: it is started anew") from None
        pid = next((struct.unpack("3i", part)[0] for _, kind, part in extra if kind == socket.SCM_CREDENTIALS), 0)
        return data, pid

    def _evaluate(self, job: Job) -> Finished:
        limits = job.limits
        wanted = self._idle + limits.memory, OUTSIDE + limits.processes
        if wanted != self._limited:
            self._group.limit(*wanted)
            self._limited = wanted
        self._group.mark()
        self._control.settimeout(GONE_S)
        word, pid = self._heard()
        if word != b"hello":
            raise SandboxError(f"the fork server could not prepare a child: {word!r}", fix="run again")
        with Channels(limits) as channels, contextlib.ExitStack() as stack:
            child = os.pidfd_open(pid)
            stack.callback(os.close, child)
            folder = os.open(f"/proc/{pid}/root{FOLDER}", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
            stack.callback(os.close, folder)
            _expendable(pid)
            return self._watched(job, channels, pid, child, folder)

    def _belts(self, limits: Limits) -> dict[str, int]:
        kept = {"keeps_memory": self._group.keeps_memory, "keeps_processes": self._group.keeps_processes}
        return belts(limits, reaper=INSIDE * (self._number is None), **kept)

    def _send(self, job: Job, channels: Channels) -> None:
        """The job: one message, with its content where that is short, and with the descriptors of everything else."""
        limits, files = job.limits, {checked_name(name): data for name, data in job.files.items()}
        own = {name: value for name, value in self._belts(limits).items() if name in OWN_LIMITS}
        asked = {"disk": limits.disk, "inodes": inodes_of(limits.disk), "program": len(job.source),
                 "files": [[name, len(data)] for name, data in files.items()], "limits": own}  # fmt: skip
        content = b"".join((job.source, *files.values()))
        message = json.dumps(asked).encode() + b"\n"
        inline = len(message) + len(content) <= SHORT
        ends = [] if inline else [readable(content)]
        try:
            ends.append(readable(job.stdin))
            theirs = [channels.theirs[name] for name in ("out", "err", "result")]
            socket.send_fds(self._control, [message, content if inline else b""], [ends[-1], *theirs, *ends[:-1]])
        finally:
            channels.handed_over()
            for end in ends:
                os.close(end)

    @staticmethod
    def _ending(code: int, cpu_s: float, limits: Limits) -> Ending:
        """A child is process 1 of its namespace: the signal for used-up CPU time passes it by, the kill does not."""
        return "deadline" if code == -signal.SIGKILL and cpu_s >= NEARLY * limits.cpu_s else ending_of(min(code, 0))

    def _watched(self, job: Job, channels: Channels, pid: int, child: int, folder: int) -> Finished:
        limits = job.limits
        look = looking(folder, pid, limits, self._group, lambda: _gone(child), spare=0)
        began = time.monotonic()
        self._send(job, channels)
        ending = channels.wait(lambda: _gone(child), began + limits.wall_s, look, child)
        wall = time.monotonic() - began
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
        word = self._heard()[0]
        status, cpu_s = struct.unpack("=id", self._heard()[0] if word == PREPARED else word)
        code = os.waitstatus_to_exitcode(status)
        ending = channels.rest() or ending or look() or self._ending(code, cpu_s, limits)
        if word != PREPARED and ending == "ended":
            raise SandboxError(
                "a child could not be prepared, or give up its rights", fix="see netgain doctor --sandbox"
            )
        return Finished(
            ending=ending, code=code if ending == "ended" else None, result=channels.result,
            out=bytes(channels.kept["out"]), err=bytes(channels.kept["err"]), wall_s=wall, cpu_s=cpu_s,
            peak_memory=None, backend=self.name, level=self.level,
        )  # fmt: skip


def _gone(child: int) -> bool:
    return bool(select.select([child], [], [], 0)[0])


def _expendable(pid: int) -> None:
    """For want of memory this process dies, and not the server beside it."""
    with contextlib.suppress(OSError):
        end = os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY)
        try:
            os.write(end, b"1000")
        finally:
            os.close(end)
