"""The fork server inside a sandbox: run as text in its own interpreter, never imported by ours.

    serve.py CONTROL ACCOUNT PRELOAD SITE…

It forks a child into a process and a mount namespace of its own, which waits for a job on CONTROL. The child mounts an
empty folder, says hello (its number on the host comes with that), waits until limits are set from outside, gives up
root and every capability, loads the list of refused system calls, says that it is prepared, and only then compiles the
job's program. The server waits for it, tells its status, and forks the next. When CONTROL closes, child and server end.
"""

import builtins
import ctypes
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
from typing import Any

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_SECCOMP, FILTER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, CLEAR_ALL = 22, 2, 38, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
libc = ctypes.CDLL(None, use_errno=True)


def done(answer: int, what: str) -> None:
    """Raise what the C library said went wrong."""
    if answer != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount, or change a mount."""
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    done(libc.mount(*words, ctypes.c_ulong(flags), options.encode()), f"mount {target}")


def furnish(asked: dict[str, Any], content: bytes) -> bytes:
    """Make the private folder with its files, read-only; return the program."""
    room = f"size={asked['disk']},nr_inodes={asked['inodes']},mode=1777"
    folder = os.getcwd()
    mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, room)
    os.chdir(folder)
    at, program = 0, b""
    for name, size in asked["files"]:
        part, at = content[at : at + size], at + size
        program = part if name == "main.py" else program
        if "/" in name:
            os.makedirs(os.path.dirname(name), mode=0o755, exist_ok=True)
        with open(name, "wb") as file:
            file.write(part)
        os.chmod(name, 0o444)
        mount(name, name, None, MS_BIND)
        mount("none", name, None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    return program


def give_up(account: int | None, rules: bytes) -> None:
    """Give up root, all capabilities, and the refused system calls, for good."""
    libc.prctl(PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0)
    if account is not None:
        os.setgroups([])
        os.setresgid(account, account, account)
        os.setresuid(account, account, account)
    head = struct.pack("=II", CAPABILITY_VERSION_3, 0)
    done(libc.capset(head, struct.pack("=6I", 0, 0, 0, 0, 0, 0)), "capset")
    done(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    steps = ctypes.create_string_buffer(rules, len(rules))
    listed = struct.pack("@HP", len(rules) // 8, ctypes.addressof(steps))
    done(libc.prctl(PR_SET_SECCOMP, FILTER, listed, 0, 0), "seccomp")
    if libc.personality(0xFFFFFFFF) != -1:  # only asks, and needs no right but that of the filter
        raise OSError("a refused system call was allowed")


def prepared(control: socket.socket, account: int | None) -> bytes:
    """Be the child of the next evaluation, up to the job's program; return that. Most of it is done before it comes."""
    done(libc.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    message, handed, _, _ = socket.recv_fds(control, 1 << 20, 6)
    if not message:
        os._exit(0)
    content, rules, stdin, out, err, result = handed
    program = furnish(json.loads(message), os.pread(content, os.fstat(content).st_size, 0))
    steps = os.pread(rules, 1 << 16, 0)
    control.send(b"hello")
    if control.recv(16) != b"go":
        os._exit(0)
    give_up(account, steps)
    control.send(b"prepared")
    control.close()
    for end, place in ((stdin, 0), (out, 1), (err, 2), (result, 3)):
        os.dup2(end, place)
    os.closerange(4, 4096)
    return program


def run(program: bytes) -> int:
    """Run the job's program as a Python of its own would; return its exit code."""
    sys.argv[:] = sys.orig_argv[:] = ["main.py"]
    module = type(sys)("__main__")
    module.__dict__.update(__file__="main.py", __builtins__=builtins)
    sys.modules["__main__"] = module
    try:
        exec(compile(program, "main.py", "exec"), module.__dict__)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 255
        sys.stderr.write(f"{error.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - the boundary: what the job raises ends its process as in any Python
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def flushed(status: int) -> int:
    """Write out what the job has printed; where that fails, the exit code is 120 as in any Python."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            status = status or 120
    return status


def forked(control: socket.socket, own: int, account: int | None) -> int:
    """Start the next child in its namespaces; return its number here."""
    libc.setns(own, CLONE_NEWPID)  # a new process namespace can only be asked for from our own
    done(libc.unshare(CLONE_NEWPID), "unshare")
    pid = os.fork()
    if pid:
        return pid
    try:
        program = prepared(control, account)
    except BaseException as error:  # noqa: BLE001 - the boundary: the job has not run, and the other side hears that
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(flushed(run(program)))


def waited(control: socket.socket, pid: int) -> bytes:
    """Wait for the child, or end it with us when nobody listens any more."""
    end = os.pidfd_open(pid)
    asking = select.poll()
    asking.register(end, select.POLLIN)
    asking.register(control, 0)  # only that it was closed
    if end not in dict(asking.poll()):
        os.kill(pid, signal.SIGKILL)
        os._exit(0)
    os.close(end)
    _, status, used = os.wait4(pid, 0)
    return struct.pack("=id", status, used.ru_utime + used.ru_stime)


def serve(number: str, account: str, preload: str, *site: str) -> None:
    """Answer one message after the other until the other side closes."""
    control = socket.socket(fileno=int(number))
    own = os.pidfd_open(os.getpid())
    os.environ.clear()
    sys.path.extend(site)
    for name in filter(None, preload.split(",")):
        __import__(name)
    # the first call makes the types of the syntax tree: 2 ms that no child should pay
    compile("pass", "main.py", "exec")
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page of the server
    control.send(b"ready")
    while True:
        control.send(waited(control, forked(control, own, None if account == "-" else int(account))))


if __name__ == "__main__":
    serve(*sys.argv[1:])
