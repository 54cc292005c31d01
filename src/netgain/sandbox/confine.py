"""The process between us and a program under Landlock: run as text by an interpreter of its own.

    confine.py PACKAGES SPEC

It imports the package `sandlock` from the folder PACKAGES, gives up root where SPEC (a JSON object) names an account,
starts the program confined, ends it at the deadline, and ends what is left of it: orphans become children of this
process. It reports on descriptor `status`, one JSON object a line.
"""

import ctypes
import json
import os
import signal
import sys
import time
from typing import Any

PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG = 36, 1


def children() -> list[int]:
    """Processes that this one is the parent of."""
    found = []
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            found += [int(word) for word in file.read().split()]
    return found


def end_all() -> int:
    """End all children, and what then becomes a child of ours, until there is none; how many are left after 5 s."""
    until = time.monotonic() + 5.0
    while left := children():
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
            except (ProcessLookupError, ChildProcessError):
                pass
        if time.monotonic() > until:
            return len(left)
        time.sleep(0.002)
    return 0


def stop(*_: object) -> None:
    """Somebody asked us to end before the program has."""
    end_all()
    os._exit(0)


def drop(account: int) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setresgid(account, account, account)
    os.setresuid(account, account, account)


def main(packages: str, text: str) -> None:
    """Run one program."""
    spec = json.loads(text)
    say = os.fdopen(spec["status"], "w", buffering=1)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, stop)
    sys.path.append(packages)
    import sandlock  # type: ignore[import-not-found,import-untyped,unused-ignore]

    if spec["account"] is not None:
        drop(spec["account"])
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    unreadable = [path for path in spec["readable"] if not os.access(path, os.R_OK)]
    if unreadable:
        say.write(json.dumps({"error": f"the account of the sandbox cannot read {unreadable}"}) + "\n")
        return
    answer: dict[str, Any] = {}
    try:
        box = sandlock.Sandbox(
            fs_readable=spec["readable"], fs_writable=spec["writable"], max_memory=spec["memory"],
            max_processes=spec["processes"], max_open_files=spec["descriptors"], clean_env=True, cwd=spec["folder"],
            no_coredump=True, workdir=spec["folder"], max_disk=spec["disk"], fs_storage=spec["storage"],
            on_exit=sandlock.BranchAction.ABORT, on_error=sandlock.BranchAction.ABORT,
        )  # fmt: skip
        process = box.popen(spec["command"])
        say.write(json.dumps({"pid": process.pid}) + "\n")
        ended = process.wait(timeout=spec["wall_s"])
        answer = {
            "code": ended.exit_code,
            "signal": ended.signal,
            "reason": ended.reason.name,
            "said": str(ended.error),
        }
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, the program did not run as asked
        answer = {"error": f"{type(error).__name__}: {error}"}
    answer["left"] = end_all()
    say.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
