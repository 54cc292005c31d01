"""A worker's parent, which leaves nothing alive: it ends the worker and everything the worker started.

Run as a file by plain Python (`-I -S keeper.py CONTROL ARGV…`), it imports nothing of netgain. On Linux it is the
reaper of all its descendants, so a process that detached itself comes back to it. It acts when the worker ends and when
the pipe CONTROL closes, which it also does when the coordinator is killed.

Does not cover: loop code that kills its keeper (same user; the worker then ends with it, what it started before may
not), and systems without /proc, where only the worker's own session is ended. Foreign code belongs into a sandbox.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Sequence

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
PATIENCE_SECONDS = 10.0


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process; nothing happens where there is no such call."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def started(argv: Sequence[str]) -> int:
    """Process id of the worker, in a session of its own, with our standard streams, which we let go of."""
    pid = os.fork()
    if pid == 0:
        try:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.setsid()
            os.execv(argv[0], list(argv))
        finally:
            os._exit(127)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return pid


def descendants() -> list[int]:
    """Living processes below this one, by /proc; zombies are left out."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state != b"Z":
                    below.setdefault(int(parent), []).append(int(name))
    found = list(below.get(os.getpid(), []))
    for pid in found:
        found += below.get(pid, [])
    return found


def reap() -> dict[int, int]:
    """Ended children -> wait status."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (pair := os.waitpid(-1, os.WNOHANG))[0]:
            ended[pair[0]] = pair[1]
    return ended


def end_all(worker: int) -> dict[int, int]:
    """Kill until nothing is left, or patience is; what ended meanwhile."""
    ended: dict[int, int] = {}
    limit = time.monotonic() + PATIENCE_SECONDS
    with contextlib.suppress(OSError):
        os.killpg(worker, signal.SIGKILL)
    while (left := descendants()) and time.monotonic() < limit:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        ended |= reap()
        time.sleep(0.001)
    return ended | reap()


def keep(worker: int, control: int) -> int:
    """Wait for the worker or the coordinator to end, end the rest, and give the worker's exit code (128 + signal)."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    ended = reap()
    while worker not in ended:
        ready, _, _ = select.select([control, woken], [], [])
        if control in ready:
            break
        os.read(woken, 4096)
        ended |= reap()
    ended |= end_all(worker)
    code = os.waitstatus_to_exitcode(ended.get(worker, 9))
    return code if code >= 0 else 128 - code


def main() -> None:
    """Keep the worker that the arguments say."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    control = int(sys.argv[1])
    os.set_inheritable(control, False)
    os._exit(keep(started(sys.argv[2:]), control))


if __name__ == "__main__":
    main()
